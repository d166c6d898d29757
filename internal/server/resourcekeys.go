package server

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/dynamodb"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/kms"
	"github.com/butai-dev/butai/internal/logs"
	"github.com/butai-dev/butai/internal/s3"
	"github.com/butai-dev/butai/internal/sns"
	"github.com/butai-dev/butai/internal/sqs"
	"github.com/butai-dev/butai/internal/wire"
)

// resourceKeys lets a service ask whether those who use its resources may use
// the keys that these are encrypted with.
type resourceKeys struct {
	kms     *kms.Service
	service string // such as "sqs"
}

var (
	_ dynamodb.Keys = resourceKeys{}
	_ logs.Keys     = resourceKeys{}
	_ s3.Keys       = resourceKeys{}
	_ sns.Keys      = resourceKeys{}
	_ sqs.Keys      = resourceKeys{}
)

// Use implements the Keys of the services.
func (k resourceKeys) Use(ctx context.Context, account, key string, about map[string]string, actions ...string) (keyARN string, err error) {
	keyARN, err = k.kms.Check(ctx, kms.Use{Service: k.service, Account: account, Key: key, Context: about}, actions...)
	return keyARN, k.told(err)
}

// Grant implements dynamodb.Keys.
func (k resourceKeys) Grant(ctx context.Context, key, service string, about map[string]string, operations ...string) (keyARN, id string, err error) {
	use := kms.Use{Service: k.service, Key: key, Context: about}
	keyARN, err = k.kms.Check(ctx, use, "DescribeKey")
	if err == nil {
		id, err = k.kms.Grant(ctx, use, kms.ServiceGrant{Name: ident.UUID(), Grantee: service, Retiring: service, Subset: true, Operations: operations})
	}
	return keyARN, id, k.told(err)
}

// Retire implements dynamodb.Keys.
func (k resourceKeys) Retire(ctx context.Context, keyARN, id string) error {
	return k.kms.EndGrant(ctx, keyARN, id)
}

// told is a refusal of KMS as the service passes it on: with a note of where it
// comes from, but for S3 (seen in answers of all of them). Other errors stay as
// they are.
func (k resourceKeys) told(err error) error {
	refused := &wire.Error{Status: 400}
	if modelled, ok := errors.AsType[wire.ModelledError](err); ok {
		refused.Code, _, _, refused.Message = wire.ErrorFacts(modelled)
	} else if plain, ok := errors.AsType[*wire.Error](err); ok {
		refused.Code, refused.Message = plain.Code, plain.Message
	} else {
		return err
	}
	if k.service != "s3" {
		refused.Message += " (Service: AWSKMS; Status Code: 400; Error Code: " + refused.Code + "; Request ID: " + ident.UUID() + "; Proxy: null)"
	}
	return refused
}
