package events

import (
	"context"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/events/schedule"
	"github.com/butai-dev/butai/internal/pattern"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxRules is the quota of a bus (User Guide: "EventBridge quotas").
const maxRules = 300

// PutRule makes a rule, or replaces one of the same name but for its targets
// and tags.
func (s *Service) PutRule(ctx context.Context, in *eventsapi.PutRuleRequest) (*eventsapi.PutRuleResponse, error) {
	p := rulePlace{busPlace(ctx, in.EventBusName), *in.Name}
	if err := s.checkRule(p, in); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	var sched *scheduleRecord
	err = s.updateRules(ctx, func(tx store.Tx) error {
		if _, err := getBus(tx, p.Bus); err != nil {
			return err
		}
		r, err := rules.Get(tx, p.key()...)
		if err != nil {
			return err
		}
		if r == nil {
			others, err := rules.List(tx, p.Bus.key()...)
			if err != nil {
				return err
			}
			if len(others) >= maxRules {
				return tooMany()
			}
			r = &ruleRecord{Bus: p.Bus, Name: p.Name, CreatedBy: wire.CallerFrom(ctx).Account, Tags: tags}
		}
		again := r.ScheduleID != "" && wire.Val(r.Schedule) == wire.Val(in.ScheduleExpression)
		r.Pattern, r.Schedule, r.Description, r.RoleARN, r.State = in.EventPattern, in.ScheduleExpression, in.Description, in.RoleArn, eventsapi.RuleStateENABLED
		if in.State != nil {
			r.State = *in.State
		}
		sched, err = s.reschedule(tx, r, again)
		if err != nil {
			return err
		}
		return rules.Put(tx, r, p.key()...)
	})
	if err != nil {
		return nil, err
	}
	s.wind(sched)
	return &eventsapi.PutRuleResponse{RuleArn: wire.Ptr(p.arn())}, nil
}

// checkRule checks what the model can't.
func (s *Service) checkRule(p rulePlace, in *eventsapi.PutRuleRequest) error {
	switch {
	case in.EventPattern == nil && in.ScheduleExpression == nil:
		return invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case wire.Val(in.State) == eventsapi.RuleStateENABLEDWITHALLCLOUDTRAILMANAGEMENTEVENTS:
		return wire.NotBuilt("rules for the management events of CloudTrail, which there is none of")
	}
	if in.ScheduleExpression != nil {
		if p.Bus.Name != defaultBus {
			return invalid("ScheduleExpression is supported only on the default event bus.")
		}
		if _, err := schedule.Parse(*in.ScheduleExpression); err != nil {
			return invalid("Parameter ScheduleExpression is not valid.")
		}
	}
	if in.EventPattern != nil {
		if _, err := compile(*in.EventPattern); err != nil {
			return err
		}
	}
	return s.checkRole(in.RoleArn)
}

// compile reads an event pattern.
func compile(text string) (*pattern.Pattern, error) {
	p, err := pattern.CompileRule(text)
	if err != nil {
		return nil, &eventsapi.InvalidEventPatternException{Message: wire.Ptr("Event pattern is not valid. Reason: " + pattern.Explain(err))}
	}
	return p, nil
}

// checkRole checks a role that EventBridge is to act as.
func (s *Service) checkRole(roleARN *string) error {
	if roleARN != nil && !s.Roles.Assumable(*roleARN, Principal) {
		return invalid("Provided role '%s' cannot be assumed by principal '%s'.", *roleARN, Principal)
	}
	return nil
}

// getRule reads a rule that must exist, on a bus that must exist.
func getRule(r store.ReadTx, p rulePlace) (*ruleRecord, error) {
	if _, err := getBus(r, p.Bus); err != nil {
		return nil, err
	}
	found, err := rules.Get(r, p.key()...)
	if err == nil && found == nil {
		err = noRule(p)
	}
	return found, err
}

// editRule changes a rule in place.
func (s *Service) editRule(ctx context.Context, p rulePlace, fn func(store.Tx, *ruleRecord) error) error {
	return s.updateRules(ctx, func(tx store.Tx) error {
		r, err := getRule(tx, p)
		if err == nil {
			err = fn(tx, r)
		}
		if err != nil {
			return err
		}
		return rules.Put(tx, r, p.key()...)
	})
}

// DescribeRule returns a rule.
func (s *Service) DescribeRule(ctx context.Context, in *eventsapi.DescribeRuleRequest) (*eventsapi.DescribeRuleResponse, error) {
	p := rulePlace{busPlace(ctx, in.EventBusName), *in.Name}
	var out *eventsapi.DescribeRuleResponse
	err := s.Store.View(ctx, func(tx store.ReadTx) error {
		r, err := getRule(tx, p)
		if err != nil {
			return err
		}
		out = &eventsapi.DescribeRuleResponse{
			Name: &r.Name, Arn: wire.Ptr(p.arn()), EventPattern: r.Pattern, ScheduleExpression: r.Schedule, State: &r.State,
			Description: r.Description, RoleArn: r.RoleARN, EventBusName: &p.Bus.Name, CreatedBy: &r.CreatedBy,
		}
		return nil
	})
	return out, err
}

// ListRules lists the rules of a bus by name.
func (s *Service) ListRules(ctx context.Context, in *eventsapi.ListRulesRequest) (*eventsapi.ListRulesResponse, error) {
	p := busPlace(ctx, in.EventBusName)
	out := &eventsapi.ListRulesResponse{}
	err := s.Store.View(ctx, func(tx store.ReadTx) error {
		_, err := getBus(tx, p)
		if err != nil {
			return err
		}
		out.Rules, out.NextToken, err = page(in.NextToken, in.Limit, in.NamePrefix,
			func(after string) records[ruleRecord] { return rules.After(tx, after, p.key()...) },
			func(r *ruleRecord) string { return r.Name },
			func(r *ruleRecord) eventsapi.Rule {
				return eventsapi.Rule{
					Name: &r.Name, Arn: wire.Ptr(r.place().arn()), EventPattern: r.Pattern, State: &r.State, Description: r.Description,
					ScheduleExpression: r.Schedule, RoleArn: r.RoleARN, EventBusName: &p.Name,
				}
			})
		return err
	})
	return out, err
}

// DeleteRule deletes a rule without targets; a missing one is no error.
func (s *Service) DeleteRule(ctx context.Context, in *eventsapi.DeleteRuleRequest) error {
	_ = in.Force // it is for rules that AWS's services manage, of which there are none
	p := rulePlace{busPlace(ctx, in.EventBusName), *in.Name}
	return s.updateRules(ctx, func(tx store.Tx) error {
		if _, err := getBus(tx, p.Bus); err != nil {
			return err
		}
		r, err := rules.Get(tx, p.key()...)
		switch {
		case err != nil || r == nil:
			return err
		case len(r.Targets) > 0:
			return invalid("Rule can't be deleted since it has targets.")
		}
		if err := schedules.Delete(tx, r.ScheduleID); err != nil {
			return err
		}
		return rules.Delete(tx, p.key()...)
	})
}

// EnableRule lets a rule match again.
func (s *Service) EnableRule(ctx context.Context, in *eventsapi.EnableRuleRequest) error {
	return s.setState(ctx, rulePlace{busPlace(ctx, in.EventBusName), *in.Name}, eventsapi.RuleStateENABLED)
}

// DisableRule stops a rule.
func (s *Service) DisableRule(ctx context.Context, in *eventsapi.DisableRuleRequest) error {
	return s.setState(ctx, rulePlace{busPlace(ctx, in.EventBusName), *in.Name}, eventsapi.RuleStateDISABLED)
}

func (s *Service) setState(ctx context.Context, p rulePlace, state string) error {
	var sched *scheduleRecord
	err := s.editRule(ctx, p, func(tx store.Tx, r *ruleRecord) (err error) {
		r.State = state
		sched, err = s.reschedule(tx, r, r.ScheduleID != "")
		return err
	})
	if err == nil {
		s.wind(sched)
	}
	return err
}
