package function

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/function/bootstrap"
	"github.com/butai-dev/butai/internal/ident"
)

// TestAhead has a crowd call a quick handler, which is therefore sent calls
// ahead, and that now and then is slow, fails, logs or dies: each caller must get
// the answer and the log of its own call.
func TestAhead(t *testing.T) {
	t.Parallel()
	const code = `
import os, sys, time
def handler(event, context):
    n = event["n"]
    if n % 5 == 0:
        print("line of %d" % n)
    if n % 67 == 0:
        os.write(1, b"raw of %d\n" % n)
    if n % 151 == 0:
        time.sleep(0.05)
    if n % 211 == 0:
        raise ValueError(n)
    if n % 307 == 0:
        os._exit(3)
    return {"n": n, "id": context.aws_request_id}
`
	r := newRig(t, nil)
	spec := r.function(t, "python3.11", "main.handler", map[string]string{"main.py": code})
	ahead := 0
	r.Engine.mu.Lock()
	r.Engine.onAhead = func() { ahead++ }
	r.Engine.mu.Unlock()
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for k := range 150 {
				n := 1 + c*150 + k
				id := ident.UUID()
				res, err := r.Invoke(t.Context(), spec, &Request{RequestID: id, Payload: fmt.Appendf(nil, `{"n": %d}`, n), Tail: true})
				if err != nil {
					t.Errorf("call %d: %v", n, err)
					continue
				}
				checkOwn(t, n, id, res)
			}
		})
	}
	wg.Wait()
	if ahead == 0 {
		t.Error("no call was sent ahead, so nothing was tested")
	}
}

func checkOwn(t *testing.T, n int, id string, res *Result) {
	t.Helper()
	var answer struct {
		N               int
		ID              string
		Kind            string `json:"errorType"`
		Message, Answer string
	}
	if err := json.Unmarshal(res.Payload, &answer); err != nil {
		t.Errorf("call %d: %v in %s", n, err, res.Payload)
		return
	}
	switch {
	case n%211 == 0:
		if answer.Kind != "ValueError" || !strings.Contains(string(res.Payload), id) {
			t.Errorf("call %d failed with %s", n, res.Payload)
		}
	case n%307 == 0:
		if answer.Kind != "Runtime.ExitError" || !strings.Contains(string(res.Payload), id) {
			t.Errorf("call %d ended with %s", n, res.Payload)
		}
	case answer.N != n || answer.ID != id:
		t.Errorf("call %d (%s) was answered with %s", n, id, res.Payload)
	}
	log := string(res.LogTail)
	if !strings.Contains(log, "START RequestId: "+id) || !strings.Contains(log, "REPORT RequestId: "+id) {
		t.Errorf("call %d: log %q", n, log)
	}
	for _, line := range []struct {
		text string
		due  bool
	}{{fmt.Sprintf("line of %d\n", n), n%5 == 0}, {fmt.Sprintf("raw of %d\n", n), n%67 == 0}} {
		if strings.Contains(log, line.text) != line.due {
			t.Errorf("call %d: %q in its log is not %v: %q", n, line.text, line.due, log)
		}
	}
	if want := count(n%5 == 0) + count(n%67 == 0); strings.Count(log, " of ") != want {
		t.Errorf("call %d: want %d lines of its own in %q", n, want, log)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestIdleSandboxesAreSentNothingAhead guards the order of calls: whoever takes
// an idle sandbox sends it the first one.
func TestIdleSandboxesAreSentNothingAhead(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, "def handler(e, c):\n    return 1\n")
	r.call(t, spec, `{}`)
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.pools[spec.ID].idle[0]
	i.quick, i.since = steadyCalls, time.Now()
	if i.takesAhead(time.Now()) {
		t.Error("an idle sandbox takes a call ahead of its turn")
	}
	i.parked = false
	if !i.takesAhead(time.Now()) {
		t.Error("a busy one doesn't, so this proves nothing")
	}
}

// dawdler is a session whose sender is slow to go on once it has sent something,
// as on a machine that is short of processor time.
type dawdler struct{ *framed }

func (d dawdler) Send(inv *bootstrap.Invocation, deadline time.Time) error {
	err := d.framed.Send(inv, deadline)
	time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
	return err
}

// TestSlowSenders has those who send calls ahead find their sandbox idle
// afterwards, while others wait in line: each caller must get its own answer.
func TestSlowSenders(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.cores = 1 // one that is busy makes a line, beside idle ones
	spec := r.python(t, "import time\ndef handler(event, context):\n    time.sleep(event)\n    return context.aws_request_id\n")
	var wg sync.WaitGroup
	crowd := func(calls int, event string, pause int) {
		for range 5 {
			wg.Go(func() {
				for range calls {
					id := ident.UUID()
					res, err := r.Invoke(t.Context(), spec, &Request{RequestID: id, Payload: []byte(event)})
					if err != nil {
						t.Errorf("call %s: %v", id, err)
					} else if string(res.Payload) != `"`+id+`"` {
						t.Errorf("call %s was answered with %s", id, res.Payload)
					}
					time.Sleep(time.Duration(rand.IntN(pause)) * time.Microsecond)
				}
			})
		}
		wg.Wait()
	}
	crowd(2, "0.1", 1)
	r.mu.Lock()
	for _, i := range r.pools[spec.ID].idle {
		i.mu.Lock()
		i.session, i.quick = dawdler{i.session.(*framed)}, steadyCalls
		i.mu.Unlock()
	}
	idle := len(r.pools[spec.ID].idle)
	r.mu.Unlock()
	if idle < 2 {
		t.Fatalf("%d sandboxes, want several", idle)
	}
	crowd(300, "0", 300)
}

// TestAheadHasRoom: whoever sends calls ahead must never wait for a process that
// is at a slow one.
func TestAheadHasRoom(t *testing.T) {
	t.Parallel()
	ours, theirs, err := socketPair(syscall.SOCK_SEQPACKET)
	if err != nil {
		t.Fatal(err)
	}
	f, err := newFramed(ours, theirs)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inv := &bootstrap.Invocation{RequestID: ident.UUID()}
	inv.Payload = make([]byte, aheadLimit-inv.Size())
	if err := ours.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for k := range 1 + maxAhead {
		if err := f.Send(inv, time.Now().Add(10*time.Second)); err != nil {
			t.Fatalf("call %d of the longest doesn't go: %v", k+1, err)
		}
	}
}
