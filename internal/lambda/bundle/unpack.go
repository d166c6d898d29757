package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const (
	creatorUnix  = 3 // upper byte of a zip entry's "version made by"
	creatorMacOS = 19

	// What files get whose archive was made where there are no modes.
	defaultFileMode = 0o644
	defaultDirMode  = 0o755
)

// unpack writes the archive's entries into dir with their modes. Nothing is
// written outside of dir, whatever the entries are called and wherever the
// links among them point: os.Root sees to it.
func unpack(archive []byte, dir string) error {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return ErrNotZip
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack code: %w", err)
	}
	defer root.Close()
	u := unpacker{root: root, left: MaxUnzipped, dirs: map[string]fs.FileMode{}}
	for _, f := range r.File {
		if err := u.entry(f); err != nil {
			return err
		}
	}
	if u.files == 0 {
		return ErrEmpty
	}
	// Modes of folders come last: a read-only one could not be filled.
	for name, mode := range u.dirs {
		if err := root.Chmod(name, mode); err != nil {
			return fmt.Errorf("unpack code: %w", err)
		}
	}
	return nil
}

type unpacker struct {
	root  *os.Root
	left  int64 // bytes that may still be written
	files int
	dirs  map[string]fs.FileMode
}

func (u *unpacker) entry(f *zip.File) error {
	name := path.Clean(strings.TrimPrefix(f.Name, "./"))
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return ErrNotZip
	}
	isDir := strings.HasSuffix(f.Name, "/") || f.Mode().IsDir()
	parent := name
	if !isDir {
		parent = path.Dir(name)
	}
	if err := u.root.MkdirAll(parent, defaultDirMode); err != nil {
		return u.conflict(err)
	}
	if isDir {
		// Butai itself must be able to delete it again.
		u.dirs[name] = mode(f, defaultDirMode) | 0o700
		return nil
	}
	u.files++
	// The last of several entries of one name wins, as with unzip -o.
	if err := u.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return u.conflict(err)
	}
	if f.Mode()&fs.ModeSymlink != 0 {
		return u.link(f, name)
	}
	return u.file(f, name)
}

// conflict is the error for entries that can't exist side by side or lead
// out of the folder; other failures are the machine's.
func (u *unpacker) conflict(err error) error {
	var where *fs.PathError
	if errors.As(err, &where) && !errors.Is(err, fs.ErrPermission) {
		return errors.Join(ErrNotZip, err)
	}
	return fmt.Errorf("unpack code: %w", err)
}

func (u *unpacker) file(f *zip.File, name string) error {
	in, err := f.Open()
	if err != nil {
		return ErrNotZip
	}
	defer in.Close()
	out, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return u.conflict(err)
	}
	n, err := io.Copy(out, &zipReader{r: io.LimitReader(in, u.left+1)})
	u.left -= n
	err = errors.Join(err, out.Chmod(mode(f, defaultFileMode)), out.Close())
	switch {
	case u.left < 0:
		return ErrTooLarge
	case err != nil && !errors.Is(err, ErrNotZip):
		return fmt.Errorf("unpack code: %w", err)
	}
	return err
}

// zipReader marks the errors of reading as the archive's fault, apart from
// those of writing.
type zipReader struct{ r io.Reader }

func (z *zipReader) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	if err != nil && err != io.EOF {
		err = errors.Join(ErrNotZip, err)
	}
	return n, err
}

// maxTarget bounds a symbolic link's target.
const maxTarget = 4096

func (u *unpacker) link(f *zip.File, name string) error {
	in, err := f.Open()
	if err != nil {
		return ErrNotZip
	}
	defer in.Close()
	target, err := io.ReadAll(io.LimitReader(in, maxTarget+1))
	if err != nil || len(target) == 0 || len(target) > maxTarget {
		return ErrNotZip
	}
	// A link may point anywhere, such as into /opt: it is followed inside the
	// sandbox only.
	if err := u.root.Symlink(string(target), name); err != nil {
		return u.conflict(err)
	}
	return nil
}

// mode returns the permissions that an entry asks for. Lambda doesn't repair
// them: a handler without read permission can't be imported, a bootstrap
// without execute permission can't be run.
func mode(f *zip.File, otherwise fs.FileMode) fs.FileMode {
	switch f.CreatorVersion >> 8 {
	case creatorUnix, creatorMacOS:
		return f.Mode().Perm()
	}
	return otherwise
}
