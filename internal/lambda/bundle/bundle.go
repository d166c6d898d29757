// Package bundle keeps functions' code: each uploaded zip archive once, byte
// for byte, under its hash, and beside it the unpacked folder that sandboxes
// show as /var/task. What is kept never changes. Only the Lambda room uses it.
package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/butai-dev/butai/internal/lambda/durable"
)

// MaxUnzipped is Lambda's limit for unpacked code ("Lambda quotas").
const MaxUnzipped = 262144000

var (
	// ErrNotZip says that the archive can't be unpacked.
	ErrNotZip = errors.New("bundle: not a usable zip archive")
	// ErrEmpty says that the archive has no files.
	ErrEmpty = errors.New("bundle: the archive is empty")
	// ErrTooLarge says that the unpacked code is over MaxUnzipped.
	ErrTooLarge = errors.New("bundle: unpacked code too large")
	// ErrMissing says that there is no such code.
	ErrMissing = errors.New("bundle: no such code")
)

// Code is what is known about one archive.
type Code struct {
	SHA256 string // base64, as Lambda prints CodeSha256
	Size   int64  // of the archive in bytes
	Dir    string // the unpacked folder
}

// Store is a folder of archives. It is safe for concurrent use.
type Store struct {
	dir string
	mu  sync.Mutex // serializes Add
}

// Open returns the store in dir, which it creates if missing.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open code store: %w", err)
	}
	s := &Store{dir: dir}
	for _, sub := range []string{s.archives(), s.folders(), s.scratch()} {
		if err := os.MkdirAll(sub, 0o755); err != nil {
			return nil, fmt.Errorf("open code store: %w", err)
		}
	}
	return s, s.clear(s.scratch(), func(string) bool { return false })
}

func (s *Store) archives() string { return filepath.Join(s.dir, "zip") }
func (s *Store) folders() string  { return filepath.Join(s.dir, "code") }
func (s *Store) scratch() string  { return filepath.Join(s.dir, "tmp") }

// Hash returns an archive's CodeSha256.
func Hash(archive []byte) string {
	sum := sha256.Sum256(archive)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// name is the file name of a CodeSha256.
func name(sha string) (string, error) {
	sum, err := base64.StdEncoding.DecodeString(sha)
	if err != nil || len(sum) != sha256.Size {
		return "", ErrMissing
	}
	return hex.EncodeToString(sum), nil
}

// Check reports what Add would say of the archive, and keeps nothing.
func (s *Store) Check(archive []byte) error {
	dir, err := os.MkdirTemp(s.scratch(), "check-")
	if err != nil {
		return fmt.Errorf("check code: %w", err)
	}
	return errors.Join(unpack(archive, dir), os.RemoveAll(dir))
}

// Add keeps an archive and unpacks it; both are on disk when it returns. The
// errors ErrNotZip, ErrEmpty and ErrTooLarge are about the archive.
func (s *Store) Add(archive []byte) (*Code, error) {
	code := &Code{SHA256: Hash(archive), Size: int64(len(archive))}
	hexName, err := name(code.SHA256)
	if err != nil {
		return nil, err
	}
	code.Dir = filepath.Join(s.folders(), hexName)
	s.mu.Lock()
	defer s.mu.Unlock()
	// The folder is moved into place last, so where it is all is there.
	if _, err := os.Stat(code.Dir); err == nil {
		return code, nil
	}
	if err := s.place(archive, hexName); err != nil {
		return nil, err
	}
	return code, nil
}

func (s *Store) place(archive []byte, hexName string) (err error) {
	tmp, err := os.MkdirTemp(s.scratch(), "add-")
	if err != nil {
		return fmt.Errorf("keep code: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	folder, file := filepath.Join(tmp, "code"), filepath.Join(tmp, "zip")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return fmt.Errorf("keep code: %w", err)
	}
	if err := unpack(archive, folder); err != nil {
		return err
	}
	if err := os.WriteFile(file, archive, 0o600); err != nil {
		return fmt.Errorf("keep code: %w", err)
	}
	if err := durable.Flush(tmp); err != nil {
		return fmt.Errorf("keep code: %w", err)
	}
	return errors.Join(
		os.Rename(file, filepath.Join(s.archives(), hexName+".zip")),
		os.Rename(folder, filepath.Join(s.folders(), hexName)),
		durable.Flush(s.dir),
	)
}

// Dir returns the unpacked folder of a CodeSha256 that was added.
func (s *Store) Dir(sha string) (string, error) {
	hexName, err := name(sha)
	if err != nil {
		return "", err
	}
	return filepath.Join(s.folders(), hexName), nil
}

// Archive opens the archive of a CodeSha256; ErrMissing if there is none.
func (s *Store) Archive(sha string) (io.ReadCloser, error) {
	hexName, err := name(sha)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(s.archives(), hexName+".zip"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	return f, err
}

// Repair unpacks the archive of a CodeSha256 again if its folder is gone.
func (s *Store) Repair(sha string) error {
	dir, err := s.Dir(sha)
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	f, err := s.Archive(sha)
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	_, err = io.Copy(&archive, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("repair code: %w", err)
	}
	_, err = s.Add(archive.Bytes())
	return err
}

// Sweep deletes all code whose CodeSha256 isn't in keep. It must not run
// beside Add, nor while sandboxes run on what it deletes.
func (s *Store) Sweep(keep map[string]bool) error {
	wanted := map[string]bool{}
	for sha := range keep {
		if hexName, err := name(sha); err == nil {
			wanted[hexName] = true
		}
	}
	return errors.Join(
		s.clear(s.folders(), func(file string) bool { return wanted[file] }),
		s.clear(s.archives(), func(file string) bool { return wanted[strings.TrimSuffix(file, ".zip")] }),
	)
}

// clear deletes what is in dir, except for what keep names.
func (s *Store) clear(dir string, keep func(file string) bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("clear code store: %w", err)
	}
	for _, e := range entries {
		if keep(e.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("clear code store: %w", err)
		}
	}
	return nil
}

// Unpacked sums the sizes of the files that a CodeSha256 unpacks to.
func (s *Store) Unpacked(sha string) (bytes int64, err error) {
	dir, err := s.Dir(sha)
	if err != nil {
		return 0, err
	}
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measure code: %w", err)
	}
	return bytes, nil
}
