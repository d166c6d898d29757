package release

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/butai-dev/butai/test/harness"
)

// full asks for the long forms: make release-proof sets it.
func full() bool { return os.Getenv("BUTAI_RELEASE_FULL") != "" }

// killer stands between butai release and the server, counts the calls that
// change something, and kills the command at one of them: before the server
// sees the call, or after it has done it.
type killer struct {
	proxy *httputil.ReverseProxy

	mu     sync.Mutex
	at     int // the call to kill at; 0 for none
	after  bool
	seen   int
	killed bool
	victim *exec.Cmd
}

func newKiller(t *testing.T, server string) (*killer, string) {
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	// No connection outlives its request, so that a kill disturbs no other.
	k := &killer{proxy: &httputil.ReverseProxy{Transport: &http.Transport{DisableKeepAlives: true}, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // the signature covers it
	}}}
	front := httptest.NewServer(k)
	t.Cleanup(front.Close)
	return k, front.URL
}

// changes reports whether a call changes something at AWS.
func changes(r *http.Request) bool {
	target := r.Header.Get("X-Amz-Target")
	switch {
	case strings.HasSuffix(target, ".Query"), strings.HasSuffix(target, ".GetItem"), strings.HasPrefix(r.URL.Path, "/_aws/"):
		return false
	case target == "" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"): // STS
		return false
	}
	return r.Method != http.MethodGet
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !changes(r) {
		k.proxy.ServeHTTP(w, r)
		return
	}
	k.mu.Lock()
	k.seen++
	now := k.at != 0 && k.seen == k.at
	k.mu.Unlock()
	if !now {
		k.proxy.ServeHTTP(w, r)
		return
	}
	if k.after {
		k.proxy.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
	}
	k.mu.Lock()
	k.killed = true
	_ = k.victim.Process.Kill()
	k.mu.Unlock()
	panic(http.ErrAbortHandler)
}

// run starts the command and kills it at a call; it reports whether the
// command got that far.
func (k *killer) run(t *testing.T, cmd *exec.Cmd, at int, after bool) bool {
	t.Helper()
	k.mu.Lock()
	k.at, k.after, k.seen, k.killed, k.victim = at, after, 0, false, cmd
	err := cmd.Start()
	k.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at = 0
	if err != nil && !k.killed {
		t.Fatalf("promote failed by itself: %v", err)
	}
	return k.killed
}

// TestKilledAnywhere kills a promotion with SIGKILL at every call that changes
// something, before it and after it: production serves the old pair or the new
// one, and another command ends the release either way.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	k, address := newKiller(t, s.URL)
	for i, pair := range w.env {
		if strings.HasPrefix(pair, "AWS_ENDPOINT_URL=") {
			w.env[i] = "AWS_ENDPOINT_URL=" + address
		}
	}
	w.does(0, "init")
	w.configure(map[string]string{"propagation: 1s": "propagation: 10ms\nlease: 300ms"})
	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.does(0, "deploy", "staging")

	step := 5
	if full() {
		step = 1
	}
	calls := 0
	for at := 1; ; at += step {
		finished := false
		for _, after := range []bool{false, true} {
			if !full() && after != (at%2 == 0) {
				continue
			}
			if !k.run(t, w.command("promote"), at, after) {
				finished = true
				break
			}
			calls++
			w.recovers(at, after, calls%2 == 0)
		}
		if finished {
			break
		}
	}
	if calls < 5 {
		t.Errorf("only %d places to kill at were found", calls)
	}
	t.Logf("killed at %d places", calls)
	w.serves("production", "gateway-2", "code-2")
}

// recovers checks what production serves after a kill, and ends the release by
// resume or abort. Afterwards production serves the old pair.
func (w *world) recovers(at int, after, resume bool) {
	w.Helper()
	where := fmt.Sprintf("killed at call %d (after: %v)", at, after)
	a := w.ask("production")
	if a.Status != 200 || a.Stage != "production" || strings.TrimPrefix(a.Gateway, "gateway-") != strings.TrimPrefix(a.Code, "code-") {
		w.Fatalf("%s: production answers %+v", where, a)
	}
	verb, want := "abort", "gateway-1"
	if resume {
		verb, want = "resume", "gateway-2"
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		out, code := w.release(verb, "production")
		if code == 5 && time.Now().Before(deadline) { // the dead command's lease
			time.Sleep(100 * time.Millisecond)
			continue
		}
		if strings.Contains(out, "no release of stage production is under way") {
			// Killed before its first line was written, or after its last.
			want = a.Gateway
			time.Sleep(400 * time.Millisecond) // its lease
		} else if code != 0 {
			w.Fatalf("%s: %s ended with %d:\n%s", where, verb, code, out)
		}
		break
	}
	w.serves("production", want, strings.Replace(want, "gateway", "code", 1))
	if want == "gateway-2" {
		w.does(0, "rollback", "production")
	}
	w.serves("production", "gateway-1", "code-1")
	if w.Failed() {
		w.Fatalf("%s", where)
	}
}

// TestThrottled: API Gateway refuses every other change for being one too
// many, or at the wrong time; a release takes longer, and that is all.
func TestThrottled(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	target, err := url.Parse(s.URL)
	w.must(err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	refusals := []struct {
		status int
		name   string
	}{{http.StatusTooManyRequests, "TooManyRequestsException"}, {http.StatusConflict, "ConflictException"}}
	var changed atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && strings.HasPrefix(r.URL.Path, "/restapis/") {
			if n := changed.Add(1); n%2 == 1 {
				refusal := refusals[n/2%2]
				out.Header().Set("X-Amzn-Errortype", refusal.name)
				out.WriteHeader(refusal.status)
				_, _ = io.WriteString(out, `{"message": "later"}`)
				return
			}
		}
		proxy.ServeHTTP(out, r)
	}))
	defer front.Close()
	for i, pair := range w.env {
		if strings.HasPrefix(pair, "AWS_ENDPOINT_URL=") {
			w.env[i] = "AWS_ENDPOINT_URL=" + front.URL
		}
	}
	w.does(0, "init")
	w.configure(map[string]string{"propagation: 1s": "propagation: 10ms"})
	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.does(0, "promote")
	w.serves("production", "gateway-2", "code-2")
	if n := changed.Load(); n < 10 {
		t.Errorf("only %d changes were seen", n)
	}
}
