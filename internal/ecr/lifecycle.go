package ecr

import (
	"context"
	"fmt"
	"slices"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// PutLifecyclePolicy gives a repository a lifecycle policy; images begin to
// expire soon after (expiry.go).
func (s *Service) PutLifecyclePolicy(ctx context.Context, in *ecrapi.PutLifecyclePolicyRequest) (*ecrapi.PutLifecyclePolicyResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	policy, err := parseLifecycle(*in.LifecyclePolicyText)
	if err != nil {
		return nil, err
	}
	text, err := policy.text()
	if err != nil {
		return nil, err
	}
	err = s.edit(ctx, p, func(_ store.Tx, rec *repositoryRecord) error {
		rec.Lifecycle = lifecycleRecord{Text: text}
		s.expireSoon(rec)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecrapi.PutLifecyclePolicyResponse{RegistryId: &p.account, RepositoryName: &p.name, LifecyclePolicyText: &text}, nil
}

// GetLifecyclePolicy returns a repository's lifecycle policy, and when it was
// last applied: in 1970 if it wasn't yet.
func (s *Service) GetLifecyclePolicy(ctx context.Context, in *ecrapi.GetLifecyclePolicyRequest) (*ecrapi.GetLifecyclePolicyResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	out := &ecrapi.GetLifecyclePolicyResponse{RegistryId: &p.account, RepositoryName: &p.name}
	return out, s.Store.View(ctx, func(r store.ReadTx) error {
		rec, err := open(ctx, r, p)
		if err == nil && rec.Lifecycle.Text == "" {
			err = noLifecycle(p)
		}
		if err == nil {
			out.LifecyclePolicyText, out.LastEvaluatedAt = &rec.Lifecycle.Text, orEpoch(rec.Lifecycle.Evaluated)
		}
		return err
	})
}

// DeleteLifecyclePolicy takes a repository's lifecycle policy away.
func (s *Service) DeleteLifecyclePolicy(ctx context.Context, in *ecrapi.DeleteLifecyclePolicyRequest) (*ecrapi.DeleteLifecyclePolicyResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	out := &ecrapi.DeleteLifecyclePolicyResponse{RegistryId: &p.account, RepositoryName: &p.name}
	return out, s.edit(ctx, p, func(_ store.Tx, rec *repositoryRecord) error {
		if rec.Lifecycle.Text == "" {
			return noLifecycle(p)
		}
		out.LifecyclePolicyText, out.LastEvaluatedAt = wire.Ptr(rec.Lifecycle.Text), orEpoch(rec.Lifecycle.Evaluated)
		rec.Lifecycle = lifecycleRecord{}
		return nil
	})
}

func noLifecycle(p place) error {
	return &ecrapi.LifecyclePolicyNotFoundException{Message: wire.Ptr(fmt.Sprintf(
		"Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", p.name, p.account))}
}

// previewRecord is what a lifecycle policy would have done to a repository.
type previewRecord struct {
	Text    string
	Results []ecrapi.LifecyclePolicyPreviewResult
}

// StartLifecyclePolicyPreview finds out what a policy would do, by default the
// repository's own. The answer says, as on AWS, that it is under way.
func (s *Service) StartLifecyclePolicyPreview(ctx context.Context, in *ecrapi.StartLifecyclePolicyPreviewRequest) (*ecrapi.StartLifecyclePolicyPreviewResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	out := &ecrapi.StartLifecyclePolicyPreviewResponse{
		RegistryId: &p.account, RepositoryName: &p.name, Status: wire.Ptr(ecrapi.LifecyclePolicyPreviewStatusINPROGRESS),
	}
	return out, s.Store.Update(ctx, func(tx store.Tx) error {
		rec, err := open(ctx, tx, p)
		if err != nil {
			return err
		}
		text := rec.Lifecycle.Text
		if in.LifecyclePolicyText != nil {
			text = *in.LifecyclePolicyText
		}
		if text == "" {
			return noLifecycle(p)
		}
		policy, err := parseLifecycle(text)
		if err != nil {
			return err
		}
		preview := &previewRecord{}
		if preview.Text, err = policy.text(); err != nil {
			return err
		}
		if preview.Results, err = s.foresee(tx, p, policy); err != nil {
			return err
		}
		out.LifecyclePolicyText = &preview.Text
		return previews.Put(tx, preview, p.key()...)
	})
}

// foresee lists the images that a policy expires now, the oldest first.
func (s *Service) foresee(r store.ReadTx, p place, policy *lifecyclePolicy) ([]ecrapi.LifecyclePolicyPreviewResult, error) {
	list, byDigest, err := shelf(r, p)
	if err != nil {
		return nil, err
	}
	results := []ecrapi.LifecyclePolicyPreviewResult{}
	marked := policy.evaluate(candidates(list, byDigest), s.Clock.Now())
	for _, rec := range list {
		if rule := marked[rec.Digest]; rule != nil {
			results = append(results, ecrapi.LifecyclePolicyPreviewResult{
				ImageTags: slices.Clone(byDigest[rec.Digest]), ImageDigest: &rec.Digest, ImagePushedAt: &rec.Pushed,
				Action: &ecrapi.LifecyclePolicyRuleAction{Type: wire.Ptr(ecrapi.ImageActionTypeEXPIRE)}, AppliedRulePriority: &rule.Priority,
				StorageClass: wire.Ptr(ecrapi.LifecyclePolicyStorageClassSTANDARD),
			})
		}
	}
	return results, nil
}

// GetLifecyclePolicyPreview returns what the last preview has found, in pages,
// or of it what is about images that are named or have tags.
func (s *Service) GetLifecyclePolicyPreview(ctx context.Context, in *ecrapi.GetLifecyclePolicyPreviewRequest) (*ecrapi.GetLifecyclePolicyPreviewResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	var preview *previewRecord
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		if _, err = open(ctx, r, p); err != nil {
			return err
		}
		if preview, err = previews.Get(r, p.key()...); err == nil && preview == nil {
			err = &ecrapi.LifecyclePolicyPreviewNotFoundException{Message: wire.Ptr(fmt.Sprintf(
				"Lifecycle policy preview does not exist for the repository with name '%s' in the registry with id '%s'", p.name, p.account))}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(slices.Clone(preview.Results), func(result ecrapi.LifecyclePolicyPreviewResult) bool {
		named := len(in.ImageIds) == 0 || slices.ContainsFunc(in.ImageIds, func(id ecrapi.ImageIdentifier) bool {
			return (id.ImageDigest == nil || *id.ImageDigest == *result.ImageDigest) && (id.ImageTag == nil || slices.Contains(result.ImageTags, *id.ImageTag))
		})
		return !named || in.Filter != nil && !matches(wire.Val(in.Filter.TagStatus), result.ImageTags)
	})
	out := &ecrapi.GetLifecyclePolicyPreviewResponse{
		RegistryId: &p.account, RepositoryName: &p.name, LifecyclePolicyText: &preview.Text,
		Status:  wire.Ptr(ecrapi.LifecyclePolicyPreviewStatusCOMPLETE),
		Summary: &ecrapi.LifecyclePolicyPreviewSummary{ExpiringImageTotalCount: wire.Ptr(int64(len(preview.Results)))},
	}
	out.PreviewResults, out.NextToken, err = page(found, in.NextToken, in.MaxResults)
	return out, err
}
