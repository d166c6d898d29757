package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/butai-dev/butai/internal/edge"
)

const (
	headerTimeout = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	// drainTimeout bounds how long a stopping server waits for open requests.
	drainTimeout = 10 * time.Second
)

func (s *Server) listen(context.Context) (err error) {
	if s.listener, err = bind(s.cfg.Listen, "--listen"); err != nil {
		return err
	}
	s.onClose(closeListener(s.listener))
	if s.cfg.HTTPS == "" {
		return nil
	}
	if s.secure, err = bind(s.cfg.HTTPS, "--https"); err != nil {
		return err
	}
	s.onClose(closeListener(s.secure))
	return nil
}

func bind(address, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w\nIs another butai running? Choose another address with %s host:port", err, flag)
	}
	return l, err
}

// closeListener closes a listener that http.Server may have closed already.
func closeListener(l net.Listener) func() error {
	return func() error {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is the address that clients on this machine use.
func (s *Server) URL() string { return "http://" + reachable(s.Addr()) }

// SecureURL is the address of the HTTPS listener, or "".
func (s *Server) SecureURL() string {
	if s.secure == nil {
		return ""
	}
	return "https://" + reachable(s.secure.Addr().String())
}

// reachable turns the address of a listener on all interfaces into one that a
// client can dial.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

// Serve answers requests until ctx ends, then lets open ones finish.
func (s *Server) Serve(ctx context.Context) error {
	servers := []*http.Server{s.httpServer()}
	failed := make(chan error, 2)
	// Functions see header names as the client spelt them.
	plain := edge.Listener(servers[0], s.listener)
	noteOrigins(servers[0])
	go func() { failed <- servers[0].Serve(plain) }()
	if s.secure != nil {
		secure := s.httpServer()
		secure.TLSConfig = s.tlsConfig()
		noteOrigins(secure)
		servers = append(servers, secure)
		go func() { failed <- secure.ServeTLS(s.secure, "", "") }()
	}
	s.ready.Store(true)
	go func() {
		s.settle()
		s.giveBack(ctx.Done())
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.ready.Store(false)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	var errs []error
	for _, srv := range servers {
		errs = append(errs, srv.Shutdown(drain))
	}
	return errors.Join(errs...)
}

func (s *Server) httpServer() *http.Server {
	return &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
}
