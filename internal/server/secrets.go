package server

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/lambda"
	"github.com/butai-dev/butai/internal/secretsmanager"
)

func (s *Server) startSecrets(ctx context.Context) (err error) {
	s.services.secretsmanager, err = secretsmanager.New(ctx, secretsmanager.Config{
		Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Keys: serviceKeys{s.services.kms, "secretsmanager", "GenerateDataKey"},
		Functions: rotators{s.services.lambda}, Authorizer: s.services.iam,
	})
	if err == nil {
		s.onClose(func() error { return s.services.secretsmanager.Close(ctx) })
	}
	return err
}

// rotators lets Secrets Manager call the functions that rotate secrets.
type rotators struct{ lambda *lambda.Service }

var _ secretsmanager.Functions = rotators{}

func (rotators) call(functionARN, secretARN, account string) *catalog.Call {
	return &catalog.Call{FunctionARN: functionARN, Principal: "secretsmanager.amazonaws.com", SourceARN: secretARN, SourceAccount: account}
}

// MayRotate implements secretsmanager.Functions.
func (r rotators) MayRotate(functionARN, secretARN, account string) bool {
	_, err := r.lambda.Catalog.Admit(r.call(functionARN, secretARN, account))
	return err == nil
}

// Rotate implements secretsmanager.Functions.
func (r rotators) Rotate(ctx context.Context, functionARN, secretARN, account string, event []byte) error {
	call := r.call(functionARN, secretARN, account)
	call.Payload, call.KnownJSON = event, true
	out, err := r.lambda.Call(ctx, call, false)
	if err == nil && out.FunctionError != "" {
		err = errors.New(string(out.Payload))
	}
	return err
}
