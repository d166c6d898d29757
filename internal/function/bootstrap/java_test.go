package bootstrap

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const maxJar = 64 << 10

// TestJavaLauncherMatchesItsSources builds the launcher anew and compares it
// with the embedded one: class by class with the version of javac that made
// that, and otherwise by the names of what it holds.
func TestJavaLauncherMatchesItsSources(t *testing.T) {
	t.Parallel()
	embedded, err := files.ReadFile("java/bootstrap.jar")
	if err != nil {
		t.Fatal(err)
	}
	if len(embedded) > maxJar {
		t.Errorf("the launcher has %d bytes, want at most %d", len(embedded), maxJar)
	}
	for _, tool := range []string{"javac", "jar", "sh"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	path := filepath.Join(t.TempDir(), "new.jar")
	if out, err := exec.Command("java/build.sh", path).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	built, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	version, err := exec.Command("javac", "-version").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	same := strings.HasPrefix(string(version), "javac 17")
	want, got := unzip(t, embedded), unzip(t, built)
	for name, content := range want {
		switch other, ok := got[name]; {
		case !ok:
			t.Errorf("%s has no source any more; run java/build.sh", name)
		case same && strings.HasSuffix(name, ".class") && !bytes.Equal(content, other):
			t.Errorf("%s is older than its source; run java/build.sh", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is missing; run java/build.sh", name)
		}
	}
}

func unzip(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
		in.Close()
	}
	return out
}
