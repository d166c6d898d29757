package image

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Registry is a registry that is spoken to over HTTP, with the credentials that
// Docker's configuration has for it.
type Registry struct {
	// URL is where the registry is; nil: where the address says.
	URL *url.URL
}

var _ Source = Registry{}

// String names the registry in logs.
func (r Registry) String() string {
	if r.URL == nil {
		return "the address's own registry"
	}
	return r.URL.String()
}

// Find implements Source.
func (r Registry) Find(ctx context.Context, at *Address) (v1.Image, error) {
	ref, err := r.reference(at)
	if err != nil {
		return nil, err
	}
	found, err := remote.Get(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithRetryStatusCodes())
	if failed, ok := errors.AsType[*transport.Error](err); ok {
		switch failed.StatusCode {
		case http.StatusNotFound:
			return nil, ErrNotFound
		case http.StatusUnauthorized, http.StatusForbidden:
			return nil, ErrDenied
		}
	}
	if err != nil {
		return nil, err
	}
	if !found.MediaType.IsImage() {
		return nil, ErrUnsupported
	}
	return found.Image()
}

// reference is the address in this registry.
func (r Registry) reference(at *Address) (name.Reference, error) {
	host, options := at.Reference.Context().RegistryStr(), []name.Option{name.StrictValidation}
	if r.URL != nil {
		host = r.URL.Host
	}
	if r.URL == nil || r.URL.Scheme == "http" {
		options = append(options, name.Insecure) // plain HTTP: a registry on this machine, or one that was named so
	}
	separator := ":"
	if _, isDigest := at.Reference.(name.Digest); isDigest {
		separator = "@"
	}
	return name.ParseReference(host+"/"+at.Repository+separator+at.Reference.Identifier(), options...)
}
