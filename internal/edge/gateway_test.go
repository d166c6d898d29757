package edge_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/edge"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/wire"
)

// echo is a function that returns its event.
type echo struct{}

func (echo) InvokeFunction(_ context.Context, call *gateway.FunctionCall) (*gateway.FunctionResult, error) {
	return &gateway.FunctionResult{Status: 200, Payload: call.Payload}, nil
}

type noLogs struct{}

func (noLogs) Put(_, _, _, _ string, _ []gateway.LogEvent) {}

// serve starts the front door with one API and a custom domain behind it.
func serve(t *testing.T) string {
	t.Helper()
	g := gateway.New(gateway.Config{Functions: echo{}, Logs: noLogs{}, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)})
	method := apigatewayapi.Method{
		AuthorizationType: wire.Ptr("NONE"),
		MethodResponses:   map[string]apigatewayapi.MethodResponse{"200": {}},
		MethodIntegration: &apigatewayapi.Integration{
			Type: wire.Ptr("AWS"), HttpMethod: wire.Ptr("POST"),
			Uri:                  wire.Ptr("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f:live/invocations"),
			RequestTemplates:     map[string]string{"application/json": `{"id": "$input.params('id')", "tenant": "$input.params('x-tenant')", "host": "$context.domainName"}`},
			IntegrationResponses: map[string]apigatewayapi.IntegrationResponse{"200": {}},
		},
	}
	err := g.PublishStage(&gateway.Stage{
		Account: "000000000000", Region: "us-east-1", APIID: "abcdefghij",
		Stage: &apigatewayapi.Stage{StageName: wire.Ptr("prod")},
		Deployment: &gateway.Deployment{ID: "d", Resources: []apigatewayapi.Resource{{
			Path: wire.Ptr("/user/{id}"), ResourceMethods: map[string]apigatewayapi.Method{"GET": method}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	g.PublishDomain(&gateway.DomainName{Region: "us-east-1", Name: "api.example.com", Mappings: []apigatewayapi.BasePathMapping{
		{BasePath: wire.Ptr("v1"), RestApiId: wire.Ptr("abcdefghij"), Stage: wire.Ptr("prod")}}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: edge.New(edge.Config{API: http.NotFoundHandler(), Gateway: g})}
	go srv.Serve(edge.Listener(srv, l))
	t.Cleanup(func() { srv.Close() })
	return l.Addr().String()
}

// TestInvocationURLs asks the same method by every form of address.
func TestInvocationURLs(t *testing.T) {
	t.Parallel()
	addr := serve(t)
	for _, tt := range []struct{ host, path, domain string }{
		{"abcdefghij.execute-api.us-east-1.amazonaws.com", "/prod/user/7", "abcdefghij.execute-api.us-east-1.amazonaws.com"},
		{"abcdefghij.execute-api.localhost:4566", "/prod/user/7", "abcdefghij.execute-api.localhost"},
		{"localhost:4566", "/_aws/execute-api/abcdefghij/prod/user/7", "abcdefghij.execute-api.us-east-1.amazonaws.com"},
		{"localhost:4566", "/restapis/abcdefghij/prod/_user_request_/user/7", "abcdefghij.execute-api.us-east-1.amazonaws.com"},
		{"api.example.com:4566", "/v1/user/7", "api.example.com"},
	} {
		r, _ := http.NewRequest("GET", "http://"+addr+tt.path, nil)
		r.Host = tt.host
		r.Header["x-tenant"] = []string{"t1"}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		want := `{"id": "7", "tenant": "t1", "host": "` + tt.domain + `"}`
		if res.StatusCode != 200 || string(body) != want {
			t.Errorf("%s%s: %d %s, want %s", tt.host, tt.path, res.StatusCode, body, want)
		}
	}
}

// TestHeaderSpelling reads answers off the wire, where names are seen as they
// are sent.
func TestHeaderSpelling(t *testing.T) {
	t.Parallel()
	conn, err := net.Dial("tcp", serve(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for path, want := range map[string]string{
		"/prod/user/1": "Connection Content-Length Content-Type Date X-Amzn-Trace-Id x-amz-apigw-id x-amzn-RequestId",
		"/prod/none":   "Connection Content-Length Content-Type Date x-amz-apigw-id x-amzn-ErrorType x-amzn-RequestId",
	} {
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: abcdefghij.execute-api.us-east-1.amazonaws.com\r\n\r\n", path)
		names, length := readHead(t, in)
		if _, err := in.Discard(length); err != nil {
			t.Fatal(err)
		}
		slices.Sort(names)
		if diff := cmp.Diff(want, strings.Join(names, " ")); diff != "" {
			t.Errorf("%s: -want +got\n%s", path, diff)
		}
	}
}

// TestConnectionHeader: answers say whether the connection stays, as recorded.
func TestConnectionHeader(t *testing.T) {
	t.Parallel()
	addr := serve(t)
	for _, tt := range []struct{ protocol, sent, want string }{
		{"HTTP/1.1", "", "keep-alive"}, {"HTTP/1.1", "Connection: close\r\n", "close"},
		{"HTTP/1.0", "Connection: keep-alive\r\n", "keep-alive"}, {"HTTP/1.0", "", ""},
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET /prod/user/1 %s\r\nHost: abcdefghij.execute-api.us-east-1.amazonaws.com\r\n%s\r\n", tt.protocol, tt.sent)
		got, in := "", bufio.NewReader(conn)
		for line := "-"; line != "\r\n"; {
			if line, err = in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if value, ok := strings.CutPrefix(line, "Connection: "); ok {
				got = strings.TrimSpace(value)
			}
		}
		if got != tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.protocol, tt.sent, got, tt.want)
		}
		conn.Close()
	}
}

func readHead(t *testing.T, in *bufio.Reader) (names []string, length int) {
	t.Helper()
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			return names, length
		}
		if name, value, ok := strings.Cut(line, ": "); ok {
			names = append(names, name)
			if name == "Content-Length" {
				fmt.Sscan(value, &length)
			}
		}
	}
}
