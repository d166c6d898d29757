package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// refName is the annotation that carries an image's tag in an OCI layout.
const refName = "org.opencontainers.image.ref.name"

// Folder is a folder of images on disk. The repository team/app is in it either
// as the folder team/app, an OCI image layout, or as the file team/app.tar, as
// docker save writes it.
type Folder string

var _ Source = Folder("")

// String names the folder in logs.
func (f Folder) String() string { return "folder " + string(f) }

// Find implements Source.
func (f Folder) Find(_ context.Context, at *Address) (v1.Image, error) {
	repository := filepath.FromSlash(at.Repository)
	if !filepath.IsLocal(repository) {
		return nil, ErrNotFound
	}
	path := filepath.Join(string(f), repository)
	if index, err := layout.ImageIndexFromPath(path); err == nil {
		return inLayout(index, at.Reference)
	}
	img, err := inTarball(path+".tar", at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	return img, err
}

// inLayout finds an image in a layout by its digest or tag. An image without a
// tag, which tools write that put one image into a layout, answers to any if
// it is the only one.
func inLayout(index v1.ImageIndex, ref name.Reference) (v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("read image layout: %w", err)
	}
	for _, d := range manifest.Manifests {
		tag, tagged := d.Annotations[refName]
		_, short, _ := strings.Cut(tag[strings.LastIndexByte(tag, '/')+1:], ":")
		switch ref.Identifier() {
		case d.Digest.String(), tag, short:
		default:
			if _, byDigest := ref.(name.Digest); byDigest || tagged || len(manifest.Manifests) > 1 {
				continue
			}
		}
		if !d.MediaType.IsImage() {
			return nil, ErrUnsupported
		}
		return index.Image(d.Digest)
	}
	return nil, ErrNotFound
}

// inTarball finds an image in what docker save has written: by its tag, under
// whatever registry, or the only one if that has none.
func inTarball(path string, at *Address) (v1.Image, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(path) })
	if err != nil {
		return nil, fmt.Errorf("read saved images: %w", err)
	}
	if len(manifest) == 1 && len(manifest[0].RepoTags) == 0 {
		return matching(path, nil, at)
	}
	for _, d := range manifest {
		for _, text := range d.RepoTags {
			tag, err := name.NewTag(text)
			if err != nil {
				continue
			}
			repository := tag.RepositoryStr()
			if repository != at.Repository && strings.TrimPrefix(repository, "library/") != at.Repository {
				continue
			}
			if _, byTag := at.Reference.(name.Tag); byTag && tag.TagStr() != at.Reference.Identifier() {
				continue
			}
			if img, err := matching(path, &tag, at); !errors.Is(err, ErrNotFound) {
				return img, err
			}
		}
	}
	return nil, ErrNotFound
}

// matching opens an image of a tarball, which must have the digest if the
// address names one.
func matching(path string, tag *name.Tag, at *Address) (v1.Image, error) {
	img, err := tarball.ImageFromPath(path, tag)
	if err != nil {
		return nil, fmt.Errorf("read saved images: %w", err)
	}
	if _, byDigest := at.Reference.(name.Digest); byDigest {
		if digest, err := img.Digest(); err != nil || digest.String() != at.Reference.Identifier() {
			return nil, ErrNotFound
		}
	}
	return img, nil
}
