package events

import (
	"context"
	"regexp"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/wire"
)

// maxPolicy is how large a bus's policy may be (API Reference: PutPermission).
const maxPolicy = 10 << 10

// document is a bus's policy with its statements as they are.
type document struct {
	Version   string           `json:"Version"`
	ID        string           `json:"Id,omitzero"`
	Statement []jsontext.Value `json:"Statement"`
}

// permission is a statement that PutPermission writes.
type permission struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal any                          `json:"Principal"` // "*", or an account
	Action    string                       `json:"Action"`
	Resource  string                       `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition,omitzero"`
}

var accountForm = regexp.MustCompile(`^\d{12}$`)

// PutPermission lets another account, or those of an organization, put events
// on a bus, or replaces the bus's policy.
func (s *Service) PutPermission(ctx context.Context, in *eventsapi.PutPermissionRequest) error {
	p := busPlace(ctx, in.EventBusName)
	if in.Policy != nil {
		return s.editBus(ctx, p, func(b *busRecord) error { return b.setPolicy(*in.Policy) })
	}
	added, err := newPermission(p, in)
	if err != nil {
		return err
	}
	return s.editBus(ctx, p, func(b *busRecord) error {
		doc, err := b.document()
		if err != nil {
			return err
		}
		text, err := json.Marshal(added)
		if err != nil {
			return err
		}
		if at := slices.IndexFunc(doc.Statement, named(added.Sid)); at >= 0 {
			doc.Statement[at] = text
		} else {
			doc.Statement = append(doc.Statement, text)
		}
		return b.setDocument(doc)
	})
}

func newPermission(p place, in *eventsapi.PutPermissionRequest) (*permission, error) {
	switch {
	case in.StatementId == nil:
		return nil, invalid("Parameter StatementId must be specified.")
	case in.Principal == nil:
		return nil, invalid("Parameter Principal must be specified.")
	case in.Action == nil:
		return nil, invalid("Parameter Action must be specified.")
	case *in.Action != "events:PutEvents":
		return nil, invalid("Provided value in parameter 'action' is not supported.")
	case *in.Principal != "*" && !accountForm.MatchString(*in.Principal):
		return nil, invalid("Parameter Principal is not valid: %s.", *in.Principal)
	}
	out := &permission{Sid: *in.StatementId, Effect: "Allow", Principal: "*", Action: *in.Action, Resource: p.arn()}
	if *in.Principal != "*" {
		out.Principal = map[string]string{"AWS": "arn:aws:iam::" + *in.Principal + ":root"}
	}
	if c := in.Condition; c != nil {
		// AWS knows this condition alone (API Reference: Condition).
		if *c.Type != "StringEquals" || *c.Key != "aws:PrincipalOrgID" {
			return nil, invalid("Parameter Condition is not valid.")
		}
		out.Condition = map[string]map[string]string{*c.Type: {*c.Key: *c.Value}}
	}
	return out, nil
}

// RemovePermission removes a statement, or all, of a bus's policy.
func (s *Service) RemovePermission(ctx context.Context, in *eventsapi.RemovePermissionRequest) error {
	all := wire.Val(in.RemoveAllPermissions)
	if !all && in.StatementId == nil {
		return invalid("Parameter StatementId must be specified.")
	}
	return s.editBus(ctx, busPlace(ctx, in.EventBusName), func(b *busRecord) error {
		if all {
			b.Policy = ""
			return nil
		}
		doc, err := b.document()
		if err != nil {
			return err
		}
		at := slices.IndexFunc(doc.Statement, named(*in.StatementId))
		if at < 0 {
			return notFound("Statement with the provided id does not exist.")
		}
		doc.Statement = slices.Delete(doc.Statement, at, at+1)
		return b.setDocument(doc)
	})
}

func (b *busRecord) document() (*document, error) {
	doc := &document{Version: "2012-10-17"}
	if b.Policy == "" {
		return doc, nil
	}
	return doc, json.Unmarshal([]byte(b.Policy), doc)
}

func (b *busRecord) setDocument(doc *document) error {
	if len(doc.Statement) == 0 {
		b.Policy = ""
		return nil
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	return b.setPolicy(string(text))
}

// setPolicy replaces the policy. It is kept as compact JSON, as AWS shows it.
func (b *busRecord) setPolicy(text string) error {
	if len(text) > maxPolicy {
		return &eventsapi.PolicyLengthExceededException{Message: wire.Ptr("The policy is too long.")}
	}
	compact := jsontext.Value(text)
	if err := compact.Compact(); err != nil {
		return invalid("This policy contains invalid Json")
	}
	if _, err := policy.Parse(compact, policy.Resource); err != nil {
		return invalid("This policy is not valid: %s", err)
	}
	b.Policy = string(compact)
	return nil
}

// named tells whether a statement has an id.
func named(sid string) func(jsontext.Value) bool {
	return func(statement jsontext.Value) bool {
		var s struct{ Sid string }
		return json.Unmarshal(statement, &s) == nil && s.Sid == sid
	}
}
