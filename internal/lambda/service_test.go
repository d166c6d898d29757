package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/functionurl"
	"github.com/butai-dev/butai/internal/lambda"
	"github.com/butai-dev/butai/internal/lambda/poll"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
	role    = "arn:aws:iam::123456789012:role/example"
	fnARN   = "arn:aws:lambda:eu-west-1:123456789012:function:example"
)

// engine stands in for the sandboxes: it answers with the version that ran.
type engine struct {
	mu      sync.Mutex
	specs   []*function.Spec
	reqs    []*function.Request
	retired []string

	provisioned map[string]int
	initFails   bool
	snapshot    func(context.Context, *function.Spec) error
	answer      func(*function.Spec, *function.Request) (*function.Result, error)
}

func (e *engine) Invoke(_ context.Context, spec *function.Spec, req *function.Request) (*function.Result, error) {
	e.mu.Lock()
	e.specs, e.reqs = append(e.specs, spec), append(e.reqs, req)
	answer := e.answer
	e.mu.Unlock()
	if answer != nil {
		return answer(spec, req)
	}
	return &function.Result{Payload: []byte(`"` + spec.Version + `"`), LogTail: []byte("START\n")}, nil
}

func (e *engine) Retire(specID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.retired = append(e.retired, specID)
}

func (*engine) RunsImages() error { return nil }

func (*engine) ImageRoots() []string { return nil }

func (*engine) Expect(*function.Spec) {}

func (e *engine) Provision(spec *function.Spec) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.provisioned == nil {
		e.provisioned = map[string]int{}
	}
	e.provisioned[spec.ID] = spec.Provisioned
}

func (e *engine) Snapshot(ctx context.Context, spec *function.Spec) error {
	if e.snapshot == nil {
		return nil
	}
	return e.snapshot(ctx, spec)
}

// Provisioned has all ready, but for functions that should fail.
func (e *engine) Provisioned(specID string) (int, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.initFails {
		return 0, true
	}
	return e.provisioned[specID], false
}

// world is everything around the service that isn't its own.
type world struct {
	missingRole bool
	sent        []lambda.Message
	sendError   error
}

// Check knows targets by their names.
func (*world) Check(_ context.Context, _, target string) (exists, may bool) {
	return !strings.Contains(target, "missing"), !strings.Contains(target, "closed")
}

func (w *world) Send(_ context.Context, _ string, m *lambda.Message) error {
	if w.sendError == nil {
		w.sent = append(w.sent, *m)
	}
	return w.sendError
}

func (*world) GetObject(_ context.Context, account, bucket, key, version string) ([]byte, error) {
	if bucket != "code" || key != "v1.zip" {
		return nil, &s3api.NoSuchKey{Message: wire.Ptr("The specified key does not exist.")}
	}
	return archive(map[string]string{"from.py": account + version}), nil
}

func (w *world) Assumable(roleARN, service string) bool {
	return roleARN == role && service == "lambda.amazonaws.com" && !w.missingRole
}

func (*world) Exists(arn string) bool { return arn == "arn:aws:iam::123456789012:user/known" }

func (*world) Lookup(_ context.Context, id string) (*runtimes.Interpreter, error) {
	switch id {
	case "python2.7", "python3.11", "python3.12", "nodejs20.x", "provided.al2023":
		return &runtimes.Interpreter{}, nil
	case "python3.8":
		return nil, &runtimes.MissingError{Runtime: id, Install: "Install Python 3.8."}
	}
	return nil, &runtimes.UnknownError{Runtime: id}
}

// house is a service in its world.
type house struct {
	*lambda.Service
	*world
	engine  *engine
	store   store.Store
	clock   *clock.Fake
	catalog *catalog.Catalog
	dir     string
}

func newHouse(t testing.TB) *house {
	t.Helper()
	s, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{world: &world{}, engine: &engine{}, store: s, clock: clock.NewFake(time.Date(2025, 11, 25, 2, 26, 54, 123e6, time.UTC)), dir: t.TempDir()}
	h.open(t)
	return h
}

// open starts the service, for the first time or again.
func (h *house) open(t testing.TB) {
	t.Helper()
	h.catalog = catalog.New(h.engine)
	svc, err := lambda.New(t.Context(), lambda.Config{
		Store: h.store, Clock: h.clock, Log: slog.New(slog.DiscardHandler), Engine: h.engine, Catalog: h.catalog, CodeDir: h.dir, ImageDir: h.dir + "/images",
		Objects: h.world, Roles: h.world, Principals: h.world, Runtimes: h.world, Targets: h.world, URLs: functionurl.New(functionurl.Config{}), Sources: h.world, Images: h.world,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Service = svc
	t.Cleanup(func() {
		if err := svc.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func as(t testing.TB) context.Context { return asCaller(t, account, ":root") }

func asCaller(t testing.TB, account, principal string) context.Context {
	return wire.WithCaller(t.Context(), &wire.Caller{
		Account: account, Region: region, Partition: "aws", ARN: "arn:aws:iam::" + account + principal,
		Endpoint: "http://127.0.0.1:4566", RequestID: "11111111-2222-3333-4444-555555555555",
	})
}

// archive makes a zip as Terraform's archive_file does.
func archive(files map[string]string) []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(fs.FileMode(0o755))
		f, err := w.CreateHeader(header)
		if err == nil {
			_, err = io.WriteString(f, files[name])
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

func code(version string) []byte { return archive(map[string]string{"handler.py": version}) }

func request() *lambdaapi.CreateFunctionRequest {
	return &lambdaapi.CreateFunctionRequest{
		FunctionName: wire.Ptr("example"), Runtime: wire.Ptr("python3.11"), Role: wire.Ptr(role), Handler: wire.Ptr("handler.main"),
		Code: &lambdaapi.FunctionCode{ZipFile: code("one")},
	}
}

// create makes the function "example" with changes to the usual request.
func (h *house) create(t testing.TB, changes ...func(*lambdaapi.CreateFunctionRequest)) *lambdaapi.FunctionConfiguration {
	t.Helper()
	in := request()
	for _, change := range changes {
		change(in)
	}
	return must(h.CreateFunction(as(t), in))(t)
}

// must takes the error off a call's answer: must(call())(t).
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// shape is an answer as JSON with its random parts replaced.
func shape(t testing.TB, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		for _, random := range []string{"RevisionId", "CodeSha256", "CodeSize", "RuntimeVersionArn"} {
			if before, _, ok := strings.Cut(line, `"`+random+`": `); ok {
				line = before + `"` + random + `": …` + "\n"
			}
		}
		out = append(out, line)
	}
	return strings.Join(out, "")
}

func (h *house) get(t testing.TB, qualifier string) *lambdaapi.FunctionConfiguration {
	t.Helper()
	in := &lambdaapi.GetFunctionConfigurationRequest{FunctionName: wire.Ptr("example")}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	return must(h.GetFunctionConfiguration(as(t), in))(t)
}

func (h *house) publish(t testing.TB) *lambdaapi.FunctionConfiguration {
	t.Helper()
	return must(h.PublishVersion(as(t), &lambdaapi.PublishVersionRequest{FunctionName: wire.Ptr("example")}))(t)
}

func (h *house) updateCode(t testing.TB, version string) *lambdaapi.FunctionConfiguration {
	t.Helper()
	return must(h.UpdateFunctionCode(as(t), &lambdaapi.UpdateFunctionCodeRequest{FunctionName: wire.Ptr("example"), ZipFile: code(version)}))(t)
}

// wantError compares an error's code and text; text "*" matches any.
func wantError(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %s", want)
		return
	}
	if got := err.Error(); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestCreateFunctionAnswersAsRecorded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	created := h.create(t)
	want := `{
 "FunctionName": "example",
 "FunctionArn": "` + fnARN + `",
 "Runtime": "python3.11",
 "Role": "` + role + `",
 "Handler": "handler.main",
 "CodeSize": …
 "Description": "",
 "Timeout": 3,
 "MemorySize": 128,
 "LastModified": "2025-11-25T02:26:54.123+0000",
 "CodeSha256": …
 "Version": "$LATEST",
 "TracingConfig": {
  "Mode": "PassThrough"
 },
 "RevisionId": …
 "State": "Pending",
 "StateReason": "The function is being created.",
 "StateReasonCode": "Creating",
 "PackageType": "Zip",
 "Architectures": [
  "x86_64"
 ],
 "EphemeralStorage": {
  "Size": 512
 },
 "SnapStart": {
  "ApplyOn": "None",
  "OptimizationStatus": "Off"
 },
 "RuntimeVersionConfig": {
  "RuntimeVersionArn": …
 },
 "LoggingConfig": {
  "LogFormat": "Text",
  "LogGroup": "/aws/lambda/example"
 }
}`
	if got := shape(t, created); got != want {
		t.Errorf("got %s", got)
	}
	active := h.get(t, "")
	want = strings.Replace(want, `"State": "Pending",
 "StateReason": "The function is being created.",
 "StateReasonCode": "Creating",`, `"State": "Active",
 "LastUpdateStatus": "Successful",`, 1)
	if got := shape(t, active); got != want {
		t.Errorf("got %s", got)
	}
	if *created.RevisionId == *active.RevisionId {
		t.Error("becoming Active gave no new RevisionId")
	}
	if again := h.get(t, ""); *again.RevisionId != *active.RevisionId {
		t.Error("a read gave a new RevisionId")
	}
}

func TestOptionalMembersAppearOnceSet(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t, func(in *lambdaapi.CreateFunctionRequest) {
		in.Environment = &lambdaapi.Environment{}
		in.Tags = map[string]string{"a": "b"}
		in.Timeout, in.MemorySize = wire.Ptr(int64(900)), wire.Ptr(int64(10240))
		in.Architectures = []string{"arm64"}
		in.LoggingConfig = &lambdaapi.LoggingConfig{LogGroup: wire.Ptr("mine")}
		in.TracingConfig = &lambdaapi.TracingConfig{Mode: wire.Ptr("Active")}
	})
	out := must(h.GetFunction(as(t), &lambdaapi.GetFunctionRequest{FunctionName: wire.Ptr(fnARN)}))(t)
	c := out.Configuration
	if c.Environment == nil || c.Environment.Variables == nil || out.Tags["a"] != "b" || *c.Timeout != 900 || *c.MemorySize != 10240 ||
		c.Architectures[0] != "arm64" || *c.LoggingConfig.LogGroup != "mine" || *c.LoggingConfig.LogFormat != "Text" || *c.TracingConfig.Mode != "Active" {
		t.Errorf("got %s", shape(t, out))
	}
	if out.Concurrency != nil {
		t.Error("Concurrency is shown though nothing is reserved")
	}
	must(h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example")}))(t)
	spec := h.engine.specs[0]
	if spec.Timeout != 900*time.Second || spec.MemoryMB != 10240 || spec.Architecture != "arm64" || spec.LogGroup != "mine" || spec.Concurrency != -1 ||
		spec.RoleARN != role || spec.Handler != "handler.main" || spec.TracingMode != "Active" || spec.EphemeralMB != 512 {
		t.Errorf("the engine got %+v", spec)
	}
}

func TestCodeLocationGivesTheArchiveBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	out := must(h.GetFunction(as(t), &lambdaapi.GetFunctionRequest{FunctionName: wire.Ptr("example")}))(t)
	path, handler := h.CodeHandler()
	if *out.Code.RepositoryType != "S3" || !strings.HasPrefix(*out.Code.Location, "http://127.0.0.1:4566"+path) {
		t.Fatalf("Location is %s", *out.Code.Location)
	}
	download := func(url string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
		return w
	}
	if w := download(*out.Code.Location); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), code("one")) {
		t.Errorf("status %d, %d bytes", w.Code, w.Body.Len())
	}
	if w := download(strings.Replace(*out.Code.Location, "Expires=", "Expires=9", 1)); w.Code != 403 {
		t.Errorf("a forged link gave status %d", w.Code)
	}
	h.clock.Advance(11 * time.Minute)
	if w := download(*out.Code.Location); w.Code != 403 {
		t.Errorf("an old link gave status %d", w.Code)
	}
}

func TestCreateFunctionRefuses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	const ipv = "InvalidParameterValueException: "
	big := strings.Repeat("x", 4090)
	for name, tc := range map[string]struct {
		change func(*lambdaapi.CreateFunctionRequest)
		want   string
	}{
		"duplicate": {func(*lambdaapi.CreateFunctionRequest) {}, "ResourceConflictException: Function already exist: example"},
		"role": {func(in *lambdaapi.CreateFunctionRequest) { in.Role = wire.Ptr(role + "2") },
			ipv + "The role defined for the function cannot be assumed by Lambda."},
		"foreign role": {func(in *lambdaapi.CreateFunctionRequest) {
			in.Role = wire.Ptr("arn:aws:iam::999999999999:role/example")
		},
			"AccessDeniedException: Cross-account pass role is not allowed."},
		"no handler": {func(in *lambdaapi.CreateFunctionRequest) { in.Handler = nil },
			ipv + "Runtime and Handler are mandatory parameters for functions created with deployment packages."},
		"unknown runtime": {func(in *lambdaapi.CreateFunctionRequest) { in.Runtime = wire.Ptr("cobol") },
			ipv + "Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java17, nodejs16.x, java25, dotnet8, python3.10, java11, python3.11, dotnet6, java21, nodejs18.x, provided.al2, ruby3.3, ruby3.4, java8.al2, ruby3.2, python3.8, python3.9] or be a valid ARN"},
		"old runtime": {func(in *lambdaapi.CreateFunctionRequest) { in.Runtime = wire.Ptr("java8") },
			ipv + "The runtime parameter of java8 is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions."},
		"runtime not built": {func(in *lambdaapi.CreateFunctionRequest) { in.Runtime = wire.Ptr("dotnet8") },
			"NotImplemented: butai doesn't do this yet: the Lambda runtime dotnet8"},
		"interpreter missing": {func(in *lambdaapi.CreateFunctionRequest) { in.Runtime = wire.Ptr("python3.8") },
			ipv + "runtime python3.8: no interpreter found on this machine. Install Python 3.8."},
		"reserved keys": {func(in *lambdaapi.CreateFunctionRequest) {
			in.Environment = &lambdaapi.Environment{Variables: map[string]string{"AWS_REGION": "x", "TZ": "UTC"}}
		}, ipv + "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION"},
		"large environment": {func(in *lambdaapi.CreateFunctionRequest) {
			in.Environment = &lambdaapi.Environment{Variables: map[string]string{"K": big}}
		}, ipv + `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {"K":"` + big + `"}`},
		"long name": {func(in *lambdaapi.CreateFunctionRequest) { in.FunctionName = wire.Ptr(strings.Repeat("n", 65)) },
			ipv + "1 validation error detected: Value '" + strings.Repeat("n", 65) + "' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		"memory": {func(in *lambdaapi.CreateFunctionRequest) { in.MemorySize = wire.Ptr(int64(10241)) },
			"ValidationException: 1 validation error detected: Value '10241' at 'memorySize' failed to satisfy constraint: Member must have value less than or equal to 10240"},
		"timeout": {func(in *lambdaapi.CreateFunctionRequest) { in.Timeout = wire.Ptr(int64(901)) },
			"ValidationException: 1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900"},
		"not a zip": {func(in *lambdaapi.CreateFunctionRequest) { in.Code.ZipFile = []byte("hello") },
			ipv + "Could not unzip uploaded file. Please check your file, then try to upload again."},
		"empty zip": {func(in *lambdaapi.CreateFunctionRequest) { in.Code.ZipFile = archive(nil) },
			ipv + "Uploaded file must be a non-empty zip"},
		"no code": {func(in *lambdaapi.CreateFunctionRequest) { in.Code = &lambdaapi.FunctionCode{} },
			ipv + "Please provide a source for function code."},
		"two sources": {func(in *lambdaapi.CreateFunctionRequest) { in.Code.S3Bucket = wire.Ptr("code") },
			ipv + "Please do not provide other FunctionCode parameters when providing a ZipFile."},
		"no such object": {func(in *lambdaapi.CreateFunctionRequest) {
			in.Code = &lambdaapi.FunctionCode{S3Bucket: wire.Ptr("code"), S3Key: wire.Ptr("none")}
		}, ipv + "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."},
		"image": {func(in *lambdaapi.CreateFunctionRequest) { in.PackageType = wire.Ptr("Image") },
			"InvalidParameterValueException: Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."},
		"snapstart": {func(in *lambdaapi.CreateFunctionRequest) {
			in.SnapStart = &lambdaapi.SnapStart{ApplyOn: wire.Ptr("PublishedVersions")}
			in.Runtime = wire.Ptr("nodejs20.x")
		}, ipv + "nodejs20.x is not supported for SnapStart enabled functions."},
		"snapstart with a large /tmp": {func(in *lambdaapi.CreateFunctionRequest) {
			in.SnapStart = &lambdaapi.SnapStart{ApplyOn: wire.Ptr("PublishedVersions")}
			in.Runtime, in.EphemeralStorage = wire.Ptr("python3.12"), &lambdaapi.EphemeralStorage{Size: wire.Ptr(int64(513))}
		}, ipv + "Ephemeral storage larger than 512 MB is not supported for SnapStart enabled functions."},
		"system log level": {func(in *lambdaapi.CreateFunctionRequest) {
			in.LoggingConfig = &lambdaapi.LoggingConfig{LogFormat: wire.Ptr("JSON"), SystemLogLevel: wire.Ptr("DEBUG")}
		}, "NotImplemented: butai doesn't do this yet: the system log level DEBUG of Lambda functions; INFO and WARN are"},
		"log level of text": {func(in *lambdaapi.CreateFunctionRequest) {
			in.LoggingConfig = &lambdaapi.LoggingConfig{LogFormat: wire.Ptr("Text"), ApplicationLogLevel: wire.Ptr("DEBUG")}
		}, ipv + "Log levels can be set for the log format JSON only."},
		"other region": {func(in *lambdaapi.CreateFunctionRequest) {
			in.FunctionName = wire.Ptr("arn:aws:lambda:us-west-2:123456789012:function:other")
		}, "ResourceNotFoundException: Functions from 'us-west-2' are not reachable in this region ('eu-west-1')"},
	} {
		in := request()
		tc.change(in)
		_, err := h.CreateFunction(as(t), in)
		t.Run(name, func(t *testing.T) { wantError(t, err, tc.want) })
	}
}

func TestLogFormats(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t, func(in *lambdaapi.CreateFunctionRequest) {
		in.LoggingConfig = &lambdaapi.LoggingConfig{LogFormat: wire.Ptr("JSON")}
	})
	if l := h.get(t, "").LoggingConfig; *l.LogFormat != "JSON" || *l.ApplicationLogLevel != "INFO" || *l.SystemLogLevel != "INFO" || *l.LogGroup != "/aws/lambda/example" {
		t.Errorf("got %s", shape(t, l))
	}
	must(h.UpdateFunctionConfiguration(as(t), &lambdaapi.UpdateFunctionConfigurationRequest{
		FunctionName: wire.Ptr("example"), LoggingConfig: &lambdaapi.LoggingConfig{ApplicationLogLevel: wire.Ptr("DEBUG"), SystemLogLevel: wire.Ptr("WARN")},
	}))(t)
	if l := h.get(t, "").LoggingConfig; *l.LogFormat != "JSON" || *l.ApplicationLogLevel != "DEBUG" || *l.SystemLogLevel != "WARN" {
		t.Errorf("got %s", shape(t, l))
	}
	must(h.UpdateFunctionConfiguration(as(t), &lambdaapi.UpdateFunctionConfigurationRequest{
		FunctionName: wire.Ptr("example"), LoggingConfig: &lambdaapi.LoggingConfig{LogFormat: wire.Ptr("Text"), LogGroup: wire.Ptr("mine")},
	}))(t)
	if l := h.get(t, "").LoggingConfig; *l.LogFormat != "Text" || l.ApplicationLogLevel != nil || *l.LogGroup != "mine" {
		t.Errorf("got %s", shape(t, l))
	}
}

func TestCodeFromS3(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t, func(in *lambdaapi.CreateFunctionRequest) {
		in.Runtime = wire.Ptr("python2.7")
		in.Code = &lambdaapi.FunctionCode{S3Bucket: wire.Ptr("code"), S3Key: wire.Ptr("v1.zip"), S3ObjectVersion: wire.Ptr("7")}
	})
	if got := h.get(t, ""); *got.CodeSize != int64(len(archive(map[string]string{"from.py": account + "7"}))) {
		t.Errorf("CodeSize is %d", *got.CodeSize)
	}
}

func TestUpdatesAnswerInProgressAndChangeRevisionTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	before := h.get(t, "")
	answer := must(h.UpdateFunctionConfiguration(as(t), &lambdaapi.UpdateFunctionConfigurationRequest{FunctionName: wire.Ptr("example")}))(t)
	if *answer.State != "Active" || *answer.LastUpdateStatus != "InProgress" || *answer.LastUpdateStatusReason != "The function is being created." || *answer.LastUpdateStatusReasonCode != "Creating" {
		t.Errorf("got %s", shape(t, answer))
	}
	after := h.get(t, "")
	if *after.LastUpdateStatus != "Successful" || after.LastUpdateStatusReason != nil {
		t.Errorf("got %s", shape(t, after))
	}
	seen := map[string]bool{*before.RevisionId: true, *answer.RevisionId: true, *after.RevisionId: true}
	if len(seen) != 3 {
		t.Errorf("revisions %v", seen)
	}
	_, err := h.UpdateFunctionConfiguration(as(t), &lambdaapi.UpdateFunctionConfigurationRequest{FunctionName: wire.Ptr("example"), RevisionId: before.RevisionId})
	wantError(t, err, "PreconditionFailedException: The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
}

func TestUpdateConfigurationChangesOnlyWhatIsSet(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t, func(in *lambdaapi.CreateFunctionRequest) {
		in.Environment = &lambdaapi.Environment{Variables: map[string]string{"A": "1"}}
	})
	must(h.UpdateFunctionConfiguration(as(t), &lambdaapi.UpdateFunctionConfigurationRequest{
		FunctionName: wire.Ptr("example"), Timeout: wire.Ptr(int64(30)), Runtime: wire.Ptr("python2.7"), Description: wire.Ptr("new"),
	}))(t)
	c := h.get(t, "")
	if *c.Timeout != 30 || *c.Runtime != "python2.7" || *c.Description != "new" || c.Environment.Variables["A"] != "1" || *c.Handler != "handler.main" {
		t.Errorf("got %s", shape(t, c))
	}
	must(h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example")}))(t)
	if spec := h.engine.specs[0]; spec.Timeout != 30*time.Second || spec.Runtime != "python2.7" || spec.Environment["A"] != "1" {
		t.Errorf("the engine got %+v", spec)
	}
	h.missingRole = true
	_, err := h.UpdateFunctionConfiguration(as(t), &lambdaapi.UpdateFunctionConfigurationRequest{FunctionName: wire.Ptr("example"), Role: wire.Ptr(role)})
	wantError(t, err, "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda.")
}

func TestUpdateCode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	before := h.get(t, "")
	dry := must(h.UpdateFunctionCode(as(t), &lambdaapi.UpdateFunctionCodeRequest{FunctionName: wire.Ptr("example"), ZipFile: code("two"), DryRun: wire.Ptr(true)}))(t)
	if *dry.CodeSha256 == *before.CodeSha256 {
		t.Error("the dry run doesn't show the new code")
	}
	if now := h.get(t, ""); *now.CodeSha256 != *before.CodeSha256 || *now.RevisionId != *before.RevisionId {
		t.Error("the dry run changed the function")
	}
	published := must(h.UpdateFunctionCode(as(t), &lambdaapi.UpdateFunctionCodeRequest{FunctionName: wire.Ptr("example"), ZipFile: code("two"), Publish: wire.Ptr(true)}))(t)
	if *published.FunctionArn != fnARN+":1" || *published.Version != "1" || *published.State != "Pending" || published.LastUpdateStatus != nil || *published.CodeSha256 != *dry.CodeSha256 {
		t.Errorf("got %s", shape(t, published))
	}
	_, err := h.UpdateFunctionCode(as(t), &lambdaapi.UpdateFunctionCodeRequest{FunctionName: wire.Ptr("none"), ZipFile: code("two")})
	wantError(t, err, "ResourceNotFoundException: Function not found: arn:aws:lambda:eu-west-1:123456789012:function:none")
}

func TestAChangeRetiresTheOldSandboxesAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	h.publish(t)
	invoke := func() string {
		must(h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example")}))(t)
		return h.engine.specs[len(h.engine.specs)-1].ID
	}
	first := invoke()
	must(h.AddPermission(as(t), &lambdaapi.AddPermissionRequest{FunctionName: wire.Ptr("example"), StatementId: wire.Ptr("s"), Action: wire.Ptr("lambda:InvokeFunction"), Principal: wire.Ptr("apigateway.amazonaws.com")}))(t)
	must(h.PutFunctionConcurrency(as(t), &lambdaapi.PutFunctionConcurrencyRequest{FunctionName: wire.Ptr("example"), ReservedConcurrentExecutions: wire.Ptr(int64(5))}))(t)
	if invoke() != first || len(h.engine.retired) != 0 {
		t.Errorf("sandboxes %v were retired though the code is the same", h.engine.retired)
	}
	if h.engine.specs[1].Concurrency != 5 {
		t.Errorf("the reservation reached the engine as %d", h.engine.specs[1].Concurrency)
	}
	h.updateCode(t, "two")
	if invoke() == first || !slices.Equal(h.engine.retired, []string{first}) {
		t.Errorf("an update of $LATEST retired %v", h.engine.retired)
	}
	must(h.DeleteFunction(as(t), &lambdaapi.DeleteFunctionRequest{FunctionName: wire.Ptr("example")}))(t)
	if len(h.engine.retired) != 3 {
		t.Errorf("deleting retired %v", h.engine.retired)
	}
}

func TestFunctionNames(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	h.publish(t)
	get := func(name, qualifier string) (*lambdaapi.FunctionConfiguration, error) {
		in := &lambdaapi.GetFunctionConfigurationRequest{FunctionName: &name}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		return h.GetFunctionConfiguration(as(t), in)
	}
	for _, tc := range [][3]string{
		{"example", "", fnARN}, {"example:1", "", fnARN + ":1"}, {"example", "$LATEST", fnARN + ":$LATEST"}, {"example:$LATEST", "", fnARN + ":$LATEST"},
		{"123456789012:function:example", "", fnARN}, {"123456789012:function:example:1", "", fnARN + ":1"}, {"function:example", "", fnARN},
		{fnARN, "1", fnARN + ":1"}, {fnARN + ":1", "1", fnARN + ":1"},
	} {
		c, err := get(tc[0], tc[1])
		if err != nil {
			t.Errorf("%s, %q: %v", tc[0], tc[1], err)
		} else if *c.FunctionArn != tc[2] {
			t.Errorf("%s, %q: %s, want %s", tc[0], tc[1], *c.FunctionArn, tc[2])
		}
	}
	for _, tc := range [][3]string{
		{"example:1", "2", "InvalidParameterValueException: The derived qualifier from the function name does not match the specified qualifier."},
		{"none", "", "ResourceNotFoundException: Function not found: arn:aws:lambda:eu-west-1:123456789012:function:none"},
		{"example", "7", "ResourceNotFoundException: Function not found: " + fnARN + ":7"},
		{"example", "live", "ResourceNotFoundException: Function not found: " + fnARN + ":live"},
		{"arn:aws:lambda:us-west-2:123456789012:function:example", "", "ResourceNotFoundException: Functions from 'us-west-2' are not reachable in this region ('eu-west-1')"},
		{"999999999999:function:example", "", "AccessDeniedException: User: arn:aws:iam::123456789012:root is not authorized to access this resource: arn:aws:lambda:eu-west-1:999999999999:function:example"},
	} {
		_, err := get(tc[0], tc[1])
		wantError(t, err, tc[2])
	}
}

func TestARestartPublishesEverythingAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	h.publish(t)
	must(h.CreateAlias(as(t), &lambdaapi.CreateAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("live"), FunctionVersion: wire.Ptr("1")}))(t)
	must(h.AddPermission(as(t), &lambdaapi.AddPermissionRequest{FunctionName: wire.Ptr("example"), Qualifier: wire.Ptr("live"), StatementId: wire.Ptr("s"), Action: wire.Ptr("lambda:InvokeFunction"), Principal: wire.Ptr("apigateway.amazonaws.com")}))(t)
	h.updateCode(t, "two")
	h.updateCode(t, "three") // nobody uses "two" any more
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.open(t)
	out, err := h.Call(t.Context(), &catalog.Call{FunctionARN: fnARN + ":live", Principal: "apigateway.amazonaws.com"}, false)
	if err != nil || out.ExecutedVersion != "1" {
		t.Fatalf("%+v, %v", out, err)
	}
	spec := h.engine.specs[0]
	if spec.CodeDir == "" || spec.Version != "1" {
		t.Errorf("the engine got %+v", spec)
	}
	var kept int
	for _, v := range []string{"one", "two", "three"} {
		if _, err := h.UpdateFunctionCode(as(t), &lambdaapi.UpdateFunctionCodeRequest{FunctionName: wire.Ptr("example"), ZipFile: code(v)}); err == nil {
			kept++
		}
	}
	if kept != 3 {
		t.Errorf("%d of 3 uploads went through after the restart", kept)
	}
}

func (*world) Queue(func() string, string) poll.Queue   { return nil }
func (*world) Stream(func() string, string) poll.Stream { return nil }

func (*world) CheckQueue(_ context.Context, _, queue string) (exists, may bool, visibility time.Duration) {
	return !strings.Contains(queue, "missing"), !strings.Contains(queue, "closed"), 30 * time.Second
}

func (*world) CheckStream(_ context.Context, _, stream string) (exists, may bool) {
	return !strings.Contains(stream, "missing"), !strings.Contains(stream, "closed")
}
