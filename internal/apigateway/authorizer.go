package apigateway

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Limits of authorizers ("Quotas for configuring and running a REST API";
// API Reference, "Authorizer").
const (
	maxAuthorizers = 10
	maxResultTTL   = 3600
)

func noAuthorizer() error { return notFound("Invalid Authorizer identifier specified") }

// badAuthorizer is how API Gateway answers an authorizer that lacks something;
// it does not tell what (measured).
func badAuthorizer() error { return badRequest("Invalid request input") }

// CreateAuthorizer adds an authorizer to an API. On an unknown API AWS answers
// as if somebody else were at it (recorded).
func (s *Service) CreateAuthorizer(ctx context.Context, in *apigatewayapi.CreateAuthorizerRequest) (*apigatewayapi.Authorizer, error) {
	sc, api := scopeOf(ctx), *in.RestApiId
	a := &apigatewayapi.Authorizer{
		Id: wire.Ptr(ident.Lower(6)), Name: in.Name, Type: in.Type, ProviderARNs: in.ProviderARNs, AuthType: nonEmpty(in.AuthType),
		AuthorizerUri: nonEmpty(in.AuthorizerUri), AuthorizerCredentials: nonEmpty(in.AuthorizerCredentials),
		IdentitySource:               nonEmpty(in.IdentitySource),
		IdentityValidationExpression: nonEmpty(in.IdentityValidationExpression),
		AuthorizerResultTtlInSeconds: in.AuthorizerResultTtlInSeconds,
	}
	if a.AuthType == nil {
		a.AuthType = wire.Ptr("custom")
		if *a.Type == apigatewayapi.AuthorizerTypeCOGNITOUSERPOOLS {
			a.AuthType = wire.Ptr("cognito_user_pools")
		}
	}
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.Authorizer, error) {
		if found, err := apis.Get(tx, sc.id(api)...); err != nil || found == nil {
			return nil, cmp.Or(err, conflict("Unable to complete operation due to concurrent modification. Please try again later."))
		}
		if err := checkAuthorizer(a); err != nil {
			return nil, err
		}
		others, err := authorizers.List(tx, sc.id(api)...)
		if err != nil {
			return nil, err
		}
		if len(others) >= maxAuthorizers {
			return nil, limitExceeded("Maximum number of authorizers for this API has been reached. Please contact AWS if you need additional authorizers.")
		}
		if err := checkAuthorizerName(others, a); err != nil {
			return nil, err
		}
		return a, authorizers.Put(tx, a, sc.id(api, *a.Id)...)
	})
}

// checkAuthorizerName refuses a name that another authorizer of the API has.
func checkAuthorizerName(all []*apigatewayapi.Authorizer, a *apigatewayapi.Authorizer) error {
	for _, other := range all {
		if *other.Name == *a.Name && *other.Id != *a.Id {
			return badRequest("Authorizer name must be unique. Authorizer %s already exists in this RestApi.", *a.Name)
		}
	}
	return nil
}

func checkAuthorizer(a *apigatewayapi.Authorizer) error {
	ttl := wire.Val(a.AuthorizerResultTtlInSeconds)
	if *a.Name == "" || ttl < 0 || ttl > maxResultTTL {
		return badAuthorizer()
	}
	switch *a.Type {
	case apigatewayapi.AuthorizerTypeCOGNITOUSERPOOLS:
		return checkProviders(a.ProviderARNs)
	case apigatewayapi.AuthorizerTypeTOKEN:
		if !tokenSource.MatchString(wire.Val(a.IdentitySource)) {
			return badAuthorizer()
		}
	case apigatewayapi.AuthorizerTypeREQUEST:
		if err := checkIdentitySources(a, ttl > 0); err != nil {
			return err
		}
	default:
		return badAuthorizer()
	}
	return checkAuthorizerFunction(a)
}

var (
	tokenSource    = regexp.MustCompile(`^method\.request\.header\.[^,\s]+$`)
	identitySource = regexp.MustCompile(`^(method\.request\.(header|querystring)|stageVariables|context)\.\S+$`)

	authorizerURI = regexp.MustCompile(`^arn:[a-z-]+:apigateway:[a-z]{2}(-[a-z]+)+-\d:lambda:path/2015-03-31/functions/.+/invocations$`)
)

// checkIdentitySources checks the places that a REQUEST authorizer looks at,
// by which its answers are also kept.
func checkIdentitySources(a *apigatewayapi.Authorizer, cached bool) error {
	if a.IdentitySource == nil {
		if cached {
			return badAuthorizer()
		}
		return nil
	}
	for part := range strings.SplitSeq(*a.IdentitySource, ",") {
		if !identitySource.MatchString(strings.TrimSpace(part)) {
			return badAuthorizer()
		}
	}
	return nil
}

func checkAuthorizerFunction(a *apigatewayapi.Authorizer) error {
	if uri := wire.Val(a.AuthorizerUri); !authorizerURI.MatchString(uri) {
		return badRequest("Invalid Authorizer URI: %s. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.", uri)
	}
	if role := wire.Val(a.AuthorizerCredentials); role != "" {
		if _, err := arn.Parse(role); err != nil {
			return invalidARN()
		}
	}
	return nil
}

// checkProviders checks the user pools of an authorizer, which needs one.
func checkProviders(pools []string) error {
	if len(pools) == 0 {
		return badAuthorizer()
	}
	for _, pool := range pools {
		if a, err := arn.Parse(pool); err != nil || a.Service != "cognito-idp" || !strings.HasPrefix(a.Resource, "userpool/") {
			return invalidARN()
		}
	}
	return nil
}

// GetAuthorizer returns an authorizer.
func (s *Service) GetAuthorizer(ctx context.Context, in *apigatewayapi.GetAuthorizerRequest) (*apigatewayapi.Authorizer, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Authorizer, error) {
		return find(r, authorizers, noAuthorizer(), sc.id(*in.RestApiId, *in.AuthorizerId))
	})
}

// GetAuthorizers lists an API's authorizers.
func (s *Service) GetAuthorizers(ctx context.Context, in *apigatewayapi.GetAuthorizersRequest) (*apigatewayapi.Authorizers, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Authorizers, error) {
		if _, err := getAPI(r, sc, *in.RestApiId); err != nil {
			return nil, err
		}
		items, next, err := page(r, authorizers, in.Position, in.Limit, func(a *apigatewayapi.Authorizer) string { return *a.Id }, sc.id(*in.RestApiId))
		return &apigatewayapi.Authorizers{Position: next, Items: values(items)}, err
	})
}

var authorizerPatch = patchTable[apigatewayapi.Authorizer]{picky: true, rows: []patchRow[apigatewayapi.Authorizer]{
	{"/name", replaceOnly, func(a *apigatewayapi.Authorizer, op patchOp) error { a.Name = wire.Ptr(op.text()); return nil }},
	{"/type", replaceOnly, func(a *apigatewayapi.Authorizer, op patchOp) error { a.Type = wire.Ptr(op.text()); return nil }},
	textRow("/authType", func(a *apigatewayapi.Authorizer) **string { return &a.AuthType }),
	textRow("/authorizerUri", func(a *apigatewayapi.Authorizer) **string { return &a.AuthorizerUri }),
	textRow("/authorizerCredentials", func(a *apigatewayapi.Authorizer) **string { return &a.AuthorizerCredentials }),
	{"/identitySource", anyEdit, patchIdentitySource},
	textRow("/identityValidationExpression", func(a *apigatewayapi.Authorizer) **string { return &a.IdentityValidationExpression }),
	{"/authorizerResultTtlInSeconds", replaceOnly, func(a *apigatewayapi.Authorizer, op patchOp) error {
		ttl, err := strconv.ParseInt(op.text(), 10, 64)
		if err != nil {
			return badAuthorizer()
		}
		a.AuthorizerResultTtlInSeconds = &ttl
		return nil
	}},
	{"/providerARNs", addRemove, patchProviders},
}}

// patchIdentitySource edits the places that an authorizer looks at, which are
// a list in a text; without a value, all of them are removed.
func patchIdentitySource(a *apigatewayapi.Authorizer, op patchOp) error {
	var kept []string
	if op.op != "replace" && a.IdentitySource != nil {
		for part := range strings.SplitSeq(*a.IdentitySource, ",") {
			if part = strings.TrimSpace(part); part != op.text() && (op.op == "add" || op.text() != "") {
				kept = append(kept, part)
			}
		}
	}
	if op.op != "remove" {
		kept = append(kept, op.text())
	}
	a.IdentitySource = nonEmpty(wire.Ptr(strings.Join(kept, ", ")))
	return nil
}

// patchProviders edits the user pools, which the value names.
func patchProviders(a *apigatewayapi.Authorizer, op patchOp) error {
	var kept []string
	for _, pool := range a.ProviderARNs {
		if pool != op.text() {
			kept = append(kept, pool)
		}
	}
	if op.op == "add" {
		kept = append(kept, op.text())
	}
	a.ProviderARNs = kept
	return nil
}

// UpdateAuthorizer changes an authorizer. Clients meet it after the next
// deployment.
func (s *Service) UpdateAuthorizer(ctx context.Context, in *apigatewayapi.UpdateAuthorizerRequest) (*apigatewayapi.Authorizer, error) {
	sc, api := scopeOf(ctx), *in.RestApiId
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.Authorizer, error) {
		a, err := find(tx, authorizers, noAuthorizer(), sc.id(api, *in.AuthorizerId))
		if err != nil {
			return nil, err
		}
		if err := authorizerPatch.apply(a, in.PatchOperations); err != nil {
			return nil, err
		}
		if err := checkAuthorizer(a); err != nil {
			return nil, err
		}
		all, err := authorizers.List(tx, sc.id(api)...)
		if err != nil {
			return nil, err
		}
		if err := checkAuthorizerName(all, a); err != nil {
			return nil, err
		}
		return a, authorizers.Put(tx, a, sc.id(api, *a.Id)...)
	})
}

// DeleteAuthorizer deletes an authorizer that no method names.
func (s *Service) DeleteAuthorizer(ctx context.Context, in *apigatewayapi.DeleteAuthorizerRequest) error {
	sc, api := scopeOf(ctx), *in.RestApiId
	return s.Store.Update(ctx, func(tx store.Tx) error {
		a, err := find(tx, authorizers, noAuthorizer(), sc.id(api, *in.AuthorizerId))
		if err != nil {
			return err
		}
		for res, err := range resources.All(tx, sc.id(api)...) {
			if err != nil {
				return err
			}
			for _, verb := range slices.Sorted(maps.Keys(res.ResourceMethods)) {
				if wire.Val(res.ResourceMethods[verb].AuthorizerId) == *a.Id {
					return conflict("Cannot delete authorizer '%s', is referenced in method: %s/%s", *a.Name, verb, *res.Path)
				}
			}
		}
		return authorizers.Delete(tx, sc.id(api, *a.Id)...)
	})
}

// FlushStageAuthorizersCache makes a stage forget what its authorizers said.
func (s *Service) FlushStageAuthorizersCache(ctx context.Context, in *apigatewayapi.FlushStageAuthorizersCacheRequest) error {
	sc := scopeOf(ctx)
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		_, err := find(r, stages, noStage(), sc.id(*in.RestApiId, *in.StageName))
		return err
	})
	if err == nil {
		s.Gateway.FlushAuthorizers(*in.RestApiId, *in.StageName)
	}
	return err
}
