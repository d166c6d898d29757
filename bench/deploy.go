package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Parts of the API that every subject answers with, as in examples/user-api.
const (
	stage           = "production"
	requestTemplate = `{"method": "GET", "stage": "$stageVariables.stage", "id": "$input.params('id')"}`
	failureTemplate = `{"error": "$input.path('$.errorMessage').substring(5)"}`
)

// failures are the selection patterns by status.
var failures = map[string]string{"400": "400: .*", "500": `500: (.|\n)*`}

// deployer makes APIs in the shape of examples/user-api on a server.
type deployer struct {
	roles   *iam.Client
	lambda  *lambda.Client
	gateway *apigateway.Client
	role    string
}

func newDeployer(ctx context.Context, s *server) (*deployer, error) {
	cfg := s.sdk()
	d := &deployer{roles: iam.NewFromConfig(cfg), lambda: lambda.NewFromConfig(cfg), gateway: apigateway.NewFromConfig(cfg)}
	trust, err := policy("sts:AssumeRole", "", "lambda.amazonaws.com")
	if err != nil {
		return nil, err
	}
	role, err := d.roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("bench"), AssumeRolePolicyDocument: trust})
	if err != nil {
		return nil, err
	}
	d.role = *role.Role.Arn
	_, err = d.roles.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{
		RoleName: aws.String("bench"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AWSLambdaExecute"),
	})
	return d, err
}

// policy is a policy of one statement; resource or service may be "".
func policy(action, resource, service string) (*string, error) {
	type statement struct {
		Effect, Action string
		Resource       string            `json:",omitempty"`
		Principal      map[string]string `json:",omitempty"`
	}
	one := statement{Effect: "Allow", Action: action, Resource: resource}
	if service != "" {
		one.Principal = map[string]string{"Service": service}
	}
	text, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{one}})
	return aws.String(string(text)), err
}

// deploy makes a function, its alias, the permission on it and an API; it
// returns the path that invokes it.
func (d *deployer) deploy(ctx context.Context, name, code string) (path string, err error) {
	archive, err := zipped("main.py", code)
	if err != nil {
		return "", err
	}
	if _, err := d.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &d.role, Handler: aws.String("main.handler"), Runtime: lambdatypes.RuntimePython311,
		Code: &lambdatypes.FunctionCode{ZipFile: archive}, Timeout: aws.Int32(10), Publish: true,
	}); err != nil {
		return "", err
	}
	if _, err := d.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: &name, Name: aws.String(stage), FunctionVersion: aws.String("1"),
	}); err != nil {
		return "", err
	}
	api, err := d.gateway.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: &name})
	if err != nil {
		return "", err
	}
	if _, err := d.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &name, Qualifier: aws.String(stage), StatementId: aws.String("gateway"),
		Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("apigateway.amazonaws.com"),
		SourceArn: aws.String(fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/*/user/*", region, account, *api.Id, stage)),
	}); err != nil {
		return "", err
	}
	if err := d.method(ctx, name, *api.Id, *api.RootResourceId); err != nil {
		return "", err
	}
	_, err = d.gateway.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{
		RestApiId: api.Id, StageName: aws.String(stage), Variables: map[string]string{"stage": stage},
	})
	return "/_aws/execute-api/" + *api.Id + "/" + stage + "/user/ada", err
}

// method makes GET /user/{id}.
func (d *deployer) method(ctx context.Context, function, api, root string) error {
	user, err := d.gateway.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: &api, ParentId: &root, PathPart: aws.String("user")})
	if err != nil {
		return err
	}
	id, err := d.gateway.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: &api, ParentId: user.Id, PathPart: aws.String("{id}")})
	if err != nil {
		return err
	}
	verb := aws.String("GET")
	if _, err := d.gateway.PutMethod(ctx, &apigateway.PutMethodInput{
		RestApiId: &api, ResourceId: id.Id, HttpMethod: verb, AuthorizationType: aws.String("NONE"),
	}); err != nil {
		return err
	}
	uri := fmt.Sprintf("arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/arn:aws:lambda:%s:%s:function:%s:${stageVariables.stage}/invocations",
		region, region, account, function)
	if _, err := d.gateway.PutIntegration(ctx, &apigateway.PutIntegrationInput{
		RestApiId: &api, ResourceId: id.Id, HttpMethod: verb, Type: apitypes.IntegrationTypeAws,
		IntegrationHttpMethod: aws.String("POST"), Uri: &uri, RequestTemplates: map[string]string{"application/json": requestTemplate},
	}); err != nil {
		return err
	}
	if err := d.response(ctx, api, *id.Id, "200", "", nil); err != nil {
		return err
	}
	for status, pattern := range failures {
		if err := d.response(ctx, api, *id.Id, status, pattern, map[string]string{"application/json": failureTemplate}); err != nil {
			return err
		}
	}
	return nil
}

func (d *deployer) response(ctx context.Context, api, resource, status, pattern string, templates map[string]string) error {
	if _, err := d.gateway.PutMethodResponse(ctx, &apigateway.PutMethodResponseInput{
		RestApiId: &api, ResourceId: &resource, HttpMethod: aws.String("GET"), StatusCode: &status,
	}); err != nil {
		return err
	}
	in := &apigateway.PutIntegrationResponseInput{
		RestApiId: &api, ResourceId: &resource, HttpMethod: aws.String("GET"), StatusCode: &status, ResponseTemplates: templates,
	}
	if pattern != "" {
		in.SelectionPattern = &pattern
	}
	_, err := d.gateway.PutIntegrationResponse(ctx, in)
	return err
}

// zipped is a zip file of one file.
func zipped(name, text string) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: name, Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}
