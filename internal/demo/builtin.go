package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// builtin deploys the example without terraform, over the same AWS APIs and
// in the same order as terraform would.
type builtin struct {
	*story
	tables  *dynamodb.Client
	roles   *iam.Client
	gateway *apigateway.Client

	apiID string // once deployed
	last  settings
}

var stages = []string{"staging", "production"}

func newBuiltin(s *story) *builtin {
	cfg := s.awsConfig()
	return &builtin{story: s, tables: dynamodb.NewFromConfig(cfg), roles: iam.NewFromConfig(cfg), gateway: apigateway.NewFromConfig(cfg)}
}

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
		_, err := b.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{
			FunctionName: aws.String("user"), Name: aws.String("production"), FunctionVersion: &s.productionVersion,
		})
		return b.apiID, err
	}
	_, err = b.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("user"), ZipFile: code})
	return b.apiID, err
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
	runtime := lambdatypes.Runtime(cmp.Or(b.Runtime, "python3.11"))
	if _, err = b.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("user"), Role: &role, Handler: aws.String("main.handler"), Runtime: runtime,
		Code: &lambdatypes.FunctionCode{ZipFile: code}, Timeout: aws.Int32(10),
	}); err != nil {
		return "", err
	}
	api, err := b.gateway.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: aws.String("user")})
	if err != nil {
		return "", err
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
		if _, err := b.gateway.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{
			RestApiId: api.Id, StageName: &stage, Variables: map[string]string{"stage": stage},
		}); err != nil {
			return "", err
		}
	}
	b.apiID = *api.Id
	return b.apiID, nil
}

func (b *builtin) createTable(ctx context.Context, name string) error {
	_, err := b.tables.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: dbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dbtypes.ScalarAttributeTypeS}},
		KeySchema:            []dbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dbtypes.KeyTypeHash}},
	})
	return err
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
	return aws.String(string(text))
}

func (b *builtin) createRole(ctx context.Context) (string, error) {
	role, err := b.roles.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String("user-api"),
		AssumeRolePolicyDocument: policyText(statement{Effect: "Allow", Action: []string{"sts:AssumeRole"},
			Principal: map[string]string{"Service": "lambda.amazonaws.com"}}),
	})
	if err != nil {
		return "", err
	}
	if _, err := b.roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String("user-api"), PolicyName: aws.String("tables"),
		PolicyDocument: policyText(statement{Effect: "Allow", Action: []string{"dynamodb:GetItem", "dynamodb:PutItem"},
			Resource: []string{fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/user-*", b.Region, b.Account)}}),
	}); err != nil {
		return "", err
	}
	_, err = b.roles.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{
		RoleName: aws.String("user-api"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AWSLambdaExecute"),
	})
	return *role.Role.Arn, err
}

// createAlias makes a stage's alias and lets the gateway call exactly it.
func (b *builtin) createAlias(ctx context.Context, stage, apiID string) error {
	if _, err := b.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: aws.String("user"), Name: &stage, FunctionVersion: aws.String("$LATEST"),
	}); err != nil {
		return err
	}
	_, err := b.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: aws.String("user"), Qualifier: &stage, StatementId: aws.String("gateway-" + stage),
		Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("apigateway.amazonaws.com"),
		SourceArn: aws.String(fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/*/user/*", b.Region, b.Account, apiID, stage)),
	})
	return err
}

// requests are the request mapping templates by method.
var requests = map[string]string{
	"GET":  `{"method": "GET", "stage": "$stageVariables.stage", "id": "$input.params('id')"}`,
	"POST": `{"method": "POST", "stage": "$stageVariables.stage", "id": "$input.params('id')", "name": "$util.escapeJavaScript($input.path('$.name'))"}`,
}

// failures are the selection patterns by status.
var failures = map[string]string{"400": "400: .*", "500": `500: (.|\n)*`}

func (b *builtin) createMethods(ctx context.Context, apiID, root string) error {
	user, err := b.gateway.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: &apiID, ParentId: &root, PathPart: aws.String("user")})
	if err != nil {
		return err
	}
	id, err := b.gateway.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: &apiID, ParentId: user.Id, PathPart: aws.String("{id}")})
	if err != nil {
		return err
	}
	uri := fmt.Sprintf("arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/arn:aws:lambda:%s:%s:function:user:${stageVariables.stage}/invocations",
		b.Region, b.Region, b.Account)
	for method, template := range requests {
		if _, err := b.gateway.PutMethod(ctx, &apigateway.PutMethodInput{
			RestApiId: &apiID, ResourceId: id.Id, HttpMethod: &method, AuthorizationType: aws.String("NONE"),
		}); err != nil {
			return err
		}
		if _, err := b.gateway.PutIntegration(ctx, &apigateway.PutIntegrationInput{
			RestApiId: &apiID, ResourceId: id.Id, HttpMethod: &method, Type: apitypes.IntegrationTypeAws,
			IntegrationHttpMethod: aws.String("POST"), Uri: &uri, RequestTemplates: map[string]string{"application/json": template},
		}); err != nil {
			return err
		}
		if err := b.putResponse(ctx, apiID, *id.Id, method, "200", "", ""); err != nil {
			return err
		}
		for status, pattern := range failures {
			if err := b.putResponse(ctx, apiID, *id.Id, method, status, pattern,
				`{"error": "$input.path('$.errorMessage').substring(5)"}`); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *builtin) putResponse(ctx context.Context, apiID, resource, method, status, pattern, template string) error {
	if _, err := b.gateway.PutMethodResponse(ctx, &apigateway.PutMethodResponseInput{
		RestApiId: &apiID, ResourceId: &resource, HttpMethod: &method, StatusCode: &status,
	}); err != nil {
		return err
	}
	in := &apigateway.PutIntegrationResponseInput{RestApiId: &apiID, ResourceId: &resource, HttpMethod: &method, StatusCode: &status}
	if pattern != "" {
		in.SelectionPattern, in.ResponseTemplates = &pattern, map[string]string{"application/json": template}
	}
	_, err := b.gateway.PutIntegrationResponse(ctx, in)
	return err
}
