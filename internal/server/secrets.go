package server

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/lambda"
	"github.com/butai-dev/butai/internal/secretsmanager"
	"github.com/butai-dev/butai/internal/ssm"
	"github.com/butai-dev/butai/internal/wire"
)

func (s *Server) startSecrets(ctx context.Context) (err error) {
	s.services.secretsmanager, err = secretsmanager.New(ctx, secretsmanager.Config{
		Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Keys: serviceKeys{s.services.kms, "secretsmanager", "GenerateDataKey"},
		Functions: rotators{s.services.lambda}, Authorizer: s.services.iam,
	})
	if err == nil {
		s.onClose(func() error { return s.services.secretsmanager.Close(ctx) })
	}
	s.services.ssm = ssm.New(ssm.Config{
		Store: s.store, Clock: s.cfg.Clock, Keys: serviceKeys{s.services.kms, "ssm", "Encrypt"}, Secrets: referredSecrets{&s.services},
	})
	return err
}

// referredSecrets lets parameters refer to secrets, for those who may read them.
type referredSecrets struct{ services *services }

var _ ssm.Secrets = referredSecrets{}

// ReadSecret implements ssm.Secrets.
func (r referredSecrets) ReadSecret(ctx context.Context, id, version, stage string) (*ssm.Secret, error) {
	in := &secretsmanagerapi.GetSecretValueRequest{SecretId: &id}
	if version != "" {
		in.VersionId = &version
	}
	if stage != "" {
		in.VersionStage = &stage
	}
	for _, target := range r.services.secretsmanager.IAMTargets(ctx, secretsmanagerapi.Service.Operation("GetSecretValue"), in) {
		if denial := r.services.iam.Authorize(ctx, wire.CallerFrom(ctx), target); denial != "" {
			return nil, wire.Errorf("AccessDeniedException", "%s", denial)
		}
	}
	out, err := r.services.secretsmanager.GetSecretValue(ctx, in)
	if _, missing := errors.AsType[*secretsmanagerapi.ResourceNotFoundException](err); missing {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &ssm.Secret{
		ARN: *out.ARN, Name: *out.Name, VersionID: *out.VersionId, Text: wire.Val(out.SecretString), VersionStages: out.VersionStages, Created: *out.CreatedDate,
	}, nil
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
