package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Backup implements store.Store. It writes an SQLite file, which Restore reads
// and which is also a valid database file under the name butai.db. The copy is
// first made in the data directory, which needs room for it. Updates go on
// meanwhile.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	return s.read(ctx, func(c *conn) error {
		scratch, err := os.MkdirTemp(s.dir, scratchGlob)
		if err != nil {
			return fmt.Errorf("back up: %w", err)
		}
		err = vacuumTo(ctx, c, filepath.Join(scratch, databaseName), w)
		return firstError(err, os.RemoveAll(scratch))
	})
}

func vacuumTo(ctx context.Context, c *conn, path string, w io.Writer) error {
	if err := c.script(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer f.Close()
	if _, err := io.Copy(w, f); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return nil
}

// Restore makes a store in dir from what Backup wrote. It refuses a directory
// that holds a store, and bytes that are not a sound backup.
func Restore(ctx context.Context, dir string, r io.Reader) (err error) {
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, lock.Close()) }()
	target := filepath.Join(dir, databaseName)
	if _, err := os.Stat(target); !errors.Is(err, os.ErrNotExist) {
		return firstError(err, fmt.Errorf("data directory %s holds a store already: restore into an empty one", dir))
	}
	scratch, err := os.MkdirTemp(dir, scratchGlob)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer func() { err = firstError(err, os.RemoveAll(scratch)) }()
	path := filepath.Join(scratch, databaseName)
	if err := writeFile(path, r); err != nil {
		return fmt.Errorf("read backup: %w", err)
	}
	if err := check(ctx, path); err != nil {
		return fmt.Errorf("check backup: %w", err)
	}
	if err := os.Rename(path, target); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return syncDir(dir)
}

// writeFile copies r to a new file and syncs it.
func writeFile(path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}

// check reads a whole database file for damage.
func check(ctx context.Context, path string) error {
	c, err := source{path: path, mode: "ro"}.connect(ctx)
	if err != nil {
		return err
	}
	err = func() error {
		version, err := c.version()
		if err != nil {
			return err
		}
		if version == 0 {
			return errors.New("not a butai store")
		}
		verdict, err := c.text("PRAGMA quick_check(1)")
		if err == nil && verdict != "ok" {
			err = errors.New(verdict)
		}
		return err
	}()
	return firstError(err, c.close())
}

// firstError keeps err as it is and falls back to the error of cleaning up.
func firstError(err, cleanup error) error {
	if err != nil {
		return err
	}
	return cleanup
}
