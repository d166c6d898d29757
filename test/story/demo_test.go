package story

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/test/harness"
)

// told are the answers in the demo's story, in order: staging, then
// production with nobody in it, then each release.
var told = []string{
	`200 {"id": "ada", "name": "Ada"}`,
	`200 {"id": "ada", "name": "Ada"}`,
	`400 {"error": "there is no user nobody"}`,
	`"1"`,
	`400 {"error": "there is no user ada"}`,
	`200 {"id": "ada", "name": "Ada"}`,
	`200 {"id": "ada", "name": "Ada", "greeting": "Hello, Ada!"}`,
	`200 {"id": "ada", "name": "Ada"}`,
	`"2"`,
	`200 {"id": "ada", "name": "Ada", "greeting": "Hello, Ada!"}`,
	`200 {"id": "ada", "name": "Ada", "greeting": "Hello, Ada!"}`,
	`200 {"id": "ada", "name": "Ada", "greeting": "Hello, Ada!"}`,
	`200 {"id": "ada", "name": "Ada"}`,
}

// applied is what Terraform has to do for each step, and nothing else: a
// release changes an alias, new code the function.
var applied = []string{
	"33 added, 0 changed, 0 destroyed",
	"0 added, 1 changed, 0 destroyed",
	"0 added, 1 changed, 0 destroyed",
	"0 added, 1 changed, 0 destroyed",
	"0 added, 1 changed, 0 destroyed",
}

var complete = regexp.MustCompile(`Apply complete! Resources: (.*)\.`)

var answer = regexp.MustCompile(`(?m)^  (\d{3} .*|"\d+")$`)

// TestDemo runs `butai demo` to its end, with each of its deployers.
func TestDemo(t *testing.T) {
	t.Parallel()
	harness.Python(t)
	for name, deployer := range map[string]struct {
		args    []string
		applied []string
	}{
		"built in":  {[]string{"--no-terraform"}, nil},
		"terraform": {nil, applied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "terraform" {
				harness.Tool(t, "terraform")
			}
			cmd := exec.CommandContext(t.Context(), harness.Binary(t), append([]string{"demo", "--once", "--listen", "127.0.0.1:0"}, deployer.args...)...)
			cmd.Env = os.Environ()
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("butai demo: %v\n%s", err, out)
			}
			if diff := cmp.Diff(deployer.applied, matches(complete, out)); diff != "" {
				t.Errorf("what Terraform did (-want +got):\n%s\n%s", diff, out)
			}
			if diff := cmp.Diff(told, matches(answer, out)); diff != "" {
				t.Errorf("answers (-want +got):\n%s\n%s", diff, out)
			}
		})
	}
}

// matches are the first groups of all matches.
func matches(pattern *regexp.Regexp, text []byte) (found []string) {
	for _, m := range pattern.FindAllSubmatch(text, -1) {
		found = append(found, string(m[1]))
	}
	return found
}
