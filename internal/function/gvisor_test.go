//go:build linux

package function

import (
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/function/sandbox"
	"github.com/butai-dev/butai/internal/ident"
)

// TestGVisor runs functions on gVisor's kernel, and looks how they end.
func TestGVisor(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Isolation = sandbox.Wish{Min: sandbox.GVisor, Max: sandbox.GVisor} })
	if _, err := r.host.Level(); err != nil {
		t.Skip(err)
	}
	t.Run("python", func(t *testing.T) {
		spec := r.python(t, `
import os, sys, time
def handler(event, context):
    if event == 'exit':
        sys.exit(7)
    if event == 'kill':
        os.kill(os.getpid(), 11)
    if event == 'sleep':
        open('/tmp/kept', 'w').write('x' * 5000)
        time.sleep(60)
    if event == 'memory':
        x = [bytearray(1 << 20) for _ in range(500)]
    print('hello', event)
    return [os.uname().release, os.getuid(), os.getcwd(), os.path.exists('/tmp/kept') and len(open('/tmp/kept').read())]
`)
		spec.Timeout = 8 * time.Second // in which a sandbox has to start on a busy machine, too
		for _, tt := range []struct{ event, payload, log string }{
			{`1`, `["4.19.0-gvisor", 993, "/var/task", false]`, "hello 1\n"},
			{`"sleep"`, `{"errorType":"Sandbox.Timedout"`, ""},
			{`2`, `["4.19.0-gvisor", 993, "/var/task", 5000]`, "hello 2\n"},
			{`"exit"`, `Runtime exited with error: exit status 7`, ""},
			{`"kill"`, `Runtime exited with error: signal: segmentation fault`, ""},
			{`"memory"`, `{"errorType":"Runtime.OutOfMemory"`, ""},
		} {
			at := *spec
			if tt.log == "" && tt.event != `"sleep"` {
				at.ID = ident.UUID() // for itself: who has used much is served last
			}
			res := r.call(t, &at, tt.event)
			if !strings.Contains(string(res.Payload), tt.payload) || !strings.Contains(string(res.LogTail), tt.log) {
				t.Errorf("%s: %s, want %s; log %s", tt.event, res.Payload, tt.payload, res.LogTail)
			}
		}
	})
	t.Run("node", func(t *testing.T) {
		spec := r.node(t, "index.js", `exports.handler = async (event) => { console.log('hello'); return [event, require('os').release()]; };`)
		res := r.call(t, spec, `1`)
		want(t, "payload", string(res.Payload), `[1,"4.19.0-gvisor"]`)
		if !strings.Contains(string(res.LogTail), "hello\n") {
			t.Errorf("log %s", res.LogTail)
		}
	})
}
