package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
)

// measureGateway measures warm GET /user/{id} through a mapping template, an
// alias picked by a stage variable, the alias's permission and a Python
// handler, with logs and IAM on.
func (b *bench) measureGateway(ctx context.Context, s *server, d *deployer) (err error) {
	paths := map[string]string{}
	for name, code := range map[string]string{"plain": handlerCode, "logging": loggingHandlerCode} {
		if paths[name], err = d.deploy(ctx, name, code); err != nil {
			return err
		}
	}
	subject := func(path string) *endpoint {
		return &endpoint{address: s.address, roots: []int{s.pid()}, request: always(get(s.address, path)), check: expect(goodAnswer)}
	}
	butai := subject(paths["plain"])
	if err := b.races(ctx, butai); err != nil {
		return err
	}
	if err := b.logging(ctx, subject(paths["logging"]), butai); err != nil {
		return err
	}
	return b.endurance(ctx, s, butai)
}

// races measures the warm path alone and in a crowd, against all there is to
// compare it with.
func (b *bench) races(ctx context.Context, butai *endpoint) (err error) {
	rivals := []rival{}
	for _, f := range []struct {
		name  string
		loops int
	}{{"bare loop", 1}, {"bare loop per core", runtime.NumCPU()}} {
		bare, err := startFloor(f.loops)
		if err != nil {
			return fmt.Errorf("the floor needs %s: %w", floorPython, err)
		}
		defer func() { err = errors.Join(err, bare.close()) }()
		rivals = append(rivals, rival{f.name, bare})
	}
	ceiling, err := startEcho()
	if err != nil {
		return err
	}
	defer ceiling.stop()
	rivals = append(rivals, rival{"net/http echo", ceiling.as(get(ceiling.address, "/"), "")})
	if peer := b.startPeer(ctx); peer != nil {
		defer peer.stop()
		rivals = append(rivals, rival{"serverless-offline", peer})
	}
	for _, c := range []int{1, 16} {
		if err := b.race(ctx, c, butai, rivals); err != nil {
			return err
		}
	}
	return nil
}

// rival is a subject to compare with. The first is the floor that bars are
// set by.
type rival struct {
	name string
	subject
}

// race measures the warm path at one concurrency.
func (b *bench) race(ctx context.Context, c int, butai *endpoint, rivals []rival) error {
	subjects := []subject{butai}
	for _, r := range rivals {
		subjects = append(subjects, r)
	}
	all, err := b.contest(ctx, c, subjects...)
	if err != nil {
		return err
	}
	ours, at := all[0], "GET /user/{id}, c="+strconv.Itoa(c)
	speed, latency := bar{}, bar{atMost: 0.5}
	if c > 1 {
		speed, latency = bar{ratioAtLeast: 0.5}, bar{}
	}
	for i, r := range rivals {
		theirs := all[i+1]
		b.report.add(at, "calls/s", ours.of(perSecond), r.name, theirs.of(perSecond), speed)
		b.report.add(at+", p50", "ms", ours.of(p50), r.name, theirs.of(p50), latency)
		b.report.add(at+", p99", "ms", ours.of(p99), r.name, theirs.of(p99), bar{})
		b.report.add(at+", processor time", "ms/call", ours.of(cpu), r.name, theirs.of(cpu), bar{})
		speed, latency = bar{}, bar{}
	}
	return nil
}

// logging measures what a log line per call costs.
func (b *bench) logging(ctx context.Context, chatty, quiet *endpoint) error {
	all, err := b.contest(ctx, 16, chatty, quiet)
	if err != nil {
		return err
	}
	b.report.add("handler that logs its event, c=16", "calls/s", all[0].of(perSecond), "quiet handler", all[1].of(perSecond), bar{})
	return nil
}

// Calls of the endurance run.
const (
	crowd       = 64
	warmUpCalls = 5_000
	manyCalls   = 50_000
	shortCalls  = 5_000
	flat        = 1.1 // memory after many calls by memory before
)

// endurance counts lost calls of a crowd, and looks for growing memory.
func (b *bench) endurance(ctx context.Context, s *server, butai *endpoint) error {
	calls := manyCalls
	if b.short {
		calls = shortCalls
	}
	if _, err := load(ctx, butai, crowd, effort{calls: warmUpCalls}); err != nil {
		return err
	}
	before, err := residentMB(s.pid())
	if err != nil {
		return err
	}
	o, err := load(ctx, butai, crowd, effort{calls: calls})
	if err != nil {
		return err
	}
	after, err := residentMB(s.pid())
	if err != nil {
		return err
	}
	at := ", c=" + strconv.Itoa(crowd)
	b.report.add("GET /user/{id}"+at, "calls/s", series{o.perSecond}, "", nil, bar{})
	b.report.add("GET /user/{id}"+at+", p50", "ms", series{o.p50}, "", nil, bar{})
	b.report.add("GET /user/{id}"+at+", p99", "ms", series{o.p99}, "", nil, bar{})
	b.report.add(fmt.Sprintf("lost calls of %d%s", o.calls, at), "calls", series{float64(o.lost)}, "", nil, bar{zero: true})
	if o.lost > 0 {
		b.report.note("lost calls, the first of each caller: %v", o.firstError)
	}
	b.report.add(fmt.Sprintf("server memory (RSS) after %d more calls", calls), "MiB", series{after}, "before", series{before}, bar{ratioAtMost: flat})
	processes, err := tree([]int{s.pid()})
	if err != nil {
		return err
	}
	b.report.add("processes of server and sandboxes then", "count", series{float64(len(processes))}, "", nil, bar{})
	return nil
}
