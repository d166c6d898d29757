package lambda

import (
	"cmp"
	"context"
	"net/http"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// A function's state changes take AWS up to a second: it answers Pending or
// InProgress first, and the change to Active gives another RevisionId. Here
// the change is over when the answer leaves; the answer still shows the first
// state, with a RevisionId that has been replaced already, so that clients see
// the sequence they know (Developer Guide: "Lambda function states").
const (
	reason     = "The function is being created." // AWS says so of updates too
	reasonCode = lambdaapi.StateReasonCodeCreating
)

// settled gives a stored configuration the state in which it will be found.
func settled(c *lambdaapi.FunctionConfiguration) {
	c.State, c.LastUpdateStatus = wire.Ptr(lambdaapi.StateActive), wire.Ptr(lambdaapi.LastUpdateStatusSuccessful)
	c.RevisionId = wire.Ptr(ident.UUID())
}

// pending is the answer to the creation of v.
func pending(v *versionRecord, functionARN string) *lambdaapi.FunctionConfiguration {
	c := shown(v, functionARN)
	c.State, c.StateReason, c.StateReasonCode = wire.Ptr(lambdaapi.StatePending), wire.Ptr(reason), wire.Ptr(reasonCode)
	c.LastUpdateStatus, c.RevisionId = nil, wire.Ptr(ident.UUID())
	return c
}

// inProgress is the answer to an update of v.
func inProgress(v *versionRecord, functionARN string) *lambdaapi.FunctionConfiguration {
	c := shown(v, functionARN)
	c.LastUpdateStatus = wire.Ptr(lambdaapi.LastUpdateStatusInProgress)
	c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = wire.Ptr(reason), wire.Ptr(reasonCode)
	c.RevisionId = wire.Ptr(ident.UUID())
	return c
}

// shown is v's configuration under the ARN that the request asked for.
func shown(v *versionRecord, functionARN string) *lambdaapi.FunctionConfiguration {
	c := v.Config
	c.FunctionArn = &functionARN
	return &c
}

// find reads what a reference stands for: $LATEST, a version, or the version
// behind an alias.
func find(tx store.ReadTx, r ref) (*functionRecord, *versionRecord, error) {
	f, err := get(tx, r.id, r.qualified())
	if err != nil {
		return nil, nil, err
	}
	version := r.qualifier
	if isAlias(version) {
		a, err := aliases.Get(tx, r.key(r.qualifier)...)
		if err != nil || a == nil {
			return nil, nil, cmp.Or(err, notFound(r.qualified()))
		}
		version = *a.FunctionVersion
	}
	if version == "" || version == catalog.Latest {
		return f, &f.Latest, nil
	}
	v, err := getVersion(tx, r.id, version)
	return f, v, err
}

// getVersion reads a published version.
func getVersion(tx store.ReadTx, i id, version string) (*versionRecord, error) {
	if key, ok := versionKeyOf(version); ok {
		v, err := versions.Get(tx, i.key(key)...)
		if err != nil || v != nil {
			return v, err
		}
	}
	return nil, notFound(i.arn() + ":" + version)
}

// view reads what a request's name and qualifier stand for.
func (s *Service) view(ctx context.Context, name, qualifier *string) (r ref, f *functionRecord, v *versionRecord, err error) {
	if r, err = resolve(ctx, name, qualifier); err != nil {
		return r, nil, nil, err
	}
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		f, v, err = find(tx, r)
		return err
	})
	return r, f, v, err
}

// GetFunction returns a function's configuration and where its code is.
func (s *Service) GetFunction(ctx context.Context, in *lambdaapi.GetFunctionRequest) (*lambdaapi.GetFunctionResponse, error) {
	r, f, v, err := s.view(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.GetFunctionResponse{
		Configuration: s.revealed(ctx, r.id, shown(v, r.qualified())),
	}
	if v.Image != nil {
		out.Code = &lambdaapi.FunctionCodeLocation{RepositoryType: wire.Ptr("ECR"), ImageUri: &v.Image.URI, ResolvedImageUri: &v.Image.Resolved}
	} else {
		out.Code = &lambdaapi.FunctionCodeLocation{
			RepositoryType: wire.Ptr("S3"), Location: wire.Ptr(wire.CallerFrom(ctx).Endpoint + s.links.Link(*v.Config.CodeSha256)),
		}
	}
	if len(f.Tags) > 0 {
		out.Tags = f.Tags
	}
	if f.Reserved != nil && r.qualifier == "" {
		out.Concurrency = &lambdaapi.Concurrency{ReservedConcurrentExecutions: f.Reserved}
	}
	return out, nil
}

// GetFunctionConfiguration returns a function's configuration.
func (s *Service) GetFunctionConfiguration(ctx context.Context, in *lambdaapi.GetFunctionConfigurationRequest) (*lambdaapi.FunctionConfiguration, error) {
	r, _, v, err := s.view(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return s.revealed(ctx, r.id, shown(v, r.qualified())), nil
}

// ListFunctions lists the caller's functions by name, with all their versions
// if asked for.
func (s *Service) ListFunctions(ctx context.Context, in *lambdaapi.ListFunctionsRequest) (*lambdaapi.ListFunctionsResponse, error) {
	c := wire.CallerFrom(ctx)
	all := in.FunctionVersion != nil
	var found []lambdaapi.FunctionConfiguration
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		found = nil
		for f, err := range functions.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			if !all {
				found = append(found, listed(&f.Latest, *f.Latest.Config.FunctionArn))
				continue
			}
			versions, err := listVersions(r, id{c.Account, c.Region, *f.Latest.Config.FunctionName}, f)
			if err != nil {
				return err
			}
			found = append(found, versions...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListFunctionsResponse{}
	out.Functions, out.NextMarker, err = page(found, in.Marker, in.MaxItems)
	for n := range out.Functions {
		f := &out.Functions[n]
		c := wire.CallerFrom(ctx)
		*f = *s.revealed(ctx, id{account: c.Account, region: c.Region, name: *f.FunctionName}, f)
	}
	return out, err
}

// listed is a version as listings show it: without its state.
func listed(v *versionRecord, functionARN string) lambdaapi.FunctionConfiguration {
	c := *shown(v, functionARN)
	c.State, c.LastUpdateStatus, c.RuntimeVersionConfig = nil, nil, nil
	return c
}

// DeleteFunction deletes a function with all its versions and aliases, or one
// version.
func (s *Service) DeleteFunction(ctx context.Context, in *lambdaapi.DeleteFunctionRequest) (*lambdaapi.DeleteFunctionResponse, error) {
	r, err := resolve(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	var image bool
	err = s.update(ctx, r.id, func(tx store.Tx) error {
		f, err := get(tx, r.id, r.arn())
		if err != nil {
			return err
		}
		image = isImage(&f.Latest.Config)
		if r.qualifier != "" {
			return deleteVersion(tx, r)
		}
		return deleteAll(tx, r.id)
	})
	if err != nil {
		return nil, err
	}
	if image {
		s.sweepImagesLater()
	}
	return &lambdaapi.DeleteFunctionResponse{StatusCode: wire.Ptr(int64(http.StatusNoContent))}, nil
}

func deleteAll(tx store.Tx, i id) error {
	if err := functions.Delete(tx, i.key()...); err != nil {
		return err
	}
	if err := versions.DeleteAll(tx, i.key()...); err != nil {
		return err
	}
	if err := aliases.DeleteAll(tx, i.key()...); err != nil {
		return err
	}
	if err := provisioned.DeleteAll(tx, i.key()...); err != nil {
		return err
	}
	if err := eventConfigs.DeleteAll(tx, i.key()...); err != nil {
		return err
	}
	if err := urls.DeleteAll(tx, i.key()...); err != nil {
		return err
	}
	return policies.DeleteAll(tx, i.key()...)
}

// checkRevision compares a request's RevisionId with the present one.
func checkRevision(given, present *string, call string) error {
	if given != nil && *given != wire.Val(present) {
		return staleRevision(call)
	}
	return nil
}
