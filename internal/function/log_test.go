package function

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function/bootstrap"
	"github.com/butai-dev/butai/internal/ident"
)

// masked replaces what differs from run to run, so that whole logs compare.
func masked(text string) string {
	for _, mask := range []struct{ pattern, by string }{
		{`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, "<id>"},
		{`runtime:[0-9a-f]{64}`, "runtime:<hash>"},
		{`Duration: \d+\.\d\d ms`, "Duration: <ms> ms"},
		{`Billed Duration: \d+ ms`, "Billed Duration: <ms> ms"},
		{`Memory Used: \d+ MB`, "Memory Used: <mb> MB"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z`, "<time>"},
		{`python:3\.11\.v\d+`, "python:3.11.v<n>"},
	} {
		text = regexp.MustCompile(mask.pattern).ReplaceAllString(text, mask.by)
	}
	return text
}

const (
	initStart = "INIT_START Runtime Version: python:3.11.v<n>\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:<hash>\n"
	started   = "START RequestId: <id> Version: $LATEST\n"
	ended     = "END RequestId: <id>\n"
	reported  = "REPORT RequestId: <id>\tDuration: <ms> ms\tBilled Duration: <ms> ms\tMemory Size: 128 MB\tMax Memory Used: <mb> MB\t"
	initTook  = "Init Duration: <ms> ms\t"
)

func TestLogs(t *testing.T) {
	t.Parallel()
	const importError = "[ERROR] Runtime.ImportModuleError: Unable to import module 'main': No module named 'nosuch'\nTraceback (most recent call last):"
	tests := []struct{ name, code, log string }{
		{"quiet", "def handler(e, c):\n    pass\n", initStart + started + ended + reported + initTook + "\n"},
		{"prints", `
import sys, os, logging
print('loading')
def handler(e, c):
    print('one')
    sys.stderr.write('two\n')
    os.system('echo three')
    logging.warning('four')
    logging.info('not shown')
    c.log('five\n')
    sys.stdout.write('six')
`, initStart + "loading\n" + started + "one\ntwo\nthree\n[WARNING]\t<time>\t<id>\tfour\nfive\nsix" + ended + reported + initTook + "\n"},
		{"exception", "def handler(e, c):\n    raise KeyError('k')\n",
			initStart + started + "[ERROR] KeyError: 'k'\nTraceback (most recent call last):\n\u00a0\u00a0File \"/var/task/main.py\", line 2, in handler\n\u00a0\u00a0\u00a0\u00a0raise KeyError('k')" + ended + reported + initTook + "\n"},
		{"import error", "import nosuch\n",
			initStart + importError + "INIT_REPORT Init Duration: <ms> ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n" +
				importError + "INIT_REPORT Init Duration: <ms> ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError\n" +
				started + ended + reported + "Status: error\tError Type: Runtime.ImportModuleError\n"},
		{"exit", "import sys\ndef handler(e, c):\n    print('bye')\n    sys.exit(1)\n",
			initStart + started + "bye\nRequestId: <id> Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n" + ended + reported + initTook + "Status: error\tError Type: Runtime.ExitError\n"},
		{"exit in the init phase", "import os\nprint('up')\nos._exit(3)\n",
			initStart + "up\nINIT_REPORT Init Duration: <ms> ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n" +
				"up\nINIT_REPORT Init Duration: <ms> ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n" +
				started + "RequestId: <id> Error: Runtime exited with error: exit status 3\nRuntime.ExitError\n" + ended + reported + "Status: error\tError Type: Runtime.ExitError\n"},
		{"timeout", "import time\ndef handler(e, c):\n    print('slow')\n    time.sleep(9)\n",
			initStart + started + "slow\n" + ended + "REPORT RequestId: <id>\tDuration: <ms> ms\tBilled Duration: <ms> ms\tMemory Size: 128 MB\tMax Memory Used: <mb> MB\t" + initTook + "Status: timeout\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			spec := r.python(t, tt.code)
			if spec.Timeout = 20 * time.Second; tt.name == "timeout" {
				spec.Timeout = 500 * time.Millisecond
			}
			res := r.call(t, spec, `{}`)
			if got := masked(r.logs.text()); got != tt.log {
				t.Errorf("log\n%q\nwant\n%q", got, tt.log)
			}
			tail := masked(string(res.LogTail))
			if !strings.HasSuffix(tt.log, tail) || !strings.Contains(tail, started) {
				t.Errorf("tail %q is no end of the log", tail)
			}
		})
	}
}

// TestOutOfMemoryIsReported looks at what the log says of a function that is
// ended at its memory limit.
func TestOutOfMemoryIsReported(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	skipWithoutMemoryLimit(t, r)
	spec := r.python(t, "def handler(e, c):\n    b = []\n    while True:\n        b.append(bytearray(8 << 20))\n")
	spec.Timeout = 10 * time.Second
	res := r.call(t, spec, `{}`)
	report := regexp.MustCompile(`(?s)RequestId: [0-9a-f-]{36} Error: Runtime exited with error: signal: killed\nRuntime\.OutOfMemory\nEND .*Memory Size: 128 MB\tMax Memory Used: 12[5-8] MB\t.*Status: error\tError Type: Runtime\.OutOfMemory\n$`)
	if !report.Match(res.LogTail) {
		t.Errorf("the log ends with %s", res.LogTail)
	}
}

func TestLogTailIsTheLast4K(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, "def handler(e, c):\n    for n in range(5000):\n        print('line', n)\n")
	res := r.call(t, spec, `{}`)
	want(t, "length", len(res.LogTail), 4096)
	if !strings.Contains(string(res.LogTail), "line 4999\nEND") {
		t.Errorf("tail %q", res.LogTail)
	}
	log := r.logs.text()
	for n := range 5000 {
		if !strings.Contains(log, fmt.Sprintf("\nline %d\n", n)) {
			t.Fatalf("line %d is missing from the log", n)
		}
	}
	want(t, "lines", strings.Count(log, "\n"), 5004)
}

func TestLogsArriveWhileTheFunctionRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, "import time\ndef handler(e, c):\n    print('early')\n    time.sleep(2.5)\n")
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.call(t, spec, `{}`)
	}()
	deadline := time.After(2 * time.Second)
	for !strings.Contains(r.logs.text(), "early\n") {
		select {
		case <-done:
			t.Fatal("the line only came with the end")
		case <-deadline:
			t.Fatal("no line within two seconds")
		case <-time.After(5 * time.Millisecond):
		}
	}
	<-done
}

// TestTracedCallsTellTheirTrace also in the tail, and for calls that fail.
func TestTracedCallsTellTheirTrace(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, "def handler(e, c):\n    return 1 / e\n")
	spec.TracingMode = TracingActive
	for payload, sampled := range map[string]string{"1": "1", "0": "0"} {
		res, err := r.Invoke(t.Context(), spec, &Request{
			RequestID: ident.UUID(), Payload: []byte(payload), Tail: true,
			TraceID: "Root=1-5f000001-0123456789abcdef01234567;Parent=89abcdef01234567;Sampled=" + sampled + ";Lineage=1:0:0",
		})
		if err != nil {
			t.Fatal(err)
		}
		end := "\t\nXRAY TraceId: 1-5f000001-0123456789abcdef01234567\tSegmentId: 89abcdef01234567\tSampled: " + strconv.FormatBool(sampled == "1") + "\t\n"
		if !strings.HasSuffix(string(res.LogTail), end) || !strings.Contains(r.logs.text(), end) {
			t.Errorf("the tail is %q and the log %q", res.LogTail, r.logs.text())
		}
	}
}

func TestJSONLogs(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, "import logging\ndef handler(e, c):\n    logging.getLogger('app').error('hey %d', 1)\n")
	spec.LogFormat = "JSON"
	r.call(t, spec, `{}`)
	lines := strings.Split(strings.TrimSpace(r.logs.text()), "\n")
	want(t, "lines", len(lines), 4)
	var kinds []string
	for _, line := range lines {
		record := decode[struct{ Type, Level, Message, Logger string }](t, []byte(line))
		kinds = append(kinds, record.Type+record.Level)
		if record.Level != "" {
			want(t, "message", record.Message+" "+record.Logger, "hey 1 app")
		}
	}
	want(t, "kinds", strings.Join(kinds, " "), "platform.initStart platform.start ERROR platform.report")
}

// TestJSONLogsOfPython are records as AWS's runtime client writes them: what a
// call adds is there, and exceptions are in members of their own.
func TestJSONLogsOfPython(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, "import logging\ndef handler(e, c):\n    logging.warning('w', extra={'order': 7})\n    try:\n        raise ValueError(3)\n    except ValueError:\n        logging.exception('x')\n")
	spec.LogFormat = "JSON"
	r.call(t, spec, `{}`)
	for _, want := range []string{
		`{"timestamp": "<time>", "level": "WARNING", "message": "w", "logger": "root", "requestId": "<id>", "order": 7}`,
		`{"timestamp": "<time>", "level": "ERROR", "message": "x", "logger": "root", "stackTrace": ["  File \"/var/task/main.py\", line 5, in handler\n    raise ValueError(3)\n"], ` +
			`"errorType": "ValueError", "errorMessage": "3", "requestId": "<id>", "location": "/var/task/main.py:handler:7"}`,
	} {
		text := regexp.MustCompile(`"timestamp": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`).ReplaceAllString(r.logs.text(), `"timestamp": "<time>"`)
		text = regexp.MustCompile(`"requestId": "[0-9a-f-]{36}"`).ReplaceAllString(text, `"requestId": "<id>"`)
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// TestWatchLeavesTheNextCallsLog has the watch look when the process has begun
// the next call already, before and after the end of the one that it means.
func TestWatchLeavesTheNextCallsLog(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	l := &logWriter{spec: &Spec{}, clock: clock.System{}}
	l.attach(read, nil)
	defer l.detach()
	prints := func(text string) {
		if _, err := write.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(id string) {
		req := &Request{RequestID: id, Tail: true}
		l.begin(req)
		l.start(req)
	}
	ends := func(id, want string) {
		t.Helper()
		tail := string(l.finish("", logMarked, &report{requestID: id}, false))
		_, tail, _ = strings.Cut(tail, "\n") // START
		if got, _, _ := strings.Cut(tail, "END"); got != want {
			t.Errorf("the log of call %s is %q, want %q", id, got, want)
		}
	}
	mark := func(id string) string { return string(bootstrap.EndMark(id)) }
	begin("a")
	prints("one\n" + mark("a") + "two\n" + mark("b"))
	l.passOn(1)
	prints("three\n" + mark("c"))
	l.passOn(1)
	ends("a", "one\n")
	l.passOn(1)
	begin("b")
	ends("b", "two\n")
	prints("four\n" + mark("d"))
	l.passOn(2)
	begin("c")
	ends("c", "three\n")
	begin("d")
	ends("d", "four\n")
}
