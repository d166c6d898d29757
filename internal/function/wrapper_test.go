package function

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/function/sandbox"
)

func TestWrappers(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	layer := t.TempDir()
	script := "#!/bin/sh\nexport WRAPPED=\"$1\" _HANDLER=main.other\nexec \"$@\"\n"
	for name, mode := range map[string]os.FileMode{"wrapper": 0o755, "text": 0o644} {
		if err := os.WriteFile(filepath.Join(layer, name), []byte(script), mode); err != nil {
			t.Fatal(err)
		}
	}
	with := func(runtime, wrapper string, files map[string]string) *Spec {
		spec := r.function(t, runtime, "main.handler", files)
		spec.Layers, spec.Environment, spec.Timeout = []string{layer}, map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": wrapper}, 10*time.Second
		return spec
	}
	python := map[string]string{"main.py": "import os\ndef other(e, c):\n    return os.environ['WRAPPED']\n"}
	want(t, "Python", string(r.call(t, with("python3.11", "/opt/wrapper", python), `{}`).Payload), `"/var/lang/bin/python3.11"`)
	node := map[string]string{"main.js": "exports.other = async () => process.env.WRAPPED\n"}
	want(t, "Node.js", string(r.call(t, with("nodejs20.x", "/opt/wrapper", node), `{}`).Payload), `"/var/lang/bin/node"`)
	for wrapper, status := range map[string]string{"/opt/none": "127", "/opt/text": "126"} {
		res := r.call(t, with("python3.11", wrapper, python), `{}`)
		payload := regexp.MustCompile(`^{"errorType":"Runtime.ExitError","errorMessage":"RequestId: [0-9a-f-]{36} Error: Runtime exited with error: exit status ` + status + `"}$`)
		if !payload.Match(res.Payload) {
			t.Errorf("%s: payload %s", wrapper, res.Payload)
		}
	}
}

// TestLimits checks the resource limits that a Python function sees on Lambda
// (recorded), but for core files, which butai lets nobody write.
func TestLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, `
from resource import *
def handler(event, context):
    return [getrlimit(r) for r in (RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_STACK, RLIMIT_MEMLOCK, RLIMIT_CPU, RLIMIT_AS, RLIMIT_CORE)]
`)
	processes := "742"
	if level, err := r.host.Level(); err == nil && level == sandbox.Restricted {
		processes = `\d+` // it counts what else the server's user runs
	}
	limits := regexp.MustCompile(`^\[\[1024, 1024\], \[` + processes + `, ` + processes + `\], \[8388608, -1\], \[65536, 65536\], \[-1, -1\], \[-1, -1\], \[0, 0\]\]$`)
	if got := r.call(t, spec, `{}`).Payload; !limits.Match(got) {
		t.Errorf("limits %s", got)
	}
}

// TestIntrospection is what a function finds out about its environment
// (recorded), but for the owner of /var/task, which here is root, and the numbers
// of users.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.python(t, `
import getpass, os, platform, pwd, stat
def look(path):
    s = os.stat(path)
    return [stat.filemode(s.st_mode), pwd.getpwuid(s.st_uid).pw_name]
def handler(event, context):
    return [getpass.getuser(), pwd.getpwuid(os.getuid()).pw_name, platform.system(), os.getcwd(),
            look('/var/task')[0], look('/opt')] + [look('/tmp')]
`)
	want(t, "environment", string(r.call(t, spec, `{}`).Payload),
		`["sbx_user1051", "sbx_user1051", "Linux", "/var/task", "drwxr-xr-x", ["drwxr-xr-x", "root"], ["drwx------", "sbx_user1051"]]`)
}
