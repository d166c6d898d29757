package function

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"strings"

	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/function/sandbox"
)

// Image is what a function from a container image runs. The image's user
// counts for nothing: Lambda runs every image as the same unprivileged one.
type Image struct {
	Root string   // directory with the image's whole file system, fit for sandbox.Spec.Root
	Args []string // entry point and command
	Env  []string // of the image's configuration, as NAME=value
	Dir  string   // working directory, "" for the root
}

// extensions lists the programs in the image's /opt/extensions. Links that lead
// out of the image, as absolute ones do from here, lead to none.
func (img *Image) extensions() (names []string, err error) {
	root, err := os.OpenRoot(img.Root)
	if err != nil {
		return nil, fmt.Errorf("look for extensions: %w", err)
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), "opt/"+extensionsDir)
	if err != nil {
		return nil, nil // by far most images have none
	}
	for _, entry := range entries { // in their order
		if !entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// imageInterpreter stands for what an image brings itself.
var imageInterpreter = &runtimes.Interpreter{Runtime: runtimes.Runtime{Family: runtimes.Provided}}

func (e *Engine) interpreterOf(ctx context.Context, spec *Spec) (*runtimes.Interpreter, error) {
	if spec.Image != nil {
		return imageInterpreter, nil
	}
	return e.cfg.Runtimes.Lookup(ctx, spec.Runtime)
}

// ErrNoImages says that this host can't isolate functions well enough to give
// them the file system of a container image.
var ErrNoImages = errors.New("function: container images need the namespaces rung of isolation: see butai doctor")

// RunsImages returns nil if functions from container images can be run, or
// ErrNoImages. The first call tries out what the host offers.
func (e *Engine) RunsImages() error {
	if level, err := e.host.Level(); err != nil || level < sandbox.Namespaces {
		return ErrNoImages
	}
	return nil
}

// ImageRoots are the roots of the images that sandboxes have been started on and
// not ended yet.
func (e *Engine) ImageRoots() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var roots []string
	for i := range e.all {
		if i.spec.Image != nil {
			roots = append(roots, i.spec.Image.Root)
		}
	}
	return roots
}

// startImage starts an image's program and serves it the Runtime API: AWS's
// base images and its runtime interface clients speak it.
func (i *instance) startImage(level sandbox.Level) error {
	if level < sandbox.Namespaces {
		return ErrNoImages
	}
	img := i.spec.Image
	if len(img.Args) == 0 {
		return &entrypointError{"Couldn't find valid bootstrap(s): the image names neither an entry point nor a command"}
	}
	dir := img.Dir
	if dir == "" {
		dir = "/" // as for AWS's Runtime Interface Emulator
	}
	if !path.IsAbs(dir) {
		return &entrypointError{"the working directory '" + dir + "' is invalid, it needs to be an absolute path"}
	}
	return i.serveRuntime(func(address string) *sandbox.Spec {
		return &sandbox.Spec{
			Root: img.Root, Args: img.Args, Dir: dir, Env: i.imageEnvironment(address),
			TmpMB: i.spec.EphemeralMB, MemoryMB: i.spec.MemoryMB, MaxTasks: maxTasks, Freezable: i.engine.cfg.Freeze,
		}
	})
}

// defaultPath is what containers have whose image sets no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// imageEnvironment builds the whole environment of a function from an image.
// Later sources win: what the image sets, the users' variables, and what
// neither may touch. The platform's variables are those that an Alpine image
// was seen to have on AWS (bruceadams/run-command-on-aws-lambda, 2022-03).
func (i *instance) imageEnvironment(runtimeAPI string) []string {
	env := map[string]string{
		"PATH": defaultPath, "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR", "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
	}
	for _, entry := range i.spec.Image.Env {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	maps.Copy(env, i.engine.cfg.Environment)
	maps.Copy(env, i.spec.Environment)
	maps.Copy(env, i.platformVariables(lambdaPlaces))
	env["AWS_EXECUTION_ENV"], env["AWS_LAMBDA_RUNTIME_API"] = "AWS_Lambda_Image", runtimeAPI
	out := make([]string, 0, len(env))
	for name, value := range env {
		out = append(out, name+"="+value)
	}
	return out
}
