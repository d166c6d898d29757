package kms

import (
	"context"
	"crypto/x509"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
)

// dataKeySize is how long a data key is to be, in bytes.
func dataKeySize(spec *string, size *int64) (int, error) {
	switch {
	case spec == nil && size == nil:
		return 0, invalid("Please specify either number of bytes or key spec.")
	case spec != nil && size != nil:
		return 0, invalid("Please specify either number of bytes or key spec. Both are not allowed.")
	case size != nil:
		return int(*size), nil
	case *spec == kmsapi.DataKeySpecAES128:
		return 16, nil
	}
	return 32, nil
}

// GenerateDataKey makes a key for use outside of KMS, plain and encrypted.
func (s *Service) GenerateDataKey(ctx context.Context, in *kmsapi.GenerateDataKeyRequest) (*kmsapi.GenerateDataKeyResponse, error) {
	return s.dataKey(ctx, in, "GenerateDataKey")
}

// GenerateDataKeyWithoutPlaintext makes a data key that is shown encrypted only.
func (s *Service) GenerateDataKeyWithoutPlaintext(ctx context.Context, in *kmsapi.GenerateDataKeyWithoutPlaintextRequest) (*kmsapi.GenerateDataKeyWithoutPlaintextResponse, error) {
	out, err := s.dataKey(ctx, &kmsapi.GenerateDataKeyRequest{
		KeyId: in.KeyId, EncryptionContext: in.EncryptionContext, NumberOfBytes: in.NumberOfBytes, KeySpec: in.KeySpec, GrantTokens: in.GrantTokens, DryRun: in.DryRun,
	}, "GenerateDataKeyWithoutPlaintext")
	if err != nil {
		return nil, err
	}
	return &kmsapi.GenerateDataKeyWithoutPlaintextResponse{CiphertextBlob: out.CiphertextBlob, KeyId: out.KeyId, KeyMaterialId: out.KeyMaterialId}, nil
}

func (s *Service) dataKey(ctx context.Context, in *kmsapi.GenerateDataKeyRequest, operation string) (*kmsapi.GenerateDataKeyResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	size, err := dataKeySize(in.KeySpec, in.NumberOfBytes)
	if err != nil {
		return nil, err
	}
	k, err := s.wrapper(ctx, *in.KeyId, operation)
	if err != nil {
		return nil, err
	}
	out := &kmsapi.GenerateDataKeyResponse{Plaintext: ident.Bytes(size), KeyId: wire.Ptr(k.arn()), KeyMaterialId: &k.current().ID}
	if out.CiphertextBlob, err = k.current().seal(out.Plaintext, in.EncryptionContext); err != nil {
		return nil, err
	}
	return out, dryRun(in.DryRun)
}

// wrapper is a symmetric key to encrypt data keys with.
func (s *Service) wrapper(ctx context.Context, keyID, operation string) (*key, error) {
	k, err := s.forUse(ctx, keyID, encrypts, operation)
	if err == nil && k.Spec != symmetric {
		err = wrongUsage("%s key spec is %s which is not valid for %s.", k.arn(), k.Spec, operation)
	}
	return k, err
}

// GenerateDataKeyPair makes a key pair for use outside of KMS; its private key
// comes plain and encrypted.
func (s *Service) GenerateDataKeyPair(ctx context.Context, in *kmsapi.GenerateDataKeyPairRequest) (*kmsapi.GenerateDataKeyPairResponse, error) {
	return s.dataKeyPair(ctx, in, "GenerateDataKeyPair")
}

// GenerateDataKeyPairWithoutPlaintext makes a key pair whose private key comes
// encrypted only.
func (s *Service) GenerateDataKeyPairWithoutPlaintext(ctx context.Context, in *kmsapi.GenerateDataKeyPairWithoutPlaintextRequest) (*kmsapi.GenerateDataKeyPairWithoutPlaintextResponse, error) {
	out, err := s.dataKeyPair(ctx, &kmsapi.GenerateDataKeyPairRequest{
		KeyId: in.KeyId, EncryptionContext: in.EncryptionContext, KeyPairSpec: in.KeyPairSpec, GrantTokens: in.GrantTokens, DryRun: in.DryRun,
	}, "GenerateDataKeyPairWithoutPlaintext")
	if err != nil {
		return nil, err
	}
	return &kmsapi.GenerateDataKeyPairWithoutPlaintextResponse{
		PrivateKeyCiphertextBlob: out.PrivateKeyCiphertextBlob, PublicKey: out.PublicKey, KeyId: out.KeyId, KeyPairSpec: out.KeyPairSpec, KeyMaterialId: out.KeyMaterialId,
	}, nil
}

func (s *Service) dataKeyPair(ctx context.Context, in *kmsapi.GenerateDataKeyPairRequest, operation string) (*kmsapi.GenerateDataKeyPairResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	sp, err := specOf(*in.KeyPairSpec)
	if err != nil {
		return nil, err
	}
	k, err := s.wrapper(ctx, *in.KeyId, operation)
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	private, err := sp.generate()
	if err != nil {
		return nil, err
	}
	out := &kmsapi.GenerateDataKeyPairResponse{KeyId: wire.Ptr(k.arn()), KeyPairSpec: in.KeyPairSpec, KeyMaterialId: &k.current().ID}
	if out.PrivateKeyPlaintext, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
		return nil, err
	}
	if out.PublicKey, err = x509.MarshalPKIXPublicKey(private.Public()); err != nil {
		return nil, err
	}
	out.PrivateKeyCiphertextBlob, err = k.current().seal(out.PrivateKeyPlaintext, in.EncryptionContext)
	return out, err
}

// GenerateRandom returns random bytes.
func (s *Service) GenerateRandom(_ context.Context, in *kmsapi.GenerateRandomRequest) (*kmsapi.GenerateRandomResponse, error) {
	if in.NumberOfBytes == nil {
		return nil, invalid("NumberOfBytes is required.")
	}
	return &kmsapi.GenerateRandomResponse{Plaintext: ident.Bytes(int(*in.NumberOfBytes))}, nil
}
