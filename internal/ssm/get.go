package ssm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// GetParameter reads a parameter, or the secret that it refers to.
func (s *Service) GetParameter(ctx context.Context, in *ssmapi.GetParameterRequest) (*ssmapi.GetParameterResult, error) {
	p, err := s.read(ctx, *in.Name, wire.Val(in.WithDecryption))
	if err != nil {
		return nil, err
	}
	return &ssmapi.GetParameterResult{Parameter: p}, nil
}

// GetParameters reads several; names that nothing is found for are told apart.
func (s *Service) GetParameters(ctx context.Context, in *ssmapi.GetParametersRequest) (*ssmapi.GetParametersResult, error) {
	for i, name := range in.Names {
		if slices.Contains(in.Names[:i], name) {
			return nil, invalid("Duplicate parameter names are not allowed in the request: %s.", name)
		}
	}
	out := &ssmapi.GetParametersResult{Parameters: []ssmapi.Parameter{}, InvalidParameters: []string{}}
	for _, name := range in.Names {
		p, err := s.read(ctx, name, wire.Val(in.WithDecryption))
		_, missing := errors.AsType[*ssmapi.ParameterNotFound](err)
		_, noVersion := errors.AsType[*ssmapi.ParameterVersionNotFound](err)
		switch {
		case missing || noVersion:
			out.InvalidParameters = append(out.InvalidParameters, name)
		case err != nil:
			return nil, err
		default:
			out.Parameters = append(out.Parameters, *p)
		}
	}
	slices.SortStableFunc(out.Parameters, func(a, b ssmapi.Parameter) int { return strings.Compare(*a.Name, *b.Name) })
	return out, nil
}

func (s *Service) read(ctx context.Context, name string, decrypt bool) (*ssmapi.Parameter, error) {
	switch {
	case strings.HasPrefix(name, secretReference):
		return s.readSecret(ctx, name, decrypt)
	case strings.HasPrefix(name, publicPrefix):
		return nil, wire.NotBuilt("the public parameters of AWS's services, such as %s", name)
	}
	ref, err := parse(ctx, name)
	if err != nil {
		return nil, err
	}
	var p *parameterRecord
	var v *versionRecord
	err = s.Store.View(ctx, func(r store.ReadTx) (err error) {
		if p, err = get(ctx, r, ref); err != nil {
			return err
		}
		v, err = p.selected(r, ref.selector)
		return err
	})
	if err != nil {
		return nil, err
	}
	out, err := s.shown(ctx, p, v, decrypt)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(name, "arn:") {
		out.Name = &ref.name // with or without a slash, as it was asked for
	}
	if ref.selector != "" {
		out.Selector = wire.Ptr(":" + ref.selector)
	}
	return out, nil
}

// shown is a version as the API shows it.
func (s *Service) shown(ctx context.Context, p *parameterRecord, v *versionRecord, decrypt bool) (*ssmapi.Parameter, error) {
	value, err := s.value(ctx, p, v, decrypt)
	if err != nil {
		return nil, err
	}
	return &ssmapi.Parameter{
		Name: &p.Name, Type: &v.Type, Value: &value, Version: &v.Version, LastModifiedDate: &v.Modified, ARN: wire.Ptr(p.arn()), DataType: &v.DataType,
	}, nil
}

// value is a version's text: that of a secure string decrypted, or its
// ciphertext in base64.
func (s *Service) value(ctx context.Context, p *parameterRecord, v *versionRecord, decrypt bool) (string, error) {
	switch {
	case v.Type != ssmapi.ParameterTypeSecureString:
		return string(v.Value), nil
	case !decrypt:
		return base64.StdEncoding.EncodeToString(v.Value), nil
	}
	plain, err := s.Keys.Decrypt(ctx, v.Value, about(p))
	if err != nil {
		return "", ofKMS(err)
	}
	return string(plain), nil
}

// readSecret reads a secret by the parameter that refers to it; behind its id
// may stand a version's id or a staging label.
func (s *Service) readSecret(ctx context.Context, name string, decrypt bool) (*ssmapi.Parameter, error) {
	if !decrypt {
		return nil, invalid("WithDecryption flag must be True for retrieving a Secret Manager secret.")
	}
	c := wire.CallerFrom(ctx)
	plain, selector, selects := strings.Cut(name, ":")
	id, version, stage := strings.TrimPrefix(plain, secretReference), selector, ""
	if len(selector) < 32 { // ids of versions are that long
		version, stage = "", selector
	}
	secret, err := s.Secrets.ReadSecret(ctx, id, version, stage)
	if err != nil {
		return nil, err
	}
	if secret == nil {
		return nil, &ssmapi.ParameterNotFound{Message: wire.Ptr("An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret " + name + " not found.")}
	}
	source, err := json.Marshal(secret)
	if err != nil {
		return nil, err
	}
	out := &ssmapi.Parameter{
		Name: &plain, Type: wire.Ptr(ssmapi.ParameterTypeSecureString), Value: &secret.Text, Version: wire.Ptr(int64(0)),
		SourceResult: wire.Ptr(string(source)), LastModifiedDate: &secret.Created, ARN: wire.Ptr(arnOf(c.Account, c.Region, plain)), DataType: wire.Ptr(dataTypeText),
	}
	if selects {
		out.Selector = wire.Ptr(":" + selector)
	}
	return out, nil
}

// Sizes of pages if nobody says.
const (
	pathPage     = 10
	describePage = 50
)

func page[T any](list []T, token *string, limit *int64, size int) (part []T, next *string, err error) {
	if limit != nil {
		size = int(*limit)
	}
	part, next, err = paging.Cut(list, token, size)
	if err != nil {
		return nil, nil, &ssmapi.InvalidNextToken{Message: wire.Ptr("The specified token is not valid.")}
	}
	return part, next, nil
}

// found is a parameter with one of its versions.
type found struct {
	p *parameterRecord
	v *versionRecord
}

// GetParametersByPath reads the parameters below a path, of those one level
// below it or of all.
func (s *Service) GetParametersByPath(ctx context.Context, in *ssmapi.GetParametersByPathRequest) (*ssmapi.GetParametersByPathResult, error) {
	if strings.HasPrefix(*in.Path+"/", publicPrefix) {
		return nil, wire.NotBuilt("the public parameters of AWS's services, such as %s", *in.Path)
	}
	if *in.Path != "/" && !nameForm.MatchString(strings.TrimSuffix(*in.Path, "/")) || !strings.HasPrefix(*in.Path, "/") {
		return nil, invalid(`The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.`)
	}
	if err := checkFilters(in.ParameterFilters, "Type", "KeyId", "Label"); err != nil {
		return nil, err
	}
	filters := slices.Clone(in.ParameterFilters)
	under := ssmapi.ParameterStringFilter{Key: wire.Ptr("Path"), Option: wire.Ptr("OneLevel"), Values: []string{*in.Path}}
	if wire.Val(in.Recursive) {
		under.Option = wire.Ptr("Recursive")
	}
	list, err := s.search(ctx, append(filters, under))
	if err != nil {
		return nil, err
	}
	out := &ssmapi.GetParametersByPathResult{Parameters: []ssmapi.Parameter{}}
	if list, out.NextToken, err = page(list, in.NextToken, in.MaxResults, pathPage); err != nil {
		return nil, err
	}
	for _, f := range list {
		shown, err := s.shown(ctx, f.p, f.v, wire.Val(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, *shown)
	}
	return out, nil
}

// GetParameterHistory reads all versions, the oldest first.
func (s *Service) GetParameterHistory(ctx context.Context, in *ssmapi.GetParameterHistoryRequest) (*ssmapi.GetParameterHistoryResult, error) {
	ref, err := parse(ctx, *in.Name)
	if err != nil {
		return nil, err
	}
	var p *parameterRecord
	var list []*versionRecord
	err = s.Store.View(ctx, func(r store.ReadTx) (err error) {
		if p, err = get(ctx, r, ref); err != nil {
			return err
		}
		list, err = history.List(r, p.key()...)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ssmapi.GetParameterHistoryResult{Parameters: []ssmapi.ParameterHistory{}}
	if list, out.NextToken, err = page(list, in.NextToken, in.MaxResults, describePage); err != nil {
		return nil, err
	}
	for _, v := range list {
		value, err := s.value(ctx, p, v, wire.Val(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, ssmapi.ParameterHistory{
			Name: &p.Name, Type: &v.Type, KeyId: wire.TextOrNil(v.Key), LastModifiedDate: &v.Modified, LastModifiedUser: &v.User, Value: &value,
			Description: wire.TextOrNil(v.Description), AllowedPattern: wire.TextOrNil(v.AllowedPattern), Version: &v.Version, Labels: p.labelsOf(v.Version),
			Tier: &v.Tier, Policies: []ssmapi.ParameterInlinePolicy{}, DataType: &v.DataType,
		})
	}
	return out, nil
}
