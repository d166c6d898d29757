package gateway

import (
	"crypto/tls"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// TestEndpointAccessMode: a strict host answers only who asked for it by its
// name in the TLS handshake too; a security policy says which TLS is spoken.
func TestEndpointAccessMode(t *testing.T) {
	t.Parallel()
	served := func(name, policy, mode string) *Stage {
		s := api{"GET /": respond(mockMethod(`{"statusCode": 200}`), "200", "", name)}.stage(name, nil)
		s.Deployment.API.SecurityPolicy, s.Deployment.API.EndpointAccessMode = &policy, &mode
		return s
	}
	f := newFixture(t, nil, served("strict", "SecurityPolicy_TLS13_1_3_2025_09", "STRICT"), served("basic", "SecurityPolicy_TLS13_1_2_2021_06", "BASIC"))
	mapping := []apigatewayapi.BasePathMapping{{BasePath: wire.Ptr("(none)"), RestApiId: wire.Ptr(testAPI), Stage: wire.Ptr("strict")}}
	f.PublishDomain(&DomainName{Region: testRegion, Name: "strict.example.com", Mappings: mapping, Strict: true})
	f.PublishDomain(&DomainName{Region: testRegion, Name: "basic.example.com", Mappings: mapping})

	const own, forbidden = testAPI + ".execute-api.us-east-1.amazonaws.com", `403 {"message":"Forbidden"}`
	for _, c := range []struct{ host, hello, path, want string }{
		{own, own, "/strict", "200 strict"},
		{own + ":443", own, "/strict", "200 strict"},
		{own, "other.example.com", "/strict", forbidden},
		{own, "other.example.com", "/basic", "200 basic"},
		{own, "", "/strict", "200 strict"}, // without TLS
		{"strict.example.com", "strict.example.com", "/", "200 strict"},
		{"strict.example.com", own, "/", forbidden},
		{"basic.example.com", own, "/", "200 strict"}, // the domain's mode counts, not the API's
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		if r.Host = c.host; c.hello != "" {
			r.TLS = &tls.ConnectionState{ServerName: c.hello}
		}
		w := httptest.NewRecorder()
		if f.ServesDomain(c.host) {
			f.ServeDomain(w, r)
		} else {
			f.ServeAPI(w, r, testAPI, testRegion, c.path)
		}
		if got := fmt.Sprint(w.Code, " ", w.Body); got != c.want {
			t.Errorf("Host %s, server name %s: got %s, want %s", c.host, c.hello, got, c.want)
		}
	}

	if v, ok := f.APIMinVersion(testAPI); !ok || v != tls.VersionTLS13 {
		t.Errorf("the API speaks TLS from %x on, %v", v, ok)
	}
	if _, ok := f.APIMinVersion("another"); ok {
		t.Error("an API that isn't there has a security policy")
	}
}
