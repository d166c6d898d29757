package runtimes

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// places are the folders to look in; tests bring their own.
type places struct {
	home      string
	path      []string // PATH
	pyenvRoot string
	javaHome  string
	system    string // prefix of absolute well-known folders, "" on a real host
}

func hostPlaces(home string) places {
	p := places{home: home, path: filepath.SplitList(os.Getenv("PATH")), pyenvRoot: os.Getenv("PYENV_ROOT"), javaHome: os.Getenv("JAVA_HOME")}
	if p.pyenvRoot == "" {
		p.pyenvRoot = filepath.Join(home, ".pyenv")
	}
	return p
}

// candidate is an executable that may serve; version is "" until asked for.
type candidate struct {
	path    string
	version string
	forced  bool // named by the user: taken whatever its version
}

// pythons lists executables named for one version. Where PATH goes through
// pyenv's shims, pyenv's real installations stand in their place.
func (p places) pythons(version string) []candidate {
	name := "python" + version
	var paths []string
	pyenv := p.newestFirst(filepath.Join(p.pyenvRoot, "versions", version+"*", "bin", name))
	for _, dir := range p.path {
		if dir == filepath.Join(p.pyenvRoot, "shims") {
			paths = append(paths, pyenv...)
			continue
		}
		paths = append(paths, filepath.Join(dir, name))
	}
	paths = append(paths, pyenv...)
	for _, pattern := range []string{
		"/usr/local/bin", "/usr/bin", "/opt/homebrew/bin",
		"/opt/python*/bin", "/opt/python/*/bin", "/Library/Frameworks/Python.framework/Versions/*/bin",
	} {
		paths = append(paths, p.newestFirst(filepath.Join(p.system+pattern, name))...)
	}
	for _, pattern := range []string{".local/share/uv/python/*/bin", ".asdf/installs/python/*/bin", ".local/share/mise/installs/python/*/bin", "miniconda3/envs/*/bin"} {
		paths = append(paths, p.newestFirst(filepath.Join(p.home, pattern, name))...)
	}
	return real(paths)
}

func (p places) nodes() []candidate {
	var paths []string
	for _, dir := range p.path {
		paths = append(paths, filepath.Join(dir, "node"))
	}
	for _, pattern := range []string{
		".nvm/versions/node/*/bin/node", ".asdf/installs/nodejs/*/bin/node", ".nodenv/versions/*/bin/node",
		".local/share/fnm/node-versions/*/installation/bin/node", ".volta/tools/image/node/*/bin/node", ".local/share/mise/installs/node/*/bin/node",
	} {
		paths = append(paths, p.newestFirst(filepath.Join(p.home, pattern))...)
	}
	for _, pattern := range []string{"/usr/local/bin/node", "/usr/bin/node", "/opt/homebrew/bin/node", "/opt/node*/bin/node"} {
		paths = append(paths, p.newestFirst(p.system+pattern)...)
	}
	return real(paths)
}

func (p places) javas() []candidate {
	var paths []string
	if p.javaHome != "" {
		paths = append(paths, filepath.Join(p.javaHome, "bin", "java"))
	}
	for _, dir := range p.path {
		paths = append(paths, filepath.Join(dir, "java"))
	}
	for _, pattern := range []string{"/usr/lib/jvm/*/bin/java", "/opt/java/*/bin/java", "/opt/jdk*/bin/java", "/Library/Java/JavaVirtualMachines/*/Contents/Home/bin/java"} {
		paths = append(paths, p.newestFirst(p.system+pattern)...)
	}
	paths = append(paths, p.newestFirst(filepath.Join(p.home, ".sdkman/candidates/java/*/bin/java"))...)
	return real(paths)
}

// rubies lists executables named for one version, and those that may be of any.
func (p places) rubies(version string) []candidate {
	var paths []string
	for _, dir := range p.path {
		paths = append(paths, filepath.Join(dir, "ruby"+version), filepath.Join(dir, "ruby"))
	}
	for _, pattern := range []string{".rbenv/versions/*/bin/ruby", ".rvm/rubies/*/bin/ruby", ".asdf/installs/ruby/*/bin/ruby", ".local/share/mise/installs/ruby/*/bin/ruby"} {
		paths = append(paths, p.newestFirst(filepath.Join(p.home, pattern))...)
	}
	for _, pattern := range []string{"/usr/local/bin/ruby", "/usr/bin/ruby*", "/opt/homebrew/opt/ruby*/bin/ruby", "/opt/ruby*/bin/ruby", "/opt/rubies/*/bin/ruby"} {
		paths = append(paths, p.newestFirst(p.system+pattern)...)
	}
	return real(paths)
}

// newestFirst expands a pattern, highest version numbers first.
func (places) newestFirst(pattern string) []string {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return nil
	}
	slices.SortStableFunc(names, func(a, b string) int { return -compareVersions(numbers(a), numbers(b)) })
	return names
}

var numberRuns = regexp.MustCompile(`\d+`)

func numbers(s string) []int {
	var out []int
	for _, run := range numberRuns.FindAllString(s, -1) {
		n, err := strconv.Atoi(run)
		if err != nil {
			n = 0
		}
		out = append(out, n)
	}
	return out
}

func compareVersions(a, b []int) int { return slices.Compare(a, b) }

// real keeps the paths that lead to executables, once each.
func real(paths []string) []candidate {
	seen := map[string]bool{}
	var out []candidate
	for _, path := range paths {
		resolved, err := executable(path)
		if err != nil || seen[resolved] {
			continue
		}
		seen[resolved] = true
		out = append(out, candidate{path: resolved})
	}
	return out
}

// leastJava is what butai's own bootstrap needs, whatever its function was
// compiled for.
const leastJava = 17

// choose picks the first candidate of the wanted version. Python and
// Ruby must match exactly (libraries are built per minor version) and Java may be newer; Node
// takes the closest, newer before older, since most code doesn't care.
func choose(ctx context.Context, r Runtime, candidates []candidate) (best *candidate, exact bool) {
	wanted := numbers(r.Version)
	bestDistance := 0
	for i := range candidates {
		c := &candidates[i]
		c.version = versionOf(ctx, r.Family, c.path)
		if c.version == "" {
			continue
		}
		have := numbers(c.version)
		if r.Family == Java && have[0] < leastJava {
			continue
		}
		if len(have) >= len(wanted) && slices.Equal(have[:len(wanted)], wanted) {
			return c, true
		}
		if c.forced {
			return c, false
		}
		distance := have[0] - wanted[0]
		switch {
		case r.Family == Python, r.Family == Ruby, r.Family == Java && distance < 0:
			continue
		case distance < 0:
			distance = 1000 - distance // older only if nothing newer is there
		}
		if best == nil || distance < bestDistance {
			best, bestDistance = c, distance
		}
	}
	return best, false
}

var (
	pyenvVersion = regexp.MustCompile(`/versions/(\d+\.\d+\.\d+)/bin/`)
	nodeMacro    = regexp.MustCompile(`(?m)^#define NODE_(MAJOR|MINOR|PATCH)_VERSION (\d+)`)
	javaRelease  = regexp.MustCompile(`(?m)^JAVA_VERSION="([^"]+)"`)
	anyVersion   = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)
)

// versionTimeout bounds the one run of an interpreter that has no cheaper way
// to tell its version.
const versionTimeout = 5 * time.Second

// versionOf reads the version from files beside the interpreter if it can, and
// otherwise asks the interpreter.
func versionOf(ctx context.Context, family Family, path string) string {
	prefix := filepath.Dir(filepath.Dir(path))
	switch family {
	case Python:
		if m := pyenvVersion.FindStringSubmatch(path); m != nil {
			return m[1]
		}
	case Node:
		if data, err := os.ReadFile(filepath.Join(prefix, "include", "node", "node_version.h")); err == nil {
			if m := nodeMacro.FindAllSubmatch(data, -1); len(m) == 3 {
				return string(m[0][2]) + "." + string(m[1][2]) + "." + string(m[2][2])
			}
		}
	case Java:
		if data, err := os.ReadFile(filepath.Join(prefix, "release")); err == nil {
			if m := javaRelease.FindSubmatch(data); m != nil {
				return string(m[1])
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	flag := "--version"
	if family == Java {
		flag = "-version"
	}
	cmd := exec.CommandContext(ctx, path, flag)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return ""
	}
	return anyVersion.FindString(strings.TrimSpace(string(out)))
}
