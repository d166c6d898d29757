package durability

import (
	"net/url"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/butai-dev/butai/test/harness"
)

const (
	table    = "ledger"
	function = "durable"
	trust    = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}`
)

type clients struct {
	db      *dynamodb.Client
	iam     *iam.Client
	lambda  *lambda.Client
	gateway *apigateway.Client
}

func newClients(cfg aws.Config) clients {
	return clients{dynamodb.NewFromConfig(cfg), iam.NewFromConfig(cfg), lambda.NewFromConfig(cfg), apigateway.NewFromConfig(cfg)}
}

// world is what the writers write into.
type world struct {
	clients
	api, root string
}

func newWorld(t *testing.T, c clients) *world {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(table), BillingMode: dbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dbtypes.ScalarAttributeTypeS}},
		KeySchema:            []dbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dbtypes.KeyTypeHash}},
	})
	must(err)
	role, err := c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("exec"), AssumeRolePolicyDocument: aws.String(trust)})
	must(err)
	code, err := os.ReadFile(harness.Zip(t, map[string]string{"bootstrap": "#!/bin/sh\n"}))
	must(err)
	_, err = c.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String(function), Role: role.Role.Arn, Handler: aws.String("none"),
		Runtime: lambdatypes.RuntimeProvidedal2023, Code: &lambdatypes.FunctionCode{ZipFile: code},
	})
	must(err)
	api, err := c.gateway.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: aws.String("durable")})
	must(err)
	w := &world{clients: c, api: *api.Id, root: *api.RootResourceId}
	_, err = c.gateway.PutMethod(ctx, &apigateway.PutMethodInput{
		RestApiId: api.Id, ResourceId: api.RootResourceId, HttpMethod: aws.String("GET"), AuthorizationType: aws.String("NONE"),
	})
	must(err)
	_, err = c.gateway.PutIntegration(ctx, &apigateway.PutIntegrationInput{
		RestApiId: api.Id, ResourceId: api.RootResourceId, HttpMethod: aws.String("GET"), Type: apitypes.IntegrationTypeMock,
	})
	must(err)
	return w
}

// checkWhole lists everything: what was acknowledged is there, what else is
// there was being written when the server died, and nothing is in pieces.
func checkWhole(t *testing.T, w *world, workers []*writer) {
	t.Helper()
	roles, aliases, resources := w.listRoles(t), w.listAliases(t), w.listResources(t)
	for _, wr := range workers {
		for _, list := range []struct {
			what         string
			acknowledged []string
			found        map[string]bool
		}{{"roles", wr.roles, roles}, {"aliases", wr.aliases, aliases}, {"resources", wr.resources, resources}} {
			if lost := missing(list.acknowledged, list.found); len(lost) > 0 {
				t.Errorf("writer %d: %s were acknowledged and are gone: %v", wr.id, list.what, lost)
			}
		}
		for _, name := range wr.roles {
			delete(roles, name)
		}
		for _, name := range wr.aliases {
			delete(aliases, name)
		}
		for _, name := range wr.resources {
			delete(resources, name)
		}
	}
	delete(roles, "exec")
	delete(resources, "/")
	// Each writer had one write under way, each time.
	if extra := slices.Concat(keys(roles), keys(aliases), keys(resources)); len(extra) > lives*len(workers) {
		t.Errorf("nobody wrote these: %v", extra)
	}
}

func (w *world) listRoles(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	pages := iam.NewListRolesPaginator(w.iam, &iam.ListRolesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Roles {
			if document, err := url.QueryUnescape(*r.AssumeRolePolicyDocument); err != nil || document != trust {
				t.Errorf("role %s has the trust policy %q", *r.RoleName, *r.AssumeRolePolicyDocument)
			}
			found[*r.RoleName] = true
		}
	}
	return found
}

func (w *world) listAliases(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	pages := lambda.NewListAliasesPaginator(w.lambda, &lambda.ListAliasesInput{FunctionName: aws.String(function)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Aliases {
			found[*a.Name] = true
		}
	}
	return found
}

func (w *world) listResources(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	pages := apigateway.NewGetResourcesPaginator(w.gateway, &apigateway.GetResourcesInput{RestApiId: &w.api})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Items {
			found[*r.Path] = true
		}
	}
	return found
}

// value is an item's attribute n, as text; "" for no item.
func (w *world) value(t *testing.T, id string) string {
	t.Helper()
	out, err := w.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(table), Key: key(id), ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	switch v := out.Item["n"].(type) {
	case *dbtypes.AttributeValueMemberN:
		return v.Value
	case *dbtypes.AttributeValueMemberS:
		return v.Value
	}
	return ""
}

func (w *world) policy(t *testing.T, role string) string {
	t.Helper()
	out, err := w.iam.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: aws.String("p")})
	if err != nil {
		t.Errorf("policy of role %s: %v", role, err)
		return ""
	}
	document, err := url.QueryUnescape(*out.PolicyDocument)
	if err != nil {
		t.Error(err)
	}
	return document
}

func key(id string) map[string]dbtypes.AttributeValue {
	return map[string]dbtypes.AttributeValue{"id": &dbtypes.AttributeValueMemberS{Value: id}}
}

func item(id, value string) map[string]dbtypes.AttributeValue {
	return map[string]dbtypes.AttributeValue{
		"id": &dbtypes.AttributeValueMemberS{Value: id}, "n": &dbtypes.AttributeValueMemberS{Value: value},
	}
}

func number(n int) dbtypes.AttributeValue {
	return &dbtypes.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

// atoi reads a counter; one that was never written is at 0.
func atoi(t *testing.T, text string) int {
	t.Helper()
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
