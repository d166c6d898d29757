package server

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/butai-dev/butai/internal/ca"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/function/sandbox"
)

// Banner is what the server says at its start: where it is, where its data
// is, how well functions are isolated, which runtimes there are.
func (s *Server) Banner(ctx context.Context) []string {
	lines := []string{"butai is ready at " + s.URL()}
	if url := s.SecureURL(); url != "" {
		lines = append(lines, "  https      "+url+" for custom domains with an ACM certificate")
	}
	data := s.cfg.DataDir
	if s.cfg.Ephemeral {
		data += " (forgotten at the end)"
	}
	if s.cfg.PostgresURL != "" {
		data += ", records in PostgreSQL"
	}
	lines = append(lines, "  data       "+data, "  isolation  "+s.isolation(ctx), "  runtimes   "+s.found(ctx),
		`  use it     eval "$(butai env`+s.listenFlag()+`)"`)
	return lines
}

func (s *Server) listenFlag() string {
	if s.Addr() == DefaultListen {
		return ""
	}
	return " --listen " + s.Addr()
}

func (s *Server) isolation(ctx context.Context) string {
	var reached, missing []string
	for _, rung := range s.engine.Report(ctx) {
		if rung.Reached {
			reached = append(reached, rung.Mechanism)
		} else {
			missing = append(missing, rung.Mechanism)
		}
	}
	text := strings.Join(reached, ", ")
	if len(missing) > 0 {
		text += fmt.Sprintf("; not: %s (see butai doctor)", strings.Join(missing, ", "))
	}
	return text
}

func (s *Server) found(ctx context.Context) string {
	var names []string
	for _, f := range s.runtimes.All(ctx) {
		if f.Err == nil {
			names = append(names, f.Interpreter.Runtime.ID)
		}
	}
	return strings.Join(names, ", ")
}

// Isolation says how far each mechanism that isolates functions got.
func (s *Server) Isolation(ctx context.Context) []sandbox.Rung { return s.engine.Report(ctx) }

// Freezing says how sandboxes are stopped between calls (Config.Freeze).
func (s *Server) Freezing() string { return s.engine.Freezing() }

// ContainerImages returns nil if functions from container images can be run.
func (s *Server) ContainerImages() error { return s.engine.RunsImages() }

// Runtimes says which interpreters were found, runtime by runtime.
func (s *Server) Runtimes(ctx context.Context) []runtimes.Found { return s.runtimes.All(ctx) }

// PythonWithSDK is the newest Python runtime with boto3, or "".
func (s *Server) PythonWithSDK(ctx context.Context) string {
	best := ""
	for _, f := range s.runtimes.All(ctx) {
		if f.Err == nil && len(f.Interpreter.SDK) > 0 && strings.HasPrefix(f.Runtime.ID, "python3.") {
			best = f.Runtime.ID // the table lists older ones first
		}
	}
	return best
}

// Authority is the certificate authority of a data directory.
func Authority(dataDir string, c clock.Clock) *ca.Authority {
	return ca.New(filepath.Join(dataDir, caDir), c)
}
