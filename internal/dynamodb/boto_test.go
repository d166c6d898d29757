package dynamodb_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestBoto3 runs testdata/boto.py with a Python that has boto3.
func TestBoto3(t *testing.T) {
	t.Parallel()
	python := pythonWithBoto(t)
	out, err := exec.CommandContext(t.Context(), python, "testdata/boto.py", start(t).url).CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "ok") {
		t.Errorf("%v\n%s", err, out)
	}
}

func pythonWithBoto(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3", "python3.14", "python3.13", "python3.12", "python3.11"} {
		if exec.CommandContext(t.Context(), name, "-c", "import boto3").Run() == nil {
			return name
		}
	}
	t.Skip("no Python with boto3 on PATH")
	return ""
}
