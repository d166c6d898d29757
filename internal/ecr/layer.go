package ecr

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	// partSize is what AWS asks for (API Reference: InitiateLayerUpload).
	partSize = 10 << 20
	// minPart is the least size of a part that isn't the last (API Reference:
	// LayerPartTooSmallException).
	minPart = 5 << 20
	// downloadLife is how long a layer's address is good for, as on AWS.
	downloadLife = time.Hour
)

// BatchCheckLayerAvailability says which layers the repository has.
func (s *Service) BatchCheckLayerAvailability(ctx context.Context, in *ecrapi.BatchCheckLayerAvailabilityRequest) (*ecrapi.BatchCheckLayerAvailabilityResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	out := &ecrapi.BatchCheckLayerAvailabilityResponse{}
	return out, s.Store.View(ctx, func(r store.ReadTx) error {
		out.Layers, out.Failures = []ecrapi.Layer{}, []ecrapi.LayerFailure{}
		if _, err := open(ctx, r, p); err != nil {
			return err
		}
		for _, digest := range in.LayerDigests {
			if !isDigest(digest) {
				out.Failures = append(out.Failures, ecrapi.LayerFailure{
					LayerDigest: &digest, FailureCode: wire.Ptr(ecrapi.LayerFailureCodeInvalidLayerDigest),
					FailureReason: wire.Ptr("Invalid request parameters: layer digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"),
				})
				continue
			}
			l, err := layers.Get(r, p.key(digest)...)
			if err != nil {
				return err
			}
			shown := ecrapi.Layer{LayerDigest: &digest, LayerAvailability: wire.Ptr(ecrapi.LayerAvailabilityUNAVAILABLE)}
			if l != nil {
				shown.LayerAvailability, shown.LayerSize = wire.Ptr(ecrapi.LayerAvailabilityAVAILABLE), &l.Size
				if l.MediaType != "" {
					shown.MediaType = &l.MediaType
				}
			}
			out.Layers = append(out.Layers, shown)
		}
		return nil
	})
}

// InitiateLayerUpload begins an upload.
func (s *Service) InitiateLayerUpload(ctx context.Context, in *ecrapi.InitiateLayerUploadRequest) (*ecrapi.InitiateLayerUploadResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	if err := s.exists(ctx, p); err != nil {
		return nil, err
	}
	id, err := s.begin(p)
	return &ecrapi.InitiateLayerUploadResponse{UploadId: &id, PartSize: wire.Ptr(int64(partSize))}, err
}

// exists makes sure that a repository is there, and open to the caller.
func (s *Service) exists(ctx context.Context, p place) error {
	return s.Store.View(ctx, func(r store.ReadTx) error {
		_, err := open(ctx, r, p)
		return err
	})
}

func noUpload(p place, id string) error {
	return &ecrapi.UploadNotFoundException{Message: wire.Ptr(fmt.Sprintf(
		"The upload with id '%s' does not exist in the repository with name '%s' in registry with id '%s'", id, p.name, p.account))}
}

// UploadLayerPart appends to an upload. Parts come in order.
func (s *Service) UploadLayerPart(ctx context.Context, in *ecrapi.UploadLayerPartRequest) (*ecrapi.UploadLayerPartResponse, error) {
	p, id := placeOf(ctx, in.RegistryId, in.RepositoryName), *in.UploadId
	if err := s.exists(ctx, p); err != nil {
		return nil, err
	}
	u := s.find(p, id)
	if u == nil {
		return nil, noUpload(p, id)
	}
	size, ok, err := u.addPart(*in.PartFirstByte, *in.PartLastByte, in.LayerPartBlob)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &ecrapi.InvalidLayerPartException{
			RegistryId: &p.account, RepositoryName: &p.name, UploadId: &id, LastValidByteReceived: wire.Ptr(max(size-1, 0)),
			Message: wire.Ptr(fmt.Sprintf("The layer part from byte %d to %d, of %d bytes, does not follow the %d bytes received", *in.PartFirstByte, *in.PartLastByte, len(in.LayerPartBlob), size)),
		}
	}
	return &ecrapi.UploadLayerPartResponse{RegistryId: &p.account, RepositoryName: &p.name, UploadId: &id, LastByteReceived: wire.Ptr(size - 1)}, nil
}

// addPart appends a part that says where it is; false if that isn't where the
// upload stands. size is what is there now.
func (u *upload) addPart(first, last int64, part []byte) (size int64, ok bool, err error) {
	u.mu.Lock()
	at := u.size
	fits := first == at && last-first+1 == int64(len(part))
	if fits {
		u.short = u.short || u.ended
		u.ended = len(part) < minPart
	}
	u.mu.Unlock()
	if !fits {
		return at, false, nil
	}
	size, err = u.add(bytes.NewReader(part))
	return size, true, err
}

// CompleteLayerUpload makes an upload a layer of the repository.
func (s *Service) CompleteLayerUpload(ctx context.Context, in *ecrapi.CompleteLayerUploadRequest) (*ecrapi.CompleteLayerUploadResponse, error) {
	p, id := placeOf(ctx, in.RegistryId, in.RepositoryName), *in.UploadId
	if err := s.exists(ctx, p); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(in.LayerDigests, isDigest)
	if i < 0 {
		return nil, invalid("Invalid parameter at 'layerDigests' failed to satisfy constraint: 'must contain a sha256 digest'")
	}
	digest := in.LayerDigests[i]
	u := s.take(p, id)
	if u == nil {
		return nil, noUpload(p, id)
	}
	if err := s.unfit(ctx, p, u, digest); err != nil {
		u.discard()
		return nil, err
	}
	l := &layerRecord{Digest: digest, Size: u.size}
	err := s.blobs.keep(u, digest)
	if errors.Is(err, errDigest) {
		return nil, &ecrapi.InvalidLayerException{Message: wire.Ptr(fmt.Sprintf("The layer of the upload with id '%s' does not have the digest '%s'", id, digest))}
	}
	if err == nil {
		err = s.Store.Update(ctx, func(tx store.Tx) error {
			if _, err := get(tx, p); err != nil {
				return err
			}
			return layers.Put(tx, l, p.key(digest)...)
		})
	}
	if err != nil {
		return nil, err
	}
	return &ecrapi.CompleteLayerUploadResponse{RegistryId: &p.account, RepositoryName: &p.name, UploadId: &id, LayerDigest: &digest}, nil
}

// unfit is why an upload can't become a layer, nil if it can.
func (s *Service) unfit(ctx context.Context, p place, u *upload, digest string) error {
	u.mu.Lock()
	size, short := u.size, u.short
	u.mu.Unlock()
	switch {
	case size == 0:
		return &ecrapi.EmptyUploadException{Message: wire.Ptr("The layer upload does not contain any layer parts")}
	case short:
		return &ecrapi.LayerPartTooSmallException{Message: wire.Ptr("Layer parts must be at least 5 MiB in size.")}
	}
	return s.Store.View(ctx, func(r store.ReadTx) error {
		have, err := layers.Get(r, p.key(digest)...)
		if err == nil && have != nil {
			err = &ecrapi.LayerAlreadyExistsException{Message: wire.Ptr(fmt.Sprintf(
				"Layer with digest '%s' already exists in the repository with name '%s' in registry with id '%s'", digest, p.name, p.account))}
		}
		return err
	})
}

// GetDownloadUrlForLayer returns an address from which anybody who has it can
// fetch the layer for a while.
func (s *Service) GetDownloadUrlForLayer(ctx context.Context, in *ecrapi.GetDownloadUrlForLayerRequest) (*ecrapi.GetDownloadUrlForLayerResponse, error) {
	p, digest := placeOf(ctx, in.RegistryId, in.RepositoryName), *in.LayerDigest
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		if _, err := open(ctx, r, p); err != nil {
			return err
		}
		l, err := layers.Get(r, p.key(digest)...)
		if err == nil && l == nil {
			err = &ecrapi.LayersNotFoundException{Message: wire.Ptr(fmt.Sprintf(
				"The layer with digest '%s' does not exist in the repository with name '%s' in the registry with id '%s'", digest, p.name, p.account))}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	path := registryRoot + p.account + "/" + p.region + "/" + p.name + "/blobs/" + digest
	expires := strconv.FormatInt(s.Clock.Now().Add(downloadLife).Unix(), 10)
	query := url.Values{"Expires": {expires}, "Signature": {s.pass(path, expires)}}
	return &ecrapi.GetDownloadUrlForLayerResponse{DownloadUrl: wire.Ptr("http://" + s.Host + path + "?" + query.Encode()), LayerDigest: &digest}, nil
}

// pass is the signature of a layer's address. No token can look like it: they
// have no spaces.
func (s *Service) pass(path, expires string) string {
	return base64.RawURLEncoding.EncodeToString(s.sign("layer " + path + " " + expires))
}

// hasPass tells whether a request comes with the address that
// GetDownloadUrlForLayer gave.
func (s *Service) hasPass(r *http.Request) bool {
	expires, signature := r.URL.Query().Get("Expires"), r.URL.Query().Get("Signature")
	until, err := strconv.ParseInt(expires, 10, 64)
	return err == nil && s.Clock.Now().Unix() < until && (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		hmac.Equal([]byte(signature), []byte(s.pass(r.URL.Path, expires)))
}
