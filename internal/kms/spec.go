package kms

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
)

// spec is what keys of one kind can do (Developer Guide: "Key spec
// reference").
type spec struct {
	usages     []string
	encryption []string
	signing    []string
	mac        []string
	agreement  []string
	size       int            // bytes of a secret, bits of an RSA key
	curve      elliptic.Curve // of an ECDSA key
}

const (
	encrypts = kmsapi.KeyUsageTypeENCRYPTDECRYPT
	signs    = kmsapi.KeyUsageTypeSIGNVERIFY
	macs     = kmsapi.KeyUsageTypeGENERATEVERIFYMAC
	agrees   = kmsapi.KeyUsageTypeKEYAGREEMENT

	symmetric = kmsapi.KeySpecSYMMETRICDEFAULT
)

func rsaSpec(bits int) *spec {
	return &spec{
		usages: []string{encrypts, signs}, size: bits,
		encryption: []string{kmsapi.EncryptionAlgorithmSpecRSAESOAEPSHA1, kmsapi.EncryptionAlgorithmSpecRSAESOAEPSHA256},
		signing: []string{
			kmsapi.SigningAlgorithmSpecRSASSAPKCS1V15SHA256, kmsapi.SigningAlgorithmSpecRSASSAPKCS1V15SHA384, kmsapi.SigningAlgorithmSpecRSASSAPKCS1V15SHA512,
			kmsapi.SigningAlgorithmSpecRSASSAPSSSHA256, kmsapi.SigningAlgorithmSpecRSASSAPSSSHA384, kmsapi.SigningAlgorithmSpecRSASSAPSSSHA512,
		},
	}
}

func curveSpec(curve elliptic.Curve, algorithm string) *spec {
	return &spec{
		usages: []string{signs, agrees}, curve: curve,
		signing: []string{algorithm}, agreement: []string{kmsapi.KeyAgreementAlgorithmSpecECDH},
	}
}

func macSpec(size int, algorithm string) *spec {
	return &spec{usages: []string{macs}, size: size, mac: []string{algorithm}}
}

var specs = map[string]*spec{
	symmetric:                 {usages: []string{encrypts}, size: 32, encryption: []string{kmsapi.EncryptionAlgorithmSpecSYMMETRICDEFAULT}},
	kmsapi.KeySpecRSA2048:     rsaSpec(2048),
	kmsapi.KeySpecRSA3072:     rsaSpec(3072),
	kmsapi.KeySpecRSA4096:     rsaSpec(4096),
	kmsapi.KeySpecECCNISTP256: curveSpec(elliptic.P256(), kmsapi.SigningAlgorithmSpecECDSASHA256),
	kmsapi.KeySpecECCNISTP384: curveSpec(elliptic.P384(), kmsapi.SigningAlgorithmSpecECDSASHA384),
	kmsapi.KeySpecECCNISTP521: curveSpec(elliptic.P521(), kmsapi.SigningAlgorithmSpecECDSASHA512),
	kmsapi.KeySpecHMAC224:     macSpec(28, kmsapi.MacAlgorithmSpecHMACSHA224),
	kmsapi.KeySpecHMAC256:     macSpec(32, kmsapi.MacAlgorithmSpecHMACSHA256),
	kmsapi.KeySpecHMAC384:     macSpec(48, kmsapi.MacAlgorithmSpecHMACSHA384),
	kmsapi.KeySpecHMAC512:     macSpec(64, kmsapi.MacAlgorithmSpecHMACSHA512),
	kmsapi.KeySpecECCNISTEDWARDS25519: {
		usages: []string{signs}, signing: []string{kmsapi.SigningAlgorithmSpecED25519SHA512, kmsapi.SigningAlgorithmSpecED25519PHSHA512},
	},
}

// specOf returns what keys of a name can do; the model has checked that AWS
// has such keys.
func specOf(name string) (*spec, error) {
	sp := specs[name]
	if sp == nil {
		return nil, wire.NotBuilt("KMS keys of the spec %s", name)
	}
	return sp, nil
}

// takes refuses an algorithm that keys of this spec don't have.
func (k *key) takes(algorithms []string, algorithm string) error {
	if !slices.Contains(algorithms, algorithm) {
		return wrongUsage("Algorithm %s is incompatible with key spec %s.", algorithm, k.Spec)
	}
	return nil
}

// newMaterial makes what a key of a spec computes with.
func newMaterial(name string) (material, error) {
	sp, err := specOf(name)
	if err != nil {
		return material{}, err
	}
	m := material{ID: ident.Hex(32)}
	if sp.size > 0 && sp.size < 2048 {
		m.Secret = ident.Bytes(sp.size)
		return m, nil
	}
	private, err := sp.generate()
	if err != nil {
		return material{}, err
	}
	m.Secret, err = x509.MarshalPKCS8PrivateKey(private)
	return m, err
}

func (sp *spec) generate() (crypto.Signer, error) {
	switch {
	case sp.curve != nil:
		return ecdsa.GenerateKey(sp.curve, rand.Reader)
	case sp.size > 0:
		return rsa.GenerateKey(rand.Reader, sp.size)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return private, err
}

// private is the private key of an asymmetric key.
func (k *key) private() (crypto.Signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(k.current().Secret)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", k.arn(), err)
	}
	switch private := parsed.(type) {
	case *rsa.PrivateKey:
		return private, nil
	case *ecdsa.PrivateKey:
		return private, nil
	case ed25519.PrivateKey:
		return private, nil
	}
	return nil, fmt.Errorf("read %s: %T", k.arn(), parsed)
}

// agreement is the private key of a key for key agreement.
func (k *key) agreement() (*ecdh.PrivateKey, error) {
	private, err := k.private()
	if err != nil {
		return nil, err
	}
	curve, ok := private.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read %s: %T", k.arn(), private)
	}
	return curve.ECDH()
}
