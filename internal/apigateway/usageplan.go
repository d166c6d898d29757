package apigateway

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// usagePlan is a usage plan's record. It says where it belongs, so that a
// start can publish all plans from one scan.
type usagePlan struct {
	scope
	Plan apigatewayapi.UsagePlan
}

var usagePlans = record.New[usagePlan]("apigateway", "usageplan")

// Default quotas ("Amazon API Gateway quotas"); that no more than 10,000 keys
// are made isn't checked.
const (
	maxPlans       = 300 // of an account's region
	maxPlansForKey = 10
)

func noPlan() error { return notFound("Invalid Usage Plan ID specified") }

func getPlan(r store.ReadTx, sc scope, id string) (*usagePlan, error) {
	return find(r, usagePlans, noPlan(), sc.id(id))
}

// CreateUsagePlan makes a usage plan.
func (s *Service) CreateUsagePlan(ctx context.Context, in *apigatewayapi.CreateUsagePlanRequest) (*apigatewayapi.UsagePlan, error) {
	sc := scopeOf(ctx)
	plan := &usagePlan{scope: sc, Plan: apigatewayapi.UsagePlan{
		Id: wire.Ptr(ident.Lower(6)), Name: in.Name, Description: nonEmpty(in.Description),
		Throttle: throttleOf(in.Throttle), Quota: in.Quota, ApiStages: []apigatewayapi.ApiStage{}, Tags: nonEmptyMap(in.Tags),
	}}
	if q := plan.Plan.Quota; q != nil && q.Offset == nil {
		q.Offset = wire.Ptr[int64](0)
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	out, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.UsagePlan, error) {
		if have, err := usagePlans.List(tx, sc.id()...); err != nil || len(have) >= maxPlans {
			return nil, cmp.Or(err, limitExceeded("Maximum number of usage plans for this account has been reached. Please contact AWS if you need additional usage plans."))
		}
		edit := &planEdit{UsagePlan: &plan.Plan, tx: tx, scope: sc}
		for _, at := range in.ApiStages {
			if err := edit.addStage(wire.Val(at.ApiId), wire.Val(at.Stage), at.Throttle); err != nil {
				return nil, err
			}
		}
		if err := checkPlan(&plan.Plan); err != nil {
			return nil, err
		}
		return &plan.Plan, usagePlans.Put(tx, plan, sc.id(*plan.Plan.Id)...)
	})
	if err != nil {
		return nil, err
	}
	return answerPlan(out, false), nil
}

// throttleOf fills in what is left out of a limit.
func throttleOf(t *apigatewayapi.ThrottleSettings) *apigatewayapi.ThrottleSettings {
	if t == nil {
		return nil
	}
	return &apigatewayapi.ThrottleSettings{BurstLimit: wire.Ptr(wire.Val(t.BurstLimit)), RateLimit: wire.Ptr(wire.Val(t.RateLimit))}
}

// quotaOffsets are the highest offsets of the periods.
var quotaOffsets = map[string]int64{
	apigatewayapi.QuotaPeriodTypeDAY: 0, apigatewayapi.QuotaPeriodTypeWEEK: 6, apigatewayapi.QuotaPeriodTypeMONTH: 27,
}

func checkPlan(p *apigatewayapi.UsagePlan) error {
	if wire.Val(p.Name) == "" {
		return badRequest("Usage Plan name cannot be blank")
	}
	if err := checkThrottle(p.Throttle); err != nil {
		return err
	}
	for _, at := range p.ApiStages {
		for name, t := range at.Throttle {
			if err := checkThrottledMethod(name); err != nil {
				return err
			}
			if err := checkThrottle(&t); err != nil {
				return err
			}
		}
	}
	return checkQuota(p.Quota)
}

func checkThrottle(t *apigatewayapi.ThrottleSettings) error {
	switch {
	case t == nil:
	case wire.Val(t.BurstLimit) < 0:
		return badRequest("Usage Plan throttle burst limit must be a non-negative numeric")
	case wire.Val(t.RateLimit) < 0:
		return badRequest("Usage Plan throttle rate limit must be a non-negative numeric")
	}
	return nil
}

// checkQuota words faults as AWS does (seen in CloudFormation's events).
func checkQuota(q *apigatewayapi.QuotaSettings) error {
	if q == nil {
		return nil
	}
	highest, known := quotaOffsets[wire.Val(q.Period)]
	switch offset := wire.Val(q.Offset); {
	case !known:
		return badRequest("Invalid Usage Plan quota period specified. Must be one of [DAY, WEEK, MONTH]")
	case wire.Val(q.Limit) < 1:
		return badRequest("Usage Plan quota limit must be a non-negative numeric")
	case offset < 0 || offset > highest:
		return badRequest("Usage Plan quota offset must be between 0 and %d inclusive in the %s period", highest, *q.Period)
	}
	return nil
}

// checkThrottledMethod accepts keys such as /pets/GET, and //GET of the root.
func checkThrottledMethod(name string) error {
	path, verb, _ := cutLast(name)
	if !strings.HasPrefix(path, "/") || verb != "*" && !slices.Contains(verbs, verb) {
		return badRequest("Invalid method {resourcePath: %s,method: %s} specified", path, verb)
	}
	return nil
}

// answerPlan is a plan as calls print it: reading or updating one shows an
// empty tags member, creating and listing leave it out (recorded).
func answerPlan(p *apigatewayapi.UsagePlan, emptyTags bool) *apigatewayapi.UsagePlan {
	out := *p
	if out.ApiStages == nil {
		out.ApiStages = []apigatewayapi.ApiStage{} // an empty list isn't stored
	}
	if len(out.Tags) == 0 && emptyTags {
		out.Tags = map[string]string{}
	}
	return &out
}

// GetUsagePlan returns a plan.
func (s *Service) GetUsagePlan(ctx context.Context, in *apigatewayapi.GetUsagePlanRequest) (*apigatewayapi.UsagePlan, error) {
	plan, err := view(ctx, s, func(r store.ReadTx) (*usagePlan, error) { return getPlan(r, scopeOf(ctx), *in.UsagePlanId) })
	if err != nil {
		return nil, err
	}
	return answerPlan(&plan.Plan, true), nil
}

// GetUsagePlans lists plans: all, or those of a key.
func (s *Service) GetUsagePlans(ctx context.Context, in *apigatewayapi.GetUsagePlansRequest) (*apigatewayapi.UsagePlans, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.UsagePlans, error) {
		wanted := func(*usagePlan) bool { return true }
		if wire.Val(in.KeyId) != "" {
			ids, err := keyPlans.List(r, sc.id(*in.KeyId)...)
			if err != nil {
				return nil, err
			}
			wanted = func(p *usagePlan) bool {
				return slices.ContainsFunc(ids, func(id *string) bool { return *id == *p.Plan.Id })
			}
		}
		items, next, err := pageWhere(r, usagePlans, in.Position, in.Limit, wanted, func(p *usagePlan) string { return *p.Plan.Id }, sc.id())
		if err != nil {
			return nil, err
		}
		out := &apigatewayapi.UsagePlans{Position: next, Items: []apigatewayapi.UsagePlan{}}
		for _, p := range items {
			out.Items = append(out.Items, *answerPlan(&p.Plan, false))
		}
		return out, nil
	})
}

// DeleteUsagePlan deletes a plan that covers no stage.
func (s *Service) DeleteUsagePlan(ctx context.Context, in *apigatewayapi.DeleteUsagePlanRequest) error {
	sc := scopeOf(ctx)
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		plan, err := getPlan(tx, sc, *in.UsagePlanId)
		if err != nil {
			return err
		}
		if len(plan.Plan.ApiStages) > 0 {
			var covered []string
			for _, at := range plan.Plan.ApiStages {
				covered = append(covered, *at.ApiId+":"+*at.Stage)
			}
			return badRequest("Cannot delete Usage Plan %s because there are API Stages associated with it, including %s",
				*plan.Plan.Id, strings.Join(covered, ", "))
		}
		keys, err := planKeys.List(tx, sc.id(*plan.Plan.Id)...)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if err := unsubscribe(tx, sc, *plan.Plan.Id, *key); err != nil {
				return err
			}
		}
		return usagePlans.Delete(tx, sc.id(*plan.Plan.Id)...)
	})
	if err != nil {
		return err
	}
	return s.publishPlans(ctx, sc)
}

// leavePlans takes an API's stage, or all of its stages if name is empty, out
// of the plans that cover them. Plans don't keep what is deleted.
func leavePlans(tx store.Tx, sc scope, api, name string) error {
	plans, err := usagePlans.List(tx, sc.id()...)
	if err != nil {
		return err
	}
	for _, p := range plans {
		left := slices.DeleteFunc(slices.Clone(p.Plan.ApiStages), func(at apigatewayapi.ApiStage) bool {
			return *at.ApiId == api && (name == "" || *at.Stage == name)
		})
		if len(left) == len(p.Plan.ApiStages) {
			continue
		}
		p.Plan.ApiStages = left
		if err := usagePlans.Put(tx, p, sc.id(*p.Plan.Id)...); err != nil {
			return err
		}
	}
	return nil
}
