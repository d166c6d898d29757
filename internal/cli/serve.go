package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/server"
)

// serveCommand starts the server and runs it until a signal ends it.
func (a *app) serveCommand() *cobra.Command {
	cfg := server.Config{}
	var logLevel, logFormat, throttle string
	var runtimes, vpcLinks, cognitoKeys, images []string
	var spares int
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start butai",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLogger(a.err, logLevel, logFormat)
			if err != nil {
				return usageError{err}
			}
			if cfg.Runtimes, err = parseRuntimes(runtimes); err != nil {
				return usageError{err}
			}
			if cfg.AccountThrottle, err = parseThrottle(throttle); err != nil {
				return usageError{err}
			}
			if cfg.VPCLinks, err = parseVPCLinks(vpcLinks); err != nil {
				return usageError{err}
			}
			if cfg.CognitoKeys, err = parseCognitoKeys(cognitoKeys); err != nil {
				return usageError{err}
			}
			if cfg.Images, err = server.ParseImages(images); err != nil {
				return usageError{err}
			}
			if cfg.Spares = spares; spares <= 0 {
				cfg.Spares = server.NoSpares
			}
			cfg.Log, cfg.Clock = log, clock.System{}
			return runServe(cmd.Context(), cfg, a.out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Listen, "listen", server.DefaultListen, "host:port to listen on; nothing listens beyond loopback unless asked")
	f.StringVar(&cfg.HTTPS, "https", "", "host:port of an HTTPS listener for custom domains (certificate by SNI)")
	f.StringVar(&cfg.DataDir, "data-dir", defaultDataDir(), "directory for everything that must survive")
	f.BoolVar(&cfg.Ephemeral, "ephemeral", false, "keep everything in a temporary place and forget it at the end")
	f.StringVar(&cfg.PostgresURL, "postgres", "", "keep records in PostgreSQL at this URL instead of in the data directory")
	f.BoolVar(&cfg.StrictCredentials, "strict-credentials", false, "refuse access keys that butai didn't issue")
	f.StringArrayVar(&runtimes, "runtime", nil, "interpreter for a runtime, as name=path (repeatable)")
	f.StringArrayVar(&vpcLinks, "vpc-link", nil, "where a VPC link of API Gateway leads, as link=http://host:port, the link by its id, name or load balancer ARN (repeatable)")
	f.StringArrayVar(&cognitoKeys, "cognito-jwks", nil, "where a Cognito user pool's keys are fetched, as its ARN or id=URL (repeatable)")
	f.StringArrayVar(&images, "images", nil, "where container images of ECR addresses come from: a folder of OCI layouts and 'docker save' files, or a registry as http://host:port (repeatable)")
	f.StringVar(&cfg.Isolation, "isolation", "", "how to isolate functions: a rung (runsc, namespaces, restricted, none) for exactly it, require=RUNG for it or a stronger one, require for namespaces; functions don't start without (default: the strongest of the last three, see 'butai doctor')")
	f.IntVar(&spares, "spares", server.DefaultSpares, "booted sandboxes to keep for each runtime in use, so that functions start in milliseconds; 0 keeps none")
	f.BoolVar(&cfg.Freeze, "freeze", false, "stop functions between calls, as AWS does: what they do in the background goes on with the next call")
	f.IntVar(&cfg.Tracing.Keep, "traces", server.DefaultTraces, "requests to API Gateway to remember for 'butai trace', and as many failed ones; 0 remembers none")
	f.IntVar(&cfg.Tracing.Every, "trace-every", 1, "remember one request in so many")
	f.StringVar(&throttle, "account-throttle", "10000:5000", "requests per second and burst over all REST APIs of an account's region, as on AWS; off for no limit")
	f.StringVar(&logLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&logFormat, "log-format", "text", "text or json")
	return cmd
}

// runServe builds the server, serves until ctx ends, and meanwhile prints where
// it is: finding out how well functions are isolated takes longer than
// everything else, and nobody should wait for it.
func runServe(ctx context.Context, cfg server.Config, out io.Writer) (err error) {
	srv, err := server.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ctx) }()
	for _, line := range srv.Banner(ctx) {
		fmt.Fprintln(out, line)
	}
	return <-ended
}

func newLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level: %w", err)
	}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})), nil
	case "text":
		f, isFile := w.(*os.File)
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: l, NoColor: !isFile || !term.IsTerminal(int(f.Fd()))})), nil
	}
	return nil, fmt.Errorf("--log-format: want text or json, not %q", format)
}

// parseThrottle reads rate:burst, or off.
func parseThrottle(s string) (t server.Throttle, err error) {
	if s == "off" {
		return t, nil
	}
	rate, burst, _ := strings.Cut(s, ":")
	if t.Rate, err = strconv.ParseFloat(rate, 64); err == nil {
		t.Burst, err = strconv.ParseInt(burst, 10, 64)
	}
	if err != nil || t.Rate <= 0 || t.Burst <= 0 {
		return t, fmt.Errorf("--account-throttle: want rate:burst, such as 10000:5000, or off, not %q", s)
	}
	return t, nil
}

func parseRuntimes(pairs []string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range pairs {
		name, path, ok := strings.Cut(p, "=")
		if !ok || name == "" || path == "" {
			return nil, fmt.Errorf("--runtime: want name=path, such as python3.11=/usr/bin/python3.11, not %q", p)
		}
		out[name] = path
	}
	return out, nil
}

// parseVPCLinks reads pairs of a link and an address. A load balancer's ARN
// holds no equals sign, so the first one separates.
func parseVPCLinks(pairs []string) (map[string]*url.URL, error) {
	out := map[string]*url.URL{}
	for _, p := range pairs {
		link, address, ok := strings.Cut(p, "=")
		u, err := url.Parse(address)
		if !ok || link == "" || err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
			return nil, fmt.Errorf("--vpc-link: want link=http://host:port, such as my-link=http://127.0.0.1:9000, not %q", p)
		}
		out[link] = u
	}
	return out, nil
}

func parseCognitoKeys(pairs []string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range pairs {
		pool, address, _ := strings.Cut(p, "=")
		u, err := url.Parse(address)
		if pool == "" || err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("--cognito-jwks: want pool=URL, such as "+
				"us-east-1_example=http://localhost:9229/us-east-1_example/.well-known/jwks.json, not %q", p)
		}
		out[pool] = address
	}
	return out, nil
}

// defaultDataDir is below the XDG state directory.
func defaultDataDir() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "butai")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "butai")
	}
	return filepath.Join(home, ".local", "state", "butai")
}
