package function

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/function/sandbox"
)

// counting has a thread that counts, which says how far it is.
const counting = `
import threading, time
count = 0
def work():
    global count
    while True:
        count += 1
        time.sleep(0.001)
threading.Thread(target=work, daemon=True).start()
def handler(event, context):
    return count
`

func (r rig) count(t *testing.T, spec *Spec) int {
	t.Helper()
	n, err := strconv.Atoi(string(r.call(t, spec, `{}`).Payload))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// frozen tells whether the function's only sandbox is frozen.
func (r rig) frozen(spec *Spec) bool {
	i := r.resting(spec)
	if i == nil {
		return false
	}
	i.rest.mu.Lock()
	defer i.rest.mu.Unlock()
	return i.rest.frozen
}

// resting is the function's only sandbox if it is idle, else nil.
func (r rig) resting(spec *Spec) *instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pools[spec.ID]
	if p == nil || len(p.idle) != 1 {
		return nil
	}
	return p.idle[0]
}

// turns counts how often a process, and what it has started, has given up the
// processor of its own accord: a thread that sleeps now and then does so all
// the time, unless it is frozen.
func turns(t *testing.T, pid int) (n int) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("process %d is gone (%v)", pid, err)
	}
	for _, task := range tasks {
		status, err := os.ReadFile(task + "/status")
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(status)) {
			if value, ok := strings.CutPrefix(line, "voluntary_ctxt_switches:"); ok {
				count, _ := strconv.Atoi(strings.TrimSpace(value))
				n += count
			}
		}
		children, _ := os.ReadFile(task + "/children")
		for child := range strings.FieldsSeq(string(children)) {
			id, _ := strconv.Atoi(child)
			n += turns(t, id)
		}
	}
	return n
}

// TestFreezing counts in the background between calls, with sandboxes that are
// frozen then, by a control group and by signals, and without.
func TestFreezing(t *testing.T) {
	t.Parallel()
	for _, isolation := range []sandbox.Wish{sandbox.Auto(), {Min: sandbox.None, Max: sandbox.None}} {
		r := newRig(t, func(c *Config) { c.Freeze, c.Isolation = true, isolation })
		spec := r.python(t, counting)
		before := r.count(t, spec)
		for range 2 {
			waitFor(t, "frost", func() bool { return r.frozen(spec) })
			pid := r.resting(spec).proc.Pid()
			// On a busy machine it takes a while until the last thread has noticed.
			still := func(d time.Duration) bool {
				begin := turns(t, pid)
				time.Sleep(d)
				return turns(t, pid) == begin
			}
			waitFor(t, "stillness", func() bool { return still(50 * time.Millisecond) })
			want(t, "stillness while frozen", still(200*time.Millisecond), true)
			waitFor(t, "the thread to count on", func() bool { return r.count(t, spec) > before+1 })
			before = r.count(t, spec)
		}
	}
	r := newRig(t, nil)
	spec := r.python(t, counting)
	r.count(t, spec)
	pid := r.resting(spec).proc.Pid()
	begin := turns(t, pid)
	waitFor(t, "turns with nothing to stop it", func() bool { return turns(t, pid) > begin+20 })
}

// TestFrozenSandboxesEnd has frozen sandboxes of all kinds end, in time.
func TestFrozenSandboxesEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Freeze, c.Spares = true, 1 })
	plain, extended := r.python(t, counting), r.extend(t, r.python(t, goodbye), "recorder")
	for _, spec := range []*Spec{plain, extended} {
		r.call(t, spec, `{}`)
		waitFor(t, "frost", func() bool { return r.frozen(spec) })
		want(t, "cold start after the frost", r.call(t, spec, `{}`).ColdStart, false)
		waitFor(t, "frost again", func() bool { return r.frozen(spec) })
		r.Retire(spec.ID)
	}
	waitFor(t, "the end", r.empty)
	wantLines(t, r.logs.text(), "recorder got INVOKE .*", "runtime got 15", "recorder got SHUTDOWN spindown")
	another := r.python(t, counting)
	waitFor(t, "a spare", r.spare)
	want(t, "function error after a frozen spare", r.call(t, another, `{}`).FunctionError, "")
}
