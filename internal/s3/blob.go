package s3

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/butai-dev/butai/internal/ident"
)

// blob is a run of an object's bytes: a file that never changes.
type blob struct {
	Name string
	Size int64
}

// blobs is the directory of the files. A file is durable before anything
// refers to it and is removed after nothing does any more, so a crash can
// leave a file too many but never one too few.
type blobs struct {
	dir string
	log *slog.Logger
}

func openBlobs(dir string, log *slog.Logger) (blobs, error) {
	return blobs{dir: dir, log: log}, os.MkdirAll(dir, 0o700)
}

func (b blobs) path(name string) string { return filepath.Join(b.dir, name) }

// names lists the files there are.
func (b blobs) names() (map[string]bool, error) {
	entries, err := os.ReadDir(b.dir)
	found := make(map[string]bool, len(entries))
	for _, e := range entries {
		found[e.Name()] = true
	}
	return found, err
}

// write stores data durably in a new file. Empty data needs none.
func (b blobs) write(data []byte) ([]blob, error) {
	if len(data) == 0 {
		return nil, nil
	}
	out := blob{Name: ident.UUID(), Size: int64(len(data))}
	f, err := os.OpenFile(b.path(out.Name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = b.sync()
	}
	if err != nil {
		b.remove([]blob{out})
		return nil, err
	}
	return []blob{out}, nil
}

// clone makes new names for the files of list, without copying them.
func (b blobs) clone(list []blob) (out []blob, err error) {
	for _, old := range list {
		fresh := blob{Name: ident.UUID(), Size: old.Size}
		if err = os.Link(b.path(old.Name), b.path(fresh.Name)); err != nil {
			break
		}
		out = append(out, fresh)
	}
	if err == nil {
		err = b.sync()
	}
	if err != nil {
		b.remove(out)
		return nil, err
	}
	return out, nil
}

// sync makes the names in the directory durable.
func (b blobs) sync() error {
	d, err := os.Open(b.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// read returns length bytes from offset from on of the files in a row.
func (b blobs) read(list []blob, from, length int64) ([]byte, error) {
	out := make([]byte, 0, length)
	for _, part := range list {
		if from >= part.Size {
			from -= part.Size
			continue
		}
		n := min(part.Size-from, length-int64(len(out)))
		if n == 0 {
			break
		}
		end := len(out) + int(n)
		if err := b.readAt(part.Name, out[len(out):end], from); err != nil {
			return nil, err
		}
		out, from = out[:end], 0
	}
	return out, nil
}

func (b blobs) readAt(name string, into []byte, offset int64) error {
	f, err := os.Open(b.path(name))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.ReadFull(io.NewSectionReader(f, offset, int64(len(into))), into)
	return err
}

// remove deletes files that nothing refers to. A failure costs only space,
// and the next start tries again.
func (b blobs) remove(list []blob) {
	for _, old := range list {
		if old.Name == "" { // of nothing there is no file
			continue
		}
		if err := os.Remove(b.path(old.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			b.log.Warn("a file of an S3 object couldn't be deleted", "error", err)
		}
	}
}
