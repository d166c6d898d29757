package kms

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// conditions are condition keys of a request (Service Authorization Reference:
// KMS), beyond those that tell of the key.
type conditions map[string][]string

func (c conditions) set(name string, value *string) {
	if value != nil {
		c[name] = []string{*value}
	}
}

func (c conditions) number(name string, value *int64) {
	if value != nil {
		c[name] = []string{strconv.FormatInt(*value, 10)}
	}
}

func (c conditions) encryption(context map[string]string) {
	if len(context) == 0 {
		return
	}
	c["kms:EncryptionContextKeys"] = slices.Sorted(maps.Keys(context))
	for name, value := range context {
		c["kms:EncryptionContext:"+name] = []string{value}
	}
}

func (c conditions) tags(tags []kmsapi.Tag) {
	for _, t := range tags {
		c["aws:RequestTag/"+*t.TagKey] = []string{*t.TagValue}
		c["aws:TagKeys"] = append(c["aws:TagKeys"], *t.TagKey)
	}
}

// IAMTargets names the keys and aliases that a call is about. A key's policy
// and grants decide with the caller's own policies; these are enough alone
// only where the key's policy says so.
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	action := "kms:" + op.Name
	facts := factsOf(in)
	switch in := in.(type) {
	case *kmsapi.CreateKeyRequest:
		targets := []wire.IAMTarget{{Action: action, Resource: "*", Context: facts}}
		if len(in.Tags) > 0 {
			targets = append(targets, wire.IAMTarget{Action: "kms:TagResource", Resource: "*", Context: facts})
		}
		return targets
	case *kmsapi.CreateAliasRequest:
		return []wire.IAMTarget{aliasTarget(ctx, action, *in.AliasName), s.target(ctx, action, *in.TargetKeyId, facts)}
	case *kmsapi.DeleteAliasRequest:
		return []wire.IAMTarget{aliasTarget(ctx, action, *in.AliasName), s.target(ctx, action, *in.AliasName, facts)}
	case *kmsapi.UpdateAliasRequest:
		return []wire.IAMTarget{
			aliasTarget(ctx, action, *in.AliasName), s.target(ctx, action, *in.AliasName, facts), s.target(ctx, action, *in.TargetKeyId, facts),
		}
	case *kmsapi.DecryptRequest:
		return []wire.IAMTarget{s.sourceTarget(ctx, action, in.KeyId, in.CiphertextBlob, facts)}
	case *kmsapi.ReEncryptRequest:
		from, to := conditions{}, conditions{}
		from.encryption(in.SourceEncryptionContext)
		to.encryption(in.DestinationEncryptionContext)
		return []wire.IAMTarget{
			s.sourceTarget(ctx, "kms:ReEncryptFrom", in.SourceKeyId, in.CiphertextBlob, from), s.target(ctx, "kms:ReEncryptTo", *in.DestinationKeyId, to),
		}
	case *kmsapi.RetireGrantRequest:
		return []wire.IAMTarget{s.retireTarget(ctx, in)}
	case *kmsapi.ListAliasesRequest: // the filter is no resource
	default:
		if id := keyIDOf(in); id != "" {
			return []wire.IAMTarget{s.target(ctx, action, id, facts)}
		}
	}
	return []wire.IAMTarget{{Action: action, Resource: "*", Context: facts}}
}

func aliasTarget(ctx context.Context, action, name string) wire.IAMTarget {
	c := wire.CallerFrom(ctx)
	return wire.IAMTarget{Action: action, Resource: aliasARN(c.Account, c.Region, name)}
}

// target is an action on the key of an id, ARN or alias. If there is none the
// operation will say so, to those who may ask.
func (s *Service) target(ctx context.Context, action, keyID string, facts conditions) wire.IAMTarget {
	c := wire.CallerFrom(ctx)
	ref, err := parse(c, keyID)
	if err != nil {
		return wire.IAMTarget{Action: action, Resource: "*", Context: facts}
	}
	k, err := s.find(ctx, c, keyID)
	if err != nil {
		return wire.IAMTarget{Action: action, Resource: ref.arn(), Context: facts}
	}
	if ref.alias != "" {
		facts = maps.Clone(facts)
		facts["kms:RequestAlias"] = []string{ref.alias}
	}
	return s.keyTarget(ctx, c.Account, k, action, facts)
}

// sourceTarget is an action on the key that is to decrypt.
func (s *Service) sourceTarget(ctx context.Context, action string, keyID *string, blob []byte, facts conditions) wire.IAMTarget {
	if keyID != nil {
		return s.target(ctx, action, *keyID, facts)
	}
	c := wire.CallerFrom(ctx)
	k, err := s.sealer(ctx, blob)
	if err != nil || k == nil || k.Region != c.Region {
		return wire.IAMTarget{Action: action, Resource: "*", Context: facts}
	}
	return s.keyTarget(ctx, c.Account, k, action, facts)
}

// retireTarget lets the principal that a grant names retire it.
func (s *Service) retireTarget(ctx context.Context, in *kmsapi.RetireGrantRequest) wire.IAMTarget {
	const action = "kms:RetireGrant"
	c := wire.CallerFrom(ctx)
	target := wire.IAMTarget{Action: action, Resource: "*"}
	if in.GrantToken == nil && (in.KeyId == nil || in.GrantId == nil) {
		return target
	}
	_ = s.Store.View(ctx, func(r store.ReadTx) error {
		k, id, err := s.retiring(ctx, r, in)
		if err != nil {
			return err // which the operation reports
		}
		target = s.keyTarget(ctx, c.Account, k, action, conditions{})
		g, err := grants.Get(r, append(k.id(), id)...)
		if err == nil && g != nil && g.Retiring != "" {
			target.Policy = merge(target.Policy, []statement{{Effect: "Allow", Principal: principal(g.Retiring), Action: []string{action}, Resource: "*"}})
		}
		return err
	})
	return target
}

// keyTarget is an action on a key of somebody in the account caller, or in none
// if that is "", with what the key's policy and grants say of it.
func (s *Service) keyTarget(ctx context.Context, caller string, k *key, action string, facts conditions) wire.IAMTarget {
	context := map[string][]string{
		"kms:KeySpec": {k.Spec}, "kms:KeyUsage": {k.Usage}, "kms:KeyOrigin": {kmsapi.OriginTypeAWSKMS}, "kms:MultiRegion": {"false"},
	}
	if caller != "" {
		context["kms:CallerAccount"] = []string{caller}
	}
	maps.Copy(context, facts)
	for _, t := range k.Tags {
		context["aws:ResourceTag/"+*t.TagKey] = []string{*t.TagValue}
	}
	var allowed []statement
	operation := strings.TrimPrefix(action, "kms:")
	_ = s.Store.View(ctx, func(r store.ReadTx) error { // without what can't be read less is allowed
		for a, err := range aliases.All(r, k.Account, k.Region) {
			if err == nil && a.Target == k.ID {
				context["kms:ResourceAliases"] = append(context["kms:ResourceAliases"], a.Name)
			}
		}
		for g, err := range grants.All(r, k.id()...) {
			if err == nil && slices.Contains(g.Operations, operation) {
				allowed = append(allowed, g.statement(operation))
			}
		}
		return nil
	})
	return wire.IAMTarget{Action: action, Resource: k.arn(), Context: context, Policy: merge(k.Policy, allowed), NeedPolicy: true}
}

// statement is one of a policy's, as far as grants need it.
type statement struct {
	Effect    string
	Principal map[string]string
	Action    []string
	Resource  string
	Condition map[string]map[string][]string `json:",omitempty"`
}

func principal(name string) map[string]string {
	if strings.HasPrefix(name, "arn:") {
		return map[string]string{"AWS": name}
	}
	return map[string]string{"Service": name}
}

// statement is what a grant allows, as a policy would.
func (g *grant) statement(operation string) statement {
	st := statement{Effect: "Allow", Principal: principal(g.Grantee), Action: []string{"kms:" + operation}, Resource: "*", Condition: map[string]map[string][]string{}}
	if operation == kmsapi.GrantOperationCreateGrant {
		st.Condition["ForAllValues:StringEquals"] = map[string][]string{"kms:GrantOperations": g.Operations}
		return st
	}
	if g.Constraints == nil || slices.Contains(unconstrained, operation) {
		return st
	}
	equal := map[string][]string{}
	for name, value := range g.Constraints.EncryptionContextSubset {
		equal["kms:EncryptionContext:"+name] = []string{literal(value)}
	}
	for name, value := range g.Constraints.EncryptionContextEquals {
		equal["kms:EncryptionContext:"+name] = []string{literal(value)}
	}
	if len(equal) > 0 {
		st.Condition["StringEquals"] = equal
	}
	if all := g.Constraints.EncryptionContextEquals; len(all) > 0 {
		st.Condition["ForAllValues:StringEquals"] = map[string][]string{"kms:EncryptionContextKeys": slices.Sorted(maps.Keys(all))}
	}
	return st
}

// literal keeps a text from being read as a policy variable.
func literal(text string) string { return strings.ReplaceAll(text, "${", "${$}{") }

// merge adds statements to a policy.
func merge(policy string, more []statement) string {
	if len(more) == 0 {
		return policy
	}
	var doc struct {
		Version   string
		Statement json.RawMessage
	}
	if json.Unmarshal([]byte(policy), &doc) != nil {
		return policy
	}
	var list []json.RawMessage
	if json.Unmarshal(doc.Statement, &list) != nil {
		list = []json.RawMessage{doc.Statement}
	}
	for i := range more {
		if text, err := json.Marshal(&more[i]); err == nil {
			list = append(list, text)
		}
	}
	merged, err := json.Marshal(struct {
		Version   string
		Statement []json.RawMessage
	}{doc.Version, list})
	if err != nil {
		return policy
	}
	return string(merged)
}
