package client_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/awsjson"
	"github.com/butai-dev/butai/internal/wire/awsquery"
	"github.com/butai-dev/butai/internal/wire/client"
	"github.com/butai-dev/butai/internal/wire/restjson"
)

// TestCall sends a request of each protocol to the server's own half of it:
// the input must arrive as it was, and so must the answer.
func TestCall(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		model         *wire.ServiceModel
		protocol      wire.Protocol
		operation     string
		in, out, into any
	}{
		"rest-json": {
			&lambdaapi.Service, restjson.Protocol{}, "AddPermission",
			&lambdaapi.AddPermissionRequest{FunctionName: wire.Ptr("arn:aws:lambda:us-east-1:000000000000:function:f"),
				Qualifier: wire.Ptr("$LATEST"), StatementId: wire.Ptr("s 1"), Action: wire.Ptr("lambda:InvokeFunction"), Principal: wire.Ptr("*")},
			&lambdaapi.AddPermissionResponse{Statement: wire.Ptr(`{"Sid":"s"}`)}, &lambdaapi.AddPermissionResponse{},
		},
		"json": {
			&dynamodbapi.Service, awsjson.Protocol{CRC32: true}, "ListTables",
			&dynamodbapi.ListTablesInput{Limit: wire.Ptr(int64(7))},
			&dynamodbapi.ListTablesOutput{TableNames: []string{"a", "b"}}, &dynamodbapi.ListTablesOutput{},
		},
		"query": {
			&iamapi.Service, awsquery.Protocol{}, "CreateUser",
			&iamapi.CreateUserRequest{UserName: wire.Ptr("ada & bob"), Tags: []iamapi.Tag{{Key: wire.Ptr("k"), Value: wire.Ptr("ü")}}},
			&iamapi.CreateUserResponse{User: &iamapi.User{UserName: wire.Ptr("ada"), CreateDate: wire.Ptr(time.Unix(1e9, 0).UTC())}}, &iamapi.CreateUserResponse{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(server(t, tt.model, tt.protocol, tt.operation, tt.in, tt.out))
			defer srv.Close()
			c := &client.Client{Endpoint: srv.URL, Region: "us-east-1", Clock: clock.System{}, Credentials: sigv4.Credentials{AccessKeyID: "k", SecretAccessKey: "s"}}
			if err := c.Call(t.Context(), tt.model, tt.operation, tt.in, tt.into); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.out, tt.into); diff != "" {
				t.Errorf("the answer differs (-sent +read):\n%s", diff)
			}
		})
	}
}

// server decodes one request, compares it and answers out.
func server(t *testing.T, m *wire.ServiceModel, p wire.Protocol, operation string, want, out any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := &wire.Request{Request: r}
		req.Body, _ = io.ReadAll(r.Body)
		op, identifyErr := p.Identify(m, req, func(*wire.Operation) bool { return true })
		if identifyErr != nil || op.Name != operation {
			t.Errorf("identified %v (%v), want %s", op, identifyErr, operation)
			return
		}
		in := op.NewInput()
		if err := p.Decode(m, op, req, in); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, in); diff != "" {
			t.Errorf("the input differs (-sent +arrived):\n%s", diff)
		}
		res, err := p.Encode(m, op, out, "id")
		if err != nil {
			t.Error(err)
			return
		}
		w.WriteHeader(res.Status)
		_, _ = w.Write(res.Body)
	})
}

func TestCallReportsTheErrorOfEachProtocol(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		model     *wire.ServiceModel
		protocol  wire.Protocol
		operation string
		in        any
	}{
		"rest-json": {&lambdaapi.Service, restjson.Protocol{}, "GetFunction", &lambdaapi.GetFunctionRequest{FunctionName: wire.Ptr("f")}},
		"json":      {&dynamodbapi.Service, awsjson.Protocol{}, "ListTables", &dynamodbapi.ListTablesInput{}},
		"query":     {&iamapi.Service, awsquery.Protocol{}, "GetUser", &iamapi.GetUserRequest{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				res := tt.protocol.EncodeError(tt.model, wire.Errorf("Nope", "not <today>"), "id")
				maps.Copy(w.Header(), res.Header)
				w.WriteHeader(res.Status)
				_, _ = w.Write(res.Body)
			}))
			defer srv.Close()
			c := &client.Client{Endpoint: srv.URL, Region: "us-east-1", Clock: clock.System{}, Credentials: sigv4.Credentials{AccessKeyID: "k", SecretAccessKey: "s"}}
			err := c.Call(t.Context(), tt.model, tt.operation, tt.in, nil)
			if diff := cmp.Diff(&client.Error{Status: 400, Code: "Nope", Message: "not <today>"}, err); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestErrorsForPeople holds the two mistakes everybody makes to a sentence
// that can be acted on.
func TestErrorsForPeople(t *testing.T) {
	t.Parallel()
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message": "No such page."}`)
	}))
	c := &client.Client{Endpoint: pages.URL, Region: "us-east-1", Clock: clock.System{},
		Credentials: sigv4.Credentials{AccessKeyID: "000000000000", SecretAccessKey: "x"}}
	var out any
	if err := c.Get(t.Context(), "/page", &out); err == nil || err.Error() != "No such page." {
		t.Errorf("a page's error: %v", err)
	}
	pages.Close()
	want := "nothing answers at " + pages.URL + ": start butai serve, or set AWS_ENDPOINT_URL to where it listens"
	if err := c.Get(t.Context(), "/page", &out); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("no server: %v", err)
	}
}
