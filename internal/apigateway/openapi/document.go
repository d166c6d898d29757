package openapi

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// The names of the extensions (developer guide, "OpenAPI extensions for API
// Gateway"). Those that only HTTP APIs have, such as
// x-amazon-apigateway-tag-value, say nothing here, as on AWS.
const (
	extAnyMethod      = "x-amazon-apigateway-any-method"
	extAPIKeySource   = "x-amazon-apigateway-api-key-source"
	extAuth           = "x-amazon-apigateway-auth"
	extAuthorizer     = "x-amazon-apigateway-authorizer"
	extAuthType       = "x-amazon-apigateway-authtype"
	extBinaryTypes    = "x-amazon-apigateway-binary-media-types"
	extCompression    = "x-amazon-apigateway-minimum-compression-size"
	extDocumentation  = "x-amazon-apigateway-documentation"
	extEndpoint       = "x-amazon-apigateway-endpoint-configuration"
	extSecurityPolicy = "x-amazon-apigateway-security-policy"
	extAccessMode     = "x-amazon-apigateway-endpoint-access-mode"
	extGatewayAnswers = "x-amazon-apigateway-gateway-responses"
	extIntegration    = "x-amazon-apigateway-integration"
	extPolicy         = "x-amazon-apigateway-policy"
	extValidator      = "x-amazon-apigateway-request-validator"
	extValidators     = "x-amazon-apigateway-request-validators"
)

// NamesPolicy reports whether a document may set a resource policy: it names
// the extension somewhere.
func NamesPolicy(body []byte) bool { return bytes.Contains(body, []byte(extPolicy)) }

// reader turns one document into an API.
type reader struct {
	Options
	root    *node
	swagger bool  // 2.0, else 3.0
	schemas *node // the named ones
	schemes map[string]scheme
	api     *API
	models  map[string]bool // those of api
}

// Import reads a document. The error is ErrInvalid if it isn't one; what is
// wrong inside of it is in the API's Errors and Warnings.
func Import(body []byte, o Options) (*API, error) {
	known := strings.NewReplacer("${AWS::AccountId}", o.Account, "${AWS::Region}", o.Region, "${AWS::Partition}", "aws")
	root, err := parse([]byte(known.Replace(string(body))))
	if err != nil || !root.isObject() {
		return nil, ErrInvalid
	}
	r := &reader{Options: o, root: root, api: &API{}, models: map[string]bool{}}
	switch {
	case root.get("swagger").str() == "2.0":
		r.swagger, r.schemas = true, root.get("definitions")
	case strings.HasPrefix(root.get("openapi").str(), "3.0"):
		r.schemas = root.get("components", "schemas")
	default:
		return nil, ErrInvalid
	}
	if paths := root.get("paths"); paths != nil && !paths.isObject() {
		return nil, ErrInvalid
	}
	r.attributes()
	r.namedModels()
	r.securitySchemes()
	r.validators()
	r.gatewayResponses()
	r.documentation()
	r.paths()
	return r.api, nil
}

func (r *reader) warn(format string, args ...any) {
	r.api.Warnings = append(r.api.Warnings, fmt.Sprintf(format, args...))
}

func (r *reader) fail(format string, args ...any) {
	r.api.Errors = append(r.api.Errors, fmt.Sprintf(format, args...))
}

// resolve follows references within the document, such as
// #/components/parameters/page. What leads nowhere is nil.
func (r *reader) resolve(n *node) *node {
	for range 16 { // references to references are rare, circles are not followed
		ref := n.get("$ref")
		if ref == nil {
			return n
		}
		pointer, ok := strings.CutPrefix(ref.str(), "#/")
		if !ok {
			return nil
		}
		n = r.root
		for part := range strings.SplitSeq(pointer, "/") {
			n = n.get(strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~"))
		}
	}
	return nil
}

// attributes reads what belongs to the API as a whole.
func (r *reader) attributes() {
	info, a := r.root.get("info"), &r.api.RestApi
	a.Name, a.Description, a.Version = info.get("title").optional(), info.get("description").optional(), info.get("version").optional()
	if source := r.root.get(extAPIKeySource).str(); source != "" {
		a.ApiKeySource = wire.Ptr(strings.ToUpper(source))
	}
	a.BinaryMediaTypes = r.root.get(extBinaryTypes).texts()
	a.SecurityPolicy, a.EndpointAccessMode = r.root.get(extSecurityPolicy).optional(), r.root.get(extAccessMode).optional()
	if n := r.root.get(extCompression); n != nil {
		size, err := strconv.ParseInt(n.str(), 10, 64)
		if err != nil {
			r.fail("Invalid minimum compression size, must be between 0 and 10485760")
		}
		a.MinimumCompressionSize = &size
	}
	switch policy := r.root.get(extPolicy); {
	case policy.isObject():
		a.Policy = wire.Ptr(compactJSON(policy))
	case policy != nil:
		a.Policy = policy.optional()
	}
	r.endpoint(r.root.get(extEndpoint))
	for _, server := range r.root.get("servers").elements() {
		r.endpoint(server.get(extEndpoint))
	}
}

func (r *reader) endpoint(n *node) {
	if n == nil {
		return
	}
	if closed := n.get("disableExecuteApiEndpoint"); closed != nil {
		r.api.DisableExecuteApiEndpoint = wire.Ptr(closed.isTrue())
	}
	e := &apigatewayapi.EndpointConfiguration{
		Types: n.get("types").texts(), IpAddressType: n.get("ipAddressType").optional(), VpcEndpointIds: n.get("vpcEndpointIds").texts(),
	}
	if e.Types != nil || e.IpAddressType != nil || e.VpcEndpointIds != nil {
		r.api.EndpointConfiguration = e
	}
}

func (r *reader) validators() {
	for name, v := range r.root.get(extValidators).fields() {
		r.api.RequestValidators = append(r.api.RequestValidators, apigatewayapi.RequestValidator{
			Name: &name, ValidateRequestBody: wire.Ptr(v.get("validateRequestBody").isTrue()),
			ValidateRequestParameters: wire.Ptr(v.get("validateRequestParameters").isTrue()),
		})
	}
}

func (r *reader) gatewayResponses() {
	for kind, g := range r.root.get(extGatewayAnswers).fields() {
		r.api.GatewayResponses = append(r.api.GatewayResponses, apigatewayapi.GatewayResponse{
			ResponseType: &kind, StatusCode: g.get("statusCode").optional(),
			ResponseParameters: textMap(g.get("responseParameters")), ResponseTemplates: textMap(g.get("responseTemplates")),
		})
	}
}

// textMap are the scalars of an object, nil if there are none.
func textMap(n *node) map[string]string {
	var out map[string]string
	for key, v := range n.fields() {
		if out == nil {
			out = map[string]string{}
		}
		out[key] = v.str()
	}
	return out
}

// documentation reads the parts. The version that an export carries says
// where they come from and is not imported.
func (r *reader) documentation() {
	for _, part := range r.root.get(extDocumentation, "documentationParts").elements() {
		at := part.get("location")
		r.api.DocumentationParts = append(r.api.DocumentationParts, apigatewayapi.DocumentationPart{
			Location: &apigatewayapi.DocumentationPartLocation{
				Type: at.get("type").optional(), Path: at.get("path").optional(), Method: at.get("method").optional(),
				StatusCode: at.get("statusCode").optional(), Name: at.get("name").optional(),
			},
			Properties: wire.Ptr(compactJSON(part.get("properties"))),
		})
	}
}

// Documentation reads the documentation parts of a document alone. Other than
// for Import, it needs no more than the extension.
func Documentation(body []byte) ([]apigatewayapi.DocumentationPart, error) {
	root, err := parse(body)
	if err != nil || root.get(extDocumentation) == nil {
		return nil, ErrInvalid
	}
	r := &reader{root: root, api: &API{}}
	r.documentation()
	return r.api.DocumentationParts, nil
}

var serverVariable = regexp.MustCompile(`\{([^{}]+)\}`)

// basePath is the prefix of every path, without a slash at its end.
func (r *reader) basePath() string {
	path := r.root.get("basePath").str()
	if servers := r.root.get("servers").elements(); !r.swagger && len(servers) > 0 {
		address := serverVariable.ReplaceAllStringFunc(servers[0].get("url").str(), func(v string) string {
			return servers[0].get("variables", v[1:len(v)-1], "default").str()
		})
		u, err := url.Parse(address)
		if err != nil {
			return ""
		}
		path = u.Path
	}
	segments := slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
	switch {
	case len(segments) == 0:
		return ""
	case r.BasePath == "split":
		segments = segments[1:]
	case r.BasePath != "prepend":
		return ""
	}
	if len(segments) == 0 {
		return ""
	}
	return "/" + strings.Join(segments, "/")
}
