package story

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// TestTrace asks butai why a request failed, and does what it says.
func TestTrace(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	api := strings.Fields(runScript(t, s, harness.Python(t), "traces"))[0]
	butai := harness.Binary(t)
	trace := func(args ...string) string { return s.Run(t, "", butai, append([]string{"trace"}, args...)...) }

	status, _ := harness.Get(t, s.API(api, "production")+"/ada")
	if status != 500 {
		t.Fatalf("without a permission: %d", status)
	}
	var failed struct {
		RequestID string
		Failure   struct{ Fix string }
	}
	if err := json.Unmarshal([]byte(trace("--api", api, "--status", "5xx", "--last", "1", "--json")), &failed); err != nil {
		t.Fatal(err)
	}
	page := trace(failed.RequestID)
	for _, want := range []string{
		"GET /production/ada HTTP/1.1 → 500", "Invalid permissions on Lambda function", `"stage": "production"`, "integrate",
		"The policy of the function's alias or version production doesn't let this API call it: aws lambda add-permission",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing:\n%s", want, page)
		}
	}
	_, command, _ := strings.Cut(failed.Failure.Fix, ": aws ")
	harness.Tool(t, "aws")
	s.Run(t, "", "sh", "-c", "aws "+command)
	if status, body := harness.Get(t, s.API(api, "production")+"/ada"); status != 200 {
		t.Errorf("after %q: %d %s", command, status, body)
	}
	if lines := trace("--stage", "production", "--last", "1"); !strings.Contains(lines, "200  GET") || strings.Count(lines, "\n") != 1 {
		t.Errorf("the last request: %q", lines)
	}

	// Another account sees nothing of it, and nobody without a signature.
	other := exec.Command(butai, "trace", failed.RequestID)
	other.Env = append(s.Env(), "AWS_ACCESS_KEY_ID=111122223333")
	if out, err := other.CombinedOutput(); err == nil || !strings.Contains(string(out), "No trace of request") {
		t.Errorf("another account: %v\n%s", err, out)
	}
	if status, body := harness.Get(t, s.URL+"/_butai/traces"); status != 403 || strings.Contains(body, "requestId\":") {
		t.Errorf("unsigned: %d %s", status, body)
	}
}
