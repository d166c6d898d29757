package apigateway

import (
	"context"
	"net/url"
	"reflect"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/apigateway/openapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/wire"
)

// IAMTargets names what a call must be allowed: the HTTP verb as action on the
// path as resource (Service Authorization Reference, "Amazon API Gateway
// Management"). Setting a resource policy needs a second permission.
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	caller := wire.CallerFrom(ctx)
	resource := arn.ARN{Partition: "aws", Service: "apigateway", Region: caller.Region, Resource: resourcePath(op, in)}
	if name, id := privateDomainOf(in); id != "" {
		resource.Account = caller.Account
		resource.Resource = strings.Replace(resource.Resource, domainPath+name, domainPath+name+"+"+id, 1)
	}
	target := resource.String()
	out := []wire.IAMTarget{{Action: "apigateway:" + op.Method, Resource: target}}
	if setsPolicy(in) {
		out = append(out, wire.IAMTarget{Action: "apigateway:UpdateRestApiPolicy", Resource: target})
	}
	return append(out, passedRoles(in)...)
}

// privateDomainOf is the private custom domain that a call is about: its ARN
// has an account, and its id.
func privateDomainOf(in any) (name, id string) {
	rv := reflect.Indirect(reflect.ValueOf(in))
	if rv.Kind() != reflect.Struct || !rv.FieldByName("DomainNameId").IsValid() {
		return "", ""
	}
	given, _ := rv.FieldByName("DomainNameId").Interface().(*string)
	of, _ := rv.FieldByName("DomainName").Interface().(*string)
	return url.PathEscape(wire.Val(of)), wire.Val(given)
}

// principal is who the roles of integrations and authorizers are passed to.
const principal = "apigateway.amazonaws.com"

// passedRoles asks for the permission to pass the role of an integration or
// an authorizer on
// (developer guide, "API Gateway permissions model for creating and managing
// an API"). A role that a stage variable names can't be checked.
func passedRoles(in any) []wire.IAMTarget {
	var roles []string
	switch in := in.(type) {
	case *apigatewayapi.PutIntegrationRequest:
		roles = append(roles, wire.Val(in.Credentials))
	case *apigatewayapi.UpdateIntegrationRequest:
		for _, p := range in.PatchOperations {
			if wire.Val(p.Path) == "/credentials" {
				roles = append(roles, wire.Val(p.Value))
			}
		}
	case *apigatewayapi.CreateAuthorizerRequest:
		roles = append(roles, wire.Val(in.AuthorizerCredentials))
	case *apigatewayapi.UpdateAuthorizerRequest:
		for _, p := range in.PatchOperations {
			if wire.Val(p.Path) == "/authorizerCredentials" {
				roles = append(roles, wire.Val(p.Value))
			}
		}
	}
	var out []wire.IAMTarget
	for _, role := range roles {
		if a, err := arn.Parse(role); err == nil && strings.HasPrefix(a.Resource, "role/") && !strings.Contains(role, "${") {
			out = append(out, wire.IAMTarget{Action: "iam:PassRole", Resource: role, Context: map[string][]string{"iam:PassedToService": {principal}}})
		}
	}
	return out
}

func setsPolicy(in any) bool {
	switch in := in.(type) {
	case *apigatewayapi.CreateRestApiRequest:
		return wire.Val(in.Policy) != ""
	case *apigatewayapi.ImportRestApiRequest:
		return openapi.NamesPolicy(in.Body)
	case *apigatewayapi.PutRestApiRequest:
		return openapi.NamesPolicy(in.Body)
	case *apigatewayapi.UpdateRestApiRequest:
		for _, p := range in.PatchOperations {
			if wire.Val(p.Path) == "/policy" {
				return true
			}
		}
	}
	return false
}

// resourcePath fills the labels of an operation's path from its input.
func resourcePath(op *wire.Operation, in any) string { return pathOf(&apigatewayapi.Service, op, in) }

func pathOf(m *wire.ServiceModel, op *wire.Operation, in any) string {
	path := op.Path
	if in == nil {
		return path
	}
	rv := reflect.ValueOf(in).Elem()
	members := m.Schema.Shape(op.Input).Members
	for i := range members {
		if members[i].Location != wire.InURI {
			continue
		}
		if value, ok := rv.Field(i).Interface().(*string); ok && value != nil {
			path = strings.ReplaceAll(path, "{"+members[i].Wire+"}", url.PathEscape(*value))
		}
	}
	return path
}
