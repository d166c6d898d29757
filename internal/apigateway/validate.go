package apigateway

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// ValidateInput checks a request against the model and words violations as
// API Gateway does (recorded): body members stand below the operation's input
// and are reported before those of the address, and values of enumerations
// come in an order of their own.
func (s *Service) ValidateInput(op *wire.Operation, in any) error {
	found := apigatewayapi.Service.Schema.Validate(op.Input, in, nil)
	if len(found) == 0 {
		return nil
	}
	var body, address []wire.Violation
	for _, v := range foldLists(found, in) {
		v.Rule = enumOrder.Replace(v.Rule)
		if inBody(op, v.Path) {
			v.Path = lowerFirst(op.Name) + "Input." + v.Path
			body = append(body, v)
		} else {
			address = append(address, v)
		}
	}
	return wire.Errorf("ValidationException", "%s", wire.ViolationText(append(body, address...)))
}

// enumOrder puts the values of enumerations in the order that AWS prints.
var enumOrder = strings.NewReplacer(
	"[add, remove, replace, move, copy, test]", "[add, remove, move, test, replace, copy]",
	"[REGIONAL, EDGE, PRIVATE]", "[PRIVATE, EDGE, REGIONAL]",
	"[HTTP, AWS, MOCK, HTTP_PROXY, AWS_PROXY]", "[HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
	"[API, AUTHORIZER, MODEL, RESOURCE, METHOD, PATH_PARAMETER, QUERY_PARAMETER, REQUEST_HEADER, REQUEST_BODY, RESPONSE, RESPONSE_HEADER, RESPONSE_BODY]",
	"[RESPONSE_BODY, RESPONSE, METHOD, MODEL, AUTHORIZER, RESPONSE_HEADER, RESOURCE, PATH_PARAMETER, REQUEST_BODY, QUERY_PARAMETER, API, REQUEST_HEADER]",
	"[DEFAULT_4XX, DEFAULT_5XX, RESOURCE_NOT_FOUND, UNAUTHORIZED, INVALID_API_KEY, ACCESS_DENIED, AUTHORIZER_FAILURE, "+
		"AUTHORIZER_CONFIGURATION_ERROR, INVALID_SIGNATURE, EXPIRED_TOKEN, MISSING_AUTHENTICATION_TOKEN, INTEGRATION_FAILURE, "+
		"INTEGRATION_TIMEOUT, API_CONFIGURATION_ERROR, UNSUPPORTED_MEDIA_TYPE, BAD_REQUEST_PARAMETERS, BAD_REQUEST_BODY, "+
		"REQUEST_TOO_LARGE, THROTTLED, QUOTA_EXCEEDED, WAF_FILTERED]",
	"[REQUEST_TOO_LARGE, RESOURCE_NOT_FOUND, AUTHORIZER_CONFIGURATION_ERROR, MISSING_AUTHENTICATION_TOKEN, BAD_REQUEST_BODY, "+
		"INVALID_SIGNATURE, INVALID_API_KEY, BAD_REQUEST_PARAMETERS, AUTHORIZER_FAILURE, UNAUTHORIZED, INTEGRATION_TIMEOUT, "+
		"ACCESS_DENIED, DEFAULT_4XX, DEFAULT_5XX, WAF_FILTERED, QUOTA_EXCEEDED, THROTTLED, API_CONFIGURATION_ERROR, "+
		"UNSUPPORTED_MEDIA_TYPE, INTEGRATION_FAILURE, EXPIRED_TOKEN]",
)

func lowerFirst(s string) string {
	return string(unicode.ToLower(rune(s[0]))) + s[1:]
}

// inBody reports whether the member that path begins with travels in the body.
func inBody(op *wire.Operation, path string) bool {
	first, _, _ := strings.Cut(path, ".")
	for _, m := range apigatewayapi.Service.Schema.Shape(op.Input).Members {
		if lowerFirst(m.Name) == first {
			return m.Location == wire.InBody
		}
	}
	return true
}

var endpointTypePath = regexp.MustCompile(`^(endpointConfiguration\.types)\.\d+\.member$`)

// foldLists reports wrong endpoint types once, at their list.
func foldLists(found []wire.Violation, in any) []wire.Violation {
	var out []wire.Violation
	folded := false
	for _, v := range found {
		match := endpointTypePath.FindStringSubmatch(v.Path)
		switch {
		case match == nil:
			out = append(out, v)
		case !folded:
			folded = true
			out = append(out, wire.Violation{
				Path: match[1], Value: "[" + strings.Join(endpointTypes(in), ", ") + "]",
				Rule: "Member must satisfy constraint: [" + v.Rule + "]",
			})
		}
	}
	return out
}

// endpointTypes are the endpoint types that a request asks for.
func endpointTypes(in any) []string {
	switch in := in.(type) {
	case *apigatewayapi.CreateRestApiRequest:
		return in.EndpointConfiguration.Types
	case *apigatewayapi.CreateDomainNameRequest:
		return in.EndpointConfiguration.Types
	}
	return nil
}

// pattern is a form of text of limited length. The limit isn't in the
// expression, which would be compiled as often over at each start of the
// program; sandboxes start with one.
type pattern struct {
	form    *regexp.Regexp
	longest int // bytes
}

func (p pattern) matches(s string) bool { return len(s) <= p.longest && p.form.MatchString(s) }
