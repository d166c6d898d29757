package poll

import (
	"context"
	"log/slog"
	"regexp"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
)

// TestPartialBatchAnswers is the recorded table of ReportBatchItemFailures, the
// same for queues and streams (LocalStack's snapshots
// test_report_batch_item_failures_*, test_dynamodb_report_batch_item_*).
func TestPartialBatchAnswers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		fact, answer string
		failed       int // of a, b and c
		all          bool
	}{
		{"empty string", `""`, 0, false},
		{"empty list", `[]`, 0, false},
		{"null", `null`, 0, false},
		{"empty dict", `{}`, 0, false},
		{"no failures", `{"batchItemFailures":[]}`, 0, false},
		{"null failures", `{"batchItemFailures":null}`, 0, false},
		{"one", `{"batchItemFailures":[{"itemIdentifier":"b"}]}`, 1, false},
		{"two", `{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"a"}]}`, 2, false},
		{"item identifier not in the event", `{"batchItemFailures":[{"itemIdentifier":"x"}]}`, 0, true},
		{"item identifier of another type", `{"batchItemFailures":[{"itemIdentifier":123}]}`, 0, true},
		{"empty item identifier", `{"batchItemFailures":[{"itemIdentifier":""}]}`, 0, true},
		{"null item identifier", `{"batchItemFailures":[{"itemIdentifier":null}]}`, 0, true},
		{"another key", `{"batchItemFailures":[{"foo":"a"}]}`, 0, true},
		{"another key, null", `{"batchItemFailures":[{"foo":null}]}`, 0, true},
		{"one known, one not", `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"x"}]}`, 0, true},
	} {
		failed, all := failures([]byte(row.answer), []string{"a", "b", "c"})
		if len(failed) != row.failed || all != row.all {
			t.Errorf("%s: %s gave %v, all: %v", row.fact, row.answer, failed, all)
		}
	}
}

// TestRecordOfAFailedBatch is what a stream's on-failure destination gets
// (test_dynamodb_event_source_mapping_with_on_failure_destination_config,
// test_dynamodb_report_batch_item_failures): functionError is null if the
// function only named what failed.
func TestRecordOfAFailedBatch(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 28, 12, 0, 0, 5e6, time.UTC)
	var sent string
	r := &reader{shard: "shardId-1", Runner: &Runner{
		Mapping: Mapping{Source: "arn:stream", FunctionARN: "arn:function", OnFailure: true},
		Clock:   clock.NewFake(at.Add(time.Second)), Log: slog.New(slog.DiscardHandler),
		Failed: func(_ context.Context, _ string, record, _ []byte) error {
			sent = string(record)
			return nil
		},
	}}
	batch := []Record{{Sequence: "100", At: at}, {Sequence: "200", At: at.Add(time.Millisecond)}}
	const (
		head  = `{"requestContext":{"requestId":"r-1","functionArn":"arn:function","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},`
		tail  = `"version":"1.0","timestamp":"2026-11-28T12:00:01.005Z","DDBStreamBatchInfo":{"shardId":"shardId-1","startSequenceNumber":"100","endSequenceNumber":"200","approximateArrivalOfFirstRecord":"2026-11-28T12:00:00.005Z","approximateArrivalOfLastRecord":"2026-11-28T12:00:00.006Z","batchSize":2,"streamArn":"arn:stream"}}`
		named = `"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},`
		threw = `"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},`
	)
	for fact, row := range map[string]struct{ kind, want string }{
		"the function failed":             {"Unhandled", head + threw + tail},
		"the function named some records": {"", head + named + tail},
	} {
		r.giveUp(t.Context(), batch, "RetryAttemptsExhausted", 2, &catalog.Outcome{
			Result: function.Result{FunctionError: row.kind}, RequestID: "r-1", ExecutedVersion: "$LATEST",
		})
		if sent != row.want {
			t.Errorf("%s:\n got %s\nwant %s", fact, sent, row.want)
		}
	}
	r.giveUp(t.Context(), batch, "RecordAgeExceeded", 0, nil)
	if !regexp.MustCompile(`^{"requestContext":{"requestId":"[0-9a-f-]{36}","functionArn":"arn:function","condition":"RecordAgeExceeded","approximateInvokeCount":0},"version"`).MatchString(sent) {
		t.Errorf("records that grew too old: %s", sent)
	}
}
