package events

import (
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxTargets is the limit of a rule (User Guide: "EventBridge quotas").
const maxTargets = 5

// Kinds of targets, by the service in their ARN.
const (
	kindFunction = "lambda"
	kindQueue    = "sqs"
	kindTopic    = "sns"
	kindLogs     = "logs"
	kindBus      = "events"
)

// PutTargets adds targets to a rule, or replaces those of the same ids.
func (s *Service) PutTargets(ctx context.Context, in *eventsapi.PutTargetsRequest) (*eventsapi.PutTargetsResponse, error) {
	p := rulePlace{busPlace(ctx, in.EventBusName), *in.Rule}
	for i := range in.Targets {
		if err := s.checkTarget(p, &in.Targets[i]); err != nil {
			return nil, err
		}
	}
	err := s.editRule(ctx, p, func(_ store.Tx, r *ruleRecord) error {
		for _, t := range in.Targets {
			if at := slices.IndexFunc(r.Targets, func(have eventsapi.Target) bool { return *have.Id == *t.Id }); at >= 0 {
				r.Targets[at] = t
			} else {
				r.Targets = append(r.Targets, t)
			}
		}
		if len(r.Targets) > maxTargets {
			return tooMany()
		}
		slices.SortFunc(r.Targets, func(a, b eventsapi.Target) int { return strings.Compare(*a.Id, *b.Id) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &eventsapi.PutTargetsResponse{FailedEntryCount: wire.Ptr(int64(0)), FailedEntries: []eventsapi.PutTargetsResultEntry{}}, nil
}

// checkTarget checks what the model can't.
func (s *Service) checkTarget(p rulePlace, t *eventsapi.Target) error {
	a, err := arn.Parse(*t.Arn)
	if err != nil {
		return badARN(*t.Arn)
	}
	if err := checkKind(p, t, a); err != nil {
		return err
	}
	if err := checkInput(t); err != nil {
		return err
	}
	if err := checkDeadLetters(t.DeadLetterConfig); err != nil {
		return err
	}
	return s.checkRole(t.RoleArn)
}

// checkKind checks what is particular to targets of a service.
func checkKind(p rulePlace, t *eventsapi.Target, a arn.ARN) error {
	fifo := strings.HasSuffix(a.Resource, ".fifo")
	switch a.Service {
	case kindFunction:
		if !strings.HasPrefix(a.Resource, "function:") {
			return badARN(*t.Arn)
		}
	case kindQueue:
		if fifo && t.SqsParameters == nil {
			return invalid("Parameter(s) SqsParameters must be specified for target: %s.", *t.Id)
		}
	case kindTopic:
		if fifo {
			return badARN(*t.Arn)
		}
	case kindLogs:
		if !strings.HasPrefix(a.Resource, "log-group:") {
			return badARN(*t.Arn)
		}
		if t.Input != nil || t.InputPath != nil {
			return invalid("Log group targets take no Input or InputPath, target %s. The only valid form of input is InputTransformer.", *t.Id)
		}
	case kindBus:
		return checkBusTarget(p, t, a)
	default:
		return wire.NotBuilt("targets of %s; rules send to Lambda functions, SQS queues, SNS topics, CloudWatch Logs groups and event buses", a.Service)
	}
	if t.SqsParameters != nil && !fifo {
		return invalid("SqsParameters are for FIFO queues only, target: %s.", *t.Id)
	}
	return nil
}

// checkBusTarget checks a target that is a bus. Out of the rule's account or
// region a role sends (provider documentation of aws_cloudwatch_event_target).
func checkBusTarget(p rulePlace, t *eventsapi.Target, a arn.ARN) error {
	switch {
	case strings.HasPrefix(a.Resource, "api-destination/"):
		return wire.NotBuilt("API destinations of EventBridge")
	case !strings.HasPrefix(a.Resource, "event-bus/"):
		return badARN(*t.Arn)
	case a.String() == p.Bus.arn():
		return invalid("Event bus %s can't be a target of its own rules.", p.Bus.Name)
	case t.RoleArn == nil && (a.Region != p.Bus.Region || a.Account != p.Bus.Account):
		return invalid("RoleArn is required for target %s.", *t.Arn)
	case t.Input != nil || t.InputPath != nil || t.InputTransformer != nil:
		return wire.NotBuilt("input of targets that are event buses; they get events as they are")
	}
	return nil
}

// RemoveTargets takes targets from a rule; those that aren't there are no error.
func (s *Service) RemoveTargets(ctx context.Context, in *eventsapi.RemoveTargetsRequest) (*eventsapi.RemoveTargetsResponse, error) {
	_ = in.Force // it is for rules that AWS's services manage, of which there are none
	p := rulePlace{busPlace(ctx, in.EventBusName), *in.Rule}
	err := s.editRule(ctx, p, func(_ store.Tx, r *ruleRecord) error {
		r.Targets = slices.DeleteFunc(r.Targets, func(t eventsapi.Target) bool { return slices.Contains(in.Ids, *t.Id) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &eventsapi.RemoveTargetsResponse{FailedEntryCount: wire.Ptr(int64(0)), FailedEntries: []eventsapi.RemoveTargetsResultEntry{}}, nil
}

// ListTargetsByRule lists a rule's targets by id.
func (s *Service) ListTargetsByRule(ctx context.Context, in *eventsapi.ListTargetsByRuleRequest) (*eventsapi.ListTargetsByRuleResponse, error) {
	p := rulePlace{busPlace(ctx, in.EventBusName), *in.Rule}
	out := &eventsapi.ListTargetsByRuleResponse{}
	err := s.Store.View(ctx, func(tx store.ReadTx) error {
		r, err := getRule(tx, p)
		if err != nil {
			return err
		}
		out.Targets, out.NextToken, err = page(in.NextToken, in.Limit, nil,
			func(after string) records[eventsapi.Target] {
				return func(yield func(*eventsapi.Target, error) bool) {
					for i := range r.Targets {
						if *r.Targets[i].Id > after && !yield(&r.Targets[i], nil) {
							return
						}
					}
				}
			},
			func(t *eventsapi.Target) string { return *t.Id },
			func(t *eventsapi.Target) eventsapi.Target { return *t })
		return err
	})
	return out, err
}

// ListRuleNamesByTarget lists the rules of a bus that have a target.
func (s *Service) ListRuleNamesByTarget(ctx context.Context, in *eventsapi.ListRuleNamesByTargetRequest) (*eventsapi.ListRuleNamesByTargetResponse, error) {
	p := busPlace(ctx, in.EventBusName)
	out := &eventsapi.ListRuleNamesByTargetResponse{}
	err := s.Store.View(ctx, func(tx store.ReadTx) error {
		_, err := getBus(tx, p)
		if err != nil {
			return err
		}
		has := func(t eventsapi.Target) bool { return *t.Arn == *in.TargetArn }
		out.RuleNames, out.NextToken, err = page(in.NextToken, in.Limit, nil,
			func(after string) records[ruleRecord] {
				return func(yield func(*ruleRecord, error) bool) {
					for r, err := range rules.After(tx, after, p.key()...) {
						if (err != nil || slices.ContainsFunc(r.Targets, has)) && !yield(r, err) {
							return
						}
					}
				}
			},
			func(r *ruleRecord) string { return r.Name },
			func(r *ruleRecord) string { return r.Name })
		return err
	})
	return out, err
}
