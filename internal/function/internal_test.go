package function

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// inner is a handler whose process registers an extension of its own, which
// wants to hear of calls, and to be told before it is killed.
const inner = `
import json, os, signal, sys, threading, time, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"]
def ask(method, path, body=None, **headers):
    headers = {"Lambda-Extension-" + k.capitalize(): v for k, v in headers.items()}
    request = urllib.request.Request(api + path, body and json.dumps(body).encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.headers.get("Lambda-Extension-Identifier"), answer.read().decode()
    except urllib.error.HTTPError as e:
        return None, e.read().decode()
def register(name):
    return ask("POST", "/2020-01-01/extension/register", {"events": ["INVOKE"]}, name=name)
me, answer = register("inner")
print("registered:", answer)
def follow():
    while True:
        event = json.loads(ask("GET", "/2020-01-01/extension/event/next", identifier=me)[1])
        print("inner got", event["eventType"], event["requestId"] != "")
threading.Thread(target=follow, daemon=True).start()
def leave(signum, frame):
    print("runtime got", signum)
    while os.environ.get("STUBBORN"):
        time.sleep(1)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
def handler(event, context):
    return register("late")[1]
`

// TestInternalExtensions has the process of a runtime that speaks frames
// register an extension: in a process of its own, and in a spare.
func TestInternalExtensions(t *testing.T) {
	t.Parallel()
	for name, spares := range map[string]int{"fresh": NoSpares, "spare": 1} {
		r := newRig(t, func(c *Config) { c.Spares = spares })
		if spares > 0 {
			r.call(t, r.python(t, counting), `{}`)
			waitFor(t, "a spare", r.spare)
		}
		spec := r.python(t, inner)
		for range 2 {
			want(t, name+": late registration", strings.TrimSpace(r.answer(t, spec)), `{"errorMessage":"Extension registration closed already","errorType":"Extension.RegistrationClosed"}`)
			waitFor(t, "the sandbox to be free", func() bool { return r.idle(spec) == 1 })
		}
		i := r.resting(spec)
		want(t, name+": process of its own", i.spareless, spares < 0)
		r.Retire(spec.ID)
		waitFor(t, "the end", func() bool { return strings.Contains(r.logs.text(), "runtime got 15") })
		wantLines(t, r.logs.text(), `registered: {"functionName":"demo","functionVersion":"\$LATEST","handler":"main.handler"}`,
			`EXTENSION\tName: inner\tState: Ready\tEvents: \[INVOKE\]`, "START .*", "inner got INVOKE True", "END .*", "START .*", "inner got INVOKE True", "END .*", "runtime got 15")
	}
}

const innerNode = `
const base = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2020-01-01/extension/'
const answer = await fetch(base + 'register', { method: 'POST', headers: { 'Lambda-Extension-Name': 'inner' }, body: '{"events":["INVOKE"]}' })
const headers = { 'Lambda-Extension-Identifier': answer.headers.get('Lambda-Extension-Identifier') }
async function follow() {
  for (;;) {
    const event = await (await fetch(base + 'event/next', { headers })).json()
    console.log('inner got', event.eventType)
  }
}
follow()
process.on('SIGTERM', () => { console.log('node leaves'); process.exit(0) })
export const handler = async () => 1
`

// TestInternalExtensionOfNode has an extension live in Node.js's own event loop.
func TestInternalExtensionOfNode(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.function(t, "nodejs20.x", "main.handler", map[string]string{"main.mjs": innerNode})
	spec.Timeout = 10 * time.Second
	for range 2 {
		want(t, "payload", string(r.call(t, spec, `{}`).Payload), "1")
		waitFor(t, "the sandbox to be free", func() bool { return r.idle(spec) == 1 })
	}
	r.Retire(spec.ID)
	waitFor(t, "the end", r.empty)
	wantLines(t, r.logs.text(), `EXTENSION\tName: inner\tState: Ready\tEvents: \[INVOKE\]`, "START .*", ".*inner got INVOKE", "START .*", ".*inner got INVOKE", ".*node leaves")
}

// TestShutdownPhases is about how long sandboxes have to end: without
// extensions no time at all, with internal ones until the runtime has ended or
// half a second has gone by, with external ones two seconds.
func TestShutdownPhases(t *testing.T) {
	t.Parallel()
	const polite = "import signal, sys\ndef leave(*_):\n    print('runtime leaves')\n    sys.exit(0)\nsignal.signal(signal.SIGTERM, leave)\ndef handler(e, c):\n    print('called')\n"
	const stubborn = "import signal, time\ndef stay(*_):\n    print('runtime stays')\n    time.sleep(60)\n    print('runtime has stayed')\nsignal.signal(signal.SIGTERM, stay)\ndef handler(e, c):\n    print('called')\n"
	for name, tt := range map[string]struct {
		code       string
		env        map[string]string
		extensions []string
		lines      []string // from the call on
		never      string
	}{
		"none":             {polite, nil, nil, []string{"called"}, "runtime leaves"},
		"internal":         {inner, nil, nil, []string{"START .*", "runtime got 15"}, "spindown"},
		"stubborn runtime": {inner, map[string]string{"STUBBORN": "1"}, nil, []string{"START .*", "runtime got 15"}, "spindown"},
		"external":         {polite, nil, []string{"thorough", "recorder"}, []string{"called", "runtime leaves", "thorough got SHUTDOWN spindown", "thorough is done"}, "stays"},
		"stubborn all":     {stubborn, nil, []string{"stubborn"}, []string{"called", "runtime stays", "stubborn got SHUTDOWN spindown", "stubborn has true"}, "has stayed"},
		"told nothing":     {stubborn, nil, []string{"deaf"}, []string{"called", "runtime stays"}, "SHUTDOWN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			spec := r.python(t, tt.code)
			if tt.extensions != nil {
				r.extend(t, spec, tt.extensions...)
			}
			spec.Environment = tt.env
			r.call(t, spec, `{}`)
			waitFor(t, "the sandbox to be free", func() bool { return r.idle(spec) == 1 })
			r.Retire(spec.ID)
			waitFor(t, "the end", r.empty)
			log := r.logs.text()
			wantLines(t, log, tt.lines...)
			if regexp.MustCompile(tt.never).MatchString(log) {
				t.Errorf("%q in\n%s", tt.never, log)
			}
		})
	}
}

// answer calls a function and returns the text that it answers.
func (r rig) answer(t *testing.T, spec *Spec) string {
	t.Helper()
	text := strings.Trim(string(r.call(t, spec, `{}`).Payload), `"`)
	return strings.ReplaceAll(strings.ReplaceAll(text, `\n`, "\n"), `\"`, `"`)
}

// spare tells whether there is one.
func (r rig) spare() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, sh := range r.shelves {
		if len(sh.ready) > 0 {
			return true
		}
	}
	return false
}

// TestNodeBesideAnExtension: the event loop goes on between calls then, for
// signals, and still ends calls when it is empty.
func TestNodeBesideAnExtension(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.endingSlack = 30 * time.Second })
	spec := r.extend(t, r.function(t, "nodejs20.x", "main.handler", map[string]string{"main.js": `
process.on('SIGTERM', () => { console.log('node leaves'); process.exit(0) })
exports.handler = (event, context, callback) => {
  if (event.size) return callback(null, 'x'.repeat(event.size))
  setTimeout(() => callback(null, event), 5)
}
exports.never = async () => { await new Promise(() => {}) }`}), "recorder")
	for _, event := range []string{`"a"`, `{"b":[1,2]}`, `"` + strings.Repeat("long", 100_000) + `"`} {
		want(t, "answer", string(r.call(t, spec, event).Payload), event)
		waitFor(t, "the sandbox to be free", func() bool { return r.idle(spec) == 1 })
	}
	want(t, "length of a long answer", len(r.call(t, spec, `{"size":3000000}`).Payload), 3_000_002)
	waitFor(t, "the sandbox to be free", func() bool { return r.idle(spec) == 1 })
	r.Retire(spec.ID)
	waitFor(t, "the end", r.empty)
	wantLines(t, r.logs.text(), ".*node leaves", "recorder got SHUTDOWN spindown")

	never := *spec
	never.ID, never.Handler = "never", "main.never"
	if res := r.call(t, &never, `{}`); !strings.Contains(string(res.Payload), `"errorType":"Runtime.NodeJsExit"`) {
		t.Errorf("payload %s", res.Payload)
	}
}
