package gateway

import (
	"cmp"
	"crypto/md5"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/gateway/route"
	"github.com/butai-dev/butai/internal/gateway/vtl"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/wire"
)

// stage is a compiled Stage: everything that a request needs, nothing left to
// parse. It is immutable.
type stage struct {
	account, region   string
	apiID, name       string
	apiName           string // at the time of the deployment
	endpointType      string // EDGE, REGIONAL or PRIVATE
	deploymentID      string
	variables         map[string]string
	variableTexts     *vtl.Texts // the same, as templates read them
	router            *route.Router[*method]
	binary            mediaTypes
	xray              bool // tracingEnabled
	hostClosed        bool // disableExecuteApiEndpoint
	securityPolicy    string
	strict            bool // the endpoint access mode; see sameHost
	keyFromAuthorizer bool // API keys come from the authorizer, not from a header
	compressFrom      int  // size in bytes from which answers are compressed, or noCompression
	problem           *failure
	logGroup          string // of the execution log
	logStream         string
	meter             lazyMeter
	access            *accessLog // nil if the stage has none
	// arnStage is the stage in ARNs of calls. ownerPrefix begins them and
	// maskedPrefix is what answers print of it.
	arnStage                  string
	ownerPrefix, maskedPrefix string
	authorizers               map[string]*authorizer
	policy                    *policy.Document // the API's resource policy, or nil
	verdicts                  *verdictCache    // those of its deployment, across edits of the stage
	// gatewayResponses are the customised ones by type.
	gatewayResponses map[string]*gatewayResponse
	// What methods are compiled with.
	backends      *backends
	links         map[string]apigatewayapi.VpcLink
	certificate   *tls.Certificate // shown to HTTP backends; nil for none
	certificateID string
	models        *deployedModels
	// A stage with a canary release is two stages of one name.
	canary        *canary // nil without one, and of a canary
	isCanary      bool
	useStageCache bool // of a canary
	limiters      limiters
	cache         *cacheStore // nil without a cache cluster
}

// compileStage turns what the control plane published into what requests use.
// shared are the token buckets of the stage whose canary it is; nil for a stage.
func compileStage(s *Stage, b *backends, shared limiters, log *slog.Logger) (*stage, error) {
	api, d := &s.Deployment.API, s.Deployment
	st := &stage{
		account: s.Account, region: s.Region, apiID: s.APIID,
		name:              wire.Val(s.Stage.StageName),
		deploymentID:      d.ID,
		variables:         maps.Clone(s.Stage.Variables),
		variableTexts:     vtl.NewTexts(s.Stage.Variables),
		binary:            slices.Clone(api.BinaryMediaTypes),
		hostClosed:        wire.Val(api.DisableExecuteApiEndpoint),
		xray:              wire.Val(s.Stage.TracingEnabled),
		securityPolicy:    wire.Val(api.SecurityPolicy),
		strict:            wire.Val(api.EndpointAccessMode) == apigatewayapi.EndpointAccessModeSTRICT,
		compressFrom:      noCompression,
		backends:          b,
		links:             s.VPCLinks,
		limiters:          shared,
		keyFromAuthorizer: wire.Val(api.ApiKeySource) == apigatewayapi.ApiKeySourceTypeAUTHORIZER,
	}
	if shared == nil {
		st.limiters = limiters{}
	}
	st.apiName, st.endpointType = wire.Val(api.Name), "EDGE"
	if c := api.EndpointConfiguration; c != nil && len(c.Types) > 0 {
		st.endpointType = c.Types[0]
	}
	st.setLogGroup("API-Gateway-Execution-Logs_" + st.apiID + "/" + st.name)
	if err := st.compileAuthorization(s); err != nil {
		return nil, fmt.Errorf("publish stage %s of API %s: %w", st.name, st.apiID, err)
	}
	if size := api.MinimumCompressionSize; size != nil {
		st.compressFrom = int(*size)
	}
	st.models = &deployedModels{apiID: st.apiID, models: d.Models, log: log}
	var err error
	if c := s.ClientCertificate; c != nil {
		pair, err := tls.X509KeyPair([]byte(c.Certificate), []byte(c.PKCS8))
		if err != nil {
			return nil, fmt.Errorf("publish stage %s of API %s: client certificate %s: %w", st.name, st.apiID, c.ID, err)
		}
		st.certificate, st.certificateID = &pair, c.ID
	}
	if st.gatewayResponses, err = compileGatewayResponses(d.GatewayResponses); err != nil {
		return nil, fmt.Errorf("publish stage %s of API %s: %w", st.name, st.apiID, err)
	}
	if a := s.Stage.AccessLogSettings; a != nil && s.CloudWatchRole != "" {
		st.access = compileAccessLog(a, log)
	}
	if st.router, err = route.New(compileRoutes(st, s, log)); err != nil {
		return nil, fmt.Errorf("publish stage %s of API %s: %w", st.name, st.apiID, err)
	}
	return st, compileCanary(st, s, b, log)
}

// setLogGroup names where the execution log goes. Streams of this service are
// named by 32 hexadecimal digits.
func (st *stage) setLogGroup(name string) {
	st.logGroup = name
	sum := md5.Sum([]byte(name))
	st.logStream = hex.EncodeToString(sum[:])
}

func compileRoutes(st *stage, s *Stage, log *slog.Logger) []route.Route[*method] {
	var routes []route.Route[*method]
	for i := range s.Deployment.Resources {
		res := &s.Deployment.Resources[i]
		path := wire.Val(res.Path)
		for _, verb := range slices.Sorted(maps.Keys(res.ResourceMethods)) {
			config := res.ResourceMethods[verb]
			m := &method{resourceID: wire.Val(res.Id), resourcePath: path, verb: verb, operation: wire.Val(config.OperationName)}
			m.settings = compileSettings(s, path, verb)
			m.settings.limiter = st.limiters.share(verb+" "+path, m.settings.limiter)
			m.compile(st, s.Deployment, &config)
			if m.problem != nil {
				log.Warn("method of a published stage cannot work", "api", st.apiID, "stage", st.name,
					"method", verb+" "+path, "problem", m.problem.message, "cause", strings.Join(m.problem.cause, "; "))
			}
			routes = append(routes, route.Route[*method]{Path: path, Method: verb, Value: m})
		}
	}
	return routes
}

// settings are a method's effective method settings.
type settings struct {
	logInfo, logErrors bool
	dataTrace          bool
	metrics            bool     // of the method itself, beside the stage's
	limiter            *limiter // nil if the method is not throttled
	cache              *cachePolicy
}

// compileSettings picks the settings of one method: its own, or else those of
// the whole stage. A method's own settings replace the stage's as a whole,
// since they began as a copy of them (recorded).
func compileSettings(s *Stage, path, verb string) settings {
	config, own, ok := findSetting(s.Stage.MethodSettings, path, verb)
	if !ok {
		return settings{}
	}
	var out settings
	if s.CloudWatchRole != "" {
		level := wire.Val(config.LoggingLevel)
		out.logInfo = level == "INFO"
		out.logErrors = out.logInfo || level == "ERROR"
		out.dataTrace = out.logErrors && wire.Val(config.DataTraceEnabled)
	}
	out.metrics = wire.Val(config.MetricsEnabled)
	out.cache = compileCache(&config, own)
	out.limiter = newLimiter(config.ThrottlingRateLimit, config.ThrottlingBurstLimit)
	return out
}

// findSetting looks for "resource/path/VERB" and then "*/*". Slashes of the
// path may be written ~1, as in the patch path that made the entry. own tells
// which of them it found.
func findSetting(all map[string]apigatewayapi.MethodSetting, path, verb string) (s apigatewayapi.MethodSetting, own, ok bool) {
	want := strings.TrimPrefix(path, "/") + "/" + verb
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if strings.TrimPrefix(strings.ReplaceAll(key, "~1", "/"), "/") == want {
			return all[key], true, true
		}
	}
	s, ok = all["*/*"]
	return s, false, ok
}

// mediaTypes is an API's binaryMediaTypes.
type mediaTypes []string

// match reports whether contentType, which may have parameters, is one of the
// binary types; the default type counts where none was sent.
func (m mediaTypes) match(contentType string) bool {
	if len(m) == 0 {
		return false
	}
	ct := cmp.Or(mediaType(contentType), applicationJSON)
	for _, t := range m {
		if t == "*/*" || strings.EqualFold(t, ct) {
			return true
		}
		if family, ok := strings.CutSuffix(t, "/*"); ok && len(ct) > len(family) &&
			ct[len(family)] == '/' && strings.EqualFold(ct[:len(family)], family) {
			return true
		}
	}
	return false
}
