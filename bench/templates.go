package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	gatewayFolder = "internal/gateway"
	vtlFolder     = gatewayFolder + "/vtl"
	jarFolder     = "/usr/share/java"
	velocity      = "Apache Velocity, warm"
	// warmUp is how long the JVM renders a template at least before it counts.
	warmUp = 3 * time.Second
)

// jars are Debian's packages velocity and libjsonpath-java, as the tests of
// the template engine use them.
var jars = []string{"velocity", "commons-lang", "commons-collections3", "json-path", "json-smart", "accessors-smart", "slf4j-api", "slf4j-nop", "asm"}

// templateNames are those of the templates below testdata/documentation.
var templateNames = []string{"photos", "news", "sales", "passthrough", "request"}

// measureTemplates measures one rendering of the documentation's templates, from
// the body's bytes to the output's, against Velocity in a warm JVM.
func (b *bench) measureTemplates(ctx context.Context) error {
	binary := filepath.Join(b.dir, "vtl.test")
	if err := compileTest(ctx, vtlFolder, binary); err != nil {
		return err
	}
	java, err := startVelocity(ctx, b.dir)
	if err != nil {
		b.report.note("templates weren't compared with Velocity: %v", err)
		java = nil
	} else {
		defer java.stop()
	}
	for _, name := range templateNames {
		if err := b.measureTemplate(ctx, binary, java, name); err != nil {
			return fmt.Errorf("template %s: %w", name, err)
		}
	}
	return nil
}

func (b *bench) measureTemplate(ctx context.Context, binary string, java *velocityProcess, name string) error {
	var ours, theirs, allocations series
	if java != nil { // until the JVM has compiled all there is to compile
		if _, err := java.time(name, max(4*b.slice, warmUp)); err != nil {
			return err
		}
	}
	for range b.rounds {
		r, err := b.goBenchmark(ctx, binary, vtlFolder, "^BenchmarkDocumentation$/^"+name+"$")
		if err != nil {
			return err
		}
		ours, allocations = append(ours, r.nanoseconds), append(allocations, r.allocations)
		if java != nil {
			ns, err := java.time(name, b.slice)
			if err != nil {
				return err
			}
			theirs = append(theirs, ns)
		}
	}
	speed, room := bar{}, bar{}
	if java != nil {
		speed = bar{ratioAtMost: 0.2}
	}
	if name == "passthrough" {
		room = bar{zero: true}
	}
	b.report.add("render template "+name, "ns", ours, velocity, theirs, speed)
	b.report.add("render template "+name+", allocations", "count", allocations, "", nil, room)
	return nil
}

// compileTest compiles the tests of a room, whose benchmarks are run then.
func compileTest(ctx context.Context, folder, binary string) error {
	if out, err := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "./"+folder).CombinedOutput(); err != nil {
		return fmt.Errorf("compile the benchmarks of %s: %w: %s", folder, err, out)
	}
	return nil
}

// testName is what go test calls a sub-benchmark.
func testName(name string) string { return strings.ReplaceAll(name, " ", "_") }

// goResult is one line of a Go benchmark.
type goResult struct{ nanoseconds, allocations float64 }

var goLine = regexp.MustCompile(`\s([0-9.]+) ns/op(?:.*\s([0-9]+) allocs/op)?`)

// goBenchmark runs one benchmark of a compiled test for a slice of time.
func (b *bench) goBenchmark(ctx context.Context, binary, folder, pattern string) (r goResult, err error) {
	cmd := exec.CommandContext(ctx, binary, "-test.run=^$", "-test.bench="+pattern, "-test.benchmem", "-test.benchtime="+b.slice.String())
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	m := goLine.FindSubmatch(out)
	if err != nil || m == nil {
		return r, fmt.Errorf("benchmark %s: %w: %s", pattern, err, out)
	}
	if r.nanoseconds, err = strconv.ParseFloat(string(m[1]), 64); err != nil || len(m[2]) == 0 {
		return r, err
	}
	r.allocations, err = strconv.ParseFloat(string(m[2]), 64)
	return r, err
}

// velocityProcess is a JVM that times Velocity when asked.
type velocityProcess struct {
	in   io.Writer
	out  *bufio.Reader
	stop func()
}

func startVelocity(ctx context.Context, dir string) (*velocityProcess, error) {
	path := dir
	for _, jar := range jars {
		file := filepath.Join(jarFolder, jar+".jar")
		if _, err := os.Stat(file); err != nil {
			return nil, err
		}
		path += ":" + file
	}
	oracle := filepath.Join(vtlFolder, "oracle")
	javac := exec.CommandContext(ctx, "javac", "-Xlint:none", "-cp", path, "-d", dir,
		filepath.Join(oracle, "VtlServer.java"), filepath.Join(oracle, "VelocityBench.java"))
	if out, err := javac.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	java := exec.CommandContext(ctx, "java", "-cp", path, "VelocityBench", filepath.Join(vtlFolder, "testdata", "documentation"))
	java.Stderr = os.Stderr
	in, err := java.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := java.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := java.Start(); err != nil {
		return nil, err
	}
	stop := func() {
		_ = in.Close()
		_ = java.Wait()
	}
	return &velocityProcess{in, bufio.NewReader(out), stop}, nil
}

// time is how many nanoseconds one rendering took, in a stretch of that long.
func (v *velocityProcess) time(name string, stretch time.Duration) (float64, error) {
	if _, err := fmt.Fprintf(v.in, "%s %d\n", name, stretch.Milliseconds()); err != nil {
		return 0, err
	}
	line, err := v.out.ReadString('\n')
	if err != nil {
		return 0, errors.Join(errors.New("the JVM has ended"), err)
	}
	return strconv.ParseFloat(strings.TrimSpace(line), 64)
}
