package function

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/ident"
)

// fillShelf waits until there are spares for a function.
func (r rig) fillShelf(t *testing.T, spec *Spec) {
	t.Helper()
	if !r.host.CanAttach() {
		t.Skip("only root can give code to running sandboxes")
	}
	r.awaitSpares(t, spec)
}

// awaitSpares is fillShelf where there may be no spares at all.
func (r rig) awaitSpares(t testing.TB, spec *Spec) {
	t.Helper()
	interpreter, err := r.cfg.Runtimes.Lookup(t.Context(), spec.Runtime)
	if err != nil {
		t.Skip(err)
	}
	key, ok := r.shelfOf(spec, interpreter)
	if !ok {
		return
	}
	r.Expect(spec)
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		r.Engine.mu.Lock()
		n := len(r.shelf(key).ready)
		r.Engine.mu.Unlock()
		if n >= DefaultSpares {
			return
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatal("no spares")
		}
	}
}

func withSpares(c *Config) { c.Spares = DefaultSpares }

const nosyPython = `
import os, sys, glob
start = dict(os.environ)
def handler(event, context):
    return {
        "mark": os.environ.get("MARK"), "name": context.function_name, "task": sorted(os.listdir("/var/task")), "tmp": os.listdir("/tmp"),
        "cwd": os.getcwd(), "path": sys.path[0], "spare": [n for n in os.environ if n.startswith("BUTAI_")], "modules": [m for m in sys.modules if "rehearsal" in m],
        "writable": os.access("/var/task", os.W_OK), "uid": os.getuid(), "size": os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_bsize >> 20,
    }
`

const nosyNode = `
const fs = require('fs');
exports.handler = async (event, context) => ({
  mark: process.env.MARK, name: context.functionName, task: fs.readdirSync('/var/task'), tmp: fs.readdirSync('/tmp'),
  cwd: process.cwd(), spare: Object.keys(process.env).filter((n) => n.startsWith('BUTAI_')), modules: Object.keys(require.cache).filter((m) => m.includes('rehearsal')),
});
`

// TestSpares: a cold start from a spare looks to the function like any other.
func TestSpares(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ runtime, file, code, want string }{
		{"python3.11", "main.py", nosyPython, `"cwd": "/var/task", "path": "/var/task", "spare": [], "modules": [], "writable": false`},
		{"python2.7", "main.py", nosyPython, `"spare": []`},
		{"nodejs20.x", "main.js", nosyNode, `"cwd":"/var/task","spare":[],"modules":[]`},
	} {
		t.Run(tt.runtime, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, withSpares)
			if _, err := r.cfg.Runtimes.Lookup(t.Context(), tt.runtime); err != nil {
				t.Skip(err)
			}
			for _, mark := range []string{"one", "two"} {
				spec := r.function(t, tt.runtime, "main.handler", map[string]string{tt.file: tt.code})
				spec.Environment = map[string]string{"MARK": mark}
				spec.EphemeralMB = 77
				r.fillShelf(t, spec)
				res, err := r.Invoke(t.Context(), spec, &Request{RequestID: ident.UUID()})
				if err != nil {
					t.Fatal(err)
				}
				got := string(res.Payload)
				for _, want := range []string{mark, tt.want, tt.file} {
					if !strings.Contains(got, want) {
						t.Errorf("%s: no %s in %s", mark, want, got)
					}
				}
				if tt.runtime == "python3.11" && !strings.Contains(got, `"size": 77`) {
					t.Errorf("/tmp has another size: %s", got)
				}
				if i := r.Engine.only(t, spec); i.spareless {
					t.Error("it started a fresh sandbox")
				}
			}
		})
	}
}

// only is the one sandbox of a function.
func (e *Engine) only(t *testing.T, spec *Spec) *instance {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.pools[spec.ID]; p != nil && len(p.idle) == 1 {
		return p.idle[0]
	}
	t.Fatal("not one idle sandbox")
	return nil
}

// TestSpareLimits: a spare is bound by the function's limits from the moment it
// has the function.
func TestSpareLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t, withSpares)
	spec := r.function(t, "python3.11", "main.handler", map[string]string{"main.py": "def handler(e, c):\n    x = bytearray(400 << 20)\n    return len(x)\n"})
	spec.Timeout = 20 * time.Second
	r.fillShelf(t, spec)
	res, err := r.Invoke(t.Context(), spec, &Request{RequestID: ident.UUID()})
	if err != nil {
		t.Fatal(err)
	}
	if r.host.MemoryLimited() && !strings.Contains(string(res.Payload), typeOutOfMemory) {
		t.Errorf("got %s", res.Payload)
	}
}

// TestSpareLayer: a layer is there, and its modules are found.
func TestSpareLayer(t *testing.T) {
	t.Parallel()
	r := newRig(t, withSpares)
	spec := r.function(t, "python3.11", "main.handler", map[string]string{"main.py": "import extra\ndef handler(e, c):\n    return extra.where\n"})
	layer := t.TempDir()
	if err := os.MkdirAll(filepath.Join(layer, "python"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(layer, "python", "extra.py"), []byte("where = __file__\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	os.Chmod(layer, 0o755)
	spec.Layers = []string{layer}
	r.fillShelf(t, spec)
	res, err := r.Invoke(t.Context(), spec, &Request{RequestID: ident.UUID()})
	if err != nil {
		t.Fatal(err)
	}
	if string(res.Payload) != `"/opt/python/extra.py"` {
		t.Errorf("got %s", res.Payload)
	}
}

func TestNeedsFresh(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"TABLE": false, "TZ": true, "LD_PRELOAD": true, "PYTHONPATH": true, "NODE_OPTIONS": true, "AWS_LAMBDA_EXEC_WRAPPER": true, "MY_TZ": false,
	} {
		if got := needsFresh(map[string]string{name: "x"}); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
