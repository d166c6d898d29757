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
	"github.com/butai-dev/butai/internal/arn"
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
	return best.pair()
}

// ByARN returns an issued certificate, for the HTTPS listener; nil if there is
// none of that ARN.
func (s *Service) ByARN(ctx context.Context, certificateARN string) (*tls.Certificate, error) {
	a, err := arn.Parse(certificateARN)
	if err != nil {
		return nil, nil
	}
	c, err := s.issued(ctx, a)
	if c == nil || err != nil {
		return nil, err
	}
	return c.pair()
}

// Covers tells whether an issued certificate exists, and covers a name: as it
// is, or as a wildcard's one label.
func (s *Service) Covers(ctx context.Context, certificate arn.ARN, name string) (exists, covers bool, err error) {
	c, err := s.issued(ctx, certificate)
	if c == nil || err != nil {
		return false, false, err
	}
	_, parent, _ := strings.Cut(name, ".")
	return true, c.covers(name) || c.covers("*."+parent), nil
}

// issued reads an issued certificate of any account; nil if there is none.
func (s *Service) issued(ctx context.Context, a arn.ARN) (found *certificate, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) (err error) {
		found, err = certificates.Get(r, a.Account, a.Region, idOf(a.Resource))
		if found != nil && *found.Detail.Status != acmapi.CertificateStatusISSUED {
			found = nil
		}
		return err
	})
	return found, err
}

func (c *certificate) pair() (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(append(slices.Clone(c.CertificatePEM), c.ChainPEM...), c.KeyPEM)
	return &pair, err
}
