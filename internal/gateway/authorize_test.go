package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	guardID     = "guard1"
	guardURI    = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:guard:${stageVariables.stage}/invocations"
	guardARN    = "arn:aws:lambda:us-east-1:000000000000:function:guard:prod"
	ownARN      = "arn:aws:execute-api:us-east-1:000000000000:" + testAPI
	allowAnyone = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"` + ownARN + `/*"%s}]}`
)

// guarded is an API whose methods ask an authorizer: a proxy at /proxy/{id}
// and a mock that shows the authorizer's context at /mock.
func guarded(change func(*apigatewayapi.Authorizer)) *Stage {
	mock := respond(mockMethod(`{"statusCode": 200}`), "200", "",
		`$context.authorizer.principalId|$context.authorizer.text|$context.authorizer.number|$context.authorizer.flag|$context.authorizer.none|$!context.identity.user`)
	proxy := proxyMethod()
	for _, m := range []*apigatewayapi.Method{mock, proxy} {
		m.AuthorizationType, m.AuthorizerId = ptr("CUSTOM"), ptr(guardID)
	}
	s := api{"GET /mock": mock, "ANY /proxy/{id}": proxy}.stage("s", strs{"stage": "prod"})
	a := apigatewayapi.Authorizer{
		Id: ptr(guardID), Name: ptr("guard"), Type: ptr("TOKEN"), AuthorizerUri: ptr(guardURI), IdentitySource: ptr("method.request.header.Auth"),
	}
	change(&a)
	s.Deployment.Authorizers = []apigatewayapi.Authorizer{a}
	return s
}

// guardAnswers makes a functions that answers guard calls with verdicts by
// token, and others as a proxy.
func guardAnswers(answers map[string]string) *functions {
	return &functions{f: func(c *FunctionCall) (*FunctionResult, error) {
		res := &FunctionResult{Status: 200, RequestID: "lambda-request", Payload: []byte(`{"body": "in"}`)}
		if c.FunctionARN != guardARN {
			return res, nil
		}
		var event struct{ AuthorizationToken, MethodArn string }
		if err := json.Unmarshal(c.Payload, &event); err != nil {
			return nil, err
		}
		answer := answers[event.AuthorizationToken]
		switch {
		case strings.HasPrefix(answer, "raise "):
			res.Payload = []byte(`{"errorMessage": "` + strings.TrimPrefix(answer, "raise ") + `", "errorType": "Exception"}`)
			res.FunctionError = "Unhandled"
		case strings.HasPrefix(answer, "refuse "):
			return nil, &FunctionError{Status: 403, Code: "AccessDeniedException"}
		default:
			res.Payload = []byte(strings.ReplaceAll(answer, "METHOD", event.MethodArn))
		}
		return res, nil
	}}
}

func says(effect, resource string) string {
	return `{"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [{"Action": "execute-api:Invoke", "Effect": "` +
		effect + `", "Resource": "` + resource + `"}]}, "context": {"text": "a", "number": 123, "flag": true, "none": null}, "usageIdentifierKey": "key"}`
}

func (f *functions) count(arn string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if c.FunctionARN == arn {
			n++
		}
	}
	return n
}

func TestTokenAuthorizer(t *testing.T) {
	t.Parallel()
	const denied = `403 {"Message":"User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"}`
	for name, tt := range map[string]struct{ token, answer, want, errorType string }{
		"allow":             {"t", says("Allow", "METHOD"), "200 me|a|123|true||", ""},
		"deny":              {"t", says("Deny", "METHOD"), `403 {"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`, "AccessDeniedException"},
		"other resource":    {"t", says("Allow", ownARN+"/s/GET/other"), denied, "AccessDeniedException"},
		"no token":          {"", "", `401 {"message":"Unauthorized"}`, "UnauthorizedException"},
		"wrong form":        {"nope", says("Allow", "METHOD"), `401 {"message":"Unauthorized"}`, "UnauthorizedException"},
		"says unauthorized": {"t", "raise Unauthorized", `401 {"message":"Unauthorized"}`, "UnauthorizedException"},
		"fails":             {"t", "raise boom", `500 {"message":null}`, "AuthorizerConfigurationException"},
		"may not be called": {"t", "refuse it", `500 {"message":null}`, "AuthorizerConfigurationException"},
		"no JSON":           {"t", "text", `500 {"message":null}`, "AuthorizerConfigurationException"},
		"no resources":      {"t", `{"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": []}]}}`, denied, "AccessDeniedException"},
		"no principal":      {"t", `{"policyDocument": {"Version": "2012-10-17", "Statement": []}}`, `500 {"message":null}`, "AuthorizerConfigurationException"},
		"no policy":         {"t", `{"principalId": "me"}`, `500 {"message":null}`, "AuthorizerConfigurationException"},
		"unknown member":    {"t", strings.Replace(says("Allow", "METHOD"), "{", `{"extra": 1, `, 1), `500 {"message":null}`, "AuthorizerConfigurationException"},
		"deep context":      {"t", strings.Replace(says("Allow", "METHOD"), `"a"`, `{"b": 1}`, 1), `500 {"message":null}`, "AuthorizerConfigurationException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn := guardAnswers(map[string]string{"t": tt.answer})
			f := newFixture(t, fn, guarded(func(a *apigatewayapi.Authorizer) { a.IdentityValidationExpression = ptr("t+") }))
			r := request("GET", "/s/mock", "")
			if tt.token != "" {
				r.Header.Set("Auth", tt.token)
			}
			res := f.do(r)
			if got := summary(t, res); got != tt.want || strings.Join(res.Header["x-amzn-ErrorType"], "") != tt.errorType {
				t.Errorf("got %s %s, want %s %s", got, res.Header["x-amzn-ErrorType"], tt.want, tt.errorType)
			}
			if asked := tt.answer != "" && tt.token == "t"; asked != (fn.count(guardARN) == 1) {
				t.Errorf("the authorizer was called %d times", fn.count(guardARN))
			}
		})
	}
}

func TestAuthorizerCall(t *testing.T) {
	t.Parallel()
	fn := guardAnswers(map[string]string{"t": says("Allow", "METHOD")})
	f := newFixture(t, fn, guarded(func(a *apigatewayapi.Authorizer) {
		a.AuthorizerCredentials = ptr("arn:aws:iam::000000000000:role/caller")
	}))
	f.do(request("GET", "/s/proxy/1%202?a=1", "", "Auth", "t"))
	call := fn.calls[0]
	got := fmt.Sprint(call.FunctionARN, " ", call.SourceARN, " ", call.SourceAccount, " ", call.RoleARN, " ", string(call.Payload))
	want := guardARN + " " + ownARN + "/authorizers/guard1 000000000000 arn:aws:iam::000000000000:role/caller " +
		`{"type":"TOKEN","methodArn":"` + ownARN + `/s/GET/proxy/1%202","authorizationToken":"t"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var event struct{ RequestContext map[string]json.RawMessage }
	if err := json.Unmarshal(fn.last(t).Payload, &event); err != nil {
		t.Fatal(err)
	}
	const wanted = `{"text":"a","number":"123","flag":"true","none":null,"principalId":"me","integrationLatency":0}`
	if got := string(event.RequestContext["authorizer"]); got != wanted {
		t.Errorf("the proxy event's authorizer is %s, want %s", got, wanted)
	}
	if order := string(fn.last(t).Payload); !strings.Contains(order, `"resourceId":"resa","authorizer":{`) {
		t.Errorf("authorizer does not follow resourceId: %s", order)
	}
}

func TestRequestAuthorizer(t *testing.T) {
	t.Parallel()
	fn := guardAnswers(map[string]string{"": says("Allow", ownARN+"/*")})
	f := newFixture(t, fn, guarded(func(a *apigatewayapi.Authorizer) {
		a.Type = ptr("REQUEST")
		a.IdentitySource = ptr("method.request.header.x-A, method.request.querystring.q,stageVariables.stage,context.httpMethod")
	}))
	for target, want := range map[string]string{
		"/s/proxy/1":       `401 {"message":"Unauthorized"}`,
		"/s/proxy/1?q=":    `401 {"message":"Unauthorized"}`,
		"/s/proxy/1?q=z":   "200 in",
		"/s/proxy/1?Q=z":   `401 {"message":"Unauthorized"}`,
		"/s/proxy/1?q=z&r": "200 in",
	} {
		if got := summary(t, f.do(request("GET", target, "", "X-A", "h"))); got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
	if n := fn.count(guardARN); n != 1 {
		t.Errorf("the authorizer was called %d times for one identity", n)
	}
	var event map[string]json.RawMessage
	if err := json.Unmarshal(fn.calls[0].Payload, &event); err != nil {
		t.Fatal(err)
	}
	delete(event, "requestContext")
	delete(event, "headers")
	delete(event, "multiValueHeaders")
	got, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	const query = `,"queryStringParameters":{"q":"z"},`
	if _, asked := event["queryStringParameters"]; !asked || !strings.Contains(string(got), query) && !strings.Contains(string(got), `"r":""`) {
		t.Errorf("event %s", got)
	}
	if string(event["type"]) != `"REQUEST"` || string(event["resource"]) != `"/proxy/{id}"` || string(event["pathParameters"]) != `{"id":"1"}` {
		t.Errorf("event %s", got)
	}
	// Without parameters the members are empty objects, unlike a proxy's.
	fn2 := guardAnswers(map[string]string{"": says("Allow", "*")})
	s := guarded(func(a *apigatewayapi.Authorizer) {
		a.Type, a.IdentitySource, a.AuthorizerResultTtlInSeconds = ptr("REQUEST"), nil, wire.Ptr(int64(0))
	})
	f2 := newFixture(t, fn2, s)
	f2.do(request("GET", "/s/mock", ""))
	if got := string(fn2.calls[0].Payload); !strings.Contains(got, `"queryStringParameters":{},"multiValueQueryStringParameters":{},"pathParameters":{},"stageVariables":{"stage":"prod"},"requestContext":{`) {
		t.Errorf("event %s", got)
	}
}

func TestVerdictsAreKept(t *testing.T) {
	t.Parallel()
	fn := guardAnswers(map[string]string{"a": says("Allow", ownARN+"/s/GET/mock"), "b": "raise Unauthorized"})
	f := newFixture(t, fn, guarded(func(a *apigatewayapi.Authorizer) { a.AuthorizerResultTtlInSeconds = wire.Ptr(int64(60)) }))
	ask := func(path, token, want string, calls int) {
		t.Helper()
		res := f.do(request("GET", path, "", "Auth", token))
		if got := res.Status[:3]; got != want || fn.count(guardARN) != calls {
			t.Errorf("%s as %s: %s after %d calls, want %s after %d", path, token, got, fn.count(guardARN), want, calls)
		}
	}
	ask("/s/mock", "a", "200", 1)
	ask("/s/mock", "a", "200", 1)
	ask("/s/proxy/1", "a", "403", 1) // the policy is kept, and judged by each method
	ask("/s/mock", "b", "401", 2)
	ask("/s/mock", "b", "401", 3) // refusals are not kept
	f.clock.Advance(59 * time.Second)
	ask("/s/mock", "a", "200", 3)
	f.clock.Advance(time.Second)
	ask("/s/mock", "a", "200", 4)
	s := guarded(func(*apigatewayapi.Authorizer) {})
	publish := func() {
		t.Helper()
		if err := f.PublishStage(s); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	ask("/s/mock", "a", "200", 4) // an edit of the stage flushes nothing
	f.FlushAuthorizers(testAPI, "s")
	ask("/s/mock", "a", "200", 5)
	s.Deployment.ID = "next"
	publish()
	ask("/s/mock", "a", "200", 6)
}

func TestAuthorizerLog(t *testing.T) {
	t.Parallel()
	s := guarded(func(*apigatewayapi.Authorizer) {})
	s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": {LoggingLevel: ptr("INFO")}}
	s.Stage.AccessLogSettings = &apigatewayapi.AccessLogSettings{
		DestinationArn: ptr("arn:aws:logs:us-east-1:000000000000:log-group:access"),
		Format:         ptr("$context.authorizer.principalId $context.authorizer.status $context.authorizer.integrationStatus $context.authorizer.requestId $context.authorize.status $context.authorize.error $context.authenticate.status"),
	}
	f := newFixture(t, guardAnswers(map[string]string{"token-secret": says("Allow", "METHOD"), "d": says("Deny", "*")}), s)
	r := request("GET", "/s/mock", "", "Auth", "token-secret", "X-Amzn-Requestid", "11111111-2222-3333-4444-555555555555")
	f.do(r)
	var got []string
	for _, line := range f.logs.group("API-Gateway-Execution-Logs_" + testAPI + "/s") {
		got = append(got, strings.TrimPrefix(line, "(11111111-2222-3333-4444-555555555555) "))
	}
	want := []string{
		"Starting authorizer: guard1 for request: 11111111-2222-3333-4444-555555555555",
		"Incoming identity: ******secret",
		"Endpoint request URI: https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/" + guardARN + "/invocations",
		"Sending request to https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/" + guardARN + "/invocations",
		"Authorizer result body before parsing: " + strings.ReplaceAll(says("Allow", "METHOD"), "METHOD", ownARN+"/s/GET/mock"),
		"Using valid authorizer policy for principal: **",
		"Successfully completed authorizer execution",
		"Verifying Usage Plan for request: 11111111-2222-3333-4444-555555555555. API Key:  API Stage: " + testAPI + "/s",
	}
	if len(got) < 9 || !cmp.Equal(got[1:9], want) {
		t.Errorf("-want +got\n%s", cmp.Diff(want, got))
	}
	f.do(request("GET", "/s/mock", "", "Auth", "d"))
	wantAccess := []string{"me 200 200 lambda-request 200 - -",
		"me 200 200 lambda-request 403 User is not authorized to access this resource with an explicit deny in an identity-based policy -"}
	if diff := cmp.Diff(wantAccess, f.logs.group("access")); diff != "" {
		t.Errorf("access log: -want +got\n%s", diff)
	}
}

func TestSignedRequests(t *testing.T) {
	t.Parallel()
	m := respond(mockMethod(`{"statusCode": 200}`), "200", "",
		"$context.identity.accountId|$context.identity.caller|$context.identity.user|$context.identity.userArn|$context.identity.accessKey")
	m.AuthorizationType = ptr("AWS_IAM")
	f := newFixture(t, nil, api{"GET /": m}.stage("s", nil))
	f.signers.callers = map[string]*wire.Caller{
		"ann": {Account: "000000000000", UserID: "AIDAANN", ARN: "arn:aws:iam::000000000000:user/ann", AccessKeyID: "AKIAANN"},
		"bob": {Account: "000000000000", UserID: "AIDABOB", ARN: "arn:aws:iam::000000000000:user/bob"},
	}
	f.signers.decide = func(c *wire.Caller, r *policy.Request) policy.Decision {
		r.Principal = policy.Principal{Kind: policy.User, ARN: c.ARN, Account: c.Account}
		if r.Action != "execute-api:Invoke" || r.Resource != ownARN+"/s/GET/" || r.ResourceAccount != "000000000000" {
			t.Errorf("asked for %s on %s of %s", r.Action, r.Resource, r.ResourceAccount)
		}
		return policy.Decision{Allowed: c.UserID == "AIDAANN", Source: policy.SourceIdentity}
	}
	for _, tt := range []struct{ header, value, want, errorType string }{
		{"X-Signer", "ann", "200 000000000000|AIDAANN|AIDAANN|arn:aws:iam::000000000000:user/ann|AKIAANN", ""},
		{"X-Signer", "bob", `403 {"Message":"User: arn:aws:iam::000000000000:user/bob is not authorized to perform: execute-api:Invoke on resource: ` +
			`arn:aws:execute-api:us-east-1:********0000:abcdefghij/s/GET/ because no identity-based policy allows the execute-api:Invoke action"}`, "AccessDeniedException"},
		{"X-None", "", `403 {"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException"},
		{"X-Signer", "expired", `403 {"message":"The security token included in the request is expired"}`, "ExpiredTokenException"},
		{"X-Signer", "wrong", `403 {"message":"The request signature we calculated does not match"}`, "InvalidSignatureException"},
		{"authorization", "Bearer x", `403 {"message":"not signed like this"}`, "IncompleteSignatureException"},
	} {
		res := f.do(request("GET", "/s/", "", tt.header, tt.value))
		if got := summary(t, res); got != tt.want || strings.Join(res.Header["x-amzn-ErrorType"], "") != tt.errorType {
			t.Errorf("%s %s: got %s %s,\nwant %s %s", tt.header, tt.value, got, res.Header["x-amzn-ErrorType"], tt.want, tt.errorType)
		}
	}
	// A path that is not there answers as one with AWS_IAM.
	if got := summary(t, f.do(request("GET", "/s/none", "", "authorization", "Bearer x"))); got != `403 {"message":"not signed like this"}` {
		t.Errorf("an unknown path: %s", got)
	}
	if got := summary(t, f.do(request("GET", "/s/none", "", "X-Signer", "ann"))); got != `403 {"message":"Missing Authentication Token"}` {
		t.Errorf("an unknown path, signed: %s", got)
	}
}

// TestForwardedIdentity: integrations may call as whoever signed the request.
func TestForwardedIdentity(t *testing.T) {
	t.Parallel()
	signed, open := proxyMethod(), proxyMethod()
	for _, m := range []*apigatewayapi.Method{signed, open} {
		m.MethodIntegration.Credentials = ptr("arn:aws:iam::*:user/*")
	}
	signed.AuthorizationType = ptr("AWS_IAM")
	fn := returns(`{"body": "in"}`)
	f := newFixture(t, fn, api{"GET /signed": signed, "GET /open": open}.stage("s", strs{"stage": "prod"}))
	ann := &wire.Caller{ARN: "arn:aws:iam::000000000000:user/ann"}
	f.signers.callers = map[string]*wire.Caller{"ann": ann}
	f.signers.decide = func(*wire.Caller, *policy.Request) policy.Decision { return policy.Decision{Allowed: true} }
	if got := summary(t, f.do(request("GET", "/s/signed", "", "X-Signer", "ann"))); got != "200 in" {
		t.Error(got)
	}
	if call := fn.last(t); call.Caller != ann || call.RoleARN != "" {
		t.Errorf("called as %+v, role %q", call.Caller, call.RoleARN)
	}
	if got := summary(t, f.do(request("GET", "/s/open", "", "X-Signer", "ann"))); got != `500 {"message": "Internal server error"}` {
		t.Error(got)
	}
}

func TestTokensOfUserPools(t *testing.T) {
	t.Parallel()
	claims := `$context.authorizer.claims.sub|$context.authorizer.claims["cognito:groups"]|$context.authorizer.claims.exp|$context.authorizer.claims.email_verified|$!context.authorizer.claims`
	plain, scoped := respond(mockMethod(`{"statusCode": 200}`), "200", "", claims), respond(mockMethod(`{"statusCode": 200}`), "200", "", claims)
	proxy := proxyMethod()
	for _, m := range []*apigatewayapi.Method{plain, scoped, proxy} {
		m.AuthorizationType, m.AuthorizerId = ptr("COGNITO_USER_POOLS"), ptr(guardID)
	}
	scoped.AuthorizationScopes = []string{"pets/read", "pets/write"}
	const pool = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc"
	s := api{"GET /plain": plain, "GET /scoped": scoped, "GET /proxy": proxy}.stage("s", strs{"stage": "prod"})
	s.Deployment.Authorizers = []apigatewayapi.Authorizer{{
		Id: ptr(guardID), Type: ptr("COGNITO_USER_POOLS"), ProviderARNs: []string{pool}, IdentityValidationExpression: ptr("client|")}}
	fn := returns(`{"body": "in"}`)
	f := newFixture(t, fn, s)
	if diff := cmp.Diff([]string{pool}, f.pools.watched); diff != "" {
		t.Errorf("watched pools: -want +got\n%s", diff)
	}
	const id = `{"sub": "me", "token_use": "id", "aud": "client", "cognito:groups": ["a", "b"], "exp": 1585155185, "email_verified": true}`
	const accessToken = `{"sub": "me", "token_use": "access", "scope": "openid pets/read"}`
	for _, tt := range []struct{ path, token, want string }{
		{"plain", id, "200 me|a,b|Wed Mar 25 16:53:05 UTC 2020|true|"},
		{"plain", "Bearer " + id, "200 me|a,b|Wed Mar 25 16:53:05 UTC 2020|true|"},
		{"plain", strings.Replace(id, "client", "other", 1), `401 {"message":"Unauthorized"}`},
		{"plain", accessToken, `401 {"message":"Unauthorized"}`},
		{"plain", "", `401 {"message":"Unauthorized"}`},
		{"plain", "junk", `401 {"message":"Unauthorized"}`},
		{"plain", "expired", `401 {"message":"The incoming token has expired"}`},
		{"plain", "unreachable", `500 {"message":null}`},
		{"scoped", accessToken, "200 me||||"},
		{"scoped", strings.Replace(accessToken, "pets/read", "pets/feed", 1), `401 {"message":"Unauthorized"}`},
		{"scoped", id, `401 {"message":"Unauthorized"}`},
		{"proxy", id, "200 in"},
	} {
		if got := summary(t, f.do(request("GET", "/s/"+tt.path, "", "Authorization", tt.token))); got != tt.want {
			t.Errorf("%s with %s: got %s, want %s", tt.path, tt.token, got, tt.want)
		}
	}
	const want = `"authorizer":{"claims":{"sub":"me","token_use":"id","aud":"client","cognito:groups":"a,b","exp":"Wed Mar 25 16:53:05 UTC 2020","email_verified":"true"}},"resourcePath"`
	if got := string(fn.last(t).Payload); !strings.Contains(got, want) {
		t.Errorf("proxy event %s", got)
	}
}

func TestResourcePolicies(t *testing.T) {
	t.Parallel()
	anonymous := func(path, suffix string) string {
		return `403 {"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:abcdefghij/s/GET` + path + suffix + `"}`
	}
	const implicit, denying = " because no resource-based policy allows the execute-api:Invoke action", " with an explicit deny in a resource-based policy"
	from := func(cidr string) string {
		return fmt.Sprintf(allowAnyone, `,"Condition":{"IpAddress":{"aws:SourceIp":"`+cidr+`"}}`)
	}
	deny := func(more string) string {
		return strings.Replace(fmt.Sprintf(allowAnyone, more), "Allow", "Deny", 1)
	}
	answers := map[string]string{"allow": says("Allow", "*"), "silent": says("Allow", ownARN+"/s/GET/other"), "deny": says("Deny", "*")}
	const denied = `403 {"Message":"User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"}`
	const explicit = `403 {"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`
	for name, tt := range map[string]struct{ policy, path, token, want string }{
		"open":                       {fmt.Sprintf(allowAnyone, ""), "/open", "", "200 "},
		"open to us":                 {from("192.0.2.0/24"), "/open", "", "200 "},
		"open to others":             {from("198.51.100.0/24"), "/open", "", anonymous("/open", implicit)},
		"closed":                     {deny(""), "/open", "", anonymous("/open", denying)},
		"other method":               {strings.Replace(fmt.Sprintf(allowAnyone, ""), "/*", "/s/POST/*", 1), "/open", "", anonymous("/open", implicit)},
		"with referer":               {fmt.Sprintf(allowAnyone, `,"Condition":{"StringLike":{"aws:Referer":"https://example.com/*"}}`), "/open", "", "200 "},
		"without a VPC endpoint":     {deny(`,"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`), "/open", "", anonymous("/open", denying)},
		"allowed by both":            {fmt.Sprintf(allowAnyone, ""), "/mock", "allow", "200 me|a|123|true||"},
		"by the authorizer alone":    {from("198.51.100.0/24"), "/mock", "allow", "200 me|a|123|true||"},
		"by the policy alone":        {fmt.Sprintf(allowAnyone, ""), "/mock", "silent", "200 me|a|123|true||"},
		"by neither":                 {from("198.51.100.0/24"), "/mock", "silent", denied},
		"denied by the authorizer":   {fmt.Sprintf(allowAnyone, ""), "/mock", "deny", explicit},
		"denied before it was asked": {deny(""), "/mock", "allow", anonymous("/mock", denying)},
		"no token":                   {fmt.Sprintf(allowAnyone, ""), "/mock", "", `401 {"message":"Unauthorized"}`},
		"claims are not enough":      {from("198.51.100.0/24"), "/claims", `{"token_use": "id"}`, anonymous("/claims", implicit)},
		"claims and the policy":      {from("192.0.2.0/24"), "/claims", `{"token_use": "id"}`, "200 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := guarded(func(*apigatewayapi.Authorizer) {})
			claims := respond(mockMethod(`{"statusCode": 200}`), "200", "", "")
			claims.AuthorizationType, claims.AuthorizerId = ptr("COGNITO_USER_POOLS"), ptr("pool")
			extra := api{"GET /open": respond(mockMethod(`{"statusCode": 200}`), "200", "", ""), "GET /claims": claims}.stage("s", nil)
			s.Deployment.Resources = append(s.Deployment.Resources, extra.Deployment.Resources...)
			s.Deployment.Authorizers = append(s.Deployment.Authorizers, apigatewayapi.Authorizer{Id: ptr("pool"), Type: ptr("COGNITO_USER_POOLS"), IdentitySource: ptr("method.request.header.Auth")})
			s.Deployment.API.Policy = ptr(tt.policy)
			fn := guardAnswers(answers)
			f := newFixture(t, fn, s)
			r := request("GET", "/s"+tt.path, "", "Referer", "https://example.com/page")
			if tt.token != "" {
				r.Header.Set("Auth", tt.token)
			}
			if got := summary(t, f.do(r)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if name == "denied before it was asked" && len(fn.calls) > 0 {
				t.Error("the authorizer was called")
			}
		})
	}
}

// TestPrivateName: whoever calls a private API by the name that holds a VPC
// endpoint comes through it.
func TestPrivateName(t *testing.T) {
	t.Parallel()
	s := api{"GET /": respond(mockMethod(`{"statusCode": 200}`), "200", "", "$context.apiId $context.identity.vpceId")}.stage("s", nil)
	s.Deployment.API.Policy = ptr(fmt.Sprintf(allowAnyone, `,"Condition":{"StringEquals":{"aws:SourceVpce":"vpce-0123abcd"}}`))
	f := newFixture(t, nil, s)
	for label, want := range map[string]string{testAPI: "403", testAPI + "-vpce-0123": "403", testAPI + "-vpce-0123abcd": "200 " + testAPI + " vpce-0123abcd"} {
		w := httptest.NewRecorder()
		f.ServeAPI(w, request("GET", "/s", ""), label, "", "/s")
		if got := summary(t, w.Result()); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", label, got)
		}
	}
}

func TestCustomisedDenials(t *testing.T) {
	t.Parallel()
	s := guarded(func(*apigatewayapi.Authorizer) {})
	s.Deployment.GatewayResponses = []apigatewayapi.GatewayResponse{
		{ResponseType: ptr("ACCESS_DENIED"), StatusCode: ptr("404"), ResponseTemplates: strs{"application/json": `$context.error.messageString $context.authorizer.principalId`}},
		{ResponseType: ptr("AUTHORIZER_CONFIGURATION_ERROR"), ResponseTemplates: strs{"application/json": `$context.error.messageString $context.error.responseType`}},
		{ResponseType: ptr("UNAUTHORIZED"), ResponseParameters: strs{"gatewayresponse.header.WWW-Authenticate": "'Bearer'"}},
	}
	f := newFixture(t, guardAnswers(map[string]string{"d": says("Deny", "*"), "x": "raise boom"}), s)
	for token, want := range map[string]string{
		"d": `404 "User is not authorized to access this resource with an explicit deny in an identity-based policy" me`,
		"x": "500 null AUTHORIZER_CONFIGURATION_ERROR",
		"":  `401 WWW-Authenticate=Bearer {"message":"Unauthorized"}`,
	} {
		if got := summary(t, f.do(request("GET", "/s/mock", "", "Auth", token))); got != want {
			t.Errorf("%s: got %s, want %s", token, got, want)
		}
	}
}

func TestTestAuthorizer(t *testing.T) {
	t.Parallel()
	fn := guardAnswers(map[string]string{"allow": says("Allow", "METHOD"), "no": "raise Unauthorized", "x": "raise boom"})
	f := newFixture(t, fn)
	s := guarded(func(*apigatewayapi.Authorizer) {})
	ask := func(token string) *apigatewayapi.TestInvokeAuthorizerResponse {
		t.Helper()
		out, err := f.TestAuthorizer(t.Context(), &AuthorizerTest{
			Account: testAccount, Region: testRegion, APIID: testAPI, Authorizer: &s.Deployment.Authorizers[0],
			Caller: &wire.Caller{}, Headers: http.Header{"Auth": {token}}, StageVariables: strs{"stage": "prod"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := ask("allow")
	const arn = ownARN + "/ESTestInvoke-stage/GET/"
	if wire.Val(out.ClientStatus) != 200 || wire.Val(out.PrincipalId) != "me" || !strings.Contains(wire.Val(out.Policy), `"Resource": "`+arn+`"`) {
		t.Errorf("allowed: %d %s %s", wire.Val(out.ClientStatus), wire.Val(out.PrincipalId), wire.Val(out.Policy))
	}
	lines := strings.Split(wire.Val(out.Log), "\n")
	if !strings.HasPrefix(lines[0], "Execution log for request ") || !strings.HasPrefix(lines[1], "Wed Mar 04 05:06:07 UTC 2026 : Starting authorizer: guard1 for request: ") ||
		!strings.HasSuffix(lines[len(lines)-2], " : Successfully completed authorizer execution") || lines[len(lines)-1] != "" {
		t.Errorf("log %q", lines)
	}
	if out := ask("no"); wire.Val(out.ClientStatus) != 401 || out.Policy != nil || !strings.HasSuffix(wire.Val(out.Log), " : Unauthorized\n") {
		t.Errorf("refused: %d %s", wire.Val(out.ClientStatus), wire.Val(out.Log))
	}
	if out := ask("x"); wire.Val(out.ClientStatus) != 500 || !strings.HasSuffix(wire.Val(out.Log), " : AuthorizerConfigurationException\n") ||
		!strings.Contains(wire.Val(out.Log), `Execution failed due to configuration error: Invalid JSON in response: Unrecognized field "errorMessage" , not marked as ignorable`) {
		t.Errorf("failed: %d %s", wire.Val(out.ClientStatus), wire.Val(out.Log))
	}
}

// TestTraceSaysWhoMayNot: what people are told to do about callers who were
// not let in.
func TestTraceSaysWhoMayNot(t *testing.T) {
	t.Parallel()
	iam := mockMethod(`{"statusCode": 200}`)
	iam.AuthorizationType = ptr("AWS_IAM")
	s := guarded(func(*apigatewayapi.Authorizer) {})
	s.Deployment.Resources = append(s.Deployment.Resources, api{"GET /iam": iam}.stage("s", nil).Deployment.Resources...)
	fn := guardAnswers(map[string]string{"deny": says("Deny", "*"), "other": says("Allow", ownARN+"/s/GET/other"), "refused": "refuse it", "fails": "raise boom", "text": "text"})
	f := tracedFixture(t, fn, s)
	f.signers.callers = map[string]*wire.Caller{"bob": {ARN: "arn:aws:iam::000000000000:user/bob"}}
	f.signers.decide = func(c *wire.Caller, r *policy.Request) policy.Decision {
		r.Principal = policy.Principal{Kind: policy.User, ARN: c.ARN}
		return policy.Decision{Source: policy.SourceIdentity}
	}
	for _, tt := range []struct{ path, header, value, want string }{
		{"/s/mock", "Auth", "deny", "The policy that authorizer guard1 returned denies " + ownARN + "/s/GET/mock."},
		{"/s/mock", "Auth", "other", "It is kept for 300 s and judged for every method that the same identity calls: let it allow all of them (" + ownARN + "/s/*)"},
		{"/s/mock", "Auth", "refused", "aws lambda add-permission --function-name guard --qualifier prod --statement-id apigateway-abcdefghij-authorizer " +
			"--action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn '" + ownARN + "/authorizers/guard1'"},
		{"/s/mock", "Auth", "fails", "it must raise an error with the message Unauthorized"},
		{"/s/mock", "Auth", "text", "must return an object with principalId and policyDocument"},
		{"/s/mock", "None", "", "Authorizer guard1 goes by method.request.header.Auth"},
		{"/s/iam", "X-Signer", "bob", "arn:aws:iam::000000000000:user/bob needs a policy that allows execute-api:Invoke on " + ownARN + "/s/GET/iam"},
	} {
		f.do(request("GET", tt.path, "", tt.header, tt.value))
		if got := f.lastTrace(t).Failure; got == nil || !strings.Contains(got.Fix, tt.want) {
			t.Errorf("%s %s: told %+v, want %s", tt.path, tt.value, got, tt.want)
		}
	}
}
