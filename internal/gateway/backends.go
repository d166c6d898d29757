package gateway

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Bounds of the connections to HTTP backends.
const (
	maxIdleBackends    = 512 // of one transport
	maxIdlePerBackend  = 64
	backendIdleTimeout = 60 * time.Second
	maxBackendHeader   = 64 << 10 // bytes
)

// backends is what there is beside functions to integrate with: the AWS
// services, and the pools of connections to HTTP backends, one for each way of
// reaching them. Stages take theirs when they are compiled.
type backends struct {
	services Services
	links    map[string]*url.URL // see Config.VPCLinks
	mu       sync.Mutex
	pools    map[backendKind]*http.Transport
}

// backendKind is what connections must have in common to be shared.
type backendKind struct {
	link        string // host:port to connect to instead of the address's, or ""
	skipVerify  bool   // tlsConfig.insecureSkipVerification
	certificate string // id of the client certificate, or ""
}

// transport returns the pool of a kind. cert belongs to kind.certificate.
// Redirects are for the client: nothing here follows them.
func (b *backends) transport(kind backendKind, cert *tls.Certificate) *http.Transport {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t, ok := b.pools[kind]; ok {
		return t
	}
	t := &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: kind.skipVerify},
		// Backends are spoken to in HTTP/1.1, as API Gateway does, and bodies
		// are decoded by inflate.
		DisableCompression:     true,
		MaxIdleConns:           maxIdleBackends,
		MaxIdleConnsPerHost:    maxIdlePerBackend,
		IdleConnTimeout:        backendIdleTimeout,
		MaxResponseHeaderBytes: maxBackendHeader,
	}
	if cert != nil {
		t.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	if kind.link != "" {
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, kind.link)
		}
	}
	if b.pools == nil {
		b.pools = map[backendKind]*http.Transport{}
	}
	b.pools[kind] = t
	return t
}
