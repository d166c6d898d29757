package story

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// invokeWorld is a server with a role for functions.
func invokeWorld(t *testing.T) *harness.Server {
	t.Helper()
	s := harness.Start(t)
	s.AWS(t, nil, "iam", "create-role", "--role-name", "invoked", "--assume-role-policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`)
	return s
}

// newFunction creates a function that has one second.
func newFunction(t *testing.T, s *harness.Server, name, runtime, handler string, files map[string]string) {
	t.Helper()
	s.AWS(t, nil, "lambda", "create-function", "--function-name", name, "--runtime", runtime, "--handler", handler, "--timeout", "1", "--memory-size", "256",
		"--role", "arn:aws:iam::000000000000:role/invoked", "--zip-file", "fileb://"+harness.Zip(t, files))
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	s := invokeWorld(t)
	newFunction(t, s, "greet", "python3.11", "main.handler", map[string]string{"main.py": `
def handler(event, context):
    print("greeting", context.invoked_function_arn)
    return "hello " + event["name"]
`})
	s.AWS(t, nil, "lambda", "publish-version", "--function-name", "greet")
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"name": "from a file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args             string
		code             int
		stdout, inStderr string
	}{
		{`greet -p {"name":"ada"}`, 0, `"hello ada"`, ""},
		{`greet --payload @` + event, 0, `"hello from a file"`, ""},
		{`greet --payload -`, 0, `"hello from a pipe"`, ""},
		{`greet:1 --log -p {"name":"ada"}`, 0, `"hello ada"`, "greeting arn:aws:lambda:us-east-1:000000000000:function:greet:1\n"},
		{`arn:aws:lambda:us-east-1:000000000000:function:greet:1 -p {"name":"ada"}`, 0, `"hello ada"`, ""},
		{`greet`, 1, "", `"errorType": "KeyError"`},
		{`greet --async -p {"name":"ada"}`, 0, "", "greet has the event"},
		{`nobody`, 1, "", "ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody"},
		{`greet -p {`, 1, "", "InvalidRequestContentException"},
		{`greet --debug --async`, 2, "", "say one of them"},
		{`nobody --debug`, 1, "", "ResourceNotFoundException"},
	} {
		cmd := exec.Command(harness.Binary(t), append([]string{"invoke"}, strings.Fields(tt.args)...)...)
		var errText strings.Builder
		cmd.Env, cmd.Stderr, cmd.Stdin = s.Env(), &errText, strings.NewReader(`{"name":"from a pipe"}`)
		if strings.Contains(tt.args, "@") {
			cmd.Args[len(cmd.Args)-1] = "@" + event
		}
		out, err := cmd.Output()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if cmd.ProcessState.ExitCode() != tt.code || strings.TrimSpace(string(out)) != tt.stdout || !strings.Contains(errText.String(), tt.inStderr) {
			t.Errorf("butai invoke %s ended with %d\nstdout %s\nstderr %s", tt.args, cmd.ProcessState.ExitCode(), out, errText.String())
		}
	}
}
