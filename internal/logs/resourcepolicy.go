package logs

import (
	"context"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// resourcePolicies let AWS's services write to the log groups of an account's
// region, by account, region and name.
var resourcePolicies = record.New[logsapi.ResourcePolicy]("logs", "resourcepolicy")

const (
	// maxResourcePolicies is the quota of a region (API Reference:
	// PutResourcePolicy).
	maxResourcePolicies = 10
	resourcePolicyPage  = 50
)

// PutResourcePolicy makes or replaces a policy.
func (s *Service) PutResourcePolicy(ctx context.Context, in *logsapi.PutResourcePolicyRequest) (*logsapi.PutResourcePolicyResponse, error) {
	if in.PolicyName == nil || in.PolicyDocument == nil {
		return nil, invalid("Policy name and policy document must be specified.")
	}
	if _, err := policy.Parse([]byte(*in.PolicyDocument), policy.Resource); err != nil {
		return nil, invalid("Invalid policy document: " + err.Error())
	}
	p := placeOf(ctx)
	made := &logsapi.ResourcePolicy{PolicyName: in.PolicyName, PolicyDocument: in.PolicyDocument, LastUpdatedTime: wire.Ptr(s.Clock.Now().UnixMilli())}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := resourcePolicies.List(tx, p.account, p.region)
		if err != nil {
			return err
		}
		others := 0
		for _, other := range have {
			if *other.PolicyName != *in.PolicyName {
				others++
			}
		}
		if others >= maxResourcePolicies {
			return limitExceeded()
		}
		return resourcePolicies.Put(tx, made, p.account, p.region, *in.PolicyName)
	})
	if err != nil {
		return nil, err
	}
	return &logsapi.PutResourcePolicyResponse{ResourcePolicy: made}, nil
}

// DescribeResourcePolicies lists the policies by name.
func (s *Service) DescribeResourcePolicies(ctx context.Context, in *logsapi.DescribeResourcePoliciesRequest) (*logsapi.DescribeResourcePoliciesResponse, error) {
	p := placeOf(ctx)
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	limit := limitOr(in.Limit, resourcePolicyPage)
	out := &logsapi.DescribeResourcePoliciesResponse{}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		out.ResourcePolicies, out.NextToken = []logsapi.ResourcePolicy{}, nil
		for one, err := range resourcePolicies.After(r, after, p.account, p.region) {
			if err != nil {
				return err
			}
			if len(out.ResourcePolicies) == limit {
				out.NextToken = paging.Token(*out.ResourcePolicies[limit-1].PolicyName)
				return nil
			}
			out.ResourcePolicies = append(out.ResourcePolicies, *one)
		}
		return nil
	})
	return out, err
}

// DeleteResourcePolicy deletes a policy.
func (s *Service) DeleteResourcePolicy(ctx context.Context, in *logsapi.DeleteResourcePolicyRequest) error {
	p := placeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := resourcePolicies.Get(tx, p.account, p.region, wire.Val(in.PolicyName))
		if err == nil && have == nil {
			err = &logsapi.ResourceNotFoundException{Message: wire.Ptr("Policy with name [" + wire.Val(in.PolicyName) + "] does not exist.")}
		}
		if err != nil {
			return err
		}
		return resourcePolicies.Delete(tx, p.account, p.region, *in.PolicyName)
	})
}

// ResourcePolicy is what the policies of the caller's account and region say
// together, "" if there are none.
func (s *Service) ResourcePolicy(ctx context.Context) string {
	p := placeOf(ctx)
	var statements []jsontext.Value
	_ = s.Store.View(ctx, func(r store.ReadTx) error { // without its policies nobody may write
		statements = nil
		for one, err := range resourcePolicies.All(r, p.account, p.region) {
			if err != nil {
				return err
			}
			more, err := statementsOf(*one.PolicyDocument)
			if err != nil {
				return err
			}
			statements = append(statements, more...)
		}
		return nil
	})
	if len(statements) == 0 {
		return ""
	}
	text, err := json.Marshal(statements)
	if err != nil {
		return "" // can't happen: they are JSON
	}
	return `{"Version":"2012-10-17","Statement":` + string(text) + `}`
}

// statementsOf are the statements of a policy, which may have one that is in
// no list.
func statementsOf(document string) (out []jsontext.Value, err error) {
	var doc struct{ Statement jsontext.Value }
	if err := json.Unmarshal([]byte(document), &doc); err != nil {
		return nil, err
	}
	if doc.Statement.Kind() == '{' {
		return []jsontext.Value{doc.Statement}, nil
	}
	return out, json.Unmarshal(doc.Statement, &out)
}
