package story

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// TestDev saves a handler in a folder that butai dev has linked to a function,
// and calls the function.
func TestDev(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.AWS(t, nil, "iam", "create-role", "--role-name", "dev", "--assume-role-policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`)
	s.AWS(t, nil, "lambda", "create-function", "--function-name", "dev", "--runtime", "python3.11", "--handler", "main.handler",
		"--role", "arn:aws:iam::000000000000:role/dev", "--zip-file", "fileb://"+harness.Zip(t, map[string]string{"main.py": "def handler(e, c): return 'zip'"}))
	dir := t.TempDir()
	save := func(answer string) {
		if err := os.WriteFile(filepath.Join(dir, "main.py"), []byte("def handler(e, c): return '"+answer+"'"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save("first")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cmd := exec.CommandContext(ctx, harness.Binary(t), "dev", "dev", dir)
	cmd.Env, cmd.Stderr = s.Env(), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for _, answer := range []string{"first", "second and longer"} {
		save(answer)
		if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, "dev runs "+dir+": 1 files") {
			t.Fatalf("butai dev printed %q, %v", line, err)
		}
		answered := filepath.Join(t.TempDir(), "answer")
		s.AWS(t, nil, "lambda", "invoke", "--function-name", "dev", answered)
		if got, err := os.ReadFile(answered); err != nil || string(got) != `"`+answer+`"` {
			t.Errorf("the function answered %s, %v, want %q", got, err, answer)
		}
	}
	stop()
	_ = cmd.Wait() // it was interrupted
}
