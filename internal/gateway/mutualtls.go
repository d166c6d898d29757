package gateway

import (
	"crypto/x509"
	"net/http"
	"time"
)

// DomainTLS is how the TLS listener treats a custom domain.
type DomainTLS struct {
	Certificate string // ARN
	// SecurityPolicy is the domain's, such as TLS_1_2.
	SecurityPolicy string
	// Mutual domains ask clients for a certificate. Whether it is a good one
	// is the gateway's to decide: who has none gets an answer, 403.
	Mutual bool

	trusted *x509.CertPool
}

func compileDomainTLS(d *DomainName) DomainTLS {
	t := DomainTLS{Certificate: d.Certificate, SecurityPolicy: d.SecurityPolicy, Mutual: d.Truststore != ""}
	if t.Mutual {
		t.trusted = x509.NewCertPool()
		t.trusted.AppendCertsFromPEM([]byte(d.Truststore))
	}
	return t
}

// MinVersion is the oldest version of TLS that the policy allows.
func (t *DomainTLS) MinVersion() uint16 { return minVersion(t.SecurityPolicy) }

// DomainTLS says how the TLS listener treats a host; false if it is no custom
// domain.
func (g *Gateway) DomainTLS(host string) (DomainTLS, bool) {
	d := g.domainOf(host)
	if d == nil {
		return DomainTLS{}, false
	}
	return d.tls, true
}

// admits reports whether the client of a request has shown a certificate that
// the domain trusts, or need not.
func (t *DomainTLS) admits(r *http.Request, now time.Time) bool {
	if !t.Mutual {
		return true
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return false
	}
	shown := r.TLS.PeerCertificates
	between := x509.NewCertPool()
	for _, c := range shown[1:] {
		between.AddCert(c)
	}
	_, err := shown[0].Verify(x509.VerifyOptions{
		Roots: t.trusted, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err == nil
}
