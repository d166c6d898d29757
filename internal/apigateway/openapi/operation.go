package openapi

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// verbOf are the keys of a path item that are methods.
var verbOf = map[string]string{
	"get": "GET", "put": "PUT", "post": "POST", "delete": "DELETE", "options": "OPTIONS", "head": "HEAD", "patch": "PATCH", extAnyMethod: "ANY",
}

// paths reads the resources.
func (r *reader) paths() {
	prefix := r.basePath()
	for path, item := range r.root.get("paths").fields() {
		if strings.HasPrefix(path, "x-") {
			continue
		}
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		if item = r.resolve(item); item == nil {
			continue
		}
		res := Resource{Path: "/" + strings.Trim(prefix+path, "/")}
		for key, op := range item.fields() {
			if verb, ok := verbOf[key]; ok {
				res.Methods = append(res.Methods, r.method(res.Path, verb, item, op))
			}
		}
		r.api.Resources = append(r.api.Resources, res)
	}
}

var pathVariable = regexp.MustCompile(`\{([^{}]+?)\+?\}`)

func (r *reader) method(path, verb string, item, op *node) Method {
	m := Method{Validator: cmp.Or(op.get(extValidator).str(), r.root.get(extValidator).str())}
	m.HttpMethod, m.OperationName = &verb, op.get("operationId").optional()
	r.secure(op, &m)
	for _, match := range pathVariable.FindAllStringSubmatch(path, -1) {
		m.addParameter("path", match[1], true) // declared or not (recorded)
	}
	for _, from := range []*node{item, op} {
		for _, p := range from.get("parameters").elements() {
			r.parameter(&m, op, r.resolve(p))
		}
	}
	for contentType, media := range r.resolve(op.get("requestBody")).get("content").fields() {
		r.requestModel(&m, contentType, media.get("schema"))
	}
	for code, res := range op.get("responses").fields() {
		if statusCode.MatchString(code) {
			r.methodResponse(&m, op, code, r.resolve(res))
		}
	}
	if ext := r.resolve(op.get(extIntegration)); ext != nil {
		m.MethodIntegration = r.integration(path, verb, ext)
	}
	return m
}

func (m *Method) addParameter(location, name string, required bool) {
	if m.RequestParameters == nil {
		m.RequestParameters = map[string]bool{}
	}
	m.RequestParameters["method.request."+location+"."+name] = required
}

// parameter adds a parameter to the method. Forms and cookies are no
// parameters of a method.
func (r *reader) parameter(m *Method, op, p *node) {
	name, required := p.get("name").str(), p.get("required").isTrue()
	switch p.get("in").str() {
	case "query":
		m.addParameter("querystring", name, required)
	case "header":
		m.addParameter("header", name, required)
	case "path":
		m.addParameter("path", name, true)
	case "body":
		for _, contentType := range r.mediaTypes(op, "consumes") {
			r.requestModel(m, contentType, p.get("schema"))
		}
	}
}

// mediaTypes are what an operation of Swagger 2.0 consumes or produces.
func (r *reader) mediaTypes(op *node, key string) []string {
	types := op.get(key)
	if types == nil {
		types = r.root.get(key)
	}
	if list := types.texts(); len(list) > 0 {
		return list
	}
	return []string{"application/json"}
}

func (r *reader) requestModel(m *Method, contentType string, schema *node) {
	if schema == nil {
		return
	}
	name, ok := r.useModel(schema)
	if !ok {
		return
	}
	if m.RequestModels == nil {
		m.RequestModels = map[string]string{}
	}
	m.RequestModels[contentType] = name
}

var statusCode = regexp.MustCompile(`^[1-5]\d\d$`)

// methodResponse declares a response; its headers are optional (recorded).
func (r *reader) methodResponse(m *Method, op *node, code string, res *node) {
	out := apigatewayapi.MethodResponse{StatusCode: &code}
	for header := range res.get("headers").fields() {
		if out.ResponseParameters == nil {
			out.ResponseParameters = map[string]bool{}
		}
		out.ResponseParameters["method.response.header."+header] = false
	}
	use := func(contentType string, schema *node) {
		if schema == nil {
			return
		}
		if name, ok := r.useModel(schema); ok {
			if out.ResponseModels == nil {
				out.ResponseModels = map[string]string{}
			}
			out.ResponseModels[contentType] = name
		}
	}
	if schema := res.get("schema"); schema != nil {
		for _, contentType := range r.mediaTypes(op, "produces") {
			use(contentType, schema)
		}
	}
	for contentType, media := range res.get("content").fields() {
		use(contentType, media.get("schema"))
	}
	if m.MethodResponses == nil {
		m.MethodResponses = map[string]apigatewayapi.MethodResponse{}
	}
	m.MethodResponses[code] = out
}

// texts reads an object of texts in an integration. What isn't text is left
// out with a warning (recorded).
func (r *reader) texts(path, verb, name string, n *node) map[string]string {
	out := map[string]string{}
	for key, v := range n.fields() {
		if v.kind != text && v.kind != null {
			r.warn("Invalid format for '%s'. Expected type string for property '%s' of resource '%s' and method '%s' but got '%s'",
				name, key, path, verb, cmp.Or(v.str(), compactJSON(v)))
			continue
		}
		out[key] = v.text
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func upper(n *node) *string {
	if s := n.str(); s != "" {
		return wire.Ptr(strings.ToUpper(s))
	}
	return nil
}
