package story

import (
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/store/postgres/pgtest"
	"github.com/butai-dev/butai/test/harness"
)

// TestRestart leaves a whole system in a server, stops it, and finds the
// system in another one on the same data: with SQLite and with PostgreSQL.
func TestRestart(t *testing.T) {
	t.Parallel()
	python := harness.Python(t)
	for name, store := range map[string]func(*testing.T) []string{
		"sqlite":   func(*testing.T) []string { return nil },
		"postgres": func(t *testing.T) []string { return []string{"--postgres", pgtest.Start(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"--data-dir", t.TempDir(), "--https", "127.0.0.1:0"}, store(t)...)
			s := harness.Start(t, args...)
			left := runScript(t, s, python, "restart", "leave", s.SecureURL, authority(t, s))
			s.Stop(t)
			s = harness.Start(t, args...)
			runScript(t, s, python, "restart", "find", s.SecureURL, authority(t, s), left)
		})
	}
}

// TestSurvivesAKill kills a server: in the middle of its events, messages and changes, of which the
// next one delivers those that are left, and after some of a quota was used,
// which the next one goes on with.
func TestSurvivesAKill(t *testing.T) {
	t.Parallel()
	python := harness.Python(t)
	for _, script := range []string{"events", "buses", "buckets", "mappings", "plans", "topics"} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := harness.Start(t, "--data-dir", dir)
			runScript(t, s, python, script, "leave")
			s.Kill()
			runScript(t, harness.Start(t, "--data-dir", dir), python, script, "find")
		})
	}
}

// TestStrictCredentials restarts a server so that it takes no keys but its own.
func TestStrictCredentials(t *testing.T) {
	t.Parallel()
	python := harness.Python(t)
	dir := t.TempDir()
	s := harness.Start(t, "--data-dir", dir)
	left := runScript(t, s, python, "strict", "leave")
	s.Stop(t)
	runScript(t, harness.Start(t, "--data-dir", dir, "--strict-credentials"), python, "strict", "use", left)
}

// authority is the path of the certificate to trust.
func authority(t *testing.T, s *harness.Server) string {
	t.Helper()
	return strings.TrimSpace(s.Run(t, "", harness.Binary(t), "ca", "--data-dir", s.DataDir))
}
