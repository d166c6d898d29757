package function

import (
	"cmp"
	"os"
	"path"
	"path/filepath"

	"github.com/butai-dev/butai/internal/function/runtimeapi"
	"github.com/butai-dev/butai/internal/function/sandbox"
)

// entrypointName is the program that a function brings for provided.*.
const entrypointName = "bootstrap"

// entrypointError says that a function brings no program to run.
type entrypointError struct{ message string }

func (e *entrypointError) Error() string { return e.message }

// startProvided starts the function's own program and serves it the Runtime API.
func (i *instance) startProvided(level sandbox.Level) error {
	at := lambdaPlaces
	if level < sandbox.Namespaces {
		opt, err := i.engine.layersDir(i.spec.Layers)
		if err != nil {
			return err
		}
		at = places{task: i.spec.CodeDir, opt: cmp.Or(opt, "/nonexistent"), runtime: "/nonexistent", lang: "/usr"}
	}
	program, err := i.entrypoint(at)
	if err != nil {
		return err
	}
	return i.serveRuntime(func(address string) *sandbox.Spec {
		s := i.baseSpec(at)
		s.Args = []string{program}
		s.Env = i.environment(at, map[string]string{"AWS_LAMBDA_RUNTIME_API": address})
		return s
	})
}

// serveRuntime starts a program that speaks the Runtime API, whose address plan
// gets.
func (i *instance) serveRuntime(plan func(address string) *sandbox.Spec) error {
	external, err := i.externalExtensions()
	if err != nil {
		return err
	}
	api, err := runtimeapi.Listen(maxResponse, i.welcome(external))
	if err != nil {
		return err
	}
	s := plan(api.Address())
	s.Controlled = true // the runtime may register extensions of its own
	accompany(s, external)
	if err := i.spawn(s, api); err != nil {
		return err
	}
	api.Serve(i.proc)
	return nil
}

// entrypoint finds the program: the function's own, or a layer's.
func (i *instance) entrypoint(at places) (string, error) {
	if _, err := os.Stat(filepath.Join(i.spec.CodeDir, entrypointName)); err == nil {
		return path.Join(at.task, entrypointName), nil
	}
	for _, layer := range i.spec.Layers {
		if _, err := os.Stat(filepath.Join(layer, entrypointName)); err == nil {
			return path.Join(at.opt, entrypointName), nil
		}
	}
	return "", &entrypointError{"Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"}
}
