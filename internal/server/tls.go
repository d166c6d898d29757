package server

import (
	"crypto/tls"
)

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
			return nil, nil
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
