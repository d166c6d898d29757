package lambda

import (
	"context"
	"strconv"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/lambda/bundle"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Limits of an account and region ("Lambda quotas").
const (
	maxTotalCode  = 80530636800
	minUnreserved = 100 // executions that reservations must leave
)

func decimal(n int) string { return strconv.Itoa(n) }

const qualifiedConcurrency = "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN."

// editReserved changes a function's reserved concurrency.
func (s *Service) editReserved(ctx context.Context, name *string, reserved *int64) error {
	r, err := unqualified(ctx, name, qualifiedConcurrency)
	if err != nil {
		return err
	}
	return s.update(ctx, r.id, func(tx store.Tx) error {
		f, err := get(tx, r.id, r.arn()+":"+catalog.Latest)
		if err != nil {
			return err
		}
		others, err := reservedBy(tx, r.account, r.region)
		if err != nil {
			return err
		}
		others -= wire.Val(f.Reserved)
		if function.DefaultConcurrency-others-wire.Val(reserved) < minUnreserved && wire.Val(reserved) > 0 {
			return invalidPlain("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
		}
		if total, err := provisionedBy(tx, r.id); err != nil {
			return err
		} else if reserved != nil && *reserved < total {
			return invalidPlain(" ReservedConcurrentExecutions  %d should not be lower than function's total provisioned concurrency [%d].", *reserved, total)
		}
		f.Reserved = reserved
		return functions.Put(tx, f, r.key()...)
	})
}

// reservedBy sums the reservations of a region.
func reservedBy(tx store.ReadTx, account, region string) (sum int64, err error) {
	for f, err := range functions.All(tx, account, region) {
		if err != nil {
			return 0, err
		}
		sum += wire.Val(f.Reserved)
	}
	return sum, nil
}

// PutFunctionConcurrency reserves concurrent executions for a function; 0
// stops it.
func (s *Service) PutFunctionConcurrency(ctx context.Context, in *lambdaapi.PutFunctionConcurrencyRequest) (*lambdaapi.Concurrency, error) {
	if err := s.editReserved(ctx, in.FunctionName, in.ReservedConcurrentExecutions); err != nil {
		return nil, err
	}
	return &lambdaapi.Concurrency{ReservedConcurrentExecutions: in.ReservedConcurrentExecutions}, nil
}

// DeleteFunctionConcurrency takes a function's reservation back.
func (s *Service) DeleteFunctionConcurrency(ctx context.Context, in *lambdaapi.DeleteFunctionConcurrencyRequest) error {
	return s.editReserved(ctx, in.FunctionName, nil)
}

// GetFunctionConcurrency returns a function's reservation, if it has one.
func (s *Service) GetFunctionConcurrency(ctx context.Context, in *lambdaapi.GetFunctionConcurrencyRequest) (*lambdaapi.GetFunctionConcurrencyResponse, error) {
	if _, err := unqualified(ctx, in.FunctionName, qualifiedConcurrency); err != nil {
		return nil, err
	}
	_, f, _, err := s.view(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return &lambdaapi.GetFunctionConcurrencyResponse{ReservedConcurrentExecutions: f.Reserved}, nil
}

// GetAccountSettings returns the account's limits and what it uses of them.
func (s *Service) GetAccountSettings(ctx context.Context, _ *lambdaapi.GetAccountSettingsRequest) (*lambdaapi.GetAccountSettingsResponse, error) {
	c := wire.CallerFrom(ctx)
	var count, size, reserved int64
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		count, size = 0, 0
		for f, err := range functions.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			count++
			size += *f.Latest.Config.CodeSize
		}
		for v, err := range versions.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			size += *v.Config.CodeSize
		}
		for v, err := range layerVersions.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			size += *v.Code.CodeSize
		}
		var err error
		reserved, err = reservedBy(r, c.Account, c.Region)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &lambdaapi.GetAccountSettingsResponse{
		AccountLimit: &lambdaapi.AccountLimit{
			TotalCodeSize: wire.Ptr(int64(maxTotalCode)), CodeSizeUnzipped: wire.Ptr(int64(bundle.MaxUnzipped)), CodeSizeZipped: wire.Ptr(int64(maxZipped)),
			ConcurrentExecutions: wire.Ptr(int64(function.DefaultConcurrency)), UnreservedConcurrentExecutions: wire.Ptr(function.DefaultConcurrency - reserved),
		},
		AccountUsage: &lambdaapi.AccountUsage{TotalCodeSize: &size, FunctionCount: &count},
	}, nil
}
