package s3_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
)

const stateConfig = `
terraform {
  backend "s3" {
    bucket         = "code"
    key            = "env/prod.tfstate"
    region         = "us-east-1"
    use_lockfile   = true
    encrypt        = true
    use_path_style = true
    endpoints      = { s3 = %q }

    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
  }
}

resource "terraform_data" "it" {
  input = %q
}
`

// TestTerraformState keeps Terraform's state in a bucket, with S3's own lock.
func TestTerraformState(t *testing.T) {
	t.Parallel()
	if exec.Command("terraform", "version").Run() != nil {
		t.Skip("needs terraform")
	}
	r := newRig(t)
	must[*s3api.CreateBucketOutput](t)(r.CreateBucket(r.ctx, &s3api.CreateBucketRequest{Bucket: wire.Ptr("code")}))
	must1(t, r.PutBucketVersioning(r.ctx, &s3api.PutBucketVersioningRequest{
		Bucket: wire.Ptr("code"), VersioningConfiguration: &s3api.VersioningConfiguration{Status: wire.Ptr("Enabled")},
	}))
	dir, endpoint := t.TempDir(), r.serve(t)
	terraform := func(input string, args ...string) (string, error) {
		return runTerraform(t, dir, fmt.Sprintf(stateConfig, endpoint, input), args...)
	}
	for _, args := range [][]string{{"init", "-input=false", "-no-color"}, {"apply", "-auto-approve", "-no-color"}} {
		if out, err := terraform("one", args...); err != nil {
			t.Fatalf("terraform %v: %v\n%s", args, err, out)
		}
	}
	state, err := r.ReadObject(t.Context(), account, "code", "env/prod.tfstate", "")
	if err != nil || !strings.Contains(string(state), `"one"`) {
		t.Fatalf("state %s, %v", state, err)
	}
	if _, err := r.ReadObject(t.Context(), account, "code", "env/prod.tfstate.tflock", ""); err == nil {
		t.Error("the lock is still held after apply")
	}
	r.put(t, "env/prod.tfstate.tflock", `{"ID":"someone","Who":"else"}`)
	if out, err := terraform("two", "apply", "-auto-approve", "-no-color"); err == nil || !strings.Contains(out, "Error acquiring the state lock") {
		t.Errorf("apply over somebody's lock: %v\n%s", err, out)
	}
	must[*s3api.DeleteObjectOutput](t)(r.DeleteObject(r.ctx, &s3api.DeleteObjectRequest{Bucket: wire.Ptr("code"), Key: wire.Ptr("env/prod.tfstate.tflock")}))
	if out, err := terraform("two", "apply", "-auto-approve", "-no-color"); err != nil {
		t.Errorf("apply after the lock was released: %v\n%s", err, out)
	}
}

func runTerraform(t *testing.T, dir, config string, args ...string) (string, error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("terraform", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY=x", "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func must1(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
