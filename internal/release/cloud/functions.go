package cloud

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/butai-dev/butai/internal/release"
)

// Functions is Lambda.
type Functions struct{ client *lambda.Client }

var _ release.Functions = (*Functions)(nil)

// NewFunctions is the account's Lambda.
func NewFunctions(cfg aws.Config) *Functions { return &Functions{lambda.NewFromConfig(cfg)} }

const notFound = "ResourceNotFoundException"

// Configuration implements release.Functions.
func (f *Functions) Configuration(ctx context.Context, function, qualifier string) (*release.Configuration, error) {
	c, err := f.client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function, Qualifier: &qualifier})
	if err != nil {
		return nil, err
	}
	out := &release.Configuration{
		ARN: aws.ToString(c.FunctionArn), Version: aws.ToString(c.Version), CodeSHA256: aws.ToString(c.CodeSha256),
		Revision: aws.ToString(c.RevisionId), Updating: c.LastUpdateStatus == types.LastUpdateStatusInProgress,
		Modified: aws.ToString(c.LastModified), Runtime: string(c.Runtime), Handler: aws.ToString(c.Handler), Role: aws.ToString(c.Role),
		Memory: aws.ToInt32(c.MemorySize), Timeout: aws.ToInt32(c.Timeout),
	}
	for _, l := range c.Layers {
		out.Layers = append(out.Layers, aws.ToString(l.Arn))
	}
	if c.Environment != nil {
		out.Environment = c.Environment.Variables
	}
	return out, nil
}

// Publish implements release.Functions.
func (f *Functions) Publish(ctx context.Context, function, codeSHA256, revision, description string) (*release.Configuration, error) {
	in := &lambda.PublishVersionInput{FunctionName: &function, CodeSha256: &codeSHA256, RevisionId: &revision}
	if description != "" {
		in.Description = &description
	}
	v, err := f.client.PublishVersion(ctx, in)
	if err != nil {
		return nil, err
	}
	return &release.Configuration{ARN: aws.ToString(v.FunctionArn), Version: aws.ToString(v.Version), CodeSHA256: aws.ToString(v.CodeSha256)}, nil
}

// maxCode is what is read of a zip at most: Lambda's own limit unzipped.
const maxCode = 250 << 20

// Code implements release.Functions.
func (f *Functions) Code(ctx context.Context, function, qualifier string) ([]byte, error) {
	out, err := f.client.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &function, Qualifier: &qualifier})
	if err != nil {
		return nil, err
	}
	if out.Code != nil && aws.ToString(out.Code.RepositoryType) == "ECR" {
		return nil, nil // a container image: there is no zip to compare
	}
	if out.Code == nil || out.Code.Location == nil {
		return nil, fmt.Errorf("%s:%s has no zip to download", function, qualifier)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, *out.Code.Location, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("download the code of %s:%s: %s", function, qualifier, res.Status)
	}
	return io.ReadAll(io.LimitReader(res.Body, maxCode))
}

// Versions implements release.Functions.
func (f *Functions) Versions(ctx context.Context, function string) ([]release.Configuration, error) {
	var out []release.Configuration
	pages := lambda.NewListVersionsByFunctionPaginator(f.client, &lambda.ListVersionsByFunctionInput{FunctionName: &function})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, v := range page.Versions {
			out = append(out, release.Configuration{Version: aws.ToString(v.Version), CodeSHA256: aws.ToString(v.CodeSha256), Modified: aws.ToString(v.LastModified)})
		}
	}
	return out, nil
}

// DeleteVersion implements release.Functions.
func (f *Functions) DeleteVersion(ctx context.Context, function, version string) error {
	_, err := f.client.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &function, Qualifier: &version})
	if is(err, notFound) {
		return nil
	}
	return err
}

// Alias implements release.Functions.
func (f *Functions) Alias(ctx context.Context, function, name string) (*release.Alias, error) {
	a, err := f.client.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &function, Name: &name})
	if is(err, notFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := release.Alias{Name: name, Version: aws.ToString(a.FunctionVersion), Revision: aws.ToString(a.RevisionId)}
	if a.RoutingConfig != nil {
		out.Weights = a.RoutingConfig.AdditionalVersionWeights
	}
	return &out, nil
}

// Aliases implements release.Functions.
func (f *Functions) Aliases(ctx context.Context, function string) ([]release.Alias, error) {
	var out []release.Alias
	pages := lambda.NewListAliasesPaginator(f.client, &lambda.ListAliasesInput{FunctionName: &function})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, a := range page.Aliases {
			v := release.Alias{Name: aws.ToString(a.Name), Version: aws.ToString(a.FunctionVersion), Revision: aws.ToString(a.RevisionId)}
			if a.RoutingConfig != nil {
				v.Weights = a.RoutingConfig.AdditionalVersionWeights
			}
			out = append(out, v)
		}
	}
	return out, nil
}

// CreateAlias implements release.Functions.
func (f *Functions) CreateAlias(ctx context.Context, function, name, version, description string) error {
	_, err := f.client.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: &function, Name: &name, FunctionVersion: &version, Description: &description,
	})
	return err
}

// MoveAlias implements release.Functions.
func (f *Functions) MoveAlias(ctx context.Context, function string, a release.Alias, version string) error {
	in := &lambda.UpdateAliasInput{FunctionName: &function, Name: &a.Name, FunctionVersion: &version}
	if a.Revision != "" {
		in.RevisionId = &a.Revision
	}
	if len(a.Weights) > 0 {
		in.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}}
	}
	_, err := f.client.UpdateAlias(ctx, in)
	return err
}

// DeleteAlias implements release.Functions.
func (f *Functions) DeleteAlias(ctx context.Context, function, name string) error {
	_, err := f.client.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &function, Name: &name})
	if is(err, notFound) {
		return nil
	}
	return err
}

// Policy implements release.Functions.
func (f *Functions) Policy(ctx context.Context, function, alias string) (string, error) {
	out, err := f.client.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &function, Qualifier: &alias})
	if is(err, notFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Policy), nil
}

// Permit implements release.Functions.
func (f *Functions) Permit(ctx context.Context, function, alias string, p release.Permission) error {
	in := &lambda.AddPermissionInput{
		FunctionName: &function, Qualifier: &alias, StatementId: &p.ID,
		Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("apigateway.amazonaws.com"),
	}
	if p.SourceARN != "" {
		in.SourceArn = &p.SourceARN
	}
	if p.SourceAccount != "" {
		in.SourceAccount = &p.SourceAccount
	}
	_, err := f.client.AddPermission(ctx, in)
	if is(err, "ResourceConflictException") {
		return nil // the statement is there: an earlier run made it
	}
	return err
}
