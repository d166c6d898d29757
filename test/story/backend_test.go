package story

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// TestTerraformBackend keeps Terraform's state in S3 with its lock file, and
// a function's code too.
func TestTerraformBackend(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "terraform")
	s := harness.Start(t)
	s.AWS(t, nil, "s3api", "create-bucket", "--bucket", "state")
	s.AWS(t, nil, "s3api", "put-bucket-versioning", "--bucket", "state", "--versioning-configuration", "Status=Enabled")
	code := harness.Zip(t, map[string]string{"bootstrap": "#!/bin/sh\n"})
	s.AWS(t, nil, "s3api", "put-object", "--bucket", "state", "--key", "code.zip", "--body", code)

	tf := s.Terraform(t, "testdata/backend", nil)
	tf.Apply()
	var keys []string
	s.AWS(t, &keys, "s3api", "list-objects-v2", "--bucket", "state", "--query", "Contents[].Key")
	if got, want := strings.Join(keys, " "), "code.zip env/terraform.tfstate"; got != want {
		t.Errorf("objects %q, want %q: the state, and no lock", got, want)
	}
	if state := s.Run(t, "", "aws", "s3", "cp", "s3://state/env/terraform.tfstate", "-"); !strings.Contains(state, `"type": "aws_lambda_function"`) {
		t.Errorf("the state in S3 is not Terraform's:\n%s", state)
	}

	// Somebody else holds the lock.
	lock := harness.Zip(t, map[string]string{"any": "file"})
	s.AWS(t, nil, "s3api", "put-object", "--bucket", "state", "--key", "env/terraform.tfstate.tflock", "--body", lock)
	_, errText, err := s.Try(tf.Dir, "terraform", "apply", "-auto-approve", "-input=false", "-no-color")
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || !strings.Contains(errText, "Error acquiring the state lock") {
		t.Errorf("an apply over somebody's lock: %v\n%s", err, errText)
	}
	s.AWS(t, nil, "s3api", "delete-object", "--bucket", "state", "--key", "env/terraform.tfstate.tflock")
	tf.PlanIsEmpty()
}
