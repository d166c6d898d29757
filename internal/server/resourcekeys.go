package server

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/dynamodb"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/kms"
	"github.com/butai-dev/butai/internal/logs"
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
	_ sns.Keys      = resourceKeys{}
	_ sqs.Keys      = resourceKeys{}
)

// Use implements the Keys of the services.
func (k resourceKeys) Use(ctx context.Context, account, key string, about map[string]string, actions ...string) (keyARN string, err error) {
	keyARN, err = k.kms.Check(ctx, kms.Use{Service: k.service, Account: account, Key: key, Context: about}, actions...)
	return keyARN, toldByService(err)
}

// Grant implements dynamodb.Keys.
func (k resourceKeys) Grant(ctx context.Context, key, service string, about map[string]string, operations ...string) (keyARN, id string, err error) {
	use := kms.Use{Service: k.service, Key: key, Context: about}
	keyARN, err = k.kms.Check(ctx, use, "DescribeKey")
	if err == nil {
		id, err = k.kms.Grant(ctx, use, kms.ServiceGrant{Name: ident.UUID(), Grantee: service, Retiring: service, Subset: true, Operations: operations})
	}
	return keyARN, id, toldByService(err)
}

// Retire implements dynamodb.Keys.
func (k resourceKeys) Retire(ctx context.Context, keyARN, id string) error {
	return k.kms.EndGrant(ctx, keyARN, id)
}

// toldByService is a refusal of KMS as services pass it on (seen in answers of
// SQS, SNS, S3 and DynamoDB); any other error as it is.
func toldByService(err error) error {
	var code, message string
	if modelled, ok := errors.AsType[wire.ModelledError](err); ok {
		code, _, _, message = wire.ErrorFacts(modelled)
	} else if plain, ok := errors.AsType[*wire.Error](err); ok {
		code, message = plain.Code, plain.Message
	} else {
		return err
	}
	return &wire.Error{
		Code: code, Status: 400,
		Message: message + " (Service: AWSKMS; Status Code: 400; Error Code: " + code + "; Request ID: " + ident.UUID() + "; Proxy: null)",
	}
}
