package harness

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// Terraform is a working directory of the real terraform.
type Terraform struct {
	t      testing.TB
	server *Server
	Dir    string
	vars   []string
	env    []string
}

// settled are configurations that terraform init does more for than to find
// the provider.
var settled = regexp.MustCompile(`(?m)^\s*(backend|module)\s+"`)

// Terraform copies the configuration in source into a new working directory
// and makes it ready. BUTAI_TF_PLUGIN_DIR names a folder of providers to use
// instead of downloading them: in place, so that no command has to check the
// sum of the provider's 700 MB.
func (s *Server) Terraform(t testing.TB, source string, vars map[string]string) *Terraform {
	t.Helper()
	Tool(t, "terraform")
	// Much of what a command allocates is schemas of resources; it ends before
	// collecting them would be of any use.
	tf := &Terraform{t: t, server: s, Dir: t.TempDir(), env: []string{"GOGC=off", "GOMEMLIMIT=1GiB"}}
	if err := os.CopyFS(tf.Dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	tf.Set(vars)
	plugins := os.Getenv("BUTAI_TF_PLUGIN_DIR")
	switch {
	case plugins == "":
		tf.run("init", "-input=false", "-no-color")
	case tf.needsInit():
		tf.run("init", "-input=false", "-no-color", "-plugin-dir="+plugins)
	default:
		tf.override(plugins)
	}
	return tf
}

func (tf *Terraform) needsInit() bool {
	tf.t.Helper()
	files, err := filepath.Glob(filepath.Join(tf.Dir, "*.tf"))
	if err != nil {
		tf.t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tf.t.Fatal(err)
		}
		if settled.Match(text) {
			return true
		}
	}
	return false
}

// override has terraform run the AWS provider where it is.
func (tf *Terraform) override(plugins string) {
	tf.t.Helper()
	found, err := filepath.Glob(filepath.Join(plugins, "*/hashicorp/aws/*", runtime.GOOS+"_"+runtime.GOARCH))
	if err != nil || len(found) == 0 {
		tf.t.Fatalf("no AWS provider below %s: %v", plugins, err)
	}
	config := filepath.Join(tf.t.TempDir(), "terraform.rc")
	text := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"hashicorp/aws\" = %q\n  }\n}\n", found[len(found)-1])
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		tf.t.Fatal(err)
	}
	tf.env = append(tf.env, "TF_CLI_CONFIG_FILE="+config)
}

// Env is the environment for others that run terraform here.
func (tf *Terraform) Env() []string { return append(tf.server.Env(), tf.env...) }

// Set adds variables, replacing those of the same name.
func (tf *Terraform) Set(vars map[string]string) {
	for name, value := range vars {
		tf.vars = append(tf.vars, "-var", name+"="+value)
	}
}

// Apply applies the configuration.
func (tf *Terraform) Apply(args ...string) string {
	tf.t.Helper()
	return tf.run(append(append([]string{"apply", "-auto-approve", "-input=false", "-no-color"}, tf.vars...), args...)...)
}

// PlanIsEmpty fails the test if a plan would change anything.
func (tf *Terraform) PlanIsEmpty() {
	tf.t.Helper()
	args := append([]string{"plan", "-detailed-exitcode", "-input=false", "-no-color"}, tf.vars...)
	out, errText, err := tf.server.try(tf.env, tf.Dir, "terraform", args...)
	if err != nil {
		tf.t.Fatalf("the plan is not empty: %v\n%s%s", err, out, errText)
	}
}

// Plan returns the text of a plan.
func (tf *Terraform) Plan() string {
	tf.t.Helper()
	return tf.run(append([]string{"plan", "-input=false", "-no-color"}, tf.vars...)...)
}

// SavePlan writes a plan to a file.
func (tf *Terraform) SavePlan(path string) {
	tf.t.Helper()
	tf.run(append([]string{"plan", "-input=false", "-no-color", "-out=" + path}, tf.vars...)...)
}

// Destroy destroys everything.
func (tf *Terraform) Destroy() {
	tf.t.Helper()
	tf.run(append([]string{"destroy", "-auto-approve", "-input=false", "-no-color"}, tf.vars...)...)
}

// stateFile is what terraform writes beside a configuration without a backend:
// version 4 of its format.
type stateFile struct {
	Version   int
	Outputs   map[string]struct{ Value json.RawMessage }
	Resources []struct {
		Mode, Type, Name string
		Instances        []struct {
			Key        json.RawMessage `json:"index_key"`
			Attributes map[string]json.RawMessage
		}
	}
}

// read reads the state as it is on the disk, which is quicker than to ask
// terraform, who asks the provider for its schemas first.
func (tf *Terraform) read() *stateFile {
	tf.t.Helper()
	text, err := os.ReadFile(filepath.Join(tf.Dir, "terraform.tfstate"))
	if err != nil {
		tf.t.Fatal(err)
	}
	s := &stateFile{}
	if err := json.Unmarshal(text, s); err != nil || s.Version != 4 {
		tf.t.Fatalf("state of version %d: %v", s.Version, err)
	}
	return s
}

// Output returns an output value that is a string.
func (tf *Terraform) Output(name string) string {
	tf.t.Helper()
	var value string
	if err := json.Unmarshal(tf.read().Outputs[name].Value, &value); err != nil {
		tf.t.Fatalf("output %s: %v", name, err)
	}
	return strings.TrimSpace(value)
}

// Resource is one managed resource of the state.
type Resource struct {
	Address, Type string
	Values        map[string]json.RawMessage
}

// String returns a string attribute.
func (r Resource) String(name string) string {
	var s string
	_ = json.Unmarshal(r.Values[name], &s)
	return s
}

// State returns the managed resources.
func (tf *Terraform) State() []Resource {
	tf.t.Helper()
	var out []Resource
	for _, r := range tf.read().Resources {
		if r.Mode != "managed" {
			continue
		}
		for _, instance := range r.Instances {
			address := r.Type + "." + r.Name
			if instance.Key != nil {
				address += "[" + string(instance.Key) + "]"
			}
			out = append(out, Resource{Address: address, Type: r.Type, Values: instance.Attributes})
		}
	}
	return out
}

// Write puts a file into the working directory.
func (tf *Terraform) Write(name, text string) {
	tf.t.Helper()
	if err := os.WriteFile(filepath.Join(tf.Dir, name), []byte(text), 0o644); err != nil {
		tf.t.Fatal(err)
	}
}

func (tf *Terraform) run(args ...string) string {
	tf.t.Helper()
	out, errText, err := tf.server.try(tf.env, tf.Dir, "terraform", args...)
	if err != nil {
		tf.t.Fatalf("terraform %s: %v\n%s%s", args[0], err, out, errText)
	}
	return out
}
