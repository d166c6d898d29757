package secretsmanager

import (
	"context"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// readPolicy checks the text of a resource policy.
func readPolicy(text string) (*policy.Document, error) {
	doc, err := policy.Parse([]byte(text), policy.Resource)
	if err != nil {
		return nil, &secretsmanagerapi.MalformedPolicyDocumentException{Message: wire.Ptr("This resource policy contains invalid syntax: " + err.Error())}
	}
	return doc, nil
}

const publicAccess = "This resource policy grants broad access to the secret."

// isPublic reports whether a policy lets anybody read the secret. AWS proves as
// much of all requests; here it is tried with one that meets no condition.
func isPublic(doc *policy.Document, secretARN string) bool {
	return policy.Evaluate(&policy.Request{
		Principal: policy.Principal{Kind: policy.Anonymous}, Action: "secretsmanager:GetSecretValue", Resource: secretARN,
		ResourcePolicy: doc, Context: policy.Context{},
	}).Allowed
}

// PutResourcePolicy sets a secret's policy.
func (s *Service) PutResourcePolicy(ctx context.Context, in *secretsmanagerapi.PutResourcePolicyRequest) (*secretsmanagerapi.PutResourcePolicyResponse, error) {
	doc, err := readPolicy(*in.ResourcePolicy)
	if err != nil {
		return nil, err
	}
	rec, err := s.edit(ctx, in.SecretId, func(_ store.Tx, rec *secretRecord) error {
		if wire.Val(in.BlockPublicPolicy) && isPublic(doc, rec.arn()) {
			return &secretsmanagerapi.PublicPolicyException{Message: wire.Ptr(publicAccess)}
		}
		rec.Policy = *in.ResourcePolicy
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanagerapi.PutResourcePolicyResponse{ARN: wire.Ptr(rec.arn()), Name: &rec.Name}, nil
}

// GetResourcePolicy returns a secret's policy, if it has one.
func (s *Service) GetResourcePolicy(ctx context.Context, in *secretsmanagerapi.GetResourcePolicyRequest) (*secretsmanagerapi.GetResourcePolicyResponse, error) {
	rec, err := s.read(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	return &secretsmanagerapi.GetResourcePolicyResponse{ARN: wire.Ptr(rec.arn()), Name: &rec.Name, ResourcePolicy: wire.TextOrNil(rec.Policy)}, nil
}

// DeleteResourcePolicy takes a secret's policy away.
func (s *Service) DeleteResourcePolicy(ctx context.Context, in *secretsmanagerapi.DeleteResourcePolicyRequest) (*secretsmanagerapi.DeleteResourcePolicyResponse, error) {
	rec, err := s.edit(ctx, in.SecretId, func(_ store.Tx, rec *secretRecord) error {
		rec.Policy = ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanagerapi.DeleteResourcePolicyResponse{ARN: wire.Ptr(rec.arn()), Name: &rec.Name}, nil
}

// ValidateResourcePolicy tells what is wrong with a policy.
func (s *Service) ValidateResourcePolicy(ctx context.Context, in *secretsmanagerapi.ValidateResourcePolicyRequest) (*secretsmanagerapi.ValidateResourcePolicyResponse, error) {
	about := "*"
	if in.SecretId != nil {
		rec, err := s.read(ctx, in.SecretId)
		if err != nil {
			return nil, err
		}
		about = rec.arn()
	}
	doc, err := readPolicy(*in.ResourcePolicy)
	if err != nil {
		return nil, err
	}
	out := &secretsmanagerapi.ValidateResourcePolicyResponse{PolicyValidationPassed: wire.Ptr(true), ValidationErrors: []secretsmanagerapi.ValidationErrorsEntry{}}
	if isPublic(doc, about) {
		out.PolicyValidationPassed = wire.Ptr(false)
		out.ValidationErrors = append(out.ValidationErrors, secretsmanagerapi.ValidationErrorsEntry{CheckName: wire.Ptr("BLOCK_PUBLIC_POLICY"), ErrorMessage: wire.Ptr(publicAccess)})
	}
	return out, nil
}
