package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const nodeHandler = `exports.handler = async (event) => ({ id: event.id, name: "Ada", stage: event.stage });`

// goodCompact is goodAnswer as runtimes write it that put no spaces in JSON.
var goodCompact = strings.NewReplacer(": ", ":", ", ", ",").Replace(goodAnswer)

// program is a function to measure.
type program struct {
	runtime lambdatypes.Runtime
	file    string
	code    string
	handler string
	answer  string
	// compiled says that code is no text, to which nothing can be added.
	compiled bool
	// cold and coldTail are what is asked of first calls, p50 and p99 in ms; 0 for nothing.
	cold, coldTail float64
}

var pythonProgram = program{runtime: lambdatypes.RuntimePython311, file: "main.py", code: handlerCode, handler: "main.handler", answer: goodAnswer, cold: 5, coldTail: 25}

// create makes a function of it.
func (d *deployer) create(ctx context.Context, name string, p program) error {
	archive, err := zipped(p.file, p.code)
	if err != nil {
		return err
	}
	_, err = d.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &d.role, Handler: &p.handler, Runtime: p.runtime,
		Code: &lambdatypes.FunctionCode{ZipFile: archive}, Timeout: aws.Int32(10),
	})
	return err
}

// invocation is a subject that invokes a function through Lambda's API, signed
// by an IAM user whose signature and policies are checked on each call.
func (s *server) invocation(ctx context.Context, name string, check func(status int, body []byte) error) (*endpoint, error) {
	if s.invoker.id == "" {
		var err error
		if s.invoker, err = makeUser(ctx, iam.NewFromConfig(s.sdk()), "lambda:InvokeFunction", "*"); err != nil {
			return nil, err
		}
	}
	request, err := s.signedTo(ctx, s.invoker, "lambda", "/2015-03-31/functions/"+name+"/invocations", nil, floorEvent)
	if err != nil {
		return nil, err
	}
	return &endpoint{address: s.address, roots: []int{s.pid()}, request: always(request), check: check}, nil
}

// measureLambda measures warm invocations through Lambda's API.
func (b *bench) measureLambda(ctx context.Context, s *server, d *deployer) (err error) {
	floor, err := startFloor(1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, floor.close()) }()
	for _, p := range b.programs(ctx) {
		name := "warm-" + strings.ReplaceAll(string(p.runtime), ".", "-")
		if err := d.create(ctx, name, p); err != nil {
			return fmt.Errorf("%s: %w", p.runtime, err)
		}
		subject, err := s.invocation(ctx, name, expect(p.answer))
		if err != nil {
			return err
		}
		all, err := b.contest(ctx, 1, subject, floor)
		if err != nil {
			return fmt.Errorf("%s: %w", p.runtime, err)
		}
		ask := bar{}
		if p.runtime == pythonProgram.runtime {
			ask = bar{ratioAtMost: 5}
		}
		at := "Invoke, " + string(p.runtime) + ", c=1"
		b.report.add(at+", p50", "ms", all[0].of(p50), "bare loop", all[1].of(p50), ask)
		b.report.add(at+", p99", "ms", all[0].of(p99), "bare loop", all[1].of(p99), bar{})
		b.report.add(at+", processor time", "ms/call", all[0].of(cpu), "bare loop", all[1].of(cpu), bar{})
	}
	return b.invokeCrowds(ctx, s, "warm-"+strings.ReplaceAll(string(pythonProgram.runtime), ".", "-"))
}

// invokeCrowds measures throughput against as many bare loops as callers.
func (b *bench) invokeCrowds(ctx context.Context, s *server, name string) error {
	for _, c := range []int{16, 64} {
		subject, err := s.invocation(ctx, name, expect(goodAnswer))
		if err != nil {
			return err
		}
		loops, err := startFloor(c)
		if err != nil {
			return err
		}
		all, err := b.contest(ctx, c, subject, loops)
		if err = errors.Join(err, loops.close()); err != nil {
			return err
		}
		at := "Invoke, " + string(pythonProgram.runtime) + ", c=" + strconv.Itoa(c)
		b.report.add(at, "calls/s", all[0].of(perSecond), strconv.Itoa(c)+" bare loops", all[1].of(perSecond), bar{ratioAtLeast: 0.6})
		b.report.add(at+", processor time", "ms/call", all[0].of(cpu), strconv.Itoa(c)+" bare loops", all[1].of(cpu), bar{})
	}
	return nil
}

// programs are the runtimes that this machine can measure.
func (b *bench) programs(ctx context.Context) []program {
	list := []program{pythonProgram}
	if _, err := exec.LookPath("node"); err == nil {
		list = append(list, program{runtime: lambdatypes.RuntimeNodejs20x, file: "main.js", code: nodeHandler, handler: "main.handler", answer: goodCompact, cold: 5, coldTail: 25})
	} else {
		b.report.note("Node.js was not measured: %v", err)
	}
	if class, err := b.compileJava(ctx); err == nil {
		list = append(list, program{runtime: lambdatypes.RuntimeJava17, file: "Bench.class", code: class, handler: "Bench::handle", answer: goodCompact, compiled: true})
	} else {
		b.report.note("java17 was not measured: %v", err)
	}
	if _, err := exec.LookPath("ruby"); err == nil {
		list = append(list, program{runtime: rubyRuntime, file: "main.rb", code: rubyHandler, handler: "main.handler", answer: goodCompact})
	} else {
		b.report.note("Ruby was not measured: %v", err)
	}
	if text, err := b.buildProvided(ctx); err == nil {
		list = append(list, program{runtime: lambdatypes.RuntimeProvidedal2023, file: "bootstrap", code: text, handler: "none", answer: goodCompact, compiled: true})
	} else {
		b.report.note("provided.al2023 was not measured: %v", err)
	}
	return list
}

// rubyRuntime is measured with whatever Ruby the machine has.
const rubyRuntime = lambdatypes.RuntimeRuby33

// rubyFlags map it.
func rubyFlags() []string {
	path, err := exec.LookPath("ruby")
	if err != nil {
		return nil
	}
	return []string{"--runtime", string(rubyRuntime) + "=" + path}
}

const (
	rubyHandler = `def handler(event:, context:) = { id: event['id'], name: 'Ada', stage: event['stage'] }`
	javaHandler = `import java.util.*;
public class Bench {
  public Map<String, Object> handle(Map<String, Object> event) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("id", event.get("id"));
    answer.put("name", "Ada");
    answer.put("stage", event.get("stage"));
    return answer;
  }
}
`
)

// compileJava compiles the Java handler, which needs no library.
func (b *bench) compileJava(ctx context.Context) (class string, err error) {
	source := filepath.Join(b.dir, "Bench.java")
	if err := os.WriteFile(source, []byte(javaHandler), 0o644); err != nil {
		return "", err
	}
	if text, err := exec.CommandContext(ctx, "javac", "--release", "17", "-d", b.dir, source).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %.300s", err, text)
	}
	text, err := os.ReadFile(filepath.Join(b.dir, "Bench.class"))
	return string(text), err
}

// buildProvided compiles bench/provided, which is a module of its own.
func (b *bench) buildProvided(ctx context.Context) (string, error) {
	out := filepath.Join(b.dir, "bootstrap")
	build := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join("bench", "provided"), "-trimpath", "-ldflags", "-s -w", "-o", out, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %.300s", err, text)
	}
	text, err := os.ReadFile(out)
	return string(text), err
}
