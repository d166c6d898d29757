package events_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/events"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	queue   = "arn:aws:sqs:eu-west-1:123456789012:work"
	letters = "arn:aws:sqs:eu-west-1:123456789012:letters"
)

// world is what the service stands in: targets that a test answers for.
type world struct {
	mu     sync.Mutex
	got    []string // deliveries: time, target, input
	letter map[string]string
	answer func(d *events.Delivery) error
}

func (w *world) Assumable(string, string) bool { return true }

func (w *world) Deliver(_ context.Context, d *events.Delivery) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = append(w.got, time.Now().UTC().Format("15:04:05 ")+d.Target[strings.LastIndexByte(d.Target, ':')+1:])
	if d.Attributes != nil {
		w.letter = d.Attributes
		return nil
	}
	return w.answer(d)
}

func as(t *testing.T) context.Context {
	return wire.WithCaller(t.Context(), &wire.Caller{Account: "123456789012", Region: "eu-west-1", Partition: "aws", ARN: "arn:aws:iam::123456789012:root"})
}

// bubble runs a test over a service whose time passes by itself, from midnight
// of 1 January 2000 on.
func bubble(t *testing.T, answer func(*events.Delivery) error, test func(t *testing.T, s *events.Service, w *world, st store.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		w := &world{answer: answer}
		s := open(t, st, w)
		defer s.Close(t.Context())
		test(t, s, w, st)
	})
}

func open(t *testing.T, st store.Store, w *world) *events.Service {
	t.Helper()
	s, err := events.New(t.Context(), events.Config{Store: st, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Roles: w, Targets: w})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	return s
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func rule(t *testing.T, s *events.Service, in *eventsapi.PutRuleRequest, target eventsapi.Target) {
	t.Helper()
	in.Name, target.Id, target.Arn = wire.Ptr("r"), wire.Ptr("1"), wire.Ptr(queue)
	must[*eventsapi.PutRuleResponse](t)(s.PutRule(as(t), in))
	must[*eventsapi.PutTargetsResponse](t)(s.PutTargets(as(t), &eventsapi.PutTargetsRequest{Rule: in.Name, Targets: []eventsapi.Target{target}}))
}

func put(t *testing.T, s *events.Service) {
	t.Helper()
	out := must[*eventsapi.PutEventsResponse](t)(s.PutEvents(as(t), &eventsapi.PutEventsRequest{Entries: []eventsapi.PutEventsRequestEntry{
		{Source: wire.Ptr("s"), DetailType: wire.Ptr("t"), Detail: wire.Ptr("{}")},
	}}))
	if *out.FailedEntryCount != 0 {
		t.Fatalf("the event was refused: %v", out.Entries)
	}
}

func (w *world) expect(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := strings.Join(w.got, ", "); got != strings.Join(want, ", ") {
		t.Errorf("deliveries are %s; want %s", got, strings.Join(want, ", "))
	}
	w.got = nil
}

var all = wire.Ptr(`{"source": ["s"]}`)

// TestRetries follows a delivery to a target that fails and recovers.
func TestRetries(t *testing.T) {
	t.Parallel()
	failures := 3
	bubble(t, func(*events.Delivery) error {
		if failures--; failures < 0 {
			return nil
		}
		return errors.New("out of order")
	}, func(t *testing.T, s *events.Service, w *world, _ store.Store) {
		rule(t, s, &eventsapi.PutRuleRequest{EventPattern: all}, eventsapi.Target{})
		put(t, s)
		time.Sleep(time.Hour)
		w.expect(t, "00:00:00 work", "00:00:01 work", "00:00:03 work", "00:00:07 work")
	})
}

// TestDeadLetters: what a target refuses isn't repeated; what it fails at is,
// as often and as long as the target's policy says.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		failure  error
		policy   eventsapi.RetryPolicy
		attempts int
		letter   map[string]string
	}{
		"refused": {
			&events.Refusal{Code: events.NoPermissions, Message: "no"}, eventsapi.RetryPolicy{}, 1,
			map[string]string{"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "no", "RETRY_ATTEMPTS": "0"},
		},
		"attempts": {
			errors.New("boom"), eventsapi.RetryPolicy{MaximumRetryAttempts: wire.Ptr(int64(2))}, 3,
			map[string]string{"ERROR_CODE": "INTERNAL_ERROR", "ERROR_MESSAGE": "boom", "RETRY_ATTEMPTS": "2", "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts"},
		},
		"age": {
			errors.New("boom"), eventsapi.RetryPolicy{MaximumEventAgeInSeconds: wire.Ptr(int64(60))}, 6, // after 1, 3, 7, 15, 31 seconds
			map[string]string{"ERROR_CODE": "INTERNAL_ERROR", "ERROR_MESSAGE": "boom", "RETRY_ATTEMPTS": "5", "EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(*events.Delivery) error { return tt.failure }, func(t *testing.T, s *events.Service, w *world, _ store.Store) {
				rule(t, s, &eventsapi.PutRuleRequest{EventPattern: all}, eventsapi.Target{
					DeadLetterConfig: &eventsapi.DeadLetterConfig{Arn: wire.Ptr(letters)}, RetryPolicy: &tt.policy,
				})
				put(t, s)
				time.Sleep(48 * time.Hour)
				if len(w.got) != tt.attempts+1 || !strings.HasSuffix(w.got[tt.attempts], " letters") {
					t.Errorf("deliveries are %v", w.got)
				}
				tt.letter["RULE_ARN"], tt.letter["TARGET_ARN"] = "arn:aws:events:eu-west-1:123456789012:rule/r", queue
				if fmt.Sprint(w.letter) != fmt.Sprint(tt.letter) {
					t.Errorf("the letter says %v, want %v", w.letter, tt.letter)
				}
			})
		})
	}
}

// TestDefaultRetries: without a policy it is 185 times in a day.
func TestDefaultRetries(t *testing.T) {
	t.Parallel()
	bubble(t, func(*events.Delivery) error { return errors.New("boom") }, func(t *testing.T, s *events.Service, w *world, _ store.Store) {
		rule(t, s, &eventsapi.PutRuleRequest{EventPattern: all}, eventsapi.Target{})
		put(t, s)
		time.Sleep(48 * time.Hour)
		if len(w.got) != 186 {
			t.Errorf("%d attempts, want 186", len(w.got))
		}
	})
}

// TestSchedules lets rules run by the clock, change and stop.
func TestSchedules(t *testing.T) {
	t.Parallel()
	bubble(t, func(*events.Delivery) error { return nil }, func(t *testing.T, s *events.Service, w *world, _ store.Store) {
		rate := &eventsapi.PutRuleRequest{ScheduleExpression: wire.Ptr("rate(5 minutes)")}
		rule(t, s, rate, eventsapi.Target{})
		time.Sleep(11 * time.Minute)
		w.expect(t, "00:05:00 work", "00:10:00 work")
		rate.Description = wire.Ptr("the same schedule goes on")
		must[*eventsapi.PutRuleResponse](t)(s.PutRule(as(t), rate))
		time.Sleep(5 * time.Minute)
		w.expect(t, "00:15:00 work")
		if err := s.DisableRule(as(t), &eventsapi.DisableRuleRequest{Name: rate.Name}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Minute)
		w.expect(t)
		rate.ScheduleExpression = wire.Ptr("cron(0,30 1 * * ? *)")
		must[*eventsapi.PutRuleResponse](t)(s.PutRule(as(t), rate)) // enabled again
		time.Sleep(24 * time.Hour)
		w.expect(t, "01:00:00 work", "01:30:00 work")
	})
}

// TestScheduleOverARestart: what was missed meanwhile is made up for once.
func TestScheduleOverARestart(t *testing.T) {
	t.Parallel()
	bubble(t, func(*events.Delivery) error { return nil }, func(t *testing.T, s *events.Service, w *world, st store.Store) {
		rule(t, s, &eventsapi.PutRuleRequest{ScheduleExpression: wire.Ptr("rate(5 minutes)")}, eventsapi.Target{})
		time.Sleep(time.Minute)
		s.Close(t.Context())
		time.Sleep(20 * time.Minute)
		again := open(t, st, w)
		defer again.Close(t.Context())
		time.Sleep(5 * time.Minute)
		w.expect(t, "00:21:00 work", "00:25:00 work")
	})
}

// TestDeliveriesOverARestart: an acknowledged event reaches its target though
// the process that took it doesn't live to see it.
func TestDeliveriesOverARestart(t *testing.T) {
	t.Parallel()
	down := true
	bubble(t, func(*events.Delivery) error {
		if down {
			return errors.New("the target is down")
		}
		return nil
	}, func(t *testing.T, s *events.Service, w *world, st store.Store) {
		rule(t, s, &eventsapi.PutRuleRequest{EventPattern: all}, eventsapi.Target{})
		put(t, s)
		synctest.Wait()
		s.Close(t.Context())
		w.expect(t, "00:00:00 work")
		down = false
		again := open(t, st, w)
		defer again.Close(t.Context())
		time.Sleep(time.Minute)
		w.expect(t, "00:00:01 work")
	})
}
