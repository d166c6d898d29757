package release

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"

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
		if code := cmd.ProcessState.ExitCode(); code != 4 { // a hold is where some end
			t.Fatalf("%v failed by itself: %v", cmd.Args, err)
		}
	}
	return k.killed
}

// walk is a command that is killed with SIGKILL at each of its calls that
// change something, before the call and after it.
type walk struct {
	name string
	// ready brings production, which serves generation 1, to where the command
	// can run.
	ready func(w *world)
	args  []string
	// served is production's generation before the command; 1 if it is left out.
	served int
	gates  string // of butai.yaml
	domain bool   // production has one, where a header leads into the dark
}

// holds waits amid a canary, since no metrics are enough for its gate.
const holds = "gates: {metrics: {minimumRequests: 1000000}}\n"

// inAHold begins a release that waits for somebody.
func inAHold(strategy string) func(*world) {
	return func(w *world) { w.does(4, "promote", "--strategy", strategy) }
}

var walks = []walk{
	{name: "promote", args: []string{"promote"}},
	{name: "deploy and promote", args: []string{"promote"}, ready: (*world).deployElsewhere},
	{name: "canary", args: []string{"promote", "--strategy", "canary 50% for 0s"}},
	{name: "linear", args: []string{"promote", "--strategy", "linear 40% every 0s"}},
	{name: "dark", args: []string{"promote", "--strategy", "dark"}, domain: true},
	{name: "resume", args: []string{"resume"}, ready: inAHold("dark, canary 50% for 0s"), domain: true},
	{name: "accept", args: []string{"resume", "--accept"}, ready: inAHold("canary 50% for 0s"), gates: holds},
	{name: "abort a canary", args: []string{"abort"}, ready: inAHold("canary 50% for 0s"), gates: holds},
	{name: "abort the dark", args: []string{"abort"}, ready: inAHold("dark"), domain: true},
	{name: "pause", args: []string{"pause"}, ready: (*world).abandon},
	{name: "rollback", args: []string{"rollback", "--no-diff"}, served: 2},
	{name: "rollback by canary", args: []string{"rollback", "--no-diff", "--strategy", "canary 50% for 0s"}, served: 2},
}

// TestKilledAnywhere kills each command at every call that changes something:
// production serves the old pair or the new one, and another command ends the
// release either way and leaves nothing behind. Without BUTAI_RELEASE_FULL it
// tries some of the calls.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	for i, k := range walks {
		if k.served == 0 {
			walks[i].served = 1
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			walks[i].everywhere(t, s, 2+3*i%17)
		})
	}
}

// everywhere walks through the calls of a command; a short walk begins with
// the first of them.
func (k *walk) everywhere(t *testing.T, s *harness.Server, first int) {
	w := newNamedWorld(t, s.URL, s.Env(), "pair-"+strings.ReplaceAll(k.name, " ", "-"))
	if k.domain {
		w.makeDomain(w.function+".sample.example", "v1")
		w.asksRules()
	}
	killer, address := newKiller(t, s.URL)
	for i, pair := range w.env {
		if strings.HasPrefix(pair, "AWS_ENDPOINT_URL=") {
			w.env[i] = "AWS_ENDPOINT_URL=" + address
		}
	}
	w.does(0, "init", "--api", w.api)
	w.configure(map[string]string{"propagation: 1s": "propagation: 10ms\nlease: 300ms", "checks:": k.gates + "checks:"})
	w.does(0, "deploy", "staging")
	w.does(0, "promote")
	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.does(0, "deploy", "staging")
	if k.served == 2 {
		w.does(0, "promote", "--strategy", "all")
	}

	const every = 19
	calls := 0
	for at := 1; ; at++ {
		finished := false
		for _, after := range []bool{false, true} {
			if !full() && at != 1 && (at%every != first%every || after != (at%2 == 0)) {
				continue
			}
			if k.ready != nil {
				k.ready(w)
			}
			finished = !killer.run(t, w.command(k.args...), at, after)
			if !finished {
				calls++
			}
			k.recovers(w, fmt.Sprintf("killed at call %d (after: %v)", at, after), calls%2 == 0)
			if finished {
				break
			}
		}
		if finished {
			break
		}
	}
	if calls < 1 {
		t.Error("no place to kill at was found")
	}
	t.Logf("killed at %d places", calls)
}

// deployElsewhere deploys staging as others do, without butai release.
func (w *world) deployElsewhere() {
	w.Helper()
	_, err := w.gateway.CreateDeployment(context.Background(), &apigateway.CreateDeploymentInput{RestApiId: &w.api, StageName: aws.String("staging")})
	w.must(err)
}

// abandon kills a release amid its canary.
func (w *world) abandon() {
	w.Helper()
	cmd := w.command("promote", "--strategy", "canary 50% for 3s")
	w.must(cmd.Start())
	w.shifting(50)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// recovers checks what production serves after a kill, ends the release by
// resume or abort, and brings production back to the walk's first generation.
func (k *walk) recovers(w *world, where string, resume bool) {
	w.Helper()
	now := w.consistent(where)
	verb := "abort"
	if resume {
		verb = "resume"
	}
	other := 3 - k.served
	want := other
	args := []string{verb, "production"}
	if resume {
		args = append(args, "--accept")
	}
	deadline := time.Now().Add(20 * time.Second)
	for done := false; !done; {
		out, code := w.release(args...)
		switch {
		case strings.Contains(out, "no release of stage production is under way"):
			// Killed before its first line was written, or after its last.
			want, done = now, true
			time.Sleep(400 * time.Millisecond) // its lease
		case code == 5 && time.Now().Before(deadline): // the dead command's lease
			time.Sleep(100 * time.Millisecond)
		case resume && code == 4: // waits, now that it got that far
		case resume && code == 0:
			done = true
		case resume && code == 3 && strings.Contains(strings.Join(k.args, " "), "abort"), !resume && code == 0:
			want, done = k.served, true
		default:
			w.Fatalf("%s: %s ended with %d:\n%s", where, verb, code, out)
		}
	}
	w.leftClean(where)
	if got := w.consistent(where); got != want {
		w.Errorf("%s, then %s: production serves generation %d, want %d", where, verb, got, want)
	}
	switch {
	case want != k.served && k.served == 1:
		w.does(0, "rollback", "production", "--no-diff")
	case want != k.served:
		w.does(0, "promote", "--strategy", "all")
	}
	if got := w.consistent(where); got != k.served || w.Failed() {
		w.Fatalf("%s: production serves generation %d in the end, want %d", where, got, k.served)
	}
}

// consistent expects that production's answers come from one generation each,
// and returns the last one's.
func (w *world) consistent(where string) (generation int) {
	w.Helper()
	for range 4 {
		a := w.ask("production")
		if a.Status != 200 || a.Stage != "production" || strings.TrimPrefix(a.Gateway, "gateway-") != strings.TrimPrefix(a.Code, "code-") {
			w.Fatalf("%s: production answers %+v", where, a)
		}
		generation = int(a.Code[len(a.Code)-1] - '0')
	}
	return generation
}

// leftClean expects that a release that has ended left nothing but what it
// serves: no canary, no stage in the dark and no way there, no edited integration, no
// drift.
func (w *world) leftClean(where string) {
	w.Helper()
	ctx := context.Background()
	stages, err := w.gateway.GetStages(ctx, &apigateway.GetStagesInput{RestApiId: &w.api})
	w.must(err)
	if len(stages.Item) != 2 {
		w.Errorf("%s: there are %d stages, want 2", where, len(stages.Item))
	}
	if w.domain != "" {
		w.hasNoRules()
	}
	i, err := w.gateway.GetIntegration(ctx, &apigateway.GetIntegrationInput{RestApiId: &w.api, ResourceId: &w.get, HttpMethod: aws.String("GET")})
	w.must(err)
	if !strings.Contains(*i.Uri, ":${stageVariables.stage}/") {
		w.Errorf("%s: GET /pair was left to call %s", where, *i.Uri)
	}
	out, _ := w.release("drift", "--json")
	if strings.Contains(out, `"stage": "production"`) {
		w.Errorf("%s: production has drifted: %s", where, out)
	}
}
