//go:build !linux

package bundle

import (
	"io/fs"
	"os"
	"path/filepath"
)

// flush makes everything written below dir durable.
func flush(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() && !d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return nil // a file without read permission reaches the disk in its own time
		}
		defer f.Close()
		return f.Sync()
	})
}
