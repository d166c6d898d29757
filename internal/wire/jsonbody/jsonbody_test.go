package jsonbody_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/jsonbody"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		want lambdaapi.CreateFunctionRequest
	}{
		"members":             {`{"FunctionName":"f","Timeout":3}`, lambdaapi.CreateFunctionRequest{FunctionName: wire.Ptr("f"), Timeout: wire.Ptr(int64(3))}},
		"null is absent":      {`{"FunctionName":null,"Timeout":null}`, lambdaapi.CreateFunctionRequest{}},
		"unknown":             {`{"What":{"a":[1,{}]},"Timeout":3}`, lambdaapi.CreateFunctionRequest{Timeout: wire.Ptr(int64(3))}},
		"decimals are cut":    {`{"Timeout":3.9}`, lambdaapi.CreateFunctionRequest{Timeout: wire.Ptr(int64(3))}},
		"exponents":           {`{"Timeout":3e2}`, lambdaapi.CreateFunctionRequest{Timeout: wire.Ptr(int64(300))}},
		"the last one counts": {`{"Timeout":1,"Timeout":2}`, lambdaapi.CreateFunctionRequest{Timeout: wire.Ptr(int64(2))}},
		"empty collections":   {`{"Layers":[],"Tags":{}}`, lambdaapi.CreateFunctionRequest{Layers: []string{}, Tags: map[string]string{}}},
		"bytes":               {`{"Code":{"ZipFile":"AAE="}}`, lambdaapi.CreateFunctionRequest{Code: &lambdaapi.FunctionCode{ZipFile: []byte{0, 1}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got lambdaapi.CreateFunctionRequest
			if err := decode([]byte(tt.body), &got, jsonbody.Coral); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s reads as %+v, want %+v", tt.body, got, tt.want)
			}
		})
	}
}

func decode(body []byte, in *lambdaapi.CreateFunctionRequest, style jsonbody.Style) error {
	return jsonbody.Decode(lambdaapi.Service.Schema, lambdaapi.Service.Operation("CreateFunction").Input, body, in, style)
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct{ coral, javaClass string }{
		`{"FunctionName":1}`:                {"NUMBER_VALUE cannot be converted to String", "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"},
		`{"FunctionName":1.5}`:              {"DECIMAL_VALUE cannot be converted to String", "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"},
		`{"FunctionName":true}`:             {"TRUE_VALUE cannot be converted to String", "class java.lang.Boolean can not be converted to an String"},
		`{"Timeout":"x"}`:                   {"STRING_VALUE cannot be converted to Integer", "class java.lang.String can not be converted to an Integer"},
		`{"Timeout":3000000000}`:            {"NUMBER_VALUE cannot be converted to Integer", "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an Integer"},
		`{"Timeout":1e300}`:                 {"DECIMAL_VALUE cannot be converted to Integer", "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an Integer"},
		`{"FunctionName":{}}`:               {"Start of structure or map found where not expected.", "Start of structure or map found where not expected."},
		`{"FunctionName":[]}`:               {"Start of list found where not expected", "Start of list found where not expected"},
		`{"Layers":{}}`:                     {"Start of structure or map found where not expected.", "Start of structure or map found where not expected."},
		`{"Code":"x"}`:                      {"Unexpected field type", "Unexpected field type"},
		`{"Code":{"ZipFile":"not base64"}}`: {"Invalid base64 in blob member", "Invalid base64 in blob member"},
		`{`:                                 {},
		`{"a":1,}`:                          {},
		`{} {}`:                             {},
		``:                                  {},
		`{"FunctionName":"a`:                {},
		`{"Layers":["a"`:                    {},
	} {
		for style, text := range map[jsonbody.Style]string{jsonbody.Coral: want.coral, jsonbody.JavaClass: want.javaClass} {
			err := decode([]byte(body), &lambdaapi.CreateFunctionRequest{}, style)
			var serialization *wire.SerializationError
			if !errors.As(err, &serialization) || serialization.Message != text {
				t.Errorf("%s in style %d: %v, want %q", body, style, err, text)
			}
		}
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_700_000_000_250)
	for _, tt := range []struct {
		schema *wire.Schema
		id     wire.ShapeID
		in     any
		want   string
	}{
		{apigatewayapi.Service.Schema, apigatewayapi.Service.Operation("CreateStage").Output,
			&apigatewayapi.Stage{StageName: wire.Ptr("s"), CacheClusterEnabled: wire.Ptr(false), CreatedDate: &at, Variables: map[string]string{"b": "2", "a": "<&\u2028>"}},
			`{"stageName":"s","cacheClusterEnabled":false,"variables":{"a":"<&` + "\u2028" + `>","b":"2"},"createdDate":1700000000.250}`},
		{apigatewayapi.Service.Schema, apigatewayapi.Service.Operation("GetAccount").Output,
			&apigatewayapi.Account{ThrottleSettings: &apigatewayapi.ThrottleSettings{RateLimit: wire.Ptr(10000.0), BurstLimit: wire.Ptr(int64(5000))}},
			`{"throttleSettings":{"burstLimit":5000,"rateLimit":10000.0}}`},
		{acmapi.Service.Schema, acmapi.Service.Operation("ListCertificates").Output,
			&acmapi.ListCertificatesResponse{CertificateSummaryList: []acmapi.CertificateSummary{}}, `{"CertificateSummaryList":[]}`},
	} {
		got, err := jsonbody.Encode(tt.schema, tt.id, tt.in)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s, %v\nwant %s", got, err, tt.want)
		}
	}
}

// FuzzDecode: whatever can be read is written so that it reads the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"FunctionName":"f","Code":{"ZipFile":"AAE="},"Environment":{"Variables":{"a":"b"}},"Timeout":3,"Publish":true}`))
	f.Add([]byte(`{"Layers":["a",null],"Tags":{"a":null}}`))
	f.Add([]byte(`{"Timeout":1e2,"Code":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var first, second lambdaapi.CreateFunctionRequest
		if decode(body, &first, jsonbody.Coral) != nil {
			return
		}
		id := lambdaapi.Service.Operation("CreateFunction").Input
		text, err := jsonbody.Encode(lambdaapi.Service.Schema, id, &first)
		if err != nil {
			t.Fatal(err)
		}
		if err := decode(text, &second, jsonbody.Coral); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := jsonbody.Encode(lambdaapi.Service.Schema, id, &second)
		if err != nil || !bytes.Equal(text, again) {
			t.Errorf("%s\nbecame %s, %v", text, again, err)
		}
	})
}
