package lambda

import (
	"cmp"
	"context"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// weights are the shares of an alias's other versions: none or one.
func weights(a *lambdaapi.AliasConfiguration) map[string]float64 {
	if a.RoutingConfig == nil {
		return nil
	}
	return a.RoutingConfig.AdditionalVersionWeights
}

// routing is a RoutingConfig as aliases carry it: nil rather than empty, since
// clients take an empty one for a setting.
func routing(in *lambdaapi.AliasRoutingConfiguration) *lambdaapi.AliasRoutingConfiguration {
	if in == nil || len(in.AdditionalVersionWeights) == 0 {
		return nil
	}
	return in
}

// checkAlias checks that an alias's versions exist and go together.
func checkAlias(tx store.ReadTx, i id, a *lambdaapi.AliasConfiguration) error {
	if err := checkRouting(a); err != nil {
		return err
	}
	if *a.FunctionVersion != catalog.Latest {
		if _, err := getVersion(tx, i, *a.FunctionVersion); err != nil {
			return err
		}
	}
	for version := range weights(a) {
		if _, err := getVersion(tx, i, version); err != nil {
			return err
		}
	}
	return nil
}

func checkRouting(a *lambdaapi.AliasConfiguration) error {
	others := weights(a)
	if len(others) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for version := range others {
		switch *a.FunctionVersion {
		case catalog.Latest:
			return invalidPlain("$LATEST is not supported for an alias pointing to more than 1 version")
		case version:
			return invalid("Invalid function version %s. Function version %s is already included in routing configuration.", version, version)
		}
	}
	return nil
}

// CreateAlias makes an alias.
func (s *Service) CreateAlias(ctx context.Context, in *lambdaapi.CreateAliasRequest) (*lambdaapi.AliasConfiguration, error) {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	var a *lambdaapi.AliasConfiguration
	err = s.update(ctx, r.id, func(tx store.Tx) error {
		a = &lambdaapi.AliasConfiguration{
			AliasArn: wire.Ptr(r.arn() + ":" + *in.Name), Name: in.Name, FunctionVersion: in.FunctionVersion,
			Description: wire.Ptr(wire.Val(in.Description)), RoutingConfig: routing(in.RoutingConfig), RevisionId: wire.Ptr(ident.UUID()),
		}
		if _, err := get(tx, r.id, r.arn()+":"+*in.FunctionVersion); err != nil {
			return err
		}
		if err := checkAlias(tx, r.id, a); err != nil {
			return err
		}
		have, err := aliases.Get(tx, r.key(*in.Name)...)
		if err != nil || have != nil {
			return cmp.Or(err, conflict("Alias already exists: %s", *a.AliasArn))
		}
		return aliases.Put(tx, a, r.key(*in.Name)...)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// GetAlias returns an alias.
func (s *Service) GetAlias(ctx context.Context, in *lambdaapi.GetAliasRequest) (a *lambdaapi.AliasConfiguration, err error) {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		a, err = aliases.Get(tx, r.key(*in.Name)...)
		return err
	})
	if err == nil && a == nil {
		err = missing("Cannot find alias arn: %s:%s", r.arn(), *in.Name)
	}
	return a, err
}

// UpdateAlias moves an alias, or changes its description or weights.
func (s *Service) UpdateAlias(ctx context.Context, in *lambdaapi.UpdateAliasRequest) (*lambdaapi.AliasConfiguration, error) {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	var a *lambdaapi.AliasConfiguration
	err = s.update(ctx, r.id, func(tx store.Tx) error {
		if a, err = aliases.Get(tx, r.key(*in.Name)...); err != nil {
			return err
		}
		if a == nil {
			return missing("Alias not found: %s:%s", r.arn(), *in.Name)
		}
		if err := checkRevision(in.RevisionId, a.RevisionId, functionCalls); err != nil {
			return err
		}
		setIf(&a.FunctionVersion, in.FunctionVersion)
		setIf(&a.Description, in.Description)
		if in.RoutingConfig != nil {
			a.RoutingConfig = routing(in.RoutingConfig)
		}
		a.RevisionId = wire.Ptr(ident.UUID())
		if err := checkAlias(tx, r.id, a); err != nil {
			return err
		}
		return aliases.Put(tx, a, r.key(*in.Name)...)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// DeleteAlias deletes an alias, which need not exist, and what hangs on it.
func (s *Service) DeleteAlias(ctx context.Context, in *lambdaapi.DeleteAliasRequest) error {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return err
	}
	return s.update(ctx, r.id, func(tx store.Tx) error {
		if _, err := get(tx, r.id, r.arn()); err != nil {
			return err
		}
		if err := aliases.Delete(tx, r.key(*in.Name)...); err != nil {
			return err
		}
		for _, forget := range []func(store.Tx, ...string) error{urls.Delete, eventConfigs.Delete, policies.Delete, provisioned.Delete} {
			if err := forget(tx, r.key(*in.Name)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// ListAliases lists a function's aliases by name, or those of one version.
func (s *Service) ListAliases(ctx context.Context, in *lambdaapi.ListAliasesRequest) (*lambdaapi.ListAliasesResponse, error) {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	var found []lambdaapi.AliasConfiguration
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		found = nil
		if _, err := get(tx, r.id, r.arn()); err != nil {
			return err
		}
		for a, err := range aliases.All(tx, r.key()...) {
			if err != nil {
				return err
			}
			if in.FunctionVersion == nil || *in.FunctionVersion == *a.FunctionVersion {
				found = append(found, *a)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListAliasesResponse{}
	out.Aliases, out.NextMarker, err = page(found, in.Marker, in.MaxItems)
	return out, err
}
