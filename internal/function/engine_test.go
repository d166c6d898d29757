package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/function/sandbox"
	"github.com/butai-dev/butai/internal/ident"
)

func TestMain(m *testing.M) {
	if filepath.Dir(os.Args[0]) == "/opt/extensions" {
		extensionClient(filepath.Base(os.Args[0]))
	}
	if os.Getenv("BUTAI_TEST_RUNTIME") != "" {
		runtimeClient()
	}
	if dir := os.Getenv("BUTAI_TEST_SERVER"); dir != "" {
		sleepingServer(dir)
	}
	os.Exit(m.Run())
}

// sleepingServer is a server in the midst of a call, for a test that kills it.
func sleepingServer(dir string) {
	set, err := runtimes.Discover(context.Background(), nil)
	if err != nil {
		panic(err)
	}
	e, err := New(Config{Dir: filepath.Join(dir, "engine"), Logger: slog.Default(), Clock: clock.System{}, Runtimes: set, Isolation: usualIsolation})
	if err != nil {
		panic(err)
	}
	_, err = e.Invoke(context.Background(), &Spec{
		ID: "1", Runtime: "python3.11", Handler: "main.handler", CodeDir: filepath.Join(dir, "code"),
		MemoryMB: 128, EphemeralMB: 64, Timeout: time.Minute, Concurrency: -1,
	}, &Request{Payload: []byte(`"` + os.Getenv("BUTAI_TEST_MARK") + `"`)})
	fmt.Println(err)
	os.Exit(0)
}

// memorySink collects log events per stream, in order.
type memorySink struct {
	mu      sync.Mutex
	streams map[string][]LogEvent
}

func (s *memorySink) Put(_, _, group, stream string, events []LogEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams == nil {
		s.streams = map[string][]LogEvent{}
	}
	s.streams[group+" "+stream] = append(s.streams[group+" "+stream], events...)
}

// text returns all messages; tests that use it have one stream.
func (s *memorySink) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, events := range s.streams {
		for _, e := range events {
			b.WriteString(e.Message)
		}
	}
	return b.String()
}

// messages lists all events' messages; tests that use it have one stream.
func (s *memorySink) messages() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, events := range s.streams {
		for _, e := range events {
			list = append(list, e.Message)
		}
	}
	return list
}

type fixedRole struct{ credentials Credentials }

func (r fixedRole) AssumeForFunction(context.Context, *Spec) (Credentials, error) {
	return r.credentials, nil
}

// rig is an engine and its log.
type rig struct {
	*Engine
	logs *memorySink
}

// usualTimeout is what functions have that tests don't choose one for: more where
// a sandbox takes long to start.
var usualTimeout = map[bool]time.Duration{true: 3 * time.Second, false: 15 * time.Second}[usualIsolation.Max < sandbox.GVisor]

// usualIsolation is what tests isolate with that don't care: BUTAI_TEST_ISOLATION
// has all of them run on another rung, such as runsc.
var usualIsolation = func() sandbox.Wish {
	wish, err := sandbox.ParseWish(os.Getenv("BUTAI_TEST_ISOLATION"))
	if err != nil {
		panic(err)
	}
	return wish
}()

func newRig(t testing.TB, change func(*Config)) rig {
	t.Helper()
	set, err := runtimes.Discover(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	logs := &memorySink{}
	cfg := Config{
		Dir: filepath.Join(t.TempDir(), "engine"), Logger: slog.New(slog.DiscardHandler), Clock: clock.System{},
		Runtimes: set, Logs: logs, Isolation: usualIsolation, Spares: NoSpares,
		Environment: map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
	}
	if change != nil {
		change(&cfg)
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return rig{e, logs}
}

// underGVisor tells whether the rig's sandboxes have a kernel of their own.
func underGVisor(r rig) bool {
	level, err := r.host.Level()
	return err == nil && level == sandbox.GVisor
}

// function writes code into a folder and returns a Spec for it; it skips the
// test if the host lacks the runtime.
func (r rig) function(t testing.TB, runtime, handler string, files map[string]string) *Spec {
	t.Helper()
	if _, err := r.cfg.Runtimes.Lookup(t.Context(), runtime); err != nil {
		var missing *runtimes.MissingError
		if errors.As(err, &missing) {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &Spec{
		ID: ident.UUID(), Account: "000000000000", Region: "eu-west-1", Name: "demo", Version: "$LATEST",
		ARN:     "arn:aws:lambda:eu-west-1:000000000000:function:demo",
		RoleARN: "arn:aws:iam::000000000000:role/demo", Runtime: runtime, Handler: handler, CodeDir: dir,
		MemoryMB: 128, EphemeralMB: 512, Timeout: usualTimeout, LogGroup: "/aws/lambda/demo",
		LogFormat: "Text", TracingMode: "PassThrough", Concurrency: -1, Architecture: "x86_64",
	}
}

func (r rig) python(t testing.TB, code string) *Spec {
	t.Helper()
	return r.function(t, "python3.11", "main.handler", map[string]string{"main.py": code})
}

// call invokes with the log tail and fails the test if the function wasn't reached.
func (r rig) call(t testing.TB, spec *Spec, event string) *Result {
	t.Helper()
	res, err := r.Invoke(t.Context(), spec, &Request{RequestID: ident.UUID(), InvokedARN: spec.ARN, Payload: []byte(event), Tail: true})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func decode[T any](t testing.TB, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

func TestHello(t *testing.T) {
	r := newRig(t, nil)
	spec := r.python(t, "def handler(event, context):\n    print('got', event['name'])\n    return {'hello': event['name']}\n")
	first := r.call(t, spec, `{"name": "wörld"}`)
	want(t, "payload", string(first.Payload), `{"hello": "w\u00f6rld"}`)
	want(t, "function error", first.FunctionError, "")
	want(t, "cold start", first.ColdStart, true)
	second := r.call(t, spec, `{"name": "again"}`)
	want(t, "cold start", second.ColdStart, false)
	t.Log(r.logs.text())
}
