package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/butai-dev/butai/internal/acm"
	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/ca"
	"github.com/butai-dev/butai/internal/iam"
	"github.com/butai-dev/butai/internal/route53"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/sts"
)

// caDir is where the certificate authority lives in the data directory.
const caDir = "ca"

// Server is all of butai, built and ready to listen.
type Server struct {
	cfg      Config
	store    store.Store
	services services
	handler  http.Handler
	listener net.Listener
	closers  []func() error // run last to first
}

// New builds the server: store, services, data plane, front door. It listens
// nowhere yet. Close it even if it never served.
func New(ctx context.Context, cfg Config) (*Server, error) {
	s := &Server{cfg: cfg}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"prepare the data directory", s.prepareDataDir},
		{"open the store", s.openStore},
		{"start IAM and STS", s.startIAM},
		{"start Route 53 and ACM", s.startNames},
		{"build the front end", s.buildHandler},
	} {
		if err := step.run(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", step.name, err), s.Close())
		}
	}
	return s, nil
}

func (s *Server) onClose(fn func() error) { s.closers = append(s.closers, fn) }

// Close ends everything in the reverse order of its start.
func (s *Server) Close() error {
	var errs []error
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		errs = append(errs, s.closers[last]())
		s.closers = s.closers[:last]
	}
	return errors.Join(errs...)
}

func (s *Server) prepareDataDir(context.Context) error {
	if s.cfg.Ephemeral {
		dir, err := os.MkdirTemp("", "butai-")
		if err != nil {
			return err
		}
		s.cfg.DataDir = dir
		s.onClose(func() error { return os.RemoveAll(dir) })
	}
	dir, err := filepath.Abs(s.cfg.DataDir)
	if err != nil {
		return err
	}
	s.cfg.DataDir = dir
	return os.MkdirAll(dir, 0o700)
}

func (s *Server) openStore(ctx context.Context) (err error) {
	switch {
	case s.cfg.Ephemeral:
		s.store, err = sqlite.OpenMemory(ctx, sqlite.Options{})
	default:
		s.store, err = sqlite.Open(ctx, s.cfg.DataDir, sqlite.Options{})
	}
	if err == nil {
		s.onClose(s.store.Close)
	}
	return err
}

func (s *Server) startIAM(ctx context.Context) (err error) {
	s.services.iam, err = iam.New(ctx, iam.Config{Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log})
	s.services.sts = sts.New(s.services.iam)
	return err
}

func (s *Server) startNames(context.Context) error {
	s.services.route53 = route53.New(route53.Config{Store: s.store, Clock: s.cfg.Clock})
	s.services.acm = acm.New(acm.Config{
		Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Records: s.services.route53,
		Authority: ca.New(filepath.Join(s.cfg.DataDir, caDir), s.cfg.Clock),
	})
	return nil
}

func (s *Server) buildHandler(context.Context) error {
	api, err := awsapi.New(awsapi.Config{
		Services: s.services.registrations(), Keys: s.services.iam, Authorizer: s.services.iam,
		Log: s.cfg.Log, Clock: s.cfg.Clock, StrictCredentials: s.cfg.StrictCredentials,
	})
	s.handler = api
	return err
}

// Listen opens the listener.
func (s *Server) Listen() (err error) {
	s.listener, err = net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("%w\nIs another butai running? Choose another address with --listen host:port", err)
	}
	return nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is the address that clients use.
func (s *Server) URL() string { return "http://" + s.Addr() }

// drainTimeout bounds how long a stopping server waits for open requests.
const drainTimeout = 10 * time.Second

// Serve answers requests until ctx ends, then lets open ones finish.
func (s *Server) Serve(ctx context.Context) error {
	srv := &http.Server{Handler: s.handler, ReadHeaderTimeout: 30 * time.Second, ErrorLog: nil}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(s.listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	return srv.Shutdown(drain)
}

// Banner is what the server says at its start.
func (s *Server) Banner() []string {
	return []string{"butai listens on " + s.URL()}
}

var _ io.Closer = (*Server)(nil)
