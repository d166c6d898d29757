package main

import (
	"context"
	"fmt"
)

// badHandlers are functions that take what they can get of the machine. Each
// call ends by itself, or by its limits.
var badHandlers = []struct{ name, code string }{
	{"a handler that spins", `
import time
def handler(event, context):
    end = time.time() + 0.2
    while time.time() < end: pass
`},
	{"a fork bomb", `
import os, signal, time
def handler(event, context):
    children = []
    try:
        while True:
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    except OSError:
        pass
    for child in children: os.kill(child, signal.SIGKILL)
    for child in children: os.waitpid(child, 0)
`},
	{"a memory bomb", `
def handler(event, context):
    kept = []
    while True: kept.append(b"x" * (1 << 20))
`},
	{"a handler that fills /tmp", `
import os
def handler(event, context):
    try:
        with open("/tmp/full", "wb") as f:
            while True: f.write(b"x" * (1 << 20))
    except OSError:
        os.remove("/tmp/full")
`},
	{"a handler that opens all the files it can", `
def handler(event, context):
    kept = []
    try:
        while True: kept.append(open("/dev/null"))
    except OSError:
        return len(kept)
`},
}

// measureNeighbours measures what hostile handlers do to the calls of another
// function: the p99 of a few callers beside each, by that of a calm round just
// before.
func (b *bench) measureNeighbours(ctx context.Context, s *server, d *deployer) error {
	if err := d.create(ctx, "neighbour", pythonProgram); err != nil {
		return err
	}
	others, err := s.invocation(ctx, "neighbour", expect(goodAnswer))
	if err != nil {
		return err
	}
	for i, bad := range badHandlers {
		name := fmt.Sprintf("bad-%d", i)
		p := pythonProgram
		p.code = bad.code
		if err := d.create(ctx, name, p); err != nil {
			return err
		}
		theirs, err := s.invocation(ctx, name, func(int, []byte) error { return nil })
		if err != nil {
			return err
		}
		if err := b.underAttack(ctx, others, attack{bad.name, 1, calling(theirs)}); err != nil {
			return fmt.Errorf("%s: %w", bad.name, err)
		}
	}
	return nil
}

// calling calls a subject over and over.
func calling(e *endpoint) func(context.Context, func()) error {
	return func(ctx context.Context, begun func()) error {
		defer begun()
		c, err := e.connect()
		if err != nil {
			return err
		}
		defer c.close()
		for ctx.Err() == nil {
			begun()
			if err := c.call(); err != nil {
				return err
			}
		}
		return nil
	}
}
