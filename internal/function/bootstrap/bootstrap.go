// Package bootstrap holds the programs that run inside a sandbox's
// interpreter, and the framed protocol (PROTOCOL.md) by which the engine talks
// to them.
package bootstrap

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed python/bootstrap.py node/bootstrap.cjs java/bootstrap.jar ruby/bootstrap.rb
var files embed.FS

// Install writes the bootstraps of all families below dir, one folder each
// (dir/python, dir/node, …), readable by everyone: sandboxes run as another
// user. A folder becomes LAMBDA_RUNTIME_DIR of its family.
func Install(dir string) error {
	return fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, path)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		data, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(target, data, 0o644); err != nil {
			return fmt.Errorf("write bootstrap: %w", err)
		}
		return nil
	})
}
