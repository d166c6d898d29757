// Package ca is butai's own certificate authority: it signs the certificates
// that ACM issues, so that HTTPS on custom domains works on a machine that
// trusts this one root.
package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/clock"
)

const (
	certificateName = "ca.pem"
	keyName         = "ca.key"

	rootLife = 10 * 365 * 24 * time.Hour
	// leafLife is how long ACM's own certificates are good for: 198 days
	// since browsers shortened what they accept.
	leafLife = 198 * 24 * time.Hour
)

// Authority signs certificates. It makes its root at the first use.
type Authority struct {
	dir   string
	clock clock.Clock

	mu   sync.Mutex
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New returns the authority that is kept in dir.
func New(dir string, c clock.Clock) *Authority { return &Authority{dir: dir, clock: c} }

// Path is the file of the root certificate in PEM. It exists once Root was
// called.
func (a *Authority) Path() string { return filepath.Join(a.dir, certificateName) }

// Leaf is an issued certificate.
type Leaf struct {
	CertificatePEM, ChainPEM, KeyPEM []byte
	X509                             *x509.Certificate
}

// Root returns the root certificate in PEM, making it if there is none.
func (a *Authority) Root() ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.open(); err != nil {
		return nil, err
	}
	return encode("CERTIFICATE", a.cert.Raw), nil
}

// open loads the root or makes one. The caller holds the lock.
func (a *Authority) open() error {
	if a.cert != nil {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(a.Path(), filepath.Join(a.dir, keyName))
	if errors.Is(err, os.ErrNotExist) {
		return a.create()
	}
	if err != nil {
		return fmt.Errorf("ca: load the root: %w", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return errors.New("ca: the root's key is not an ECDSA key")
	}
	a.cert, a.key = pair.Leaf, key
	return nil
}

func (a *Authority) create() error {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := a.clock.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "butai local CA", Organization: []string{"butai"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(rootLife), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	// The key first: a certificate without its key would be of no use.
	if err := os.WriteFile(filepath.Join(a.dir, keyName), encode("PRIVATE KEY", pkcs8), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(a.Path(), encode("CERTIFICATE", der), 0o644); err != nil {
		return err
	}
	a.cert, err = x509.ParseCertificate(der)
	a.key = key
	return err
}

// Issue signs a server certificate for the names; algorithm is ACM's, such as
// RSA_2048 or EC_prime256v1.
func (a *Authority) Issue(names []string, algorithm string) (*Leaf, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.open(); err != nil {
		return nil, err
	}
	key, err := newKey(algorithm)
	if err != nil {
		return nil, err
	}
	now := a.clock.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: now.Truncate(24 * time.Hour), NotAfter: now.Truncate(24 * time.Hour).Add(leafLife),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &Leaf{
		CertificatePEM: encode("CERTIFICATE", der), ChainPEM: encode("CERTIFICATE", a.cert.Raw),
		KeyPEM: encode("PRIVATE KEY", pkcs8), X509: leaf,
	}, nil
}

func newKey(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "RSA_2048":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "EC_prime256v1":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EC_secp384r1":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	return nil, fmt.Errorf("ca: unknown key algorithm %q", algorithm)
}

func serial() *big.Int {
	limit := new(big.Int).Lsh(big.NewInt(1), 127)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil { // crypto/rand doesn't fail since Go 1.24
		panic(err)
	}
	return n
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
