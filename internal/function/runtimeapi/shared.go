package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
)

// Shared is the Extensions API, with Telemetry and Logs APIs, of all sandboxes
// whose runtimes have other ways to talk to the engine: one port for them all,
// which their processes can be told before it is known whose they are.
type Shared struct {
	listener net.Listener
	http     http.Server
}

// ListenShared opens the port. find says whose extensions' a connection is, by
// its addresses as this end sees them; nil for a stranger's.
func ListenShared(find func(own, peer netip.AddrPort) *Extensions) (*Shared, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("extensions API: %w", err)
	}
	s := &Shared{listener: known{listener, find}}
	s.http.ReadHeaderTimeout = headerTimeout
	s.http.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // a killed process leaves broken connections
	s.http.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, extensionsKey{}, c.(*extensionsConn).extensions)
	}
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Context().Value(extensionsKey{}).(*Extensions).handler().ServeHTTP(w, r)
	})
	go s.http.Serve(s.listener)
	return s, nil
}

type extensionsKey struct{}

// Address is the value of AWS_LAMBDA_RUNTIME_API.
func (s *Shared) Address() string { return s.listener.Addr().String() }

// Close ends the server and its connections.
func (s *Shared) Close() error { return errors.Join(s.http.Close(), ignoreClosed(s.listener.Close())) }

// known is a listener for sandboxes.
type known struct {
	net.Listener
	find func(own, peer netip.AddrPort) *Extensions
}

type extensionsConn struct {
	net.Conn
	extensions *Extensions
}

// Accept drops the connections of strangers without a word.
func (l known) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if x := l.find(addrPort(c.LocalAddr()), addrPort(c.RemoteAddr())); x != nil {
			return &extensionsConn{c, x}, nil
		}
		c.Close()
	}
}

// handler serves the extensions.
func (x *Extensions) handler() http.Handler {
	x.serving.Do(func() {
		x.mux = http.NewServeMux()
		x.routes(x.mux)
	})
	return x.mux
}
