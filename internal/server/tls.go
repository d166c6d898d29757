package server

import (
	"crypto/tls"

	"github.com/butai-dev/butai/internal/edge"
)

// apiTLS is base as the security policy of the API changes it that host is the
// own host of; nil if there is no such API, or no policy.
func (s *Server) apiTLS(base *tls.Config, host string) *tls.Config {
	id, ok := edge.APIOfHost(host)
	if !ok {
		return nil
	}
	version, ok := s.gateway.APIMinVersion(id)
	if !ok {
		return nil
	}
	config := base.Clone()
	config.MinVersion = version
	return config
}

// tlsConfig is how the HTTPS listener meets clients: each custom domain as it
// is set up, any other host with a certificate that covers it.
func (s *Server) tlsConfig() *tls.Config {
	// net/http adds its protocols to what it is given, but not to what
	// GetConfigForClient returns.
	base := &tls.Config{NextProtos: []string{"h2", "http/1.1"}, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if d, ok := s.gateway.DomainTLS(hello.ServerName); ok {
			if c, err := s.services.acm.ByARN(hello.Context(), d.Certificate); c != nil || err != nil {
				return c, err
			}
		}
		return s.services.acm.ForHost(hello.Context(), hello.ServerName)
	}}
	base.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		d, ok := s.gateway.DomainTLS(hello.ServerName)
		if !ok {
			return s.apiTLS(base, hello.ServerName), nil
		}
		config := base.Clone()
		config.MinVersion = d.MinVersion()
		if d.Mutual {
			config.ClientAuth = tls.RequestClientCert
		}
		return config, nil
	}
	return base
}
