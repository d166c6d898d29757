package ecr

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/ident"
)

// blobs is a folder of files under their digests. A file is durable before
// anything refers to it, and never changes.
type blobs struct{ dir string }

const algorithm = "sha256:"

func openBlobs(dir string) (blobs, error) {
	b := blobs{dir}
	// What was being uploaded when the server ended has to be sent again.
	if err := os.RemoveAll(b.uploads()); err != nil {
		return b, fmt.Errorf("open layers: %w", err)
	}
	return b, errors.Join(os.MkdirAll(b.files(), 0o700), os.MkdirAll(b.uploads(), 0o700))
}

func (b blobs) files() string   { return filepath.Join(b.dir, "blobs") }
func (b blobs) uploads() string { return filepath.Join(b.dir, "uploads") }

// isDigest tells whether a text is a digest as blobs have it.
func isDigest(text string) bool {
	sum, ok := strings.CutPrefix(text, algorithm)
	raw, err := hex.DecodeString(sum)
	return ok && err == nil && len(raw) == sha256.Size && strings.ToLower(sum) == sum
}

func (b blobs) path(digest string) string {
	return filepath.Join(b.files(), strings.TrimPrefix(digest, algorithm))
}

// sweep deletes the files that aren't used.
func (b blobs) sweep(used map[string]bool) error {
	entries, err := os.ReadDir(b.files())
	if err != nil {
		return fmt.Errorf("clear layers: %w", err)
	}
	for _, e := range entries {
		if !used[algorithm+e.Name()] {
			if err := os.Remove(filepath.Join(b.files(), e.Name())); err != nil {
				return fmt.Errorf("clear layers: %w", err)
			}
		}
	}
	return nil
}

// upload is a layer on its way here.
type upload struct {
	place place
	mu    sync.Mutex // one request at a time
	file  *os.File
	hash  hash.Hash
	size  int64
	used  time.Time
	// The API's parts, but for the last, have a minimal size: ended says that
	// the last one so far is below it, short that another came after such a one.
	ended, short bool
}

// uploads are those under way, by their ids. They don't survive the server:
// clients begin again.
type uploads struct {
	mu   sync.Mutex
	open map[string]*upload
}

// uploadLife is how long an upload may stand still before another takes its
// place on the disk.
const uploadLife = time.Hour

// begin starts an upload.
func (s *Service) begin(p place) (id string, err error) {
	id = ident.UUID()
	file, err := os.OpenFile(filepath.Join(s.blobs.uploads(), id), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("begin upload: %w", err)
	}
	now := s.Clock.Now()
	s.uploads.mu.Lock()
	var stale []*upload
	for other, u := range s.uploads.open {
		if now.Sub(u.used) > uploadLife {
			stale = append(stale, u)
			delete(s.uploads.open, other)
		}
	}
	s.uploads.open[id] = &upload{place: p, file: file, hash: sha256.New(), used: now}
	s.uploads.mu.Unlock()
	for _, u := range stale {
		u.discard()
	}
	return id, nil
}

// find returns an upload to a repository.
func (s *Service) find(p place, id string) *upload {
	s.uploads.mu.Lock()
	defer s.uploads.mu.Unlock()
	u := s.uploads.open[id]
	if u == nil || u.place != p {
		return nil
	}
	u.used = s.Clock.Now()
	return u
}

// take is find for the last request of an upload.
func (s *Service) take(p place, id string) *upload {
	u := s.find(p, id)
	s.uploads.mu.Lock()
	defer s.uploads.mu.Unlock()
	if u != nil && s.uploads.open[id] != u {
		return nil
	}
	delete(s.uploads.open, id)
	return u
}

// add appends to the upload and returns how much is there now.
func (u *upload) add(from io.Reader) (int64, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	n, err := io.Copy(io.MultiWriter(u.file, u.hash), from)
	u.size += n
	return u.size, err
}

func (u *upload) discard() {
	u.mu.Lock()
	defer u.mu.Unlock()
	_ = errors.Join(u.file.Close(), os.Remove(u.file.Name())) // the next start removes what is left
}

// errDigest says that what was sent isn't what was announced.
var errDigest = errors.New("ecr: another digest")

// keep makes the upload a blob; it is on disk when keep returns. The upload is
// over in any case.
func (b blobs) keep(u *upload, digest string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if algorithm+hex.EncodeToString(u.hash.Sum(nil)) != digest {
		_ = errors.Join(u.file.Close(), os.Remove(u.file.Name())) // the next start removes what is left
		return errDigest
	}
	err := errors.Join(u.file.Sync(), u.file.Close())
	if err == nil {
		err = os.Rename(u.file.Name(), b.path(digest))
	}
	if err == nil {
		err = b.sync()
	}
	if err != nil {
		return fmt.Errorf("keep layer: %w", err)
	}
	return nil
}

// sync makes the names of the files durable.
func (b blobs) sync() error {
	d, err := os.Open(b.files())
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
