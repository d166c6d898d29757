package server

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// Functions share the machine's network and know this server's address, so
// anything in a sandbox can make up an access key and sign with it. People on
// their own machine may: an unknown key is the account's root. Functions may
// not, or their roles would bind only those that let themselves be bound.

type originKey struct{}

// origin is what is known of who opened a connection. It is found out when
// somebody asks, once.
type origin struct {
	own, peer netip.AddrPort
	once      sync.Once
	sandbox   bool
}

// noteOrigins makes srv remember each connection's origin.
func noteOrigins(srv *http.Server) {
	before := srv.ConnContext
	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if before != nil {
			ctx = before(ctx, c)
		}
		return context.WithValue(ctx, originKey{}, &origin{own: addrPort(c.LocalAddr()), peer: addrPort(c.RemoteAddr())})
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// fromFunction tells whether a request may come from a function.
func (s *Server) fromFunction(r *http.Request) bool {
	o, ok := r.Context().Value(originKey{}).(*origin)
	if !ok {
		return true // came over no connection of ours
	}
	o.once.Do(func() { o.sandbox = s.engine.MayHaveOpened(o.own, o.peer) })
	return o.sandbox
}
