package function

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/function/sandbox"
)

// runtimeClient is a runtime of provided.*: this test program, started as
// /var/task/bootstrap. It knows events that misbehave.
func runtimeClient() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	if os.Getenv("FAIL_INIT") != "" {
		post(base+"init/error", `{"errorMessage":"no","errorType":"Init"}`, "Lambda-Runtime-Function-Error-Type", "Runtime.NoConfig")
		os.Exit(1)
	}
	if os.Getenv("INNER") != "" {
		registerInner("http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2020-01-01/extension/")
	}
	for {
		res, err := http.Get(base + "invocation/next")
		if err != nil {
			os.Exit(2)
		}
		event, err := io.ReadAll(res.Body)
		if err != nil {
			os.Exit(2)
		}
		fmt.Println("event", string(event))
		if victim, ok := strings.CutPrefix(string(event), `"attack `); ok {
			event = attack(strings.TrimSuffix(victim, `"`))
		}
		call := base + "invocation/" + res.Header.Get("Lambda-Runtime-Aws-Request-Id")
		switch string(event) {
		case `"error"`:
			post(call+"/error", `{"errorMessage":"bad","errorType":"Oops"}`, "Lambda-Runtime-Function-Error-Type", "Function.Oops")
		case `"exit"`:
			os.Exit(7)
		case `"hang"`:
			time.Sleep(time.Minute)
		case `"wait"`:
			time.Sleep(time.Second)
			post(call+"/response", `"my own"`)
		case `"address"`:
			post(call+"/response", fmt.Sprintf("%q", os.Getenv("AWS_LAMBDA_RUNTIME_API")))
		case `"large"`:
			status := post(call+"/response", strings.Repeat("x", maxResponse+1))
			fmt.Println("status", status)
		case `"stream"`:
			post(call+"/response", "piece by piece", "Lambda-Runtime-Function-Response-Mode", "streaming")
		case `"wrong id"`:
			status := post(base+"invocation/nonsense/response", `1`)
			post(call+"/response", fmt.Sprint(status))
		default:
			_, exec := os.LookupEnv("AWS_EXECUTION_ENV")
			post(call+"/response", fmt.Sprintf(`[%s,%q,%v,%q]`, event, res.Header.Get("Lambda-Runtime-Invoked-Function-Arn"), exec, os.Args[0]))
		}
	}
}

// registerInner registers an extension of the runtime's own, as AWS's Go library
// does in order to be sent SIGTERM.
func registerInner(base string) {
	leave := make(chan os.Signal, 1)
	signal.Notify(leave, syscall.SIGTERM)
	go func() {
		fmt.Println("runtime got", <-leave)
		os.Exit(0)
	}()
	req, err := http.NewRequest(http.MethodPost, base+"register", strings.NewReader(`{"events":[]}`))
	if err != nil {
		os.Exit(3)
	}
	req.Header.Set("Lambda-Extension-Name", "inner")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		os.Exit(4)
	}
	next, err := http.NewRequest(http.MethodGet, base+"event/next", nil)
	if err != nil {
		os.Exit(3)
	}
	next.Header.Set("Lambda-Extension-Identifier", res.Header.Get("Lambda-Extension-Identifier"))
	go http.DefaultClient.Do(next)
}

// attack tries to read another sandbox's event, and to answer its call in its
// stead: an address, a space and the call's request id.
func attack(victim string) []byte {
	address, id, _ := strings.Cut(victim, " ")
	base, client := "http://"+address+"/2018-06-01/runtime/", http.Client{Timeout: 300 * time.Millisecond}
	_, readErr := client.Get(base + "invocation/next")
	_, answerErr := client.Post(base+"invocation/"+id+"/response", "application/json", strings.NewReader(`"forged"`))
	return fmt.Appendf(nil, "[%v,%v]", readErr != nil && !os.IsTimeout(readErr), answerErr != nil)
}

func post(url, body string, header ...string) int {
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		os.Exit(3)
	}
	if len(header) == 2 {
		req.Header.Set(header[0], header[1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		os.Exit(4)
	}
	io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// provided returns a function whose bootstrap is this test program.
func (r rig) provided(t *testing.T) *Spec {
	t.Helper()
	spec := r.function(t, "provided.al2023", "anything", nil)
	self, err := os.ReadFile(executablePath(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(spec.CodeDir, "bootstrap"), self, 0o755); err != nil {
		t.Fatal(err)
	}
	spec.Environment = map[string]string{"BUTAI_TEST_RUNTIME": "1"}
	return spec
}

func executablePath(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProvided(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.provided(t)
	spec.Timeout = 3 * time.Second
	tests := []struct{ event, payload string }{
		{`{"a":1}`, `[{"a":1},"` + spec.ARN + `",false,"/var/task/bootstrap"]`},
		{`"error"`, `{"errorMessage":"bad","errorType":"Oops"}`},
		{`"wrong id"`, `400`},
		{`"large"`, `{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}`},
		{`"exit"`, `Runtime exited with error: exit status 7"}`},
		{`"again"`, `["again","` + spec.ARN + `",false,"/var/task/bootstrap"]`},
		{`"hang"`, `Error: Task timed out after 3.00 seconds"}`},
	}
	for _, tt := range tests {
		res := r.call(t, spec, tt.event)
		if !bytes.HasSuffix(res.Payload, []byte(tt.payload)) {
			t.Errorf("%s: payload %s, want %s", tt.event, res.Payload, tt.payload)
		}
		if !strings.Contains(string(res.LogTail), "event "+tt.event+"\n") {
			t.Errorf("%s: log %s", tt.event, res.LogTail)
		}
	}
}

// TestRuntimeAPIIsPrivate lets one function meddle with another's Runtime API.
func TestRuntimeAPIIsPrivate(t *testing.T) {
	t.Parallel()
	for _, level := range []sandbox.Level{sandbox.Namespaces, sandbox.Restricted, sandbox.None} {
		t.Run(level.String(), func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Isolation = sandbox.Wish{Min: level, Max: level} })
			if _, err := r.host.Level(); err != nil {
				t.Skip(err)
			}
			victim, attacker := r.provided(t), r.provided(t)
			address := decode[string](t, r.call(t, victim, `"address"`).Payload)
			const id = "11111111-2222-3333-4444-555555555555"
			answer := make(chan *Result, 1)
			go func() {
				res, err := r.Invoke(t.Context(), victim, &Request{RequestID: id, Payload: []byte(`"wait"`)})
				if err != nil {
					res = &Result{Payload: []byte(err.Error())}
				}
				answer <- res
			}()
			got := r.call(t, attacker, `"attack `+address+" "+id+`"`)
			want(t, "refusals", strings.HasPrefix(string(got.Payload), "[[true,true],"), true)
			want(t, "the victim's answer", string((<-answer).Payload), `"my own"`)
			want(t, "its next answer", string(r.call(t, victim, `"address"`).Payload), `"`+address+`"`)
		})
	}
}

func TestProvidedInitError(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.provided(t)
	spec.Environment["FAIL_INIT"] = "1"
	res := r.call(t, spec, `{}`)
	want(t, "payload", string(res.Payload), `{"errorMessage":"no","errorType":"Init"}`)
	if !strings.Contains(r.logs.text(), "Phase: invoke\tStatus: error\tError Type: Runtime.NoConfig\n") {
		t.Error(r.logs.text())
	}
}

func TestProvidedEntrypoints(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	tests := []struct {
		name, file, content string
		mode                os.FileMode
		message             string
	}{
		{"none", "other", "", 0o755, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"},
		{"not executable", "bootstrap", "#!/bin/sh\n", 0o644, "fork/exec /var/task/bootstrap: permission denied"},
		{"lost carriage return", "bootstrap", "#!/bin/sh\r\n", 0o755, "fork/exec /var/task/bootstrap: no such file or directory"},
		{"wrong format", "bootstrap", "\x7fELF nonsense", 0o755, "fork/exec /var/task/bootstrap: exec format error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := r.function(t, "provided.al2", "x", map[string]string{tt.file: tt.content})
			if err := os.Chmod(filepath.Join(spec.CodeDir, tt.file), tt.mode); err != nil {
				t.Fatal(err)
			}
			res := r.call(t, spec, `{}`)
			got := decode[struct{ ErrorType, ErrorMessage string }](t, res.Payload)
			want(t, "type", got.ErrorType, "Runtime.InvalidEntrypoint")
			if !strings.HasSuffix(got.ErrorMessage, " Error: "+tt.message) {
				t.Errorf("message %s, want %s", got.ErrorMessage, tt.message)
			}
		})
	}
	layer := r.function(t, "provided.al2", "x", map[string]string{"bootstrap": "#!/bin/sh\necho from a layer\nexit 5\n"})
	spec := r.function(t, "provided.al2", "x", map[string]string{"data": ""})
	spec.Layers = []string{layer.CodeDir}
	res := r.call(t, spec, `{}`)
	if !strings.Contains(string(res.LogTail), "from a layer") || !strings.Contains(string(res.Payload), "exit status 5") {
		t.Errorf("a layer's bootstrap: %s %s", res.Payload, res.LogTail)
	}
}
