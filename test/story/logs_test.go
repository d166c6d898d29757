package story

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// TestLogsFollow reads a function's log as it grows.
func TestLogsFollow(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	api := strings.Fields(runScript(t, s, harness.Python(t), "traces"))[0]
	cmd := exec.Command(harness.Binary(t), "logs", "-f", "users", "--filter", "REPORT")
	cmd.Env = s.Env()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	seen := map[string]bool{}
	for range 2 { // one from before, one from a call that is made while it follows
		if !lines.Scan() {
			t.Fatalf("butai logs ended: %v", lines.Err())
		}
		if line := lines.Text(); !strings.Contains(line, "  REPORT RequestId: ") || seen[line] {
			t.Errorf("unexpected line %q", line)
		} else {
			seen[line] = true
		}
		if status, body := harness.Get(t, s.API(api, "staging")+"/bob"); status != 400 {
			t.Fatalf("%d %s", status, body)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if all := s.Run(t, "", harness.Binary(t), "logs", "/aws/lambda/users", "--since", "1h"); !strings.Contains(all, "START RequestId") {
		t.Errorf("the whole log: %q", all)
	}
}
