package ecr

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// grants is a repository's policy as IAM evaluates it: its statements name no
// resources, since they are all about the repository. It is "" without one, or
// if the text is no policy.
func grants(text string) string {
	if text == "" {
		return ""
	}
	var doc struct {
		Version   string `json:",omitempty"`
		ID        string `json:"Id,omitempty"`
		Statement statements
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return ""
	}
	for _, s := range doc.Statement {
		_, has := s["Resource"]
		if _, hasNot := s["NotResource"]; !has && !hasNot {
			s["Resource"] = json.RawMessage(`"*"`)
		}
	}
	out, err := json.Marshal(doc)
	if err != nil {
		return ""
	}
	return string(out)
}

// statements are those of a policy, which may have just one.
type statements []map[string]json.RawMessage

// UnmarshalJSON implements json.Unmarshaler.
func (s *statements) UnmarshalJSON(text []byte) error {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(text, &list); err == nil {
		*s = list
		return nil
	}
	one := map[string]json.RawMessage{}
	err := json.Unmarshal(text, &one)
	*s = statements{one}
	return err
}

// SetRepositoryPolicy gives a repository a policy.
func (s *Service) SetRepositoryPolicy(ctx context.Context, in *ecrapi.SetRepositoryPolicyRequest) (*ecrapi.SetRepositoryPolicyResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	if _, err := policy.Parse([]byte(grants(*in.PolicyText)), policy.Resource); err != nil {
		return nil, invalid("Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
	}
	err := s.edit(ctx, p, func(_ store.Tx, rec *repositoryRecord) error {
		rec.Policy = *in.PolicyText
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecrapi.SetRepositoryPolicyResponse{RegistryId: &p.account, RepositoryName: &p.name, PolicyText: in.PolicyText}, nil
}

// GetRepositoryPolicy returns a repository's policy.
func (s *Service) GetRepositoryPolicy(ctx context.Context, in *ecrapi.GetRepositoryPolicyRequest) (*ecrapi.GetRepositoryPolicyResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	out := &ecrapi.GetRepositoryPolicyResponse{RegistryId: &p.account, RepositoryName: &p.name}
	return out, s.Store.View(ctx, func(r store.ReadTx) error {
		rec, err := open(ctx, r, p)
		if err == nil && rec.Policy == "" {
			err = noPolicy(p)
		}
		if err == nil {
			out.PolicyText = &rec.Policy
		}
		return err
	})
}

// DeleteRepositoryPolicy takes a repository's policy away.
func (s *Service) DeleteRepositoryPolicy(ctx context.Context, in *ecrapi.DeleteRepositoryPolicyRequest) (*ecrapi.DeleteRepositoryPolicyResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	out := &ecrapi.DeleteRepositoryPolicyResponse{RegistryId: &p.account, RepositoryName: &p.name}
	err := s.edit(ctx, p, func(_ store.Tx, rec *repositoryRecord) error {
		if rec.Policy == "" {
			return noPolicy(p)
		}
		out.PolicyText = wire.Ptr(rec.Policy)
		rec.Policy = ""
		return nil
	})
	return out, err
}

func noPolicy(p place) error {
	return &ecrapi.RepositoryPolicyNotFoundException{Message: wire.Ptr(fmt.Sprintf(
		"Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", p.name, p.account))}
}
