package function

import (
	"fmt"

	"github.com/butai-dev/butai/internal/function/runtimes"
)

// rubyArgs name the encoding that the host may lack the locale for.
func rubyArgs(*Spec) []string { return []string{"-EUTF-8"} }

// rubyEnv is as recorded from AWS. The bootstrap takes LC_CTYPE away again,
// which is only there for the interpreter to take variables for UTF-8.
func rubyEnv(spec *Spec, i *runtimes.Interpreter, at places) map[string]string {
	abi := i.Runtime.Version + ".0"
	env := map[string]string{
		"AWS_EXECUTION_ENV": executionEnv(spec), "PWD": at.task, "SHLVL": "0",
		"GEM_HOME": at.runtime,
		"GEM_PATH": fmt.Sprintf("%[1]s/vendor/bundle/ruby/%[4]s:%[2]s/ruby/gems/%[4]s:%[3]s:%[3]s/ruby/%[4]s", at.task, at.opt, at.runtime, abi),
		"RUBYLIB":  fmt.Sprintf("%[1]s:%[3]s/lib:%[2]s/ruby/lib", at.task, at.opt, at.runtime),
	}
	if _, own := spec.Environment["LC_CTYPE"]; !own {
		env["LC_CTYPE"], env["BUTAI_CTYPE"] = "C.UTF-8", "1"
	}
	return env
}
