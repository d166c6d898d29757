package lambda

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/functionurl"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/lambda/bundle"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// publish brings the catalog up to the store for one function, and ends the
// sandboxes of what was replaced. It reads under the lock, so that of two
// changes the later one is published last.
func (s *Service) publish(ctx context.Context, i id) error {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	var f *catalog.Function
	var at []*functionurl.URL
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		if f, err = s.compile(r, i); err != nil {
			return err
		}
		at, err = compileURLs(r, i)
		return err
	})
	if err != nil {
		return fmt.Errorf("publish function %s: %w", i.name, err)
	}
	var retired []string
	if f == nil {
		retired = s.Catalog.Remove(i.arn())
	} else {
		retired = s.Catalog.Put(f)
	}
	s.publishURLs(i, at)
	s.retire(retired)
	if f != nil {
		s.prepare(i, f)
		s.Engine.Expect(f.Versions[catalog.Latest])
	}
	return nil
}

// retire has the engine end the sandboxes of what was replaced.
func (s *Service) retire(specIDs []string) {
	for _, id := range specIDs {
		s.Engine.Retire(id)
	}
}

// prepare has the engine keep ready what is provisioned, and makes the
// snapshots that are missing.
func (s *Service) prepare(i id, f *catalog.Function) {
	for version, spec := range f.Versions {
		s.Engine.Provision(spec)
		if f.States[version] == lambdaapi.StatePending {
			s.snapshots.begin(s, i, spec)
		}
	}
}

// publishAll publishes every function and deletes code that none has.
func (s *Service) publishAll(ctx context.Context) error {
	var all []*catalog.Function
	used, images := map[string]bool{}, map[string]bool{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		all = nil
		for f, err := range functions.All(r) {
			if err != nil {
				return err
			}
			i, err := parseID(*f.Latest.Config.FunctionArn)
			if err != nil {
				return err
			}
			compiled, err := s.compile(r, i)
			if err != nil {
				return err
			}
			all = append(all, compiled)
			at, err := compileURLs(r, i)
			if err != nil {
				return err
			}
			s.publishURLs(i, at)
			if err := codeOf(r, i, f, used, images); err != nil {
				return err
			}
		}
		for v, err := range layerVersions.All(r) {
			if err != nil {
				return err
			}
			used[*v.Code.CodeSha256] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for sha := range used {
		if err := s.code.Repair(sha); errors.Is(err, bundle.ErrMissing) {
			s.Log.Error("the code of a function is missing from the code folder", "sha256", sha, "folder", s.CodeDir)
		} else if err != nil {
			return err
		}
	}
	for _, f := range all {
		s.Catalog.Put(f)
		i, err := parseID(f.ARN)
		if err != nil {
			return err
		}
		s.prepare(i, f)
	}
	return errors.Join(s.code.Sweep(used), s.images.Sweep(images))
}

// codeOf adds the hashes of all archives and images that a function's versions
// have.
func codeOf(r store.ReadTx, i id, f *functionRecord, used, images map[string]bool) error {
	f.Latest.codeInto(used, images)
	for v, err := range versions.All(r, i.key()...) {
		if err != nil {
			return err
		}
		v.codeInto(used, images)
	}
	return nil
}

func (v *versionRecord) codeInto(used, images map[string]bool) {
	if v.Image != nil {
		images[*v.Config.CodeSha256] = true
		return
	}
	used[*v.Config.CodeSha256] = true
	for _, sha := range v.LayerCode {
		used[sha] = true
	}
}

// compile reads a function with all that hangs on it into its published form;
// nil if there is no such function.
func (s *Service) compile(r store.ReadTx, i id) (*catalog.Function, error) {
	rec, err := functions.Get(r, i.key()...)
	if err != nil || rec == nil {
		return nil, err
	}
	f := &catalog.Function{
		ARN: i.arn(), Versions: map[string]*function.Spec{}, Aliases: map[string]catalog.Alias{}, Policies: map[string]*policy.Document{},
		Grants: map[string]string{}, States: map[string]string{}, Loops: rec.Loops,
	}
	if err := s.addSpec(f, i, rec, &rec.Latest); err != nil {
		return nil, err
	}
	for v, err := range versions.All(r, i.key()...) {
		if err != nil {
			return nil, err
		}
		if err := s.addSpec(f, i, rec, v); err != nil {
			return nil, err
		}
	}
	for a, err := range aliases.All(r, i.key()...) {
		if err != nil {
			return nil, err
		}
		f.Aliases[*a.Name] = compileAlias(a.FunctionVersion, weights(a))
	}
	if err := addProvisioned(r, i, f); err != nil {
		return nil, err
	}
	for p, err := range policies.All(r, i.key()...) {
		if err != nil {
			return nil, err
		}
		if len(p.Statements) == 0 {
			continue
		}
		doc, err := policy.Parse([]byte(p.document()), policy.Resource)
		if err != nil {
			return nil, fmt.Errorf("policy of %s %q: %w", i.name, p.Qualifier, err)
		}
		f.Policies[p.Qualifier] = doc
		if slices.ContainsFunc(p.Statements, func(s permission) bool { return s.Named }) {
			f.Grants[p.Qualifier] = p.document()
		}
	}
	return f, nil
}

func compileAlias(version *string, weights map[string]float64) catalog.Alias {
	a := catalog.Alias{Version: *version}
	for second, weight := range weights { // at most one
		a.Second, a.Weight = second, weight
	}
	return a
}

func (s *Service) addSpec(f *catalog.Function, i id, rec *functionRecord, v *versionRecord) error {
	c := &v.Config
	spec := &function.Spec{
		ID: v.SpecID, Account: i.account, Region: i.region, Name: i.name, Version: *c.Version, ARN: i.arn(), RoleARN: *c.Role,
		Runtime: wire.Val(c.Runtime), Handler: wire.Val(c.Handler),
		MemoryMB: int(*c.MemorySize), EphemeralMB: int(*c.EphemeralStorage.Size), Timeout: time.Duration(*c.Timeout) * time.Second,
		LogGroup: *c.LoggingConfig.LogGroup, LogFormat: *c.LoggingConfig.LogFormat,
		LogLevel: wire.Val(c.LoggingConfig.ApplicationLogLevel), SystemLevel: wire.Val(c.LoggingConfig.SystemLogLevel), TracingMode: *c.TracingConfig.Mode,
		Architecture: c.Architectures[0], Concurrency: -1,
	}
	var err error
	if v.Image != nil {
		spec.Image, err = s.compileImage(c)
	} else {
		spec.CodeDir, err = s.code.Dir(*c.CodeSha256)
	}
	if err != nil {
		return err
	}
	for _, sha := range v.LayerCode {
		layer, err := s.code.Dir(sha)
		if err != nil {
			return err
		}
		spec.Layers = append(spec.Layers, layer)
	}
	if spec.Unseal = s.opener(i, c); spec.Unseal == nil && c.Environment != nil {
		spec.Environment = c.Environment.Variables
	}
	if rec.Reserved != nil {
		spec.Concurrency = int(*rec.Reserved)
	}
	if state := wire.Val(c.State); state != lambdaapi.StateActive {
		f.States[*c.Version] = state
	}
	spec.SnapStart = *c.Version != catalog.Latest && snapStarted(c)
	f.Versions[*c.Version] = spec
	return nil
}

// versionKey orders versions by number.
func versionKey(number int64) string { return fmt.Sprintf("%012d", number) }

// versionKeyOf is versionKey of a version's name; false if it isn't a number.
func versionKeyOf(version string) (string, bool) {
	n, err := strconv.ParseInt(version, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != version {
		return "", false
	}
	return versionKey(n), true
}
