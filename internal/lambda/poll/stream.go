package poll

import (
	"context"
	"hash/crc32"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/pattern"
)

// Stream is a source of records that are read in order from its shards.
type Stream interface {
	Shards(ctx context.Context) ([]string, error)
	// Iterator returns a place in a shard: behind the record of a sequence
	// number, or for "" where start says.
	Iterator(ctx context.Context, shard, start, after string) (string, error)
	// Records reads on from an iterator; next is "" at the end of a shard.
	Records(ctx context.Context, iterator string, most int) (records []Record, next string, err error)
	// Tail is the sequence number of a shard's last record.
	Tail(ctx context.Context, shard string) (sequence string, err error)
	// Changed returns a channel that is closed when there is more to read, or nil.
	Changed(ctx context.Context) <-chan struct{}
}

// Record is one record of a shard.
type Record struct {
	Sequence string
	Key      string // records of one key are never passed on at the same time
	At       time.Time
	Event    []byte // its record in the function's event
}

// Checkpoints remember how far each shard has been read.
type Checkpoints interface {
	Load(ctx context.Context, shard string) (sequence string, err error)
	Save(ctx context.Context, shard, sequence string) error
}

const (
	// lookEvery is how often a quiet shard is read, besides after changes.
	lookEvery   = time.Second
	maxLook     = 1000
	startTime   = "AT_TIMESTAMP"
	trimHorizon = "TRIM_HORIZON"
	latest      = "LATEST"
)

// Anchor fixes where a mapping begins that starts at the latest record, so
// that nothing from now on is missed.
func (r *Runner) Anchor(ctx context.Context, s Stream, points Checkpoints) error {
	if r.Start != latest {
		return nil
	}
	shards, err := s.Shards(ctx)
	if err != nil {
		return err
	}
	for _, shard := range shards {
		if _, err := (&reader{Runner: r, stream: s, points: points, shard: shard}).anchor(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) anchor(ctx context.Context) (sequence string, err error) {
	if sequence, err = r.stream.Tail(ctx, r.shard); err != nil {
		return "", err
	}
	return sequence, r.points.Save(ctx, r.shard, sequence)
}

// RunStream passes a stream's records to the function until ctx ends.
func (r *Runner) RunStream(ctx context.Context, s Stream, points Checkpoints) {
	var shards []string
	for {
		var err error
		if shards, err = s.Shards(ctx); err == nil {
			break
		}
		if !r.unreadable(ctx, err) {
			return
		}
	}
	var all sync.WaitGroup
	for _, shard := range shards {
		all.Go(func() { (&reader{Runner: r, stream: s, points: points, shard: shard}).run(ctx) })
	}
	all.Wait()
}

// unreadable reports a source that can't be read, and rests; false if ctx ended.
func (r *Runner) unreadable(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	r.Log.Warn("an event source could not be read", "source", r.Source, "function", r.FunctionARN, "error", err)
	r.Report("PROBLEM: " + err.Error())
	return sleep(ctx, sourceRest)
}

// reader reads one shard.
type reader struct {
	*Runner
	stream Stream
	points Checkpoints
	shard  string
}

func (r *reader) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.follow(ctx)
		if err == nil || !r.unreadable(ctx, err) {
			return
		}
	}
}

// follow reads from the checkpoint on, to the end of the shard or an error.
func (r *reader) follow(ctx context.Context) error {
	after, err := r.points.Load(ctx, r.shard)
	if err != nil {
		return err
	}
	start := r.Start
	switch {
	case start == startTime:
		start = trimHorizon // older records are skipped
	case start == latest && after == "":
		if after, err = r.anchor(ctx); err != nil {
			return err
		}
	}
	at, err := r.stream.Iterator(ctx, r.shard, start, after)
	if err != nil {
		return err
	}
	for at != "" {
		batch, next, last, err := r.gather(ctx, at)
		if err != nil {
			return err
		}
		if len(batch) > 0 {
			r.process(ctx, batch)
		}
		if ctx.Err() != nil {
			return nil
		}
		if last != "" {
			if err := r.points.Save(ctx, r.shard, last); err != nil {
				return err
			}
		}
		at = next
	}
	return nil
}

// gather reads until there are as many records as a round takes, or the window
// has passed since the first. last is the sequence number of the last record
// that was read, whether it fits the filters or not.
func (r *reader) gather(ctx context.Context, at string) (batch []Record, next, last string, err error) {
	end := time.Time{}
	want := min(r.BatchSize*max(1, r.Parallel), maxLook*10)
	for {
		changed := r.stream.Changed(ctx)
		got, next, err := r.stream.Records(ctx, at, min(maxLook, want-len(batch)))
		if err != nil {
			return nil, "", "", err
		}
		for _, rec := range got {
			last = rec.Sequence
			if r.wants(&rec) {
				batch = append(batch, rec)
			}
		}
		now := r.Clock.Now()
		if len(batch) > 0 && end.IsZero() {
			end = now.Add(r.Window)
		}
		full := len(batch) >= want || len(batch) > 0 && !now.Before(end)
		if full || next == "" || last != "" && len(batch) == 0 {
			return batch, next, last, nil
		}
		at = next
		if len(got) > 0 {
			continue
		}
		wait := lookEvery
		if !end.IsZero() {
			wait = min(wait, end.Sub(now))
		}
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, "", "", ctx.Err()
		}
		timer.Stop()
	}
}

func (r *reader) wants(rec *Record) bool {
	if r.Start == startTime && rec.At.Before(r.StartAt) {
		return false
	}
	return r.fits(func(*pattern.Pattern) (any, error) { return pattern.Decode(rec.Event) })
}

// process passes on a round of records: lane by lane those of the same key, in
// batches.
func (r *reader) process(ctx context.Context, round []Record) {
	lanes := make([][]Record, max(1, r.Parallel))
	for _, rec := range round {
		n := crc32.ChecksumIEEE([]byte(rec.Key)) % uint32(len(lanes))
		lanes[n] = append(lanes[n], rec)
	}
	var all sync.WaitGroup
	for _, lane := range lanes {
		all.Go(func() {
			for len(lane) > 0 && ctx.Err() == nil {
				n := r.fitting(lane)
				r.batch(ctx, lane[:n], 0)
				lane = lane[n:]
			}
		})
	}
	all.Wait()
}

// fitting is how many records the next batch can take.
func (r *reader) fitting(lane []Record) int {
	n, size := 0, 0
	for n < len(lane) && n < r.BatchSize && (n == 0 || size+len(lane[n].Event) < maxPayload) {
		size += len(lane[n].Event) + 1
		n++
	}
	return n
}

// batch passes on one batch until it has succeeded or is given up. attempts
// are those that were made before it was split.
func (r *reader) batch(ctx context.Context, batch []Record, attempts int) {
	for tries := 0; ctx.Err() == nil; tries++ {
		if tries > 0 && !pause(ctx, tries) {
			return
		}
		if r.MaxAge >= 0 && r.Clock.Now().Sub(batch[0].At) > r.MaxAge {
			r.giveUp(ctx, batch, "RecordAgeExceeded", attempts, nil)
			return
		}
		out, err := r.Invoke(ctx, eventOf(batch), "")
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			r.Report(resultFailed)
			continue // the function was not reached: it doesn't count
		}
		at := r.firstFailure(batch, out)
		if at == len(batch) {
			r.Report(resultOK)
			return
		}
		r.Report(resultFailed)
		attempts++
		if out.FunctionError == "" && at > 0 && !r.Bisect {
			batch = batch[at:] // what came before has succeeded
		}
		if r.Retries >= 0 && attempts > r.Retries && (!r.Bisect || len(batch) == 1) {
			r.giveUp(ctx, batch, "RetryAttemptsExhausted", attempts, out)
			return
		}
		if r.Bisect && len(batch) > 1 {
			r.split(ctx, batch, at, out, attempts-1) // splitting is no retry
			return
		}
	}
}

// split goes on with the two halves of a batch, or with the part that begins
// where the function says it failed.
func (r *reader) split(ctx context.Context, batch []Record, at int, out *catalog.Outcome, attempts int) {
	if out.FunctionError == "" && at > 0 {
		r.batch(ctx, batch[at:], attempts)
		return
	}
	half := len(batch) / 2
	r.batch(ctx, batch[:half], attempts)
	r.batch(ctx, batch[half:], attempts)
}

// firstFailure is the place of the first record that has to be tried again;
// len(batch) if there is none.
func (r *reader) firstFailure(batch []Record, out *catalog.Outcome) int {
	if out.FunctionError != "" {
		return 0
	}
	if !r.Partial {
		return len(batch)
	}
	ids := make([]string, len(batch))
	for i, rec := range batch {
		ids[i] = rec.Sequence
	}
	failed, all := failures(out.Payload, ids)
	if all {
		return 0
	}
	for i, id := range ids {
		if failed[id] {
			return i
		}
	}
	return len(batch)
}

func eventOf(batch []Record) []byte {
	events := make([][]byte, len(batch))
	for i, rec := range batch {
		events[i] = rec.Event
	}
	return payload(events)
}
