//go:build linux

package function

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/ident"
)

const hookedPython = `
import os, time
from snapshot_restore_py import register_before_snapshot, register_after_restore
seen = [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]
register_before_snapshot(seen.append, "first")
@register_before_snapshot
def last():
    seen.append("second")
@register_after_restore
def restored():
    seen.append("restored")
    if os.environ.get("FAIL") == "restore":
        raise ValueError("stale")
if os.environ.get("FAIL") == "snapshot":
    register_before_snapshot(lambda: 1 / 0)
def handler(event, context):
    return seen
`

func TestSnapshots(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.function(t, "python3.12", "main.handler", map[string]string{"main.py": hookedPython})
	spec.SnapStart, spec.Version = true, "1"
	if err := r.Snapshot(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	first := r.call(t, spec, `{}`)
	// Hooks before a snapshot run in reverse, as AWS runs them.
	want(t, "payload", string(first.Payload), `["snap-start", "second", "first", "restored"]`)
	tail := regexp.MustCompile(`Restore Duration: \d+\.\d\d ms\tBilled Restore Duration: \d+ ms\t\n$`)
	if !tail.Match(first.LogTail) {
		t.Errorf("the report is %s", first.LogTail)
	}
	log := regexp.MustCompile(`(?s)^INIT_START [^\n]+\nINIT_REPORT Init Duration: \d+\.\d\d ms\nRESTORE_START Runtime Version: python:3\.12[^\t]*\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:[0-9a-f]{64}\n` +
		`RESTORE_REPORT Restore Duration: \d+\.\d\d ms\nSTART `)
	if text := r.logs.text(); !log.MatchString(text) {
		t.Errorf("the log is %s", text)
	}
	want(t, "a warm call's cold start", r.call(t, spec, `{}`).ColdStart, false)
	waitFor(t, "another snapshot", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.pools[spec.ID].frozen.ready) == 1
	})
	r.Retire(spec.ID)
	want(t, "sandboxes left", r.sandboxes(), 0)
	// Without one that is ready, the call waits for the init phase.
	inline := *spec
	inline.ID = ident.UUID()
	want(t, "payload", string(r.call(t, &inline, `{}`).Payload), `["snap-start", "second", "first", "restored"]`)
}

func TestSnapshotsThatFail(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	failing := func(fail string) *Spec {
		spec := r.function(t, "python3.12", "main.handler", map[string]string{"main.py": hookedPython})
		spec.SnapStart, spec.Environment = true, map[string]string{"FAIL": fail}
		return spec
	}
	var refused *InitError
	if err := r.Snapshot(t.Context(), failing("snapshot")); !errors.As(err, &refused) || refused.Type != "Runtime.BeforeSnapshotError" || !strings.Contains(refused.Message, "division by zero") {
		t.Errorf("a hook that fails before the snapshot gave %v", err)
	}
	spec := failing("restore")
	if err := r.Snapshot(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	var failed *RestoreError
	if _, err := r.Invoke(context.Background(), spec, &Request{RequestID: ident.UUID()}); !errors.As(err, &failed) || failed.TimedOut {
		t.Errorf("a hook that fails after the restore gave %v", err)
	}
	if text := r.logs.text(); !strings.Contains(text, "Status: error\tError Type: Runtime.AfterRestoreError\n") {
		t.Errorf("the log is %s", text)
	}
	exits := r.function(t, "python3.12", "main.handler", map[string]string{"main.py": "import os\nos._exit(3)\n"})
	exits.SnapStart = true
	if err := r.Snapshot(t.Context(), exits); !errors.As(err, &refused) || refused.Message != "Runtime exited with error: exit status 3" {
		t.Errorf("an exit in the init phase gave %v", err)
	}
}

// javaHooks registers a resource as the library org.crac does: through a package
// that a system property names.
const javaHooks = `
public class Hooks implements RequestHandler<Object, List<String>> {
  static final List<String> seen = new ArrayList<>();
  static {
    try {
      String home = System.getProperty("org.crac.Core.Compat");
      Class<?> resource = Class.forName(home + ".Resource"), context = Class.forName(home + ".Context");
      for (String name : new String[] {"first", "second"}) {
        Object proxy = java.lang.reflect.Proxy.newProxyInstance(Hooks.class.getClassLoader(), new Class<?>[] {resource}, (self, method, args) -> {
          if (method.getName().equals("hashCode")) return 1;
          seen.add(name + " " + method.getName());
          if (System.getenv("FAIL") != null && method.getName().equals(System.getenv("FAIL"))) throw new IllegalStateException("stale");
          return null;
        });
        context.getMethod("register", resource).invoke(Class.forName(home + ".Core").getMethod("getGlobalContext").invoke(null), proxy);
      }
    } catch (ReflectiveOperationException e) {
      throw new RuntimeException(e);
    }
  }
  public List<String> handleRequest(Object in, Context c) { return seen; }
}`

func TestJavaSnapshots(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	classes := compileJava(t, javaHooks)
	with := func(fail string) *Spec {
		spec := r.java(t, "demo.Hooks", classes)
		if spec.SnapStart = true; fail != "" {
			spec.Environment = map[string]string{"FAIL": fail}
		}
		return spec
	}
	spec := with("")
	if err := r.Snapshot(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	want(t, "payload", string(r.call(t, spec, `{}`).Payload), `["second beforeCheckpoint","first beforeCheckpoint","first afterRestore","second afterRestore"]`)
	onDemand := with("")
	onDemand.SnapStart = false
	want(t, "payload on demand", string(r.call(t, onDemand, `{}`).Payload), `[]`)
	var refused *InitError
	if err := r.Snapshot(t.Context(), with("beforeCheckpoint")); !errors.As(err, &refused) || refused.Type != "Runtime.BeforeCheckpointError" || !strings.Contains(refused.Message, "stale") {
		t.Errorf("a resource that fails before the snapshot gave %v", err)
	}
	var failed *RestoreError
	if _, err := r.Invoke(context.Background(), with("afterRestore"), &Request{RequestID: ident.UUID()}); !errors.As(err, &failed) {
		t.Errorf("a resource that fails after the restore gave %v", err)
	}
}

// TestTelemetryOfRestores has extensions hear of restores what "Lambda Telemetry
// API Event schema reference" says of them: of one that goes well, and of one
// whose hook fails.
func TestTelemetryOfRestores(t *testing.T) {
	t.Parallel()
	for fail, wanted := range map[string][]string{
		"":        {`{"status":"success"}`, `{"metrics":{"durationMs":N},"status":"success"}`},
		"restore": {`{"status":"error","errorType":"Runtime.AfterRestoreError"}`, `{"errorType":"Runtime.AfterRestoreError","metrics":{"durationMs":N},"status":"error"}`},
	} {
		r := newRig(t, nil)
		spec := r.extend(t, r.function(t, "python3.12", "main.handler", map[string]string{"main.py": hookedPython}), "listener")
		spec.SnapStart = true
		spec.Environment = map[string]string{"SUBSCRIBE": subscription(telemetryPath, "2022-12-13", "platform", toHTTP), "FAIL": fail, "WAIT": "1"}
		if err := r.Snapshot(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Invoke(t.Context(), spec, &Request{RequestID: ident.UUID()}); (err != nil) != (fail != "") {
			t.Errorf("the call's error is %v", err)
		}
		r.Retire(spec.ID)
		waitFor(t, "the end", r.empty)
		var told []string
		for _, e := range r.received() {
			if e = strings.TrimPrefix(e, "POST /events "); strings.Contains(e, `"type":"platform.restore`) {
				told = append(told, e)
			}
		}
		const event = `{"time":"<time>","type":"platform.restore`
		want(t, "events", strings.Join(told, "\n"), strings.Join([]string{
			event + `Start","record":{"functionName":"demo","functionVersion":"$LATEST","runtimeVersion":"python:3.12.v<n>",` +
				`"runtimeVersionArn":"arn:aws:lambda:eu-west-1::runtime:<hash>","instanceId":"<instance>","instanceMaxMemory":134217728}}`,
			event + `RuntimeDone","record":` + wanted[0] + "}",
			event + `Report","record":` + wanted[1] + "}",
		}, "\n"))
	}
}
