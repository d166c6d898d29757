package runtimes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Interpreter is a program on this host that runs functions of one runtime.
type Interpreter struct {
	Runtime Runtime
	Path    string // the real executable; "" for provided.*, where the function brings its own
	// Prefix is the installation that the executable needs around it, "" if
	// that is the system's /usr or the executable stands alone.
	Prefix  string
	Version string // what it really is, such as 3.11.7
	Note    string // how it differs from what the runtime asks for, or ""
	// SDK are the files and folders of the AWS SDK that AWS's runtime carries,
	// found somewhere on this host and fit for this version.
	SDK        []string
	SDKVersion string
	SDKNote    string // where the SDK is from, or why there is none
}

// MissingError says that no interpreter for a known runtime was found.
type MissingError struct {
	Runtime string
	Install string // what to do about it, as a sentence
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("runtime %s: no interpreter found on this machine. %s", e.Runtime, e.Install)
}

// UnknownError says that butai doesn't run a runtime at all.
type UnknownError struct{ Runtime string }

func (e *UnknownError) Error() string { return "runtime " + e.Runtime + " is not built in butai" }

// Set finds interpreters and remembers them. It is safe for concurrent use.
type Set struct {
	overrides map[string]string
	places    places
	entries   map[string]*entry
	sdks      func() []pythonSDK
}

type entry struct {
	once        sync.Once
	interpreter *Interpreter
	err         error
}

// Discover returns the Set of this host. The overrides map runtime identifiers
// to executables and win over all that would be found; one that names an
// unknown runtime or no executable is an error. Nothing else is looked at yet.
func Discover(_ context.Context, overrides map[string]string) (*Set, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/nonexistent"
	}
	s := &Set{overrides: overrides, places: hostPlaces(home), entries: map[string]*entry{}}
	s.sdks = sync.OnceValue(s.places.pythonSDKs)
	for _, r := range table {
		s.entries[r.ID] = &entry{}
	}
	for id, path := range overrides {
		if _, ok := s.entries[id]; !ok {
			return nil, fmt.Errorf("runtime override: %w", &UnknownError{id})
		}
		if _, err := executable(path); err != nil {
			return nil, fmt.Errorf("runtime override %s: %w", id, err)
		}
	}
	return s, nil
}

// Lookup returns the interpreter for a runtime identifier, or an
// *UnknownError or a *MissingError. The first call for a runtime looks around
// the file system and may run the interpreter once to learn its version.
func (s *Set) Lookup(ctx context.Context, id string) (*Interpreter, error) {
	e, ok := s.entries[id]
	if !ok {
		return nil, &UnknownError{id}
	}
	e.once.Do(func() { e.interpreter, e.err = s.find(context.WithoutCancel(ctx), id) })
	return e.interpreter, e.err
}

// Found is one line of a report about all runtimes.
type Found struct {
	Runtime     Runtime
	Interpreter *Interpreter // nil if missing
	Err         error
}

// All looks up every runtime, in the table's order.
func (s *Set) All(ctx context.Context) []Found {
	out := make([]Found, 0, len(table))
	for _, r := range table {
		interpreter, err := s.Lookup(ctx, r.ID)
		out = append(out, Found{r, interpreter, err})
	}
	return out
}

func (s *Set) find(ctx context.Context, id string) (*Interpreter, error) {
	r, _ := ByID(id)
	if r.Family == Provided {
		return &Interpreter{Runtime: r}, nil
	}
	candidates := s.candidates(r)
	best, exact := choose(ctx, r, candidates)
	if best == nil {
		return nil, missing(r)
	}
	i := &Interpreter{Runtime: r, Path: best.path, Version: best.version, Prefix: prefixOf(best.path, s.places.home)}
	if !exact {
		i.Note = fmt.Sprintf("%s runs on %s %s, the closest that is installed", r.ID, r.Family, best.version)
	}
	switch r.Family {
	case Python:
		s.attachPythonSDK(i)
	case Node:
		s.attachNodeSDK(i)
	case Ruby:
		i.SDKNote = "the aws-sdk gems of AWS's runtime are not provided; bring them in the function's zip or a layer"
	}
	return i, nil
}

func (s *Set) candidates(r Runtime) []candidate {
	if path := s.overrides[r.ID]; path != "" {
		real, err := executable(path)
		if err != nil {
			return nil
		}
		return []candidate{{path: real, forced: true}}
	}
	switch r.Family {
	case Python:
		return s.places.pythons(r.Version)
	case Node:
		return s.places.nodes()
	case Ruby:
		return s.places.rubies(r.Version)
	default:
		return s.places.javas()
	}
}

func missing(r Runtime) *MissingError {
	e := &MissingError{Runtime: r.ID}
	switch r.Family {
	case Python:
		e.Install = fmt.Sprintf("Install Python %s (pyenv install %s, or the package python%s)", r.Version, r.Version, r.Version)
	case Node:
		e.Install = fmt.Sprintf("Install Node.js %s (nvm install %s, or the package nodejs)", r.Version, r.Version)
	case Ruby:
		e.Install = fmt.Sprintf("Install Ruby %s (rbenv install %s, or the package ruby%s)", r.Version, r.Version, r.Version)
	case Java:
		version := max(numbers(r.Version)[0], leastJava)
		e.Install = fmt.Sprintf("Install a JDK or JRE %d (for instance the package openjdk-%d-jre-headless)", version, version)
	}
	e.Install += fmt.Sprintf(", or point at one with --runtime %s=/path/to/%s.", r.ID, filepath.Base(string(r.Family)))
	return e
}

// executable resolves links and refuses what can't be executed directly:
// scripts such as pyenv's shims need a world around them that a sandbox lacks.
func executable(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	if real, err = filepath.Abs(real); err != nil {
		return "", err
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", err
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%s is not executable", real)
	}
	f, err := os.Open(real)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var magic [2]byte
	if _, err := f.Read(magic[:]); err == nil && string(magic[:]) == "#!" {
		return "", fmt.Errorf("%s is a script, not an interpreter; name the program itself", real)
	}
	return real, nil
}

// prefixOf returns the installation around an executable: the parent of its
// bin folder, unless that is the system's or so wide that showing it to a
// function would give away more than an interpreter.
func prefixOf(path, home string) string {
	dir := filepath.Dir(path)
	prefix := filepath.Dir(dir)
	if filepath.Base(dir) != "bin" || prefix == "/usr" || strings.HasPrefix(prefix, "/usr/") {
		return ""
	}
	if slices.Contains([]string{"/", "/opt", "/home", "/root", "/var", home, filepath.Join(home, ".local")}, prefix) {
		return ""
	}
	return prefix
}
