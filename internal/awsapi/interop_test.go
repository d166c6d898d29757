package awsapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"reflect"
	"sync"
	"testing"
	"time"

	wirejson "github.com/go-json-experiment/json"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/api/stsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// models are all generated operation tables.
var models = map[string]*wire.ServiceModel{
	"acm": &acmapi.Service, "apigateway": &apigatewayapi.Service, "dynamodb": &dynamodbapi.Service,
	"iam": &iamapi.Service, "lambda": &lambdaapi.Service, "logs": &logsapi.Service,
	"route53": &route53api.Service, "s3": &s3api.Service, "sts": &stsapi.Service,
}

// python returns an interpreter that has botocore, or skips the test.
func python(t *testing.T) string {
	t.Helper()
	name := findPython()
	if name == "" {
		t.Skip("no python with botocore is installed")
	}
	return name
}

var findPython = sync.OnceValue(func() string {
	for _, name := range []string{"python3", "python3.11", "python3.12", "python3.13", "python3.14"} {
		if exec.Command(name, "-c", "import botocore.serialize").Run() == nil {
			return name
		}
	}
	return ""
})

func peer(t *testing.T, input []byte, args ...string) [][]byte {
	t.Helper()
	cmd := exec.Command(python(t), append([]string{"testdata/peer.py"}, args...)...)
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("botocore peer: %v\n%s", err, stderr.Bytes())
	}
	return bytes.Split(bytes.TrimSpace(out), []byte("\n"))
}

// peerRequest is a request as botocore sends it.
type peerRequest struct {
	Service, Operation, Method, URL string
	Headers                         map[string]string
	Body                            []byte
	Params                          map[string]any
}

// twins are operations that share their address with another one; nothing in
// a request tells them apart, but that only one of them is built.
var twins = map[string]string{
	"GetBucketLifecycle":    "GetBucketLifecycleConfiguration",
	"PutBucketLifecycle":    "PutBucketLifecycleConfiguration",
	"GetBucketNotification": "GetBucketNotificationConfiguration",
	"PutBucketNotification": "PutBucketNotificationConfiguration",
	"ListBuckets": "ListDirectoryBuckets", // at another host
}

// TestRequestsOfBotocore decodes what AWS's own Python client sends for every
// operation of every service: with all members, with the required ones, and
// with some of them.
func TestRequestsOfBotocore(t *testing.T) {
	t.Parallel()
	for name, model := range models {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := map[string]bool{}
			for _, line := range peer(t, nil, "serialize", name) {
				var req peerRequest
				if err := json.Unmarshal(line, &req); err != nil {
					t.Fatal(err)
				}
				seen[req.Operation] = true
				checkRequest(t, model, &req)
			}
			for i := range model.Operations {
				if op := &model.Operations[i]; !seen[op.Name] {
					t.Logf("botocore's model has no %s", op.Name)
				}
			}
			if len(seen) < len(model.Operations)*9/10 {
				t.Errorf("only %d of %d operations were tried", len(seen), len(model.Operations))
			}
		})
	}
}

func checkRequest(t *testing.T, model *wire.ServiceModel, req *peerRequest) {
	t.Helper()
	want := model.Operation(req.Operation)
	if want == nil {
		return // newer than our models
	}
	protocol := profiles[model.Name].protocol
	r, err := http.NewRequest(req.Method, req.URL, nil)
	if err != nil {
		t.Errorf("%s: %v", req.Operation, err)
		return
	}
	for k, v := range req.Headers {
		r.Header.Set(k, v)
	}
	wr := &wire.Request{Request: r, Body: req.Body}
	op, opErr := protocol.Identify(model, wr, func(*wire.Operation) bool { return true })
	if opErr != nil {
		t.Errorf("%s: %s %s: %v", req.Operation, req.Method, req.URL, opErr)
		return
	}
	if op != want && twins[want.Name] != op.Name {
		t.Errorf("%s %s is %s, identified as %s", req.Method, req.URL, want.Name, op.Name)
		return
	}
	if want.NewInput == nil || op != want {
		return
	}
	in := want.NewInput()
	if err := protocol.Decode(model, want, wr, in); err != nil {
		t.Errorf("%s: %v\n%s %s\n%s", req.Operation, err, req.Method, req.URL, req.Body)
		return
	}
	got := roundTrip(t, normal(t, model.Schema, want.Input, reflect.ValueOf(in))).(map[string]any)
	dropUnspoken(model.Schema.Shape(want.Input), got, req.Params)
	if diff := difference("", got, req.Params); diff != "" {
		t.Errorf("%s: %s\n%s %s %v\n%.2000s", req.Operation, diff, req.Method, req.URL, req.Headers, req.Body)
	}
}

// dropUnspoken removes what HTTP can't say: an empty body is an absent payload
// and an empty one, and each body has a length.
func dropUnspoken(shape *wire.Shape, got, want map[string]any) {
	if _, ok := want["ContentLength"]; !ok {
		delete(got, "ContentLength")
	}
	if shape.Payload < 0 {
		return
	}
	name := shape.Members[shape.Payload].Name
	for _, side := range []map[string]any{got, want} {
		if empty, ok := side[name].(map[string]any); side[name] == "" || ok && len(empty) == 0 {
			delete(side, name)
		}
	}
}

// normal spells a Go value as the peer spells its own.
func normal(t *testing.T, s *wire.Schema, id wire.ShapeID, rv reflect.Value) any {
	t.Helper()
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	shape := s.Shape(id)
	switch shape.Kind {
	case wire.External:
		text, err := wirejson.Marshal(rv.Interface())
		if err != nil {
			t.Fatal(err)
		}
		return json.RawMessage(text)
	case wire.Structure:
		out := map[string]any{}
		for i := range shape.Members {
			if f := rv.Field(i); !f.IsNil() {
				out[shape.Members[i].Name] = normal(t, s, shape.Members[i].Shape, f)
			}
		}
		return out
	case wire.List:
		out := []any{}
		for i := range rv.Len() {
			out = append(out, normal(t, s, shape.Element.Shape, rv.Index(i)))
		}
		return out
	case wire.Map:
		out := map[string]any{}
		for it := rv.MapRange(); it.Next(); {
			out[it.Key().String()] = normal(t, s, shape.Value.Shape, it.Value())
		}
		return out
	case wire.Timestamp:
		return rv.Interface().(time.Time).UnixMilli()
	}
	return rv.Interface()
}

func roundTrip(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// difference names the first place where two JSON trees differ.
func difference(path string, got, want any) string {
	gotMap, ok1 := got.(map[string]any)
	wantMap, ok2 := want.(map[string]any)
	if ok1 && ok2 {
		for k := range wantMap {
			if _, ok := gotMap[k]; !ok {
				return fmt.Sprintf("%s.%s is missing, want %v", path, k, wantMap[k])
			}
		}
		for k := range gotMap {
			if _, ok := wantMap[k]; !ok {
				return fmt.Sprintf("%s.%s = %v, want none", path, k, gotMap[k])
			}
			if d := difference(path+"."+k, gotMap[k], wantMap[k]); d != "" {
				return d
			}
		}
		return ""
	}
	gotList, ok1 := got.([]any)
	wantList, ok2 := want.([]any)
	if ok1 && ok2 && len(gotList) == len(wantList) {
		for i := range gotList {
			if d := difference(fmt.Sprintf("%s[%d]", path, i), gotList[i], wantList[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("%s = %#v, want %#v", path, got, want)
	}
	return ""
}

