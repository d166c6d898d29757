package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// subject is something that answers calls.
type subject interface {
	// connect returns a caller of its own for each of the concurrent workers.
	connect() (caller, error)
	// processes are the roots of the process trees that do the work.
	processes() []int
}

// caller makes one call at a time. An error means a lost or a wrong answer.
type caller interface {
	call() error
	close()
}

// outcome is what one load came to.
type outcome struct {
	calls, lost int
	perSecond   float64
	p50, p99    float64 // ms
	longest     float64 // ms
	cpu         float64 // ms of processor time per call, user and system, of the subject's processes
	firstError  error
}

// effort is when a load ends: after a time or after so many calls.
type effort struct {
	time  time.Duration
	calls int
}

// load has c workers call a subject as fast as it answers.
func load(ctx context.Context, s subject, c int, until effort) (outcome, error) {
	callers := make([]caller, c)
	for i := range callers {
		var err error
		if callers[i], err = s.connect(); err != nil {
			return outcome{}, err
		}
		defer callers[i].close()
	}
	results := make(chan workerResult, c)
	before, err := cpuOf(s.processes())
	if err != nil {
		return outcome{}, err
	}
	begin := time.Now()
	for i, one := range callers {
		go func() { results <- work(ctx, one, until.share(i, c), begin) }()
	}
	var out outcome
	var times []time.Duration
	for range c {
		r := <-results
		times = append(times, r.times...)
		out.lost += r.lost
		out.firstError = errors.Join(out.firstError, r.err)
	}
	took := time.Since(begin)
	after, err := cpuOf(s.processes())
	if err != nil {
		return outcome{}, err
	}
	if err := ctx.Err(); err != nil {
		return outcome{}, err
	}
	if len(times) == 0 {
		return outcome{}, fmt.Errorf("no call was answered: %w", out.firstError)
	}
	slices.Sort(times)
	out.calls = len(times) + out.lost
	out.perSecond = float64(len(times)) / took.Seconds()
	out.p50, out.p99 = millis(times[len(times)/2]), millis(times[len(times)*99/100])
	out.longest = millis(times[len(times)-1])
	out.cpu = millis(after-before) / float64(len(times))
	return out, nil
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// share is the part of the effort that worker i of c does.
func (e effort) share(i, c int) effort {
	if e.calls > 0 {
		e.calls = e.calls/c + min(1, max(0, e.calls%c-i))
	}
	return e
}

type workerResult struct {
	times []time.Duration
	lost  int
	err   error // the first
}

func work(ctx context.Context, one caller, until effort, begin time.Time) (r workerResult) {
	for n := 0; until.calls == 0 || n < until.calls; n++ {
		start := time.Now()
		if until.calls == 0 && start.Sub(begin) > until.time || n%64 == 0 && ctx.Err() != nil {
			return r
		}
		if err := one.call(); err != nil {
			r.lost++
			if r.err == nil {
				r.err = err
			}
			continue
		}
		r.times = append(r.times, time.Since(start))
	}
	return r
}

// field names a figure of an outcome.
type field func(*outcome) float64

func perSecond(o *outcome) float64 { return o.perSecond }
func p50(o *outcome) float64       { return o.p50 }
func p99(o *outcome) float64       { return o.p99 }
func cpu(o *outcome) float64       { return o.cpu }

// history are a subject's outcomes, round by round.
type history []outcome

func (h history) of(f field) series {
	out := make(series, len(h))
	for i := range h {
		out[i] = f(&h[i])
	}
	return out
}

// contest runs subjects against each other, in rounds, at one concurrency. It
// returns their histories in order; a lost call fails it.
func (b *bench) contest(ctx context.Context, c int, subjects ...subject) ([]history, error) {
	out := make([]history, len(subjects))
	for round := range b.rounds + 1 {
		for i, s := range subjects {
			o, err := load(ctx, s, c, effort{time: b.slice})
			if err == nil && o.lost > 0 {
				err = fmt.Errorf("%d of %d calls were lost: %w", o.lost, o.calls, o.firstError)
			}
			if err != nil {
				return nil, fmt.Errorf("subject %d at c=%d: %w", i+1, c, err)
			}
			if round > 0 { // the first warms up
				out[i] = append(out[i], o)
			}
		}
	}
	return out, nil
}
