package function

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/butai-dev/butai/internal/function/bootstrap"
	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/function/sandbox"
)

// family says how the runtimes of one family are launched. A new family of the
// framed protocol is a new row.
type family struct {
	program string // bootstrap file below LAMBDA_RUNTIME_DIR
	sdkDir  string // folder there in which the host's SDK copy appears
	spares  bool   // the bootstrap can boot without a function
	preload string // library of the SDK that spares for handlers that use it have imported
	dirOnce bool   // the interpreter can't change its working directory
	packets bool   // the bootstrap reads packet by packet, and may be sent calls ahead
	heap    bool   // the command line bounds the interpreter's heap by the function's memory
	// args are the arguments before the program's path.
	args func(spec *Spec) []string
	env  func(spec *Spec, i *runtimes.Interpreter, at places) map[string]string
}

var families = map[runtimes.Family]family{
	runtimes.Python: {program: "bootstrap.py", sdkDir: "sdk", packets: true, spares: true, preload: "boto3", args: pythonArgs, env: pythonEnv},
	runtimes.Node:   {program: "bootstrap.cjs", sdkDir: "node_modules", spares: true, heap: true, args: nodeArgs, env: nodeEnv},
	runtimes.Java:   {program: "bootstrap.jar", sdkDir: "lib", spares: true, dirOnce: true, heap: true, args: javaArgs, env: javaEnv},
	runtimes.Ruby:   {program: "bootstrap.rb", sdkDir: "gems", spares: true, args: rubyArgs, env: rubyEnv},
}

// places are the folders of a function's world, as the function sees them.
type places struct {
	task, opt, runtime, lang string
	isolated                 bool
}

// lambdaPlaces are AWS's. Rungs without a file system of their own show the
// host's real folders instead.
var lambdaPlaces = places{task: "/var/task", opt: "/opt", runtime: "/var/runtime", lang: "/var/lang", isolated: true}

// maxTasks is Lambda's limit of processes and threads ("Lambda quotas").
const maxTasks = 1024

// installRuntimes writes what sandboxes get to see besides the host's own.
func installRuntimes(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o755); err != nil {
		return err
	}
	return bootstrap.Install(filepath.Join(dir, "runtime"))
}

// start starts the sandbox's process and opens the session with it.
func (i *instance) start() error {
	level, err := i.engine.host.Level()
	if err != nil {
		return err
	}
	if i.spec.Image != nil {
		return i.startImage(level)
	}
	if i.interpreter.Runtime.Family == runtimes.Provided {
		return i.startProvided(level)
	}
	external, err := i.externalExtensions()
	if err != nil {
		return err
	}
	var spare *spare
	if len(external) == 0 && i.tmp == nil { // those start first, and a spare has its own /tmp
		spare = i.takeSpare()
	}
	if spare != nil {
		err := i.startFromSpare(spare)
		if err == nil {
			return nil
		}
		i.engine.cfg.Logger.Warn("a spare sandbox was of no use", "runtime", i.spec.Runtime, "reason", err)
	}
	i.spareless = true
	spec, session, theirs, err := i.prepare(level)
	if err != nil {
		return err
	}
	spec.Channel = theirs
	if len(external) > 0 {
		i.welcome(external)
		accompany(spec, external)
	}
	if err := i.spawn(spec, session); err != nil {
		return err
	}
	session.letGo(i.proc)
	return nil
}

// prepare plans the sandbox of a runtime whose bootstrap speaks frames, and
// opens the session with it; theirs is the process's end, which the session
// owns.
func (i *instance) prepare(level sandbox.Level) (plan *sandbox.Spec, session *framed, theirs *os.File, err error) {
	kind := syscall.SOCK_STREAM
	if families[i.interpreter.Runtime.Family].packets {
		kind = packetSocket
	}
	ours, theirs, err := socketPair(kind)
	if err != nil {
		return nil, nil, nil, err
	}
	if session, err = newFramed(ours, theirs); err != nil {
		return nil, nil, nil, err
	}
	if plan, err = i.plan(level); err != nil {
		return nil, nil, nil, errors.Join(err, session.Close())
	}
	return plan, session, theirs, nil
}

// spawn starts the process with its output going to the log, and takes over
// the session with it, which it closes if that fails.
func (i *instance) spawn(spec *sandbox.Spec, s session) error {
	read, write, err := logPipe()
	if err != nil {
		return errors.Join(err, s.Close())
	}
	defer write.Close()
	spec.Log = write
	spec.Weight, spec.Idle = i.weightNow()
	var companions *os.File
	if len(spec.Companions) > 0 {
		if companions, spec.CompanionLog, err = logPipe(); err != nil {
			return errors.Join(err, read.Close(), s.Close())
		}
		defer spec.CompanionLog.Close()
	}
	spec.Tmp, spec.KeepTmp, i.tmp = i.tmp, true, nil
	proc, err := i.engine.host.Start(spec)
	spec.Tmp.Close() // unless it was taken over
	if err != nil {
		if companions != nil {
			companions.Close()
		}
		return errors.Join(err, read.Close(), s.Close())
	}
	i.log.attach(read, companions)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.proc, i.session = proc, s
	if i.killed {
		proc.Kill()
	}
	return nil
}

// plan describes the sandbox of a runtime with an interpreter of the host.
func (i *instance) plan(level sandbox.Level) (*sandbox.Spec, error) {
	f, ok := families[i.interpreter.Runtime.Family]
	if !ok {
		return nil, &runtimes.UnknownError{Runtime: i.spec.Runtime}
	}
	at := lambdaPlaces
	if level < sandbox.Namespaces {
		var err error
		if at, err = i.plainPlaces(f); err != nil {
			return nil, err
		}
	}
	s := i.baseSpec(at)
	program := i.interpreter.Path
	if at.isolated {
		program = path.Join(at.lang, "bin", filepath.Base(i.interpreter.Path))
		i.bindInterpreter(s, program)
		i.bindRuntime(s, f)
	} else {
		s.Binds = append(s.Binds, sandbox.Bind{Source: i.interpreter.Path}, sandbox.Bind{Source: at.runtime}, sandbox.Bind{Source: i.familyDir()})
		if i.interpreter.Prefix != "" {
			s.Binds = append(s.Binds, sandbox.Bind{Source: i.interpreter.Prefix})
		}
		for _, part := range i.interpreter.SDK {
			s.Binds = append(s.Binds, sandbox.Bind{Source: part})
		}
	}
	s.Args = append([]string{program}, f.args(i.spec)...)
	s.Args = append(s.Args, path.Join(at.runtime, f.program))
	vars, err := i.familyVariables(f, at)
	if err != nil {
		return s, err
	}
	s.Env = i.environment(at, vars)
	if err := i.arm(s, at); err != nil {
		return s, err
	}
	s.Args = i.spec.wrap(s.Args)
	return s, nil
}

// familyVariables are those of a family's runtimes. Their bootstraps don't use
// the API that they name, but the function may: it has the part for extensions.
func (i *instance) familyVariables(f family, at places) (map[string]string, error) {
	vars := f.env(i.spec, i.interpreter, at)
	var err error
	vars["AWS_LAMBDA_RUNTIME_API"], err = i.engine.extensionsAPI()
	return vars, err
}

// baseSpec is what sandboxes of all runtimes have in common.
func (i *instance) baseSpec(at places) *sandbox.Spec {
	s := &sandbox.Spec{
		Dir: at.task, TmpMB: i.spec.EphemeralMB, MemoryMB: i.spec.MemoryMB, MaxTasks: maxTasks,
		Binds: []sandbox.Bind{{Source: i.spec.CodeDir, Target: at.task}}, Freezable: i.engine.cfg.Freeze,
	}
	s.Layers, s.LayersAt = i.spec.Layers, at.opt
	if !at.isolated && len(s.Layers) > 0 {
		s.Layers = []string{at.opt}
	}
	return s
}

// bindInterpreter shows the interpreter's installation as /var/lang. The link
// at its own path serves what was compiled into it, such as library paths.
func (i *instance) bindInterpreter(s *sandbox.Spec, program string) {
	prefix := i.interpreter.Prefix
	if prefix == "" {
		if i.interpreter.Path[:4] == "/usr" {
			s.Links = append(s.Links, sandbox.Link{Name: program, Target: i.interpreter.Path})
		} else {
			s.Binds = append(s.Binds, sandbox.Bind{Source: i.interpreter.Path, Target: program})
		}
		return
	}
	s.Binds = append(s.Binds, sandbox.Bind{Source: prefix, Target: lambdaPlaces.lang})
	s.Links = append(s.Links, sandbox.Link{Name: prefix, Target: lambdaPlaces.lang})
	// What happens to be installed there is the host's business.
	empty := filepath.Join(i.engine.cfg.Dir, "empty")
	for _, library := range []string{"lib/python" + i.interpreter.Runtime.Version + "/site-packages", "lib/node_modules"} {
		if info, err := os.Stat(filepath.Join(prefix, library)); err == nil && info.IsDir() {
			s.Binds = append(s.Binds, sandbox.Bind{Source: empty, Target: path.Join(lambdaPlaces.lang, library)})
		}
	}
}

func (i *instance) familyDir() string {
	return filepath.Join(i.engine.cfg.Dir, "runtime", string(i.interpreter.Runtime.Family))
}

// bindRuntime shows the bootstrap and the parts of the host's SDK copy, one by
// one: a library folder holds more than functions should see.
func (i *instance) bindRuntime(s *sandbox.Spec, f family) {
	s.Binds = append(s.Binds, sandbox.Bind{Source: filepath.Join(i.familyDir(), f.program), Target: path.Join(lambdaPlaces.runtime, f.program)})
	for _, part := range i.interpreter.SDK {
		s.Binds = append(s.Binds, sandbox.Bind{Source: part, Target: path.Join(lambdaPlaces.runtime, f.sdkDir, filepath.Base(part))})
	}
}

// plainPlaces prepares a runtime folder of links for the rungs that have no
// file system of their own.
func (i *instance) plainPlaces(f family) (places, error) {
	opt, err := i.engine.layersDir(i.spec.Layers)
	if err != nil {
		return places{}, err
	}
	at := places{task: i.spec.CodeDir, opt: cmp.Or(opt, "/nonexistent"), lang: i.interpreter.Prefix}
	at.runtime = filepath.Join(i.engine.cfg.Dir, "plain", i.spec.Runtime)
	if err := os.MkdirAll(filepath.Join(at.runtime, f.sdkDir), 0o755); err != nil {
		return at, err
	}
	links := map[string]string{f.program: filepath.Join(i.familyDir(), f.program)}
	for _, part := range i.interpreter.SDK {
		links[filepath.Join(f.sdkDir, filepath.Base(part))] = part
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(at.runtime, name)); err != nil && !errors.Is(err, os.ErrExist) {
			return at, err
		}
	}
	return at, nil
}

// pythonArgs keep the host's library folders out: -S skips site, -s the
// user's own.
func pythonArgs(*Spec) []string { return []string{"-s", "-S"} }

// ownLocale are the Pythons on Amazon Linux 2 and older, which has the locale
// of LANG: functions see LC_CTYPE only where the interpreter has put it because
// the locale is missing (recorded of 3.8 to 3.10 and of 3.12).
var ownLocale = []string{"2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11"}

func pythonEnv(spec *Spec, i *runtimes.Interpreter, at places) map[string]string {
	env := map[string]string{
		"AWS_EXECUTION_ENV": executionEnv(spec), "LC_CTYPE": "C.UTF-8", "PYTHONPATH": at.runtime,
		"PWD": at.task, "SHLVL": "0",
	}
	if _, own := spec.Environment["LC_CTYPE"]; !own && slices.Contains(ownLocale, i.Runtime.Version) {
		env["BUTAI_CTYPE"] = "1" // this host may lack the locale; the bootstrap takes LC_CTYPE away again
	}
	if !at.isolated {
		env["BUTAI_OPT"] = at.opt
	}
	return env
}

// nodeHeapShare leaves room beside the heap, so that a leaking function sees
// V8's own error before the kernel's.
const nodeHeapShare = 0.9

func nodeArgs(spec *Spec) []string {
	return []string{fmt.Sprintf("--max-old-space-size=%d", int(float64(spec.MemoryMB)*nodeHeapShare))}
}

func nodeEnv(spec *Spec, i *runtimes.Interpreter, at places) map[string]string {
	return map[string]string{
		"AWS_EXECUTION_ENV": executionEnv(spec), "PWD": at.task, "SHLVL": "0",
		"NODE_PATH": fmt.Sprintf("%[1]s/nodejs/node%[2]s/node_modules:%[1]s/nodejs/node_modules:%[3]s/node_modules:%[3]s:%[4]s",
			at.opt, i.Runtime.Version, at.runtime, at.task),
	}
}

func executionEnv(spec *Spec) string { return "AWS_Lambda_" + spec.Runtime }
