package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/wire"
)

// services is a Services that answers with f and remembers the last call.
type services struct {
	f    func(*ServiceCall) (*ServiceResult, error)
	last *ServiceCall
}

func (s *services) Serves(service string) bool { return service != "sqs" }

func (s *services) CallService(_ context.Context, call *ServiceCall) (*ServiceResult, error) {
	s.last = call
	if s.f == nil {
		return &ServiceResult{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{}`)}, nil
	}
	return s.f(call)
}

const testRole = "arn:aws:iam::000000000000:role/integration"

// serviceMethod is a method with an AWS integration with the service and
// path of uri.
func serviceMethod(verb, uri string, mappings ...string) *apigatewayapi.Method {
	m := httpMethod("AWS", verb, "arn:aws:apigateway:eu-west-1:"+uri, mappings...)
	m.MethodIntegration.Credentials = wire.Ptr(testRole)
	return m
}

func newServiceFixture(t *testing.T, s *services, m *apigatewayapi.Method) *fixture {
	t.Helper()
	f := &fixture{logs: &logLines{}}
	f.Gateway = New(Config{Services: s, Logs: f.logs, Clock: clock.NewFake(testTime), Log: slog.New(slog.DiscardHandler)})
	st := api{"ANY /{id}": m}.stage("s", strs{"table": "notes"})
	st.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": {LoggingLevel: wire.Ptr("INFO")}}
	if err := f.PublishStage(st); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestServiceAddress has what the forms of an integration's URI call.
func TestServiceAddress(t *testing.T) {
	t.Parallel()
	id := []string{"integration.request.path.key", "method.request.path.id"}
	for _, tt := range []struct {
		uri      string
		mappings []string
		want     string // service, action, verb and address; "" for a 500
	}{
		{"dynamodb:action/PutItem", nil, "dynamodb PutItem POST https://dynamodb.eu-west-1.amazonaws.com/?Action=PutItem"},
		{"sts:action/AssumeRole&RoleArn=a:b/c&DurationSeconds=900", []string{"integration.request.querystring.RoleSessionName", "'me'"},
			"sts AssumeRole POST https://sts.eu-west-1.amazonaws.com/?Action=AssumeRole&RoleArn=a%3Ab%2Fc&DurationSeconds=900&RoleSessionName=me"},
		{"s3:path/bucket/{key}", id, "s3  POST https://s3.eu-west-1.amazonaws.com/bucket/x%20y"},
		{"bucket.s3:path/dir/{key}", id, "s3  POST https://bucket.s3.eu-west-1.amazonaws.com/dir/x%20y"},
		{"s3:path//bucket/${stageVariables.table}", nil, "s3  POST https://s3.eu-west-1.amazonaws.com/bucket/notes"},
		{"dynamodb:path//", nil, "dynamodb  POST https://dynamodb.eu-west-1.amazonaws.com/"},
		{"lambda:path/2015-03-31/functions/f/configuration", nil, "lambda  POST https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/f/configuration"},
		{"s3:path/bucket/{key}", nil, ""},
		{"s3:bucket", nil, ""},
	} {
		s := &services{}
		f := newServiceFixture(t, s, respond(serviceMethod("POST", tt.uri, tt.mappings...), "200", "", ""))
		res, got := f.do(request("GET", "/s/x%20y", "")), ""
		if c := s.last; c != nil {
			got = c.Service + " " + c.Action + " " + c.Verb + " https://" + c.Host + c.Path
			if c.Query != "" {
				got += "?" + c.Query
			}
			if c.Region != "eu-west-1" || c.RoleARN != testRole {
				t.Errorf("%s: region %s, role %s", tt.uri, c.Region, c.RoleARN)
			}
		}
		if got != tt.want || (res.StatusCode == 500) != (tt.want == "") {
			t.Errorf("%s: %d, got %s, want %s", tt.uri, res.StatusCode, got, tt.want)
		}
	}
}

// TestServiceAnswers selects by the service's status and maps what it says.
func TestServiceAnswers(t *testing.T) {
	t.Parallel()
	m := serviceMethod("POST", "dynamodb:action/GetItem")
	m.MethodIntegration.RequestTemplates = strs{"application/json": `{"id": "$input.params('id')"}`}
	respond(m, "200", "", `$input.json('$.a')`, "method.response.header.X-Type", "integration.response.header.content-type")
	respond(m, "400", "4..", "")
	s := &services{f: func(c *ServiceCall) (*ServiceResult, error) {
		status := 200
		if strings.Contains(string(c.Body), "bad") {
			status = 413
		}
		return &ServiceResult{Status: status, Header: http.Header{"content-type": {"application/x-amz-json-1.0"}, "x-amzn-RequestId": {"theirs"}}, Body: c.Body}, nil
	}}
	f := newServiceFixture(t, s, m)
	if got := summary(t, f.do(request("GET", "/s/1", ""))); got != `200 X-Type=application/x-amz-json-1.0 ""` {
		t.Errorf("got %s", got)
	}
	if got := summary(t, f.do(request("GET", "/s/bad", ""))); got != `400 {"id": "bad"}` {
		t.Errorf("got %s", got)
	}
	if s.last.Header.Get("Accept") != "application/json" || s.last.Header.Get("User-Agent") != "AmazonAPIGateway_"+testAPI || s.last.Header["Content-Type"] != nil {
		t.Errorf("the service saw %v", s.last.Header)
	}
	if f.do(request("POST", "/s/1", "")); s.last.Header.Get("Content-Type") != "application/json" {
		t.Errorf("after a POST the service saw %v", s.last.Header)
	}
	log := strings.Join(f.logs.group("API-Gateway-Execution-Logs_"+testAPI+"/s"), "\n")
	for _, want := range []string{"Endpoint request URI: https://dynamodb.eu-west-1.amazonaws.com/?Action=GetItem", "Received response. Status: 413"} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %q:\n%s", want, log)
		}
	}
}

func TestServiceFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		change    func(*apigatewayapi.Integration)
		err       error
		want, log string
	}{
		{nil, ErrRole, "500", "API Gateway does not have permission to assume the provided role " + testRole},
		{nil, errors.New("disk full"), "500", "There was an internal error while executing your request"},
		{func(i *apigatewayapi.Integration) { i.Credentials = nil }, nil, "500", "Role ARN must be specified for AWS integrations"},
		{func(i *apigatewayapi.Integration) { i.Credentials = wire.Ptr("arn:aws:iam::*:user/*") }, nil, "500", "AWS_IAM Auth type is required for AWS integrations with identity forwarding specified"},
		{func(i *apigatewayapi.Integration) { i.Uri = wire.Ptr("arn:aws:apigateway:eu-west-1:sqs:path/1/q") }, nil, "501", "integrations with the service sqs"},
	} {
		m := respond(serviceMethod("POST", "dynamodb:action/GetItem"), "200", "", "")
		if tt.change != nil {
			tt.change(m.MethodIntegration)
		}
		f := newServiceFixture(t, &services{f: func(*ServiceCall) (*ServiceResult, error) { return nil, tt.err }}, m)
		got := summary(t, f.do(request("GET", "/s/1", "")))
		log := strings.Join(f.logs.group("API-Gateway-Execution-Logs_"+testAPI+"/s"), "\n")
		if !strings.HasPrefix(got, tt.want) || !strings.Contains(log, tt.log) {
			t.Errorf("got %s, log\n%s\nwant %s, %s", got, log, tt.want, tt.log)
		}
	}
}
