package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	riePath   = "/2015-03-31/functions/function/invocations"
	rieClient = "awslambdaric==4.2.2"
	rieLimit  = 20 * time.Second // until its first right answer
)

// emulator is AWS's Runtime Interface Emulator with AWS's Python client below
// it: what people have who try functions out in AWS's own container images.
type emulator struct {
	endpoint
	cmd *exec.Cmd
	log bytes.Buffer
}

// startEmulator builds and starts the emulator. Where it can't, it says so in
// the report and returns nil. The short form builds nothing.
func (b *bench) startEmulator(ctx context.Context) *emulator {
	binary, client, err := b.installEmulator(ctx)
	if err == nil {
		var e *emulator
		if e, err = b.runEmulator(ctx, binary, client); err == nil {
			return e
		}
	}
	b.report.note("AWS's Runtime Interface Emulator was not measured: %v", err)
	return nil
}

// installEmulator builds bench/rie, which is a module of its own, and installs
// the Python client.
func (b *bench) installEmulator(ctx context.Context) (binary, client string, err error) {
	tools, err := filepath.Abs(b.tools)
	if err != nil {
		return "", "", err
	}
	binary, client = filepath.Join(tools, "aws-lambda-rie"), filepath.Join(tools, "ric-python")
	steps := []struct {
		result string
		args   []string
	}{
		{binary, []string{"go", "build", "-C", filepath.Join("bench", "rie"), "-trimpath", "-o", binary, "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie"}},
		{client, []string{floorPython, "-m", "pip", "install", "--quiet", "--target", client, rieClient}},
	}
	for _, step := range steps {
		if _, err := os.Stat(step.result); err == nil {
			continue
		}
		if b.short {
			return "", "", fmt.Errorf("%s is not there, and the short form builds nothing", step.result)
		}
		if text, err := exec.CommandContext(ctx, step.args[0], step.args[1:]...).CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("%w: %.300s", err, text)
		}
	}
	return binary, client, nil
}

func (b *bench) runEmulator(ctx context.Context, binary, client string) (*emulator, error) {
	dir := filepath.Join(b.dir, "rie")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, pythonProgram.file), []byte(pythonProgram.code), 0o644); err != nil {
		return nil, err
	}
	addresses := make([]string, 2)
	for i := range addresses {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		addresses[i] = l.Addr().String()
		if err := l.Close(); err != nil {
			return nil, err
		}
	}
	e := &emulator{endpoint: endpoint{address: addresses[0], request: always(post(addresses[0], riePath, floorEvent)), check: expect(goodAnswer)}}
	e.cmd = exec.CommandContext(ctx, binary, "--log-level", "error", "--runtime-interface-emulator-address", addresses[0], "--runtime-api-address", addresses[1],
		floorPython, "-m", "awslambdaric", pythonProgram.handler)
	e.cmd.Dir = dir
	e.cmd.Env = append(os.Environ(), "PYTHONPATH="+client, "AWS_LAMBDA_FUNCTION_TIMEOUT=30")
	e.cmd.Stdout, e.cmd.Stderr = &e.log, &e.log
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	e.roots = []int{e.cmd.Process.Pid}
	if err := e.await(); err != nil {
		return nil, errors.Join(err, e.stop())
	}
	return e, nil
}

// await waits for the first right answer.
func (e *emulator) await() error {
	var err error
	for end := time.Now().Add(rieLimit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var c caller
		if c, err = e.connect(); err == nil {
			err = c.call()
			c.close()
		}
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w; it said %.300q", err, strings.TrimSpace(e.log.String()))
}

func (e *emulator) stop() error {
	if err := syscall.Kill(-e.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		return err
	}
	e.cmd.Wait() // killed, as it says
	return nil
}

// measureEmulator measures warm invocations of a Python function against
// AWS's emulator.
func (b *bench) measureEmulator(ctx context.Context, s *server, d *deployer) (err error) {
	theirs := b.startEmulator(ctx)
	if theirs == nil {
		return nil
	}
	defer func() { err = errors.Join(err, theirs.stop()) }()
	if err := d.create(ctx, "function", pythonProgram); err != nil {
		return err
	}
	ours, err := s.invocation(ctx, "function", expect(goodAnswer))
	if err != nil {
		return err
	}
	all, err := b.contest(ctx, 1, ours, theirs)
	if err != nil {
		return err
	}
	const name, at = "AWS's emulator", "Invoke beside AWS's emulator, python3.11, c=1"
	b.report.add(at+", p50", "ms", all[0].of(p50), name, all[1].of(p50), bar{ratioAtMost: 0.2})
	b.report.add(at+", p99", "ms", all[0].of(p99), name, all[1].of(p99), bar{})
	b.report.add(at+", processor time", "ms/call", all[0].of(cpu), name, all[1].of(cpu), bar{})
	return nil
}
