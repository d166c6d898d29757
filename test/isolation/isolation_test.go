// Package isolation deploys handlers that misbehave to a real butai and
// invokes them as a client does.
package isolation

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/butai-dev/butai/test/harness"
)

// host is a server with functions.
type host struct {
	*testing.T
	server *harness.Server
	lambda *lambda.Client
	role   string
}

func newHost(t *testing.T) *host {
	t.Helper()
	return hostOn(t, harness.Start(t, "--data-dir", t.TempDir()))
}

// hostOn prepares a server for functions.
func hostOn(t *testing.T, s *harness.Server) *host {
	t.Helper()
	cfg := configOf(s)
	role, err := iam.NewFromConfig(cfg).CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName:                 aws.String("exec"),
		AssumeRolePolicyDocument: aws.String(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &host{T: t, server: s, lambda: lambda.NewFromConfig(cfg), role: *role.Role.Arn}
}

// configOf is an SDK's configuration for a client with the account's own keys.
func configOf(s *harness.Server) aws.Config {
	return aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(s.URL), RetryMaxAttempts: 1, Credentials: harness.Credentials("000000000000", "butai")}
}

// runtimes are the languages of the handlers in testdata.
var runtimes = map[string]types.Runtime{".py": types.RuntimePython311, ".js": types.RuntimeNodejs20x}

// create deploys a handler of testdata; it skips the test if the machine has
// no interpreter for it.
func (h *host) create(name, file string, memory, timeout int32) {
	h.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		h.Fatal(err)
	}
	code, err := os.ReadFile(harness.Zip(h, map[string]string{"index" + filepath.Ext(file): string(source)}))
	if err != nil {
		h.Fatal(err)
	}
	_, err = h.lambda.CreateFunction(h.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &h.role, Handler: aws.String("index.handler"), Runtime: runtimes[filepath.Ext(file)],
		Code: &types.FunctionCode{ZipFile: code}, MemorySize: &memory, Timeout: &timeout,
	})
	if err != nil && strings.Contains(err.Error(), "no interpreter found") {
		h.Skip(err)
	}
	if err != nil {
		h.Fatal(err)
	}
	if err := lambda.NewFunctionActiveV2Waiter(h.lambda).Wait(h.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		h.Fatal(err)
	}
}

// invoke calls a function and returns its payload and the kind of error.
func (h *host) invoke(name string, event any) (payload, functionError string) {
	h.Helper()
	in, err := json.Marshal(event)
	if err != nil {
		h.Fatal(err)
	}
	out, err := h.lambda.Invoke(h.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: in})
	if err != nil {
		h.Errorf("invoke %s: %v", name, err)
		return "", ""
	}
	return string(out.Payload), aws.ToString(out.FunctionError)
}

// hostFacts are what a hostile handler is told, so that it fails for want of
// rights and not of knowledge.
type hostFacts struct {
	Data   string `json:"data"`   // the server's data directory
	PID    int    `json:"pid"`    // the server's process
	Secret string `json:"secret"` // in the server's environment and in a neighbour's code
}

// TestHostileHandlers lets handlers try to read and write what is not theirs.
func TestHostileHandlers(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.create("neighbour", "neighbour.py", 128, 10)
	if payload, _ := h.invoke("neighbour", 1); payload != "1" {
		t.Fatalf("the neighbour answered %s", payload)
	}
	for _, file := range []string{"hostile.py", "hostile.js"} {
		t.Run(file, func(t *testing.T) {
			h := &host{T: t, server: h.server, lambda: h.lambda, role: h.role}
			name := strings.ReplaceAll(file, ".", "-")
			h.create(name, file, 256, 30)
			payload, failed := h.invoke(name, hostFacts{Data: h.server.DataDir, PID: h.server.PID(), Secret: harness.Secret})
			var got struct {
				Tried int
				Done  []string
				UID   int
			}
			if err := json.Unmarshal([]byte(payload), &got); err != nil || failed != "" {
				t.Fatalf("%v %s: %s", err, failed, payload)
			}
			if got.Tried < 10 {
				t.Errorf("it tried only %d things", got.Tried)
			}
			for _, what := range got.Done {
				t.Errorf("a function can %s", what)
			}
			if got.UID == 0 {
				t.Error("a function runs as root")
			}
		})
	}
	if payload, _ := h.invoke("neighbour", 2); payload != "2" {
		t.Errorf("the neighbour answered %s", payload)
	}
}

// TestTimeoutLeavesNothing looks on this machine for what a function started
// before its time was over.
func TestTimeoutLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.create("daemon", "daemon.py", 128, 1)
	mark := "butai-isolation-" + strconv.Itoa(os.Getpid())
	payload, failed := h.invoke("daemon", mark)
	if failed != "Unhandled" || !strings.Contains(payload, "Task timed out after 1.00 seconds") {
		t.Fatalf("%s: %s", failed, payload)
	}
	deadline := time.Now().Add(10 * time.Second)
	for len(processesWith(t, mark)) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("these are left: %q", processesWith(t, mark))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// processesWith returns the command lines on this machine that hold a mark.
func processesWith(t *testing.T, mark string) (found []string) {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if line, err := os.ReadFile(name); err == nil && strings.Contains(string(line), mark) {
			found = append(found, string(line))
		}
	}
	return found
}

// TestBombsStayInside lets functions take all the processes and memory they
// can get while a neighbour is called: its calls are unharmed.
func TestBombsStayInside(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.create("neighbour", "neighbour.py", 128, 10)
	h.create("forks", "forks.py", 2048, 20)
	h.create("memory", "memory.py", 128, 20)
	h.create("memory-node", "memory.js", 128, 20)

	var calls sync.WaitGroup
	stop := make(chan struct{})
	calls.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if payload, failed := h.invoke("neighbour", n); payload != strconv.Itoa(n) || failed != "" {
				h.Errorf("the neighbour's call %d: %s %s", n, failed, payload)
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	payload, failed := h.invoke("forks", nil)
	var forks struct {
		Made    int
		Refused bool
	}
	if err := json.Unmarshal([]byte(payload), &forks); err != nil || failed != "" || !forks.Refused || forks.Made > 1024 {
		t.Errorf("fork bomb: %v %s: %s, want a limit of 1024 processes", err, failed, payload)
	}
	// Its thousand processes go with it, instead of waking up under other tests.
	if _, err := h.lambda.DeleteFunction(h.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("forks")}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"memory", "memory-node"} {
		payload, failed := h.invoke(name, nil)
		if failed != "Unhandled" || !strings.Contains(payload, "Runtime.OutOfMemory") && !strings.Contains(payload, "Runtime.ExitError") {
			t.Errorf("%s: %s: %s, want that it is killed", name, failed, payload)
		}
	}
	close(stop)
	calls.Wait()
}
