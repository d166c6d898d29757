package story

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
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

var answer = regexp.MustCompile(`(?m)^  (\d{3} .*|"\d+")$`)

// TestDemo runs `butai demo` to its end, with each of its deployers.
func TestDemo(t *testing.T) {
	t.Parallel()
	harness.Python(t)
	for name, deployer := range map[string]struct {
		args  []string
		shows string
	}{
		"built in":  {[]string{"--no-terraform"}, "done here by butai's own deployer"},
		"terraform": {nil, "Apply complete! Resources: 33 added"},
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
			if !strings.Contains(string(out), deployer.shows) {
				t.Errorf("the demo does not say %q:\n%s", deployer.shows, out)
			}
			var got []string
			for _, m := range answer.FindAllStringSubmatch(string(out), -1) {
				got = append(got, m[1])
			}
			if diff := cmp.Diff(told, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s\n%s", diff, out)
			}
		})
	}
}
