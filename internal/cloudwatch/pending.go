package cloudwatch

import (
	"context"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/metric"
)

// maxPending bounds the series that wait to be stored; what is measured of
// more is dropped, and the log says so.
const maxPending = 200_000

// pending is what was measured and isn't stored yet.
type pending struct {
	sources []func(metric.Sink)

	flushing sync.Mutex // held while it is stored
	swept    time.Time  // the last time that old points were thinned out; the goroutine's own

	mu      sync.Mutex
	series  map[seriesKey]*measured
	dropped int
}

// seriesKey tells series apart: metrics with their units.
type seriesKey struct {
	place
	namespace, name, dimensions, unit string
}

// measured is what waits of one series.
type measured struct {
	dimensions []metric.Dimension
	points     map[moment]*metric.Set
}

// moment is the time of a point, in seconds since 1970, and how many seconds
// it stands for.
type moment struct {
	at, span int64
}

// Gather makes source hand over what it has measured before each time that
// metrics are stored or read.
func (s *Service) Gather(source func(metric.Sink)) {
	s.pending.flushing.Lock()
	defer s.pending.flushing.Unlock()
	s.pending.sources = append(s.pending.sources, source)
}

// Put takes samples, which are stored a moment later. It implements
// metric.Sink.
func (s *Service) Put(account, region string, samples []metric.Sample) {
	p := &s.pending
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range samples {
		sample := &samples[i]
		key := seriesKey{place{account, region}, sample.ID.Namespace, sample.ID.Name, sample.ID.Key(), sample.Unit}
		at := moment{sample.Time.Unix(), 60}
		if sample.Fine {
			at.span = 1
		}
		at.at -= at.at % at.span
		p.merge(key, sample.ID.Dimensions, at, &sample.Set)
	}
}

// merge adds to a point; the lock is held.
func (p *pending) merge(key seriesKey, dimensions []metric.Dimension, at moment, set *metric.Set) {
	m := p.series[key]
	if m == nil {
		if len(p.series) >= maxPending {
			p.dropped++
			return
		}
		if p.series == nil {
			p.series = map[seriesKey]*measured{}
		}
		m = &measured{dimensions, map[moment]*metric.Set{}}
		p.series[key] = m
	}
	if m.points[at] == nil {
		m.points[at] = &metric.Set{}
	}
	m.points[at].Merge(set)
}

// Flush stores everything that was measured before. When it fails nothing is
// lost: the next Flush tries again.
func (s *Service) Flush(ctx context.Context) error {
	p := &s.pending
	p.flushing.Lock()
	defer p.flushing.Unlock()
	for _, source := range p.sources {
		source(s)
	}
	p.mu.Lock()
	taken, dropped := p.series, p.dropped
	p.series, p.dropped = nil, 0
	p.mu.Unlock()
	if dropped > 0 {
		s.Log.Warn("dropped metrics: there are too many", "samples", dropped)
	}
	left, err := s.save(ctx, taken)
	if err == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, m := range left {
		for at, set := range m.points {
			p.merge(key, m.dimensions, at, set)
		}
	}
	return err
}
