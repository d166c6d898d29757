package ecr

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// settingsRecord is what a registry, an account's in a region, has for all of
// its repositories.
type settingsRecord struct {
	Policy      string                        `json:",omitzero"`
	Replication []ecrapi.ReplicationRule      `json:",omitzero"`
	Scanning    []ecrapi.RegistryScanningRule `json:",omitzero"`
}

// settingsOf reads the settings of a repository's registry.
func settingsOf(r store.ReadTx, p place) (*settingsRecord, error) {
	rec, err := settings.Get(r, p.account, p.region)
	if rec == nil {
		rec = &settingsRecord{}
	}
	return rec, err
}

// configure changes the settings of the caller's registry, which it returns.
func (s *Service) configure(ctx context.Context, change func(rec *settingsRecord) error) (registry place, err error) {
	registry = placeOf(ctx, nil, nil)
	return registry, s.Store.Update(ctx, func(tx store.Tx) error {
		rec, err := settingsOf(tx, registry)
		if err != nil {
			return err
		}
		if err := change(rec); err != nil {
			return err
		}
		return settings.Put(tx, rec, registry.account, registry.region)
	})
}

// configured reads the settings of the caller's registry.
func (s *Service) configured(ctx context.Context) (registry place, rec *settingsRecord, err error) {
	registry = placeOf(ctx, nil, nil)
	return registry, rec, s.Store.View(ctx, func(r store.ReadTx) (err error) {
		rec, err = settingsOf(r, registry)
		return err
	})
}

// PutRegistryPolicy gives the registry a policy, which counts for each of its
// repositories beside their own, and lets other accounts replicate into it.
func (s *Service) PutRegistryPolicy(ctx context.Context, in *ecrapi.PutRegistryPolicyRequest) (*ecrapi.PutRegistryPolicyResponse, error) {
	if _, err := policy.Parse([]byte(*in.PolicyText), policy.Resource); err != nil {
		return nil, invalid("Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy provided'")
	}
	registry, err := s.configure(ctx, func(rec *settingsRecord) error {
		rec.Policy = *in.PolicyText
		return nil
	})
	return &ecrapi.PutRegistryPolicyResponse{RegistryId: &registry.account, PolicyText: in.PolicyText}, err
}

// GetRegistryPolicy returns the registry's policy.
func (s *Service) GetRegistryPolicy(ctx context.Context, _ *ecrapi.GetRegistryPolicyRequest) (*ecrapi.GetRegistryPolicyResponse, error) {
	registry, rec, err := s.configured(ctx)
	if err == nil && rec.Policy == "" {
		err = noRegistryPolicy(registry)
	}
	if err != nil {
		return nil, err
	}
	return &ecrapi.GetRegistryPolicyResponse{RegistryId: &registry.account, PolicyText: &rec.Policy}, nil
}

// DeleteRegistryPolicy takes the registry's policy away.
func (s *Service) DeleteRegistryPolicy(ctx context.Context, _ *ecrapi.DeleteRegistryPolicyRequest) (*ecrapi.DeleteRegistryPolicyResponse, error) {
	var was string
	registry, err := s.configure(ctx, func(rec *settingsRecord) error {
		if rec.Policy == "" {
			return noRegistryPolicy(placeOf(ctx, nil, nil))
		}
		was, rec.Policy = rec.Policy, ""
		return nil
	})
	return &ecrapi.DeleteRegistryPolicyResponse{RegistryId: &registry.account, PolicyText: &was}, err
}

func noRegistryPolicy(registry place) error {
	return &ecrapi.RegistryPolicyNotFoundException{Message: wire.Ptr(fmt.Sprintf("Registry policy does not exist in the registry with id '%s'", registry.account))}
}

// resourcePolicy is what IAM evaluates for a repository: its own policy and
// the registry's in one document, "" without either.
func resourcePolicy(r store.ReadTx, rec *repositoryRecord) (string, error) {
	registry, err := settingsOf(r, rec.place())
	own := grants(rec.Policy)
	if err != nil || registry.Policy == "" || own == "" {
		return cmp.Or(own, registry.Policy), err
	}
	type document struct {
		Version   string
		Statement statements
	}
	both, more := document{}, document{}
	if err := json.Unmarshal([]byte(own), &both); err != nil {
		return "", err
	}
	if err := json.Unmarshal([]byte(registry.Policy), &more); err != nil {
		return "", err
	}
	both.Version = max(both.Version, more.Version)
	both.Statement = append(both.Statement, more.Statement...)
	text, err := json.Marshal(both)
	return string(text), err
}
