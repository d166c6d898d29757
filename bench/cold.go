package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const (
	// The pauses are between two cold starts: they come one by one, as where
	// people work, not in a burst that empties the spares.
	coldPause, coldPauseLong = 150 * time.Millisecond, 350 * time.Millisecond
)

// coldKind is a kind of function whose first calls are measured.
type coldKind struct {
	name  string
	pause time.Duration
	program
}

func (b *bench) coldKinds(ctx context.Context) []coldKind {
	boto := pythonProgram
	boto.code = "import boto3\n" + boto.code
	boto.cold, boto.coldTail = 50, 0
	kinds := []coldKind{{"python3.11 with boto3", coldPauseLong, boto}}
	for _, p := range b.programs(ctx) {
		k := coldKind{string(p.runtime), coldPause, p}
		if p.runtime == lambdatypes.RuntimeJava17 || p.runtime == rubyRuntime { // whose spares take longer to boot
			k.pause = coldPauseLong
		}
		kinds = append(kinds, k)
	}
	return slices.DeleteFunc(kinds, func(k coldKind) bool { return b.kinds != nil && !slices.Contains(b.kinds, k.name) })
}

// measureCold measures first calls, each of a function of its own, with spare
// sandboxes and without.
func (b *bench) measureCold(ctx context.Context) error {
	n := b.sizes.cold
	for _, k := range b.coldKinds(ctx) {
		fresh, err := b.coldStarts(ctx, k, max(n/10, 6), "--spares", "0")
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		times, err := b.coldStarts(ctx, k, n)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		at := fmt.Sprintf("first call, %s, %d functions", k.name, n)
		b.report.add(at+", p50", "ms", series{times.at(50)}, "without spares", series{fresh.at(50)}, bar{atMost: k.cold})
		b.report.add(at+", p99", "ms", series{times.at(99)}, "without spares", series{fresh.at(99)}, bar{atMost: k.coldTail})
	}
	return nil
}

// at is a percentile.
func (s series) at(percent int) float64 {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}

func (b *bench) coldStarts(ctx context.Context, k coldKind, n int, flags ...string) (times series, err error) {
	err = b.withServer(ctx, fmt.Sprintf("cold-%d", time.Now().UnixNano()), append(flags, rubyFlags()...), func(ctx context.Context, s *server, d *deployer) error {
		callers, err := coldCallers(ctx, s, d, k, n)
		if err != nil {
			return err
		}
		time.Sleep(settle)
		for _, c := range callers {
			time.Sleep(k.pause)
			begin := time.Now()
			if err := c.call(); err != nil {
				return err
			}
			times = append(times, millis(time.Since(begin)))
			c.close()
		}
		return nil
	})
	return times, err
}

// coldCallers makes n functions that nobody has called, and a caller of each.
func coldCallers(ctx context.Context, s *server, d *deployer, k coldKind, n int) ([]caller, error) {
	callers := make([]caller, n)
	for i := range callers {
		name := fmt.Sprintf("cold-%d", i)
		p := k.program
		if !p.compiled {
			p.code += "\n" + map[bool]string{true: "//", false: "#"}[strings.HasSuffix(p.file, ".js")] + " " + name + "\n"
		}
		if err := d.create(ctx, name, p); err != nil {
			return nil, err
		}
		e, err := s.invocation(ctx, name, expect(p.answer))
		if err != nil {
			return nil, err
		}
		if callers[i], err = e.connect(); err != nil {
			return nil, err
		}
	}
	return callers, nil
}
