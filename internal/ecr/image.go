package ecr

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// keep puts an image into a repository that has what it names, unless it is
// there, and under a tag if there is one.
func (s *Service) keep(tx store.Tx, repository *repositoryRecord, rec *imageRecord, tag string) (*imageRecord, error) {
	p := repository.place()
	if tag != "" {
		old, err := tags.Get(tx, p.key(tag)...)
		if err != nil {
			return nil, err
		}
		if old != nil && old.Digest != rec.Digest && repository.fixed(tag) {
			return nil, &ecrapi.ImageTagAlreadyExistsException{Message: wire.Ptr(fmt.Sprintf(
				"The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.", tag, p.name))}
		}
		if err := tags.Put(tx, &tagRecord{Tag: tag, Digest: rec.Digest}, p.key(tag)...); err != nil {
			return nil, err
		}
	}
	s.expireSoon(repository)
	have, err := images.Get(tx, p.key(rec.Digest)...)
	if err != nil || have != nil {
		return have, err
	}
	rec.Pushed = s.Clock.Now().UTC()
	return rec, images.Put(tx, rec, p.key(rec.Digest)...)
}

// lookup finds an image by its tag or digest; nil if there is none.
func lookup(r store.ReadTx, p place, reference string) (*imageRecord, error) {
	if !isDigest(reference) {
		t, err := tags.Get(r, p.key(reference)...)
		if err != nil || t == nil {
			return nil, err
		}
		reference = t.Digest
	}
	return images.Get(r, p.key(reference)...)
}

// tagsOf are a repository's tags by digest.
func tagsOf(r store.ReadTx, p place) (map[string][]string, error) {
	out := map[string][]string{}
	for t, err := range tags.All(r, p.key()...) {
		if err != nil {
			return nil, err
		}
		out[t.Digest] = append(out[t.Digest], t.Tag)
	}
	return out, nil
}

// PutImage stores the manifest of an image whose layers are there.
func (s *Service) PutImage(ctx context.Context, in *ecrapi.PutImageRequest) (*ecrapi.PutImageResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	rec, m, err := readManifest([]byte(*in.ImageManifest), wire.Val(in.ImageManifestMediaType))
	if err != nil {
		return nil, invalid("Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax or manifest: %v'", err)
	}
	if want := wire.Val(in.ImageDigest); want != "" && want != rec.Digest {
		return nil, &ecrapi.ImageDigestDoesNotMatchException{Message: wire.Ptr(fmt.Sprintf("The provided digest '%s' does not match the digest of the manifest '%s'", want, rec.Digest))}
	}
	tag := wire.Val(in.ImageTag)
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		repository, err := open(ctx, tx, p)
		if err != nil {
			return err
		}
		if err := alreadyThere(tx, p, rec.Digest, tag); err != nil {
			return err
		}
		return s.putManifest(tx, repository, p, rec, m, tag)
	})
	if err != nil {
		return nil, err
	}
	id := &ecrapi.ImageIdentifier{ImageDigest: &rec.Digest, ImageTag: in.ImageTag}
	return &ecrapi.PutImageResponse{Image: &ecrapi.Image{
		RegistryId: &p.account, RepositoryName: &p.name, ImageId: id, ImageManifest: in.ImageManifest, ImageManifestMediaType: &rec.MediaType,
	}}, nil
}

// alreadyThere refuses to put an image that is there under the tag, or at all
// if there is none.
func alreadyThere(r store.ReadTx, p place, digest, tag string) error {
	reference := cmp.Or(tag, digest)
	have, err := lookup(r, p, reference)
	if err != nil || have == nil || have.Digest != digest {
		return err
	}
	return &ecrapi.ImageAlreadyExistsException{Message: wire.Ptr(fmt.Sprintf(
		"Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'", digest, cmp.Or(tag, "null"), p.name, p.account))}
}

// all lists a repository's images, the oldest push first.
func all(r store.ReadTx, p place) ([]*imageRecord, error) {
	list, err := images.List(r, p.key()...)
	slices.SortStableFunc(list, func(a, b *imageRecord) int { return a.Pushed.Compare(b.Pushed) })
	return list, err
}

// detail is an image as DescribeImages shows it.
func detail(p place, scanned bool, rec *imageRecord, tagged []string) ecrapi.ImageDetail {
	d := ecrapi.ImageDetail{
		RegistryId: &p.account, RepositoryName: &p.name, ImageDigest: &rec.Digest, ImageTags: tagged, ImageSizeInBytes: &rec.Size,
		ImagePushedAt: &rec.Pushed, ImageManifestMediaType: &rec.MediaType, ImageStatus: wire.Ptr(ecrapi.ImageStatusACTIVE),
	}
	if rec.ArtifactType != "" {
		d.ArtifactMediaType = &rec.ArtifactType
	}
	if !rec.Pulled.IsZero() {
		d.LastRecordedPullTime = &rec.Pulled
	}
	if scanned {
		d.ImageScanStatus = &ecrapi.ImageScanStatus{
			Status: wire.Ptr(ecrapi.ScanStatusUNSUPPORTEDIMAGE), Description: wire.Ptr("UnsupportedImageError: butai has no scanner."),
		}
	}
	return d
}

// DescribeImages lists images, or tells of those that are named.
func (s *Service) DescribeImages(ctx context.Context, in *ecrapi.DescribeImagesRequest) (*ecrapi.DescribeImagesResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	var found []ecrapi.ImageDetail
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		found = []ecrapi.ImageDetail{}
		repository, err := open(ctx, r, p)
		if err != nil {
			return err
		}
		registry, err := settingsOf(r, p)
		if err != nil {
			return err
		}
		scanned, _ := repository.scanned(registry)
		list, byDigest, err := shelf(r, p)
		if err != nil {
			return err
		}
		if len(in.ImageIds) > 0 {
			list, err = named(r, p, in.ImageIds)
		}
		for _, rec := range list {
			var status string
			if in.Filter != nil {
				status = wire.Val(in.Filter.TagStatus)
			}
			if matches(status, byDigest[rec.Digest]) && (in.Filter == nil || isActive(in.Filter.ImageStatus)) {
				found = append(found, detail(p, scanned, rec, byDigest[rec.Digest]))
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ecrapi.DescribeImagesResponse{}
	out.ImageDetails, out.NextToken, err = page(found, in.NextToken, in.MaxResults)
	return out, err
}

// isActive tells whether a filter takes active images, which all are.
func isActive(status *string) bool {
	return status == nil || *status == ecrapi.ImageStatusFilterACTIVE || *status == ecrapi.ImageStatusFilterANY
}

// matches tells whether an image with the given tags passes a filter.
func matches(status string, tagged []string) bool {
	switch status {
	case ecrapi.TagStatusTAGGED:
		return len(tagged) > 0
	case ecrapi.TagStatusUNTAGGED:
		return len(tagged) == 0
	}
	return true
}

// named finds images that must exist.
func named(r store.ReadTx, p place, ids []ecrapi.ImageIdentifier) (list []*imageRecord, err error) {
	for _, id := range ids {
		rec, err := lookup(r, p, cmp.Or(wire.Val(id.ImageTag), wire.Val(id.ImageDigest)))
		if err != nil {
			return nil, err
		}
		if rec == nil || id.ImageDigest != nil && *id.ImageDigest != rec.Digest {
			return nil, &ecrapi.ImageNotFoundException{Message: wire.Ptr(fmt.Sprintf(
				"The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
				cmp.Or(wire.Val(id.ImageDigest), "null"), cmp.Or(wire.Val(id.ImageTag), "null"), p.name, p.account))}
		}
		list = append(list, rec)
	}
	return list, nil
}

// ListImages lists the ids of images: one for each tag, and for each image
// that has none.
func (s *Service) ListImages(ctx context.Context, in *ecrapi.ListImagesRequest) (*ecrapi.ListImagesResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	var ids []ecrapi.ImageIdentifier
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		ids = []ecrapi.ImageIdentifier{}
		if _, err := open(ctx, r, p); err != nil {
			return err
		}
		byDigest, err := tagsOf(r, p)
		if err != nil {
			return err
		}
		list, err := all(r, p)
		for _, rec := range list {
			tagged := byDigest[rec.Digest]
			if in.Filter != nil && (!matches(wire.Val(in.Filter.TagStatus), tagged) || !isActive(in.Filter.ImageStatus)) {
				continue
			}
			for _, tag := range tagged {
				ids = append(ids, ecrapi.ImageIdentifier{ImageDigest: &rec.Digest, ImageTag: &tag})
			}
			if len(tagged) == 0 {
				ids = append(ids, ecrapi.ImageIdentifier{ImageDigest: &rec.Digest})
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ecrapi.ListImagesResponse{}
	out.ImageIds, out.NextToken, err = page(ids, in.NextToken, in.MaxResults)
	return out, err
}
