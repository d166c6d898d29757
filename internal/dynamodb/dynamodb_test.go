package dynamodb_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/dynamodb"
	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

// server is the service behind the real front end, over a real store.
type server struct {
	t       testing.TB
	url     string
	clock   *clock.Fake
	service *dynamodb.Service
	allow   func(wire.IAMTarget) bool // nil allows everything
}

type noKeys struct{}

func (noKeys) Lookup(id string) *wire.Principal {
	if id == "AKIAUSER" {
		return &wire.Principal{Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/u", UserID: "AIDAU", UserName: "u", Secret: "secret"}
	}
	return nil
}

// Authorize implements awsapi.Authorizer.
func (s *server) Authorize(_ context.Context, _ *wire.Caller, target wire.IAMTarget) string {
	if s.allow == nil || s.allow(target) {
		return ""
	}
	return "denied " + target.Action + " on " + target.Resource
}

func start(t testing.TB) *server {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	// Fake but not far from the truth: signatures carry the real time.
	s := &server{t: t, clock: clock.NewFake(time.Now())}
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s.service = dynamodb.New(dynamodb.Config{Store: st, Clock: s.clock, Log: log})
	h, err := awsapi.New(awsapi.Config{
		Services: []awsapi.Registration{{Model: &dynamodbapi.Service, Service: s.service}},
		Keys:     noKeys{}, Authorizer: s, Log: log, Clock: clock.System{},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

// run starts the background work for the rest of the test.
func (s *server) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.service.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// root signs as an account's root user.
var root = sigv4.Credentials{AccessKeyID: "111122223333", SecretAccessKey: "x"}

// call sends a signed request and returns status and body.
func (s *server) call(op, body string) (int, string) { return s.callAs(root, op, body) }

func (s *server) callAs(who sigv4.Credentials, op, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+op)
	if err := sigv4.Sign(s.t.Context(), req, []byte(body), who, "dynamodb", "eu-west-1", time.Now()); err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(out)
}

// ok calls and requires success.
func (s *server) ok(op, body string) string {
	s.t.Helper()
	status, out := s.call(op, body)
	if status != http.StatusOK {
		s.t.Fatalf("%s %s\n%d %s", op, body, status, out)
	}
	return out
}

// gives calls and requires an answer that equals want as JSON.
func (s *server) gives(op, body, want string) {
	s.t.Helper()
	if got := s.ok(op, body); !sameJSON(s.t, got, want) {
		s.t.Errorf("%s %s\n got %s\nwant %s", op, body, got, want)
	}
}

// fails calls and requires an error of this code and message.
func (s *server) fails(op, body, code, message string) {
	s.t.Helper()
	status, out := s.call(op, body)
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		s.t.Fatalf("%s: %v", out, err)
	}
	_, got, _ := strings.Cut(e.Type, "#")
	if status != http.StatusBadRequest || got != code || e.Message != message {
		s.t.Errorf("%s %.200s\n got %d %s: %s\nwant 400 %s: %s", op, body, status, got, e.Message, code, message)
	}
}

func sameJSON(t testing.TB, a, b string) bool {
	t.Helper()
	norm := func(s string) string {
		var v any
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	return norm(a) == norm(b)
}

// table makes an on-demand table pk (S), sk (N) with a global index gsi on
// g (S), sk and a local index lsi on l (S).
func (s *server) table() {
	s.t.Helper()
	s.ok("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"l","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"GlobalSecondaryIndexes":[{"IndexName":"gsi","KeySchema":[{"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["v"]}}],
		"LocalSecondaryIndexes":[{"IndexName":"lsi","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"l","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}]}`)
}

// simple makes a table "one" with the key id (S).
func (s *server) simple() {
	s.t.Helper()
	s.ok("CreateTable", `{"TableName":"one","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`)
}
