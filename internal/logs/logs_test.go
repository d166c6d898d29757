package logs_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/logs"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

const account, region = "000000000000", "us-east-1"

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// rig is the service over a store in memory, at a time that stands still.
type rig struct {
	*logs.Service
	ctx   context.Context
	clock *clock.Fake
	store store.Store
}

func newRig(t *testing.T, groupBytes int64) *rig {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	r := &rig{clock: clock.NewFake(start), store: st}
	r.ctx = wire.WithCaller(t.Context(), &wire.Caller{Account: account, Region: region, Partition: "aws"})
	r.open(t, groupBytes)
	return r
}

func (r *rig) open(t *testing.T, groupBytes int64) {
	t.Helper()
	s, err := logs.New(t.Context(), logs.Config{Store: r.store, Clock: r.clock, Log: slog.New(slog.DiscardHandler), GroupBytes: groupBytes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	r.Service = s
}

// put writes through the sink, offsets in milliseconds from start.
func (r *rig) put(group, stream string, offsets ...int) {
	var events []function.LogEvent
	for _, o := range offsets {
		events = append(events, function.LogEvent{Time: start.Add(time.Duration(o) * time.Millisecond), Message: fmt.Sprintf("%s %d", stream, o)})
	}
	r.Put(account, region, group, stream, events)
}

func (r *rig) filter(t *testing.T, in *logsapi.FilterLogEventsRequest) (messages []string) {
	t.Helper()
	for {
		out, err := r.FilterLogEvents(r.ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Events {
			messages = append(messages, *e.Message)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return messages
		}
	}
}

func TestPutThenReadAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	r.put("/aws/lambda/f", "one", 0, 5)
	r.put("/aws/lambda/f", "two", 3)
	got := r.filter(t, &logsapi.FilterLogEventsRequest{LogGroupName: wire.Ptr("/aws/lambda/f")})
	if want := "[one 0 two 3 one 5]"; fmt.Sprint(got) != want {
		t.Errorf("events %v, want %s", got, want)
	}
}
