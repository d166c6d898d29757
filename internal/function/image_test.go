package function

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestImageExtensions looks for extensions in images whose folders lead
// elsewhere: names of this machine's files are none of theirs.
func TestImageExtensions(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	for _, dir := range []string{filepath.Join(outside, "extensions", "folder"), filepath.Join(outside, "secret")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "extensions", "name"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		opt  string // what /opt is a link to
		want []string
	}{
		"none":                  {"", nil},
		"link inside":           {"real", []string{"mine"}},
		"absolute link outside": {outside, nil},
		"relative link outside": {"../" + filepath.Base(outside), nil},
	} {
		root := filepath.Join(filepath.Dir(outside), name)
		if err := os.MkdirAll(filepath.Join(root, "real", "extensions", "folder"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "real", "extensions", "mine"), nil, 0o755); err != nil {
			t.Fatal(err)
		}
		if tt.opt != "" {
			if err := os.Symlink(tt.opt, filepath.Join(root, "opt")); err != nil {
				t.Fatal(err)
			}
		}
		got, err := (&Image{Root: root}).extensions()
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, tt.want)
		}
	}
}

func TestImagesAreNotDebugged(t *testing.T) {
	t.Parallel()
	_, err := new(Engine).Debug(t.Context(), &Spec{Image: &Image{}}, &Request{}, 0, nil)
	if _, ok := errors.AsType[*NoDebuggerError](err); !ok {
		t.Errorf("got %v", err)
	}
}
