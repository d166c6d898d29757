package sns

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"

	"github.com/butai-dev/butai/internal/store"
)

// CertificatePath is the beginning of the paths at which the certificates are
// that messages are signed with.
const CertificatePath = "/SimpleNotificationService-"

// signerRecord is what messages are signed with.
type signerRecord struct {
	ID               string // of the certificate's address
	Certificate, Key []byte // PEM
}

// open reads the signer, or has one made; s.signing is held.
func (s *Service) openSigner(ctx context.Context) error {
	if s.key != nil {
		return nil
	}
	var have *signerRecord
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		have, err = signers.Get(r, "")
		return err
	})
	if err != nil {
		return err
	}
	if have == nil {
		certificate, key, err := s.Certificate()
		if err != nil {
			return err
		}
		hash := sha256.Sum256(certificate)
		have = &signerRecord{hex.EncodeToString(hash[:16]), certificate, key}
		if err := s.Store.Update(ctx, func(tx store.Tx) error { return signers.Put(tx, have, "") }); err != nil {
			return err
		}
	}
	block, _ := pem.Decode(have.Key)
	if block == nil {
		return errors.New("the key that signs messages can't be read")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return err
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return errors.New("the key that signs messages is not an RSA key")
	}
	s.signer, s.key = have, key
	return nil
}

// sign signs a message: with SHA-1 in version 1, with SHA-256 in version 2.
func (s *Service) sign(n *notice) error {
	s.signing.Lock()
	defer s.signing.Unlock()
	if err := s.openSigner(context.Background()); err != nil {
		return err
	}
	n.certificate = s.URL + CertificatePath + s.signer.ID + ".pem"
	kind, digest := crypto.SHA1, sha1.Sum([]byte(n.signed()))
	hash := digest[:]
	if n.version == "2" {
		longer := sha256.Sum256([]byte(n.signed()))
		kind, hash = crypto.SHA256, longer[:]
	}
	signature, err := rsa.SignPKCS1v15(nil, s.key, kind, hash)
	n.signature = base64.StdEncoding.EncodeToString(signature)
	return err
}

// SigningCertificate is the certificate at a path of CertificatePath's, in PEM,
// or nil.
func (s *Service) SigningCertificate(ctx context.Context, path string) ([]byte, error) {
	s.signing.Lock()
	defer s.signing.Unlock()
	if err := s.openSigner(ctx); err != nil {
		return nil, err
	}
	if path != CertificatePath+s.signer.ID+".pem" {
		return nil, nil
	}
	return s.signer.Certificate, nil
}
