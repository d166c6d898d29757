package cloudwatch

import (
	"context"
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/keys"
)

// How long points are kept, by what they stand for (CloudWatch User Guide,
// "Metrics retention"): seconds for 3 hours, minutes for 15 days, five minutes
// for 63 days, hours for 455 days.
var retention = []struct {
	age  time.Duration // from which on
	span int64         // points stand for so many seconds at least; 0 drops them
}{
	{455 * 24 * time.Hour, 0}, {63 * 24 * time.Hour, hour}, {15 * 24 * time.Hour, 300}, {3 * time.Hour, 60},
}

const (
	sweepEvery = time.Hour
	// sweepPage bounds the blocks looked at in one transaction.
	sweepPage = 500
)

// sweep thins old points out, once an hour.
func (s *Service) sweep(ctx context.Context) error {
	now := s.Clock.Now()
	if now.Sub(s.pending.swept) < sweepEvery {
		return nil
	}
	s.pending.swept = now
	lo, hi := keys.PrefixOf(allBlocks.Key())
	for lo != nil {
		var next []byte
		err := s.Store.Update(ctx, func(tx store.Tx) error {
			next = nil
			var pairs []store.KV
			for kv, err := range tx.Scan(store.Range{Lo: lo, Hi: hi, Limit: sweepPage}) {
				if err != nil {
					return err
				}
				pairs = append(pairs, kv)
			}
			for _, kv := range pairs {
				if err := thin(tx, kv.Key, now); err != nil {
					return err
				}
			}
			if len(pairs) == sweepPage {
				next = append(pairs[sweepPage-1].Key, 0)
			}
			return nil
		})
		if err != nil {
			return err
		}
		lo = next
	}
	return nil
}

// thin joins a block's points as far as its age allows.
func thin(tx store.Tx, key []byte, now time.Time) error {
	id, err := keys.Parse(key[len(allBlocks.Key()):])
	if err != nil {
		return err
	}
	h, err := strconv.ParseInt(id[3], 10, 64)
	if err != nil {
		return err
	}
	age := now.Sub(time.Unix((h+1)*hour, 0))
	for _, rule := range retention {
		if age < rule.age {
			continue
		}
		if rule.span == 0 {
			return allBlocks.Delete(tx, id...)
		}
		b, err := allBlocks.Get(tx, id...)
		if err != nil {
			return err
		}
		if thinner, changed := b.thin(rule.span); changed {
			return allBlocks.Put(tx, thinner, id...)
		}
		return nil
	}
	return nil
}

// thin returns the block with points of at least so many seconds.
func (b *block) thin(span int64) (*block, bool) {
	out, changed := &block{}, false
	for i := range b.Points {
		p := &b.Points[i]
		at := moment{p.At, p.Span}
		if p.Span < span {
			at, changed = moment{p.At - mod(p.At, span), span}, true
		}
		out.add(at, &p.Set)
	}
	return out, changed
}
