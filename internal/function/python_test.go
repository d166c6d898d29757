package function

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/ident"
)

var allPythons = []string{"python2.7", "python3.8", "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"}

// TestEveryPython runs the same handler, in the idiom that all versions share,
// on each interpreter of the host. e.message is what handlers of 2017 wrote.
func TestEveryPython(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, runtime := range allPythons {
		t.Run(runtime, func(t *testing.T) {
			spec := r.function(t, runtime, "pkg/main.handler", map[string]string{"pkg/__init__.py": "", "pkg/main.py": `
import os, sys, ssl, sqlite3, ctypes
class Error(Exception):
    def __init__(self, message):
        self.message = message
def handler(event, context):
    try:
        raise Error('not found')
    except Error as e:
        text = e.message
    return {'v': '%d.%d' % sys.version_info[:2], 'e': text, 'name': event['name'], 'exe': sys.executable,
            'env': os.environ['AWS_EXECUTION_ENV'], 'ctype': os.environ.get('LC_CTYPE'), 'path': sys.path[:4]}
`})
			res := r.call(t, spec, `{"name":"ü"}`)
			got := decode[struct{ V, E, Name, Exe, Env, Ctype string }](t, res.Payload)
			version := strings.TrimPrefix(runtime, "python")
			want(t, "version", got.V, version)
			want(t, "message", got.E, "not found")
			want(t, "event", got.Name, "ü")
			want(t, "executable", got.Exe, "/var/lang/bin/"+runtime)
			want(t, "execution env", got.Env, "AWS_Lambda_"+runtime)
			onAL2023 := slices.Contains([]string{"3.12", "3.13", "3.14"}, version)
			want(t, "raw UTF-8", strings.Contains(string(res.Payload), "ü"), onAL2023)
			want(t, "LC_CTYPE", got.Ctype != "", onAL2023)
		})
	}
}

// TestPythonErrors checks payloads byte for byte where they don't hold a request id.
func TestPythonErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	const uuid = `[0-9a-f-]{36}`
	tests := []struct{ runtime, handler, code, payload string }{
		{"python3.11", "main.handler", "def handler(e, c):\n    raise ValueError('boom')\n",
			`{"errorMessage": "boom", "errorType": "ValueError", "requestId": "` + uuid + `", "stackTrace": \["  File \\"/var/task/main.py\\", line 2, in handler\\n    raise ValueError\('boom'\)\\n"\]}`},
		{"python3.8", "main.handler", "def handler(e, c):\n    raise ValueError('boom')\n",
			`{"errorMessage": "boom", "errorType": "ValueError", "stackTrace": \["  File \\"/var/task/main.py\\", line 2, in handler\\n    raise ValueError\('boom'\)\\n"\]}`},
		{"python2.7", "main.handler", "def handler(e, c):\n    raise ValueError(u'boom \\u00e9')\n",
			`{"errorMessage": "boom \\u00e9", "stackTrace": \[\["/var/task/main.py", 2, "handler", "raise ValueError\(u'boom \\\\u00e9'\)"\]\], "errorType": "ValueError"}`},
		{"python2.7", "main.handler", "import nosuch\n", `{"errorMessage": "Unable to import module 'main': No module named nosuch", "errorType": "Runtime.ImportModuleError"}`},
		{"python3.11", "main.handler", "import nosuch\n", `{"errorMessage": "Unable to import module 'main': No module named 'nosuch'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": \[\]}`},
		{"python3.11", "main.handler", "def handler(e, c)\n", `{"errorMessage": "Syntax error in module 'main': expected ':' \(main.py, line 1\)", "errorType": "Runtime.UserCodeSyntaxError", "requestId": "", "stackTrace": \["  File \\"/var/task/main.py\\" Line 1\\n    def handler\(e, c\)\\n\\n"\]}`},
		{"python3.11", "main", "", `{"errorMessage": "Bad handler 'main': not enough values to unpack \(expected 2, got 1\)", "errorType": "Runtime.MalformedHandlerName", "requestId": "", "stackTrace": \[\]}`},
		{"python3.11", "main.other", "x = 1\n", `{"errorMessage": "Handler 'other' missing on module 'main'", "errorType": "Runtime.HandlerNotFound", "requestId": "", "stackTrace": \[\]}`},
		{"python3.11", "sys.exit", "", `{"errorMessage": "Cannot use built-in module sys as a handler module", "errorType": "Runtime.BuiltInModuleConflict", .*}`},
		{"python3.11", "main.handler", "1/0\n", `{"errorMessage": "division by zero", "errorType": "ZeroDivisionError", "requestId": "", "stackTrace": \[.*"  File \\"/var/task/main.py\\", line 1, in <module>\\n    1/0\\n"\]}`},
		{"python3.11", "main.handler", "def handler(e, c):\n    return {1, 2}\n", `{"errorMessage": "Unable to marshal response: Object of type set is not JSON serializable", "errorType": "Runtime.MarshalError", "requestId": "` + uuid + `", "stackTrace": \[\]}`},
		{"python3.11", "main.handler", "import sys\ndef handler(e, c):\n    sys.exit(0)\n", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + uuid + ` Error: Runtime exited without providing a reason"}`},
		{"python3.11", "main.handler", "import os\ndef handler(e, c):\n    os._exit(3)\n", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + uuid + ` Error: Runtime exited with error: exit status 3"}`},
		{"python3.11", "main.handler", "import os\ndef handler(e, c):\n    os.kill(os.getpid(), 9)\n", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + uuid + ` Error: Runtime exited with error: signal: killed"}`},
		{"python3.11", "main.handler", "import ctypes\ndef handler(e, c):\n    ctypes.string_at(0)\n", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + uuid + ` Error: Runtime exited with error: signal: segmentation fault"}`},
		{"python3.11", "main.handler", "import os\nos._exit(4)\n", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + uuid + ` Error: Runtime exited with error: exit status 4"}`},
		{"python3.11", "main.handler", "import time\ndef handler(e, c):\n    time.sleep(60)\n", `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ` + uuid + ` Error: Task timed out after 1.00 seconds"}`},
		{"python3.11", "main.handler", "def handler(e, c):\n    return 'x' * 6291555\n", `{"errorMessage":"Response payload size exceeded maximum allowed payload size \(6291556 bytes\).","errorType":"Function.ResponseSizeTooLarge"}`},
		{"python3.11", "main.handler", "def handler(e, c):\n    b = []\n    while True:\n        b.append(bytearray(8 << 20))\n", `{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: ` + uuid + ` Error: Runtime exited with error: signal: killed"}`},
	}
	for n, tt := range tests {
		t.Run(fmt.Sprint(n, tt.runtime), func(t *testing.T) {
			spec := r.function(t, tt.runtime, tt.handler, map[string]string{"main.py": tt.code})
			spec.Timeout = 10 * time.Second
			switch {
			case strings.Contains(tt.payload, "Timedout"):
				spec.Timeout = time.Second
			case strings.Contains(tt.payload, "OutOfMemory"):
				skipWithoutMemoryLimit(t, r)
			}
			res := r.call(t, spec, `{}`)
			want(t, "function error", res.FunctionError, "Unhandled")
			if !regexp.MustCompile("^" + tt.payload + "$").Match(res.Payload) {
				t.Errorf("payload %s\nwant %s\nlog %s", res.Payload, tt.payload, res.LogTail)
			}
		})
	}
}

func skipWithoutMemoryLimit(t *testing.T, r rig) {
	t.Helper()
	for _, rung := range r.Report(t.Context()) {
		if rung.Mechanism == "memory limit" && !rung.Reached {
			t.Skip("no memory limit on this host: " + rung.Detail)
		}
	}
}

func TestPythonResponses(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, `
from decimal import Decimal
def handler(event, context):
    return {'none': None, 'decimal': Decimal('1.10'), 'nan': float('nan'), 'bytes': b'raw \xff', 'text': 'a"b\n'}[event]
`)
	for key, payload := range map[string]string{
		"none": "null", "decimal": "1.10", "nan": "NaN", "bytes": "raw \xff", "text": `"a\"b\n"`,
	} {
		want(t, key, string(r.call(t, spec, `"`+key+`"`).Payload), payload)
	}
	res, err := r.Invoke(t.Context(), r.python(t, "def handler(e, c):\n    return e\n"), &Request{RequestID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "no payload", string(res.Payload), "{}")
}

func TestPythonLargePayloads(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, "def handler(e, c):\n    return e\n")
	for _, size := range []int{0, 1, 4000, 70_000, maxResponse - len(`""`)} {
		event := `"` + strings.Repeat("x", size) + `"`
		if got := string(r.call(t, spec, event).Payload); got != event {
			t.Errorf("size %d: %d bytes came back", size, len(got))
		}
	}
}

func TestPythonContextAndEnvironment(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) {
		c.Roles = fixedRole{Credentials{AccessKeyID: "ASIAKEY", SecretAccessKey: "secret", SessionToken: "token", Expiration: time.Now().Add(time.Hour)}}
	})
	os.Setenv("BUTAI_TEST_SECRET", "the server's own")
	spec := r.python(t, `
import os
def handler(event, context):
    return {'context': [context.function_name, context.function_version, context.invoked_function_arn, context.memory_limit_in_mb,
                        context.log_group_name, context.log_stream_name == os.environ['AWS_LAMBDA_LOG_STREAM_NAME'],
                        context.identity.cognito_identity_id,
                        context.client_context.custom['k'], context.client_context.client.app_title, len(context.aws_request_id)],
            'left': context.get_remaining_time_in_millis(), 'env': dict(os.environ), 'cwd': os.getcwd()}
`)
	spec.Environment = map[string]string{"STAGE": "prod", "LANG": "mine", "AWS_REGION": "refused", "_X": "dropped"}
	arn := spec.ARN + ":live"
	res, err := r.Invoke(t.Context(), spec, &Request{
		RequestID: ident.UUID(), InvokedARN: arn, TraceID: "Root=1-2-3",
		ClientContext: []byte(`{"custom":{"k":"v"},"client":{"app_title":"t"}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := decode[struct {
		Context []any
		Env     map[string]string
		Cwd     string
		Left    int64
	}](t, res.Payload)
	if got.Left <= 0 || got.Left > spec.Timeout.Milliseconds() {
		t.Errorf("%d ms are left", got.Left)
	}
	want(t, "context", fmt.Sprint(got.Context), fmt.Sprint([]any{"demo", "$LATEST", arn, "128", "/aws/lambda/demo", true, nil, "v", "t", 36}))
	want(t, "cwd", got.Cwd, "/var/task")
	stream := got.Env["AWS_LAMBDA_LOG_STREAM_NAME"]
	if !regexp.MustCompile(`^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`).MatchString(stream) {
		t.Errorf("log stream %s", stream)
	}
	delete(got.Env, "AWS_LAMBDA_LOG_STREAM_NAME")
	// AWS's is 169.254.100.1:9001, which can't be had here.
	if api := got.Env["AWS_LAMBDA_RUNTIME_API"]; !regexp.MustCompile(`^127\.0\.0\.1:\d+$`).MatchString(api) {
		t.Errorf("runtime API %s", api)
	}
	delete(got.Env, "AWS_LAMBDA_RUNTIME_API")
	expected := map[string]string{
		"AWS_ACCESS_KEY_ID": "ASIAKEY", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
		"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
		"AWS_LAMBDA_FUNCTION_NAME": "demo", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/demo",
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":  "169.254.100.1:2000", "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1", "_AWS_XRAY_DAEMON_PORT": "2000",
		"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime", "LANG": "mine", "TZ": ":UTC", "_HANDLER": "main.handler",
		"LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
		"PATH":            "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin", "PWD": "/var/task",
		"PYTHONPATH": "/var/runtime", "SHLVL": "0", "_X_AMZN_TRACE_ID": "Root=1-2-3", "STAGE": "prod",
		"AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
	}
	for name, value := range expected {
		want(t, name, got.Env[name], value)
		delete(got.Env, name)
	}
	if underGVisor(r) {
		delete(got.Env, "HOME") // which runsc sets
	}
	want(t, "unexpected variables", fmt.Sprint(got.Env), "map[]")
}

func TestBoto3IsOfferedAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, runtime := range []string{"python3.11", "python3.13"} {
		spec := r.function(t, runtime, "main.handler", map[string]string{"main.py": `
import sys
def handler(event, context):
    import boto3
    try:
        import pip
        others = 'visible'
    except ImportError:
        others = 'hidden'
    return [boto3.client('dynamodb').meta.endpoint_url, boto3.__file__, sys.path[-1], others]
`})
		interpreter, err := r.cfg.Runtimes.Lookup(t.Context(), runtime)
		if err != nil || len(interpreter.SDK) == 0 {
			t.Skip("no boto3 on this host for " + runtime)
		}
		spec.Timeout = 20 * time.Second
		res := r.call(t, spec, `{}`)
		want(t, runtime, string(res.Payload), `["http://127.0.0.1:4566", "/var/runtime/sdk/boto3/__init__.py", "/var/runtime/sdk", "hidden"]`)
	}
}

func TestLayers(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, "import one, two\ndef handler(e, c):\n    return [one.V, two.V, open('/opt/data').read()]\n")
	first := r.function(t, "python3.11", "", map[string]string{"python/one.py": "V = 1\n", "python/two.py": "V = 1\n", "data": "first"})
	second := r.function(t, "python3.11", "", map[string]string{"python/lib/python3.11/site-packages/two.py": "V = 2\n", "data": "second"})
	spec.Layers = []string{first.CodeDir, second.CodeDir}
	want(t, "two layers", string(r.call(t, spec, `{}`).Payload), `[1, 2, "second"]`)
	alone := *spec
	alone.ID, alone.Layers = "alone", spec.Layers[:1]
	want(t, "one layer", string(r.call(t, &alone, `{}`).Payload), `[1, 1, "first"]`)
}
