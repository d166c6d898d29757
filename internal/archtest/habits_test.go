package archtest

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestHTTPStaysAtTheDoors keeps HTTP out of the rooms that see typed input
// and output. Naming a status is not speaking HTTP.
func TestHTTPStaysAtTheDoors(t *testing.T) {
	t.Parallel()
	allowed := map[string]string{
		"wire/...": "protocols are made of HTTP messages", "sigv4": "it signs requests", "awsapi": "it is an http.Handler",
		"edge": "it is the front door", "gateway": "it is an http.Handler", "server": "it listens",
		"function/runtimeapi": "functions speak HTTP to it", "demo": "it calls the APIs that it deploys",
		"userpool": "it fetches the keys of user pools", "functionurl": "it answers the requests to function URLs",
		"function/telemetry": "it posts events to extensions, who ask for HTTP",
		"release":            "it calls webhooks", "release/check": "it sends the checks' requests", "cli": "it hands out the client that sends checks",
		"release/cloud": "it downloads code from the link that Lambda gives, and signs S3's calls",
		"ecr":           "its registry is what docker and its like speak HTTP with",
		"lambda":        "it hands out the handler of its downloads", "lambda/bundle": "a function's code is downloaded from a link",
	}
	h := theHouse(t)
	for _, f := range h.files {
		if f.pkg.outside() || matchesAny(f.pkg.room, allowed) {
			continue
		}
		uses := h.uses(f, "net/http", func(name string) bool {
			return !strings.HasPrefix(name, "Status") && !strings.HasPrefix(name, "Method")
		})
		for _, use := range uses {
			t.Errorf("%s: services see typed input and output, never HTTP", use)
		}
	}
}

// TestTheTimeComesFromTheClock: time.Now is for measuring how long something
// takes, and only in rooms that do.
func TestTheTimeComesFromTheClock(t *testing.T) {
	t.Parallel()
	allowed := map[string]string{
		"clock": "it is the clock", "edge": "read deadlines of real connections", "awsapi": "how long a call took", "gateway": "latency of requests and integrations",
		"gateway/vtl": "a limit on matching time", "function": "duration of invocations, age of idle sandboxes",
		"function/runtimeapi": "deadlines of real processes", "function/bootstrap": "the same",
		"dynamodb":              "how long counting a table took",
		"store/postgres/pgtest": "patience with a real server", "demo": "how long each step took",
	}
	h := theHouse(t)
	for _, f := range h.files {
		if f.pkg.outside() || matchesAny(f.pkg.room, allowed) {
			continue
		}
		for _, use := range h.uses(f, "time", func(name string) bool { return name == "Now" || name == "Since" || name == "Until" }) {
			t.Errorf("%s: take a clock.Clock, so that tests can set the time", use)
		}
	}
}

// TestChanceComesFromIdent keeps randomness where it can be found.
func TestChanceComesFromIdent(t *testing.T) {
	t.Parallel()
	allowed := map[string]string{
		"ident": "it makes names", "ca": "keys and serial numbers of certificates", "kms": "key pairs", "store/storetest": "random operations from a printed seed",
	}
	for _, p := range theHouse(t).packages {
		for _, path := range p.Imports {
			if (path == "crypto/rand" || strings.HasPrefix(path, "math/rand")) && !matchesAny(p.room, allowed) {
				t.Errorf("%s imports %s: randomness comes from ident", p.room, path)
			}
		}
	}
}

// TestOneHallKnowsTheEngines: nothing but the front hall may pick a store.
func TestOneHallKnowsTheEngines(t *testing.T) {
	t.Parallel()
	for _, p := range theHouse(t).packages {
		for _, path := range p.Imports {
			if room := roomOf(path); within(room, "store/sqlite", "store/postgres") && p.room != "server" {
				t.Errorf("%s imports %s: nothing but server knows the engine", p.room, room)
			}
			if path == "database/sql" && !within(p.room, "store/...") {
				t.Errorf("%s imports database/sql: nothing above the store knows SQL", p.room)
			}
		}
	}
}

// TestNothingPrintsOnItsOwn: a logger is handed in, and output belongs to the
// commands.
func TestNothingPrintsOnItsOwn(t *testing.T) {
	t.Parallel()
	globals := []string{"Debug", "Info", "Warn", "Error", "Log", "Default", "SetDefault", "DebugContext", "InfoContext", "WarnContext", "ErrorContext"}
	h := theHouse(t)
	for _, f := range h.files {
		if f.pkg.outside() {
			continue
		}
		if _, ok := f.imported("log"); ok {
			t.Errorf("%s imports log: a *slog.Logger is handed in", f.name)
		}
		for _, use := range h.uses(f, "log/slog", func(name string) bool { return slices.Contains(globals, name) }) {
			t.Errorf("%s: a *slog.Logger is handed in", use)
		}
		for _, use := range h.uses(f, "fmt", func(name string) bool { return name == "Print" || name == "Println" || name == "Printf" }) {
			t.Errorf("%s: output goes to a writer that is handed in", use)
		}
	}
}

// TestEveryPackageIntroducesItself asks for a comment that says what a
// package is for.
func TestEveryPackageIntroducesItself(t *testing.T) {
	t.Parallel()
	for _, p := range theHouse(t).packages {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command "
			if strings.HasPrefix(p.Doc, "Butai ") || strings.HasPrefix(strings.ToLower(p.Doc), filepath.Base(p.Dir)+" ") {
				continue
			}
		}
		if len(p.GoFiles)+len(p.IgnoredGoFiles) > 0 && !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: the package comment must begin with %q", p.room, want)
		}
	}
}

// earlyInit is the one file whose init function is the point of it: a sandbox's
// first process must not wait for what other packages prepare for the server.
const earlyInit = "function/sandbox/init_linux.go"

// TestNoInit: what runs at import runs in an order that nobody reads.
func TestNoInit(t *testing.T) {
	t.Parallel()
	h := theHouse(t)
	for _, f := range h.files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" && f.name != earlyInit {
				t.Errorf("%s:%d: no init functions; server lists what there is", f.name, h.fset.Position(fn.Pos()).Line)
			}
		}
	}
}

var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|HA` + `CK)\b`)

// TestNothingIsLeftForLater searches all sources, tests included.
func TestNothingIsLeftForLater(t *testing.T) {
	t.Parallel()
	for _, p := range theHouse(t).packages {
		sources, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range sources {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.Split(string(text), "\n") {
				if unfinished.MatchString(line) {
					t.Errorf("%s/%s:%d: finish it, refuse it with a clear error, or open an issue", p.room, filepath.Base(path), i+1)
				}
			}
		}
	}
}

// TestGeneratedRoomsAreGenerated: hand edits below api/ would be lost.
func TestGeneratedRoomsAreGenerated(t *testing.T) {
	t.Parallel()
	for _, f := range theHouse(t).files {
		if within(f.pkg.room, "api/...") != f.generated() {
			t.Errorf("%s: generated code lives below internal/api, and nothing else does", f.name)
		}
	}
}

const (
	maxFileLines     = 700
	maxFunctionLines = 100
)

// TestNothingGrowsTooLong asks whether a file holds more than one resource or
// stage. The bounds are a question, not a reason to slice code blindly.
func TestNothingGrowsTooLong(t *testing.T) {
	t.Parallel()
	h := theHouse(t)
	for _, f := range h.files {
		if f.generated() {
			continue
		}
		if f.lines > maxFileLines {
			t.Errorf("%s has %d lines: is there a resource or a stage that wants its own file?", f.name, f.lines)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			if n := lines(h.fset, fn); n > maxFunctionLines {
				t.Errorf("%s: %s has %d lines: which of its steps have a name?", f.name, fn.Name.Name, n)
			}
		}
	}
}

func lines(fset *token.FileSet, n ast.Node) int {
	return fset.Position(n.End()).Line - fset.Position(n.Pos()).Line + 1
}

func matchesAny(room string, allowed map[string]string) bool {
	for pattern := range allowed {
		if within(room, pattern) {
			return true
		}
	}
	return false
}
