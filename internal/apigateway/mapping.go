package apigateway

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
)

// side is where a parameter mapping acts; it decides what may be its target
// and its source ("Amazon API Gateway API request and response data mapping
// reference").
type side struct {
	target, source *regexp.Regexp
}

// anySource are the sources that both sides share.
const anySource = `'.*'|stageVariables\.[A-Za-z0-9_]+|context\..+`

var (
	requestSide = side{
		target: regexp.MustCompile(`^integration\.request\.(header|querystring|path)\..+$`),
		source: regexp.MustCompile(`(?s)^(` + anySource +
			`|method\.request\.(path|querystring|multivaluequerystring|header|multivalueheader)\..+|method\.request\.body([.\[].*)?)$`),
	}
	responseSide = side{
		target: regexp.MustCompile(`^method\.response\.header\..+$`),
		source: regexp.MustCompile(`(?s)^(` + anySource +
			`|integration\.response\.(header|multivalueheader)\..+|integration\.response\.body([.\[].*)?)$`),
	}
)

func checkMappings(s side, params map[string]string) error {
	for _, target := range slices.Sorted(maps.Keys(params)) {
		switch source := params[target]; {
		case !s.target.MatchString(target):
			return invalidMapping("Invalid mapping expression parameter specified: " + target)
		case !s.source.MatchString(source):
			return invalidMapping("Invalid mapping expression specified: " + source)
		}
	}
	return nil
}

// methodSource is a parameter of the client's request as a source.
var methodSource = regexp.MustCompile(`^method\.request\.(?:multivalue)?(querystring|path|header)\.(.+)$`)

// checkSources checks that a method declares the parameters that its
// integration maps (measured: it is what Terraform's users meet who forget
// request_parameters of the method).
func checkSources(m *apigatewayapi.Method) error {
	mapped := m.MethodIntegration.RequestParameters
	for _, target := range slices.Sorted(maps.Keys(mapped)) {
		source := methodSource.FindStringSubmatch(mapped[target])
		if source == nil {
			continue
		}
		if _, declared := m.RequestParameters["method.request."+source[1]+"."+source[2]]; !declared {
			return invalidMapping("Invalid mapping expression parameter specified: " + mapped[target])
		}
	}
	return nil
}

// maxTemplate is the quota of a mapping template in bytes ("Amazon API Gateway
// quotas").
const maxTemplate = 300 << 10

// checkContentTypes checks a map of templates: its keys, and their sizes.
func checkContentTypes(templates map[string]string) error {
	for _, t := range slices.Sorted(maps.Keys(templates)) {
		if len(templates[t]) > maxTemplate {
			return badRequest("Template for content type %s exceeds the maximum size of %d bytes", t, maxTemplate) // wording is ours
		}
		if t != "$default" && !isContentType(t) {
			return badRequest("Validation Result: warnings : [], errors : [Invalid content type specified: %s]", t)
		}
	}
	return nil
}

func isContentType(s string) bool {
	kind, sub, ok := strings.Cut(s, "/")
	return ok && kind != "" && sub != ""
}
