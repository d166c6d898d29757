package logs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/klauspost/compress/s2"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/keys"
)

const (
	// batchSpan bounds the time that one batch covers, in ms, so that a
	// reader knows how far before a time it has to begin.
	batchSpan = 60_000
	// batchBytes bounds the messages of one batch.
	batchBytes = 1 << 20
	// eventOverhead is what AWS adds for each event when it counts bytes.
	eventOverhead = 26

	// The formats of batches: the second has a key.
	batchFormat, keyedFormat = 1, 2
)

var errBatch = errors.New("logs: damaged batch")

// event is one log event. Its position is known once it is in a batch.
type event struct {
	position
	message  string
	stream   string // id
	ingested int64  // ms
}

// batch is a run of events of one stream, compressed. It is stored under its
// group, first event's time and sequence number: reading a group in time
// order is one scan, and so is dropping its oldest.
//
//	value: format, stream id, ingestion time, last-first, count, bytes, and the
//	key if it has one; then the events, compressed as an S2 block: time-first,
//	length, message each
type batch struct {
	first, last int64 // ms
	sequence    uint64
	stream      string // id
	ingested    int64  // ms
	count       int
	bytes       int64  // as AWS counts
	key         string // ARN of the key of KMS that its group had, or ""
	body        []byte
}

// eventFrame is about what an event takes in a batch beside its message.
const eventFrame = 8

// pack cuts events, sorted by time, into batches without stream and sequence.
func pack(events []event) []batch {
	var out []batch
	size := 0
	for i := range events {
		size += len(events[i].message) + eventFrame
	}
	raw := make([]byte, 0, min(size, batchBytes+eventFrame))
	for len(events) > 0 {
		b := batch{first: events[0].ts}
		raw = raw[:0]
		for _, e := range events {
			if e.ts-b.first > batchSpan || b.count > 0 && len(raw)+len(e.message) > batchBytes {
				break
			}
			raw = binary.AppendUvarint(raw, uint64(e.ts-b.first))
			raw = binary.AppendUvarint(raw, uint64(len(e.message)))
			raw = append(raw, e.message...)
			b.last = e.ts
			b.count++
			b.bytes += int64(len(e.message)) + eventOverhead
		}
		b.body = s2.Encode(nil, raw)
		out = append(out, b)
		events = events[b.count:]
	}
	return out
}

// sortEvents orders events by time; those of one millisecond keep their order.
func sortEvents(events []event) {
	slices.SortStableFunc(events, func(a, b event) int { return position{ts: a.ts}.compare(position{ts: b.ts}) })
}

func batchKey(p place, group string, first int64, sequence uint64) []byte {
	return keys.Make("logs", "batch", p.account, p.region, group, fmt.Sprintf("%016x", max(first, 0)), fmt.Sprintf("%016x", sequence))
}

// batchRange is where all batches of a group are.
func batchRange(p place, group string) (lo, hi []byte) {
	return keys.Prefix("logs", "batch", p.account, p.region, group)
}

func (b *batch) put(tx store.Tx, p place, group string) error {
	value := make([]byte, 0, 64+len(b.body))
	format := byte(batchFormat)
	if b.key != "" {
		format = keyedFormat
	}
	value = append(value, format)
	value = binary.AppendUvarint(value, uint64(len(b.stream)))
	value = append(value, b.stream...)
	for _, n := range []int64{b.ingested, b.last - b.first, int64(b.count), b.bytes} {
		value = binary.AppendUvarint(value, uint64(n))
	}
	if b.key != "" {
		value = binary.AppendUvarint(value, uint64(len(b.key)))
		value = append(value, b.key...)
	}
	return tx.Put(batchKey(p, group, b.first, b.sequence), append(value, b.body...))
}

// readBatch reads a stored batch without its events.
func readBatch(kv store.KV) (b batch, err error) {
	parts, err := keys.Parse(kv.Key)
	if err != nil || len(parts) != 7 || len(kv.Value) == 0 || kv.Value[0] != batchFormat && kv.Value[0] != keyedFormat {
		return b, errBatch
	}
	first, err1 := strconv.ParseInt(parts[5], 16, 64)
	sequence, err2 := strconv.ParseUint(parts[6], 16, 64)
	if err1 != nil || err2 != nil {
		return b, errBatch
	}
	rest := reader{b: kv.Value[1:]}
	b = batch{first: first, sequence: sequence, stream: string(rest.bytes())}
	b.ingested, b.last, b.count, b.bytes = rest.int(), first+rest.int(), int(rest.int()), rest.int()
	if kv.Value[0] == keyedFormat {
		b.key = string(rest.bytes())
	}
	b.body = rest.b
	if rest.failed {
		return b, errBatch
	}
	return b, nil
}

// events unpacks the batch.
func (b *batch) events() ([]event, error) {
	raw, err := s2.Decode(nil, b.body)
	if err != nil {
		return nil, errors.Join(errBatch, err)
	}
	in := reader{b: raw}
	out := make([]event, 0, min(b.count, len(raw)))
	for i := range b.count {
		at := position{ts: b.first + in.int(), batch: b.sequence, index: i}
		out = append(out, event{position: at, message: string(in.bytes()), stream: b.stream, ingested: b.ingested})
		if in.failed {
			return nil, errBatch
		}
	}
	return out, nil
}

// reader takes numbers and byte strings off b; failed sticks.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) int() int64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > math.MaxInt64 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int64(v)
}

func (r *reader) bytes() []byte {
	n := r.int()
	if n > int64(len(r.b)) {
		r.failed, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}
