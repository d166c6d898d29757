package provided

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/butai-dev/butai/test/harness"
)

// python finds out where this machine's Python keeps what it is made of.
func python(t *testing.T) (program, library, version string) {
	t.Helper()
	for _, name := range []string{"python3.11", "python3", "python3.12", "python3.13"} {
		out, err := exec.Command(name, "-c", `import os, sys, sysconfig
print(os.path.realpath(sys.executable)); print(sysconfig.get_path("stdlib")); print("%d.%d" % sys.version_info[:2])`).Output()
		if lines := strings.Fields(string(out)); err == nil && len(lines) == 3 {
			return lines[0], lines[1], lines[2]
		}
	}
	t.Skip("there is no Python")
	return "", "", ""
}

// take copies files of this machine, with the libraries that they are linked
// with, to the same places in an image.
func take(t *testing.T, files map[string]content, paths ...string) {
	t.Helper()
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(path, "/")] = content{0o755, data}
		takeLinked(files, path)
	}
}

// takeLinked copies the libraries that a program or library is linked with.
func takeLinked(files map[string]content, path string) {
	out, err := exec.Command("ldd", path).Output()
	if err != nil {
		return // it is linked with nothing
	}
	for word := range strings.FieldsSeq(string(out)) {
		if _, have := files[strings.TrimPrefix(word, "/")]; strings.HasPrefix(word, "/") && !have {
			if data, err := os.ReadFile(word); err == nil {
				files[strings.TrimPrefix(word, "/")] = content{0o755, data}
			}
		}
	}
}

// notNeeded are parts of Python's library that the image goes without.
var notNeeded = []string{"test", "site-packages", "dist-packages", "__pycache__", "idlelib", "ensurepip", "tkinter", "lib2to3", "turtledemo", "pydoc_data"}

// library copies a folder of Python modules into an image.
func library(t *testing.T, files map[string]content, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != from && (slices.Contains(notNeeded, d.Name()) || strings.HasPrefix(d.Name(), "config-")):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		case strings.HasSuffix(path, ".so"):
			takeLinked(files, path)
		}
		data, err := os.ReadFile(path)
		files[strings.TrimPrefix(to+strings.TrimPrefix(path, from), "/")] = content{0o644, data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestImageOfPython runs AWS's runtime interface client for Python in an image
// that is made as AWS's base images are: /lambda-entrypoint.sh gets the handler
// as the command and starts /var/runtime/bootstrap. The image is in a folder,
// as an OCI layout.
func TestImageOfPython(t *testing.T) {
	t.Parallel()
	program, stdlib, version := python(t)
	client := t.TempDir()
	if out, err := exec.Command(program, "-m", "pip", "install", "--quiet", "--target", client, "awslambdaric==3.0.2").CombinedOutput(); err != nil {
		t.Skipf("awslambdaric is not to be had: %s", out)
	}
	system, own := map[string]content{}, map[string]content{}
	take(t, system, program)
	library(t, system, stdlib, stdlib)
	shell, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	take(t, system, shell)
	script := func(text string) content { return content{0o755, []byte("#!" + shell + "\n" + text)} }
	library(t, own, client, "/var/runtime")
	own["lambda-entrypoint.sh"] = script("export _HANDLER=\"$1\"\nexec /var/runtime/bootstrap\n")
	own["var/runtime/bootstrap"] = script("exec " + program + " -m awslambdaric \"$_HANDLER\"\n")
	app, err := os.ReadFile("testdata/app.py")
	if err != nil {
		t.Fatal(err)
	}
	own["var/task/app.py"] = content{0o644, app}
	img := assemble(t, v1.Config{
		Entrypoint: []string{"/lambda-entrypoint.sh"}, Cmd: []string{"app.handler"}, WorkingDir: "/var/task", User: "root",
		Env: []string{"LAMBDA_TASK_ROOT=/var/task", "LAMBDA_RUNTIME_DIR=/var/runtime", "PYTHONPATH=/var/runtime", "MINE=of the image", "PYTHONHOME=" + filepath.Dir(filepath.Dir(stdlib)),
			"LD_LIBRARY_PATH=" + filepath.Dir(stdlib)},
	}, layer(t, system), layer(t, own))
	folder := t.TempDir()
	index, err := layout.Write(filepath.Join(folder, "python"), empty.Index)
	if err == nil {
		err = index.AppendImage(img)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Python %s with %d files", version, len(system)+len(own))

	s := harness.Start(t, "--images", folder)
	d := deploy(t, s)
	d.createImage("python", ecr+"python:3", nil)
	payload, failed := d.invoke("python", `{"n": 1, "host": "`+folder+`"}`)
	var got map[string]any
	if err := json.Unmarshal([]byte(payload), &got); err != nil || failed != "" {
		t.Fatalf("%v %s %s\n%s", err, failed, payload, s.Run(t, "", "aws", "logs", "filter-log-events", "--log-group-name", "/aws/lambda/python", "--query", "events[].message"))
	}
	for name, want := range map[string]any{
		"function": "python", "version": "$LATEST", "dir": "/var/task", "task_root": "/var/task", "handler": "app.handler", "mine": "of the image",
		"user": "sbx_user1051", "environment": "AWS_Lambda_Image", "secret": false, "privileged": false, "write_tmp": "done", "write_root": "OSError 30", "write_task": "OSError 30", "write_dev": "OSError 30",
		"host": "FileNotFoundError 2", "hosts_file": true,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	var dev []string
	for _, name := range got["dev"].([]any) {
		dev = append(dev, name.(string))
	}
	if want := "fd full null random stderr stdin stdout urandom zero"; strings.Join(dev, " ") != want {
		t.Errorf("/dev has %q, want %s", dev, want)
	}
	if payload, failed := d.invoke("python", `{"fail": true}`); failed != "Unhandled" || !strings.Contains(payload, `"errorMessage": "as asked", "errorType": "ValueError"`) {
		t.Errorf("a failure is %s %s", failed, payload)
	}

	// Overrides that can't be started.
	for name, tt := range map[string]struct {
		config     types.ImageConfig
		kind, text string
	}{
		"entry-point": {types.ImageConfig{EntryPoint: []string{"/none"}}, "Runtime.InvalidEntrypoint", "fork/exec /none: no such file or directory"},
		"bare-name":   {types.ImageConfig{EntryPoint: []string{"none"}}, "Runtime.InvalidEntrypoint", `exec: "none": executable file not found in $PATH`},
		"directory":   {types.ImageConfig{WorkingDirectory: ptr("/none")}, "Runtime.InvalidWorkingDir", "the working directory doesn't exist: /none"},
		"relative":    {types.ImageConfig{WorkingDirectory: ptr("task")}, "Runtime.InvalidWorkingDir", "the working directory 'task' is invalid, it needs to be an absolute path"},
	} {
		d.createImage(name, ecr+"python:3", &tt.config)
		payload, failed := d.invoke(name, `{}`)
		var got struct{ ErrorType, ErrorMessage string }
		if err := json.Unmarshal([]byte(payload), &got); err != nil || failed != "Unhandled" || got.ErrorType != tt.kind || !strings.HasSuffix(got.ErrorMessage, " Error: "+tt.text) {
			t.Errorf("%s: %v %s %s", name, err, failed, payload)
		}
	}
}

func ptr(s string) *string { return &s }
