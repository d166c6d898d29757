package harness

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Terraform is a working directory of the real terraform.
type Terraform struct {
	t      testing.TB
	server *Server
	Dir    string
	vars   []string
}

// Terraform copies the configuration in source into a new working directory
// and initialises it. BUTAI_TF_PLUGIN_DIR names a folder of providers to use
// instead of downloading them.
func (s *Server) Terraform(t testing.TB, source string, vars map[string]string) *Terraform {
	t.Helper()
	Tool(t, "terraform")
	tf := &Terraform{t: t, server: s, Dir: t.TempDir()}
	if err := os.CopyFS(tf.Dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	tf.Set(vars)
	args := []string{"init", "-input=false", "-no-color"}
	if plugins := os.Getenv("BUTAI_TF_PLUGIN_DIR"); plugins != "" {
		args = append(args, "-plugin-dir="+plugins)
	}
	tf.run(args...)
	return tf
}

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
	out, errText, err := tf.server.Try(tf.Dir, "terraform", args...)
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

// Output returns an output value that is a string.
func (tf *Terraform) Output(name string) string {
	tf.t.Helper()
	return strings.TrimSpace(tf.run("output", "-raw", "-no-color", name))
}

// Resource is one managed resource of the state.
type Resource struct {
	Address, Type string
	Mode          string
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
	var state struct {
		Values struct {
			RootModule struct{ Resources []Resource } `json:"root_module"`
		}
	}
	if err := json.Unmarshal([]byte(tf.run("show", "-json")), &state); err != nil {
		tf.t.Fatal(err)
	}
	var out []Resource
	for _, r := range state.Values.RootModule.Resources {
		if r.Mode == "managed" {
			out = append(out, r)
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
	out, errText, err := tf.server.Try(tf.Dir, "terraform", args...)
	if err != nil {
		tf.t.Fatalf("terraform %s: %v\n%s%s", args[0], err, out, errText)
	}
	return out
}
