package function

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/ident"
)

// tracers return the trace id as their own code and their child processes see
// it, and their memory in kB.
var tracers = map[string]struct{ file, code string }{
	"python3.11": {"main.py", `
import os, subprocess
def handler(event, context):
    name = '_X_AMZN_TRACE_ID'
    if event:
        run = ['/bin/sh', '-c', 'echo $' + name]
        os.system('echo $' + name + ' > /tmp/out')
        pid = os.posix_spawn('/bin/sh', ['sh', '-c', 'echo $' + name + ' > /tmp/out2'], os.environ)
        os.waitpid(pid, 0)
        child = os.fork()
        if child == 0:
            os.execv('/bin/sh', ['sh', '-c', 'echo $' + name + ' > /tmp/out3'])
        os.waitpid(child, 0)
        return [os.environ[name], os.getenv(name), dict(os.environ)[name], subprocess.check_output(run).decode().strip()] + [
            open(f).read().strip() for f in ('/tmp/out', '/tmp/out2', '/tmp/out3')]
    return int([l for l in open('/proc/self/status') if l.startswith('VmData')][0].split()[1])
`},
	"nodejs20.x": {"main.mjs", `
import fs from 'fs';
import { env } from 'process';
import { execSync } from 'child_process';
export const handler = async (event) => {
  const name = '_X_AMZN_TRACE_ID';
  if (event) {
    return [process.env[name], env[name], { ...process.env }[name], Object.entries(process.env).find(([k]) => k === name)[1],
      String(name in process.env && Object.hasOwn(process.env, name)), execSync('echo $' + name).toString().trim()];
  }
  return Number(fs.readFileSync('/proc/self/status', 'utf8').match(/VmRSS:\s+(\d+)/)[1]);
};
`},
	"ruby3.3": {"main.rb", `
def handler(event:, context:)
  name = '_X_AMZN_TRACE_ID'
  return File.read('/proc/self/status')[/VmRSS:\s+(\d+)/, 1].to_i unless event
  seen = [ENV[name], ENV.fetch(name), ENV.to_h[name], %x(echo $#{name}).strip, ENV.key?(name).to_s]
  ENV.delete(name)
  seen << ENV.key?(name).to_s.sub('false', 'true')
end
`},
}

func TestEachCallHasItsTraceID(t *testing.T) {
	t.Parallel()
	r := rubyRig(t, nil)
	for runtime, f := range tracers {
		spec := r.function(t, runtime, "main.handler", map[string]string{f.file: f.code})
		for _, id := range []string{"Root=1-2-3", "Root=4-5-6"} {
			got := decode[[]string](t, r.traced(t, spec, id, "true"))
			if len(got) < 6 {
				t.Fatalf("%s: %q", runtime, got)
			}
			for n, one := range got {
				if one != id && one != "true" {
					t.Errorf("%s: %q where %d is looked at, want %q", runtime, one, n, id)
				}
			}
		}
	}
}

// TestTraceIDsAreForgotten has calls with trace ids of 12 kB: 5,000 of those
// take 60 MB if they are kept, and less than half of that as garbage.
func TestTraceIDsAreForgotten(t *testing.T) {
	t.Parallel()
	r := rubyRig(t, nil)
	for runtime, f := range tracers {
		spec := r.function(t, runtime, "main.handler", map[string]string{f.file: f.code})
		memory := func(calls int) (kb int) {
			for n := range calls {
				kb = decode[int](t, r.traced(t, spec, fmt.Sprintf("%s;Root=%d", strings.Repeat("x", 12_000), n), "false"))
			}
			return kb
		}
		before := memory(1500)
		if grown := memory(5000) - before; grown > 24<<10 {
			t.Errorf("%s: 5000 trace ids took %d kB", runtime, grown)
		}
	}
}

func (r *rig) traced(t *testing.T, spec *Spec, id, event string) []byte {
	t.Helper()
	res, err := r.Invoke(context.Background(), spec, &Request{RequestID: ident.UUID(), TraceID: id, Payload: []byte(event)})
	if err != nil || res.FunctionError != "" {
		t.Fatal(err, string(res.Payload))
	}
	return res.Payload
}
