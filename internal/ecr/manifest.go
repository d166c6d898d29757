package ecr

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// manifest is what counts of a manifest or an index.
type manifest struct {
	SchemaVersion int
	MediaType     string
	ArtifactType  string
	Config        *descriptor
	Layers        []descriptor
	Manifests     []descriptor
	Subject       *descriptor
}

// blobs are the configuration and the layers of an image.
func (m *manifest) blobs() []descriptor { return append([]descriptor{*m.Config}, m.Layers...) }

type descriptor struct {
	MediaType, Digest string
	Size              int64
}

// readManifest makes a record of a manifest; the error is the reason why it is
// none.
func readManifest(raw []byte, mediaType string) (*imageRecord, *manifest, error) {
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil || m.SchemaVersion != 2 {
		return nil, nil, fmt.Errorf("invalid manifest")
	}
	mediaType = cmp.Or(mediaType, m.MediaType)
	if m.MediaType != "" && m.MediaType != mediaType {
		return nil, nil, fmt.Errorf("the manifest says that it is %s, and the request %s", m.MediaType, mediaType)
	}
	sum := sha256.Sum256(raw)
	rec := &imageRecord{Digest: algorithm + hex.EncodeToString(sum[:]), MediaType: mediaType, Manifest: raw}
	if m.Subject != nil {
		rec.Subject = m.Subject.Digest
	}
	kind := types.MediaType(mediaType)
	switch {
	case kind.IsImage() && m.Config != nil:
		rec.ArtifactType = cmp.Or(m.ArtifactType, m.Config.MediaType)
		for _, d := range m.blobs() {
			rec.Blobs = append(rec.Blobs, d.Digest)
			rec.Size += d.Size
		}
	case kind.IsIndex():
		for _, d := range m.Manifests {
			rec.Size = max(rec.Size, d.Size)
		}
	default:
		return nil, nil, fmt.Errorf("manifests of type %q are not supported", mediaType)
	}
	return rec, &m, nil
}

// putManifest stores a manifest, under a tag if there is one. What it names
// must be in the repository.
func (s *Service) putManifest(tx store.Tx, repository *repositoryRecord, p place, rec *imageRecord, m *manifest, tag string) error {
	for i, digest := range rec.Blobs {
		l, err := layers.Get(tx, p.key(digest)...)
		if err != nil {
			return err
		}
		if l == nil {
			return &ecrapi.LayersNotFoundException{Message: wire.Ptr(fmt.Sprintf(
				"Layers with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist", digest, p.name, p.account))}
		}
		if l.MediaType == "" {
			l.MediaType = m.blobs()[i].MediaType
			if err := layers.Put(tx, l, p.key(digest)...); err != nil {
				return err
			}
		}
	}
	for _, d := range m.Manifests {
		have, err := images.Get(tx, p.key(d.Digest)...)
		if err != nil {
			return err
		}
		if have == nil {
			return &ecrapi.ReferencedImagesNotFoundException{Message: wire.Ptr(fmt.Sprintf(
				"Images with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist", d.Digest, p.name, p.account))}
		}
	}
	kept, err := s.keep(tx, repository, rec, tag)
	if err != nil {
		return err
	}
	return s.replicate(tx, p, kept, tag)
}
