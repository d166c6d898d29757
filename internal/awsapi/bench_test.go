package awsapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/wire"
)

// invoker is a Lambda whose functions answer with their event.
type invoker struct{}

func (invoker) Invoke(_ context.Context, in *lambdaapi.InvocationRequest) (*lambdaapi.InvocationResponse, error) {
	return &lambdaapi.InvocationResponse{StatusCode: wire.Ptr(int64(200)), Payload: in.Payload}, nil
}

// oneKey is an IAM with one access key.
type oneKey struct{ id, secret string }

func (k oneKey) Lookup(id string) *wire.Principal {
	if id != k.id {
		return nil
	}
	return &wire.Principal{Account: "123456789012", ARN: "arn:aws:iam::123456789012:root", UserID: "123456789012", Secret: k.secret}
}

func (oneKey) Authorize(context.Context, *wire.Caller, wire.IAMTarget) string { return "" }

// discard is a ResponseWriter that keeps its headers, as net/http's does
// within a connection, and nothing else.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkInvoke is what the front end adds to an invocation through
// Lambda's API: everything but HTTP and the function.
func BenchmarkInvoke(b *testing.B) {
	key := oneKey{"AKIAIOSFODNN7EXAMPLE", "secret"}
	h, err := New(Config{
		Services: []Registration{{&lambdaapi.Service, invoker{}}},
		Keys:     key, Authorizer: key, Log: slog.New(slog.DiscardHandler), Clock: clock.System{}, StrictCredentials: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	event := []byte(`{"id": "42", "stage": "production"}`)
	r := httptest.NewRequest(http.MethodPost, "http://localhost:4566/2015-03-31/functions/example/invocations", nil)
	sum := sha256.Sum256(event)
	err = v4.NewSigner().SignHTTP(b.Context(), aws.Credentials{AccessKeyID: key.id, SecretAccessKey: key.secret}, r,
		hex.EncodeToString(sum[:]), "lambda", "us-east-1", time.Now())
	if err != nil {
		b.Fatal(err)
	}
	r.ContentLength = int64(len(event))
	body := bytes.NewReader(event)
	r.Body = io.NopCloser(body)
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(event)
		clear(w.header)
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			b.Fatal(w.status)
		}
	}
}
