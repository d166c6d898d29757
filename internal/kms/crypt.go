package kms

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"hash"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// forUse is the key that a request names, which must be able to do the
// operation.
func (s *Service) forUse(ctx context.Context, keyID, usage, operation string) (*key, error) {
	k, err := s.find(ctx, wire.CallerFrom(ctx), keyID)
	if err != nil {
		return nil, err
	}
	if err := k.usable(); err != nil {
		return nil, err
	}
	if k.Usage != usage {
		return nil, wrongUsage("%s key usage is %s which is not valid for %s.", k.arn(), k.Usage, operation)
	}
	return k, nil
}

// algorithmOr is the encryption algorithm of a request.
func algorithmOr(asked *string) string {
	if asked == nil {
		return kmsapi.EncryptionAlgorithmSpecSYMMETRICDEFAULT
	}
	return *asked
}

// Encrypt encrypts up to 4096 bytes.
func (s *Service) Encrypt(ctx context.Context, in *kmsapi.EncryptRequest) (*kmsapi.EncryptResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	k, err := s.forUse(ctx, *in.KeyId, encrypts, "Encrypt")
	if err != nil {
		return nil, err
	}
	algorithm := algorithmOr(in.EncryptionAlgorithm)
	blob, err := k.encrypt(algorithm, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kmsapi.EncryptResponse{CiphertextBlob: blob, KeyId: wire.Ptr(k.arn()), EncryptionAlgorithm: &algorithm}, dryRun(in.DryRun)
}

// Decrypt decrypts what Encrypt, ReEncrypt or GenerateDataKey made.
func (s *Service) Decrypt(ctx context.Context, in *kmsapi.DecryptRequest) (*kmsapi.DecryptResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	if in.CiphertextBlob == nil {
		return nil, invalid("1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null")
	}
	algorithm := algorithmOr(in.EncryptionAlgorithm)
	k, err := s.source(ctx, in.KeyId, in.CiphertextBlob, algorithm)
	if err != nil {
		return nil, err
	}
	out := &kmsapi.DecryptResponse{KeyId: wire.Ptr(k.arn()), EncryptionAlgorithm: &algorithm}
	if out.Plaintext, out.KeyMaterialId, err = k.decrypt(algorithm, in.CiphertextBlob, in.EncryptionContext); err != nil {
		return nil, err
	}
	return out, dryRun(in.DryRun)
}

// ReEncrypt decrypts and encrypts again, without showing the plaintext.
func (s *Service) ReEncrypt(ctx context.Context, in *kmsapi.ReEncryptRequest) (*kmsapi.ReEncryptResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	if in.CiphertextBlob == nil {
		return nil, invalid("1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null")
	}
	from, to := algorithmOr(in.SourceEncryptionAlgorithm), algorithmOr(in.DestinationEncryptionAlgorithm)
	source, err := s.source(ctx, in.SourceKeyId, in.CiphertextBlob, from)
	if err != nil {
		return nil, err
	}
	out := &kmsapi.ReEncryptResponse{SourceKeyId: wire.Ptr(source.arn()), SourceEncryptionAlgorithm: &from, DestinationEncryptionAlgorithm: &to}
	plaintext, materialID, err := source.decrypt(from, in.CiphertextBlob, in.SourceEncryptionContext)
	if err != nil {
		return nil, err
	}
	out.SourceKeyMaterialId = materialID
	k, err := s.forUse(ctx, *in.DestinationKeyId, encrypts, "ReEncrypt")
	if err != nil {
		return nil, err
	}
	out.KeyId = wire.Ptr(k.arn())
	if out.CiphertextBlob, err = k.encrypt(to, plaintext, in.DestinationEncryptionContext); err != nil {
		return nil, err
	}
	if k.Spec == symmetric {
		out.DestinationKeyMaterialId = &k.current().ID
	}
	return out, dryRun(in.DryRun)
}

// source is the key to decrypt with: the one that is named, or that the
// ciphertext names. Both must be the same.
func (s *Service) source(ctx context.Context, keyID *string, blob []byte, algorithm string) (*key, error) {
	if keyID != nil {
		k, err := s.find(ctx, wire.CallerFrom(ctx), *keyID)
		if err != nil {
			return nil, err
		}
		if k.Usage != encrypts {
			return nil, incorrectKey()
		}
		if k.Spec == symmetric && algorithm == kmsapi.EncryptionAlgorithmSpecSYMMETRICDEFAULT && materialOf(blob) != "" {
			made, err := s.sealer(ctx, blob)
			if err != nil {
				return nil, err
			}
			if made == nil || made.ID != k.ID {
				return nil, incorrectKey()
			}
		}
		return k, k.usable()
	}
	if algorithm != kmsapi.EncryptionAlgorithmSpecSYMMETRICDEFAULT {
		return nil, invalid("KeyId is required to decrypt with the algorithm %s.", algorithm)
	}
	k, err := s.sealer(ctx, blob)
	if err != nil {
		return nil, err
	}
	c := wire.CallerFrom(ctx)
	if k == nil || k.Region != c.Region {
		return nil, wire.Errorf("AccessDeniedException", "User: %s is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because "+
			"the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access", c.ARN)
	}
	return k, k.usable()
}

func incorrectKey() error {
	return &kmsapi.IncorrectKeyException{Message: wire.Ptr("The key ID in the request does not identify a CMK that can perform this operation.")}
}

// oaep is the hash of an RSA encryption algorithm.
func oaep(algorithm string) hash.Hash {
	if algorithm == kmsapi.EncryptionAlgorithmSpecRSAESOAEPSHA1 {
		return sha1.New()
	}
	return sha256.New()
}

func (k *key) encrypt(algorithm string, plaintext []byte, context map[string]string) ([]byte, error) {
	if err := k.takes(specs[k.Spec].encryption, algorithm); err != nil {
		return nil, err
	}
	if k.Spec == symmetric {
		return k.current().seal(plaintext, context)
	}
	if len(context) > 0 {
		return nil, invalid("EncryptionContext is not valid with the algorithm %s.", algorithm)
	}
	private, err := k.rsa()
	if err != nil {
		return nil, err
	}
	h := oaep(algorithm)
	if most := private.Size() - 2*h.Size() - 2; len(plaintext) > most {
		return nil, invalid("Algorithm %s and key spec %s cannot encrypt data larger than %d bytes.", algorithm, k.Spec, most)
	}
	return rsa.EncryptOAEP(h, rand.Reader, &private.PublicKey, plaintext, nil)
}

// decrypt also returns the id of the material that opened a symmetric
// ciphertext.
func (k *key) decrypt(algorithm string, blob []byte, context map[string]string) ([]byte, *string, error) {
	if err := k.takes(specs[k.Spec].encryption, algorithm); err != nil {
		return nil, nil, err
	}
	if k.Spec == symmetric {
		plaintext, id, err := k.unseal(blob, context)
		return plaintext, &id, err
	}
	private, err := k.rsa()
	if err != nil {
		return nil, nil, err
	}
	plaintext, err := rsa.DecryptOAEP(oaep(algorithm), nil, private, blob, nil)
	if err != nil || len(context) > 0 {
		return nil, nil, badCiphertext()
	}
	return plaintext, nil, nil
}

func (k *key) rsa() (*rsa.PrivateKey, error) {
	private, err := k.private()
	if err != nil {
		return nil, err
	}
	out, ok := private.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New(k.arn() + " is no RSA key")
	}
	return out, nil
}
