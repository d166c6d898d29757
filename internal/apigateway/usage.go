package apigateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// usages are what keys used, by plan, key and day.
var usages = record.New[gateway.KeyUsage]("apigateway", "usage")

// saveUsageEvery is how much counting a crash can lose. Quotas are applied on
// a best-effort basis on AWS, too.
const saveUsageEvery = 2 * time.Second

// Run saves what keys use until ctx ends, and then once more.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(saveUsageEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.saveUsage(context.WithoutCancel(ctx))
		case <-tick.C:
			if err := s.saveUsage(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("saving the usage of API keys failed", "err", err)
			}
		}
	}
}

// saveUsage stores what the data plane has counted. What a key used of a plan
// that it left is dropped.
func (s *Service) saveUsage(ctx context.Context) error {
	return s.Gateway.SaveUsage(func(days []gateway.KeyUsage) error {
		return s.Store.Update(ctx, func(tx store.Tx) error {
			for i := range days {
				day := &days[i]
				sc := scope{day.Account, day.Region}
				if has, err := planKeys.Get(tx, sc.id(day.PlanID, day.KeyID)...); err != nil || has == nil {
					if err != nil {
						return err
					}
					continue
				}
				if err := usages.Put(tx, day, sc.id(day.PlanID, day.KeyID, day.Day)...); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// maxUsageDays is how far back usage is told (API Reference, "GetUsage").
const maxUsageDays = 90

// GetUsage tells what keys used of a plan's quota and what was left of it, a
// pair for each day. Plans without a quota count nothing.
func (s *Service) GetUsage(ctx context.Context, in *apigatewayapi.GetUsageRequest) (*apigatewayapi.Usage, error) {
	sc := scopeOf(ctx)
	first, last, err := s.usageDays(*in.StartDate, *in.EndDate)
	if err != nil {
		return nil, err
	}
	if err := s.saveUsage(ctx); err != nil {
		return nil, err
	}
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Usage, error) {
		plan, err := getPlan(r, sc, *in.UsagePlanId)
		if err != nil {
			return nil, err
		}
		out := &apigatewayapi.Usage{UsagePlanId: plan.Plan.Id, StartDate: in.StartDate, EndDate: in.EndDate, Items: map[string][][]int64{}}
		wanted := func(id *string) bool { return wire.Val(in.KeyId) == "" || *in.KeyId == *id }
		ids, next, err := pageWhere(r, planKeys, in.Position, in.Limit, wanted, func(id *string) string { return *id }, sc.id(*plan.Plan.Id))
		if err != nil || plan.Plan.Quota == nil {
			return out, err
		}
		for _, id := range ids {
			if out.Items[*id], err = keyUsage(r, sc, plan.Plan.Quota, *plan.Plan.Id, *id, first, last); err != nil {
				return nil, err
			}
		}
		out.Position = next
		return out, nil
	})
}

// usageDays parses the ends of a range of days.
func (s *Service) usageDays(start, end string) (first, last time.Time, err error) {
	first, err = time.Parse(time.DateOnly, start)
	if err == nil {
		last, err = time.Parse(time.DateOnly, end)
	}
	switch {
	case err != nil:
		return first, last, badRequest("Invalid date specified. Dates must have the format YYYY-MM-DD")
	case last.Before(first):
		return first, last, badRequest("Usage start date must be before usage end date")
	case last.Sub(first) > maxUsageDays*24*time.Hour:
		return first, last, badRequest("Usage date range must not exceed %d days", maxUsageDays)
	}
	return first, last, nil
}

// keyUsage is a key's pairs of used and remaining. On days without requests
// what was left the day before is left, or the whole quota.
func keyUsage(r store.ReadTx, sc scope, q *apigatewayapi.QuotaSettings, plan, key string, first, last time.Time) ([][]int64, error) {
	days, err := usages.List(r, sc.id(plan, key)...)
	if err != nil {
		return nil, err
	}
	byDay := map[string]*gateway.KeyUsage{}
	var before *gateway.KeyUsage
	for _, d := range days {
		byDay[d.Day] = d
		if d.Day < first.Format(time.DateOnly) {
			before = d
		}
	}
	pairs := [][]int64{}
	for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
		if d := byDay[day.Format(time.DateOnly)]; d != nil {
			before = d
			pairs = append(pairs, []int64{d.Used, d.Remaining})
			continue
		}
		remaining := *q.Limit
		if before != nil && gateway.QuotaPeriod(q, day).Equal(before.Period) {
			remaining = before.Remaining
		}
		pairs = append(pairs, []int64{0, remaining})
	}
	return pairs, nil
}

var usagePatch = patchTable[int64]{picky: true, rows: []patchRow[int64]{
	{"/remaining", replaceOnly, func(n *int64, op patchOp) error {
		value, err := wholeNumber(op)
		if err != nil {
			return err
		}
		if *value < 0 {
			return badRequest("Remaining quota must be a non-negative numeric")
		}
		*n = *value
		return nil
	}},
}}

// UpdateUsage sets what is left of a key's quota for the current period.
func (s *Service) UpdateUsage(ctx context.Context, in *apigatewayapi.UpdateUsageRequest) (*apigatewayapi.Usage, error) {
	sc := scopeOf(ctx)
	_, err := view(ctx, s, func(r store.ReadTx) (*apigatewayapi.ApiKey, error) {
		return getPlanKey(r, sc, *in.UsagePlanId, *in.KeyId)
	})
	if err != nil {
		return nil, err
	}
	if len(in.PatchOperations) > 0 {
		var remaining int64
		if err := usagePatch.apply(&remaining, in.PatchOperations); err != nil {
			return nil, err
		}
		if !s.Gateway.GrantUsage(sc.Account, sc.Region, *in.UsagePlanId, *in.KeyId, remaining) {
			return nil, badRequest("Usage Plan %s does not have a quota", *in.UsagePlanId)
		}
	}
	today := s.Clock.Now().UTC().Format(time.DateOnly)
	return s.GetUsage(ctx, &apigatewayapi.GetUsageRequest{UsagePlanId: in.UsagePlanId, KeyId: in.KeyId, StartDate: &today, EndDate: &today})
}

// publishPlans makes the data plane show what the store says about the usage
// plans and keys of an account's region.
func (s *Service) publishPlans(ctx context.Context, sc scope) error {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	return s.publishPlansLocked(ctx, sc)
}

func (s *Service) publishPlansLocked(ctx context.Context, sc scope) error {
	known := slices.Contains(s.counting, sc)
	spec, err := view(ctx, s, func(r store.ReadTx) (*gateway.UsagePlans, error) { return s.plansSpec(r, sc, !known) })
	if err != nil {
		return fmt.Errorf("read the usage plans of %s in %s: %w", sc.Account, sc.Region, err)
	}
	s.Gateway.PublishUsagePlans(spec)
	if !known {
		s.counting = append(s.counting, sc)
	}
	return nil
}

// plansSpec reads what the data plane needs of usage plans; what keys used
// already only if it doesn't count it itself. It reads each collection once,
// since there may be thousands of keys.
func (s *Service) plansSpec(r store.ReadTx, sc scope, used bool) (*gateway.UsagePlans, error) {
	plans, err := usagePlans.List(r, sc.id()...)
	if err != nil {
		return nil, err
	}
	keys := map[string]*apigatewayapi.ApiKey{}
	for key, err := range apiKeys.All(r, sc.id()...) {
		if err != nil {
			return nil, err
		}
		keys[*key.Id] = key
	}
	out := &gateway.UsagePlans{Account: sc.Account, Region: sc.Region, Throttle: &s.AccountThrottle}
	for _, p := range plans {
		keyed := gateway.KeyedPlan{Plan: p.Plan, Used: map[string]gateway.KeyUsage{}}
		for id, err := range planKeys.All(r, sc.id(*p.Plan.Id)...) {
			if err != nil {
				return nil, err
			}
			if key := keys[*id]; key != nil {
				keyed.Keys = append(keyed.Keys, *key)
			}
		}
		if used && p.Plan.Quota != nil {
			for day, err := range usages.All(r, sc.id(*p.Plan.Id)...) {
				if err != nil {
					return nil, err
				}
				keyed.Used[day.KeyID] = *day // a key's last day stays
			}
		}
		out.Plans = append(out.Plans, keyed)
	}
	return out, nil
}
