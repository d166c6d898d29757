package server

import (
	"context"
	"errors"

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
	_ sqs.Keys = resourceKeys{}
	_ sns.Keys = resourceKeys{}
)

// Use implements the Keys of the services.
func (k resourceKeys) Use(ctx context.Context, account, key string, about map[string]string, actions ...string) (keyARN string, err error) {
	keyARN, err = k.kms.Check(ctx, kms.Use{Service: k.service, Account: account, Key: key, Context: about}, actions...)
	return keyARN, toldByService(err)
}

// groupKeys lets CloudWatch Logs use keys for log groups: for itself, so that it
// is the key's policy that decides.
type groupKeys struct{ kms *kms.Service }

var _ logs.Keys = groupKeys{}

// ForGroup implements logs.Keys.
func (k groupKeys) ForGroup(ctx context.Context, keyARN, groupARN string) error {
	c := wire.CallerFrom(ctx)
	principal := "logs." + c.Region + ".amazonaws.com"
	call := &byService{principal: principal, sourceARN: groupARN, sourceAccount: c.Account}
	_, err := k.kms.Check(call.in(ctx, c.Account, c.Region), kms.Use{
		Service: "logs", Key: keyARN, Context: map[string]string{"aws:logs:arn": groupARN},
	}, "GenerateDataKey", "Decrypt")
	return toldByService(err)
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
