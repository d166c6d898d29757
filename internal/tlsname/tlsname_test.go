package tlsname_test

import (
	"crypto/tls"
	"testing"

	"github.com/butai-dev/butai/internal/tlsname"
)

// TestNames compares with what `openssl ciphers` lists.
func TestNames(t *testing.T) {
	t.Parallel()
	for suite, want := range map[uint16]string{
		tls.TLS_AES_128_GCM_SHA256:                      "TLS_AES_128_GCM_SHA256",
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:       "ECDHE-RSA-AES128-GCM-SHA256",
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:     "ECDHE-ECDSA-AES256-GCM-SHA384",
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256:     "ECDHE-ECDSA-AES128-SHA256",
		tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA:          "ECDHE-RSA-AES256-SHA",
		tls.TLS_RSA_WITH_AES_128_GCM_SHA256:             "AES128-GCM-SHA256",
		tls.TLS_RSA_WITH_AES_256_CBC_SHA:                "AES256-SHA",
	} {
		if got := tlsname.Suite(suite); got != want {
			t.Errorf("%s is called %s, want %s", tls.CipherSuiteName(suite), got, want)
		}
	}
	if got := tlsname.Version(tls.VersionTLS12) + " " + tlsname.Version(tls.VersionTLS13); got != "TLSv1.2 TLSv1.3" {
		t.Errorf("versions are called %s", got)
	}
}
