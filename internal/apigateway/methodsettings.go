package apigateway

import (
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// allMethods is the key of the settings that hold for methods without own ones.
const allMethods = "*/*"

// maxCacheTTL is in seconds (developer guide, "Cache settings for REST APIs in
// API Gateway").
const maxCacheTTL = 3600

// methodSetting is one setting that PATCH may change, by the end of its path.
type methodSetting struct {
	suffix string
	set    func(*apigatewayapi.MethodSetting, patchOp) error
}

// methodSettings are the settings of a method on a stage (API Reference,
// "UpdateStage", patch operations).
var methodSettings = []methodSetting{
	{"/metrics/enabled", func(m *apigatewayapi.MethodSetting, op patchOp) error {
		m.MetricsEnabled = wire.Ptr(op.isTrue())
		return nil
	}},
	{"/logging/dataTrace", func(m *apigatewayapi.MethodSetting, op patchOp) error {
		m.DataTraceEnabled = wire.Ptr(op.isTrue())
		return nil
	}},
	{"/logging/loglevel", func(m *apigatewayapi.MethodSetting, op patchOp) error {
		m.LoggingLevel = op.value
		return oneOf("logging level", op.text(), "OFF", "ERROR", "INFO")
	}},
	{"/throttling/burstLimit", func(m *apigatewayapi.MethodSetting, op patchOp) (err error) {
		m.ThrottlingBurstLimit, err = wholeNumber(op)
		return err
	}},
	{"/throttling/rateLimit", func(m *apigatewayapi.MethodSetting, op patchOp) error {
		f, err := strconv.ParseFloat(op.text(), 64)
		m.ThrottlingRateLimit = &f
		if err != nil {
			return badNumber(op)
		}
		return nil
	}},
	{"/caching/enabled", func(m *apigatewayapi.MethodSetting, op patchOp) error {
		m.CachingEnabled = wire.Ptr(op.isTrue())
		return nil
	}},
	{"/caching/ttlInSeconds", func(m *apigatewayapi.MethodSetting, op patchOp) (err error) {
		if m.CacheTtlInSeconds, err = wholeNumber(op); err == nil && (*m.CacheTtlInSeconds < 0 || *m.CacheTtlInSeconds > maxCacheTTL) {
			err = badRequest("Invalid value %s specified for path %s: must be between 0 and %d", op.text(), op.path, maxCacheTTL)
		}
		return err
	}},
	{"/caching/dataEncrypted", func(m *apigatewayapi.MethodSetting, op patchOp) error {
		m.CacheDataEncrypted = wire.Ptr(op.isTrue())
		return nil
	}},
	{"/caching/requireAuthorizationForCacheControl", func(m *apigatewayapi.MethodSetting, op patchOp) error {
		m.RequireAuthorizationForCacheControl = wire.Ptr(op.isTrue())
		return nil
	}},
	{"/caching/unauthorizedCacheControlHeaderStrategy", func(m *apigatewayapi.MethodSetting, op patchOp) error {
		m.UnauthorizedCacheControlHeaderStrategy = op.value
		return oneOf("unauthorized cache control header strategy", op.text(),
			apigatewayapi.UnauthorizedCacheControlHeaderStrategyFAILWITH403,
			apigatewayapi.UnauthorizedCacheControlHeaderStrategySUCCEEDWITHRESPONSEHEADER,
			apigatewayapi.UnauthorizedCacheControlHeaderStrategySUCCEEDWITHOUTRESPONSEHEADER)
	}},
}

func wholeNumber(op patchOp) (*int64, error) {
	n, err := strconv.ParseInt(op.text(), 10, 64)
	if err != nil {
		return nil, badNumber(op)
	}
	return &n, nil
}

func badNumber(op patchOp) error {
	return badRequest("Invalid value %s specified for path %s: must be a number", op.text(), op.path)
}

// splitMethodSetting takes /{resource}/{verb}/{setting} apart. The key of the
// settings is resource/verb as the path writes it: the resource's slashes
// may be escaped or not (seen on both kinds of keys on AWS).
func splitMethodSetting(path string) (key string, setting *methodSetting) {
	for i := range methodSettings {
		rest, ok := strings.CutSuffix(path, methodSettings[i].suffix)
		if !ok {
			continue
		}
		key, ok = strings.CutPrefix(rest, "/")
		resource, verb, both := cutLast(key)
		if !ok || !both || resource == "" && verb == "*" || verb != "*" && !slices.Contains(verbs, verb) {
			return "", nil
		}
		return key, &methodSettings[i]
	}
	return "", nil
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// set changes one setting. New settings begin as a copy of the stage's, or
// with AWS's defaults; later changes of the stage's don't reach them
// (recorded).
func (e *stageEdit) set(key string, setting *methodSetting, op patchOp) error {
	if op.op != "replace" {
		return badRequest("Invalid %s operation with path: %s", op.op, op.path)
	}
	m, ok := e.MethodSettings[key]
	if !ok {
		if m, ok = e.MethodSettings[allMethods]; !ok {
			m = defaultMethodSetting()
		}
	}
	if err := setting.set(&m, op); err != nil {
		return err
	}
	if level := wire.Val(m.LoggingLevel); level != "" && level != "OFF" && e.logRole == "" {
		return noLogRole()
	}
	e.MethodSettings[key] = m
	return nil
}

func defaultMethodSetting() apigatewayapi.MethodSetting {
	return apigatewayapi.MethodSetting{
		MetricsEnabled: wire.Ptr(false), DataTraceEnabled: wire.Ptr(false),
		ThrottlingBurstLimit: wire.Ptr[int64](5000), ThrottlingRateLimit: wire.Ptr(10000.0),
		CachingEnabled: wire.Ptr(false), CacheTtlInSeconds: wire.Ptr[int64](300), CacheDataEncrypted: wire.Ptr(false),
		RequireAuthorizationForCacheControl:    wire.Ptr(true),
		UnauthorizedCacheControlHeaderStrategy: wire.Ptr(apigatewayapi.UnauthorizedCacheControlHeaderStrategySUCCEEDWITHRESPONSEHEADER),
	}
}

func (e *stageEdit) removeMethodSetting(key string) error {
	if _, ok := e.MethodSettings[key]; !ok {
		return badRequest("Cannot remove method setting %s because there is no method setting for this method ", key)
	}
	delete(e.MethodSettings, key)
	return nil
}
