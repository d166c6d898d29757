package function

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// extensionClient is an extension: this test program, started from
// /opt/extensions. Its name says how it behaves.
func extensionClient(name string) {
	fmt.Println(name, "starts with handler", os.Getenv("_HANDLER"), "and stage", os.Getenv("STAGE"))
	switch {
	case name == "crash":
		os.Exit(3)
	case strings.HasPrefix(name, "listener"):
		listener(name)
	}
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2020-01-01/extension/"
	ask := func(method, path, body string, header ...string) (*http.Response, string) {
		req, err := http.NewRequest(method, base+path, strings.NewReader(body))
		if err != nil {
			os.Exit(4)
		}
		for n := 0; n < len(header); n += 2 {
			req.Header.Set(header[n], header[n+1])
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			os.Exit(5)
		}
		text, _ := io.ReadAll(res.Body)
		return res, strings.TrimSpace(string(text))
	}
	if name == "strict" {
		for _, attempt := range []struct{ name, body string }{{"", "{}"}, {name, `{"events":["NONE"]}`}, {"inner", `{"events":["SHUTDOWN"]}`}, {name, "?"}} {
			res, text := ask("POST", "register", attempt.body, "Lambda-Extension-Name", attempt.name)
			fmt.Println("strict:", res.StatusCode, text)
		}
		for _, id := range []string{"", "x", "00000000-0000-0000-0000-000000000000"} {
			res, text := ask("GET", "event/next", "", "Lambda-Extension-Identifier", id)
			fmt.Println("strict:", res.StatusCode, text)
		}
	}
	events := `{"events":["INVOKE","SHUTDOWN"]}`
	if name == "deaf" {
		events = `{"events":[]}`
	}
	res, text := ask("POST", "register", events, "Lambda-Extension-Name", name, "Lambda-Extension-Accept-Feature", "accountId")
	fmt.Println(name, "registered:", res.StatusCode, text)
	id := res.Header.Get("Lambda-Extension-Identifier")
	if name == "refuses" {
		res, text := ask("POST", "init/error", "{}", "Lambda-Extension-Identifier", id, "Lambda-Extension-Function-Error-Type", "Extension.NoLicense")
		fmt.Println(name, res.StatusCode, text)
		time.Sleep(time.Minute)
	}
	for {
		_, text := ask("GET", "event/next", "", "Lambda-Extension-Identifier", id)
		var event struct {
			EventType, ShutdownReason, RequestID string
			DeadlineMs                           int64
		}
		if err := json.Unmarshal([]byte(text), &event); err != nil {
			os.Exit(6)
		}
		fmt.Println(name, "got", event.EventType, event.ShutdownReason)
		switch {
		case event.EventType == "SHUTDOWN" && name == "stubborn":
			fmt.Println("stubborn has", time.Until(time.UnixMilli(event.DeadlineMs)) <= 2*time.Second)
			time.Sleep(time.Minute)
		case event.EventType == "SHUTDOWN" && name == "thorough":
			time.Sleep(700 * time.Millisecond) // more than what a runtime gets
			fmt.Println("thorough is done")
			os.Exit(0)
		case event.EventType == "SHUTDOWN":
			os.Exit(0)
		case name == "verbose":
			time.Sleep(50 * time.Millisecond) // until the answer is out
			for range 20_000 {
				fmt.Println("verbose says something")
			}
		case name == "slow":
			time.Sleep(time.Second)
		case name == "fragile":
			os.Exit(7)
		}
	}
}

// extend gives a function a layer with extensions. It skips the test where the
// engine refuses those.
func (r rig) extend(t *testing.T, spec *Spec, names ...string) *Spec {
	t.Helper()
	if underGVisor(r) {
		t.Skip("external extensions are refused under gVisor: docs/decisions/2026-11-28-gvisor.md")
	}
	self, err := os.ReadFile(executablePath(t))
	if err != nil {
		t.Fatal(err)
	}
	layer := t.TempDir()
	if err := os.Mkdir(filepath.Join(layer, "extensions"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(layer, "extensions", name), self, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	spec.Layers = append(spec.Layers, layer)
	spec.Timeout = 10 * time.Second
	return spec
}

// wantLines checks that a log has lines that match, in this order.
func wantLines(t *testing.T, log string, patterns ...string) {
	t.Helper()
	rest := log
	for _, pattern := range patterns {
		at := regexp.MustCompile("(?m)^" + pattern + "$").FindStringIndex(rest)
		if at == nil {
			t.Fatalf("no line %q where it should be in\n%s", pattern, log)
		}
		rest = rest[at[1]:]
	}
}

const goodbye = `
import os, signal, sys
def leave(signum, frame):
    print("runtime got", signum)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
def handler(event, context):
    if event == "exit":
        os._exit(9)
    print("handler runs")
    return os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")[0]
`

func TestExtensions(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.extend(t, r.python(t, goodbye), "recorder", "deaf")
	spec.Environment = map[string]string{"STAGE": "prod"}
	want(t, "payload", string(r.call(t, spec, `{}`).Payload), `"127.0.0.1"`)
	waitFor(t, "the sandbox to be free", func() bool { return r.idle(spec) == 1 })
	warm := r.call(t, spec, `{}`)
	want(t, "cold start", warm.ColdStart, false)
	waitFor(t, "the sandbox to be free", func() bool { return r.idle(spec) == 1 })
	r.Retire(spec.ID)
	waitFor(t, "the end", func() bool { return strings.Contains(r.logs.text(), "SHUTDOWN spindown") })
	wantLines(t, r.logs.text(), "INIT_START .*", "recorder starts with handler  and stage prod")
	wantLines(t, r.logs.text(), `recorder registered: 200 {"functionName":"demo","functionVersion":"\$LATEST","handler":"main.handler","accountId":"000000000000"}`,
		`EXTENSION\tName: deaf\tState: Ready\tEvents: \[\]`, `EXTENSION\tName: recorder\tState: Ready\tEvents: \[INVOKE, SHUTDOWN\]`,
		"START .*", "handler runs", "REPORT .*", "START .*", "REPORT .*", "runtime got 15", "recorder got SHUTDOWN spindown")
	want(t, "calls that the extension heard of", strings.Count(r.logs.text(), "recorder got INVOKE"), 2)
	want(t, "events for one that asked for none", strings.Count(r.logs.text(), "deaf got"), 0)
}

// TestExtensionsOfOtherRuntimes has extensions beside Node.js and a program
// that speaks the Runtime API, which may register one of its own.
func TestExtensionsOfOtherRuntimes(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(r rig) *Spec{
		"node": func(r rig) *Spec {
			return r.function(t, "nodejs20.x", "main.handler", map[string]string{"main.js": "process.on('SIGTERM', () => {})\nexports.handler = async () => 1\n"})
		},
		"provided": func(r rig) *Spec { return r.provided(t) },
		"inner": func(r rig) *Spec {
			spec := r.provided(t)
			spec.Environment["INNER"] = "1"
			return spec
		},
	} {
		r := newRig(t, nil)
		spec := prepare(r)
		if name != "inner" {
			r.extend(t, spec, "recorder")
		}
		want(t, name+": function error", r.call(t, spec, `{}`).FunctionError, "")
		waitFor(t, name+": the sandbox to be free", func() bool { return r.idle(spec) == 1 })
		r.Retire(spec.ID)
		waitFor(t, name+": the end", func() bool { return r.sandboxes() == 0 })
		if name == "inner" {
			waitFor(t, "the runtime's last word", func() bool { return strings.Contains(r.logs.text(), "runtime got terminated") })
			wantLines(t, r.logs.text(), `EXTENSION\tName: inner\tState: Ready\tEvents: \[\]`, "REPORT .*", "runtime got terminated")
		} else {
			waitFor(t, name+": the last event", func() bool { return strings.Contains(r.logs.text(), "recorder got SHUTDOWN spindown") })
		}
	}
}

// idle counts a function's idle sandboxes.
func (r rig) idle(spec *Spec) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.pools[spec.ID]; p != nil {
		return len(p.idle)
	}
	return 0
}

// TestAnswersDontWaitForExtensions has an extension that goes on after the
// answer: its sandbox isn't free before it is done.
func TestAnswersDontWaitForExtensions(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.extend(t, r.python(t, goodbye), "slow")
	r.call(t, spec, `{}`)
	want(t, "free sandboxes after the answer", r.idle(spec), 0)
	waitFor(t, "the sandbox to be free", func() bool { return r.idle(spec) == 1 })

	late := r.extend(t, r.python(t, goodbye), "slow")
	late.Timeout = 500 * time.Millisecond
	want(t, "function error", r.call(t, late, `{}`).FunctionError, "")
	waitFor(t, "the end", func() bool { return strings.Contains(r.logs.text(), "slow got SHUTDOWN timeout") })
}

func TestExtensionsHearWhyItEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	exits := r.extend(t, r.python(t, goodbye), "recorder")
	if res := r.call(t, exits, `"exit"`); !strings.Contains(string(res.Payload), "Runtime exited with error: exit status 9") {
		t.Errorf("payload %s", res.Payload)
	}
	waitFor(t, "the end", func() bool { return strings.Contains(r.logs.text(), "recorder got SHUTDOWN failure") })
	hangs := r.extend(t, r.python(t, "import time\ndef handler(e, c):\n    time.sleep(30)\n"), "recorder")
	hangs.Timeout = time.Second
	if res := r.call(t, hangs, `{}`); !strings.Contains(string(res.Payload), "Task timed out after 1.00 seconds") {
		t.Errorf("payload %s", res.Payload)
	}
	waitFor(t, "the end", func() bool { return strings.Contains(r.logs.text(), "recorder got SHUTDOWN timeout") })
	waitFor(t, "the sandboxes to be gone", func() bool { return r.sandboxes() == 0 })
}

func TestExtensionsThatFail(t *testing.T) {
	t.Parallel()
	for name, wanted := range map[string]struct{ kind, message, state string }{
		"crash":   {"Extension.Crash", "exit status 3", "Started"},
		"refuses": {"Extension.NoLicense", "Extension.NoLicense", "InitError"},
	} {
		r := newRig(t, nil)
		spec := r.extend(t, r.python(t, goodbye), name)
		res := r.call(t, spec, `{}`)
		payload := regexp.MustCompile(`^{"errorType":"` + wanted.kind + `","errorMessage":"RequestId: [0-9a-f-]{36} Error: ` + wanted.message + `"}$`)
		if !payload.Match(res.Payload) {
			t.Errorf("%s: payload %s", name, res.Payload)
		}
		wantLines(t, r.logs.text(), `EXTENSION\tName: `+name+`\tState: `+wanted.state+`\tEvents: .*\tError Type: `+wanted.kind,
			`INIT_REPORT Init Duration: .* ms\tPhase: init\tStatus: error\tError Type: `+wanted.kind,
			`INIT_REPORT Init Duration: .* ms\tPhase: invoke\tStatus: error\tError Type: `+wanted.kind)
	}
	r := newRig(t, nil)
	spec := r.extend(t, r.python(t, goodbye), "fragile")
	first := r.call(t, spec, `{}`)
	if first.FunctionError == "" { // the handler may have been faster
		want(t, "payload", string(first.Payload), `"127.0.0.1"`)
	}
	waitFor(t, "the sandbox to go", func() bool { return r.sandboxes() == 0 })
	broken := r.extend(t, r.python(t, goodbye))
	if err := os.WriteFile(filepath.Join(broken.Layers[0], "extensions", "text"), []byte("no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	if res := r.call(t, broken, `{}`); !strings.Contains(string(res.Payload), "Extension.LaunchError") || !strings.Contains(string(res.Payload), "exec format error") {
		t.Errorf("payload %s", res.Payload)
	}
}

func TestExtensionAPIRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.call(t, r.extend(t, r.python(t, goodbye), "strict"), `{}`)
	wantLines(t, r.logs.text(),
		`strict: 403 {"errorMessage":"Empty extension name","errorType":"Extension.InvalidExtensionName"}`,
		`strict: 403 {"errorMessage":"NONE: ErrorInvalidEventType","errorType":"Extension.InvalidEventType"}`,
		`strict: 403 {"errorMessage":"SHUTDOWN: ErrorInvalidEventType","errorType":"Extension.InvalidEventType"}`,
		`strict: 403 {"errorMessage":".*","errorType":"InvalidRequestFormat"}`,
		`strict: 403 {"errorMessage":"Missing Lambda-Extension-Identifier header","errorType":"Extension.MissingExtensionIdentifier"}`,
		`strict: 403 {"errorMessage":"Invalid Lambda-Extension-Identifier","errorType":"Extension.InvalidExtensionIdentifier"}`,
		`strict: 403 {"errorMessage":"Unknown extension 00000000-0000-0000-0000-000000000000","errorType":"Extension.UnknownExtensionIdentifier"}`,
		`EXTENSION\tName: strict\tState: Ready\tEvents: \[INVOKE, SHUTDOWN\]`)
}

// TestExtensionsMayPrintALot has an extension print more than a pipe holds after
// the answer: it must not wait for the next call.
func TestExtensionsMayPrintALot(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.extend(t, r.python(t, goodbye), "verbose")
	want(t, "function error", r.call(t, spec, `{}`).FunctionError, "")
	waitFor(t, "the sandbox to be free", func() bool { return r.idle(spec) == 1 })
	want(t, "lines", strings.Count(r.logs.text(), "verbose says"), 20_000)
}
