package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// TestCompletion completes commands and the stages of butai.yaml, and prints
// scripts that the shells take.
func TestCompletion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := "api: abc\nrecords: butai-release\nvariable: stage\npairing: variable\nfunctions: [user]\n" +
		"stages: [{name: staging, alias: s}, {name: production, alias: p}]\n"
	if err := os.WriteFile(filepath.Join(dir, "butai.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(name string, stdin string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %v: %v", name, args, err)
		}
		return string(out)
	}
	butai := harness.Binary(t)
	if out := run(butai, "", "__complete", "release", "promote", ""); !strings.HasPrefix(out, "staging\nproduction\n") {
		t.Errorf("promote is completed by %q", out)
	}
	if out := run(butai, "", "__complete", "release", "rol"); !strings.HasPrefix(out, "rollback\t") {
		t.Errorf("rol is completed by %q", out)
	}
	run("bash", run(butai, "", "completion", "bash"), "-n")
	for _, shell := range []string{"zsh", "fish", "powershell"} {
		if out := run(butai, "", "completion", shell); !strings.Contains(out, "butai") {
			t.Errorf("there is no completion for %s", shell)
		}
	}
}
