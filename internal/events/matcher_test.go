package events_test

import (
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/events"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// TestRulesApplyAtOnce has each change of a rule meet the very next event.
func TestRulesApplyAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(*events.Delivery) error { return nil }, func(t *testing.T, s *events.Service, w *world, _ store.Store) {
		name := wire.Ptr("r")
		next := func(what string, want int) {
			t.Helper()
			put(t, s)
			time.Sleep(time.Second)
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.got) != want {
				t.Errorf("%s: %d deliveries, want %d", what, len(w.got), want)
			}
			w.got = nil
		}
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		next("without a rule", 0)
		rule(t, s, &eventsapi.PutRuleRequest{EventPattern: all}, eventsapi.Target{})
		next("with one", 1)
		check(s.DisableRule(as(t), &eventsapi.DisableRuleRequest{Name: name}))
		next("disabled", 0)
		check(s.EnableRule(as(t), &eventsapi.EnableRuleRequest{Name: name}))
		next("enabled", 1)
		must[*eventsapi.PutRuleResponse](t)(s.PutRule(as(t), &eventsapi.PutRuleRequest{Name: name, EventPattern: wire.Ptr(`{"source": ["other"]}`)}))
		next("of another pattern", 0)
		must[*eventsapi.PutRuleResponse](t)(s.PutRule(as(t), &eventsapi.PutRuleRequest{Name: name, EventPattern: all}))
		must[*eventsapi.PutTargetsResponse](t)(s.PutTargets(as(t), &eventsapi.PutTargetsRequest{Rule: name, Targets: []eventsapi.Target{{Id: wire.Ptr("2"), Arn: wire.Ptr(letters)}}}))
		next("with two targets", 2)
		must[*eventsapi.RemoveTargetsResponse](t)(s.RemoveTargets(as(t), &eventsapi.RemoveTargetsRequest{Rule: name, Ids: []string{"1", "2"}}))
		next("without targets", 0)
		check(s.DeleteRule(as(t), &eventsapi.DeleteRuleRequest{Name: name}))
		next("deleted", 0)
	})
}
