// Package story uses a running butai as people do: with its own demo, with
// boto3, with Terraform's state in S3, over a restart, on PostgreSQL.
package story

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// TestScripts runs the boto3 scripts, each against a server of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	python := harness.Python(t)
	for _, name := range []string{
		"permissions", "policies", "items", "functions", "accounts", "queues", "topics", "events", "buses", "buckets", "sharing", "groups", "layers", "urls", "mappings", "plans", "metrics", "documents", "logfilters", "domains", "images", "services", "keys", "encryption", "settings",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runScript(t, harness.Start(t), python, name)
		})
	}
}

// runScript runs a script of testdata and returns what it printed before its
// closing "ok".
func runScript(t *testing.T, s *harness.Server, python, name string, args ...string) string {
	t.Helper()
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	out, errText, err := s.Try(dir, python, append([]string{"-B", name + ".py"}, args...)...)
	before, ok := strings.CutSuffix(strings.TrimSpace(out), "ok")
	if err != nil || !ok {
		t.Fatalf("%s.py: %v\n%s%s", name, err, out, errText)
	}
	return strings.TrimSpace(before)
}
