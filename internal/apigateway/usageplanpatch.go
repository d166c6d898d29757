package apigateway

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// planEdit is a usage plan under PATCH and what its changes are checked
// against.
type planEdit struct {
	*apigatewayapi.UsagePlan
	tx    store.ReadTx
	scope scope
}

// findAPIStage is the index of a stage among those of a plan, or -1.
func findAPIStage(p *apigatewayapi.UsagePlan, api, stage string) int {
	return slices.IndexFunc(p.ApiStages, func(at apigatewayapi.ApiStage) bool { return *at.ApiId == api && *at.Stage == stage })
}

// addStage makes the plan cover a stage.
func (e *planEdit) addStage(api, stage string, throttle map[string]apigatewayapi.ThrottleSettings) error {
	if api == "" || stage == "" {
		// AWS forgets to fill its sentence in (measured).
		return badRequest("Invalid API Stage {api: %%s, stage: %%s} specified for usageplan %%s")
	}
	if st, err := stages.Get(e.tx, e.scope.id(api, stage)...); err != nil || st == nil {
		return cmp.Or(err, notFound("API Stage not found: %s:%s", api, stage))
	}
	if findAPIStage(e.UsagePlan, api, stage) >= 0 {
		return conflict("Usage Plan %s already has API Stage %s:%s", *e.Id, api, stage)
	}
	for name, t := range throttle {
		throttle[name] = *throttleOf(&t)
	}
	e.ApiStages = append(e.ApiStages, apigatewayapi.ApiStage{ApiId: &api, Stage: &stage, Throttle: nonEmptyMap(throttle)})
	keys, err := planKeys.List(e.tx, e.scope.id(*e.Id)...)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := e.checkOtherPlans(*key, api, stage); err != nil {
			return err
		}
	}
	return nil
}

// checkOtherPlans refuses a stage for which one of the plan's keys has another
// plan already.
func (e *planEdit) checkOtherPlans(key, api, stage string) error {
	plans, err := keyPlans.List(e.tx, e.scope.id(key)...)
	if err != nil {
		return err
	}
	for _, id := range plans {
		if *id == *e.Id {
			continue
		}
		other, err := getPlan(e.tx, e.scope, *id)
		if err != nil {
			return err
		}
		if findAPIStage(&other.Plan, api, stage) >= 0 {
			return conflict("API Key %s is already associated with Usage Plan %s for API Stage %s:%s", key, *id, api, stage)
		}
	}
	return nil
}

var (
	addReplace = []string{"add", "replace"}
	removeOnly = []string{"remove"}
)

// planPatch has the rows of the API Reference, "UpdateUsagePlan", in the order
// in which refusals list them (measured). What is below a stage is planEdit's.
var planPatch = patchTable[planEdit]{picky: true, rows: []patchRow[planEdit]{
	textRow("/description", func(e *planEdit) **string { return &e.Description }),
	textRow("/name", func(e *planEdit) **string { return &e.Name }),
	{"/apiStages", addRemove, func(e *planEdit, op patchOp) error {
		api, rest, ok := strings.Cut(op.text(), ":")
		if !ok {
			return badRequest("Invalid API Stage specified")
		}
		stage, _, _ := strings.Cut(rest, ":")
		if op.op == "add" {
			return e.addStage(api, stage, nil)
		}
		i := findAPIStage(e.UsagePlan, api, stage)
		if i < 0 {
			return e.noStage(api, stage)
		}
		e.ApiStages = slices.Delete(e.ApiStages, i, i+1)
		return nil
	}},
	{"/quota", removeOnly, func(e *planEdit, _ patchOp) error { e.Quota = nil; return nil }},
	{"/quota/limit", addReplace, func(e *planEdit, op patchOp) (err error) {
		e.quota().Limit, err = wholeNumber(op)
		return err
	}},
	{"/quota/offset", addReplace, func(e *planEdit, op patchOp) (err error) {
		e.quota().Offset, err = wholeNumber(op)
		return err
	}},
	{"/quota/period", addReplace, func(e *planEdit, op patchOp) error { e.quota().Period = op.value; return nil }},
	{"/throttle", removeOnly, func(e *planEdit, _ patchOp) error { e.Throttle = nil; return nil }},
	{"/throttle/burstLimit", addReplace, func(e *planEdit, op patchOp) error {
		e.Throttle = throttleOf(orEmpty(e.Throttle))
		return setLimit(e.Throttle, "burstLimit", op)
	}},
	{"/throttle/rateLimit", addReplace, func(e *planEdit, op patchOp) error {
		e.Throttle = throttleOf(orEmpty(e.Throttle))
		return setLimit(e.Throttle, "rateLimit", op)
	}},
	optionalRow("/productCode", func(e *planEdit) **string { return &e.ProductCode }),
	{"/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>", removeOnly, notRouted},
	{"/apiStages/<apidId:stageName>/throttle", removeOnly, notRouted},
}}

// notRouted stands in the rows that are there to be listed.
func notRouted(_ *planEdit, op patchOp) error { return badRequest("Invalid patch path %s", op.path) }

func orEmpty[T any](v *T) *T {
	if v == nil {
		return new(T)
	}
	return v
}

func (e *planEdit) quota() *apigatewayapi.QuotaSettings {
	if e.Quota == nil {
		e.Quota = &apigatewayapi.QuotaSettings{Offset: wire.Ptr[int64](0)}
	}
	return e.Quota
}

func (e *planEdit) noStage(api, stage string) error {
	return notFound("Invalid API Stage {api: %s, stage: %s} specified for usageplan %s", api, stage, *e.Id)
}

// setLimit sets the rateLimit or burstLimit of t.
func setLimit(t *apigatewayapi.ThrottleSettings, name string, op patchOp) (err error) {
	if name == "burstLimit" {
		t.BurstLimit, err = wholeNumber(op)
		return err
	}
	rate, err := strconv.ParseFloat(op.text(), 64)
	if err != nil {
		return badNumber(op)
	}
	t.RateLimit = &rate
	return nil
}

// apply runs one operation.
func (e *planEdit) apply(raw apigatewayapi.PatchOperation) error {
	path := wire.Val(raw.Path)
	at, below, ok := strings.Cut(strings.TrimPrefix(path, "/apiStages/"), "/throttle")
	api, stage, isStage := strings.Cut(at, ":")
	if !strings.HasPrefix(path, "/apiStages/") || !ok || !isStage || below != "" && below[0] != '/' {
		return planPatch.apply(e, []apigatewayapi.PatchOperation{raw})
	}
	i := findAPIStage(e.UsagePlan, api, stage)
	if i < 0 {
		return e.noStage(api, stage)
	}
	op := patchOp{op: wire.Val(raw.Op), path: path, value: raw.Value}
	return e.throttleMethod(&e.ApiStages[i], strings.TrimPrefix(below, "/"), op)
}

// throttleMethods sets the limits of all of a stage's methods, from JSON such
// as {"/pets/GET": {"rateLimit": 10, "burstLimit": 5}}, or removes them.
func throttleMethods(at *apigatewayapi.ApiStage, op patchOp) error {
	at.Throttle = nil
	if op.op == "remove" {
		return nil
	}
	var asked map[string]struct {
		RateLimit  *float64 `json:"rateLimit"`
		BurstLimit *int64   `json:"burstLimit"`
	}
	if !slices.Contains(addReplace, op.op) || json.Unmarshal([]byte(op.text()), &asked) != nil {
		return badRequest("Invalid value %s specified for path %s: must be a JSON object of methods and their limits", op.text(), op.path) // wording is ours
	}
	limits := make(map[string]apigatewayapi.ThrottleSettings, len(asked))
	for name, t := range asked {
		limits[name] = *throttleOf(&apigatewayapi.ThrottleSettings{RateLimit: t.RateLimit, BurstLimit: t.BurstLimit})
	}
	at.Throttle = nonEmptyMap(limits)
	return nil
}

// throttleMethod changes the limits of a stage's methods. target is
// {resource}/{verb}/{limit}; to remove one also {resource}/{verb}. Slashes of
// the resource may be escaped; Terraform writes the one that it begins with as
// it is.
func (e *planEdit) throttleMethod(at *apigatewayapi.ApiStage, target string, op patchOp) error {
	if target == "" {
		return throttleMethods(at, op)
	}
	name, limit := target, ""
	if head, last, _ := cutLast(target); last == "rateLimit" || last == "burstLimit" {
		name, limit = head, last
	}
	resource, verb, _ := cutLast(name)
	name = unescapePointer(resource) + "/" + verb
	if err := checkThrottledMethod(name); err != nil {
		return err
	}
	limits, known := at.Throttle[name]
	switch {
	case op.op == "remove" && limit == "" && known:
		delete(at.Throttle, name)
		at.Throttle = nonEmptyMap(at.Throttle)
		return nil
	case op.op == "remove" && limit == "":
		return notFound("Invalid method {resourcePath: %s,method: %s} specified", unescapePointer(resource), verb)
	case !slices.Contains(addReplace, op.op) || limit == "":
		return planPatch.unknownPath(op)
	}
	limits = *throttleOf(&limits)
	if err := setLimit(&limits, limit, op); err != nil {
		return err
	}
	if at.Throttle == nil {
		at.Throttle = map[string]apigatewayapi.ThrottleSettings{}
	}
	at.Throttle[name] = limits
	return nil
}

// UpdateUsagePlan changes a plan; clients feel it at once.
func (s *Service) UpdateUsagePlan(ctx context.Context, in *apigatewayapi.UpdateUsagePlanRequest) (*apigatewayapi.UsagePlan, error) {
	sc := scopeOf(ctx)
	plan, err := update(ctx, s, func(tx store.Tx) (*usagePlan, error) {
		plan, err := getPlan(tx, sc, *in.UsagePlanId)
		if err != nil {
			return nil, err
		}
		edit := &planEdit{UsagePlan: &plan.Plan, tx: tx, scope: sc}
		for _, op := range in.PatchOperations {
			if err := edit.apply(op); err != nil {
				return nil, err
			}
		}
		if err := checkPlan(&plan.Plan); err != nil {
			return nil, err
		}
		return plan, usagePlans.Put(tx, plan, sc.id(*plan.Plan.Id)...)
	})
	if err != nil {
		return nil, err
	}
	return answerPlan(&plan.Plan, true), s.publishPlans(ctx, sc)
}
