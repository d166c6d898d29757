package runtimes

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSatisfies(t *testing.T) {
	tests := []struct {
		python, specifiers string
		want               bool
	}{
		{"3.11.7", ">= 3.10", true},
		{"3.9.18", ">= 3.10", false},
		{"2.7.18", ">=2.7, !=3.0.*, !=3.1.*", true},
		{"3.1.2", ">=2.7, !=3.0.*, !=3.1.*", false},
		{"3.12.1", ">=3.8,<3.12", false},
		{"3.11.9", ">=3.8,<3.12", true},
		{"3.11.9", "==3.11.*", true},
		{"3.10.1", "==3.11.*", false},
		{"3.9.1", "~=3.8", true},
		{"4.0.0", "~=3.8", false},
		{"3.8.1", ">3.8", false},
		{"3.9.0", "", true},
		{"3.9.0", "what", false},
	}
	for _, tt := range tests {
		if got := satisfies(numbers(tt.python), tt.specifiers); got != tt.want {
			t.Errorf("satisfies(%s, %q) = %v, want %v", tt.python, tt.specifiers, got, tt.want)
		}
	}
}

// install writes a fake executable.
func install(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func newSet(t *testing.T, home string, p places) *Set {
	t.Helper()
	s, err := Discover(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	p.home, p.system = home, home
	s.places = p
	s.sdks = p.pythonSDKs
	return s
}

func TestPyenvShimsGiveRealBinaries(t *testing.T) {
	home := t.TempDir()
	root := filepath.Join(home, "pyenv")
	install(t, filepath.Join(root, "shims", "python3.11"), "#!/bin/sh\n")
	install(t, filepath.Join(root, "versions/3.11.2/bin/python3.11"), "\x7fELF")
	want := install(t, filepath.Join(root, "versions/3.11.10/bin/python3.11"), "\x7fELF")
	s := newSet(t, home, places{path: []string{filepath.Join(root, "shims")}, pyenvRoot: root})
	i, err := s.Lookup(t.Context(), "python3.11")
	if err != nil {
		t.Fatal(err)
	}
	if i.Path != want || i.Version != "3.11.10" || i.Prefix != filepath.Dir(filepath.Dir(want)) {
		t.Errorf("got %s %s %s, want the newest real binary %s", i.Path, i.Version, i.Prefix, want)
	}
	var missing *MissingError
	if _, err := s.Lookup(t.Context(), "python3.12"); !errors.As(err, &missing) {
		t.Errorf("python3.12: %v, want a MissingError", err)
	}
	var unknown *UnknownError
	if _, err := s.Lookup(t.Context(), "cobol85"); !errors.As(err, &unknown) {
		t.Errorf("cobol85: %v, want an UnknownError", err)
	}
}

func TestNodeTakesTheClosest(t *testing.T) {
	home := t.TempDir()
	for _, version := range []string{"16.1.0", "20.20.2", "24.0.1"} {
		prefix := filepath.Join(home, ".nvm/versions/node", "v"+version)
		install(t, filepath.Join(prefix, "bin/node"), "\x7fELF")
		n := numbers(version)
		header := ""
		for i, part := range []string{"MAJOR", "MINOR", "PATCH"} {
			header += "#define NODE_" + part + "_VERSION " + string(rune('0'+n[i]/10)) + string(rune('0'+n[i]%10)) + "\n"
		}
		install(t, filepath.Join(prefix, "include/node/node_version.h"), header)
	}
	tests := map[string]struct {
		major int
		note  bool
	}{"nodejs18.x": {20, true}, "nodejs20.x": {20, false}, "nodejs22.x": {24, true}, "nodejs24.x": {24, false}}
	s := newSet(t, home, places{})
	for id, want := range tests {
		i, err := s.Lookup(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if numbers(i.Version)[0] != want.major || (i.Note != "") != want.note {
			t.Errorf("%s: version %s, note %q; want major %d, note %v", id, i.Version, i.Note, want.major, want.note)
		}
	}
}

func TestPythonSDKGoesToCompatibleVersionsOnly(t *testing.T) {
	home := t.TempDir()
	root := filepath.Join(home, "pyenv")
	site := filepath.Join(root, "versions/3.11.7/lib/python3.11/site-packages")
	for _, part := range pythonSDKParts {
		install(t, filepath.Join(site, part.module, "x"), "")
		install(t, filepath.Join(site, part.distribution+"-1.40.3.dist-info", "METADATA"), "Version: 1.40.3\nRequires-Python: >=3.10\n\nVersion: 9\n")
	}
	for _, v := range []string{"3.9.1", "3.11.7", "3.13.0"} {
		install(t, filepath.Join(root, "versions", v, "bin", "python"+v[:len(v)-2]), "\x7fELF")
	}
	s := newSet(t, home, places{pyenvRoot: root})
	for id, want := range map[string]int{"python3.9": 0, "python3.11": len(pythonSDKParts), "python3.13": len(pythonSDKParts)} {
		i, err := s.Lookup(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if len(i.SDK) != want || i.SDKNote == "" {
			t.Errorf("%s: %d parts (%s), want %d", id, len(i.SDK), i.SDKNote, want)
		}
	}
}

// TestPythonSDKOfDebian reads what Debian's packages install, and takes a copy
// in a virtual environment on PATH if Debian's is too old to find butai.
func TestPythonSDKOfDebian(t *testing.T) {
	for _, tt := range []struct {
		debian string // boto3's version
		venv   bool
		want   string // version offered
		note   string // part of it
	}{
		{"1.34.46", false, "1.34.46", "usr/lib/python3/dist-packages"},
		{"1.26.27", false, "", "AWS_ENDPOINT_URL"},
		{"1.26.27", true, "1.43.11", "venv/lib/python3.11/site-packages"},
	} {
		home := t.TempDir()
		install(t, filepath.Join(home, "pyenv/versions/3.11.2/bin/python3.11"), "\x7fELF")
		packages := filepath.Join(home, "usr/lib/python3/dist-packages")
		for _, part := range pythonSDKParts {
			install(t, filepath.Join(packages, part.module, "x"), "")
			install(t, filepath.Join(packages, part.distribution+"-"+tt.debian+".egg-info", "PKG-INFO"), "Version: "+tt.debian+"\nRequires-Python: >=3.7\n")
		}
		p := places{pyenvRoot: filepath.Join(home, "pyenv"), path: []string{"bin", filepath.Join(home, "usr/bin")}}
		if tt.venv {
			p.path = append(p.path, filepath.Join(home, "venv/bin"))
			site := filepath.Join(home, "venv/lib/python3.11/site-packages")
			for _, part := range pythonSDKParts {
				install(t, filepath.Join(site, part.module, "x"), "")
				install(t, filepath.Join(site, part.distribution+"-1.43.11.dist-info", "METADATA"), "Version: 1.43.11\nRequires-Python: >=3.10\n")
			}
		}
		i, err := newSet(t, home, p).Lookup(t.Context(), "python3.11")
		if err != nil {
			t.Fatal(err)
		}
		if i.SDKVersion != tt.want || len(i.SDK) > 0 != (tt.want != "") || !strings.Contains(i.SDKNote, tt.note) {
			t.Errorf("Debian's %s, venv %v: offered %q (%d parts, %s); want %q, %s", tt.debian, tt.venv, i.SDKVersion, len(i.SDK), i.SDKNote, tt.want, tt.note)
		}
	}
}

func TestOverrides(t *testing.T) {
	dir := t.TempDir()
	script := install(t, filepath.Join(dir, "shim"), "#!/bin/sh\n")
	for _, overrides := range []map[string]string{
		{"python3.11": script},
		{"python3.11": filepath.Join(dir, "absent")},
		{"fortran77": "/bin/true"},
	} {
		if _, err := Discover(t.Context(), overrides); err == nil {
			t.Errorf("Discover(%v) accepted it", overrides)
		}
	}
}

func TestPrefixNeverShowsAHome(t *testing.T) {
	for path, want := range map[string]string{
		"/home/me/bin/node":                        "",
		"/home/me/.local/bin/node":                 "",
		"/usr/bin/node":                            "",
		"/usr/local/bin/node":                      "",
		"/opt/node22/bin/node":                     "/opt/node22",
		"/home/me/.pyenv/versions/3.11.7/bin/py":   "/home/me/.pyenv/versions/3.11.7",
		"/home/me/.nvm/versions/node/v20/bin/node": "/home/me/.nvm/versions/node/v20",
	} {
		if got := prefixOf(path, "/home/me"); got != want {
			t.Errorf("prefixOf(%s) = %q, want %q", path, got, want)
		}
	}
}

func TestThisHost(t *testing.T) {
	s, err := Discover(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.All(t.Context()) {
		if f.Err != nil {
			t.Log(f.Err)
			continue
		}
		t.Logf("%s: %s %s %s [%s] %s", f.Runtime.ID, f.Interpreter.Path, f.Interpreter.Version, f.Interpreter.Note, f.Interpreter.SDKNote, f.Interpreter.Prefix)
		if f.Runtime.Family != Provided && f.Interpreter.Version == "" {
			t.Errorf("%s: found without a version", f.Runtime.ID)
		}
	}
}
