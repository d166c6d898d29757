package metric

import (
	"math"
	"sync"
	"time"
)

// Column is one of the metrics that a Meter measures together.
type Column struct {
	Name, Unit string
}

// Unmeasured stands in a row for a column that wasn't measured.
var Unmeasured = math.NaN()

// Meter gathers rows of values, one value for each column, on a hot path:
// taking a row costs a lock and a few additions. What it has gathered it gives
// away by Drain, as one metric for each column and each of its sets of
// dimensions. It is safe for concurrent use.
type Meter struct {
	Account, Region string
	Namespace       string
	Columns         []Column
	Dimensions      [][]Dimension // each sorted by name

	mu      sync.Mutex
	minutes []minute // the last one is going on
}

// minute is what was measured in one minute, by column.
type minute struct {
	start int64 // seconds since 1970
	sets  []Set
}

// Take adds a row that was measured at a time.
func (m *Meter) Take(at time.Time, row ...float64) {
	start := at.Unix()
	start -= start % 60
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.minutes); n == 0 || m.minutes[n-1].start != start {
		m.minutes = append(m.minutes, minute{start, make([]Set, len(m.Columns))})
	}
	sets := m.minutes[len(m.minutes)-1].sets
	for i, v := range row {
		if v == v { // not Unmeasured
			sets[i].Add(v)
		}
	}
}

// Drain hands what was gathered since the last time to sink.
func (m *Meter) Drain(sink Sink) {
	m.mu.Lock()
	minutes := m.minutes
	m.minutes = nil
	m.mu.Unlock()
	var samples []Sample
	for _, part := range minutes {
		for i := range m.Columns {
			if part.sets[i].Count == 0 {
				continue
			}
			for _, dimensions := range m.Dimensions {
				samples = append(samples, Sample{
					ID:   ID{m.Namespace, m.Columns[i].Name, dimensions},
					Unit: m.Columns[i].Unit, Time: time.Unix(part.start, 0).UTC(), Set: part.sets[i],
				})
			}
		}
	}
	if samples != nil {
		sink.Put(m.Account, m.Region, samples)
	}
}

// Meters keeps the meters of a room by what they measure. It forgets none:
// there are as many as there are things to be measured.
type Meters[K comparable] struct {
	mu     sync.RWMutex
	meters map[K]*Meter
}

// Get returns the meter of key, which create makes if there is none yet.
func (m *Meters[K]) Get(key K, create func() *Meter) *Meter {
	m.mu.RLock()
	found := m.meters[key]
	m.mu.RUnlock()
	if found != nil {
		return found
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.meters == nil {
		m.meters = map[K]*Meter{}
	}
	if m.meters[key] == nil {
		m.meters[key] = create()
	}
	return m.meters[key]
}

// Drain drains every meter.
func (m *Meters[K]) Drain(sink Sink) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, meter := range m.meters {
		meter.Drain(sink)
	}
}
