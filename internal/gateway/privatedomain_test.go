package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// TestPrivateDomain asks a domain whose policy admits one VPC endpoint.
func TestPrivateDomain(t *testing.T) {
	t.Parallel()
	const domainARN = "arn:aws:execute-api:us-east-1:000000000000:/domainnames/private.example.com+abcd1234"
	const statements = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"%[1]s"},
		{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"%[1]s","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}]}`
	s := api{"GET /{proxy+}": respond(mockMethod(`{"statusCode": 200}`), "200", "", "$context.identity.vpceId $context.domainName")}.stage("prod", nil)
	s.Deployment.API.Policy = ptr(fmt.Sprintf(allowAnyone, `,"Condition":{"ArnEquals":{"execute-api:viaDomainArn":"`+domainARN+`"}}`))
	f := newFixture(t, nil, s)
	const forbidden = `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:/domainnames/private.example.com+abcd1234`
	for _, tt := range []struct {
		name, policy string
		endpoints    []string
		want         string
	}{
		{"associated", fmt.Sprintf(statements, domainARN), []string{"vpce-1"}, "200 vpce-1 private.example.com"},
		{"not associated", fmt.Sprintf(statements, domainARN), nil, noTarget},
		{"another endpoint", fmt.Sprintf(statements, domainARN), []string{"vpce-2"}, "403 " + forbidden},
		{"no policy", "", []string{"vpce-1"}, "403 " + forbidden},
	} {
		err := f.PublishDomain(&DomainName{Region: testRegion, Name: "private.example.com", Private: &PrivateDomain{ARN: domainARN, Policy: tt.policy, VPCEndpoints: tt.endpoints},
			Mappings: []apigatewayapi.BasePathMapping{{BasePath: wire.Ptr("(none)"), RestApiId: wire.Ptr(testAPI), Stage: wire.Ptr("prod")}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := askDomain(f, "private.example.com", "/a"); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	if err := f.PublishDomain(&DomainName{Name: "private.example.com", Private: &PrivateDomain{Policy: "no policy"}}); err == nil {
		t.Error("a policy that is none was compiled")
	}
	if res := f.do(request("GET", "/prod/a", "")); res.StatusCode != 403 {
		t.Errorf("not through the domain: %d", res.StatusCode)
	}
}
