package bundle_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/butai-dev/butai/internal/lambda/bundle"
)

// entry is one entry of a test archive; mode 0 makes one without a mode.
type entry struct {
	name, content string
	mode          fs.FileMode
}

func pack(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			header.SetMode(e.mode)
		}
		f, err := w.CreateHeader(header)
		if err == nil {
			_, err = io.WriteString(f, e.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func open(t testing.TB) (*bundle.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func TestFilesKeepTheirModes(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	code, err := s.Add(pack(t,
		entry{"bootstrap", "#!/bin/sh", 0o755}, entry{"secret.py", "x", 0o600}, entry{"plain.py", "y", 0},
		entry{"lib/", "", fs.ModeDir | 0o555}, entry{"lib/deep/mod.py", "z", 0o444}, entry{"./dot.py", "d", 0o644},
		entry{"link", "lib/deep/mod.py", fs.ModeSymlink | 0o777}, entry{"out", "/opt/lib", fs.ModeSymlink | 0o777},
	))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		"bootstrap": 0o755, "secret.py": 0o600, "plain.py": 0o644, "lib": 0o755, "lib/deep": 0o755, "lib/deep/mod.py": 0o444, "dot.py": 0o644,
	} {
		info, err := os.Stat(filepath.Join(code.Dir, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", name, info.Mode().Perm(), want)
		}
	}
	if text, err := os.ReadFile(filepath.Join(code.Dir, "link")); err != nil || string(text) != "z" {
		t.Errorf("the link leads to %q, %v", text, err)
	}
	if target, err := os.Readlink(filepath.Join(code.Dir, "out")); err != nil || target != "/opt/lib" {
		t.Errorf("the link out is %q, %v", target, err)
	}
}

func TestArchivesCanNotReachOutside(t *testing.T) {
	t.Parallel()
	s, dir := open(t)
	outside := filepath.Join(t.TempDir(), "victim")
	for name, archive := range map[string][]byte{
		"parent":            pack(t, entry{"../../evil", "x", 0o644}),
		"parent inside":     pack(t, entry{"a/../../../evil", "x", 0o644}),
		"absolute":          pack(t, entry{"/etc/evil", "x", 0o644}),
		"through a link":    pack(t, entry{"link", filepath.Dir(outside), fs.ModeSymlink | 0o777}, entry{"link/victim", "x", 0o644}),
		"through a parent":  pack(t, entry{"link", "..", fs.ModeSymlink | 0o777}, entry{"link/evil", "x", 0o644}),
		"file as folder":    pack(t, entry{"a", "x", 0o644}, entry{"a/b", "x", 0o644}),
		"garbage":           []byte("PK\x03\x04 but no more"),
		"nothing":           nil,
		"folder for a file": pack(t, entry{"a/b", "x", 0o644}, entry{"a", "x", 0o644}),
	} {
		if _, err := s.Add(archive); !errors.Is(err, bundle.ErrNotZip) {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Check(archive); !errors.Is(err, bundle.ErrNotZip) {
			t.Errorf("%s, checked: %v", name, err)
		}
	}
	if _, err := os.Stat(outside); err == nil {
		t.Error("an archive wrote outside of the store")
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*", "evil")); len(found) > 0 {
		t.Errorf("an archive wrote %v", found)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*")); len(left) > 0 {
		t.Errorf("refused archives left %v", left)
	}
}

func TestEntriesOfOneNameTheLastWins(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	code, err := s.Add(pack(t, entry{"a", "first", 0o444}, entry{"a", "last", 0o644}))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(code.Dir, "a")); err != nil || string(text) != "last" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestOnlyFoldersIsEmpty(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	if _, err := s.Add(pack(t, entry{"a/", "", fs.ModeDir | 0o755})); !errors.Is(err, bundle.ErrEmpty) {
		t.Errorf("got %v", err)
	}
}

func TestBombsAreRefused(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compresses 250 MB")
	}
	s, _ := open(t)
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	f, err := w.Create("zeros")
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for range bundle.MaxUnzipped>>20 + 1 {
		if _, err := f.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add(buf.Bytes()); !errors.Is(err, bundle.ErrTooLarge) {
		t.Errorf("%d bytes that unpack to %d: %v", buf.Len(), bundle.MaxUnzipped+1<<20, err)
	}
}

func TestSweepAndRepair(t *testing.T) {
	t.Parallel()
	s, dir := open(t)
	kept, err := s.Add(pack(t, entry{"a", "kept", 0o644}))
	if err != nil {
		t.Fatal(err)
	}
	gone, err := s.Add(pack(t, entry{"a", "gone", 0o644}))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(map[string]bool{kept.SHA256: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(gone.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("swept code is still there: %v", err)
	}
	if _, err := s.Archive(gone.SHA256); !errors.Is(err, bundle.ErrMissing) {
		t.Errorf("swept archive: %v", err)
	}
	if err := os.RemoveAll(kept.Dir); err != nil {
		t.Fatal(err)
	}
	if s, err = bundle.Open(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Repair(kept.SHA256); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(kept.Dir, "a")); err != nil || string(text) != "kept" {
		t.Errorf("repaired code reads %q, %v", text, err)
	}
	if err := s.Repair(gone.SHA256); !errors.Is(err, bundle.ErrMissing) {
		t.Errorf("repair of swept code: %v", err)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(pack(f, entry{"a/b", "x", 0o644}, entry{"l", "a", fs.ModeSymlink | 0o777}))
	f.Add([]byte("PK\x05\x06"))
	s, _ := open(f)
	f.Fuzz(func(t *testing.T, archive []byte) {
		err := s.Check(archive)
		if err != nil && !errors.Is(err, bundle.ErrNotZip) && !errors.Is(err, bundle.ErrEmpty) && !errors.Is(err, bundle.ErrTooLarge) {
			t.Errorf("an archive made the machine fail: %v", err)
		}
	})
}
