//go:build !linux

package durable

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Flush makes everything written below dir durable.
func Flush(dir string) error {
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
