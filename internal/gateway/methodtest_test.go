package gateway

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/wire"
)

// TestTestMethodContext: what a function sees of a test (measured).
func TestTestMethodContext(t *testing.T) {
	t.Parallel()
	f := newFixture(t, returns(`{"statusCode": 201, "headers": {"X-A": "b"}, "body": "made"}`))
	out, err := f.TestMethod(t.Context(), &MethodTest{
		Stage: api{"ANY /user/{id}": proxyMethod()}.stage("", strs{"stage": "prod"}), Verb: "PUT", Path: "/user/7?a=b",
		Caller: &wire.Caller{Account: "111111111111", ARN: "arn:aws:iam::111111111111:user/ada", UserID: "AIDA", AccessKeyID: "AKIA"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Status != 201 || *out.Body != "made" || out.Headers["X-A"] != "b" || !strings.HasPrefix(out.Headers["X-Amzn-Trace-Id"], "Root=1-") || len(out.Headers) != 2 {
		t.Errorf("answer %d %s %v", *out.Status, *out.Body, out.Headers)
	}
	call := f.fn.last(t)
	if want := "/test-invoke-stage/ANY/user/{id}"; !strings.HasSuffix(call.SourceARN, want) {
		t.Errorf("source ARN %s, want …%s", call.SourceARN, want)
	}
	var event struct {
		Path           string
		Headers        map[string]string
		RequestContext struct {
			Path, Stage, DomainName, DomainPrefix string
			DeploymentID                          *string
			Identity                              map[string]*string
		}
		StageVariables map[string]string
	}
	if err := json.Unmarshal(call.Payload, &event); err != nil {
		t.Fatal(err)
	}
	c := event.RequestContext
	if event.Path != "/user/7" || event.Headers != nil || event.StageVariables["stage"] != "prod" {
		t.Errorf("event %s", call.Payload)
	}
	if c.Path != "/user/7" || c.Stage != "test-invoke-stage" || c.DomainName != "testPrefix.testDomainName" || c.DomainPrefix != "testPrefix" || c.DeploymentID != nil {
		t.Errorf("request context %+v", c)
	}
	identity := strs{
		"apiKey": "test-invoke-api-key", "apiKeyId": "test-invoke-api-key-id", "sourceIp": "test-invoke-source-ip", "accountId": "111111111111",
		"caller": "AIDA", "user": "AIDA", "userArn": "arn:aws:iam::111111111111:user/ada", "accessKey": "AKIA",
	}
	for name, want := range identity {
		if got := c.Identity[name]; got == nil || *got != want {
			t.Errorf("identity %s is %v, want %s", name, got, want)
		}
	}
	for _, line := range []string{"Endpoint request URI: https://lambda.", "Sending request to https://lambda.", "Received response. Status: 200, Integration latency: "} {
		if !strings.Contains(*out.Log, line) {
			t.Errorf("the log lacks %q:\n%s", line, *out.Log)
		}
	}
}
