package ecr

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// tagPattern is what tags look like (OCI distribution specification).
var tagPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

// pulled finds an image, and notes that it is being pulled; nil if there is
// none. The note is for people to see when an image was used last, to the day.
func (s *Service) pulled(ctx context.Context, p place, reference string) (rec *imageRecord, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		rec, err = lookup(r, p, reference)
		return err
	})
	const day = "2006-01-02"
	now := s.Clock.Now().UTC()
	if err != nil || rec == nil || rec.Pulled.Format(day) == now.Format(day) {
		return rec, err
	}
	return rec, s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := images.Get(tx, p.key(rec.Digest)...)
		if err != nil || have == nil {
			return err
		}
		have.Pulled = now
		return images.Put(tx, have, p.key(rec.Digest)...)
	})
}

// PullTarget is what a caller must be allowed to be given images of a
// repository; open tells whether the caller's account or a policy of the
// repository gives them a chance. It is false too if there is no repository.
func (s *Service) PullTarget(ctx context.Context, account, region, name string) (target wire.IAMTarget, open bool, err error) {
	p := place{account, region, name}
	target = wire.IAMTarget{Action: "ecr:BatchGetImage", Resource: p.arn()}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		rec, err := repositories.Get(r, p.key()...)
		if err == nil && rec != nil {
			target.Policy, err = resourcePolicy(r, rec)
			open = target.Policy != "" || account == wire.CallerFrom(ctx).Account
		}
		return err
	})
	return target, open, err
}

// Pull returns an image, by its tag or digest; nil if there is none, and an
// image without configuration if it is an index.
func (s *Service) Pull(ctx context.Context, account, region, name, reference string) (img v1.Image, isIndex bool, err error) {
	rec, err := s.pulled(ctx, place{account, region, name}, reference)
	if err != nil || rec == nil {
		return nil, false, err
	}
	if types.MediaType(rec.MediaType).IsIndex() {
		return nil, true, nil
	}
	img, err = partial.CompressedToImage(&pulledImage{s.blobs, rec})
	return img, false, err
}

// pulledImage is an image as go-containerregistry wants to read it.
type pulledImage struct {
	blobs blobs
	rec   *imageRecord
}

var _ partial.CompressedImageCore = (*pulledImage)(nil)

// RawManifest implements partial.CompressedImageCore.
func (i *pulledImage) RawManifest() ([]byte, error) { return i.rec.Manifest, nil }

// MediaType implements partial.CompressedImageCore.
func (i *pulledImage) MediaType() (types.MediaType, error) {
	return types.MediaType(i.rec.MediaType), nil
}

// RawConfigFile implements partial.CompressedImageCore.
func (i *pulledImage) RawConfigFile() ([]byte, error) {
	return os.ReadFile(i.blobs.path(i.rec.Blobs[0]))
}

// LayerByDigest implements partial.CompressedImageCore.
func (i *pulledImage) LayerByDigest(digest v1.Hash) (partial.CompressedLayer, error) {
	m, err := partial.Manifest(i)
	if err != nil {
		return nil, err
	}
	for _, d := range m.Layers {
		if d.Digest == digest {
			return &pulledLayer{i.blobs, d}, nil
		}
	}
	return nil, fmt.Errorf("ecr: no layer %s", digest)
}

type pulledLayer struct {
	blobs blobs
	v1.Descriptor
}

// Digest implements partial.CompressedLayer.
func (l *pulledLayer) Digest() (v1.Hash, error) { return l.Descriptor.Digest, nil }

// Size implements partial.CompressedLayer.
func (l *pulledLayer) Size() (int64, error) { return l.Descriptor.Size, nil }

// MediaType implements partial.CompressedLayer.
func (l *pulledLayer) MediaType() (types.MediaType, error) { return l.Descriptor.MediaType, nil }

// Compressed implements partial.CompressedLayer.
func (l *pulledLayer) Compressed() (io.ReadCloser, error) {
	return os.Open(l.blobs.path(l.Descriptor.Digest.String()))
}
