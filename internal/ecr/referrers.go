package ecr

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// referrer is an image that is about another one, as the OCI distribution
// specification lists it.
type referrer struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// referrers lists what is about an image, the oldest first.
func referrers(r store.ReadTx, p place, subject string, artifactTypes []string) ([]referrer, error) {
	found := []referrer{}
	list, err := all(r, p)
	for _, rec := range list {
		if rec.Subject != subject || len(artifactTypes) > 0 && !slices.Contains(artifactTypes, rec.ArtifactType) {
			continue
		}
		var m struct{ Annotations map[string]string }
		if err := json.Unmarshal(rec.Manifest, &m); err != nil {
			return nil, err
		}
		found = append(found, referrer{rec.MediaType, rec.Digest, int64(len(rec.Manifest)), rec.ArtifactType, m.Annotations})
	}
	return found, err
}

// ListImageReferrers lists the artifacts that are about an image.
func (s *Service) ListImageReferrers(ctx context.Context, in *ecrapi.ListImageReferrersRequest) (*ecrapi.ListImageReferrersResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	var kinds []string
	active := true
	if in.Filter != nil {
		kinds, active = in.Filter.ArtifactTypes, isActive(in.Filter.ArtifactStatus)
	}
	shown := []ecrapi.ImageReferrer{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		shown = shown[:0]
		if _, err := open(ctx, r, p); err != nil {
			return err
		}
		found, err := referrers(r, p, *in.SubjectId.ImageDigest, kinds)
		for _, f := range found {
			if active {
				shown = append(shown, ecrapi.ImageReferrer{
					Digest: &f.Digest, MediaType: &f.MediaType, ArtifactType: &f.ArtifactType, Size: &f.Size, Annotations: f.Annotations,
					ArtifactStatus: wire.Ptr(ecrapi.ArtifactStatusACTIVE),
				})
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ecrapi.ListImageReferrersResponse{}
	out.Referrers, out.NextToken, err = page(shown, in.NextToken, in.MaxResults)
	return out, err
}

// referrerIndex is the registry's list of referrers.
type referrerIndex struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     types.MediaType `json:"mediaType"`
	Manifests     []referrer      `json:"manifests"`
}

// listReferrers answers GET: an index of what is about an image, which is empty
// for one that isn't there.
func (v *visit) listReferrers(subject string) error {
	if _, err := v.enter("BatchGetImage"); err != nil {
		return err
	}
	if !isDigest(subject) {
		return refuse(http.StatusBadRequest, "DIGEST_INVALID", "Invalid digest: "+subject)
	}
	kinds := v.Request.URL.Query()["artifactType"]
	index := referrerIndex{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	err := v.Store.View(v.Request.Context(), func(r store.ReadTx) (err error) {
		index.Manifests, err = referrers(r, v.place, subject, kinds)
		return err
	})
	if err != nil {
		return err
	}
	if len(kinds) > 0 {
		v.Header().Set("Oci-Filters-Applied", "artifactType")
	}
	v.Header().Set("Content-Type", string(types.OCIImageIndex))
	return json.NewEncoder(v.ResponseWriter).Encode(index)
}
