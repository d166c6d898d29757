package apigateway

import (
	"cmp"
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// A subscription is kept from both ends: the ids of a plan's keys, and of a
// key's plans.
var (
	planKeys = record.New[string]("apigateway", "usageplankey")
	keyPlans = record.New[string]("apigateway", "apikeyplan")
)

// apiKeyType is the only type of a usage plan's keys.
const apiKeyType = "API_KEY"

// CreateUsagePlanKey subscribes a key to a plan.
func (s *Service) CreateUsagePlanKey(ctx context.Context, in *apigatewayapi.CreateUsagePlanKeyRequest) (*apigatewayapi.UsagePlanKey, error) {
	sc := scopeOf(ctx)
	out, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.UsagePlanKey, error) {
		plan, err := getPlan(tx, sc, *in.UsagePlanId)
		if err != nil {
			return nil, err
		}
		if *in.KeyType != apiKeyType {
			return nil, badRequest("Invalid key type specified. Valid options are %s", apiKeyType)
		}
		key, err := getKey(tx, sc, *in.KeyId)
		if err != nil {
			return nil, err
		}
		return answerPlanKey(key), subscribe(tx, sc, &plan.Plan, *key.Id)
	})
	if err != nil {
		return nil, err
	}
	return out, s.publishPlans(ctx, sc)
}

// subscribe puts a key into a plan.
func subscribe(tx store.Tx, sc scope, plan *apigatewayapi.UsagePlan, keyID string) error {
	if err := checkSubscription(tx, sc, plan, keyID); err != nil {
		return err
	}
	if err := planKeys.Put(tx, &keyID, sc.id(*plan.Id, keyID)...); err != nil {
		return err
	}
	return keyPlans.Put(tx, plan.Id, sc.id(keyID, *plan.Id)...)
}

// checkSubscription keeps a key from having two plans for one stage
// (developer guide, "Usage plans and API keys for REST APIs"; the wording is
// ours).
func checkSubscription(r store.ReadTx, sc scope, plan *apigatewayapi.UsagePlan, keyID string) error {
	plans, err := keyPlans.List(r, sc.id(keyID)...)
	if err != nil {
		return err
	}
	if len(plans) >= maxPlansForKey {
		return limitExceeded("Maximum number of usage plans for this API key has been reached. Please contact AWS if you need additional usage plans.")
	}
	for _, id := range plans {
		if *id == *plan.Id {
			return conflict("Usage Plan %s already has API Key %s", *plan.Id, keyID)
		}
		other, err := getPlan(r, sc, *id)
		if err != nil {
			return err
		}
		for i := range plan.ApiStages {
			if at := &plan.ApiStages[i]; findAPIStage(&other.Plan, *at.ApiId, *at.Stage) >= 0 {
				return conflict("API Key %s is already associated with Usage Plan %s for API Stage %s:%s", keyID, *id, *at.ApiId, *at.Stage)
			}
		}
	}
	return nil
}

func answerPlanKey(key *apigatewayapi.ApiKey) *apigatewayapi.UsagePlanKey {
	return &apigatewayapi.UsagePlanKey{Id: key.Id, Type: wire.Ptr(apiKeyType), Value: key.Value, Name: key.Name}
}

// getPlanKey reads a key that is subscribed to a plan.
func getPlanKey(r store.ReadTx, sc scope, planID, keyID string) (*apigatewayapi.ApiKey, error) {
	if _, err := getPlan(r, sc, planID); err != nil {
		return nil, err
	}
	if _, err := find(r, planKeys, noKey(), sc.id(planID, keyID)); err != nil {
		return nil, err
	}
	return getKey(r, sc, keyID)
}

// GetUsagePlanKey returns a key of a plan.
func (s *Service) GetUsagePlanKey(ctx context.Context, in *apigatewayapi.GetUsagePlanKeyRequest) (*apigatewayapi.UsagePlanKey, error) {
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.UsagePlanKey, error) {
		key, err := getPlanKey(r, scopeOf(ctx), *in.UsagePlanId, *in.KeyId)
		if err != nil {
			return nil, err
		}
		return answerPlanKey(key), nil
	})
}

// GetUsagePlanKeys lists a plan's keys: all, or those whose name begins with a
// text. A plan that isn't there has none (recorded).
func (s *Service) GetUsagePlanKeys(ctx context.Context, in *apigatewayapi.GetUsagePlanKeysRequest) (*apigatewayapi.UsagePlanKeys, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.UsagePlanKeys, error) {
		var broken error
		keys := map[string]*apigatewayapi.ApiKey{}
		wanted := func(id *string) bool {
			key, err := getKey(r, sc, *id)
			if err != nil {
				broken = err
				return false
			}
			keys[*id] = key
			return strings.HasPrefix(wire.Val(key.Name), wire.Val(in.NameQuery))
		}
		ids, next, err := pageWhere(r, planKeys, in.Position, in.Limit, wanted, func(id *string) string { return *id }, sc.id(*in.UsagePlanId))
		if err = cmp.Or(err, broken); err != nil {
			return nil, err
		}
		out := &apigatewayapi.UsagePlanKeys{Position: next, Items: []apigatewayapi.UsagePlanKey{}}
		for _, id := range ids {
			out.Items = append(out.Items, *answerPlanKey(keys[*id]))
		}
		return out, nil
	})
}

// DeleteUsagePlanKey takes a key out of a plan.
func (s *Service) DeleteUsagePlanKey(ctx context.Context, in *apigatewayapi.DeleteUsagePlanKeyRequest) error {
	sc := scopeOf(ctx)
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		key, err := getPlanKey(tx, sc, *in.UsagePlanId, *in.KeyId)
		if err != nil {
			return err
		}
		return unsubscribe(tx, sc, *in.UsagePlanId, *key.Id)
	})
	if err != nil {
		return err
	}
	return s.publishPlans(ctx, sc)
}

// unsubscribe takes a key out of a plan and forgets what it used.
func unsubscribe(tx store.Tx, sc scope, planID, keyID string) error {
	if err := planKeys.Delete(tx, sc.id(planID, keyID)...); err != nil {
		return err
	}
	if err := usages.DeleteAll(tx, sc.id(planID, keyID)...); err != nil {
		return err
	}
	return keyPlans.Delete(tx, sc.id(keyID, planID)...)
}
