// Package poll reads the sources of event source mappings and passes what it
// finds to functions: queues in queue.go, the shards of streams in stream.go.
// It is handed everything it touches, and keeps no state but checkpoints.
package poll

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/pattern"
)

// Mapping is what an event source mapping says. It is immutable.
type Mapping struct {
	Source      string // ARN
	FunctionARN string // qualified or not
	BatchSize   int
	Window      time.Duration
	Filters     []*pattern.Pattern // an event must fit one of them, if there are any
	// Partial is ReportBatchItemFailures: the function names what failed.
	Partial bool

	Concurrency int // of queues: batches under way at a time

	// Of streams.
	Start     string        // TRIM_HORIZON, LATEST or AT_TIMESTAMP
	StartAt   time.Time     // of AT_TIMESTAMP
	MaxAge    time.Duration // <0 for no limit
	Retries   int           // <0 for no limit
	Bisect    bool
	Parallel  int // lanes per shard
	OnFailure bool
}

// Runner is what a mapping is run with; every field is required.
type Runner struct {
	Mapping
	// Invoke calls the function; trace is the tracing header that its event came
	// with, or "".
	Invoke func(ctx context.Context, payload []byte, trace string) (*catalog.Outcome, error)
	// Report tells how the last batch went (LastProcessingResult).
	Report func(result string)
	// Failed sends the record of a batch of a shard that was given up to the
	// mapping's destination; payload is the batch itself.
	Failed func(ctx context.Context, shard string, record, payload []byte) error
	Clock  clock.Clock
	Log    *slog.Logger
}

// Results as GetEventSourceMapping shows them.
const (
	resultOK     = "OK"
	resultFailed = "PROBLEM: Function call failed"
)

// How runners wait before they try again.
const (
	firstPause = 100 * time.Millisecond
	longPause  = time.Minute
	sourceRest = 5 * time.Second // after a source could not be read
)

// pause waits before the attempt of the given number; false if ctx ended.
func pause(ctx context.Context, attempt int) bool {
	return sleep(ctx, min(firstPause<<min(attempt, 20), longPause))
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// fits reports whether an event passes the filters. decode makes the event as
// one filter sees it; what can't be decoded fits none.
func (m *Mapping) fits(decode func(*pattern.Pattern) (any, error)) bool {
	if len(m.Filters) == 0 {
		return true
	}
	for _, p := range m.Filters {
		if event, err := decode(p); err == nil && p.Matches(event) {
			return true
		}
	}
	return false
}

// payload is the event of a batch.
func payload(records [][]byte) []byte {
	n := len(`{"Records":[]}`)
	for _, r := range records {
		n += len(r) + 1
	}
	b := append(make([]byte, 0, n), `{"Records":[`...)
	for i, r := range records {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r...)
	}
	return append(b, `]}`...)
}

// failures reads which items of a batch a function names as failed. all means
// that the whole batch failed, as the answer names none or an unknown one
// (Developer Guide: "Implementing partial batch responses").
func failures(answer []byte, ids []string) (failed map[string]bool, all bool) {
	var response struct {
		Failures *[]map[string]jsontext.Value `json:"batchItemFailures"`
	}
	if len(answer) == 0 || json.Unmarshal(answer, &response, jsontext.AllowDuplicateNames(true)) != nil || response.Failures == nil {
		return nil, false // no answer of this form: nothing has failed
	}
	known := map[string]bool{}
	for _, id := range ids {
		known[id] = true
	}
	failed = map[string]bool{}
	for _, f := range *response.Failures {
		var id string
		if err := json.Unmarshal(f["itemIdentifier"], &id); err != nil || !known[id] {
			return nil, true
		}
		failed[id] = true
	}
	return failed, false
}
