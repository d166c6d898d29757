package function

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/ident"
)

func (r rig) sandboxes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live
}

// together runs n calls at once and returns their payloads and errors.
func (r rig) together(t *testing.T, spec *Spec, n int) (payloads []string, errs []error) {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range n {
		wg.Go(func() {
			res, err := r.Invoke(t.Context(), spec, &Request{RequestID: ident.UUID()})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			payloads = append(payloads, string(res.Payload))
		})
	}
	wg.Wait()
	return payloads, errs
}

func TestSlowCallsGetASandboxEach(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, "import time, os\ndef handler(e, c):\n    time.sleep(1.5)\n    return os.environ['AWS_LAMBDA_LOG_STREAM_NAME']\n")
	spec.Timeout = 20 * time.Second
	payloads, errs := r.together(t, spec, 6)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	streams := map[string]bool{}
	for _, p := range payloads {
		streams[p] = true
	}
	want(t, "sandboxes used", len(streams), 6)
}

func TestShortCallsShareSandboxes(t *testing.T) {
	// Not parallel: on a busy machine short calls are not short.
	r := newRig(t, nil)
	spec := r.python(t, "n = 0\ndef handler(e, c):\n    global n\n    n += 1\n    return n\n")
	for range 30 {
		r.call(t, spec, `{}`)
	}
	for range 20 {
		if _, errs := r.together(t, spec, 16); len(errs) > 0 {
			t.Fatal(errs)
		}
	}
	// How many there are depends on the machine's load; one per caller there
	// must not be, because the line never stops moving.
	if n := r.sandboxes(); n >= 16 {
		t.Errorf("%d sandboxes for 16 callers of a handler that takes microseconds", n)
	}
}

// TestFunctionCanCallItself checks that waiting in line can't starve a call
// whose sandbox waits for another call of the same function.
func TestFunctionCanCallItself(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, `
import os, time
def handler(event, context):
    path = event.get('wait')
    end = time.time() + 10
    while path and not os.path.exists('/var/task/' + path) and time.time() < end:
        time.sleep(0.01)
    return time.time() < end
`)
	spec.Timeout = 15 * time.Second
	for range 50 { // teach the pool that calls are short
		r.call(t, spec, `{}`)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { want(t, "waiting call", string(r.call(t, spec, `{"wait":"flag"}`).Payload), "true") })
	}
	time.Sleep(200 * time.Millisecond)
	r.call(t, spec, `{}`)
	if err := os.WriteFile(filepath.Join(spec.CodeDir, "flag"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

func TestConcurrencyLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Concurrency = 3 })
	slow := "import time\ndef handler(e, c):\n    time.sleep(1.5)\n"
	reserved := r.python(t, slow)
	reserved.Name, reserved.Concurrency, reserved.Timeout = "reserved", 1, 20*time.Second
	none := r.python(t, slow)
	none.Name, none.Concurrency = "none", 0
	other := r.python(t, slow)
	other.Timeout = 20 * time.Second

	throttled := func(spec *Spec, n int, reason string, refused int) {
		t.Helper()
		_, errs := r.together(t, spec, n)
		want(t, spec.Name+": refused", len(errs), refused)
		for _, err := range errs {
			var e *ThrottledError
			if !errors.As(err, &e) || e.Reason != reason {
				t.Errorf("%s: %v, want reason %s", spec.Name, err, reason)
			}
		}
	}
	throttled(none, 1, "ReservedFunctionConcurrentInvocationLimitExceeded", 1)
	throttled(reserved, 3, "ReservedFunctionConcurrentInvocationLimitExceeded", 2)
	// One of three is reserved and stays so while nobody uses it.
	throttled(other, 4, "ConcurrentInvocationLimitExceeded", 2)
	throttled(other, 2, "", 0)
}

func TestCrashHurtsOnlyItsOwnCall(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, `
import os, time
def handler(event, context):
    if event.get('die'):
        os.kill(os.getpid(), 9)
    time.sleep(0.05)
    return 'fine'
`)
	spec.Timeout = 20 * time.Second
	var failed, fine atomic.Int32
	var wg sync.WaitGroup
	for n := range 24 {
		wg.Go(func() {
			res, err := r.Invoke(t.Context(), spec, &Request{RequestID: ident.UUID(), Payload: fmt.Appendf(nil, `{"die":%d}`, n%3/2)})
			switch {
			case err != nil:
				t.Error(err)
			case res.FunctionError != "":
				failed.Add(1)
			default:
				fine.Add(1)
			}
		})
	}
	wg.Wait()
	want(t, "failed", failed.Load(), 8)
	want(t, "fine", fine.Load(), 16)
}

// TestTmpOutlivesFailures writes a file in a call that times out, and in one
// whose process exits; the next call finds it, but no global variable. AWS keeps
// it, too (recorded for timeouts).
func TestTmpOutlivesFailures(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){"fresh": nil, "spares": func(c *Config) { c.Spares = 1 }} {
		r := newRig(t, change)
		if !r.host.CanAttach() {
			t.Skip("needs root")
		}
		spec := r.python(t, `
import os, time
seen = []
def handler(event, context):
    found, globals_found = sorted(os.listdir('/tmp')), len(seen)
    seen.append(1)
    if event:
        open('/tmp/' + event, 'w').close()
    if event == 'timeout':
        time.sleep(30)
    if event == 'exit':
        os._exit(3)
    return [found, globals_found]
`)
		spec.Timeout = 4 * time.Second // a busy machine gets to the handler, too
		want(t, name+": first", string(r.call(t, spec, `""`).Payload), `[[], 0]`)
		want(t, name+": timeout", r.call(t, spec, `"timeout"`).FunctionError, "Unhandled")
		spec.Timeout = 10 * time.Second
		want(t, name+": after it", string(r.call(t, spec, `""`).Payload), `[["timeout"], 0]`)
		want(t, name+": exit", r.call(t, spec, `"exit"`).FunctionError, "Unhandled")
		want(t, name+": after both", string(r.call(t, spec, `"more"`).Payload), `[["exit", "timeout"], 0]`)
		want(t, name+": warm", string(r.call(t, spec, `""`).Payload), `[["exit", "more", "timeout"], 1]`)

		other := *spec
		other.ID = ident.UUID()
		want(t, name+": another version", string(r.call(t, &other, `""`).Payload), `[[], 0]`)
	}
}

// TestKilledSandboxIsReplaced kills an idle sandbox behind the engine's back.
func TestKilledSandboxIsReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, "def handler(e, c):\n    return 1\n")
	r.call(t, spec, `{}`)
	r.mu.Lock()
	proc := r.pools[spec.ID].idle[0].proc
	r.mu.Unlock()
	if err := syscall.Kill(proc.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-proc.Done()
	res := r.call(t, spec, `{}`)
	want(t, "payload", string(res.Payload), "1")
	want(t, "cold start", res.ColdStart, true)
}

func TestRetireAndIdleReclaim(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.IdleTimeout = 300 * time.Millisecond })
	spec := r.python(t, "import time\ndef handler(e, c):\n    time.sleep(e.get('s', 0))\n    return 'done'\n")
	r.call(t, spec, `{}`)
	want(t, "sandboxes", r.sandboxes(), 1)
	waitFor(t, "reclaim", func() bool { return r.sandboxes() == 0 })

	done := make(chan string)
	go func() { done <- string(r.call(t, spec, `{"s":0.5}`).Payload) }()
	waitFor(t, "busy", func() bool { return r.sandboxes() == 1 })
	r.Retire(spec.ID)
	want(t, "a call under way when its version is retired", <-done, `"done"`)
	waitFor(t, "retired", func() bool { return r.sandboxes() == 0 })
}

// TestLateCallsLeaveNoSandbox calls versions that have been replaced, as calls
// do that were on their way then.
func TestLateCallsLeaveNoSandbox(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, "import time\ndef handler(e, c):\n    time.sleep(0.05)\n    return 'done'\n")
	r.Retire(spec.ID)
	payloads, errs := r.together(t, spec, 4)
	want(t, "answers", len(payloads), 4)
	want(t, "errors", len(errs), 0)
	waitFor(t, "sandboxes to end", func() bool { return r.sandboxes() == 0 })

	// As under load: calls keep coming while code is replaced again and again.
	code := *spec
	stop := make(chan struct{})
	var current atomic.Pointer[Spec]
	current.Store(&code)
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := r.Invoke(t.Context(), current.Load(), &Request{RequestID: ident.UUID()}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 5 {
		next := *spec
		next.ID = ident.UUID()
		old := current.Swap(&next)
		r.Retire(old.ID)
		time.Sleep(20 * time.Millisecond)
	}
	close(stop)
	callers.Wait()
	waitFor(t, "sandboxes of replaced code to end", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.pools) <= 1
	})
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// TestMaxSandboxesEvictsOtherFunctions fills the machine with one function's
// idle sandboxes and calls another.
func TestMaxSandboxesEvictsOtherFunctions(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.MaxSandboxes = 2 })
	for n := range 4 {
		spec := r.python(t, "def handler(e, c):\n    return 1\n")
		spec.Name = fmt.Sprint("f", n)
		want(t, "payload", string(r.call(t, spec, `{}`).Payload), "1")
		if live := r.sandboxes(); live > 2 {
			t.Errorf("%d sandboxes, the limit is 2", live)
		}
	}
}

// TestTheLongestUnusedGoesFirst makes room for a third function where two
// sandboxes fit.
func TestTheLongestUnusedGoesFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.MaxSandboxes = 2 })
	code := "def handler(e, c):\n    return 1\n"
	often, once, third := r.python(t, code), r.python(t, code), r.python(t, code)
	for _, spec := range []*Spec{often, once, often, third} {
		r.call(t, spec, `{}`)
	}
	want(t, "the one used last starts cold", r.call(t, often, `{}`).ColdStart, false)
	want(t, "the one unused for longest starts cold", r.call(t, once, `{}`).ColdStart, true)
}

// TestWaitingCallsGetTheirTurn checks that calls beyond the machine's room wait
// for a sandbox rather than fail.
func TestWaitingCallsGetTheirTurn(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.MaxSandboxes = 2 })
	spec := r.python(t, "import time\ndef handler(e, c):\n    time.sleep(0.1)\n    return 1\n")
	payloads, errs := r.together(t, spec, 10)
	want(t, "answers", len(payloads), 10)
	want(t, "errors", len(errs), 0)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	slow := r.python(t, "import time\ntime.sleep(1)\ndef handler(e, c):\n    pass\n")
	if _, err := r.Invoke(ctx, slow, &Request{RequestID: "x"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller that went away while it waited got %v", err)
	}
	soon := &Request{RequestID: "y", Deadline: time.Now().Add(50 * time.Millisecond)}
	if _, err := r.Invoke(t.Context(), slow, soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller whose time was over while it waited got %v", err)
	}
	// One that can be left in line, as its deadline is far, is taken out there.
	third := r.python(t, "import time\ntime.sleep(1)\ndef handler(e, c):\n    pass\n")
	if _, err := r.Engine.call(context.Background(), third, soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call whose deadline was over in line got %v", err)
	}
}

func TestExpiringCredentialsRetireTheSandbox(t *testing.T) {
	t.Parallel()
	role := &fixedRole{Credentials{AccessKeyID: "A1", SecretAccessKey: "s", SessionToken: "t", Expiration: time.Now().Add(30 * time.Second)}}
	r := newRig(t, func(c *Config) { c.Roles = role })
	spec := r.python(t, "import os\ndef handler(e, c):\n    return os.environ['AWS_ACCESS_KEY_ID']\n")
	want(t, "first key", string(r.call(t, spec, `{}`).Payload), `"A1"`)
	role.credentials = Credentials{AccessKeyID: "A2", SecretAccessKey: "s", SessionToken: "t", Expiration: time.Now().Add(time.Hour)}
	want(t, "second key", string(r.call(t, spec, `{}`).Payload), `"A2"`)
	role.credentials.AccessKeyID = "A3"
	want(t, "second key is kept", string(r.call(t, spec, `{}`).Payload), `"A2"`)
}

func TestSlowInitRunsAgainUnderTheTimeout(t *testing.T) {
	if testing.Short() {
		t.Skip("waits out the ten seconds of the init phase")
	}
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, `
import os, time
again = os.path.exists('/tmp/begun')
if not again:
    open('/tmp/begun', 'w').close()
    time.sleep(11)
def handler(e, c):
    return again
`)
	spec.Timeout = 30 * time.Second
	want(t, "/tmp is kept", string(r.call(t, spec, `{}`).Payload), strconv.FormatBool(r.host.CanAttach()))
	if got := masked(r.logs.text()); got != initStart+"INIT_REPORT Init Duration: <ms> ms\tPhase: init\tStatus: timeout\n"+started+ended+reported+"\n" {
		t.Errorf("log %q", got)
	}
}

func TestFunctionRunsOnAfterItsCallerGaveUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, `
import time
def handler(event, context):
    time.sleep(event)
    print("slept", event)
`)
	spec.Timeout = 5 * time.Second
	r.call(t, spec, "0")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := r.Invoke(ctx, spec, &Request{RequestID: ident.UUID(), Payload: []byte("1")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a call that lasts longer than its caller waits ended with %v", err)
	}
	soon := &Request{RequestID: ident.UUID(), Payload: []byte("0.9"), Deadline: time.Now().Add(100 * time.Millisecond)}
	if _, err := r.Invoke(context.WithoutCancel(t.Context()), spec, soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a call that lasts beyond its deadline ended with %v", err)
	}
	if strings.Contains(r.logs.text(), "slept 1") {
		t.Fatal("the caller was answered only when the function had ended")
	}
	waitFor(t, "the function to end", func() bool { return strings.Contains(r.logs.text(), "slept 1") })
}

// TestKeysThatCannotBeKept: nobody hears of a call whose keys a restart would
// forget.
func TestKeysThatCannotBeKept(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	role := &fixedRole{Credentials{AccessKeyID: "A1", SecretAccessKey: "s", SessionToken: "t", Kept: func() error { return full }}}
	r := newRig(t, func(c *Config) { c.Roles = role })
	spec := r.python(t, "def handler(e, c):\n    return 1\n")
	if result, err := r.Invoke(t.Context(), spec, &Request{RequestID: "r"}); !errors.Is(err, full) {
		t.Errorf("the answer is %+v, %v", result, err)
	}
}
