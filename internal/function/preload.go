package function

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// sourceLimit is how much of a handler's source is looked at.
const sourceLimit = 256 << 10

// imports tells whether a Python handler imports a library, such as boto3,
// that comes with the runtime. If the function or a layer brings its own, the
// answer is no: a spare has imported the runtime's.
func imports(spec *Spec, library string) bool {
	for _, root := range append([]string{spec.CodeDir}, spec.Layers...) {
		for _, dir := range []string{"", "python"} {
			for _, name := range []string{library, "botocore", library + ".py"} {
				if _, err := os.Lstat(filepath.Join(root, dir, name)); err == nil {
					return false
				}
			}
		}
	}
	dot := strings.LastIndexByte(spec.Handler, '.')
	if dot < 0 || len(spec.Layers) > 0 {
		return false
	}
	name := strings.ReplaceAll(spec.Handler[:dot], ".", "/") + ".py"
	if !filepath.IsLocal(name) {
		return false
	}
	f, err := os.Open(filepath.Join(spec.CodeDir, name))
	if err != nil {
		return false
	}
	defer f.Close()
	source, err := io.ReadAll(io.LimitReader(f, sourceLimit))
	return err == nil && importStatement(library).Match(source)
}

// importStatement finds imports on their own line, as nearly all are written;
// a missed one costs time only.
func importStatement(library string) *regexp.Regexp {
	return importStatements[library]
}

var importStatements = map[string]*regexp.Regexp{
	"boto3": regexp.MustCompile(`(?m)^\s*(import|from)\s+boto3\b`),
}
