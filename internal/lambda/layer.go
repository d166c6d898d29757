package lambda

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// layerRecord counts a layer's versions; a deleted one's number isn't given
// again.
type layerRecord struct{ Published int64 }

// layerVersionRecord is one version of a layer.
type layerVersionRecord struct {
	Facts  lambdaapi.LayerVersionsListItem
	Code   lambdaapi.LayerVersionContentOutput
	Policy policyRecord `json:",omitzero"`
}

// The ids are account, region and layer name, and then the version in twelve
// digits.
var (
	layers        = record.New[layerRecord]("lambda", "layer")
	layerVersions = record.New[layerVersionRecord]("lambda", "layerversion")
)

// layerRef is a layer, or a version of one, as a request names it.
type layerRef struct {
	id
	version int64 // 0 if the request has none
}

func (l layerRef) arn() string {
	return "arn:aws:lambda:" + l.region + ":" + l.account + ":layer:" + l.name
}

func (l layerRef) versionARN() string { return l.arn() + ":" + strconv.FormatInt(l.version, 10) }

func (l layerRef) versionKey() []string { return l.key(versionKey(l.version)) }

// layerForm takes apart a layer's name or ARN; the model has checked the
// characters.
var layerForm = regexp.MustCompile(`^(?:arn:[a-zA-Z0-9-]+:lambda:([a-z0-9-]+):(\d{12}):layer:)?([a-zA-Z0-9-_]+)(?::(\d+))?$`)

// parseLayer reads a layer's name, its ARN, or that of a version.
func parseLayer(ctx context.Context, text string) (layerRef, error) {
	c := wire.CallerFrom(ctx)
	m := layerForm.FindStringSubmatch(text)
	if m == nil {
		return layerRef{}, wire.Errorf("ValidationException", "%s", violation("layerName", text, "Member must satisfy regular expression pattern: "+layerForm.String()))
	}
	l := layerRef{id: id{c.Account, c.Region, m[3]}}
	if m[1] != "" {
		l.region, l.account = m[1], m[2]
	}
	if m[4] != "" {
		l.version, _ = strconv.ParseInt(m[4], 10, 64) // one that doesn't fit is found nowhere
	}
	return l, nil
}

// layerVersionOf reads the layer and the version number of a request.
func layerVersionOf(ctx context.Context, name *string, version *int64) (layerRef, error) {
	l, err := parseLayer(ctx, *name)
	if err != nil {
		return l, err
	}
	if l.version = wire.Val(version); l.version < 1 {
		return l, invalid("Layer Version Cannot be less than 1")
	}
	return l, nil
}

// PublishLayerVersion makes the next version of a layer.
func (s *Service) PublishLayerVersion(ctx context.Context, in *lambdaapi.PublishLayerVersionRequest) (*lambdaapi.PublishLayerVersionResponse, error) {
	l, err := parseLayer(ctx, *in.LayerName)
	if err != nil {
		return nil, err
	}
	if err := checkCompatible(in.CompatibleRuntimes, in.CompatibleArchitectures); err != nil {
		return nil, err
	}
	code, err := s.upload(ctx, &source{ZipFile: in.Content.ZipFile, Bucket: in.Content.S3Bucket, Key: in.Content.S3Key, Version: in.Content.S3ObjectVersion})
	if err != nil {
		return nil, err
	}
	v := &layerVersionRecord{
		Facts: lambdaapi.LayerVersionsListItem{
			CreatedDate: s.lastModified(), Description: wire.Ptr(wire.Val(in.Description)), CompatibleRuntimes: in.CompatibleRuntimes,
			CompatibleArchitectures: in.CompatibleArchitectures,
		},
		Code: lambdaapi.LayerVersionContentOutput{CodeSha256: &code.SHA256, CodeSize: &code.Size},
	}
	if wire.Val(in.LicenseInfo) != "" {
		v.Facts.LicenseInfo = in.LicenseInfo
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		rec, err := layers.Get(tx, l.key()...)
		if err != nil {
			return err
		}
		if rec == nil {
			rec = &layerRecord{}
		}
		rec.Published++
		l.version = rec.Published
		v.Facts.Version, v.Facts.LayerVersionArn = &rec.Published, wire.Ptr(l.versionARN())
		if err := layers.Put(tx, rec, l.key()...); err != nil {
			return err
		}
		return layerVersions.Put(tx, v, l.versionKey()...)
	})
	if err != nil {
		return nil, err
	}
	out := lambdaapi.PublishLayerVersionResponse(*s.shownLayer(ctx, l, v))
	return &out, nil
}

// layerRuntimes is what AWS's front end takes as a layer's runtime, in the
// order in which its error lists them (recorded 2025-11).
const layerRuntimes = "ruby3.5, ruby2.6, dotnetcore1.0, python3.7, nodejs8.10, nasa, ruby2.7, python2.7-greengrass, dotnetcore2.0, python3.8, java21, dotnet6, dotnetcore2.1, python3.9, java11, nodejs6.10, provided, dotnetcore3.1, dotnet8, java25, java17, nodejs, nodejs4.3, java8.al2, go1.x, dotnet10, nodejs20.x, go1.9, byol, nodejs10.x, provided.al2023, nodejs22.x, python3.10, java8, nodejs12.x, python3.11, nodejs24.x, nodejs8.x, python3.12, nodejs14.x, nodejs8.9, nodejs26.x, python3.13, python3.14, nodejs16.x, python3.15, provided.al2, nodejs4.3-edge, nodejs18.x, ruby3.2, python3.4, ruby3.3, ruby3.4, ruby2.5, python3.6, python2.7"

func knownLayerRuntime(runtime string) bool {
	return slices.Contains(strings.Split(layerRuntimes, ", "), runtime) || knownRuntime(runtime)
}

// checkCompatible checks what a new version says it suits, in words of its own
// (recorded): it lists the runtimes of functions.
func checkCompatible(forRuntimes, forArchitectures []string) error {
	var found []wire.Violation
	if slices.ContainsFunc(forRuntimes, func(r string) bool { return !knownLayerRuntime(r) }) {
		found = append(found, wire.Violation{Path: "compatibleRuntimes", Value: "[" + strings.Join(forRuntimes, ", ") + "]",
			Rule: "Member must satisfy enum value set: [" + currentRuntimes + "]"})
	}
	known := lambdaapi.Service.Schema.Enum("Architecture")
	if slices.ContainsFunc(forArchitectures, func(a string) bool { return !slices.Contains(known, a) }) {
		found = append(found, wire.Violation{Path: "compatibleArchitectures", Value: "[" + strings.Join(forArchitectures, ", ") + "]",
			Rule: "Member must satisfy constraint: [Member must satisfy enum value set: [" + strings.Join(known, ", ") + "]]"})
	}
	if len(found) > 0 {
		return wire.Errorf("ValidationException", "%s", wire.ViolationText(found))
	}
	return nil
}

// shownLayer is a version of a layer as its own calls show it.
func (s *Service) shownLayer(ctx context.Context, l layerRef, v *layerVersionRecord) *lambdaapi.GetLayerVersionResponse {
	content := v.Code
	content.Location = wire.Ptr(wire.CallerFrom(ctx).Endpoint + s.links.Link(*content.CodeSha256))
	f := &v.Facts
	return &lambdaapi.GetLayerVersionResponse{
		Content: &content, LayerArn: wire.Ptr(l.arn()), LayerVersionArn: f.LayerVersionArn, Description: f.Description, CreatedDate: f.CreatedDate,
		Version: f.Version, CompatibleRuntimes: f.CompatibleRuntimes, LicenseInfo: f.LicenseInfo, CompatibleArchitectures: f.CompatibleArchitectures,
	}
}

// GetLayerVersion returns one version of a layer.
func (s *Service) GetLayerVersion(ctx context.Context, in *lambdaapi.GetLayerVersionRequest) (*lambdaapi.GetLayerVersionResponse, error) {
	l, err := layerVersionOf(ctx, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	return s.getLayer(ctx, l)
}

// GetLayerVersionByArn is GetLayerVersion by the version's ARN.
func (s *Service) GetLayerVersionByArn(ctx context.Context, in *lambdaapi.GetLayerVersionByArnRequest) (*lambdaapi.GetLayerVersionResponse, error) {
	l, err := parseLayer(ctx, *in.Arn)
	if err != nil {
		return nil, err
	}
	return s.getLayer(ctx, l)
}

func (s *Service) getLayer(ctx context.Context, l layerRef) (*lambdaapi.GetLayerVersionResponse, error) {
	v, err := s.findLayer(ctx, l)
	if err == nil && v == nil {
		err = missing("The resource you requested does not exist.")
	}
	if err != nil {
		return nil, err
	}
	return s.shownLayer(ctx, l, v), nil
}

// findLayer reads a version of a layer; nil if there is none. That of another
// account is open only through its policy, which was evaluated with the
// caller's.
func (s *Service) findLayer(ctx context.Context, l layerRef) (v *layerVersionRecord, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		v, err = layerVersions.Get(r, l.versionKey()...)
		return err
	})
	if c := wire.CallerFrom(ctx); err == nil && l.account != c.Account && (v == nil || len(v.Policy.Statements) == 0) {
		return nil, accessDenied("User: %s is not authorized to perform: lambda:GetLayerVersion on resource: %s because no resource-based policy allows the lambda:GetLayerVersion action", c.ARN, l.versionARN())
	}
	return v, err
}

// suits tells whether a version is among those that a listing asks for.
func (v *layerVersionRecord) suits(runtime, architecture *string) bool {
	return (runtime == nil || slices.Contains(v.Facts.CompatibleRuntimes, *runtime)) &&
		(architecture == nil || slices.Contains(v.Facts.CompatibleArchitectures, *architecture))
}

// ListLayerVersions lists a layer's versions, the newest first.
func (s *Service) ListLayerVersions(ctx context.Context, in *lambdaapi.ListLayerVersionsRequest) (*lambdaapi.ListLayerVersionsResponse, error) {
	if err := checkWantedRuntime(in.CompatibleRuntime); err != nil {
		return nil, err
	}
	l, err := parseLayer(ctx, *in.LayerName)
	if err != nil {
		return nil, err
	}
	var found []lambdaapi.LayerVersionsListItem
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		found = nil
		for v, err := range layerVersions.All(r, l.key()...) {
			if err != nil {
				return err
			}
			if v.suits(in.CompatibleRuntime, in.CompatibleArchitecture) {
				found = append(found, v.Facts)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Reverse(found)
	out := &lambdaapi.ListLayerVersionsResponse{}
	out.LayerVersions, out.NextMarker, err = page(found, in.Marker, in.MaxItems)
	return out, err
}

// checkWantedRuntime refuses to list what suits a runtime that AWS doesn't know.
func checkWantedRuntime(runtime *string) error {
	if runtime == nil || knownLayerRuntime(*runtime) {
		return nil
	}
	return wire.Errorf("ValidationException", "%s", violation("compatibleRuntime", *runtime, "Member must satisfy enum value set: ["+layerRuntimes+"]"))
}

// ListLayers lists the caller's layers with their newest versions.
func (s *Service) ListLayers(ctx context.Context, in *lambdaapi.ListLayersRequest) (*lambdaapi.ListLayersResponse, error) {
	if err := checkWantedRuntime(in.CompatibleRuntime); err != nil {
		return nil, err
	}
	c := wire.CallerFrom(ctx)
	var found []lambdaapi.LayersListItem
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		found = nil
		for v, err := range layerVersions.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			if !v.suits(in.CompatibleRuntime, in.CompatibleArchitecture) {
				continue
			}
			l, err := parseLayer(ctx, *v.Facts.LayerVersionArn)
			if err != nil {
				return err
			}
			item := lambdaapi.LayersListItem{LayerName: &l.name, LayerArn: wire.Ptr(l.arn()), LatestMatchingVersion: &v.Facts}
			if last := len(found) - 1; last >= 0 && *found[last].LayerName == l.name {
				found[last] = item // its versions come by number
				continue
			}
			found = append(found, item)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListLayersResponse{}
	out.Layers, out.NextMarker, err = page(found, in.Marker, in.MaxItems)
	return out, err
}

// DeleteLayerVersion deletes a version, which need not exist. Functions that
// have it keep it.
func (s *Service) DeleteLayerVersion(ctx context.Context, in *lambdaapi.DeleteLayerVersionRequest) error {
	l, err := layerVersionOf(ctx, in.LayerName, in.VersionNumber)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx store.Tx) error { return layerVersions.Delete(tx, l.versionKey()...) })
}
