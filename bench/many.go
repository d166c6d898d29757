package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// measureDensity measures what idle sandboxes and functions that nobody calls
// take.
func (b *bench) measureDensity(ctx context.Context, s *server, d *deployer) error {
	deployed, warm := b.sizes.deployed, min(b.sizes.warm, b.sizes.deployed)
	for i := range deployed {
		if err := d.create(ctx, fmt.Sprintf("dense-%d", i), pythonProgram); err != nil {
			return err
		}
	}
	time.Sleep(settle)
	before, err := residentMB(s.pid())
	if err != nil {
		return err
	}
	for i := range warm {
		e, err := s.invocation(ctx, fmt.Sprintf("dense-%d", i), expect(goodAnswer))
		if err != nil {
			return err
		}
		c := connection{endpoint: e}
		err = c.call()
		c.close()
		if err != nil {
			return err
		}
	}
	time.Sleep(settle)
	after, err := residentMB(s.pid())
	if err != nil {
		return err
	}
	sandboxes, mb, err := sandboxMemory(s.pid())
	if err != nil {
		return err
	}
	at := fmt.Sprintf("%d functions deployed, %d called", deployed, warm)
	b.report.add(at+": sandboxes alive", "count", series{float64(sandboxes)}, "", nil, bar{})
	b.report.add(at+": memory per sandbox (PSS)", "MiB", series{mb / float64(max(1, sandboxes))}, "", nil, bar{})
	b.report.add(at+": server memory (RSS)", "MiB", series{after}, "before the calls", series{before}, bar{ratioAtMost: 1.25})
	return nil
}

// sandboxMemory counts a server's sandboxes and sums the proportional set
// sizes of their processes, in MiB.
func sandboxMemory(server int) (sandboxes int, mb float64, err error) {
	processes, err := tree([]int{server})
	if err != nil {
		return 0, 0, err
	}
	for pid, p := range processes {
		if pid == server {
			continue
		}
		if p.parent == server {
			sandboxes++
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue // it has just ended
		}
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
				kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
				if err != nil {
					return 0, 0, err
				}
				mb += kb / 1024
			}
		}
	}
	return sandboxes, mb, nil
}

// killPause is between two kills.
const killPause = 200 * time.Millisecond

// measureKills has sandboxes killed under load: only the calls that they have
// under way may fail, and with Lambda's error.
func (b *bench) measureKills(ctx context.Context, s *server, d *deployer) error {
	length := b.sizes.kills
	if err := d.create(ctx, "victim", pythonProgram); err != nil {
		return err
	}
	var failed atomic.Int64
	right := expect(goodAnswer)
	e, err := s.invocation(ctx, "victim", func(status int, body []byte) error {
		if status == 200 && bytes.Contains(body, []byte(`"errorType":"Runtime.ExitError"`)) && bytes.Contains(body, []byte("signal: killed")) {
			failed.Add(1)
			return nil
		}
		return right(status, body)
	})
	if err != nil {
		return err
	}
	kills, turn, stop, done := 0, 0, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(killPause):
				kills += killOne(s.pid(), turn)
				turn++
			}
		}
	}()
	o, err := load(ctx, e, 16, effort{time: length})
	close(stop)
	<-done
	if err != nil {
		return err
	}
	at := fmt.Sprintf("sandboxes killed under load for %.0f s", length.Seconds())
	b.report.add(at+": kills", "count", series{float64(kills)}, "", nil, bar{})
	b.report.add(at+": calls that failed with Lambda's error, of "+strconv.Itoa(o.calls), "calls", series{float64(failed.Load())}, "kills", series{float64(max(1, kills))}, bar{ratioAtMost: 1})
	b.report.add(at+": calls that failed in another way", "calls", series{float64(o.lost)}, "", nil, bar{zero: true})
	b.report.add(at+": longest call, of a function with a timeout of 10 s", "ms", series{o.longest}, "", nil, bar{atMost: 10_000})
	if o.lost > 0 {
		b.report.note("calls lost to kills: %v", o.firstError)
	}
	return nil
}

// killOne kills the program of one of the sandboxes, which is its first
// process's child, and returns how many it has killed. Which one changes with nth.
func killOne(server, nth int) int {
	processes, err := tree([]int{server})
	if err != nil {
		return 0
	}
	var programs []int
	for pid, p := range processes {
		if first, ok := processes[p.parent]; ok && first.parent == server && p.parent != server {
			programs = append(programs, pid)
		}
	}
	if len(programs) == 0 || syscall.Kill(programs[nth%len(programs)], syscall.SIGKILL) != nil {
		return 0
	}
	return 1
}
