package lambda

import (
	"context"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// provisionedRecord is the provisioned concurrency of one version or alias.
type provisionedRecord struct {
	Qualifier    string
	Requested    int64
	LastModified string
}

// provisioned is by account, region, function name and qualifier.
var provisioned = record.New[provisionedRecord]("lambda", "provisioned")

// Statuses of provisioned concurrency, and why it can't be had.
const (
	provisionedInProgress = "IN_PROGRESS"
	provisionedReady      = "READY"
	provisionedFailed     = "FAILED"
	initFailure           = "FUNCTION_ERROR_INIT_FAILURE"
)

const needsVersion = "The function resource provided must be an alias or a published version."

// provisionable reads which version or alias of a function a request is about.
func provisionable(ctx context.Context, name, qualifier *string, refusal string) (ref, error) {
	r, err := resolve(ctx, name, qualifier)
	if err == nil && (r.qualifier == "" || r.qualifier == catalog.Latest) {
		err = invalid("%s", refusal)
	}
	return r, err
}

// versionBehind is the version that a qualifier stands for.
func versionBehind(tx store.ReadTx, r ref) (string, error) {
	if !isAlias(r.qualifier) {
		_, err := getVersion(tx, r.id, r.qualifier)
		return r.qualifier, err
	}
	a, err := aliases.Get(tx, r.key(r.qualifier)...)
	if err != nil {
		return "", err
	}
	if a == nil {
		return "", missing("Cannot find alias arn: %s", r.qualified())
	}
	return *a.FunctionVersion, nil
}

const unpublished = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."

// PutProvisionedConcurrencyConfig has sandboxes of a version or alias kept
// ready.
func (s *Service) PutProvisionedConcurrencyConfig(ctx context.Context, in *lambdaapi.PutProvisionedConcurrencyConfigRequest) (*lambdaapi.PutProvisionedConcurrencyConfigResponse, error) {
	r, err := provisionable(ctx, in.FunctionName, in.Qualifier, unpublished)
	if err != nil {
		return nil, err
	}
	p := &provisionedRecord{Qualifier: r.qualifier, Requested: *in.ProvisionedConcurrentExecutions, LastModified: *s.lastModified()}
	err = s.update(ctx, r.id, func(tx store.Tx) error {
		version, err := versionBehind(tx, r)
		if err != nil {
			return err
		}
		f, err := get(tx, r.id, r.qualified())
		if err != nil {
			return err
		}
		if version == catalog.Latest {
			return invalid(unpublished)
		}
		if err := checkNoSnapStart(tx, r, version); err != nil {
			return err
		}
		if err := checkOverlap(tx, r, version); err != nil {
			return err
		}
		if err := checkProvisioned(tx, r, f, p.Requested); err != nil {
			return err
		}
		return provisioned.Put(tx, p, r.key(r.qualifier)...)
	})
	if err != nil {
		return nil, err
	}
	return &lambdaapi.PutProvisionedConcurrencyConfigResponse{
		RequestedProvisionedConcurrentExecutions: &p.Requested, LastModified: &p.LastModified, Status: wire.Ptr(provisionedInProgress),
		AllocatedProvisionedConcurrentExecutions: wire.Ptr(int64(0)), AvailableProvisionedConcurrentExecutions: wire.Ptr(int64(0)),
	}, nil
}

// checkOverlap refuses to provision a version twice, for itself and for an
// alias.
func checkOverlap(tx store.ReadTx, r ref, version string) error {
	if isAlias(r.qualifier) {
		have, err := provisioned.Get(tx, r.key(version)...)
		if err == nil && have != nil {
			err = conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
		}
		return err
	}
	for a, err := range aliases.All(tx, r.key()...) {
		if err != nil {
			return err
		}
		if *a.FunctionVersion != version {
			continue
		}
		have, err := provisioned.Get(tx, r.key(*a.Name)...)
		if err == nil && have != nil {
			err = conflict("Version is pointed by a Provisioned Concurrency alias")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkProvisioned checks that there is concurrency left to provision: of the
// function's reservation, or of the account's.
func checkProvisioned(tx store.ReadTx, r ref, f *functionRecord, requested int64) error {
	others, err := provisionedBy(tx, r.id)
	if err != nil {
		return err
	}
	if have, err := provisioned.Get(tx, r.key(r.qualifier)...); err != nil {
		return err
	} else if have != nil {
		others -= have.Requested
	}
	if f.Reserved != nil {
		if others+requested > *f.Reserved {
			return invalid("Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
		}
		return nil
	}
	reserved, err := reservedBy(tx, r.account, r.region)
	if err != nil {
		return err
	}
	switch left := function.DefaultConcurrency - reserved; {
	case others+requested > left:
		return invalidPlain("Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [%d].", left)
	case left-others-requested < minUnreserved:
		return invalidPlain("Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
	}
	return nil
}

// provisionedBy sums what is provisioned for a function.
func provisionedBy(tx store.ReadTx, i id) (sum int64, err error) {
	for p, err := range provisioned.All(tx, i.key()...) {
		if err != nil {
			return 0, err
		}
		sum += p.Requested
	}
	return sum, nil
}

// GetProvisionedConcurrencyConfig tells how far provisioning has come.
func (s *Service) GetProvisionedConcurrencyConfig(ctx context.Context, in *lambdaapi.GetProvisionedConcurrencyConfigRequest) (*lambdaapi.GetProvisionedConcurrencyConfigResponse, error) {
	r, err := provisionable(ctx, in.FunctionName, in.Qualifier, needsVersion)
	if err != nil {
		return nil, err
	}
	var p *provisionedRecord
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		if _, err := versionBehind(tx, r); err != nil {
			return err
		}
		p, err = provisioned.Get(tx, r.key(r.qualifier)...)
		return err
	})
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, &lambdaapi.ProvisionedConcurrencyConfigNotFoundException{Type: &user, Message: wire.Ptr("No Provisioned Concurrency Config found for this function")}
	}
	item := s.provisionedItem(r, p)
	return &lambdaapi.GetProvisionedConcurrencyConfigResponse{
		RequestedProvisionedConcurrentExecutions: item.RequestedProvisionedConcurrentExecutions,
		AllocatedProvisionedConcurrentExecutions: item.AllocatedProvisionedConcurrentExecutions,
		AvailableProvisionedConcurrentExecutions: item.AvailableProvisionedConcurrentExecutions,
		Status:                                   item.Status, StatusReason: item.StatusReason, LastModified: item.LastModified,
	}, nil
}

// provisionedItem adds to a record what the engine knows.
func (s *Service) provisionedItem(r ref, p *provisionedRecord) lambdaapi.ProvisionedConcurrencyConfigListItem {
	ready, fails := 0, false
	if target := s.Catalog.Resolve(r.qualified()); target != nil {
		ready, fails = s.Engine.Provisioned(target.Primary().ID)
	}
	allocated := min(int64(ready), p.Requested)
	item := lambdaapi.ProvisionedConcurrencyConfigListItem{
		FunctionArn: wire.Ptr(r.qualified()), RequestedProvisionedConcurrentExecutions: &p.Requested, LastModified: &p.LastModified,
		AllocatedProvisionedConcurrentExecutions: &allocated, AvailableProvisionedConcurrentExecutions: &allocated,
		Status: wire.Ptr(provisionedInProgress),
	}
	switch {
	case allocated == p.Requested:
		item.Status = wire.Ptr(provisionedReady)
	case fails:
		item.Status, item.StatusReason = wire.Ptr(provisionedFailed), wire.Ptr(initFailure)
	}
	return item
}

// ListProvisionedConcurrencyConfigs lists what is provisioned for a function.
func (s *Service) ListProvisionedConcurrencyConfigs(ctx context.Context, in *lambdaapi.ListProvisionedConcurrencyConfigsRequest) (*lambdaapi.ListProvisionedConcurrencyConfigsResponse, error) {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	var items []lambdaapi.ProvisionedConcurrencyConfigListItem
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		items = nil
		if _, err := get(tx, r.id, r.arn()); err != nil {
			return err
		}
		for p, err := range provisioned.All(tx, r.key()...) {
			if err != nil {
				return err
			}
			items = append(items, s.provisionedItem(ref{r.id, p.Qualifier}, p))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListProvisionedConcurrencyConfigsResponse{}
	out.ProvisionedConcurrencyConfigs, out.NextMarker, err = page(items, in.Marker, in.MaxItems)
	return out, err
}

// DeleteProvisionedConcurrencyConfig lets a version's sandboxes go. There need
// not be any.
func (s *Service) DeleteProvisionedConcurrencyConfig(ctx context.Context, in *lambdaapi.DeleteProvisionedConcurrencyConfigRequest) error {
	r, err := provisionable(ctx, in.FunctionName, in.Qualifier, needsVersion)
	if err != nil {
		return err
	}
	return s.update(ctx, r.id, func(tx store.Tx) error {
		if _, err := versionBehind(tx, r); err != nil {
			return err
		}
		return provisioned.Delete(tx, r.key(r.qualifier)...)
	})
}

// addProvisioned tells the versions of a compiled function what is provisioned
// for them.
func addProvisioned(r store.ReadTx, i id, f *catalog.Function) error {
	total := 0
	for p, err := range provisioned.All(r, i.key()...) {
		if err != nil {
			return err
		}
		version := p.Qualifier
		if a, ok := f.Aliases[version]; ok {
			version = a.Version
		}
		if spec := f.Versions[version]; spec != nil {
			spec.Provisioned += int(p.Requested)
			total += int(p.Requested)
		}
	}
	for _, spec := range f.Versions {
		spec.FunctionProvisioned = total
	}
	return nil
}
