package server

import (
	"context"

	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/kms"
	"github.com/butai-dev/butai/internal/lambda"
	"github.com/butai-dev/butai/internal/secretsmanager"
	"github.com/butai-dev/butai/internal/wire"
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
	// sealing is what callers must be allowed to encrypt: "Encrypt", or
	// "GenerateDataKey" for a service that encrypts with data keys.
	sealing string
}

var _ secretsmanager.Keys = serviceKeys{}

// Encrypt encrypts under an encryption context with the key of an id, ARN or
// alias, or with the one that AWS manages for the service if key is "".
func (k serviceKeys) Encrypt(ctx context.Context, key string, plaintext []byte, about map[string]string) (ciphertext []byte, err error) {
	ciphertext, _, err = k.kms.Seal(ctx, kms.Use{Service: k.service, Key: key, Context: about}, k.sealing, plaintext)
	return ciphertext, err
}

// Decrypt decrypts what Encrypt made under the same context; the caller must
// be allowed kms:Decrypt.
func (k serviceKeys) Decrypt(ctx context.Context, ciphertext []byte, about map[string]string) (plaintext []byte, err error) {
	return k.kms.Open(ctx, kms.Use{Service: k.service, Context: about}, ciphertext)
}

// functionKeys lets Lambda encrypt functions' variables, bound to the function
// as Lambda's are (Developer Guide: "Securing Lambda environment variables").
type functionKeys struct{ kms *kms.Service }

var _ lambda.Keys = functionKeys{}

func (k functionKeys) use(functionARN string) kms.Use {
	return kms.Use{Service: "lambda", Context: map[string]string{"aws:lambda:FunctionArn": functionARN}}
}

// Seal implements lambda.Keys.
func (k functionKeys) Seal(ctx context.Context, key, role, functionARN string, text []byte) ([]byte, error) {
	use := k.use(functionARN)
	use.Key = key
	blob, _, err := k.kms.Seal(ctx, use, "Encrypt", text)
	if err != nil {
		return nil, err
	}
	_, err = k.kms.Grant(ctx, use, kms.ServiceGrant{Name: functionARN, Grantee: role, Operations: []string{"Decrypt", "RetireGrant"}})
	return blob, err
}

// Open implements lambda.Keys.
func (k functionKeys) Open(ctx context.Context, role, functionARN string, sealed []byte) ([]byte, error) {
	use := k.use(functionARN)
	if use.Role = role; role != "" {
		a, err := arn.Parse(functionARN)
		if err != nil {
			return nil, err
		}
		ctx = wire.WithCaller(ctx, &wire.Caller{Account: a.Account, Region: a.Region, ARN: role})
	}
	return k.kms.Open(ctx, use, sealed)
}
