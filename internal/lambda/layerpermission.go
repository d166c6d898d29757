package lambda

import (
	"cmp"
	"context"
	"slices"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// editLayerPolicy changes the policy of a version that must exist.
func (s *Service) editLayerPolicy(ctx context.Context, name *string, version *int64, revision *string, fn func(l layerRef, p *policyRecord) error) error {
	l, err := layerVersionOf(ctx, name, version)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		v, err := layerVersions.Get(tx, l.versionKey()...)
		if err != nil || v == nil {
			return cmp.Or(err, missing("Layer version %s does not exist.", l.versionARN()))
		}
		if err := checkRevision(revision, &v.Policy.RevisionID, "GetLayerPolicy"); err != nil {
			return err
		}
		if err := fn(l, &v.Policy); err != nil {
			return err
		}
		v.Policy.RevisionID = ident.UUID()
		return layerVersions.Put(tx, v, l.versionKey()...)
	})
}

// AddLayerVersionPermission lets accounts use a version of a layer.
func (s *Service) AddLayerVersionPermission(ctx context.Context, in *lambdaapi.AddLayerVersionPermissionRequest) (*lambdaapi.AddLayerVersionPermissionResponse, error) {
	out := &lambdaapi.AddLayerVersionPermissionResponse{}
	err := s.editLayerPolicy(ctx, in.LayerName, in.VersionNumber, in.RevisionId, func(l layerRef, p *policyRecord) error {
		if p.find(*in.StatementId) >= 0 {
			return duplicateStatement(*in.StatementId)
		}
		added, err := s.newStatement(l.versionARN(), &lambdaapi.AddPermissionRequest{
			StatementId: in.StatementId, Action: in.Action, Principal: in.Principal, PrincipalOrgID: in.OrganizationId,
		})
		if err != nil {
			return err
		}
		p.Statements = append(p.Statements, added)
		out.Statement = &added.Text
		return nil
	})
	if err != nil {
		return nil, err
	}
	policy, err := s.GetLayerVersionPolicy(ctx, &lambdaapi.GetLayerVersionPolicyRequest{LayerName: in.LayerName, VersionNumber: in.VersionNumber})
	if err != nil {
		return nil, err
	}
	out.RevisionId = policy.RevisionId
	return out, nil
}

// RemoveLayerVersionPermission takes a statement out of a version's policy.
func (s *Service) RemoveLayerVersionPermission(ctx context.Context, in *lambdaapi.RemoveLayerVersionPermissionRequest) error {
	return s.editLayerPolicy(ctx, in.LayerName, in.VersionNumber, in.RevisionId, func(_ layerRef, p *policyRecord) error {
		at := p.find(*in.StatementId)
		if at < 0 {
			return missing("Statement %s is not found in resource policy.", *in.StatementId)
		}
		p.Statements = slices.Delete(p.Statements, at, at+1)
		return nil
	})
}

// GetLayerVersionPolicy returns the policy of a version of a layer.
func (s *Service) GetLayerVersionPolicy(ctx context.Context, in *lambdaapi.GetLayerVersionPolicyRequest) (*lambdaapi.GetLayerVersionPolicyResponse, error) {
	l, err := layerVersionOf(ctx, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	v, err := s.findLayer(ctx, l)
	switch {
	case err != nil:
		return nil, err
	case v == nil:
		return nil, missing("Layer version %s does not exist.", l.versionARN())
	case len(v.Policy.Statements) == 0:
		return nil, missing("No policy is associated with the given resource.")
	}
	return &lambdaapi.GetLayerVersionPolicyResponse{Policy: wire.Ptr(v.Policy.document()), RevisionId: &v.Policy.RevisionID}, nil
}
