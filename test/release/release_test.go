package release

import (
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// TestProcedure walks through the command as a team would use it.
func TestProcedure(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	out := w.does(0, "init")
	if !strings.Contains(out, "release 2: stage production serves") {
		t.Errorf("init doesn't say what it found:\n%s", out)
	}
	w.configure(map[string]string{"propagation: 1s": "propagation: 100ms"})
	w.serves("production", "gateway-1", "code-1")

	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.serves("staging", "gateway-1", "code-2")
	w.does(0, "deploy", "staging", "-m", "second generation")
	w.serves("staging", "gateway-2", "code-2")
	w.serves("production", "gateway-1", "code-1")

	w.does(0, "promote", "production", "-m", "second generation")
	w.serves("production", "gateway-2", "code-2")
	if out := w.does(0, "promote"); !strings.Contains(out, "nothing to release") {
		t.Errorf("a second promotion says:\n%s", out)
	}

	w.does(0, "rollback", "production")
	w.serves("production", "gateway-1", "code-1")
	w.does(0, "rollback", "production", "--to", "4")
	w.serves("production", "gateway-2", "code-2")
	if out := w.does(0, "status"); !strings.Contains(out, "production → 2") {
		t.Errorf("status says:\n%s", out)
	}
	if out := w.does(0, "history"); strings.Count(out, "released") != 7 {
		t.Errorf("history says:\n%s", out)
	}
	if out := w.does(0, "show", "4"); !strings.Contains(out, "second generation") {
		t.Errorf("show says:\n%s", out)
	}
}
