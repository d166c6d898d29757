package ecr

import (
	"cmp"
	"context"
	"slices"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// pick finds an image of a batch, or why it isn't there.
func pick(r store.ReadTx, p place, id ecrapi.ImageIdentifier) (*imageRecord, *ecrapi.ImageFailure, error) {
	fail := func(code, reason string) *ecrapi.ImageFailure {
		return &ecrapi.ImageFailure{ImageId: &id, FailureCode: &code, FailureReason: &reason}
	}
	digest, tag := wire.Val(id.ImageDigest), wire.Val(id.ImageTag)
	switch {
	case digest == "" && tag == "":
		return nil, fail(ecrapi.ImageFailureCodeMissingDigestAndTag, "Invalid request parameters: both tag and digest cannot be null"), nil
	case digest != "" && !isDigest(digest):
		return nil, fail(ecrapi.ImageFailureCodeInvalidImageDigest, "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"), nil
	}
	rec, err := lookup(r, p, cmp.Or(tag, digest))
	switch {
	case err != nil:
		return nil, nil, err
	case rec == nil:
		return nil, fail(ecrapi.ImageFailureCodeImageNotFound, "Requested image not found"), nil
	case digest != "" && digest != rec.Digest:
		return nil, fail(ecrapi.ImageFailureCodeImageTagDoesNotMatchDigest, "Image tag does not match the image digest"), nil
	}
	return rec, nil, nil
}

// BatchGetImage returns manifests.
func (s *Service) BatchGetImage(ctx context.Context, in *ecrapi.BatchGetImageRequest) (*ecrapi.BatchGetImageResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	out := &ecrapi.BatchGetImageResponse{}
	return out, s.Store.View(ctx, func(r store.ReadTx) error {
		out.Images, out.Failures = []ecrapi.Image{}, []ecrapi.ImageFailure{}
		if _, err := open(ctx, r, p); err != nil {
			return err
		}
		for _, id := range in.ImageIds {
			rec, failure, err := pick(r, p, id)
			if err != nil {
				return err
			}
			if failure == nil && len(in.AcceptedMediaTypes) > 0 && !slices.Contains(in.AcceptedMediaTypes, rec.MediaType) {
				failure = &ecrapi.ImageFailure{ImageId: &id, FailureCode: wire.Ptr(ecrapi.ImageFailureCodeImageNotFound), FailureReason: wire.Ptr("Requested image not found")}
			}
			if failure != nil {
				out.Failures = append(out.Failures, *failure)
				continue
			}
			out.Images = append(out.Images, ecrapi.Image{
				RegistryId: &p.account, RepositoryName: &p.name, ImageManifest: wire.Ptr(string(rec.Manifest)), ImageManifestMediaType: &rec.MediaType,
				ImageId: &ecrapi.ImageIdentifier{ImageDigest: &rec.Digest, ImageTag: id.ImageTag},
			})
		}
		return nil
	})
}

// BatchDeleteImage deletes tags, and images: those that are named by their
// digest, and those whose last tag goes.
func (s *Service) BatchDeleteImage(ctx context.Context, in *ecrapi.BatchDeleteImageRequest) (*ecrapi.BatchDeleteImageResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	out := &ecrapi.BatchDeleteImageResponse{}
	return out, s.Store.Update(ctx, func(tx store.Tx) error {
		out.ImageIds, out.Failures = []ecrapi.ImageIdentifier{}, []ecrapi.ImageFailure{}
		if _, err := open(ctx, tx, p); err != nil {
			return err
		}
		byDigest, err := tagsOf(tx, p)
		if err != nil {
			return err
		}
		var freed []string
		for _, id := range in.ImageIds {
			rec, failure, err := pick(tx, p, id)
			if err == nil && failure == nil && id.ImageTag == nil {
				failure, err = indexed(tx, p, rec.Digest, id)
			}
			if err != nil {
				return err
			}
			if failure != nil {
				out.Failures = append(out.Failures, *failure)
				continue
			}
			gone, left, err := remove(tx, p, rec, wire.Val(id.ImageTag), byDigest)
			if err != nil {
				return err
			}
			out.ImageIds, freed = append(out.ImageIds, gone...), append(freed, left...)
		}
		return release(tx, p, freed)
	})
}

// indexed refuses to delete an image that an index of the repository names.
func indexed(r store.ReadTx, p place, digest string, id ecrapi.ImageIdentifier) (*ecrapi.ImageFailure, error) {
	for rec, err := range images.All(r, p.key()...) {
		if err != nil {
			return nil, err
		}
		_, m, err := readManifest(rec.Manifest, rec.MediaType)
		if err == nil && slices.ContainsFunc(m.Manifests, func(d descriptor) bool { return d.Digest == digest }) {
			return &ecrapi.ImageFailure{
				ImageId: &id, FailureCode: wire.Ptr(ecrapi.ImageFailureCodeImageReferencedByManifestList),
				FailureReason: wire.Ptr("Requested image referenced by manifest list: [" + rec.Digest + "]"),
			}, nil
		}
	}
	return nil, nil
}

// remove deletes a tag of an image, or all; without any the image goes, and
// freed are the layers that it had. byDigest are the repository's tags, and
// stay so.
func remove(tx store.Tx, p place, rec *imageRecord, tag string, byDigest map[string][]string) (gone []ecrapi.ImageIdentifier, freed []string, err error) {
	drop, left := byDigest[rec.Digest], []string(nil)
	if tag != "" {
		left = slices.DeleteFunc(slices.Clone(drop), func(t string) bool { return t == tag })
		drop = []string{tag}
	}
	for _, t := range drop {
		if err := tags.Delete(tx, p.key(t)...); err != nil {
			return nil, nil, err
		}
		gone = append(gone, ecrapi.ImageIdentifier{ImageDigest: &rec.Digest, ImageTag: &t})
	}
	if len(drop) == 0 {
		gone = append(gone, ecrapi.ImageIdentifier{ImageDigest: &rec.Digest})
	}
	byDigest[rec.Digest] = left
	if len(left) > 0 {
		return gone, nil, nil
	}
	return gone, rec.Blobs, images.Delete(tx, p.key(rec.Digest)...)
}

// release deletes those layers that no image of the repository has any more.
func release(tx store.Tx, p place, freed []string) error {
	if len(freed) == 0 {
		return nil
	}
	used := map[string]bool{}
	for other, err := range images.All(tx, p.key()...) {
		if err != nil {
			return err
		}
		for _, digest := range other.Blobs {
			used[digest] = true
		}
	}
	for _, digest := range freed {
		if !used[digest] {
			if err := layers.Delete(tx, p.key(digest)...); err != nil {
				return err
			}
		}
	}
	return nil
}
