package apigateway

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Bounds of API keys (developer guide, "Usage plans and API keys for REST
// APIs").
const (
	minKeyValue       = 20
	maxKeyValue       = 128
	maxKeyName        = 1024
	newKeyValue       = 40 // characters of a value that API Gateway makes
	maxKeyDescription = 125_000
)

var (
	apiKeys   = record.New[apigatewayapi.ApiKey]("apigateway", "apikey")
	keyValues = record.New[string]("apigateway", "apikeyvalue") // ids by value
)

func noKey() error { return notFound("Invalid API Key identifier specified") }

func getKey(r store.ReadTx, sc scope, id string) (*apigatewayapi.ApiKey, error) {
	return find(r, apiKeys, noKey(), sc.id(id))
}

// CreateApiKey makes an API key, of a value of its own unless one is given.
func (s *Service) CreateApiKey(ctx context.Context, in *apigatewayapi.CreateApiKeyRequest) (*apigatewayapi.ApiKey, error) {
	sc := scopeOf(ctx)
	key := &apigatewayapi.ApiKey{
		Id: wire.Ptr(ident.Lower(10)), Name: nonEmpty(in.Name), Description: nonEmpty(in.Description), Value: nonEmpty(in.Value),
		CustomerId: nonEmpty(in.CustomerId), Enabled: wire.Ptr(wire.Val(in.Enabled)),
		CreatedDate: s.now(), LastUpdatedDate: s.now(), StageKeys: []string{}, Tags: nonEmptyMap(in.Tags),
	}
	if key.Value == nil {
		key.Value = wire.Ptr(ident.Mixed(newKeyValue))
	}
	if in.GenerateDistinctId != nil && !*in.GenerateDistinctId {
		key.Id = key.Value // asked for outright; the default makes distinct ones (recorded)
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.ApiKey, error) {
		for _, stage := range in.StageKeys {
			if err := addStageKey(tx, sc, key, wire.Val(stage.RestApiId), wire.Val(stage.StageName)); err != nil {
				return nil, err
			}
		}
		return key, addKey(tx, sc, key)
	})
}

// addKey checks and stores a new key.
func addKey(tx store.Tx, sc scope, key *apigatewayapi.ApiKey) error {
	if err := checkKey(key); err != nil {
		return err
	}
	switch taken, err := keyValues.Get(tx, sc.id(*key.Value)...); {
	case err != nil:
		return err
	case taken != nil:
		return conflict("API Key already exists")
	}
	if err := keyValues.Put(tx, key.Id, sc.id(*key.Value)...); err != nil {
		return err
	}
	return apiKeys.Put(tx, key, sc.id(*key.Id)...)
}

func checkKey(key *apigatewayapi.ApiKey) error {
	switch n := len(*key.Value); {
	case n < minKeyValue:
		return badRequest("API Key value should be at least 20 characters")
	case n > maxKeyValue:
		return badRequest("API Key value exceeds maximum size of 128 characters")
	case len(wire.Val(key.Name)) > maxKeyName:
		return badRequest("Invalid API Key name, can be at most 1024 characters.")
	case len(wire.Val(key.Description)) > maxKeyDescription:
		return badRequest("Invalid API Key description specified.")
	}
	return nil
}

// addStageKey notes a stage that the key was made for. That gives it no
// rights: since accounts have usage plans, those do.
func addStageKey(r store.ReadTx, sc scope, key *apigatewayapi.ApiKey, api, stage string) error {
	if _, err := getStage(r, sc, api, stage); err != nil {
		return err
	}
	key.StageKeys = append(key.StageKeys, api+"/"+stage)
	return nil
}

// answerKey is a key as calls print it: without its value unless that is
// asked for; reading or updating one shows an empty tags member, creating and
// listing leave it out (recorded).
func answerKey(key *apigatewayapi.ApiKey, value, emptyTags bool) *apigatewayapi.ApiKey {
	out := *key
	if !value {
		out.Value = nil
	}
	if out.StageKeys == nil {
		out.StageKeys = []string{} // an empty list isn't stored
	}
	if len(out.Tags) == 0 && emptyTags {
		out.Tags = map[string]string{}
	}
	return &out
}

// GetApiKey returns a key.
func (s *Service) GetApiKey(ctx context.Context, in *apigatewayapi.GetApiKeyRequest) (*apigatewayapi.ApiKey, error) {
	key, err := view(ctx, s, func(r store.ReadTx) (*apigatewayapi.ApiKey, error) { return getKey(r, scopeOf(ctx), *in.ApiKey) })
	if err != nil {
		return nil, err
	}
	return answerKey(key, wire.Val(in.IncludeValue), true), nil
}

// GetApiKeys lists keys: all, or those whose name begins with a text, or those
// of a customer.
func (s *Service) GetApiKeys(ctx context.Context, in *apigatewayapi.GetApiKeysRequest) (*apigatewayapi.ApiKeys, error) {
	sc := scopeOf(ctx)
	wanted := func(key *apigatewayapi.ApiKey) bool {
		customer := wire.Val(in.CustomerId)
		return strings.HasPrefix(wire.Val(key.Name), wire.Val(in.NameQuery)) && (customer == "" || customer == wire.Val(key.CustomerId))
	}
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.ApiKeys, error) {
		items, next, err := pageWhere(r, apiKeys, in.Position, in.Limit, wanted, func(k *apigatewayapi.ApiKey) string { return *k.Id }, sc.id())
		if err != nil {
			return nil, err
		}
		out := &apigatewayapi.ApiKeys{Position: next, Items: []apigatewayapi.ApiKey{}}
		for _, key := range items {
			out.Items = append(out.Items, *answerKey(key, wire.Val(in.IncludeValues), false))
		}
		return out, nil
	})
}

// keyEdit is a key under PATCH.
type keyEdit struct {
	*apigatewayapi.ApiKey
	tx    store.ReadTx
	scope scope
}

var keyPatch = patchTable[keyEdit]{picky: true, rows: []patchRow[keyEdit]{
	textRow("/description", func(e *keyEdit) **string { return &e.Description }),
	{"/enabled", replaceOnly, func(e *keyEdit, op patchOp) error {
		e.Enabled = wire.Ptr(op.isTrue())
		return nil
	}},
	textRow("/name", func(e *keyEdit) **string { return &e.Name }),
	textRow("/customerId", func(e *keyEdit) **string { return &e.CustomerId }),
	// Labels can be given and taken, but no call shows or asks for them.
	{"/labels", addRemove, func(*keyEdit, patchOp) error { return nil }},
	{"/stages", addRemove, func(e *keyEdit, op patchOp) error {
		api, stage, ok := strings.Cut(op.text(), "/")
		if !ok {
			return badRequest("Invalid API Stage specified")
		}
		if op.op == "add" {
			return addStageKey(e.tx, e.scope, e.ApiKey, api, stage)
		}
		return removeText(&e.StageKeys, op.text(), noStage())
	}},
}}

// removeText removes an entry of a list, or answers missing.
func removeText(list *[]string, entry string, missing error) error {
	for i, have := range *list {
		if have == entry {
			*list = append((*list)[:i:i], (*list)[i+1:]...)
			return nil
		}
	}
	return missing
}

// UpdateApiKey changes a key; clients see it at once.
func (s *Service) UpdateApiKey(ctx context.Context, in *apigatewayapi.UpdateApiKeyRequest) (*apigatewayapi.ApiKey, error) {
	sc := scopeOf(ctx)
	key, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.ApiKey, error) {
		key, err := getKey(tx, sc, *in.ApiKey)
		if err != nil {
			return nil, err
		}
		if err := keyPatch.apply(&keyEdit{key, tx, sc}, in.PatchOperations); err != nil {
			return nil, err
		}
		if err := checkKey(key); err != nil {
			return nil, err
		}
		key.LastUpdatedDate = s.now()
		return key, apiKeys.Put(tx, key, sc.id(*key.Id)...)
	})
	if err != nil {
		return nil, err
	}
	return answerKey(key, false, true), s.publishPlans(ctx, sc)
}

// DeleteApiKey deletes a key and takes it out of its usage plans.
func (s *Service) DeleteApiKey(ctx context.Context, in *apigatewayapi.DeleteApiKeyRequest) error {
	sc := scopeOf(ctx)
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		key, err := getKey(tx, sc, *in.ApiKey)
		if err != nil {
			return err
		}
		plans, err := keyPlans.List(tx, sc.id(*key.Id)...)
		if err != nil {
			return err
		}
		for _, plan := range plans {
			if err := unsubscribe(tx, sc, *plan, *key.Id); err != nil {
				return err
			}
		}
		if err := keyValues.Delete(tx, sc.id(*key.Value)...); err != nil {
			return err
		}
		return apiKeys.Delete(tx, sc.id(*key.Id)...)
	})
	if err != nil {
		return err
	}
	return s.publishPlans(ctx, sc)
}
