package dynamodb

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
)

// streamRecord is a stream of a table, the present one or one that was
// disabled and can still be read.
type streamRecord struct {
	Feed      string // of the store, where its changes are
	Shard     string
	ARN       string
	Table     string
	Label     string
	View      string
	KeySchema []dynamodbapi.KeySchemaElement
	Created   time.Time
	Ended     time.Time `json:",omitzero"` // when it was disabled
	Trimmed   uint64    `json:",omitzero"` // position up to which its changes are gone
}

// streams are found by account, region, table name and label.
var streams = record.New[streamRecord]("dynamodb", "stream")

const (
	// streamRetention is how long changes can be read (Developer Guide:
	// "Change data capture for DynamoDB Streams").
	streamRetention = 24 * time.Hour
	labelLayout     = "2006-01-02T15:04:05.000"
)

// stream is what a compiled table knows of its stream.
type stream struct{ feed, view string }

// enableStream gives a table a new stream if the specification asks for one,
// or ends the one that it has.
func (r *tableRecord) enableStream(tx store.Tx, spec *dynamodbapi.StreamSpecification, now time.Time) error {
	d := &r.Description
	enabled := d.StreamSpecification != nil
	switch {
	case spec == nil:
		return nil
	case !*spec.StreamEnabled && spec.StreamViewType != nil:
		return invalidValue("StreamViewType can only be specified when StreamEnabled is true")
	case !*spec.StreamEnabled && !enabled:
		return nil
	case !*spec.StreamEnabled:
		return r.endStream(tx, now)
	case enabled:
		return validation("Table already has an enabled stream: TableName: %s", *d.TableName)
	case spec.StreamViewType == nil:
		return invalidValue("StreamViewType must be specified when StreamEnabled is true")
	}
	label := now.UTC().Format(labelLayout)
	key := r.key()
	s := &streamRecord{
		Feed: "dynamodb-stream/" + ident.Lower(idLength), Shard: shardID(now), ARN: key.arn() + "/stream/" + label, Table: key.name, Label: label,
		View: *spec.StreamViewType, KeySchema: d.KeySchema, Created: now,
	}
	r.StreamFeed = s.Feed
	d.StreamSpecification, d.LatestStreamArn, d.LatestStreamLabel = spec, &s.ARN, &s.Label
	return streams.Put(tx, s, key.account, key.region, key.name, label)
}

// endStream disables the table's stream, which can be read for another day.
func (r *tableRecord) endStream(tx store.Tx, now time.Time) error {
	d, key := &r.Description, r.key()
	if d.StreamSpecification == nil {
		return nil
	}
	r.StreamFeed, d.StreamSpecification = "", nil
	s, err := streams.Get(tx, key.account, key.region, key.name, *d.LatestStreamLabel)
	if err != nil || s == nil {
		return err
	}
	s.Ended = now
	return streams.Put(tx, s, key.account, key.region, key.name, s.Label)
}

// change is one change of an item as a stream's feed holds it: items are in
// their stored form.
type change struct {
	At      time.Time
	Keys    []byte
	Old     []byte `json:",omitempty"`
	New     []byte `json:",omitempty"`
	Event   string
	Expired bool `json:",omitempty"` // deleted as its time to live was over
}

// append adds the change from old to now to the table's stream and history, if
// it has them and anything has changed.
func (t *table) append(tx store.Tx, old, now attr.Item, expired bool) error {
	if t.stream == nil && t.history == "" {
		return nil
	}
	before, after := encoded(old), encoded(now)
	if bytes.Equal(before, after) {
		return nil
	}
	c := change{At: t.clock.Now(), Event: "MODIFY", Expired: expired}
	key := now
	switch {
	case old == nil:
		c.Event = "INSERT"
	case now == nil:
		c.Event, key = "REMOVE", old
	}
	if t.history != "" {
		if err := t.remember(tx, key, before); err != nil || t.stream == nil {
			return err
		}
	}
	c.Keys = attr.AppendItem(nil, t.schema.of(key))
	if strings.Contains(t.stream.view, "NEW") {
		c.New = after
	}
	if strings.Contains(t.stream.view, "OLD") {
		c.Old = before
	}
	payload, err := json.Marshal(&c)
	if err != nil {
		return err
	}
	return tx.Append(t.stream.feed, payload)
}

func encoded(it attr.Item) []byte {
	if it == nil {
		return nil
	}
	return attr.AppendItem(nil, it)
}

// trimStreams drops changes that are too old to be read, and streams that
// have none and were disabled.
func (s *Service) trimStreams(ctx context.Context) error {
	var all []*streamRecord
	err := s.store.View(ctx, func(tx store.ReadTx) (err error) {
		all, err = streams.List(tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, st := range all {
		if err := s.trimStream(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) trimStream(ctx context.Context, st *streamRecord) error {
	horizon := s.clock.Now().Add(-streamRetention)
	through, left := st.Trimmed, false
	for !left {
		page, err := s.store.Feed(ctx, st.Feed, through, chunk)
		if err != nil {
			return err
		}
		for _, rec := range page {
			var c change
			if err := json.Unmarshal(rec.Payload, &c); err != nil {
				return err
			}
			if left = c.At.After(horizon); left {
				break
			}
			through = rec.Position
		}
		if len(page) < chunk {
			break
		}
	}
	gone := !left && !st.Ended.IsZero() && st.Ended.Before(horizon)
	if through == st.Trimmed && !gone {
		return nil
	}
	key, ok := streamTable(st.ARN)
	if !ok {
		return nil
	}
	err := s.store.Update(ctx, func(tx store.Tx) error {
		now, err := streams.Get(tx, key.account, key.region, key.name, st.Label)
		if err != nil || now == nil {
			return err
		}
		if gone {
			return streams.Delete(tx, key.account, key.region, key.name, st.Label)
		}
		now.Trimmed = through
		return streams.Put(tx, now, key.account, key.region, key.name, st.Label)
	})
	if err != nil {
		return err
	}
	return s.store.Trim(ctx, st.Feed, through)
}

// feeds are those who wait for changes, by feed.
type feeds struct {
	mu      sync.Mutex
	waiting map[string]chan struct{}
}

// wait returns a channel that is closed at the next change.
func (f *feeds) wait(feed string) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting == nil {
		f.waiting = map[string]chan struct{}{}
	}
	ch := f.waiting[feed]
	if ch == nil {
		ch = make(chan struct{})
		f.waiting[feed] = ch
	}
	return ch
}

func (f *feeds) wake(feed string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ch := f.waiting[feed]; ch != nil {
		close(ch)
		delete(f.waiting, feed)
	}
}
