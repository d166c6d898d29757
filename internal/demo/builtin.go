package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
)

// builtin deploys the example without terraform, over the same AWS APIs and
// in the same order as terraform would.
type builtin struct {
	*story
	apiID string // once deployed
	last  settings
}

var stages = []string{"staging", "production"}

func (b *builtin) command(s settings) string {
	if b.apiID == "" {
		return "terraform apply   # done here by butai's own deployer"
	}
	if s.productionVersion != b.last.productionVersion {
		return "aws lambda update-alias --function-name user --name production --function-version " + s.productionVersion
	}
	return "aws lambda update-function-code --function-name user --zip-file fileb://handler.zip"
}

func (b *builtin) deploy(ctx context.Context, s settings) (string, error) {
	code, err := os.ReadFile(filepath.Join(b.dir, s.code))
	if err != nil {
		return "", err
	}
	previous := b.last
	b.last = s
	if b.apiID == "" {
		return b.create(ctx, code)
	}
	if s.productionVersion != previous.productionVersion {
		return b.apiID, b.call(ctx, &lambdaapi.Service, "UpdateAlias", &lambdaapi.UpdateAliasRequest{
			FunctionName: wire.Ptr("user"), Name: wire.Ptr("production"), FunctionVersion: &s.productionVersion,
		})
	}
	return b.apiID, b.call(ctx, &lambdaapi.Service, "UpdateFunctionCode", &lambdaapi.UpdateFunctionCodeRequest{
		FunctionName: wire.Ptr("user"), ZipFile: code,
	})
}

// call is one API call whose answer doesn't matter.
func (b *builtin) call(ctx context.Context, m *wire.ServiceModel, operation string, in any) error {
	if err := b.aws.Call(ctx, m, operation, in, nil); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

// create makes everything once.
func (b *builtin) create(ctx context.Context, code []byte) (string, error) {
	for _, stage := range stages {
		if err := b.createTable(ctx, "user-"+stage); err != nil {
			return "", err
		}
	}
	role, err := b.createRole(ctx)
	if err != nil {
		return "", err
	}
	if err := b.call(ctx, &lambdaapi.Service, "CreateFunction", &lambdaapi.CreateFunctionRequest{
		FunctionName: wire.Ptr("user"), Role: &role, Handler: wire.Ptr("main.handler"), Runtime: &b.Runtime,
		Code: &lambdaapi.FunctionCode{ZipFile: code}, Timeout: wire.Ptr(int64(10)),
	}); err != nil {
		return "", err
	}
	var api apigatewayapi.RestApi
	if err := b.aws.Call(ctx, &apigatewayapi.Service, "CreateRestApi", &apigatewayapi.CreateRestApiRequest{Name: wire.Ptr("user")}, &api); err != nil {
		return "", fmt.Errorf("CreateRestApi: %w", err)
	}
	for _, stage := range stages {
		if err := b.createAlias(ctx, stage, *api.Id); err != nil {
			return "", err
		}
	}
	if err := b.createMethods(ctx, *api.Id, *api.RootResourceId); err != nil {
		return "", err
	}
	for _, stage := range stages {
		if err := b.call(ctx, &apigatewayapi.Service, "CreateDeployment", &apigatewayapi.CreateDeploymentRequest{
			RestApiId: api.Id, StageName: &stage, Variables: map[string]string{"stage": stage},
		}); err != nil {
			return "", err
		}
	}
	b.apiID = *api.Id
	return b.apiID, nil
}

func (b *builtin) createTable(ctx context.Context, name string) error {
	return b.call(ctx, &dynamodbapi.Service, "CreateTable", &dynamodbapi.CreateTableInput{
		TableName: &name, BillingMode: wire.Ptr(dynamodbapi.BillingModePAYPERREQUEST),
		AttributeDefinitions: []dynamodbapi.AttributeDefinition{{AttributeName: wire.Ptr("id"), AttributeType: wire.Ptr("S")}},
		KeySchema:            []dynamodbapi.KeySchemaElement{{AttributeName: wire.Ptr("id"), KeyType: wire.Ptr("HASH")}},
	})
}

// policyDocument is an IAM policy.
type policyDocument struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string
	Action    []string
	Resource  []string          `json:",omitempty"`
	Principal map[string]string `json:",omitempty"`
}

func policyText(s statement) *string {
	text, err := json.Marshal(policyDocument{Version: "2012-10-17", Statement: []statement{s}})
	if err != nil { // a literal structure of strings always encodes
		panic(err)
	}
	return wire.Ptr(string(text))
}

func (b *builtin) createRole(ctx context.Context) (string, error) {
	var made iamapi.CreateRoleResponse
	if err := b.aws.Call(ctx, &iamapi.Service, "CreateRole", &iamapi.CreateRoleRequest{
		RoleName: wire.Ptr("user-api"),
		AssumeRolePolicyDocument: policyText(statement{Effect: "Allow", Action: []string{"sts:AssumeRole"},
			Principal: map[string]string{"Service": "lambda.amazonaws.com"}}),
	}, &made); err != nil {
		return "", fmt.Errorf("CreateRole: %w", err)
	}
	if err := b.call(ctx, &iamapi.Service, "PutRolePolicy", &iamapi.PutRolePolicyRequest{
		RoleName: wire.Ptr("user-api"), PolicyName: wire.Ptr("tables"),
		PolicyDocument: policyText(statement{Effect: "Allow", Action: []string{"dynamodb:GetItem", "dynamodb:PutItem"},
			Resource: []string{fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/user-*", b.Region, b.Account)}}),
	}); err != nil {
		return "", err
	}
	return *made.Role.Arn, b.call(ctx, &iamapi.Service, "AttachRolePolicy", &iamapi.AttachRolePolicyRequest{
		RoleName: wire.Ptr("user-api"), PolicyArn: wire.Ptr("arn:aws:iam::aws:policy/AWSLambdaExecute"),
	})
}

// createAlias makes a stage's alias and lets the gateway call exactly it.
func (b *builtin) createAlias(ctx context.Context, stage, apiID string) error {
	if err := b.call(ctx, &lambdaapi.Service, "CreateAlias", &lambdaapi.CreateAliasRequest{
		FunctionName: wire.Ptr("user"), Name: &stage, FunctionVersion: wire.Ptr("$LATEST"),
	}); err != nil {
		return err
	}
	return b.call(ctx, &lambdaapi.Service, "AddPermission", &lambdaapi.AddPermissionRequest{
		FunctionName: wire.Ptr("user"), Qualifier: &stage, StatementId: wire.Ptr("gateway-" + stage),
		Action: wire.Ptr("lambda:InvokeFunction"), Principal: wire.Ptr("apigateway.amazonaws.com"),
		SourceArn: wire.Ptr(fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/*/user/*", b.Region, b.Account, apiID, stage)),
	})
}

// requests are the request mapping templates by method.
var requests = map[string]string{
	"GET":  `{"method": "GET", "stage": "$stageVariables.stage", "id": "$input.params('id')"}`,
	"POST": `{"method": "POST", "stage": "$stageVariables.stage", "id": "$input.params('id')", "name": "$util.escapeJavaScript($input.path('$.name'))"}`,
}

// failures are the selection patterns by status.
var failures = map[string]string{"400": "400: .*", "500": `500: (.|\n)*`}

func (b *builtin) createMethods(ctx context.Context, apiID, root string) error {
	user, err := b.createResource(ctx, apiID, root, "user")
	if err != nil {
		return err
	}
	id, err := b.createResource(ctx, apiID, user, "{id}")
	if err != nil {
		return err
	}
	uri := fmt.Sprintf("arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/arn:aws:lambda:%s:%s:function:user:${stageVariables.stage}/invocations",
		b.Region, b.Region, b.Account)
	for method, template := range requests {
		if err := b.call(ctx, &apigatewayapi.Service, "PutMethod", &apigatewayapi.PutMethodRequest{
			RestApiId: &apiID, ResourceId: &id, HttpMethod: &method, AuthorizationType: wire.Ptr("NONE"),
		}); err != nil {
			return err
		}
		if err := b.call(ctx, &apigatewayapi.Service, "PutIntegration", &apigatewayapi.PutIntegrationRequest{
			RestApiId: &apiID, ResourceId: &id, HttpMethod: &method, Type: wire.Ptr(apigatewayapi.IntegrationTypeAWS),
			IntegrationHttpMethod: wire.Ptr("POST"), Uri: &uri, RequestTemplates: map[string]string{"application/json": template},
		}); err != nil {
			return err
		}
		if err := b.putResponse(ctx, apiID, id, method, "200", "", ""); err != nil {
			return err
		}
		for status, pattern := range failures {
			if err := b.putResponse(ctx, apiID, id, method, status, pattern,
				`{"error": "$input.path('$.errorMessage').substring(5)"}`); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *builtin) createResource(ctx context.Context, apiID, parent, part string) (string, error) {
	var made apigatewayapi.Resource
	if err := b.aws.Call(ctx, &apigatewayapi.Service, "CreateResource", &apigatewayapi.CreateResourceRequest{
		RestApiId: &apiID, ParentId: &parent, PathPart: &part,
	}, &made); err != nil {
		return "", fmt.Errorf("CreateResource: %w", err)
	}
	return *made.Id, nil
}

func (b *builtin) putResponse(ctx context.Context, apiID, resource, method, status, pattern, template string) error {
	if err := b.call(ctx, &apigatewayapi.Service, "PutMethodResponse", &apigatewayapi.PutMethodResponseRequest{
		RestApiId: &apiID, ResourceId: &resource, HttpMethod: &method, StatusCode: &status,
	}); err != nil {
		return err
	}
	in := &apigatewayapi.PutIntegrationResponseRequest{RestApiId: &apiID, ResourceId: &resource, HttpMethod: &method, StatusCode: &status}
	if pattern != "" {
		in.SelectionPattern, in.ResponseTemplates = &pattern, map[string]string{"application/json": template}
	}
	return b.call(ctx, &apigatewayapi.Service, "PutIntegrationResponse", in)
}
