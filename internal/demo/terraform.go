package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// pluginDirVariable names a folder of Terraform providers to use instead of
// downloading them.
const pluginDirVariable = "BUTAI_TF_PLUGIN_DIR"

// pickDeployer takes terraform if it is installed and gets its provider.
func (s *story) pickDeployer(ctx context.Context) deployer {
	if !s.Plain {
		if _, err := exec.LookPath("terraform"); err == nil {
			tf := &terraform{story: s}
			if err := tf.init(ctx); err == nil {
				return tf
			}
			fmt.Fprintln(s.Out, "terraform is installed but gets no AWS provider; deploying through the AWS APIs instead")
			return &builtin{story: s}
		}
		fmt.Fprintln(s.Out, "terraform is not installed; deploying through the AWS APIs instead")
	}
	return &builtin{story: s}
}

// terraform deploys with the real one.
type terraform struct{ *story }

func (t *terraform) init(ctx context.Context) error {
	args := []string{"init", "-input=false", "-no-color"}
	if dir := os.Getenv(pluginDirVariable); dir != "" {
		args = append(args, "-plugin-dir="+dir)
	}
	_, err := t.run(ctx, args...)
	return err
}

func (t *terraform) command(s settings) string {
	return "terraform apply " + strings.Join(t.vars(s), " ")
}

func (t *terraform) vars(s settings) []string {
	vars := []string{"-var", "production_version=" + s.productionVersion}
	if t.Runtime != "" {
		vars = append(vars, "-var", "runtime="+t.Runtime)
	}
	return vars
}

func (t *terraform) deploy(ctx context.Context, s settings) (string, error) {
	out, err := t.run(ctx, append([]string{"apply", "-auto-approve", "-input=false", "-no-color"}, t.vars(s)...)...)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "Apply complete!") {
			fmt.Fprintf(t.Out, "  %s", line)
		}
	}
	raw, err := t.run(ctx, "output", "-json")
	if err != nil {
		return "", err
	}
	var outputs struct{ API struct{ Value string } }
	err = json.Unmarshal([]byte(raw), &outputs)
	return outputs.API.Value, err
}

func (t *terraform) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "terraform", args...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+t.URL, "AWS_ACCESS_KEY_ID="+t.Account, "AWS_SECRET_ACCESS_KEY=butai",
		"AWS_SESSION_TOKEN=", "AWS_REGION="+t.Region, "AWS_PROFILE=", "TF_IN_AUTOMATION=1")
	var out, errText bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errText
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("terraform %s: %w\n%s%s", args[0], err, out.Bytes(), errText.Bytes())
	}
	return out.String(), nil
}
