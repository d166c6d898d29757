package logs_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
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

func TestFilterPagesInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	var want []string
	// Rounds overlap in time: each stream's events lie between the others'.
	for round := range 3 {
		for _, stream := range []string{"a", "b", "c"} {
			for i := range 20 {
				r.put("g", stream, (i*3+round)*7)
			}
		}
		if err := r.Flush(r.ctx); err != nil {
			t.Fatal(err)
		}
	}
	all := r.filter(t, &logsapi.FilterLogEventsRequest{LogGroupName: wire.Ptr("g")})
	if len(all) != 180 {
		t.Fatalf("%d events, want 180", len(all))
	}
	last := -1
	for _, m := range all {
		var stream string
		var at int
		fmt.Sscan(m, &stream, &at)
		if at < last {
			t.Fatalf("%q after an event at %d", m, last)
		}
		last = at
		if stream == "b" && at%2 == 0 {
			want = append(want, m)
		}
	}
	for _, limit := range []int64{1, 7, 10_000} {
		paged := r.filter(t, &logsapi.FilterLogEventsRequest{LogGroupName: wire.Ptr("g"), Limit: &limit})
		if !slices.Equal(paged, all) {
			t.Errorf("pages of %d differ from the whole", limit)
		}
	}
	one := r.filter(t, &logsapi.FilterLogEventsRequest{LogGroupName: wire.Ptr("g"), LogStreamNamePrefix: wire.Ptr("b"), FilterPattern: wire.Ptr(`%[02468]$%`)})
	if !slices.Equal(one, want) {
		t.Errorf("filtered to %v, want %v", one, want)
	}
}

func TestTimesOfFilterAreInclusive(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	r.put("g", "s", 0, 10, 20, 30)
	ms := start.UnixMilli()
	got := r.filter(t, &logsapi.FilterLogEventsRequest{LogGroupName: wire.Ptr("g"), StartTime: wire.Ptr(ms + 10), EndTime: wire.Ptr(ms + 20)})
	if fmt.Sprint(got) != "[s 10 s 20]" {
		t.Errorf("filter: %v", got)
	}
	out, err := r.GetLogEvents(r.ctx, &logsapi.GetLogEventsRequest{LogGroupName: wire.Ptr("g"), LogStreamName: wire.Ptr("s"), StartTime: wire.Ptr(ms + 10), EndTime: wire.Ptr(ms + 20)})
	if err != nil || len(out.Events) != 1 || *out.Events[0].Message != "s 10" {
		t.Errorf("GetLogEvents leaves the end out: %v, %v", out, err)
	}
}

func TestGetLogEventsWalksBothWays(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	for i := range 25 {
		r.put("g", "s", i, i+40_000) // two interleaved runs
		r.put("g", "other", i)
		if i%5 == 0 {
			r.Flush(r.ctx)
		}
	}
	get := func(token *string, head bool) *logsapi.GetLogEventsResponse {
		out, err := r.GetLogEvents(r.ctx, &logsapi.GetLogEventsRequest{
			LogGroupIdentifier: wire.Ptr("arn:aws:logs:us-east-1:000000000000:log-group:g"), LogStreamName: wire.Ptr("s"),
			NextToken: token, StartFromHead: &head, Limit: wire.Ptr(int64(7)),
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, head := range []bool{true, false} {
		var seen []string
		var token *string
		for {
			out := get(token, head)
			var page []string
			for _, e := range out.Events {
				page = append(page, *e.Message)
			}
			next := out.NextForwardToken
			if head {
				seen = append(seen, page...)
			} else {
				seen, next = append(page, seen...), out.NextBackwardToken
			}
			if token != nil && *next == *token {
				break
			}
			token = next
		}
		if len(seen) != 50 || seen[0] != "s 0" || seen[24] != "s 24" || seen[25] != "s 40000" || seen[49] != "s 40024" {
			t.Errorf("from head %v: %d events: %v", head, len(seen), seen)
		}
	}
	// From the tail's forward token nothing comes until something is put.
	tail := get(nil, false)
	if again := get(tail.NextForwardToken, false); len(again.Events) != 0 || *again.NextForwardToken != *tail.NextForwardToken {
		t.Errorf("behind the end: %v", again)
	}
	r.put("g", "s", 50_000)
	if again := get(tail.NextForwardToken, false); len(again.Events) != 1 || *again.Events[0].Message != "s 50000" {
		t.Errorf("a new event behind the end: %v", again)
	}
}

func TestFullGroupDropsItsOldest(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	r := newRig(t, limit)
	long := strings.Repeat("x", 1000)
	for i := range 200 {
		r.Put(account, region, "g", "s", []function.LogEvent{{Time: start.Add(time.Duration(i) * time.Second), Message: fmt.Sprint(i, long)}})
		if i%10 == 9 {
			if err := r.Flush(r.ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.put("g", "s", 300_000)
	r.Close() // ends the last shrinking
	r.open(t, limit)
	got := r.filter(t, &logsapi.FilterLogEventsRequest{LogGroupName: wire.Ptr("g")})
	if len(got) < 30 || len(got) > 65 || !strings.HasPrefix(got[len(got)-2], "199") {
		t.Errorf("%d events are left, the last but one %.10s", len(got), got[len(got)-2])
	}
	described, err := r.DescribeLogGroups(r.ctx, &logsapi.DescribeLogGroupsRequest{})
	if err != nil || *described.LogGroups[0].StoredBytes > limit || *described.LogGroups[0].StoredBytes < limit/3 {
		t.Errorf("stored bytes: %v, %v", described, err)
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	r.put("g", "s", 0)
	if err := r.Flush(r.ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.PutRetentionPolicy(r.ctx, &logsapi.PutRetentionPolicyRequest{LogGroupName: wire.Ptr("g"), RetentionInDays: wire.Ptr(int64(3))}); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(3*24*time.Hour - time.Minute)
	all := &logsapi.FilterLogEventsRequest{LogGroupName: wire.Ptr("g")}
	if got := r.filter(t, all); len(got) != 1 {
		t.Errorf("before its time: %v", got)
	}
	r.clock.Advance(2 * time.Minute)
	if got := r.filter(t, all); len(got) != 0 {
		t.Errorf("expired events are read: %v", got)
	}
	r.Close()
	r.open(t, 0) // sweeps at once
	for range 100 {
		out, err := r.DescribeLogGroups(r.ctx, &logsapi.DescribeLogGroupsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if *out.LogGroups[0].StoredBytes == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("expired events are still stored")
}

func TestDeletedLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	r.put("g", "a", 0, 1)
	r.put("g", "b", 2)
	if err := r.DeleteLogStream(r.ctx, &logsapi.DeleteLogStreamRequest{LogGroupName: wire.Ptr("g"), LogStreamName: wire.Ptr("a")}); err != nil {
		t.Fatal(err)
	}
	if got := r.filter(t, &logsapi.FilterLogEventsRequest{LogGroupName: wire.Ptr("g")}); fmt.Sprint(got) != "[b 2]" {
		t.Errorf("after DeleteLogStream: %v", got)
	}
	if err := r.DeleteLogGroup(r.ctx, &logsapi.DeleteLogGroupRequest{LogGroupName: wire.Ptr("g")}); err != nil {
		t.Fatal(err)
	}
	err := r.store.View(t.Context(), func(tx store.ReadTx) error {
		for kv := range tx.Scan(store.Range{}) {
			t.Errorf("left: %q", kv.Key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCloseStoresWhatWasPut(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	r.put("g", "s", 0)
	r.Close()
	r.open(t, 0)
	if got := r.filter(t, &logsapi.FilterLogEventsRequest{LogGroupName: wire.Ptr("g")}); len(got) != 1 {
		t.Errorf("events %v, want the one put before Close", got)
	}
}

func TestPutLogEventsSiftsByAge(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	name, stream := wire.Ptr("g"), wire.Ptr("s")
	at := func(d time.Duration, text string) logsapi.InputLogEvent {
		return logsapi.InputLogEvent{Timestamp: wire.Ptr(start.Add(d).UnixMilli()), Message: &text}
	}
	put := func(events ...logsapi.InputLogEvent) (*logsapi.PutLogEventsResponse, error) {
		return r.PutLogEvents(r.ctx, &logsapi.PutLogEventsRequest{LogGroupName: name, LogStreamName: stream, LogEvents: events})
	}
	if _, err := put(at(0, "x")); err == nil || !strings.Contains(err.Error(), "The specified log group does not exist.") {
		t.Errorf("without a group: %v", err)
	}
	must(t, r.CreateLogGroup(r.ctx, &logsapi.CreateLogGroupRequest{LogGroupName: name}))
	if _, err := put(at(0, "x")); err == nil || !strings.Contains(err.Error(), "The specified log stream does not exist.") {
		t.Errorf("without a stream: %v", err)
	}
	must(t, r.CreateLogStream(r.ctx, &logsapi.CreateLogStreamRequest{LogGroupName: name, LogStreamName: stream}))
	if _, err := put(at(1, "x"), at(0, "y")); err != nil {
		t.Errorf("events within a millisecond: %v", err)
	}
	if _, err := put(at(time.Second, "x"), at(0, "y")); err == nil || !strings.Contains(err.Error(), "chronological order") {
		t.Errorf("out of order: %v", err)
	}
	if _, err := put(at(-20*time.Hour, "x"), at(5*time.Hour, "y")); err == nil || !strings.Contains(err.Error(), "24 hours") {
		t.Errorf("over a day: %v", err)
	}
	out, err := put(at(-time.Hour, "fine"), at(3*time.Hour, "new"), at(4*time.Hour, "new"))
	if err != nil || *out.RejectedLogEventsInfo.TooNewLogEventStartIndex != 1 {
		t.Errorf("too new: %v, %v", out, err)
	}
	out, err = put(at(-14*24*time.Hour-time.Minute, "old"), at(-14*24*time.Hour-time.Second, "old"), at(-14*24*time.Hour+time.Minute, "just"))
	if err != nil || *out.RejectedLogEventsInfo.TooOldLogEventEndIndex != 2 {
		t.Errorf("too old: %v, %v", out, err)
	}
	got := r.filter(t, &logsapi.FilterLogEventsRequest{LogGroupName: name})
	if fmt.Sprint(got) != "[just fine x y]" {
		t.Errorf("stored %v", got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDescribeLogStreamsPages(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	for i, name := range []string{"c", "a", "d", "b"} {
		r.put("g", name, i)
	}
	for order, want := range map[string]string{"LogStreamName": "d c b a", "LastEventTime": "b d a c"} {
		in := &logsapi.DescribeLogStreamsRequest{LogGroupName: wire.Ptr("g"), OrderBy: &order, Descending: wire.Ptr(true), Limit: wire.Ptr(int64(1))}
		var names []string
		for {
			out, err := r.DescribeLogStreams(r.ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, *out.LogStreams[0].LogStreamName)
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("by %s: %s, want %s", order, got, want)
		}
	}
}

// TestFloodIsDroppedNotKept holds the store busy while far more is put than
// may wait.
func TestFloodIsDroppedNotKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	entered, release := make(chan struct{}), make(chan struct{})
	go r.store.Update(t.Context(), func(store.Tx) error {
		close(entered)
		<-release
		return nil
	})
	<-entered
	message := strings.Repeat("x", 100_000)
	for range 1000 {
		r.Put(account, region, "g", "s", []function.LogEvent{{Time: start, Message: message}})
	}
	close(release)
	got := r.filter(t, &logsapi.FilterLogEventsRequest{LogGroupName: wire.Ptr("g")})
	if len(got) == 0 || len(got) > 400 {
		t.Errorf("%d of 1,000 events of 100 KB were kept, want some but not over twice 16 MiB", len(got))
	}
}

func BenchmarkPut(b *testing.B) {
	st, err := sqlite.Open(b.Context(), b.TempDir(), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	s, err := logs.New(b.Context(), logs.Config{Store: st, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	lines := []function.LogEvent{
		{Time: now, Message: "START RequestId: 7f9c24e5-2f00-4fdd-9d5b-9f39f8dd0b00 Version: 1\n"},
		{Time: now, Message: "END RequestId: 7f9c24e5-2f00-4fdd-9d5b-9f39f8dd0b00\n"},
		{Time: now, Message: "REPORT RequestId: 7f9c24e5-2f00-4fdd-9d5b-9f39f8dd0b00\tDuration: 1.20 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t\n"},
	}
	for i := 0; b.Loop(); i++ {
		s.Put(account, region, "/aws/lambda/f", fmt.Sprint("stream", i%16), lines)
		if i%2000 == 1999 {
			if err := s.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	s.Close()
}
