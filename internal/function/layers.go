package function

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// layersDir is a host folder that holds what a function finds in /opt, "" if it
// has no layers. Several are merged by links in a folder of the engine's, once,
// for where the kernel can't merge them: rungs without mounts, and spares, which
// are shown /opt when they run already. (A fresh sandbox has an overlay.)
func (e *Engine) layersDir(layers []string) (string, error) {
	switch len(layers) {
	case 0:
		return "", nil
	case 1:
		return layers[0], nil
	}
	parent := filepath.Join(e.cfg.Dir, "layers")
	dir := filepath.Join(parent, fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(layers, "\x00")))))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("merge layers: %w", err)
	}
	scratch, err := os.MkdirTemp(parent, "new-")
	if err != nil {
		return "", fmt.Errorf("merge layers: %w", err)
	}
	defer os.RemoveAll(scratch)
	err = os.Chmod(scratch, 0o755)
	for i := len(layers) - 1; i >= 0 && err == nil; i-- { // the last one wins
		err = mergeInto(scratch, layers[i])
	}
	if err != nil {
		return "", fmt.Errorf("merge layers: %w", err)
	}
	// Somebody else may have been faster, which leaves the same.
	if err := os.Rename(scratch, dir); err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, syscall.ENOTEMPTY) {
		return "", fmt.Errorf("merge layers: %w", err)
	}
	return dir, nil
}

// mergeInto adds what dir lacks of layer.
func mergeInto(dir, layer string) error {
	return filepath.WalkDir(layer, func(from string, entry fs.DirEntry, err error) error {
		if err != nil || from == layer {
			return err
		}
		name, err := filepath.Rel(layer, from)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, name)
		there, err := os.Lstat(to)
		switch {
		case err == nil && there.IsDir(), err == nil && !entry.IsDir():
			return nil
		case err == nil:
			return fs.SkipDir // a file hides a folder
		case !errors.Is(err, fs.ErrNotExist):
			return err
		case entry.IsDir():
			return os.Mkdir(to, 0o755)
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(from)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		}
		if err := os.Link(from, to); err != nil {
			return copyFile(from, to) // another file system, or one without links
		}
		return nil
	})
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
