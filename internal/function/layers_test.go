package function

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/butai-dev/butai/internal/function/sandbox"
	"github.com/butai-dev/butai/internal/ident"
)

// layerOf writes a layer; names that end in / are folders.
func layerOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	os.Chmod(dir, 0o755)
	for name, text := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil && name[len(name)-1] != '/' {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestSeveralLayers: later layers win, folders merge, and a file hides a folder
// as a folder hides a file; the same on every rung, fresh and from a spare.
func TestSeveralLayers(t *testing.T) {
	t.Parallel()
	below := layerOf(t, map[string]string{"python/one.py": "v = 1", "python/both.py": "v = 'below'", "data/file/inside": "x", "data/dir": "a file"})
	above := layerOf(t, map[string]string{"python/two.py": "v = 2", "python/both.py": "v = 'above'", "data/file": "now a file", "data/dir/inside": "y"})
	if err := os.Symlink("one.py", filepath.Join(below, "python", "link.py")); err != nil {
		t.Fatal(err)
	}
	code := `
import os, one, two, both, link
root = os.path.dirname(os.path.dirname(one.__file__))
def handler(e, c):
    return [one.v, two.v, both.v, link.v, open(root + '/data/file').read(), os.listdir(root + '/data/dir'), root == '/opt']
`
	for name, tt := range map[string]struct {
		level sandbox.Level
		spare bool
	}{
		"fresh": {sandbox.Namespaces, false}, "spare": {sandbox.Namespaces, true}, "restricted": {sandbox.Restricted, false}, "none": {sandbox.None, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *Config) {
				c.Isolation = sandbox.Wish{Min: tt.level, Max: tt.level}
				if tt.spare {
					c.Spares = DefaultSpares
				}
			})
			if _, err := r.host.Level(); err != nil {
				t.Skip(err)
			}
			for range 2 { // the second finds them merged
				spec := r.python(t, code)
				spec.ID, spec.Layers = ident.UUID(), []string{below, above}
				if tt.spare {
					r.fillShelf(t, spec)
				}
				own := map[bool]string{true: "true", false: "false"}[tt.level == sandbox.Namespaces]
				want(t, "answer", string(r.call(t, spec, `{}`).Payload), `[1, 2, "above", 1, "now a file", ["inside"], `+own+`]`)
				if tt.spare && r.Engine.only(t, spec).spareless {
					t.Error("it started a fresh sandbox")
				}
			}
		})
	}
}

// TestLayersOfTheSameContent: they are one folder, which counts where it is last.
func TestLayersOfTheSameContent(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	twice := layerOf(t, map[string]string{"data": "twice"})
	other := layerOf(t, map[string]string{"data": "other", "more": "more"})
	alone := r.python(t, "def handler(e, c):\n    return open('/opt/data').read()\n")
	alone.Layers = []string{twice, twice}
	want(t, "two of the same", string(r.call(t, alone, `{}`).Payload), `"twice"`)
	around := r.python(t, "def handler(e, c):\n    return [open('/opt/data').read(), open('/opt/more').read()]\n")
	around.ID, around.Layers = ident.UUID(), []string{twice, other, twice}
	want(t, "another between them", string(r.call(t, around, `{}`).Payload), `["twice", "more"]`)
}
