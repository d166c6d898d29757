package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

const (
	// Prefix and name by which layers hide what is below them (OCI image
	// specification, "Image layer filesystem changeset").
	whiteoutPrefix = ".wh."
	opaqueName     = ".wh..wh..opq"

	maxLinks = 255 // that a path may lead through
	// entryCost is what an entry counts for beside its content: a billion empty
	// files have a price too.
	entryCost = 512
)

// tree is the file system that layers are applied to. Nothing is written
// outside of it, whatever entries are called and wherever the links among them
// point: paths are resolved as a process sees them that has the tree as its
// root, and then os.Root sees to it once more.
type tree struct {
	root *os.Root
	left int64 // bytes that may still come

	// The last folder that was resolved, while no link has changed since.
	name, resolved string
	fresh          bool
}

func (t *tree) forget() { t.fresh = false }

// split takes an entry's name apart; base is "" for the tree's root.
func split(name string) (dir, base string) {
	clean := path.Clean("/" + name)
	dir, base = path.Split(clean)
	return strings.Trim(dir, "/"), base
}

// hide removes what an entry of the next layer hides.
func (t *tree) hide(h *tar.Header, _ io.Reader) error {
	dir, base := split(h.Name)
	hidden, isWhiteout := strings.CutPrefix(base, whiteoutPrefix)
	if !isWhiteout {
		return nil
	}
	if hidden == "" || hidden == "." || hidden == ".." {
		return fmt.Errorf("%w: a whiteout of nothing", ErrBroken)
	}
	at, err := t.resolve(dir, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	t.forget()
	if base == opaqueName {
		return t.clear(at)
	}
	return failure(t.root.RemoveAll(path.Join(at, hidden)))
}

// clear removes what is in a folder.
func (t *tree) clear(dir string) error {
	f, err := t.root.Open(dir)
	if err != nil {
		return failure(err)
	}
	names, err := f.Readdirnames(-1)
	f.Close()
	for _, name := range names {
		if err == nil {
			err = t.root.RemoveAll(path.Join(dir, name))
		}
	}
	return failure(err)
}

// place makes what an entry describes. Device nodes, pipes and sockets are left
// out: sandboxes have device nodes of their own, and may use no others.
func (t *tree) place(h *tar.Header, content io.Reader) error {
	dir, base := split(h.Name)
	if base == "" || strings.HasPrefix(base, whiteoutPrefix) {
		return nil
	}
	if t.left -= h.Size + entryCost; h.Size < 0 || t.left < 0 {
		return ErrTooLarge
	}
	switch h.Typeflag {
	case tar.TypeDir, tar.TypeReg, tar.TypeSymlink, tar.TypeLink:
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo, tar.TypeXGlobalHeader:
		return nil
	default:
		return fmt.Errorf("%w: an entry of type %q", ErrBroken, h.Typeflag)
	}
	parent, err := t.resolve(dir, true)
	if err != nil {
		return err
	}
	name, mode := path.Join(parent, base), fs.FileMode(h.Mode).Perm()
	if h.Typeflag == tar.TypeDir {
		return t.folder(name, mode)
	}
	if err := t.vacate(name); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeSymlink:
		return failure(t.root.Symlink(h.Linkname, name))
	case tar.TypeLink:
		return t.link(h.Linkname, name)
	}
	return t.file(name, mode, content)
}

// vacate removes what is in an entry's place.
func (t *tree) vacate(name string) error {
	info, err := t.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		t.forget() // it may become a link
		return nil
	}
	if err != nil {
		return failure(err)
	}
	t.forget()
	if info.IsDir() {
		return failure(t.root.RemoveAll(name))
	}
	return failure(t.root.Remove(name))
}

// folder makes a folder, or changes the mode of one that is there. This
// process may always write in it, or it couldn't fill and delete it.
func (t *tree) folder(name string, mode fs.FileMode) error {
	info, err := t.root.Lstat(name)
	if err != nil || !info.IsDir() {
		if err := t.vacate(name); err != nil {
			return err
		}
		if err := t.root.Mkdir(name, 0o755); err != nil {
			return failure(err)
		}
	}
	return failure(t.root.Chmod(name, mode|0o700))
}

func (t *tree) file(name string, mode fs.FileMode, content io.Reader) error {
	f, err := t.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return failure(err)
	}
	_, err = io.Copy(f, content)
	// The mode comes after: umask has no say in it. It has no setuid bits, which
	// sandboxes ignore anyway.
	return failure(errors.Join(err, f.Chmod(mode), f.Close()))
}

// link makes a hard link to what an earlier entry, of this layer or one below,
// has made.
func (t *tree) link(target, name string) error {
	dir, base := split(target)
	if base == "" {
		return fmt.Errorf("%w: a hard link to the root", ErrBroken)
	}
	at, err := t.resolve(dir, false)
	if err != nil {
		return failure(err)
	}
	return failure(t.root.Link(path.Join(at, base), name))
}

// resolve follows the links in a folder's path as they lead inside of the tree,
// and returns the path without them. Missing folders are made if asked for.
func (t *tree) resolve(name string, create bool) (string, error) {
	if t.fresh && t.name == name {
		return t.resolved, nil
	}
	at, rest := ".", strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at) // the root's is the root
			continue
		}
		next := path.Join(at, part)
		info, err := t.root.Lstat(next)
		switch {
		case err == nil && info.IsDir():
		case err == nil && info.Mode().Type() == fs.ModeSymlink:
			if links++; links > maxLinks {
				return "", fmt.Errorf("%w: too many links in %q", ErrBroken, name)
			}
			target, err := t.root.Readlink(next)
			if err != nil {
				return "", failure(err)
			}
			if path.IsAbs(target) {
				at = "."
			}
			rest = append(strings.Split(target, "/"), rest...)
			continue
		case err == nil:
			return "", fmt.Errorf("%w: %q leads through a file", ErrBroken, name)
		case !errors.Is(err, fs.ErrNotExist):
			return "", failure(err)
		case !create:
			return "", err
		default:
			if err := t.root.Mkdir(next, 0o755); err != nil {
				return "", failure(err)
			}
		}
		at = next
	}
	t.name, t.resolved, t.fresh = name, at, true
	return at, nil
}

// What sandboxes mount in an image's root: folders, and files in them. They
// must be there, and mustn't be links, which would lead out of the image while
// it is being mounted.
var (
	mountFolders = []string{"dev", "proc", "tmp", "etc"}
	mountFiles   = []string{"etc/resolv.conf", "etc/hosts"}
	// accountsFile may be a link, and is then left as it is.
	accountsFile = "etc/passwd"
)

// finish makes the mount points.
func (t *tree) finish() error {
	for _, name := range mountFolders {
		if err := t.folder(name, 0o755); err != nil {
			return err
		}
	}
	for _, name := range mountFiles {
		if info, err := t.root.Lstat(name); err == nil && info.Mode().IsRegular() {
			continue
		}
		if err := t.vacate(name); err != nil {
			return err
		}
		if err := t.file(name, 0o644, strings.NewReader("")); err != nil {
			return err
		}
	}
	if _, err := t.root.Lstat(accountsFile); errors.Is(err, fs.ErrNotExist) {
		return t.file(accountsFile, 0o644, strings.NewReader(""))
	}
	return nil
}

// failure sorts an error of the file system: some names and links can't be
// made anywhere, which is the image's fault.
func failure(err error) error {
	switch {
	case err == nil || errors.Is(err, ErrBroken):
		return err
	case isHostError(err):
		return fmt.Errorf("unpack image: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrBroken, err)
}

// isHostError tells errors that this machine is to blame for.
func isHostError(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EACCES} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
