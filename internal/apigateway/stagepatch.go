package apigateway

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// stageEdit is a stage under PATCH and what its changes are checked against.
type stageEdit struct {
	*apigatewayapi.Stage
	tx      store.ReadTx
	scope   scope
	api     string
	logRole string // of the account
}

// UpdateStage changes a stage; clients see it at once.
func (s *Service) UpdateStage(ctx context.Context, in *apigatewayapi.UpdateStageRequest) (*apigatewayapi.Stage, error) {
	sc, api, name := scopeOf(ctx), *in.RestApiId, *in.StageName
	var clusterBefore *string
	out, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.Stage, error) {
		st, err := getStage(tx, sc, api, name)
		if err != nil {
			return nil, err
		}
		role, err := logRole(tx, sc)
		if err != nil {
			return nil, err
		}
		clusterBefore = st.Stage.CacheClusterStatus
		edit := &stageEdit{Stage: &st.Stage, tx: tx, scope: sc, api: api, logRole: role}
		for _, op := range in.PatchOperations {
			if err := edit.apply(op); err != nil {
				return nil, err
			}
		}
		st.Stage.LastUpdatedDate = s.now()
		return &st.Stage, stages.Put(tx, st, sc.id(api, name)...)
	})
	if err != nil {
		return nil, err
	}
	return inProgress(out, clusterBefore), s.publishStages(ctx, sc, api, name)
}

// apply runs one operation. A path that no member has is taken for the path
// of a method setting, and refused as such (recorded).
func (e *stageEdit) apply(raw apigatewayapi.PatchOperation) error {
	if raw.Path == nil {
		return badRequest("Invalid patch path null")
	}
	op := patchOp{op: wire.Val(raw.Op), path: *raw.Path, value: raw.Value}
	if op.op == "copy" {
		return e.copy(op.path, wire.Val(raw.From))
	}
	if op.op == "remove" {
		return e.remove(op)
	}
	if key, setting := splitMethodSetting(op.path); setting != nil {
		return e.set(key, setting, op)
	}
	row, key := stagePatch.find(op.path)
	switch {
	case row != nil && slices.Contains(row.ops, op.op):
		op.key = key
		return row.apply(e, op)
	case row != nil:
		return badRequest("Invalid %s operation with path: %s", op.op, op.path)
	case strings.HasPrefix(op.path, "/accessLogSettings/"):
		return badRequest("Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]")
	}
	return badRequest("Invalid method setting path: %s. Must be one of: %s", op.path, stagePaths)
}

func (e *stageEdit) remove(op patchOp) error {
	switch name, isVariable := strings.CutPrefix(op.path, "/variables/"); {
	case op.path == "/accessLogSettings":
		e.AccessLogSettings = nil
	case e.AccessLogSettings != nil && op.path == "/accessLogSettings/destinationArn":
		e.AccessLogSettings.DestinationArn = nil
	case e.AccessLogSettings != nil && op.path == "/accessLogSettings/format":
		e.AccessLogSettings.Format = nil
	case op.path == "/variables":
		e.Variables = nil
	case op.path == "/canarySettings":
		e.CanarySettings = nil
	case e.removeOverride(op.path):
	case isVariable:
		delete(e.Variables, unescapePointer(name))
		e.Variables = nonEmptyMap(e.Variables)
	default:
		return e.removeMethodSetting(strings.TrimPrefix(op.path, "/"))
	}
	return nil
}

var stagePatch = patchTable[stageEdit]{rows: slices.Concat([]patchRow[stageEdit]{
	{"/deploymentId", replaceOnly, func(e *stageEdit, op patchOp) error {
		e.DeploymentId = op.value
		return checkDeployment(e.tx, e.scope, e.api, op.text())
	}},
	textRow("/description", func(e *stageEdit) **string { return &e.Description }),
	{"/tracingEnabled", replaceOnly, func(e *stageEdit, op patchOp) error {
		e.TracingEnabled = wire.Ptr(op.isTrue())
		return nil
	}},
	{"/variables/{}", replaceOnly, func(e *stageEdit, op patchOp) error {
		if e.Variables == nil {
			e.Variables = map[string]string{}
		}
		e.Variables[op.key] = op.text()
		return checkVariable(op.key, op.text())
	}},
	{"/accessLogSettings/destinationArn", addReplace, patchLogDestination},
	{"/accessLogSettings/format", addReplace, func(e *stageEdit, op patchOp) error {
		if op.text() == "" {
			return badRequest("Access Log value must not be empty")
		}
		if e.AccessLogSettings == nil {
			e.AccessLogSettings = &apigatewayapi.AccessLogSettings{}
		}
		e.AccessLogSettings.Format = op.value
		return nil
	}},
	{"/documentationVersion", replaceOnly, func(e *stageEdit, op patchOp) error {
		e.DocumentationVersion = nonEmpty(op.value)
		return checkDocumentationVersion(e.tx, e.scope, e.api, op.value)
	}},
	{"/clientCertificateId", replaceOnly, func(e *stageEdit, op patchOp) error {
		if e.ClientCertificateId = nonEmpty(op.value); e.ClientCertificateId == nil {
			return nil
		}
		c, err := clientCertificates.Get(e.tx, e.scope.id(op.text())...)
		if err != nil || c == nil {
			return cmp.Or(err, badRequest("Invalid Client Certificate identifier specified"))
		}
		return nil
	}},
}, canaryPatch, cachePatch)}

// patchLogDestination points the access log at a log group; its ARN is kept
// without the ":*" of all its streams.
func patchLogDestination(e *stageEdit, op patchOp) error {
	if op.text() == "" {
		return badRequest("Access Log value must not be empty")
	}
	dest, err := arn.Parse(op.text())
	switch {
	case err != nil:
		return invalidARN()
	case dest.Service == "firehose":
		return wire.NotBuilt("access logs to Firehose (patch of %s)", op.path)
	case dest.Service != "logs" || !strings.HasPrefix(dest.Resource, "log-group:"):
		return invalidARN()
	case e.logRole == "":
		return noLogRole()
	}
	if e.AccessLogSettings == nil {
		e.AccessLogSettings = &apigatewayapi.AccessLogSettings{}
	}
	e.AccessLogSettings.DestinationArn = wire.Ptr(strings.TrimSuffix(op.text(), ":*"))
	return nil
}

func noLogRole() error {
	return badRequest("CloudWatch Logs role ARN must be set in account settings to enable logging")
}

// stagePaths is the list that API Gateway prints for a path that it doesn't
// know, with its missing commas (recorded).
const stagePaths = "[/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, " +
	"/accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, " +
	"/{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, " +
	"/{resourcePath}/{httpMethod}/logging/loglevel, " +
	"/{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit/{resourcePath}/{httpMethod}/caching/ttlInSeconds, " +
	"/{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, " +
	"/{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, " +
	"/{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, " +
	"/*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, " +
	"/*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, " +
	"/*/*/caching/enabled, /*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, " +
	"/*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, /tracingEnabled]"
