package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// paths are the resources that have methods, sorted.
func (e *exporter) paths() *node {
	tree := slices.Clone(e.Resources)
	slices.SortFunc(tree, func(a, b apigatewayapi.Resource) int { return strings.Compare(*a.Path, *b.Path) })
	out := newObject()
	for i := range tree {
		item := newObject()
		for _, verb := range exportOrder {
			if m, ok := tree[i].ResourceMethods[verb]; ok {
				key := strings.ToLower(verb)
				if verb == "ANY" {
					key = extAnyMethod
				}
				item.set(key, e.operation(&tree[i], verb, &m))
			}
		}
		out.set(*tree[i].Path, notEmpty(item))
	}
	return out
}

var exportOrder = []string{"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "ANY"}

func (e *exporter) operation(res *apigatewayapi.Resource, verb string, m *apigatewayapi.Method) *node {
	at := place{path: *res.Path, method: verb}
	op := newObject()
	e.documentNode(op, at.of("METHOD", "", ""))
	op.setText("operationId", m.OperationName)
	if e.Swagger {
		op.set("consumes", mediaTypes(m, consumed)).set("produces", mediaTypes(m, produced))
	}
	op.set("parameters", e.parameters(m, at))
	if !e.Swagger {
		op.set("requestBody", e.requestBody(m, at))
	}
	responses := newObject()
	for _, code := range slices.Sorted(maps.Keys(m.MethodResponses)) {
		r := m.MethodResponses[code]
		responses.set(code, e.response(code, &r, at))
	}
	op.set("responses", responses)
	op.set("security", e.security(m))
	if name := e.validator[wire.Val(m.RequestValidatorId)]; name != "" && e.Validators {
		op.set(extValidator, textNode(name))
	}
	if m.MethodIntegration != nil && e.Integrations {
		op.set(extIntegration, integrationNode(m.MethodIntegration, *res.Id))
	}
	return op
}

// mediaTypes lists what of a method, sorted; nil if it is nothing.
func mediaTypes(m *apigatewayapi.Method, what func(*apigatewayapi.Method, map[string]bool)) *node {
	types := map[string]bool{}
	what(m, types)
	if len(types) == 0 {
		return nil
	}
	return textList(slices.Sorted(maps.Keys(types))...)
}

// consumed are the types that requests have models or templates for.
func consumed(m *apigatewayapi.Method, types map[string]bool) {
	for t := range m.RequestModels {
		types[t] = true
	}
	if m.MethodIntegration != nil {
		for t := range m.MethodIntegration.RequestTemplates {
			types[t] = true
		}
	}
}

// produced are the types that responses have models or templates for.
func produced(m *apigatewayapi.Method, types map[string]bool) {
	for _, r := range m.MethodResponses {
		for t := range r.ResponseModels {
			types[t] = true
		}
	}
	if m.MethodIntegration != nil {
		for _, r := range m.MethodIntegration.IntegrationResponses {
			for t := range r.ResponseTemplates {
				types[t] = true
			}
		}
	}
}

// parameters lists a method's parameters, and its body for Swagger 2.0.
func (e *exporter) parameters(m *apigatewayapi.Method, at place) *node {
	out := &node{kind: list}
	for _, in := range [][3]string{
		{"querystring", "query", "QUERY_PARAMETER"}, {"header", "header", "REQUEST_HEADER"}, {"path", "path", "PATH_PARAMETER"},
	} {
		for _, key := range slices.Sorted(maps.Keys(m.RequestParameters)) {
			name, ok := strings.CutPrefix(key, "method.request."+in[0]+".")
			if !ok {
				continue
			}
			p := newObject().set("name", textNode(name)).set("in", textNode(in[1]))
			e.documentNode(p, at.of(in[2], "", name))
			if required := m.RequestParameters[key]; required || e.Swagger {
				p.set("required", boolNode(required))
			}
			out.items = append(out.items, e.typed(p))
		}
	}
	if types := slices.Sorted(maps.Keys(m.RequestModels)); e.Swagger && len(types) > 0 {
		model := m.RequestModels[types[0]]
		body := newObject().set("in", textNode("body")).set("name", textNode(model))
		e.documentNode(body, at.of("REQUEST_BODY", "", ""))
		out.items = append(out.items, body.set("required", boolNode(true)).set("schema", e.useSchema(model)))
	}
	if len(out.items) == 0 {
		return nil
	}
	return out
}

// typed says that a parameter or header is a text, the one type they have.
func (e *exporter) typed(n *node) *node {
	if e.Swagger {
		return n.set("type", textNode("string"))
	}
	return n.set("schema", newObject().set("type", textNode("string")))
}

func (e *exporter) requestBody(m *apigatewayapi.Method, at place) *node {
	if len(m.RequestModels) == 0 {
		return nil
	}
	body := newObject()
	e.documentNode(body, at.of("REQUEST_BODY", "", ""))
	return body.set("content", e.content(m.RequestModels)).set("required", boolNode(true))
}

// content are models by media type.
func (e *exporter) content(models map[string]string) *node {
	out := newObject()
	for _, t := range slices.Sorted(maps.Keys(models)) {
		out.set(t, newObject().set("schema", e.useSchema(models[t])))
	}
	return out
}

func (e *exporter) response(code string, r *apigatewayapi.MethodResponse, at place) *node {
	out := newObject().set("description", textNode(code+" response"))
	e.documentNode(out, at.of("RESPONSE", code, ""))
	headers := newObject()
	for _, key := range slices.Sorted(maps.Keys(r.ResponseParameters)) {
		name := strings.TrimPrefix(key, "method.response.header.")
		h := newObject()
		e.documentNode(h, at.of("RESPONSE_HEADER", code, name))
		headers.set(name, e.typed(h))
	}
	if !e.Swagger {
		return out.set("headers", notEmpty(headers)).set("content", e.content(r.ResponseModels))
	}
	if types := slices.Sorted(maps.Keys(r.ResponseModels)); len(types) > 0 {
		out.set("schema", e.useSchema(r.ResponseModels[types[0]]))
	}
	return out.set("headers", notEmpty(headers))
}

// integrationNode is an integration as the extension that makes it.
func integrationNode(i *apigatewayapi.Integration, resourceID string) *node {
	const defaultTimeout = 29_000
	n := newObject().setText("httpMethod", i.HttpMethod).setText("uri", i.Uri)
	if wire.Val(i.ConnectionType) == apigatewayapi.ConnectionTypeVPCLINK {
		n.setText("connectionType", i.ConnectionType).setText("connectionId", i.ConnectionId).setText("integrationTarget", i.IntegrationTarget)
	}
	n.setText("credentials", i.Credentials)
	if len(i.IntegrationResponses) > 0 {
		n.set("responses", integrationResponses(i))
	}
	n.set("requestParameters", textsNode(i.RequestParameters)).set("requestTemplates", textsNode(i.RequestTemplates))
	n.set("passthroughBehavior", textNode(strings.ToLower(wire.Val(i.PassthroughBehavior))))
	if ms := wire.Val(i.TimeoutInMillis); ms != defaultTimeout && ms != 0 {
		n.set("timeoutInMillis", intNode(ms))
	}
	if space := wire.Val(i.CacheNamespace); space != "" && space != resourceID {
		n.set("cacheNamespace", textNode(space))
	}
	if len(i.CacheKeyParameters) > 0 {
		n.set("cacheKeyParameters", textList(i.CacheKeyParameters...))
	}
	n.setText("contentHandling", i.ContentHandling).setText("responseTransferMode", i.ResponseTransferMode)
	if i.TlsConfig != nil {
		n.set("tlsConfig", newObject().set("insecureSkipVerification", boolNode(wire.Val(i.TlsConfig.InsecureSkipVerification))))
	}
	return n.set("type", textNode(strings.ToLower(wire.Val(i.Type))))
}

func integrationResponses(i *apigatewayapi.Integration) *node {
	out := newObject()
	for _, code := range slices.Sorted(maps.Keys(i.IntegrationResponses)) {
		r := i.IntegrationResponses[code]
		pattern := wire.Val(r.SelectionPattern)
		if pattern == "" {
			pattern = "default"
		}
		if out.get(pattern) != nil {
			continue // the first one is the one that is selected
		}
		out.set(pattern, newObject().set("statusCode", textNode(code)).set("responseParameters", textsNode(r.ResponseParameters)).
			set("responseTemplates", textsNode(r.ResponseTemplates)).setText("contentHandling", r.ContentHandling))
	}
	return out
}
