// Package provided runs programs written with AWS's own Go library on a real
// butai.
package provided

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/butai-dev/butai/test/harness"
)

// build compiles testdata/lambdago, a module of its own, for an architecture.
// It skips the test if AWS's library can't be fetched.
func build(t *testing.T, arch string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bootstrap")
	for _, args := range [][]string{{"mod", "download", "github.com/aws/aws-lambda-go"}, {"build", "-trimpath", "-o", out, "."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = filepath.Join("testdata", "lambdago")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=")
		text, err := cmd.CombinedOutput()
		switch {
		case err != nil && args[0] == "mod":
			t.Skipf("aws-lambda-go is not to be had: %s", text)
		case err != nil:
			t.Fatalf("%v: %s", err, text)
		}
	}
	program, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// pack puts a program into a zip file under a name and with a mode.
func pack(t *testing.T, name string, mode fs.FileMode, program []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: name, Method: zip.Deflate}
	h.SetMode(mode)
	w, err := z.CreateHeader(h)
	if err == nil {
		_, err = w.Write(program)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// deployment creates and invokes functions.
type deployment struct {
	*testing.T
	lambda *lambda.Client
	role   string
}

func deploy(t *testing.T, s *harness.Server) *deployment {
	t.Helper()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(s.URL), RetryMaxAttempts: 1, Credentials: harness.Credentials("000000000000", "butai")}
	role, err := iam.NewFromConfig(cfg).CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName:                 aws.String("exec"),
		AssumeRolePolicyDocument: aws.String(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &deployment{T: t, lambda: lambda.NewFromConfig(cfg), role: *role.Role.Arn}
}

func (d *deployment) create(name string, arch types.Architecture, code []byte) {
	d.Helper()
	_, err := d.lambda.CreateFunction(d.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &d.role, Handler: aws.String("bootstrap"), Runtime: types.RuntimeProvidedal2023,
		Architectures: []types.Architecture{arch}, Code: &types.FunctionCode{ZipFile: code},
	})
	if err != nil {
		d.Fatal(err)
	}
	if err := lambda.NewFunctionActiveV2Waiter(d.lambda).Wait(d.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		d.Fatal(err)
	}
}

func (d *deployment) invoke(name, event string) (payload, functionError string) {
	d.Helper()
	out, err := d.lambda.Invoke(d.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(event)})
	if err != nil {
		d.Fatal(err)
	}
	return string(out.Payload), aws.ToString(out.FunctionError)
}

// architectures are the names that Lambda and Go have for the same thing.
var architectures = map[string]types.Architecture{"amd64": types.ArchitectureX8664, "arm64": types.ArchitectureArm64}

func other(arch string) string {
	if arch == "amd64" {
		return "arm64"
	}
	return "amd64"
}

func TestLambdaGo(t *testing.T) {
	t.Parallel()
	program := build(t, runtime.GOARCH)
	for name, start := range map[string]func() *harness.Server{
		"server": func() *harness.Server { return harness.Start(t) },
		"nobody": func() *harness.Server { return harness.StartAsNobody(t) },
	} {
		t.Run(name, func(t *testing.T) {
			d := deploy(t, start())
			for _, arch := range architectures {
				testLambdaGo(&deployment{T: t, lambda: d.lambda, role: d.role}, "go-"+strings.ReplaceAll(string(arch), "_", "-"), arch, program)
			}
		})
	}
}

func testLambdaGo(d *deployment, name string, arch types.Architecture, program []byte) {
	d.create(name, arch, pack(d.T, "bootstrap", 0o755, program))
	for range 2 { // cold and warm
		payload, failed := d.invoke(name, `{"Name": "wörld"}`)
		var got struct {
			Greeting, RequestID, ARN, Function string
			Deadline                           bool
		}
		if err := json.Unmarshal([]byte(payload), &got); err != nil || failed != "" {
			d.Fatalf("%s: %v %s %s", name, err, failed, payload)
		}
		if got.Greeting != "hello wörld" || got.Function != name || len(got.RequestID) != 36 || !got.Deadline ||
			got.ARN != "arn:aws:lambda:us-east-1:000000000000:function:"+name {
			d.Errorf("%s: %+v", name, got)
		}
	}
	for event, want := range map[string]string{
		`{"Name": "luck", "Fail": "error"}`: `{"errorMessage":"no luck","errorType":"errorString"}`,
		`{"Name": "head", "Fail": "panic"}`: `{"errorMessage":"lost head","errorType":"string","stackTrace":[`,
		`{"Name": "1", "Fail": "exit"}`:     `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: `,
		`{"Name": 1}`:                       `{"errorMessage":"json: cannot unmarshal number into Go struct field event.Name of type string","errorType":"UnmarshalTypeError"}`,
	} {
		if payload, failed := d.invoke(name, event); failed != "Unhandled" || !strings.HasPrefix(payload, want) {
			d.Errorf("%s %s: %s %s, want %s", name, event, failed, payload, want)
		}
	}
}

// TestUnrunnable uploads what can't be started.
func TestUnrunnable(t *testing.T) {
	t.Parallel()
	d := deploy(t, harness.Start(t))
	program := build(t, runtime.GOARCH)
	tests := []struct {
		name, file string
		mode       fs.FileMode
		program    []byte
		message    string
	}{
		{"not-executable", "bootstrap", 0o644, program, "fork/exec /var/task/bootstrap: permission denied"},
		{"other-name", "main", 0o755, program, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"},
		{"other-machine", "bootstrap", 0o755, build(t, other(runtime.GOARCH)), "fork/exec /var/task/bootstrap: exec format error"},
	}
	for _, tt := range tests {
		d.create(tt.name, architectures[runtime.GOARCH], pack(t, tt.file, tt.mode, tt.program))
		payload, failed := d.invoke(tt.name, `{}`)
		var got struct{ ErrorType, ErrorMessage string }
		if err := json.Unmarshal([]byte(payload), &got); err != nil || failed != "Unhandled" {
			t.Errorf("%s: %v %s %s", tt.name, err, failed, payload)
		}
		if got.ErrorType != "Runtime.InvalidEntrypoint" || !strings.HasSuffix(got.ErrorMessage, " Error: "+tt.message) {
			t.Errorf("%s: %s", tt.name, payload)
		}
	}
}
