package lambda_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// The tables of the recorded_*_test.go files hold what AWS was recorded to
// answer (LocalStack's snapshots of tests/aws/services/lambda_, 2024-04 to
// 2026-02), byte by byte: status, error type and body.

// recorded is one request and its answer. In texts FN stands for
// arn:aws:lambda:eu-west-1:123456789012:function, LAYER for the like of layers.
type recorded struct {
	fact string // what the row shows
	call string // method and path, without the leading slash
	body string
	want string // status, error type if it is one, and body; any body if it ends in *
}

// front is a house reached through the front end of the AWS APIs.
type front struct {
	*house
	api *awsapi.Handler
}

// open admits everybody.
type open struct{}

func (open) Lookup(string) *wire.Principal { return nil }

func (open) Authorize(context.Context, *wire.Caller, wire.IAMTarget) string { return "" }

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{house: newHouse(t)}
	api, err := awsapi.New(awsapi.Config{
		Services: []awsapi.Registration{{Model: &lambdaapi.Service, Service: f.Service}},
		Keys:     open{}, Authorizer: open{}, Log: slog.New(slog.DiscardHandler), Clock: f.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.api = api
	return f
}

var spelled = strings.NewReplacer("FN:", "arn:aws:lambda:eu-west-1:123456789012:function:", "LAYER:", "arn:aws:lambda:eu-west-1:123456789012:layer:")

// send makes a request with further headers.
func (f *front) send(call, body string, header http.Header) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(spelled.Replace(call), " ")
	r := httptest.NewRequest(method, "http://127.0.0.1:4566/"+path, strings.NewReader(spelled.Replace(body)))
	maps.Copy(r.Header, header)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+account+"/20251125/"+region+"/lambda/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set("X-Amz-Date", "20251125T022654Z")
	w := httptest.NewRecorder()
	f.api.ServeHTTP(w, r)
	return w
}

// ask sends a request and returns the answer as rows write it.
func (f *front) ask(call, body string) string {
	w := f.send(call, body, nil)
	out := fmt.Sprint(w.Code)
	if kind := w.Header()["x-amzn-ErrorType"]; kind != nil {
		out += " " + kind[0]
	}
	if w.Body.Len() > 0 && w.Code != http.StatusNoContent {
		out += " " + w.Body.String()
	}
	return out
}

// random finds what differs from run to run.
var random = regexp.MustCompile(`"(RevisionId|CodeSha256|RuntimeVersionArn|UUID|FunctionUrl|Location|CodeSigningConfigId|EventSourceMappingArn|ResolvedImageUri)":"[^"]*"|"(CodeSize)":\d+`)

func blur(text string) string {
	return existing.ReplaceAllString(random.ReplaceAllString(text, `"$1$2":…`), "with UUID UUID")
}

var existing = regexp.MustCompile(`with UUID [0-9a-f-]{36}`)

// check runs the rows of a table in their order in one house.
func (f *front) check(t *testing.T, rows []recorded) {
	t.Helper()
	for _, row := range rows {
		want := spelled.Replace(row.want)
		got := blur(f.ask(row.call, row.body))
		if status, any := strings.CutSuffix(want, "*"); any && strings.HasPrefix(got, status) {
			continue
		}
		if got != want {
			t.Errorf("%s (%s):\n got %s\nwant %s", row.fact, row.call, got, want)
		}
	}
}

// furnish makes what most tables speak of: the function "example" with version
// 1, and the alias "live" that points there.
func (f *front) furnish(t *testing.T) {
	t.Helper()
	f.create(t)
	f.publish(t)
	must(f.CreateAlias(as(t), &lambdaapi.CreateAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("live"), FunctionVersion: wire.Ptr("1")}))(t)
}

// failure words a row's answer: the member that carries the text differs from
// error to error.
func failure(status int, kind, text string) string {
	member := "message"
	switch kind {
	case "ResourceNotFoundException", "CodeSigningConfigNotFoundException":
		return fmt.Sprintf(`%d %s {"Type":"User","Message":%s}`, status, kind, quote(text))
	case "ValidationException", "RequestEntityTooLargeException":
		return fmt.Sprintf(`%d %s {"message":%s}`, status, kind, quote(text))
	}
	return fmt.Sprintf(`%d %s {"Type":"User","%s":%s}`, status, kind, member, quote(text))
}

func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		if r == '"' || r == '\\' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}

func notFound(text string) string {
	return failure(http.StatusNotFound, "ResourceNotFoundException", text)
}

func invalid(text string) string {
	return failure(http.StatusBadRequest, "InvalidParameterValueException", text)
}

func violated(text string) string {
	return failure(http.StatusBadRequest, "ValidationException", "1 validation error detected: "+text)
}

func conflicts(text string) string {
	return failure(http.StatusConflict, "ResourceConflictException", text)
}

func stale(api string) string {
	return failure(http.StatusPreconditionFailed, "PreconditionFailedException",
		"The Revision Id provided does not match the latest Revision Id. Call the "+api+" API to retrieve the latest Revision Id")
}
