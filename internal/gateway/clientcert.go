package gateway

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/butai-dev/butai/internal/gateway/vtl"
)

// clientCertSource is $context.identity.clientCert, the certificate that the
// client of a domain with mutual TLS has shown (developer guide, "$context
// variables for data models, authorizers, …").
type clientCertSource struct{ c *x509.Certificate }

// validitySource is its member validity.
type validitySource struct{ c *x509.Certificate }

var _, _ vtl.Source = clientCertSource{}, validitySource{}

func (clientCertSource) Keys() []string {
	return []string{"clientCertPem", "issuerDN", "serialNumber", "subjectDN", "validity"}
}

func (s clientCertSource) Lookup(name string) (vtl.Value, bool) {
	switch name {
	case "clientCertPem":
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.c.Raw})), true
	case "issuerDN":
		return s.c.Issuer.String(), true
	case "serialNumber":
		var digits []string
		for _, b := range s.c.SerialNumber.Bytes() {
			digits = append(digits, fmt.Sprintf("%02x", b))
		}
		return strings.Join(digits, ":"), true
	case "subjectDN":
		return s.c.Subject.String(), true
	case "validity":
		return validitySource(s), true
	}
	return nil, false
}

// validityLayout is how the ends of a certificate's validity print.
const validityLayout = "Jan _2 15:04:05 2006 GMT"

func (validitySource) Keys() []string { return []string{"notAfter", "notBefore"} }

func (s validitySource) Lookup(name string) (vtl.Value, bool) {
	switch name {
	case "notAfter":
		return s.c.NotAfter.UTC().Format(validityLayout), true
	case "notBefore":
		return s.c.NotBefore.UTC().Format(validityLayout), true
	}
	return nil, false
}

// appendSource appends a group of $context as a JSON object.
func appendSource(b []byte, s vtl.Source) []byte {
	b = append(b, '{')
	for i, key := range s.Keys() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, key), ':')
		switch v, _ := s.Lookup(key); v := v.(type) {
		case string:
			b = appendText(b, v)
		case vtl.Source:
			b = appendSource(b, v)
		default:
			b = append(b, "null"...)
		}
	}
	return append(b, '}')
}
