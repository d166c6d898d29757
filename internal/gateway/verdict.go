package gateway

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/butai-dev/butai/internal/gateway/value"
	"github.com/butai-dev/butai/internal/iam/policy"
)

// verdict is what an authorizer found out: a Lambda authorizer's principal,
// policy and context, or the claims of a user pool's token. It is immutable;
// caches share it.
type verdict struct {
	principalID string
	policy      *policy.Document // of a Lambda authorizer
	policyText  string
	context     []contextEntry
	usageKey    string
	claims      []contextEntry // of a token; nil for a Lambda authorizer
}

// contextEntry is an entry of $context.authorizer: all values are texts there,
// but null stays null.
type contextEntry struct {
	name, text string
	null       bool
}

// invalidResult says how API Gateway's log words an answer that it cannot use.
func invalidResult(format string, args ...any) error {
	return fmt.Errorf("Invalid JSON in response: "+format, args...) // a line of API Gateway's log
}

// parseVerdict reads a Lambda authorizer's answer (developer guide, "Output
// from an API Gateway Lambda authorizer").
func parseVerdict(payload []byte) (*verdict, error) {
	doc, err := value.Parse(string(payload))
	answer, ok := doc.(*value.Map)
	if err != nil || !ok {
		return nil, invalidResult("not an object")
	}
	v := &verdict{}
	for i := range answer.Len() {
		entry := answer.At(i)
		switch entry.Key {
		case "principalId":
			v.principalID = value.String(entry.Value)
		case "usageIdentifierKey":
			if entry.Value != nil {
				v.usageKey = value.String(entry.Value)
			}
		case "context":
			if v.context, err = parseContext(entry.Value); err != nil {
				return nil, err
			}
		case "policyDocument":
		default:
			return nil, invalidResult("Unrecognized field %q , not marked as ignorable", entry.Key)
		}
	}
	if id, ok := answer.Get("principalId"); !ok || id == nil {
		return nil, errors.New("principalId is missing")
	}
	return v, v.parsePolicy(payload)
}

func (v *verdict) parsePolicy(payload []byte) error {
	var raw struct {
		PolicyDocument json.RawMessage `json:"policyDocument"`
	}
	if err := json.Unmarshal(payload, &raw); err != nil {
		return invalidResult("%s", err)
	}
	doc, err := policy.Parse(raw.PolicyDocument, policy.Authorizer)
	if err != nil {
		return fmt.Errorf("Invalid policy document: %w", err) // a line of the execution log
	}
	v.policy, v.policyText = doc, string(raw.PolicyDocument)
	return nil
}

// parseContext takes a flat object of texts, numbers and booleans.
func parseContext(v value.Value) ([]contextEntry, error) {
	if v == nil {
		return nil, nil
	}
	m, ok := v.(*value.Map)
	if !ok {
		return nil, invalidResult("context is not an object")
	}
	entries := make([]contextEntry, m.Len())
	for i := range entries {
		e := m.At(i)
		text, scalar := value.AppendScalar(nil, e.Value)
		if e.Value != nil && !scalar {
			return nil, invalidResult("context entry %q is neither text, number nor boolean", e.Key)
		}
		entries[i] = contextEntry{name: e.Key, text: string(text), null: e.Value == nil}
	}
	return entries, nil
}
