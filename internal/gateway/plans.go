package gateway

import (
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// UsagePlans are the usage plans of an account's region with the API keys of
// their customers. Unlike what a deployment freezes they act at once. It is
// immutable.
type UsagePlans struct {
	Account, Region string
	// Throttle is the account's own limit, over all of its APIs; nil is none.
	Throttle *apigatewayapi.ThrottleSettings
	Plans    []KeyedPlan
}

// KeyedPlan is a usage plan and the keys that are subscribed to it.
type KeyedPlan struct {
	Plan apigatewayapi.UsagePlan
	Keys []apigatewayapi.ApiKey
	// Used is what the keys had used when they were saved last, by key id. The
	// gateway goes by it only for keys that it doesn't count already.
	Used map[string]KeyUsage
}

// planScope is whose keys may call a stage.
type planScope struct{ account, region string }

// clients is a compiled UsagePlans. It is immutable but for the levels of its
// buckets and allowances.
type clients struct {
	keys       map[string]*apiKey // by value
	account    *limiter
	limiters   map[limiterKey]*limiter
	allowances map[subscriptionKey]*allowance
}

// limiterKey tells the buckets of a scope apart. A plan's bucket has no
// stage; the account's has nothing.
type limiterKey struct {
	plan, key string
	stage     stageKey
	method    string
}

type subscriptionKey struct{ plan, key string }

// apiKey is a key that clients show.
type apiKey struct {
	id      string
	enabled bool
	stages  map[stageKey]*subscription // what it may call, and under which plan
}

// subscription is the right of one key to call one stage under a plan.
type subscription struct {
	planID    string
	throttle  *limiter            // shared by the plan's stages
	methods   map[string]*limiter // by resource path and verb: "/pets/GET", "/pets/*"
	allowance *allowance          // shared by the plan's stages; nil if the plan has no quota
}

// PublishUsagePlans makes p the plans of its account's region from now on.
// Buckets and counts of keys that stay in a plan go on. p must not be changed
// afterwards.
func (g *Gateway) PublishUsagePlans(p *UsagePlans) {
	g.edit(func(t *tables) {
		scope := planScope{p.Account, p.Region}
		t.clients[scope] = compileClients(p, t.clients[scope])
	})
}

func compileClients(p *UsagePlans, old *clients) *clients {
	c := &clients{keys: map[string]*apiKey{}, limiters: map[limiterKey]*limiter{}, allowances: map[subscriptionKey]*allowance{}}
	if old == nil {
		old = &clients{}
	}
	c.account = c.limiter(old, limiterKey{}, p.Throttle)
	for i := range p.Plans {
		plan := &p.Plans[i]
		for j := range plan.Keys {
			c.subscribe(old, p, plan, &plan.Keys[j])
		}
	}
	return c
}

// subscribe adds what a key may do under a plan.
func (c *clients) subscribe(old *clients, p *UsagePlans, keyed *KeyedPlan, config *apigatewayapi.ApiKey) {
	plan, id := &keyed.Plan, wire.Val(config.Id)
	key := c.keys[wire.Val(config.Value)]
	if key == nil {
		key = &apiKey{id: id, enabled: wire.Val(config.Enabled), stages: map[stageKey]*subscription{}}
		c.keys[wire.Val(config.Value)] = key
	}
	at := limiterKey{plan: wire.Val(plan.Id), key: id}
	throttle := c.limiter(old, at, plan.Throttle)
	allowance := c.allowance(old, p, keyed, id)
	for i := range plan.ApiStages {
		api := &plan.ApiStages[i]
		at.stage = stageKey{wire.Val(api.ApiId), wire.Val(api.Stage)}
		sub := &subscription{planID: at.plan, throttle: throttle, allowance: allowance, methods: map[string]*limiter{}}
		for _, name := range slices.Sorted(maps.Keys(api.Throttle)) {
			at.method = name
			settings := api.Throttle[name]
			sub.methods[name] = c.limiter(old, at, &settings)
		}
		at.method = ""
		key.stages[at.stage] = sub
	}
}

// limiter is the bucket of this key, the one that there was if it has the same
// limits.
func (c *clients) limiter(old *clients, key limiterKey, s *apigatewayapi.ThrottleSettings) *limiter {
	if s == nil {
		return nil
	}
	l := newLimiter(s.RateLimit, s.BurstLimit)
	if l == nil {
		return nil
	}
	if before := old.limiters[key]; before != nil && before.same(l) {
		l = before
	}
	c.limiters[key] = l
	return l
}

func (c *clients) allowance(old *clients, p *UsagePlans, keyed *KeyedPlan, keyID string) *allowance {
	q := newQuota(keyed.Plan.Quota)
	if q == nil {
		return nil
	}
	at := subscriptionKey{wire.Val(keyed.Plan.Id), keyID}
	a := old.allowances[at]
	if a != nil {
		a.set(q)
	} else {
		saved, ok := keyed.Used[keyID]
		if !ok {
			saved = KeyUsage{Account: p.Account, Region: p.Region, PlanID: at.plan, KeyID: keyID}
		}
		a = newAllowance(saved, q)
	}
	c.allowances[at] = a
	return a
}

// SaveUsage hands save what keys used since it was saved last, if anything.
// What save fails to store is handed out again by the next call.
func (g *Gateway) SaveUsage(save func([]KeyUsage) error) error {
	t := g.tables.Load()
	var days []KeyUsage
	for _, c := range t.clients {
		for _, a := range c.allowances {
			days = append(days, a.unsaved()...)
		}
	}
	if len(days) == 0 {
		return nil
	}
	if err := save(days); err != nil {
		return err
	}
	for _, day := range days {
		t.clients[planScope{day.Account, day.Region}].allowances[subscriptionKey{day.PlanID, day.KeyID}].confirm(day)
	}
	return nil
}

// GrantUsage sets what is left of a key's quota for the current period. It is
// false if the key has no quota under the plan.
func (g *Gateway) GrantUsage(account, region, planID, keyID string, remaining int64) bool {
	c := g.tables.Load().clients[planScope{account, region}]
	if c == nil || c.allowances[subscriptionKey{planID, keyID}] == nil {
		return false
	}
	c.allowances[subscriptionKey{planID, keyID}].grant(g.clock.Now(), remaining)
	return true
}
