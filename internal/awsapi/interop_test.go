package awsapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	wirejson "github.com/go-json-experiment/json"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/api/dynamodbstreamsapi"
	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/api/stsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// models are all generated operation tables.
var models = map[string]*wire.ServiceModel{
	"acm": &acmapi.Service, "apigateway": &apigatewayapi.Service, "apigatewayv2": &apigatewayv2api.Service, "cloudwatch": &cloudwatchapi.Service,
	"dynamodb": &dynamodbapi.Service, "dynamodbstreams": &dynamodbstreamsapi.Service, "ecr": &ecrapi.Service, "events": &eventsapi.Service,
	"iam": &iamapi.Service, "lambda": &lambdaapi.Service, "logs": &logsapi.Service,
	"route53": &route53api.Service, "s3": &s3api.Service, "sns": &snsapi.Service, "sqs": &sqsapi.Service, "sts": &stsapi.Service,
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
	"ListBuckets":           "ListDirectoryBuckets", // at another host
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
// and an empty one, each body has a length and a type, and no header is an
// empty map.
func dropUnspoken(shape *wire.Shape, got, want map[string]any) {
	if _, ok := want["ContentLength"]; !ok {
		delete(got, "ContentLength")
	}
	for _, m := range shape.Members {
		if m.Wire == "Content-Type" && want[m.Name] == nil {
			delete(got, m.Name)
		}
		if headers, ok := got[m.Name].(map[string]any); ok && m.Location == wire.InHeaders && len(headers) == 0 {
			delete(got, m.Name)
		}
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

// TestAddresses pins requests whose operation or members are easily mistaken.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		service, method, target string
		header                  string // "Name: value"
		operation               string
		labels                  map[string]string
	}{
		{"s3", "PUT", "/b/k", "", "PutObject", map[string]string{"Bucket": "b", "Key": "k"}},
		{"s3", "PUT", "/b/k?uploadId=u&partNumber=1", "", "UploadPart", map[string]string{"Bucket": "b", "Key": "k"}},
		{"s3", "PUT", "/b/k", "X-Amz-Copy-Source: a/b", "CopyObject", map[string]string{"Bucket": "b", "Key": "k"}},
		{"s3", "PUT", "/b/k?uploadId=u&partNumber=1", "X-Amz-Copy-Source: a/b", "UploadPartCopy", nil},
		{"s3", "PUT", "/b", "", "CreateBucket", map[string]string{"Bucket": "b"}},
		{"s3", "PUT", "/b/", "", "CreateBucket", map[string]string{"Bucket": "b"}},
		{"s3", "GET", "/b/", "", "ListObjects", nil},
		{"s3", "GET", "/b?list-type=2", "", "ListObjectsV2", nil},
		{"s3", "GET", "/b?lifecycle", "", "GetBucketLifecycleConfiguration", nil},
		{"s3", "PUT", "/b?lifecycle", "", "PutBucketLifecycleConfiguration", nil},
		{"s3", "GET", "/b/k?tagging", "", "GetObjectTagging", nil},
		{"s3", "GET", "/b?tagging", "", "GetBucketTagging", nil},
		{"s3", "GET", "/b//a//c/", "", "GetObject", map[string]string{"Bucket": "b", "Key": "/a//c/"}},
		{"s3", "GET", "/b/a%2Fb%2520c", "", "GetObject", map[string]string{"Bucket": "b", "Key": "a/b%20c"}},
		{"s3", "POST", "/b?delete", "", "DeleteObjects", nil},
		{"s3", "POST", "/b/k?uploads", "", "CreateMultipartUpload", nil},
		{"s3", "DELETE", "/b/k?uploadId=u", "", "AbortMultipartUpload", nil},
		{"s3", "HEAD", "/b", "", "HeadBucket", nil},
		{
			"lambda", "GET", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af/policy", "",
			"GetPolicy", map[string]string{"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:f"},
		},
		{
			"lambda", "GET", "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aa%2Fb", "",
			"ListTags", map[string]string{"Resource": "arn:aws:lambda:us-east-1:000000000000:function:a/b"},
		},
		{"lambda", "GET", "/2015-03-31/functions/", "", "ListFunctions", nil},
		{"lambda", "GET", "/2015-03-31/functions", "", "ListFunctions", nil},
		{"lambda", "GET", "/2018-10-31/layers?find=LayerVersion&Arn=x", "", "GetLayerVersionByArn", nil},
		{"lambda", "GET", "/2018-10-31/layers", "", "ListLayers", nil},
		{"lambda", "GET", "/2019-09-30/functions/f/provisioned-concurrency?List=ALL", "", "ListProvisionedConcurrencyConfigs", nil},
		{"lambda", "GET", "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1", "", "GetProvisionedConcurrencyConfig", nil},
		{"apigateway", "POST", "/restapis?mode=import", "", "ImportRestApi", nil},
		{"apigateway", "POST", "/restapis", "", "CreateRestApi", nil},
		{"apigateway", "POST", "/apikeys?mode=import&format=csv", "", "ImportApiKeys", nil},
		{"apigateway", "POST", "/apikeys", "", "CreateApiKey", nil},
		{
			"apigateway", "GET", "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fabc", "",
			"GetTags", map[string]string{"resource_arn": "arn:aws:apigateway:us-east-1::/restapis/abc"},
		},
		{
			"apigateway", "PUT", "/restapis/a/gatewayresponses/DEFAULT_4XX", "",
			"PutGatewayResponse", map[string]string{"restapi_id": "a", "response_type": "DEFAULT_4XX"},
		},
		{"route53", "POST", "/2013-04-01/hostedzone/Z1/rrset", "", "ChangeResourceRecordSets", map[string]string{"Id": "Z1"}},
		{"route53", "POST", "/2013-04-01/hostedzone/Z1/rrset/", "", "ChangeResourceRecordSets", map[string]string{"Id": "Z1"}},
		{"route53", "GET", "/2013-04-01/change/C1", "", "GetChange", map[string]string{"Id": "C1"}},
		{"apigateway", "GET", "/restapis/%zz", "", "", nil},
		{"apigateway", "GET", "/restapis//resources", "", "", nil},
		{"apigateway", "PATCH", "/restapis", "", "", nil},
	} {
		t.Run(tt.service+" "+tt.method+" "+tt.target, func(t *testing.T) {
			t.Parallel()
			model := models[tt.service]
			r := &http.Request{Method: tt.method, Header: http.Header{}, URL: &url.URL{}}
			path, query, _ := strings.Cut(tt.target, "?")
			r.URL.RawQuery = query
			r.URL.RawPath = path
			if plain, err := url.PathUnescape(path); err == nil {
				r.URL.Path = plain
			}
			if name, value, ok := strings.Cut(tt.header, ": "); ok {
				r.Header.Set(name, value)
			}
			wr := &wire.Request{Request: r}
			op, err := profiles[tt.service].protocol.Identify(model, wr, func(*wire.Operation) bool { return true })
			if tt.operation == "" {
				if op != nil || err == nil {
					t.Fatalf("identified as %v", op.Name)
				}
				return
			}
			if err != nil || op.Name != tt.operation {
				t.Fatalf("identified as %v, %v; want %s", op, err, tt.operation)
			}
			for name, want := range tt.labels {
				if got, _ := wr.Labels.Get(name); got != want {
					t.Errorf("label %s = %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestTwins lets what is built decide between operations at one address.
func TestTwins(t *testing.T) {
	t.Parallel()
	r := &http.Request{Method: http.MethodGet, Header: http.Header{}, URL: &url.URL{Path: "/"}}
	op, err := profiles["s3"].protocol.Identify(models["s3"], &wire.Request{Request: r},
		func(op *wire.Operation) bool { return op.Name == "ListBuckets" })
	if err != nil || op.Name != "ListBuckets" {
		t.Errorf("GET / with only ListBuckets built is %v, %v", op, err)
	}
}

// TestBucketLocation pins the answer that is shaped unlike its model.
func TestBucketLocation(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"eu-west-1": `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>`,
		"":          `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`,
	} {
		res, err := profiles["s3"].protocol.Encode(models["s3"], models["s3"].Operation("GetBucketLocation"),
			&s3api.GetBucketLocationOutput{LocationConstraint: &region}, testRequestID)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(string(res.Body), want) {
			t.Errorf("answer is %s, want %s", res.Body, want)
		}
	}
}
