package catalog_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/iam/policy"
)

const fnARN = "arn:aws:lambda:eu-west-1:123456789012:function:example"

// engine is a function.Invoker that answers with the version it was given.
type engine struct {
	last *function.Request
	err  error
}

func (e *engine) Invoke(_ context.Context, spec *function.Spec, req *function.Request) (*function.Result, error) {
	e.last = req
	if e.err != nil {
		return nil, e.err
	}
	return &function.Result{Payload: []byte(`"` + spec.Version + `"`)}, nil
}

func document(t testing.TB, resource, stage string) *policy.Document {
	t.Helper()
	doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s","Effect":"Allow",
		"Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"`+resource+`",
		"Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:execute-api:eu-west-1:123456789012:api/`+stage+`/*"}}}]}`), policy.Resource)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func published(t testing.TB) *catalog.Function {
	spec := func(v string) *function.Spec { return &function.Spec{ID: "spec-" + v, Version: v, ARN: fnARN} }
	return &catalog.Function{
		ARN:      fnARN,
		Versions: map[string]*function.Spec{"$LATEST": spec("$LATEST"), "1": spec("1"), "2": spec("2")},
		Aliases: map[string]catalog.Alias{
			"staging":    {Version: "2"},
			"production": {Version: "1", Second: "2", Weight: 0.25},
			"dangling":   {Version: "9"},
		},
		Policies: map[string]*policy.Document{"": document(t, fnARN, "*"), "production": document(t, fnARN+":production", "production")},
	}
}

func TestServicesNeedThePolicyOfExactlyTheCalledQualifier(t *testing.T) {
	t.Parallel()
	c := catalog.New(&engine{})
	c.Put(published(t))
	source := func(stage string) string {
		return "arn:aws:execute-api:eu-west-1:123456789012:api/" + stage + "/GET/user/{id}"
	}
	cases := []struct {
		qualifier, principal, source, want string
	}{
		{"", "apigateway.amazonaws.com", source("staging"), ""},
		{":$LATEST", "apigateway.amazonaws.com", source("staging"), ""},
		{":production", "apigateway.amazonaws.com", source("production"), ""},
		{":production", "apigateway.amazonaws.com", source("staging"), "AccessDeniedException"},
		{":production", "apigateway.amazonaws.com", "", "AccessDeniedException"},
		{":production", "events.amazonaws.com", source("production"), "AccessDeniedException"},
		{":staging", "apigateway.amazonaws.com", source("staging"), "AccessDeniedException"},
		{":1", "apigateway.amazonaws.com", source("staging"), "AccessDeniedException"},
		{":missing", "apigateway.amazonaws.com", source("staging"), "AccessDeniedException"},
		{":staging", "", "", ""},
		{":missing", "", "", "ResourceNotFoundException"},
		{":dangling", "", "", "ResourceNotFoundException"},
	}
	// Twice, as whom a policy has let in is remembered.
	for _, tc := range append(cases, cases...) {
		_, err := c.Invoke(t.Context(), &catalog.Call{FunctionARN: fnARN + tc.qualifier, Principal: tc.principal, SourceARN: tc.source})
		got := ""
		var refusal *catalog.Refusal
		if errors.As(err, &refusal) {
			got = refusal.Code
		} else if err != nil {
			t.Fatal(err)
		}
		if got != tc.want {
			t.Errorf("%q as %q from %q: %q, want %q", tc.qualifier, tc.principal, tc.source, got, tc.want)
		}
	}
}

func TestWeightedAliasesSpread(t *testing.T) {
	t.Parallel()
	c := catalog.New(&engine{})
	c.Put(published(t))
	seen := map[string]int{}
	for range 2000 {
		out, err := c.Invoke(t.Context(), &catalog.Call{FunctionARN: fnARN + ":production"})
		if err != nil {
			t.Fatal(err)
		}
		if string(out.Payload) != `"`+out.ExecutedVersion+`"` {
			t.Fatalf("version %s ran, %s was reported", out.Payload, out.ExecutedVersion)
		}
		seen[out.ExecutedVersion]++
	}
	if seen["2"] < 350 || seen["2"] > 650 || seen["1"]+seen["2"] != 2000 {
		t.Errorf("a weight of 0.25 gave %v", seen)
	}
}

func TestHandlersSeeTheCallAsItWasMade(t *testing.T) {
	t.Parallel()
	e := &engine{}
	c := catalog.New(e)
	c.Put(published(t))
	out, err := c.Invoke(t.Context(), &catalog.Call{FunctionARN: fnARN + ":staging", Payload: []byte("[1]"), ClientContext: []byte("{}"), Tail: true, TraceID: "Root=1"})
	if err != nil {
		t.Fatal(err)
	}
	if e.last.InvokedARN != fnARN+":staging" || string(e.last.Payload) != "[1]" || string(e.last.ClientContext) != "{}" || !e.last.Tail || e.last.TraceID != "Root=1" {
		t.Errorf("the engine got %+v", e.last)
	}
	if e.last.RequestID == "" || out.RequestID != e.last.RequestID {
		t.Errorf("request id %q was reported, %q used", out.RequestID, e.last.RequestID)
	}
}

func TestThrottlingIsARefusal(t *testing.T) {
	t.Parallel()
	c := catalog.New(&engine{err: &function.ThrottledError{Reason: "ReservedFunctionConcurrentInvocationLimitExceeded"}})
	c.Put(published(t))
	_, err := c.Invoke(t.Context(), &catalog.Call{FunctionARN: fnARN, RequestID: "r"})
	var refusal *catalog.Refusal
	if !errors.As(err, &refusal) || refusal.Status != 429 || refusal.Reason != "ReservedFunctionConcurrentInvocationLimitExceeded" || refusal.RequestID != "r" {
		t.Errorf("got %#v", err)
	}
}

func TestPutAndRemoveTellWhichSpecsAreGone(t *testing.T) {
	t.Parallel()
	c := catalog.New(&engine{})
	if gone := c.Put(published(t)); len(gone) != 0 {
		t.Errorf("the first Put retired %v", gone)
	}
	next := published(t)
	next.Versions["$LATEST"] = &function.Spec{ID: "spec-new", Version: "$LATEST"}
	delete(next.Versions, "1")
	gone := c.Put(next)
	slices.Sort(gone)
	if !slices.Equal(gone, []string{"spec-$LATEST", "spec-1"}) {
		t.Errorf("the second Put retired %v", gone)
	}
	gone = c.Remove(fnARN)
	slices.Sort(gone)
	if !slices.Equal(gone, []string{"spec-2", "spec-new"}) || c.Resolve(fnARN) != nil {
		t.Errorf("Remove retired %v", gone)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][2]string{
		fnARN:              {fnARN, ""},
		fnARN + ":live":    {fnARN, "live"},
		fnARN + ":$LATEST": {fnARN, "$LATEST"},
		"example":          {"example", ""},
		"":                 {"", ""},
	} {
		if base, qualifier := catalog.Split(in); base != want[0] || qualifier != want[1] {
			t.Errorf("Split(%q) = %q, %q", in, base, qualifier)
		}
	}
}

func TestPayloadsMustBeJSON(t *testing.T) {
	t.Parallel()
	c := catalog.New(&engine{})
	c.Put(published(t))
	const at = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: "
	for payload, want := range map[string]string{
		``: "", `{}`: "", ` {"a":[1,-2.5e3,"\u00e9\n",null,true]} `: "", `"x"`: "", `{"a":1,"a":2}`: "", `"\ud800"`: "",
		`{'a':1}`:          "Unexpected character (''' (code 39)): was expecting double-quote to start field name" + at + "1, column: 2]",
		"{\n\"a\" 1}":      "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value" + at + "2, column: 5]",
		`hello`:            "Unrecognized token 'hello': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')" + at + "1, column: 6]",
		`{"a":1`:           "Unexpected end-of-input: expected close marker for Object" + at + "1, column: 7]",
		`[1 2]`:            "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries" + at + "1, column: 4]",
		"  ":               "No content to map due to end-of-input" + at + "1, column: 3]",
		`{} {}`:            "Trailing token found after value" + at + "1, column: 6]",
		`[01]`:             "Invalid numeric value: Leading zeroes not allowed" + at + "1, column: 3]",
		"\"a\nb\"":         "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in string value" + at + "1, column: 3]",
		"{\"a\":\"\xff\"}": "Invalid UTF-8 start byte 0xff" + at + "1, column: 8]",
		// Recorded (test_lambda_invoke_payload_encoding_error), but for the column of
		// the second, which Jackson's later releases count from the character itself.
		"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt": "Invalid UTF-8 start byte 0x87" + at + "1, column: 3]",
		"\x99\xeb,j\x07\xa1zYh":             "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')" + at + "1, column: 1]",
		"test data":                         "Unrecognized token 'test': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')" + at + "1, column: 6]",
		"z{":                                "Unrecognized token 'z': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')" + at + "1, column: 3]",
	} {
		_, err := c.Invoke(t.Context(), &catalog.Call{FunctionARN: fnARN, Payload: []byte(payload)})
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", payload, err)
			}
			continue
		}
		want = "InvalidRequestContentException: Could not parse request body into json: Could not parse payload into json: " + want
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %v", payload, err, want)
		}
	}
}

// FuzzPayload checks that the slow explanation agrees with the fast check:
// what is JSON is let in, and every refusal has a reason.
func FuzzPayload(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2e5,"\u00e9"]}`, `{'a'}`, `[1,`, "\"\xc3", `tru`, `-`, `1.`, `[[[[`, "\"\\u12"} {
		f.Add([]byte(seed))
	}
	c := catalog.New(&engine{})
	c.Put(published(f))
	f.Fuzz(func(t *testing.T, payload []byte) {
		_, err := c.Invoke(t.Context(), &catalog.Call{FunctionARN: fnARN, Payload: payload})
		if jsontext.Value(payload).IsValid(jsontext.AllowDuplicateNames(true)) && err != nil {
			t.Errorf("%q is JSON but was refused: %v", payload, err)
		}
	})
}

func BenchmarkInvokeAsService(b *testing.B) {
	c := catalog.New(&engine{})
	c.Put(published(b))
	call := &catalog.Call{
		FunctionARN: fnARN + ":production", Principal: "apigateway.amazonaws.com", KnownJSON: true, Payload: []byte(`{"id":"1"}`),
		SourceARN: "arn:aws:execute-api:eu-west-1:123456789012:api/production/GET/user/{id}", SourceAccount: "123456789012",
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Invoke(context.Background(), call); err != nil {
			b.Fatal(err)
		}
	}
}
