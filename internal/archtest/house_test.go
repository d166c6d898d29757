package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/butai-dev/butai/"

// pkg is a package of ours as `go list` knows it.
type pkg struct {
	Dir, ImportPath, Name, Doc string
	Imports                    []string
	GoFiles, IgnoredGoFiles    []string
	room                       string // path below internal/, or below the module with a leading slash
}

// outside reports whether a package is a tool beside the house: a command, a
// benchmark, an example or a helper of tests.
func (p *pkg) outside() bool { return strings.HasPrefix(p.room, "/") }

// file is one parsed source file; tests and generated code are left out.
type file struct {
	*ast.File
	pkg   *pkg
	name  string
	lines int
}

type house struct {
	packages []*pkg
	files    []*file
	fset     *token.FileSet
}

var load = sync.OnceValues(func() (*house, error) {
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Name,Doc,Imports,GoFiles,IgnoredGoFiles", module+"...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	h := &house{fset: token.NewFileSet()}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &pkg{}
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return h, nil
		} else if err != nil {
			return nil, err
		}
		p.room = roomOf(p.ImportPath)
		h.packages = append(h.packages, p)
		for _, name := range slices.Concat(p.GoFiles, p.IgnoredGoFiles) {
			if err := h.parse(p, name); err != nil {
				return nil, err
			}
		}
	}
})

func (h *house) parse(p *pkg, name string) error {
	if strings.HasSuffix(name, "_test.go") {
		return nil
	}
	parsed, err := parser.ParseFile(h.fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	h.files = append(h.files, &file{File: parsed, pkg: p, name: p.room + "/" + name, lines: h.fset.Position(parsed.End()).Line})
	return nil
}

func roomOf(importPath string) string {
	path := strings.TrimPrefix(importPath, module)
	if room, ok := strings.CutPrefix(path, "internal/"); ok {
		return room
	}
	return "/" + path
}

func theHouse(t *testing.T) *house {
	t.Helper()
	h, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if len(h.packages) < 30 {
		t.Fatalf("only %d packages were found", len(h.packages))
	}
	return h
}

// generated reports whether a file says that it is.
func (f *file) generated() bool { return ast.IsGenerated(f.File) }

// imported returns the name under which a file uses an imported package.
func (f *file) imported(path string) (string, bool) {
	for _, spec := range f.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil && p == path {
			if spec.Name != nil {
				return spec.Name.Name, true
			}
			return path[strings.LastIndex(path, "/")+1:], true
		}
	}
	return "", false
}

// uses returns where a file selects one of names from the package at path.
func (h *house) uses(f *file, path string, match func(name string) bool) []string {
	local, ok := f.imported(path)
	if !ok {
		return nil
	}
	var found []string
	ast.Inspect(f.File, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == local && match(sel.Sel.Name) {
			found = append(found, fmt.Sprintf("%s:%d uses %s.%s", f.name, h.fset.Position(sel.Pos()).Line, local, sel.Sel.Name))
		}
		return true
	})
	return found
}

// within reports whether a room is one of rooms or lies in one; a room that
// ends in "/..." stands for itself and all below it, "..." for every room.
func within(room string, rooms ...string) bool {
	for _, r := range rooms {
		if r == "..." {
			return true
		}
		if base, all := strings.CutSuffix(r, "/..."); room == base || all && strings.HasPrefix(room, base+"/") {
			return true
		}
	}
	return false
}
