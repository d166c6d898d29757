package server

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/butai-dev/butai/internal/ecr"
	"github.com/butai-dev/butai/internal/lambda/image"
	"github.com/butai-dev/butai/internal/wire"
)

func (s *Server) startECR(ctx context.Context) (err error) {
	s.services.ecr, err = ecr.New(ctx, ecr.Config{
		Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Authorizer: s.services.iam, Dir: s.dir(ecrDir), Host: s.registryHost(),
	})
	if err == nil {
		s.onClose(func() error { return s.services.ecr.Close(ctx) })
	}
	return err
}

// registryHost is host and port of butai's own registry.
func (s *Server) registryHost() string { return strings.TrimPrefix(s.URL(), "http://") }

// imageFinder asks butai's own ECR first, and then the places that were named.
func (s *Server) imageFinder() *image.Finder {
	own := ownImages{&s.services}
	return &image.Finder{Host: s.registryHost(), Sources: append([]image.Source{own}, s.cfg.Images...), Log: s.cfg.Log}
}

// ownImages lets Lambda take images out of butai's ECR, if the caller may.
type ownImages struct{ services *services }

var _ image.Source = ownImages{}

// String names the source in logs.
func (ownImages) String() string { return "ECR" }

// Find implements image.Source.
func (o ownImages) Find(ctx context.Context, at *image.Address) (v1.Image, error) {
	target, open, err := o.services.ecr.PullTarget(ctx, at.Account, at.Region, at.Repository)
	if err != nil {
		return nil, err
	}
	img, isIndex, err := o.services.ecr.Pull(ctx, at.Account, at.Region, at.Repository, at.Reference.Identifier())
	switch {
	case err != nil:
		return nil, err
	case img == nil && !isIndex:
		return nil, image.ErrNotFound
	case !open || o.services.iam.Authorize(ctx, wire.CallerFrom(ctx), target) != "":
		return nil, image.ErrDenied
	case isIndex:
		return nil, image.ErrUnsupported
	}
	return img, nil
}

// ParseImages reads where container images come from: folders that exist, and
// registries, as http://host:port or https://host.
func ParseImages(places []string) ([]image.Source, error) {
	var sources []image.Source
	for _, place := range places {
		if strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://") {
			u, err := url.Parse(place)
			if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
				return nil, fmt.Errorf("--images: want a registry as http://host:port or https://host, not %q", place)
			}
			sources = append(sources, image.Registry{URL: u})
			continue
		}
		info, err := os.Stat(place)
		if err != nil || !info.IsDir() {
			return nil, fmt.Errorf("--images: want a folder that exists, or a registry as http://host:port, not %q", place)
		}
		dir, err := filepath.Abs(place)
		if err != nil {
			return nil, fmt.Errorf("--images: %w", err)
		}
		sources = append(sources, image.Folder(dir))
	}
	return sources, nil
}
