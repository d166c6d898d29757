// Package image keeps the container images that functions are made of: each
// once, under its digest, unpacked to the folder that sandboxes have as their
// root file system. What is kept never changes. Only the Lambda room uses it.
package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/singleflight"

	"github.com/butai-dev/butai/internal/lambda/durable"
)

// MaxUnpacked is Lambda's limit for an image with all its layers ("Lambda
// quotas").
const MaxUnpacked = 10 << 30

var (
	// ErrNotFound says that there is no such image.
	ErrNotFound = errors.New("image: no such image")
	// ErrDenied says that a registry doesn't give the image away.
	ErrDenied = errors.New("image: access denied")
	// ErrAddress says that an address can't be one of a function's image.
	ErrAddress = errors.New("image: not an address of a function's image")
	// ErrUnsupported says that it isn't one image of a kind that Lambda runs: an
	// index of several, for instance, or one with layers in another compression.
	ErrUnsupported = errors.New("image: manifest, config or layers of an unsupported type")
	// ErrBroken says that what the image is made of isn't what its manifest says,
	// or can't be unpacked.
	ErrBroken = errors.New("image: the image is damaged")
	// ErrTooLarge says that the unpacked image is over MaxUnpacked.
	ErrTooLarge = errors.New("image: unpacked image too large")
)

// Image is an image that is kept here.
type Image struct {
	Digest string // of the manifest, in hex: Lambda's CodeSha256 of images
	Root   string // the folder with the image's file system
	// Settings of the image's configuration.
	Entrypoint, Command, Env []string
	Dir                      string // working directory, "" if it names none
}

// Store is a folder of images. It is safe for concurrent use.
type Store struct {
	dir    string
	adding singleflight.Group // by digest

	mu    sync.Mutex
	known map[string]*Image // by digest
}

// Open returns the store in dir, which it creates if missing.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open image store: %w", err)
	}
	s := &Store{dir: dir, known: map[string]*Image{}}
	// What an earlier process has left unfinished is of no use.
	if err := os.RemoveAll(s.scratch()); err != nil {
		return nil, fmt.Errorf("open image store: %w", err)
	}
	for _, sub := range []string{s.images(), s.scratch()} {
		if err := os.MkdirAll(sub, 0o755); err != nil {
			return nil, fmt.Errorf("open image store: %w", err)
		}
	}
	return s, nil
}

func (s *Store) images() string  { return filepath.Join(s.dir, "unpacked") }
func (s *Store) scratch() string { return filepath.Join(s.dir, "tmp") }

// Names in an image's folder.
const (
	rootName   = "root"
	configName = "config.json"
)

// isDigest tells whether a CodeSha256 can be that of an image.
func isDigest(digest string) bool {
	sum, err := hex.DecodeString(digest)
	return err == nil && len(sum) == sha256.Size
}

// Check reports what Add would say of the image without unpacking it.
func (s *Store) Check(img v1.Image) (digest string, err error) {
	hash, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("read image: %w", err)
	}
	_, err = inspect(img, hash)
	return hash.Hex, err
}

// Add unpacks an image; it is on disk when Add returns. The errors
// ErrUnsupported, ErrBroken and ErrTooLarge are about the image.
func (s *Store) Add(ctx context.Context, img v1.Image) (*Image, error) {
	hash, err := img.Digest()
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	for {
		found, err, shared := s.adding.Do(hash.Hex, func() (any, error) { return s.add(ctx, img, hash) })
		switch {
		case err == nil:
			return found.(*Image), nil
		case shared && errors.Is(err, context.Canceled) && ctx.Err() == nil:
			continue // it was the other caller who has gone
		}
		return nil, err
	}
}

func (s *Store) add(ctx context.Context, img v1.Image, digest v1.Hash) (*Image, error) {
	if have, err := s.Get(digest.Hex); err == nil {
		return have, nil
	}
	config, err := inspect(img, digest)
	if err != nil {
		return nil, err
	}
	if err := s.place(ctx, img, config, digest.Hex); err != nil {
		return nil, err
	}
	return s.Get(digest.Hex)
}

// inspect reads the image's configuration, and holds it to the manifest and
// the manifest to the digest.
func inspect(img v1.Image, digest v1.Hash) (config *v1.ConfigFile, err error) {
	raw, err := img.RawManifest()
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	manifest, err := img.Manifest()
	if err != nil {
		return nil, ErrBroken
	}
	if !supported(manifest) {
		return nil, ErrUnsupported
	}
	rawConfig, err := img.RawConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	if !sums(raw, digest) || !sums(rawConfig, manifest.Config.Digest) {
		return nil, ErrBroken
	}
	config, err = img.ConfigFile()
	if err != nil || len(config.RootFS.DiffIDs) != len(manifest.Layers) {
		return nil, ErrBroken
	}
	var total int64
	for _, layer := range manifest.Layers {
		if total += layer.Size; layer.Size < 0 || total > MaxUnpacked {
			return nil, ErrTooLarge
		}
	}
	return config, nil
}

func sums(data []byte, want v1.Hash) bool {
	sum := sha256.Sum256(data)
	return want.Algorithm == "sha256" && hex.EncodeToString(sum[:]) == want.Hex
}

// supported tells whether Lambda takes the image: Docker's manifests of schema
// 2 and OCI's, with layers that are compressed with gzip or not at all.
func supported(m *v1.Manifest) bool {
	switch m.Config.MediaType {
	case types.DockerConfigJSON, types.OCIConfigJSON:
	default:
		return false
	}
	for _, layer := range m.Layers {
		switch layer.MediaType {
		case types.DockerLayer, types.DockerUncompressedLayer, types.OCILayer, types.OCIUncompressedLayer:
		default:
			return false
		}
	}
	return true
}

// place unpacks the image and moves it into place last, so where its folder is
// all is there.
func (s *Store) place(ctx context.Context, img v1.Image, config *v1.ConfigFile, digest string) (err error) {
	layers, err := img.Layers()
	if err != nil {
		return fmt.Errorf("read image: %w", err)
	}
	tmp, err := os.MkdirTemp(s.scratch(), "add-")
	if err != nil {
		return fmt.Errorf("keep image: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	folder := filepath.Join(tmp, "image")
	if err := os.MkdirAll(filepath.Join(folder, rootName), 0o755); err != nil {
		return fmt.Errorf("keep image: %w", err)
	}
	if err := unpack(ctx, layers, config.RootFS.DiffIDs, filepath.Join(folder, rootName), filepath.Join(tmp, "layer")); err != nil {
		return err
	}
	text, err := json.Marshal(config.Config)
	if err != nil {
		return ErrBroken
	}
	if err := os.WriteFile(filepath.Join(folder, configName), text, 0o600); err != nil {
		return fmt.Errorf("keep image: %w", err)
	}
	if err := durable.Flush(tmp); err != nil {
		return fmt.Errorf("keep image: %w", err)
	}
	return errors.Join(os.Rename(folder, filepath.Join(s.images(), digest)), durable.Flush(s.dir))
}

// Get returns an image that was added, or ErrNotFound.
func (s *Store) Get(digest string) (*Image, error) {
	if !isDigest(digest) {
		return nil, ErrNotFound
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if img := s.known[digest]; img != nil {
		return img, nil
	}
	folder := filepath.Join(s.images(), digest)
	text, err := os.ReadFile(filepath.Join(folder, configName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	var config v1.Config
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	img := &Image{
		Digest: digest, Root: filepath.Join(folder, rootName),
		Entrypoint: config.Entrypoint, Command: config.Cmd, Env: config.Env, Dir: config.WorkingDir,
	}
	s.known[digest] = img
	return img, nil
}

// Sweep deletes all images whose digest isn't in keep. It must not run beside
// Add, nor while sandboxes run on what it deletes.
func (s *Store) Sweep(keep map[string]bool) error {
	trash, err := os.MkdirTemp(s.scratch(), "sweep-")
	if err == nil {
		err = errors.Join(s.discard(keep, trash), os.RemoveAll(trash))
	}
	if err != nil {
		return fmt.Errorf("clear image store: %w", err)
	}
	return nil
}

// discard moves images that aren't to be kept to trash: deleting them takes
// longer than others should wait.
func (s *Store) discard(keep map[string]bool, trash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries, err := os.ReadDir(s.images())
	if err != nil {
		return err
	}
	for _, e := range entries {
		if keep[e.Name()] {
			continue
		}
		delete(s.known, e.Name())
		if err := os.Rename(filepath.Join(s.images(), e.Name()), filepath.Join(trash, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Digest is that of the image with the given root.
func Digest(root string) string { return filepath.Base(filepath.Dir(root)) }

// contextReader ends reading when its context ends.
type contextReader struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
