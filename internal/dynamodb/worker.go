package dynamodb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/keys"
	"github.com/butai-dev/butai/internal/wire"
)

// How the background work is paced.
const (
	sweepEvery  = 2 * time.Second // expired items, tokens
	surveyEvery = time.Minute     // look at all tables, also those of other nodes
	chunk       = 200             // items per background transaction
	// expiryHorizon is how far in the past an expiry may lie and still count
	// (Developer Guide, "Using time to live (TTL) in DynamoDB").
	expiryHorizon = 5 * 365 * 24 * time.Hour
)

// Run fills new indexes and deletes expired items until ctx ends. It returns
// nil then. One Run per store is enough, and several do no harm.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var expiring []tableKey
	var surveyed time.Time
	for {
		if due := time.Since(surveyed) > surveyEvery; due || s.awake() {
			surveyed = time.Now()
			expiring = s.survey(ctx)
			for _, chore := range []struct {
				what string
				do   func(context.Context) error
			}{{"trim streams", s.trimStreams}, {"keep backups", s.keepBackups}} {
				if err := chore.do(ctx); err != nil && ctx.Err() == nil {
					s.log.Error(chore.what, "error", err)
				}
			}
		}
		for _, key := range expiring {
			if err := s.expire(ctx, key); err != nil && ctx.Err() == nil {
				s.log.Error("delete expired items", "table", key.arn(), "error", err)
			}
		}
		if err := s.forgetTokens(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("forget transaction tokens", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.work:
			s.wake() // for awake, above
		}
	}
}

// wake makes Run look at the tables soon.
func (s *Service) wake() {
	select {
	case s.work <- struct{}{}:
	default: // it is about to anyway
	}
}

func (s *Service) awake() bool {
	select {
	case <-s.work:
		return true
	default:
		return false
	}
}

// survey finishes what is being built on any table and returns the tables
// whose items expire.
func (s *Service) survey(ctx context.Context) []tableKey {
	var records []*tableRecord
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		var err error
		records, err = s.records.List(tx)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("list tables", "error", err)
		}
		return nil
	}
	var expiring []tableKey
	for _, r := range records {
		if r.TTL != nil {
			expiring = append(expiring, r.key())
		}
		if !r.unfinished() {
			continue
		}
		if err := s.finish(ctx, r); err != nil && ctx.Err() == nil {
			s.log.Error("build index", "table", r.key().arn(), "error", err)
		}
	}
	return expiring
}

// unfinished reports whether an index of the table, or its expiry, is still
// to be filled.
func (r *tableRecord) unfinished() bool {
	if r.TTL != nil && !r.TTL.Ready {
		return true
	}
	for _, x := range r.Description.GlobalSecondaryIndexes {
		if *x.IndexStatus == dynamodbapi.IndexStatusCREATING {
			return true
		}
	}
	return false
}

// finish files all items of a table anew and then marks its indexes and
// expiry as ready. Writers have maintained them since they were defined, and
// filing an item twice changes nothing, so it can start over after a crash.
func (s *Service) finish(ctx context.Context, r *tableRecord) error {
	t := compile(r)
	root := t.root(nil)
	rng := store.Range{Lo: root, Hi: above(root), Limit: chunk}
	for rng.Lo != nil {
		var next []byte
		err := s.store.Update(ctx, func(tx store.Tx) error {
			err := t.current(tx)
			if err == nil {
				next, err = t.refileChunk(tx, rng)
			}
			return err
		})
		if errors.As(err, new(errStale)) {
			s.wake() // changed or deleted meanwhile: look again
			return nil
		}
		if err != nil {
			return err
		}
		rng.Lo = next
	}
	return s.ready(ctx, r)
}

// refileChunk files one range of items and returns where the next begins; nil
// at the end.
func (t *table) refileChunk(tx store.Tx, rng store.Range) (next []byte, err error) {
	return eachItem(tx, rng, func(key []byte, it attr.Item) error { return t.file(tx, key, it) })
}

// eachItem calls do for the items of one range, which it has read before, and
// returns where the next range begins; nil at the end.
func eachItem(tx store.Tx, rng store.Range, do func(key []byte, it attr.Item) error) (next []byte, err error) {
	var pairs []store.KV
	for kv, err := range tx.Scan(rng) {
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, kv)
	}
	for _, kv := range pairs {
		it, err := attr.DecodeItem(kv.Value)
		if err != nil {
			return nil, err
		}
		if err := do(kv.Key, it); err != nil {
			return nil, err
		}
	}
	if len(pairs) < rng.Limit {
		return nil, nil
	}
	return append(bytes.Clone(pairs[len(pairs)-1].Key), 0), nil
}

// file writes what is being built from one item.
func (t *table) file(tx store.Tx, key []byte, it attr.Item) error {
	for _, x := range t.indexes {
		if x.active {
			continue
		}
		if at, value := x.entry(it); at != nil {
			if err := tx.Put(at, value); err != nil {
				return err
			}
		}
	}
	if at := t.expiryKey(it); at != nil && !t.record.TTL.Ready {
		return tx.Put(at, key)
	}
	return nil
}

// ready marks what r had unfinished as done, unless the table has changed.
func (s *Service) ready(ctx context.Context, built *tableRecord) error {
	key := built.key()
	err := s.store.Update(ctx, func(tx store.Tx) error {
		r, err := s.load(tx, key)
		if err != nil || r == nil || r.Generation != built.Generation || r.ID != built.ID {
			return err
		}
		for i := range r.Description.GlobalSecondaryIndexes {
			x := &r.Description.GlobalSecondaryIndexes[i]
			x.IndexStatus, x.Backfilling = wire.Ptr(dynamodbapi.IndexStatusACTIVE), nil
		}
		if r.TTL != nil {
			r.TTL.Ready = true
		}
		return s.save(tx, r)
	})
	s.tables.Delete(key)
	return err
}

// expire deletes the expired items of a table.
func (s *Service) expire(ctx context.Context, key tableKey) error {
	for {
		more, err := fresh(s, func() (bool, error) {
			t, err := s.lookup(ctx, key)
			if err != nil || t == nil || t.ttl == "" {
				return false, err
			}
			return s.expireChunk(ctx, t)
		})
		if err != nil || !more {
			return err
		}
	}
}

func (s *Service) expireChunk(ctx context.Context, t *table) (more bool, err error) {
	now := s.clock.Now()
	rng := store.Range{Lo: expiryAt(t.id, now.Add(-expiryHorizon).Unix()), Hi: expiryAt(t.id, now.Unix()+1), Limit: chunk}
	var due [][]byte
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		for kv, err := range tx.Scan(rng) {
			if err != nil {
				return err
			}
			due = append(due, kv.Value)
		}
		return nil
	})
	if err != nil || len(due) == 0 {
		return false, err
	}
	err = s.store.Update(ctx, func(tx store.Tx) error {
		if err := t.current(tx); err != nil {
			return err
		}
		for _, key := range due {
			if err := t.expireItem(tx, key, now); err != nil {
				return err
			}
		}
		return nil
	})
	s.touched(t)
	return len(due) == chunk, err
}

// expireItem deletes the item at key if it has really expired by now.
func (t *table) expireItem(tx store.Tx, key []byte, now time.Time) error {
	it, err := read(tx, key)
	if err != nil || it == nil {
		return err
	}
	if at, ok := expiry(it[t.ttl]); !ok || at > now.Unix() {
		return nil
	}
	_, err = t.store(tx, key, it, nil, true)
	return err
}

// expiry returns the epoch second at which an item with the given value
// expires; false if it never does.
func expiry(v attr.Value) (int64, bool) {
	if v.Kind() != attr.N {
		return 0, false
	}
	whole, _, _ := strings.Cut(v.Text(), ".")
	at, err := strconv.ParseInt(whole, 10, 64)
	return at, err == nil && at > 0
}

func expiryAt(id string, epoch int64) []byte {
	return binary.BigEndian.AppendUint64(keys.Make(space, id, partExpiry), uint64(epoch))
}

func expiryRange(id string) (lo, hi []byte) { return keys.Prefix(space, id, partExpiry) }
