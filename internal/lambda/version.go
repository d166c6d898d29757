package lambda

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// PublishVersion freezes $LATEST as the next version. If nothing changed
// since the last one, that is the answer.
func (s *Service) PublishVersion(ctx context.Context, in *lambdaapi.PublishVersionRequest) (*lambdaapi.FunctionConfiguration, error) {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	var answer *versionRecord
	err = s.edit(ctx, r.id, func(tx store.Tx, f *functionRecord) error {
		latest := &f.Latest.Config
		if err := checkRevision(in.RevisionId, latest.RevisionId, functionCalls); err != nil {
			return err
		}
		if sha := wire.Val(in.CodeSha256); sha != "" && sha != *latest.CodeSha256 {
			return invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", sha, *latest.CodeSha256)
		}
		answer, err = publishVersion(tx, r.id, f, in.Description)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.revealed(ctx, r.id, shown(answer, r.arn()+":"+*answer.Config.Version)), nil
}

// publishVersion stores a copy of $LATEST under the next number and gives
// $LATEST a new RevisionId; the caller stores f. It returns the last version
// instead if $LATEST is what it was then.
func publishVersion(tx store.Tx, i id, f *functionRecord, description *string) (*versionRecord, error) {
	source, err := fingerprint(&f.Latest.Config)
	if err != nil {
		return nil, err
	}
	last, err := versions.Get(tx, i.key(versionKey(f.Published))...)
	if err != nil {
		return nil, err
	}
	if last != nil && last.Source == source {
		return last, nil
	}
	f.Published++
	v := &versionRecord{Config: f.Latest.Config, SpecID: ident.UUID(), Source: source, LayerCode: f.Latest.LayerCode, Image: f.Latest.Image}
	v.Config.Version = wire.Ptr(strconv.FormatInt(f.Published, 10))
	setIf(&v.Config.Description, description)
	settled(&v.Config)
	if snapStarted(&v.Config) {
		optimizing(&v.Config)
	}
	f.Latest.Config.RevisionId = wire.Ptr(ident.UUID())
	return v, versions.Put(tx, v, i.key(versionKey(f.Published))...)
}

// fingerprint tells whether $LATEST is still what was published: it covers
// code and settings, but not when they were set.
func fingerprint(c *lambdaapi.FunctionConfiguration) (string, error) {
	bare := *c
	bare.RevisionId, bare.LastModified, bare.State, bare.LastUpdateStatus = nil, nil, nil, nil
	text, err := json.Marshal(&bare, json.Deterministic(true))
	return hexDigest(string(text)), err
}

// ListVersionsByFunction lists $LATEST and then the versions by number.
func (s *Service) ListVersionsByFunction(ctx context.Context, in *lambdaapi.ListVersionsByFunctionRequest) (*lambdaapi.ListVersionsByFunctionResponse, error) {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	var found []lambdaapi.FunctionConfiguration
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		f, err := get(tx, r.id, r.arn())
		if err != nil {
			return err
		}
		found, err = listVersions(tx, r.id, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListVersionsByFunctionResponse{}
	out.Versions, out.NextMarker, err = page(found, in.Marker, in.MaxItems)
	for n := range out.Versions {
		out.Versions[n] = *s.revealed(ctx, r.id, &out.Versions[n])
	}
	return out, err
}

func listVersions(r store.ReadTx, i id, f *functionRecord) ([]lambdaapi.FunctionConfiguration, error) {
	found := []lambdaapi.FunctionConfiguration{listed(&f.Latest, i.arn()+":"+catalog.Latest)}
	for v, err := range versions.All(r, i.key()...) {
		if err != nil {
			return nil, err
		}
		found = append(found, listed(v, i.arn()+":"+*v.Config.Version))
	}
	return found, nil
}

// deleteVersion deletes one version, which need not exist.
func deleteVersion(tx store.Tx, r ref) error {
	switch {
	case r.qualifier == catalog.Latest:
		return invalid("$LATEST version cannot be deleted without deleting the function.")
	case isAlias(r.qualifier):
		return invalid("Deletion of aliases is not currently supported.")
	}
	var users []string
	for a, err := range aliases.All(tx, r.key()...) {
		if err != nil {
			return err
		}
		if _, weighted := weights(a)[r.qualifier]; weighted || *a.FunctionVersion == r.qualifier {
			users = append(users, *a.Name)
		}
	}
	if len(users) > 0 {
		slices.Sort(users)
		return conflict("Unable to delete version because the following aliases reference it: [%s]", strings.Join(users, ", "))
	}
	key, ok := versionKeyOf(r.qualifier)
	if !ok {
		return nil
	}
	if err := versions.Delete(tx, r.key(key)...); err != nil {
		return err
	}
	if err := eventConfigs.Delete(tx, r.key(r.qualifier)...); err != nil {
		return err
	}
	if err := provisioned.Delete(tx, r.key(r.qualifier)...); err != nil {
		return err
	}
	return policies.Delete(tx, r.key(r.qualifier)...)
}
