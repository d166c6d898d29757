package server

import (
	"context"

	"github.com/butai-dev/butai/internal/kms"
)

func (s *Server) startKMS(context.Context) error {
	s.services.kms = kms.New(kms.Config{Store: s.store, Clock: s.cfg.Clock, Authorizer: s.services.iam})
	return nil
}

// serviceKeys lets one service encrypt with KMS's keys for those who call it.
// Errors are KMS's own, whose code and message wire.ErrorFacts tells.
type serviceKeys struct {
	kms     *kms.Service
	service string // such as "ssm"
}

// Encrypt encrypts under an encryption context with the key of an id, ARN or
// alias, or with the one that AWS manages for the service if keyID is "". The
// caller in ctx must be allowed kms:Encrypt. It returns the key's ARN too.
func (k serviceKeys) Encrypt(ctx context.Context, keyID string, context map[string]string, plaintext []byte) (blob []byte, keyARN string, err error) {
	return k.kms.Seal(ctx, kms.Use{Service: k.service, Key: keyID, Context: context}, "Encrypt", plaintext)
}

// EncryptWithDataKey is Encrypt for services that encrypt with data keys: the
// caller must be allowed kms:GenerateDataKey.
func (k serviceKeys) EncryptWithDataKey(ctx context.Context, keyID string, context map[string]string, plaintext []byte) (blob []byte, keyARN string, err error) {
	return k.kms.Seal(ctx, kms.Use{Service: k.service, Key: keyID, Context: context}, "GenerateDataKey", plaintext)
}

// Decrypt decrypts what Encrypt made under the same context. The caller in ctx
// must be allowed kms:Decrypt.
func (k serviceKeys) Decrypt(ctx context.Context, context map[string]string, blob []byte) (plaintext []byte, err error) {
	return k.kms.Open(ctx, kms.Use{Service: k.service, Context: context}, blob)
}
