package kms

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of signatures
	_ "crypto/sha512"
	"crypto/x509"
	"strings"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// hashOf is the hash that an algorithm's name ends with.
func hashOf(algorithm string) crypto.Hash {
	switch {
	case strings.HasSuffix(algorithm, "SHA_256"):
		return crypto.SHA256
	case strings.HasSuffix(algorithm, "SHA_384"):
		return crypto.SHA384
	}
	return crypto.SHA512
}

// signer is what a request to sign or verify is about.
type signer struct {
	*key
	private   crypto.Signer
	algorithm string
	digest    []byte // or the message, for signatures of Ed25519 over it
	options   crypto.SignerOpts
}

func (s *Service) signer(ctx context.Context, keyID, operation, algorithm string, messageType *string, message []byte) (*signer, error) {
	k, err := s.forUse(ctx, keyID, signs, operation)
	if err != nil {
		return nil, err
	}
	if err := k.takes(specs[k.Spec].signing, algorithm); err != nil {
		return nil, err
	}
	h := hashOf(algorithm)
	sg := &signer{key: k, algorithm: algorithm, digest: message, options: h}
	digest := wire.Val(messageType) == kmsapi.MessageTypeDIGEST
	switch {
	case wire.Val(messageType) == kmsapi.MessageTypeEXTERNALMU:
		return nil, invalid("MessageType EXTERNAL_MU is not valid for algorithm %s.", algorithm)
	case algorithm == kmsapi.SigningAlgorithmSpecED25519SHA512 && digest, algorithm == kmsapi.SigningAlgorithmSpecED25519PHSHA512 && !digest:
		return nil, invalid("MessageType %s is not valid for algorithm %s.", messageTypeOf(messageType), algorithm)
	case digest && len(message) != h.Size():
		return nil, invalid("Digest is invalid length for algorithm %s.", algorithm)
	case algorithm == kmsapi.SigningAlgorithmSpecED25519SHA512:
		sg.options = crypto.Hash(0)
	case !digest:
		sum := h.New()
		sum.Write(message)
		sg.digest = sum.Sum(nil)
	}
	if strings.HasPrefix(algorithm, "RSASSA_PSS") {
		sg.options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h}
	}
	sg.private, err = k.private()
	return sg, err
}

func messageTypeOf(asked *string) string {
	if asked == nil {
		return kmsapi.MessageTypeRAW
	}
	return *asked
}

// Sign signs a message or its digest.
func (s *Service) Sign(ctx context.Context, in *kmsapi.SignRequest) (*kmsapi.SignResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	sg, err := s.signer(ctx, *in.KeyId, "Sign", *in.SigningAlgorithm, in.MessageType, in.Message)
	if err != nil {
		return nil, err
	}
	signature, err := sg.private.Sign(rand.Reader, sg.digest, sg.options)
	if err != nil {
		return nil, err
	}
	return &kmsapi.SignResponse{KeyId: wire.Ptr(sg.arn()), Signature: signature, SigningAlgorithm: in.SigningAlgorithm}, dryRun(in.DryRun)
}

// Verify checks a signature; a wrong one is an error.
func (s *Service) Verify(ctx context.Context, in *kmsapi.VerifyRequest) (*kmsapi.VerifyResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	sg, err := s.signer(ctx, *in.KeyId, "Verify", *in.SigningAlgorithm, in.MessageType, in.Message)
	if err != nil {
		return nil, err
	}
	if !sg.verify(in.Signature) {
		return nil, &kmsapi.KMSInvalidSignatureException{}
	}
	return &kmsapi.VerifyResponse{KeyId: wire.Ptr(sg.arn()), SignatureValid: wire.Ptr(true), SigningAlgorithm: in.SigningAlgorithm}, dryRun(in.DryRun)
}

func (sg *signer) verify(signature []byte) bool {
	switch public := sg.private.Public().(type) {
	case *rsa.PublicKey:
		if pss, ok := sg.options.(*rsa.PSSOptions); ok {
			return rsa.VerifyPSS(public, pss.Hash, sg.digest, signature, pss) == nil
		}
		return rsa.VerifyPKCS1v15(public, sg.options.HashFunc(), sg.digest, signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, sg.digest, signature)
	case ed25519.PublicKey:
		return ed25519.VerifyWithOptions(public, sg.digest, signature, &ed25519.Options{Hash: sg.options.HashFunc()}) == nil
	}
	return false
}

// GetPublicKey returns the public half of an asymmetric key.
func (s *Service) GetPublicKey(ctx context.Context, in *kmsapi.GetPublicKeyRequest) (*kmsapi.GetPublicKeyResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	k, err := s.find(ctx, wire.CallerFrom(ctx), *in.KeyId)
	if err != nil {
		return nil, err
	}
	if kind(k.Spec) != "asymmetric" {
		return nil, unsupported("%s key spec is %s which is not valid for this operation.", k.arn(), k.Spec)
	}
	if err := k.usable(); err != nil {
		return nil, err
	}
	private, err := k.private()
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, err
	}
	m := k.metadata()
	return &kmsapi.GetPublicKeyResponse{
		KeyId: m.Arn, PublicKey: public, CustomerMasterKeySpec: m.CustomerMasterKeySpec, KeySpec: m.KeySpec, KeyUsage: m.KeyUsage,
		EncryptionAlgorithms: m.EncryptionAlgorithms, SigningAlgorithms: m.SigningAlgorithms, KeyAgreementAlgorithms: m.KeyAgreementAlgorithms,
	}, nil
}

// DeriveSharedSecret agrees on a secret with the owner of another key on the
// same curve.
func (s *Service) DeriveSharedSecret(ctx context.Context, in *kmsapi.DeriveSharedSecretRequest) (*kmsapi.DeriveSharedSecretResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	k, err := s.forUse(ctx, *in.KeyId, agrees, "DeriveSharedSecret")
	if err != nil {
		return nil, err
	}
	if err := k.takes(specs[k.Spec].agreement, *in.KeyAgreementAlgorithm); err != nil {
		return nil, err
	}
	private, err := k.agreement()
	if err != nil {
		return nil, err
	}
	var secret []byte
	public, err := peer(in.PublicKey)
	if err == nil {
		secret, err = private.ECDH(public)
	}
	if err != nil {
		return nil, invalid("The public key is not valid for the key spec %s.", k.Spec)
	}
	return &kmsapi.DeriveSharedSecretResponse{
		KeyId: wire.Ptr(k.arn()), SharedSecret: secret, KeyAgreementAlgorithm: in.KeyAgreementAlgorithm, KeyOrigin: wire.Ptr(kmsapi.OriginTypeAWSKMS),
	}, dryRun(in.DryRun)
}

// peer reads the public key of the other side.
func peer(der []byte) (*ecdh.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	if public, ok := parsed.(*ecdsa.PublicKey); ok {
		return public.ECDH()
	}
	return nil, x509.ErrUnsupportedAlgorithm
}
