package acm

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/store"
)

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// covers reports whether name is one of the certificate's, whatever its case.
func (c *certificate) covers(name string) bool {
	return slices.ContainsFunc(c.Detail.SubjectAlternativeNames, func(n string) bool { return strings.EqualFold(n, name) })
}

// ForHost returns a certificate of any account that covers host, for the
// HTTPS listener. An exact name wins over a wildcard.
func (s *Service) ForHost(ctx context.Context, host string) (*tls.Certificate, error) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	wildcard := ""
	if _, rest, ok := strings.Cut(host, "."); ok {
		wildcard = "*." + rest
	}
	var best *certificate
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		best = nil
		for c, err := range certificates.All(r) {
			if err != nil {
				return err
			}
			if *c.Detail.Status != acmapi.CertificateStatusISSUED {
				continue
			}
			if c.covers(host) {
				best = c
				return nil
			}
			if c.covers(wildcard) {
				best = c
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if best == nil {
		return nil, fmt.Errorf("acm: no issued certificate covers %q", host)
	}
	pair, err := tls.X509KeyPair(append(slices.Clone(best.CertificatePEM), best.ChainPEM...), best.KeyPEM)
	return &pair, err
}
