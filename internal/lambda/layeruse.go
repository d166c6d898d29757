package lambda

import (
	"context"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/lambda/bundle"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxLayers is the limit per function ("Lambda quotas").
const maxLayers = 5

// attached are the layers that a function is to have: as its configuration
// shows them, and the hashes of their code, which outlives their deletion.
type attached struct {
	shown []lambdaapi.Layer
	code  []string
}

// attach looks up the layers that a request names.
func (s *Service) attach(ctx context.Context, arns []string) (*attached, error) {
	if arns == nil {
		return nil, nil
	}
	if len(arns) > maxLayers {
		return nil, invalid("Cannot reference more than %d layers.", maxLayers)
	}
	out := &attached{}
	c := wire.CallerFrom(ctx)
	seen := map[id]string{}
	for _, text := range arns {
		l, err := parseLayer(ctx, text)
		if err != nil {
			return nil, err
		}
		if l.region != c.Region {
			return nil, invalid("Layers are not in the same region as the function. Layers are expected to be in region %s.", c.Region)
		}
		if other, twice := seen[l.id]; twice {
			return nil, invalid("Two different versions of the same layer are not allowed to be referenced in the same function. %s and %s are versions of the same layer.", other, text)
		}
		seen[l.id] = text
		v, err := s.findLayer(ctx, l)
		if err != nil {
			return nil, err
		}
		if v == nil {
			return nil, invalid("Layer version %s does not exist.", l.versionARN())
		}
		out.shown = append(out.shown, lambdaapi.Layer{Arn: v.Facts.LayerVersionArn, CodeSize: v.Code.CodeSize})
		out.code = append(out.code, *v.Code.CodeSha256)
	}
	return out, nil
}

// putInto gives a version its layers, if the request had any to say.
func (a *attached) putInto(v *versionRecord) {
	if a != nil {
		v.Config.Layers, v.LayerCode = a.shown, a.code
	}
}

// checkSize checks that code and layers together aren't too large.
func (s *Service) checkSize(v *versionRecord) error {
	if len(v.LayerCode) == 0 {
		return nil // the archive alone was checked when it was unpacked
	}
	var total int64
	for _, sha := range append([]string{*v.Config.CodeSha256}, v.LayerCode...) {
		n, err := s.code.Unpacked(sha)
		if err != nil {
			return err
		}
		total += n
	}
	if total > bundle.MaxUnzipped {
		return invalid("Function code combined with layers exceeds the maximum allowed size of %d bytes. The actual size is %d bytes.", bundle.MaxUnzipped, total)
	}
	return nil
}

// layerTargets names the layer or the version that a call is about; nil if it
// is about none.
func (s *Service) layerTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	target := wire.IAMTarget{Action: "lambda:" + op.Name}
	var version *int64
	switch in := in.(type) {
	case *lambdaapi.GetLayerVersionByArnRequest:
		return s.useOfLayers(ctx, []string{*in.Arn})
	case *lambdaapi.PublishLayerVersionRequest, *lambdaapi.ListLayerVersionsRequest:
	case *lambdaapi.GetLayerVersionRequest:
		version = in.VersionNumber
	case *lambdaapi.DeleteLayerVersionRequest:
		version = in.VersionNumber
	case *lambdaapi.AddLayerVersionPermissionRequest:
		version = in.VersionNumber
	case *lambdaapi.RemoveLayerVersionPermissionRequest:
		version = in.VersionNumber
	case *lambdaapi.GetLayerVersionPolicyRequest:
		version = in.VersionNumber
	default:
		return nil
	}
	l, err := parseLayer(ctx, *text(in, "LayerName"))
	if err != nil {
		target.Resource = "*" // the call itself will say what is wrong
		return []wire.IAMTarget{target}
	}
	if target.Resource = l.arn(); version != nil {
		l.version = *version
		target.Resource, target.Policy = l.versionARN(), s.layerPolicy(ctx, l)
	}
	return []wire.IAMTarget{target}
}

// useOfLayers are the permissions to use layers: their policies have a say.
func (s *Service) useOfLayers(ctx context.Context, arns []string) (targets []wire.IAMTarget) {
	for _, text := range arns {
		if l, err := parseLayer(ctx, text); err == nil {
			targets = append(targets, wire.IAMTarget{Action: "lambda:GetLayerVersion", Resource: l.versionARN(), Policy: s.layerPolicy(ctx, l)})
		}
	}
	return targets
}

// layerPolicy is the policy of a version, or "". The account's own root user
// needs none.
func (s *Service) layerPolicy(ctx context.Context, l layerRef) (text string) {
	if c := wire.CallerFrom(ctx); c.ARN == "arn:"+c.Partition+":iam::"+l.account+":root" {
		return ""
	}
	_ = s.Store.View(ctx, func(r store.ReadTx) error { // a failure shows again in the call itself
		if v, err := layerVersions.Get(r, l.versionKey()...); err == nil && v != nil && len(v.Policy.Statements) > 0 {
			text = v.Policy.document()
		}
		return nil
	})
	return text
}
