package function

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/function/sandbox"
)

// TestDebugEnds: a person who goes away leaves no sandbox behind, whether or
// not a debugger was attached.
func TestDebugEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.function(t, "nodejs20.x", "main.handler", map[string]string{"main.js": "exports.handler = async () => 1"})
	ctx, leave := context.WithCancel(t.Context())
	port := 0
	_, err := r.Debug(ctx, spec, &Request{RequestID: "r"}, 0, func(d *Debugger) {
		port = d.Port
		leave()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Debug ended with %v", err)
	}
	if port == 0 || sandbox.Listening(debugHost, port) {
		t.Errorf("somebody still waits on port %d", port)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) > 0 {
		t.Errorf("%d sandboxes are left", len(r.all))
	}
}

func TestDebugTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.function(t, "python3.8", "main.handler", map[string]string{"main.py": "def handler(e, c): pass"})
	interpreter, err := r.cfg.Runtimes.Lookup(t.Context(), spec.Runtime)
	if err != nil {
		t.Skip(err)
	}
	if _, err := r.cfg.Runtimes.Debugpy(interpreter); err == nil {
		t.Skip("there is a debugpy for Python 3.8")
	}
	_, err = r.Debug(t.Context(), spec, &Request{RequestID: "r"}, 0, func(*Debugger) { t.Error("something waits") })
	if missing, ok := errors.AsType[*runtimes.MissingDebuggerError](err); !ok || !strings.Contains(missing.Error(), "-m pip install debugpy") {
		t.Errorf("the error is %v", err)
	}
	_, err = r.Debug(t.Context(), &Spec{Runtime: "provided.al2"}, &Request{}, 0, nil)
	if _, ok := errors.AsType[*NoDebuggerError](err); !ok {
		t.Errorf("the error is %v", err)
	}
}
