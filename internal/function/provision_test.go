package function

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/ident"
)

// awaitReady waits until so many provisioned sandboxes are ready, or the
// function is known to fail.
func (r rig) awaitReady(t *testing.T, spec *Spec, want int) (fails bool) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		ready, fails := r.Provisioned(spec.ID)
		if fails || ready == want {
			return fails
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("%d of %d are ready", ready, want)
		}
	}
}

func TestProvisioned(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.IdleTimeout = 50 * time.Millisecond })
	spec := r.function(t, "python3.11", "main.handler", map[string]string{"main.py": `
import os, time
def handler(event, context):
    time.sleep(0.2)
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
`})
	spec.Provisioned, spec.FunctionProvisioned, spec.Concurrency = 2, 2, 2
	r.Provision(spec)
	if r.awaitReady(t, spec, 2) {
		t.Fatal("it fails to initialize")
	}
	time.Sleep(150 * time.Millisecond) // idle for long
	if ready, _ := r.Provisioned(spec.ID); ready != 2 {
		t.Errorf("%d are left", ready)
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			res, err := r.Invoke(t.Context(), spec, &Request{RequestID: ident.UUID()})
			if err != nil || string(res.Payload) != `"provisioned-concurrency"` {
				t.Errorf("got %v, %v", res, err)
			}
		})
	}
	wg.Wait()

	// The reservation is all provisioned, so nothing is left for $LATEST.
	latest := *spec
	latest.ID, latest.Provisioned = ident.UUID(), 0
	_, err := r.Invoke(t.Context(), &latest, &Request{RequestID: ident.UUID()})
	var throttled *ThrottledError
	if !errors.As(err, &throttled) || throttled.Reason != reasonReserved {
		t.Errorf("$LATEST got %v", err)
	}

	gone := *spec
	gone.Provisioned = 0
	r.Provision(&gone)
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		r.Engine.mu.Lock()
		live := r.live
		r.Engine.mu.Unlock()
		if live == 0 {
			break
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatal("sandboxes stay that nobody asks for any more")
		}
	}
}

func TestProvisionedReplaces(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.function(t, "python3.11", "main.handler", map[string]string{"main.py": "import os\ndef handler(e, c):\n    os._exit(1)\n"})
	spec.Provisioned = 1
	r.Provision(spec)
	r.awaitReady(t, spec, 1)
	for range 2 {
		res, err := r.Invoke(t.Context(), spec, &Request{RequestID: ident.UUID()})
		if err != nil || !strings.Contains(string(res.Payload), typeExit) {
			t.Fatalf("got %v, %v", res, err)
		}
		r.awaitReady(t, spec, 1)
	}
}

func TestProvisionedFails(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.function(t, "python3.11", "main.handler", map[string]string{"main.py": "import nosuch\n"})
	spec.Provisioned = 1
	r.Provision(spec)
	if !r.awaitReady(t, spec, 1) {
		t.Error("it is ready")
	}
}
