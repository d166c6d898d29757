package secretsmanager

import (
	"context"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/wire"
)

// defaultBatch is how many secrets a page of a batch has if nobody says.
const defaultBatch = 20

// BatchGetSecretValue decrypts the AWSCURRENT versions of several secrets, by
// their ids or by filters. A secret that can't be read is one of the errors.
func (s *Service) BatchGetSecretValue(ctx context.Context, in *secretsmanagerapi.BatchGetSecretValueRequest) (*secretsmanagerapi.BatchGetSecretValueResponse, error) {
	ids := in.SecretIdList
	out := &secretsmanagerapi.BatchGetSecretValueResponse{SecretValues: []secretsmanagerapi.SecretValueEntry{}, Errors: []secretsmanagerapi.APIErrorType{}}
	switch {
	case (len(ids) > 0) == (len(in.Filters) > 0):
		return nil, invalidParameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case len(ids) > 0 && (in.MaxResults != nil || in.NextToken != nil):
		return nil, invalidParameter("'Filters' not specified. 'MaxResults' and 'NextToken' can only be used with 'Filters'.")
	case len(ids) == 0:
		found, err := s.filtered(ctx, in.Filters, false)
		if err != nil {
			return nil, err
		}
		limit := in.MaxResults
		if limit == nil {
			limit = wire.Ptr(int64(defaultBatch))
		}
		if found, out.NextToken, err = page(found, in.NextToken, limit); err != nil {
			return nil, err
		}
		for _, rec := range found {
			ids = append(ids, rec.arn())
		}
	}
	for _, id := range ids {
		e, err := s.oneOfBatch(ctx, id)
		if err == nil {
			out.SecretValues = append(out.SecretValues, *e)
			continue
		}
		code, status, message := facts(err)
		if status == 0 || status >= 500 {
			return nil, err
		}
		out.Errors = append(out.Errors, secretsmanagerapi.APIErrorType{SecretId: &id, ErrorCode: &code, Message: &message})
	}
	return out, nil
}

func (s *Service) oneOfBatch(ctx context.Context, id string) (*secretsmanagerapi.SecretValueEntry, error) {
	target := s.target(ctx, "GetSecretValue", &id)
	if denial := s.Authorizer.Authorize(ctx, wire.CallerFrom(ctx), target); denial != "" {
		return nil, wire.Errorf("AccessDeniedException", "%s", denial)
	}
	rec, v, val, err := s.reveal(ctx, &secretsmanagerapi.GetSecretValueRequest{SecretId: &id})
	if err != nil {
		return nil, err
	}
	e := &secretsmanagerapi.SecretValueEntry{
		ARN: wire.Ptr(rec.arn()), Name: &rec.Name, VersionId: &v.ID, VersionStages: rec.labels(v.ID), CreatedDate: &v.Created,
	}
	e.SecretString, e.SecretBinary = val.members()
	return e, nil
}
