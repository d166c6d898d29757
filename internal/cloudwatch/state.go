package cloudwatch

import (
	"context"
	"encoding/json"
	"time"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/store"
)

// change is a change of an alarm's state.
type change struct {
	state, reason, data string
	// was is when the alarm that was evaluated had been configured: a change
	// for an alarm that was changed meanwhile is dropped. nil means whatever.
	was *time.Time
}

// SetAlarmState puts an alarm into a state until it is evaluated again.
func (s *Service) SetAlarmState(ctx context.Context, in *cloudwatchapi.SetAlarmStateInput) error {
	c := change{state: *in.StateValue, reason: *in.StateReason}
	if in.StateReasonData != nil {
		if !json.Valid([]byte(*in.StateReasonData)) {
			return &cloudwatchapi.InvalidFormatFault{}
		}
		c.data = *in.StateReasonData
	}
	return s.setState(ctx, placeOf(ctx), *in.AlarmName, c)
}

// setState changes an alarm's state and takes the actions of the new one.
func (s *Service) setState(ctx context.Context, p place, name string, c change) error {
	now := s.Clock.Now().Truncate(time.Millisecond)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		a, err := alarms.Get(tx, p.account, p.region, name)
		switch {
		case err != nil:
			return err
		case a == nil && c.was != nil:
			return nil // deleted meanwhile
		case a == nil:
			return noAlarm()
		case c.was != nil && !c.was.Equal(*a.AlarmConfigurationUpdatedTimestamp):
			return nil
		}
		before := *a
		a.StateValue, a.StateReason, a.StateUpdatedTimestamp = &c.state, &c.reason, &now
		a.StateReasonData = nil
		if c.data != "" {
			a.StateReasonData = &c.data
		}
		if *before.StateValue == c.state {
			return alarms.Put(tx, a, p.account, p.region, name)
		}
		a.StateTransitionedTimestamp = &now
		data := map[string]any{"version": "1.0", "oldState": before.historyState(), "newState": a.historyState()}
		if err := a.note(tx, p, now, "StateUpdate", "Alarm updated from "+*before.StateValue+" to "+c.state, data); err != nil {
			return err
		}
		if err := a.act(tx, p, now); err != nil {
			return err
		}
		return alarms.Put(tx, a, p.account, p.region, name)
	})
}

// historyState is the alarm's state as its history tells it.
func (a *alarm) historyState() map[string]any {
	out := map[string]any{"stateValue": *a.StateValue, "stateReason": *a.StateReason}
	if a.StateReasonData != nil {
		out["stateReasonData"] = json.RawMessage(*a.StateReasonData)
	}
	return out
}

// act notes the actions of the alarm's new state. None is taken: butai has
// none of the services that actions go to, and the history says so.
func (a *alarm) act(tx store.Tx, p place, now time.Time) error {
	if !*a.ActionsEnabled {
		return nil
	}
	actions := map[string][]string{cloudwatchapi.StateValueOK: a.OKActions, cloudwatchapi.StateValueALARM: a.AlarmActions, cloudwatchapi.StateValueINSUFFICIENTDATA: a.InsufficientDataActions}
	for _, action := range actions[*a.StateValue] {
		const why = "butai doesn't take alarm actions"
		err := a.note(tx, p, now, "Action", "Failed to execute action "+action+": "+why, map[string]any{
			"actionState": "Failed", "notificationResource": action, "stateUpdateTimestamp": now.UnixMilli(), "error": why,
		})
		if err != nil {
			return err
		}
	}
	return nil
}
