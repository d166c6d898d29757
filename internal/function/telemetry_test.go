package function

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// listener is an extension that subscribes as the variable SUBSCRIBE says
// ("path body", where PORT is a free port's place), and prints what it gets. It
// says nothing of its own lines, or there would be no end to it.
func listener(name string) {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API")
	ask := func(method, path, body, id string) (*http.Response, string) {
		req, err := http.NewRequest(method, base+path, strings.NewReader(body))
		if err != nil {
			os.Exit(4)
		}
		req.Header.Set("Lambda-Extension-Name", name)
		req.Header.Set("Lambda-Extension-Identifier", id)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			os.Exit(5)
		}
		text, _ := io.ReadAll(res.Body)
		return res, strings.TrimSpace(string(text))
	}
	got := make(chan string, 1000)
	port, subscription := "8080", os.Getenv("SUBSCRIBE")
	l, err := net.Listen("tcp", "sandbox.localdomain:"+port)
	if err != nil {
		fmt.Println(err)
		os.Exit(6)
	}
	if strings.Contains(subscription, toTCP) {
		go func() {
			c, err := l.Accept()
			if err != nil {
				os.Exit(7)
			}
			for lines := bufio.NewScanner(c); lines.Scan(); {
				got <- lines.Text()
			}
		}()
	} else {
		go http.Serve(l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			var events []json.RawMessage
			if err := json.NewDecoder(r.Body).Decode(&events); err != nil {
				os.Exit(8)
			}
			for _, e := range events {
				got <- r.Method + " " + r.URL.Path + " " + string(e)
			}
		}))
	}
	res, _ := ask("POST", "/2020-01-01/extension/register", `{"events":["INVOKE","SHUTDOWN"]}`, "")
	id := res.Header.Get("Lambda-Extension-Identifier")
	for attempt := range strings.SplitSeq(subscription, "\n") {
		path, body, _ := strings.Cut(attempt, " ")
		res, text := ask("PUT", path, strings.ReplaceAll(body, "PORT", port), id)
		fmt.Println("subscribed:", res.StatusCode, text)
	}
	go func() {
		for e := range got {
			if !strings.Contains(e, "got ") {
				fmt.Println("got", e)
			}
		}
	}()
	for {
		_, event := ask("GET", "/2020-01-01/extension/event/next", "", id)
		if strings.Contains(event, "SHUTDOWN") {
			for deadline := time.Now().Add(time.Second); time.Now().Before(deadline) && os.Getenv("WAIT") != ""; {
				time.Sleep(10 * time.Millisecond)
			}
			os.Exit(0)
		}
		fmt.Println("an event came")
	}
}

// subscription is a listener's.
func subscription(path, schema, types, destination string) string {
	if types != "" {
		types = `"` + strings.ReplaceAll(types, " ", `","`) + `"`
	}
	return fmt.Sprintf(`%s {"schemaVersion":%q,"types":[%s],"buffering":{"timeoutMs":25},"destination":{%s}}`, path, schema, types, destination)
}

const (
	telemetryPath = "/2022-07-01/telemetry"
	logsPath      = "/2020-08-15/logs"
	toHTTP        = `"protocol":"HTTP","URI":"http://sandbox.localdomain:PORT/events"`
	toTCP         = `"protocol":"TCP","port":PORT`
)

// shape replaces what differs from run to run in an event.
func shape(event string) string {
	for _, mask := range []struct{ pattern, by string }{
		{`\d{4}-\d\d-\d\dT[0-9:.]*Z`, "<time>"},
		{`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`, "<id>"},
		{`(Ms|Bytes|MB)":[0-9.]+`, `$1":N`},
		{`runtime:[0-9a-f]{64}`, "runtime:<hash>"},
		{`\d{4}/\d\d/\d\d/demo\[\$LATEST\][0-9a-f]{32}`, "<instance>"},
		{`(3\.1[12])\.v\d+`, "$1.v<n>"},
	} {
		event = regexp.MustCompile(mask.pattern).ReplaceAllString(event, mask.by)
	}
	return event
}

// received lists what a listener got, by its log.
func (r rig) received() (events []string) {
	for line := range strings.Lines(r.logs.text()) {
		if event, ok := strings.CutPrefix(line, "got "); ok {
			events = append(events, shape(strings.TrimSpace(event)))
		}
	}
	return events
}

// TestTelemetry has a Python function called twice beside an extension that
// wants all there is.
func TestTelemetry(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.extend(t, r.python(t, "print('loading')\ndef handler(e, c):\n    print('working')\n    return 'four'\n"), "listener")
	spec.Environment = map[string]string{"SUBSCRIBE": subscription(telemetryPath, "2022-12-13", "platform function extension", toHTTP), "WAIT": "1"}
	for range 2 {
		want(t, "payload", string(r.call(t, spec, `{}`).Payload), `"four"`)
		waitFor(t, "the sandbox to be free", func() bool { return r.idle(spec) == 1 })
	}
	r.Retire(spec.ID)
	waitFor(t, "the end", r.empty)
	const start = `{"time":"<time>","type":"platform.start","record":{"requestId":"<id>","functionArn":"arn:aws:lambda:eu-west-1:000000000000:function:demo","version":"$LATEST"}}`
	const done = `{"time":"<time>","type":"platform.runtimeDone","record":{"requestId":"<id>","status":"success","spans":[{"name":"responseLatency","start":"<time>","durationMs":N},{"name":"responseDuration","start":"<time>","durationMs":N}],"metrics":{"durationMs":N,"producedBytes":N}}}`
	const overhead = `,"status":"success","spans":[{"name":"extensionOverhead","start":"<time>","durationMs":N}]}}`
	wanted := []string{
		`{"time":"<time>","type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init","runtimeVersion":"python:3.11.v<n>","runtimeVersionArn":"arn:aws:lambda:eu-west-1::runtime:<hash>","functionName":"demo","functionVersion":"$LATEST","instanceId":"<instance>","instanceMaxMemory":134217728}}`,
		`{"time":"<time>","type":"platform.telemetrySubscription","record":{"name":"listener","state":"Subscribed","types":["platform","function","extension"]}}`,
		`{"time":"<time>","type":"function","record":"loading\n"}`,
		`{"time":"<time>","type":"platform.initRuntimeDone","record":{"initializationType":"on-demand","phase":"init","status":"success"}}`,
		`{"time":"<time>","type":"platform.extension","record":{"name":"listener","state":"Ready","events":["INVOKE","SHUTDOWN"]}}`,
		`{"time":"<time>","type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","status":"success","metrics":{"durationMs":N}}}`,
		start, `{"time":"<time>","type":"function","record":"working\n"}`, done,
		`{"time":"<time>","type":"platform.report","record":{"requestId":"<id>","metrics":{"durationMs":N,"billedDurationMs":N,"memorySizeMB":N,"maxMemoryUsedMB":N,"initDurationMs":N}` + overhead,
		start, `{"time":"<time>","type":"function","record":"working\n"}`, done,
		`{"time":"<time>","type":"platform.report","record":{"requestId":"<id>","metrics":{"durationMs":N,"billedDurationMs":N,"memorySizeMB":N,"maxMemoryUsedMB":N}` + overhead,
	}
	// What the extension prints comes when it likes.
	var told []string
	extension := 0
	for _, e := range r.received() {
		e = strings.TrimPrefix(e, "POST /events ")
		if strings.Contains(e, `"type":"extension"`) {
			extension++
		} else {
			told = append(told, e)
		}
	}
	want(t, "events", strings.Join(told, "\n"), strings.Join(wanted, "\n"))
	if extension < 3 {
		t.Errorf("%d lines of the extension's own, of which there were at least 3", extension)
	}
	wantLines(t, r.logs.text(), "INIT_START .*", "listener starts .*", `TELEMETRY\tName: listener\tState: Subscribed\tTypes: \[Platform, Function, Extension\]`,
		"loading", `EXTENSION\tName: listener\t.*`, "START .*", "working", "END .*", "REPORT .*", "START .*", "END .*", "REPORT .*")
}

// TestTelemetryOfPrograms is about a program that speaks the Runtime API, an
// extension that listens for lines, and the Logs API.
func TestTelemetryOfPrograms(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		subscription string
		wanted       []string
	}{
		"tcp": {subscription(telemetryPath, "2022-07-01", "platform function", toTCP), []string{
			`"type":"platform.initStart"`, `"type":"platform.telemetrySubscription"`, `"type":"platform.initRuntimeDone"`, `"type":"platform.extension"`, `"type":"platform.initReport"`,
			`"type":"platform.start"`, `"type":"function","record":"event \"exit\"\n"}`,
			`"type":"platform.fault","record":"RequestId: <id> Error: Runtime exited with error: exit status 7\nRuntime.ExitError\n"}`,
			`"type":"platform.runtimeDone","record":{"requestId":"<id>","status":"error","errorType":"Runtime.ExitError","metrics":{"durationMs":N,"producedBytes":N}}}`,
			`"type":"platform.report","record":{"requestId":"<id>","metrics":{"durationMs":N,"billedDurationMs":N,"memorySizeMB":N,"maxMemoryUsedMB":N,"initDurationMs":N},"status":"error","errorType":"Runtime.ExitError"`,
		}},
		"logs": {subscription(logsPath, "2020-08-15", "platform function", toHTTP+`,"method":"PUT"`), []string{
			`PUT /events {"time":"<time>","type":"platform.logsSubscription","record":{"name":"listener","state":"Subscribed","types":["platform","function"]}}`,
			`"type":"platform.extension"`, `"type":"platform.start"`, `"type":"function"`, `"type":"platform.fault"`,
			`"type":"platform.end","record":{"requestId":"<id>"}}`, `"type":"platform.report"`,
		}},
		"done": {strings.Replace(subscription(logsPath, "2021-03-18", "platform", toHTTP), `"method":"POST"`, "", 1), []string{
			`POST /events {"time":"<time>","type":"platform.initStart"`, `"type":"platform.logsSubscription"`, `"type":"platform.initRuntimeDone"`, `"type":"platform.extension"`, `"type":"platform.initReport"`,
			`"type":"platform.start"`, `"type":"platform.fault"`, `"type":"platform.runtimeDone"`, `"type":"platform.end"`, `"type":"platform.report"`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			spec := r.extend(t, r.provided(t), "listener")
			spec.Environment["SUBSCRIBE"], spec.Environment["WAIT"] = tt.subscription, "1"
			r.call(t, spec, `"exit"`)
			waitFor(t, "the end", r.empty)
			events := r.received()
			// Whether the program or the extension is ready first is chance.
			if len(events) > 2 && strings.Contains(events[1], `"platform.initRuntimeDone"`) {
				events[1], events[2] = events[2], events[1]
			}
			for n, e := range events {
				if n < len(tt.wanted) && !strings.Contains(e, tt.wanted[n]) {
					t.Errorf("event %d is %s, which lacks %s", n, e, tt.wanted[n])
				}
			}
			want(t, "number of events", len(events), len(tt.wanted))
		})
	}
}

// TestTelemetryOfJSONLogs shows lines that are JSON objects as such, if the
// schema is new enough.
func TestTelemetryOfJSONLogs(t *testing.T) {
	t.Parallel()
	for schema, wanted := range map[string]string{
		"2022-07-01": `"type":"function","record":"{\"timestamp\": \"<time>\", \"level\": \"WARNING\", \"message\": \"careful\", \"logger\": \"root\", \"requestId\": \"<id>\"}\n"}`,
		"2025-01-29": `"type":"function","record":{"timestamp":"<time>","level":"WARNING","message":"careful","logger":"root","requestId":"<id>"}}`,
	} {
		r := newRig(t, nil)
		spec := r.extend(t, r.python(t, "import logging\ndef handler(e, c):\n    logging.warning('careful')\n"), "listener")
		spec.LogFormat = "JSON"
		spec.Environment = map[string]string{"SUBSCRIBE": subscription(telemetryPath, schema, "function", toHTTP), "WAIT": "1"}
		r.call(t, spec, `{}`)
		r.Retire(spec.ID)
		waitFor(t, "the end", r.empty)
		if events := r.received(); len(events) != 1 || !strings.HasSuffix(events[0], wanted) {
			t.Errorf("%s: %s", schema, events)
		}
	}
}

func TestTelemetryRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.extend(t, r.provided(t), "listener")
	good := subscription(telemetryPath, "2022-12-13", "platform", toHTTP)
	attempts := []struct{ subscription, answer string }{
		{subscription(telemetryPath, "2022-12-13", "", `"protocol":"HTTP","URI":"http://sandbox.localdomain"`), `400 {"errorMessage":"URI port is not provided; types should not be empty","errorType":"ValidationError"}`},
		{subscription(logsPath, "2020-08-15", "", `"protocol":"HTTP","URI":"http://sandbox.localdomain"`), `400 {"errorMessage":"URI port is not provided; types should not be empty","errorType":"Logs.ValidationError"}`},
		{subscription(telemetryPath, "1999-01-01", "platform", toHTTP), `400 {"errorMessage":"schemaVersion should be one of [2022-07-01, 2022-12-13, 2025-01-29]","errorType":"ValidationError"}`},
		{subscription(telemetryPath, "2022-12-13", "platform", `"protocol":"HTTP","URI":"http://example.com:80"`), `400 {"errorMessage":"URI host must be sandbox.localdomain","errorType":"ValidationError"}`},
		{subscription(telemetryPath, "2022-12-13", "platform", `"protocol":"UDP"`), `400 {"errorMessage":"protocol should be HTTP or TCP","errorType":"ValidationError"}`},
		{subscription(telemetryPath, "2022-12-13", "platform", `"protocol":"TCP","port":9001`), `400 {"errorMessage":"port 9001 is reserved","errorType":"ValidationError"}`},
		{strings.Replace(good, `"timeoutMs":25`, `"timeoutMs":24,"maxItems":10001,"maxBytes":1`, 1), `400 {"errorMessage":"buffering.maxItems should be between 1000 and 10000; buffering.maxBytes should be between 262144 and 1048576; buffering.timeoutMs should be between 25 and 30000","errorType":"ValidationError"}`},
		{good, `200 "OK"`},
		{good, `200 "OK"`},
		{subscription(logsPath, "2020-08-15", "platform", toHTTP), `400 {"errorMessage":"the extension has subscribed with the Telemetry API already","errorType":"Logs.ValidationError"}`},
	}
	var all, lines []string
	for _, a := range attempts {
		all = append(all, a.subscription)
		lines = append(lines, "subscribed: "+regexp.QuoteMeta(a.answer))
	}
	spec.Environment["SUBSCRIBE"], spec.Environment["WAIT"] = strings.Join(all, "\n"), "1"
	r.call(t, spec, `{}`)
	wantLines(t, r.logs.text(), lines...)
	r.Retire(spec.ID)
	waitFor(t, "the end", r.empty)
	starts := slices.DeleteFunc(r.received(), func(e string) bool { return !strings.Contains(e, "platform.initStart") })
	want(t, "deliveries of an event to one who has subscribed twice", len(starts), 1)
}

// empty tells whether all sandboxes have ended, with their last words said.
func (r rig) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all) == 0
}
