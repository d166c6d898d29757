package cloudwatch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
)

// series is a metric in one unit, as it is listed. Its points are in blocks.
type series struct {
	Namespace, Name, Unit string
	Dimensions            []metric.Dimension `json:",omitempty"`
	Last                  int64              // time of its newest point, seconds since 1970; up to lastStep behind
}

// block holds a series' points of one hour, in order of time.
type block struct {
	Points []point
}

// point is what is known about a span of time.
type point struct {
	At   int64 `json:"t"` // start, seconds since 1970
	Span int64 `json:"w"` // in seconds
	metric.Set
}

var (
	allSeries = record.New[series]("cloudwatch", "series") // account, region, namespace, name, hash of dimensions, unit
	allBlocks = record.New[block]("cloudwatch", "points")  // account, region, id of the series, hour
)

const (
	hour = 3600
	// lastStep is by how many seconds series.Last may lag, to save writes.
	lastStep = 600
	// saveSeries bounds the series stored in one transaction.
	saveSeries = 2000
)

// hash stands for texts in keys, which can't be longer than a store takes.
func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (k *seriesKey) id() string { return hash(k.namespace, k.name, k.dimensions, k.unit) }

// record is the id of the series' own record.
func (k *seriesKey) record() []string {
	return []string{k.account, k.region, k.namespace, k.name, hash(k.dimensions), k.unit}
}

func hourKey(at int64) string { return fmt.Sprintf("%012d", at/hour) }

// save stores points. It returns those that it couldn't.
func (s *Service) save(ctx context.Context, points map[seriesKey]*measured) (left map[seriesKey]*measured, err error) {
	chunk := map[seriesKey]*measured{}
	flush := func() error {
		err := s.Store.Update(ctx, func(tx store.Tx) error {
			for key, m := range chunk {
				if err := m.save(tx, key); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			for key := range chunk {
				delete(points, key)
			}
			clear(chunk)
		}
		return err
	}
	for key, m := range points {
		if chunk[key] = m; len(chunk) == saveSeries {
			if err := flush(); err != nil {
				return points, err
			}
		}
	}
	if len(chunk) == 0 {
		return nil, nil
	}
	return points, flush()
}

// save adds the points to the series' blocks.
func (m *measured) save(tx store.Tx, key seriesKey) error {
	byHour := map[int64]map[moment]*metric.Set{}
	last := int64(0)
	for at, set := range m.points {
		h := at.at / hour
		if byHour[h] == nil {
			byHour[h] = map[moment]*metric.Set{}
		}
		byHour[h][at], last = set, max(last, at.at)
	}
	id := key.id()
	for h, points := range byHour {
		at := []string{key.account, key.region, id, hourKey(h * hour)}
		b, err := allBlocks.Get(tx, at...)
		if err != nil {
			return err
		}
		if b == nil {
			b = &block{}
		}
		for at, set := range points {
			b.add(at, set)
		}
		if err := allBlocks.Put(tx, b, at...); err != nil {
			return err
		}
	}
	have, err := allSeries.Get(tx, key.record()...)
	if err != nil || have != nil && last < have.Last+lastStep {
		return err
	}
	return allSeries.Put(tx, &series{key.namespace, key.name, key.unit, m.dimensions, last}, key.record()...)
}

// add merges a set into the point at a moment.
func (b *block) add(at moment, set *metric.Set) {
	i, found := slices.BinarySearchFunc(b.Points, at, func(p point, at moment) int {
		return cmp.Or(cmp.Compare(p.At, at.at), cmp.Compare(p.Span, at.span))
	})
	if !found {
		b.Points = slices.Insert(b.Points, i, point{At: at.at, Span: at.span})
	}
	b.Points[i].Merge(set)
}

// span is a range of time in seconds since 1970: from is in it, to isn't.
type span struct{ from, to int64 }

// read returns the points of a series in a span, in order of time.
func read(r store.ReadTx, key seriesKey, in span) ([]point, error) {
	var out []point
	for h := in.from / hour; h*hour < in.to; h++ {
		b, err := allBlocks.Get(r, key.account, key.region, key.id(), hourKey(h*hour))
		if err != nil {
			return nil, err
		}
		if b == nil {
			continue
		}
		for _, p := range b.Points {
			if p.At >= in.from && p.At < in.to {
				out = append(out, p)
			}
		}
	}
	return out, nil
}
