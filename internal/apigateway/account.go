package apigateway

import (
	"context"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// GetAccount returns the account's settings in the region.
func (s *Service) GetAccount(ctx context.Context, _ *apigatewayapi.GetAccountRequest) (*apigatewayapi.Account, error) {
	a, err := view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Account, error) { return getAccount(r, scopeOf(ctx)) })
	return s.answerAccount(a), err
}

// answerAccount adds to an account what the operator of butai sets, as AWS
// sets a quota.
func (s *Service) answerAccount(a *apigatewayapi.Account) *apigatewayapi.Account {
	if a == nil {
		return nil
	}
	out := *a
	out.ThrottleSettings = &s.AccountThrottle
	return &out
}

// getAccount reads the settings; an untouched account has AWS's defaults.
func getAccount(r store.ReadTx, sc scope) (*apigatewayapi.Account, error) {
	a, err := accounts.Get(r, sc.id()...)
	if a != nil || err != nil {
		return a, err
	}
	return &apigatewayapi.Account{
		Features:      []string{"UsagePlans"},
		ApiKeyVersion: wire.Ptr("4"),
	}, nil
}

// logRole is the role that writes the account's logs, "" if none is set.
func logRole(r store.ReadTx, sc scope) (string, error) {
	a, err := getAccount(r, sc)
	if err != nil {
		return "", err
	}
	return wire.Val(a.CloudwatchRoleArn), nil
}

var accountPatch = patchTable[apigatewayapi.Account]{picky: true, rows: []patchRow[apigatewayapi.Account]{
	{"/cloudwatchRoleArn", replaceOnly, func(a *apigatewayapi.Account, op patchOp) error {
		a.CloudwatchRoleArn = nonEmpty(op.value)
		if a.CloudwatchRoleArn == nil {
			return nil
		}
		if role, err := arn.Parse(op.text()); err != nil || role.Service != "iam" {
			return invalidARN()
		}
		return nil
	}},
	{"/features", addRemove, func(_ *apigatewayapi.Account, op patchOp) error {
		// Every account has the only feature, and can't lose it.
		if op.op == "remove" {
			return badRequest("Usage Plans cannot be disabled once enabled")
		}
		return oneOf("feature", op.text(), "UsagePlans")
	}},
}}

// UpdateAccount changes the account's settings in the region.
func (s *Service) UpdateAccount(ctx context.Context, in *apigatewayapi.UpdateAccountRequest) (*apigatewayapi.Account, error) {
	sc := scopeOf(ctx)
	a, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.Account, error) {
		a, err := getAccount(tx, sc)
		if err != nil {
			return nil, err
		}
		if err := accountPatch.apply(a, in.PatchOperations); err != nil {
			return nil, err
		}
		return a, accounts.Put(tx, a, sc.id()...)
	})
	if err != nil {
		return nil, err
	}
	return s.answerAccount(a), s.publishAccount(ctx, sc)
}
