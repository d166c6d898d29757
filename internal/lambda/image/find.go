package image

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Address is where an image is said to be.
type Address struct {
	URI string
	// Account and Region of a repository of ECR, "" of others.
	Account, Region string
	Repository      string         // its name
	Reference       name.Reference // as the URI has it
}

// Resolved is the address of the image with the given digest.
func (a *Address) Resolved(digest string) string {
	return a.Reference.Context().Name() + "@sha256:" + digest
}

// ecrHost matches the host names of ECR's registries, AWS's and, with localhost
// for a domain, butai's own.
var ecrHost = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|localhost(?::[0-9]+)?)$`)

// ownPath matches the repositories of butai's own registry, below its host.
var ownPath = regexp.MustCompile(`^([0-9]{12})/([a-z0-9-]+)/(.+)$`)

// ParseAddress reads an image's URI, which must name a tag or a digest, as AWS
// asks for. Registries other than ECR's must be on this machine; ownHost is
// that of butai's. The error is ErrAddress.
func ParseAddress(uri, ownHost string) (*Address, error) {
	ref, err := name.ParseReference(uri, name.StrictValidation)
	if err != nil {
		return nil, ErrAddress
	}
	host, path := ref.Context().RegistryStr(), ref.Context().RepositoryStr()
	a := &Address{URI: uri, Reference: ref, Repository: path}
	if m := ecrHost.FindStringSubmatch(host); m != nil {
		a.Account, a.Region = m[1], m[2]
		return a, nil
	}
	if m := ownPath.FindStringSubmatch(path); m != nil && host == ownHost {
		a.Account, a.Region, a.Repository = m[1], m[2], m[3]
		return a, nil
	}
	if !isLoopback(host) {
		return nil, ErrAddress
	}
	return a, nil
}

// isLoopback tells whether a registry's host, with its port, is this machine.
func isLoopback(host string) bool {
	if addr, err := netip.ParseAddrPort(host); err == nil {
		return addr.Addr().IsLoopback()
	}
	host, _, _ = strings.Cut(host, ":")
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1"
}

// Source is a place that has images of ECR's addresses.
type Source interface {
	// Find returns the image, or ErrNotFound, ErrDenied or ErrUnsupported.
	Find(ctx context.Context, at *Address) (v1.Image, error)
}

// Finder finds the images that functions are to be made of.
type Finder struct {
	Host string // host and port of butai's own registry
	// Sources are asked in their order for images of ECR's addresses. A registry
	// on this machine that an address names itself is asked as it is.
	Sources []Source
	Log     *slog.Logger
}

// Parse is ParseAddress.
func (f *Finder) Parse(uri string) (*Address, error) { return ParseAddress(uri, f.Host) }

// Find returns the image at an address. The errors ErrNotFound, ErrDenied and
// ErrUnsupported say what is wrong with it.
func (f *Finder) Find(ctx context.Context, at *Address) (v1.Image, error) {
	if at.Account == "" {
		return f.ask(ctx, Registry{}, at)
	}
	for _, source := range f.Sources {
		img, err := f.ask(ctx, source, at)
		if !errors.Is(err, ErrNotFound) {
			return img, err
		}
	}
	f.Log.Info("no source has a function's image", "image", at.URI, "sources", len(f.Sources),
		"hint", "butai serve --images takes folders and registries that have images of ECR's addresses")
	return nil, ErrNotFound
}

// ask asks one source. One that can't be reached has nothing, as far as
// clients are told; the log has the reason.
func (f *Finder) ask(ctx context.Context, source Source, at *Address) (v1.Image, error) {
	img, err := source.Find(ctx, at)
	switch {
	case err == nil, errors.Is(err, ErrNotFound), errors.Is(err, ErrDenied), errors.Is(err, ErrUnsupported), ctx.Err() != nil:
		return img, err
	}
	f.Log.Warn("a source of images has failed", "image", at.URI, "source", fmt.Sprint(source), "reason", err)
	return nil, ErrNotFound
}
