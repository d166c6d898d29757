package ca

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"time"
)

// clientLife is how long API Gateway's client certificates are good for
// (developer guide, "Generate and configure an SSL certificate for backend
// authentication").
const clientLife = 365 * 24 * time.Hour

// ClientCertificate makes a self-signed certificate for a TLS client, and its
// key. It is not the authority's: a server that trusts it trusts nothing else.
func (a *Authority) ClientCertificate() (certificate, key []byte, expires time.Time, err error) {
	pair, err := newKey("RSA_2048")
	if err != nil {
		return nil, nil, expires, err
	}
	now := a.clock.Now().Truncate(time.Second)
	expires = now.Add(clientLife)
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "ApiGateway", Organization: []string{"butai"}},
		NotBefore: now, NotAfter: expires, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, pair.Public(), pair)
	if err != nil {
		return nil, nil, expires, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		return nil, nil, expires, err
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs8), expires, nil
}
