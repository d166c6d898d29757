// Package tlsname says what AWS's front ends call TLS versions and cipher
// suites in the headers that they add to requests: they have OpenSSL's names,
// where Go has IANA's.
package tlsname

import (
	"crypto/tls"
	"strings"
)

// Version is such as TLSv1.3.
func Version(version uint16) string {
	return strings.Replace(tls.VersionName(version), "TLS ", "TLSv", 1)
}

// Suite is such as ECDHE-RSA-AES128-GCM-SHA256. Suites of TLS 1.3 have one
// name everywhere.
func Suite(suite uint16) string {
	name := tls.CipherSuiteName(suite)
	exchange, cipher, ok := strings.Cut(strings.TrimPrefix(name, "TLS_"), "_WITH_")
	if !ok {
		return name
	}
	if strings.HasPrefix(cipher, "CHACHA20_POLY1305") {
		cipher = "CHACHA20_POLY1305" // OpenSSL leaves out the hash here
	}
	return strings.TrimPrefix(strings.NewReplacer("AES_", "AES", "_CBC", "", "_", "-").Replace(exchange+"-"+cipher), "RSA-")
}
