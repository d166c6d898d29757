package provided

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/butai-dev/butai/test/harness"
)

// login returns the credentials that docker login would store.
func login(t *testing.T, s *harness.Server) remote.Option {
	t.Helper()
	harness.Tool(t, "aws")
	password := strings.TrimSpace(s.Run(t, "", "aws", "ecr", "get-login-password"))
	return remote.WithAuth(&authn.Basic{Username: "AWS", Password: password})
}

// reply is what testdata/lambdago answers.
type reply struct {
	Greeting, Dir, Edition string
	Args                   []string
}

func call(t *testing.T, url string) reply {
	t.Helper()
	status, body := harness.Post(t, url, `{"Name": "api"}`)
	var r reply
	if err := json.Unmarshal([]byte(body), &r); err != nil || status != 200 {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	return r
}

// TestECR is the way of a team with images: Terraform makes the repository, an
// image is pushed, Terraform makes the function and an API before it, and later
// gives it another image.
func TestECR(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := harness.Start(t, "--data-dir", dir)
	tf := s.Terraform(t, "testdata/ecr", nil)
	tf.Apply("-target=aws_ecr_repository.app")
	auth := login(t, s)
	program := layer(t, map[string]content{"app/main": {0o755, build(t, runtime.GOARCH)}})
	one := assemble(t, v1.Config{Entrypoint: []string{"/app/main"}, Cmd: []string{"unused"}, Env: []string{"EDITION=one"}}, program)
	repository := tf.Output("repository")
	digest := push(t, repository+":v1", one, auth)
	tf.Apply()
	tf.PlanIsEmpty()
	if got, version := tf.Output("digest"), tf.Output("version"); got != "sha256:"+digest || version != "1" {
		t.Errorf("digest %s, version %s; want %s and 1", got, version, digest)
	}
	api := tf.Output("api")
	if got := call(t, s.API(api, "prod")); got.Greeting != "hello api" || got.Edition != "one" || got.Dir != "/app" || !slices.Equal(got.Args, []string{"hello"}) {
		t.Errorf("got %+v", got)
	}

	two := assemble(t, v1.Config{Entrypoint: []string{"/app/main"}, Env: []string{"EDITION=two"}}, program)
	ref, err := name.ParseReference(repository + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, two, auth); !isCode(err, transport.ErrorCode("TAG_INVALID")) {
		t.Errorf("an immutable tag was pushed again: %v", err)
	}
	push(t, repository+":v2", two, auth)
	tf.Set(map[string]string{"tag": "v2", "greeting": "hi", "description": "two"})
	tf.Apply()
	tf.PlanIsEmpty()
	if got := call(t, s.API(api, "prod")); got.Edition != "two" || !slices.Equal(got.Args, []string{"hi"}) {
		t.Errorf("after the update: %+v", got)
	}
	old := filepath.Join(t.TempDir(), "out")
	s.AWS(t, nil, "lambda", "invoke", "--function-name", "from-image", "--qualifier", "1", "--payload", `{"Name": "x"}`, old)
	if text, err := os.ReadFile(old); err != nil || !strings.Contains(string(text), `"Edition":"one"`) {
		t.Errorf("version 1 says %s, %v", text, err)
	}
	importImage(t, s)
	// What was acknowledged outlives a crash, and images don't need their
	// registry any more.
	s.Kill()
	s = harness.Start(t, "--data-dir", dir, "--listen", strings.TrimPrefix(s.URL, "http://"))
	if got := call(t, s.API(api, "prod")); got.Edition != "two" {
		t.Errorf("after a crash: %+v", got)
	}
	if _, err := remote.Image(ref, auth); err != nil {
		t.Errorf("after a crash the registry says %v", err)
	}
	tf.Destroy()
	s.Stop(t)
	harness.Start(t, "--data-dir", dir).Stop(t)
	for _, rest := range []string{"images/unpacked/*", "images/tmp/*", "ecr/blobs/*", "ecr/uploads/*"} {
		if found, _ := filepath.Glob(filepath.Join(dir, rest)); len(found) > 0 {
			t.Errorf("left behind: %v", found)
		}
	}
}

func isCode(err error, code transport.ErrorCode) bool {
	failed, ok := errors.AsType[*transport.Error](err)
	return ok && len(failed.Errors) == 1 && failed.Errors[0].Code == code
}

// importImage plans to import the repository and the function into a fresh
// state.
func importImage(t *testing.T, s *harness.Server) {
	t.Helper()
	fresh := s.Terraform(t, "testdata/ecr", map[string]string{"tag": "v2", "greeting": "hi", "description": "two"})
	fresh.Write("import.tf", `
import {
  to = aws_ecr_repository.app
  id = "team/app"
}
import {
  to = aws_ecr_repository_policy.app
  id = "team/app"
}
import {
  to = aws_lambda_function.app
  id = "from-image"
}
`)
	plan := fresh.Plan()
	if !strings.Contains(plan, "Plan: 3 to import") || strings.Contains(plan, "must be replaced") || strings.Contains(plan, "~ image_uri") {
		t.Errorf("importing: %s", plan)
	}
}
