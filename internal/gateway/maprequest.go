package gateway

import (
	"github.com/butai-dev/butai/internal/gateway/value"
)

// mapRequest makes the integration request: parameter mapping, then the
// template, then what the template overrode.
func (x *exchange) mapRequest() *failure {
	x.at("map request")
	if fail := x.mapRequestParameters(); fail != nil {
		return fail
	}
	if x.m.kind.isProxy() {
		return nil // templates do not apply: what is sent is the client's request
	}
	tmpl := x.m.templates.forRequest(one(x.r.Header, "Content-Type"))
	if tmpl == nil && !x.passesThrough() {
		return unsupportedMediaType()
	}
	if tmpl.reads() {
		x.note("template", tmpl.mediaType)
	}
	x.prepareEnv()
	body, isBinary, err := x.m.content.forRequest(x.body, len(x.body) > 0 && x.st.binary.match(one(x.r.Header, "Content-Type")))
	if err != nil || isBinary && tmpl.reads() {
		return configurationError("Unable to transform request")
	}
	body, fail := x.render(tmpl, body, "request")
	if fail != nil {
		return fail
	}
	x.outbound.body = body
	x.applyRequestOverride()
	return nil
}

// passesThrough decides about a request that no template is for.
func (x *exchange) passesThrough() bool {
	switch x.m.passthrough {
	case passWhenNoMatch:
		return true
	case passWhenNoTemplates:
		return len(x.m.templates.byType) == 0
	}
	return false
}

func (x *exchange) prepareEnv() {
	x.env.Path = pathSource{x}
	x.env.Query = querySource{x}
	x.env.Header = headerSource{x}
	x.env.Context = contextSource{x}
	x.env.StageVariables = x.st.variableTexts
}

func (x *exchange) mapRequestParameters() *failure {
	if len(x.m.request) == 0 {
		return nil
	}
	msg := x.requestMessage()
	for i := range x.m.request {
		m := &x.m.request[i]
		if m.illegal {
			fail := configurationError(m.name + " header already present")
			fail.noTrace = true
			return fail
		}
		values, err := x.eval(m, msg)
		if err != nil {
			return badRequestBody("Invalid JSON in request body")
		}
		if values != nil {
			x.outbound.set(m.location, m.name, values)
		}
	}
	return nil
}

// requestMessage is the request as the source of mappings.
func (x *exchange) requestMessage() *message {
	return &message{
		header: func(name string) []string { return x.headers().get(name) },
		query:  func(name string) []string { return x.query().exact(name) },
		path:   x.pathParam,
		body:   &jsonBody{raw: x.body},
	}
}

// set maps values to a place of the integration request: header, querystring
// or path. A header's name is the same in any spelling, the others' is not.
func (o *outbound) set(location, name string, values []string) {
	switch location {
	case "header":
		o.header.set(name, values)
	case "querystring":
		o.query.setExact(name, values)
	case "path":
		o.path.setExact(name, values)
	}
}

// applyRequestOverride takes over $context.requestOverride.
func (x *exchange) applyRequestOverride() {
	over := x.env.RequestOverride()
	if over == nil {
		return
	}
	for _, location := range [...]string{"header", "querystring", "path"} {
		for name, values := range overrides(over, location) {
			x.outbound.set(location, name, values)
		}
	}
}

// overrides yields what a template overrode in one of the override's groups;
// a list gives several values.
func overrides(over *value.Map, group string) func(func(string, []string) bool) {
	return func(yield func(string, []string) bool) {
		group, _ := over.Get(group)
		entries, ok := group.(*value.Map)
		if !ok {
			return
		}
		for i := range entries.Len() {
			e := entries.At(i)
			var values []string
			switch v := e.Value.(type) {
			case nil:
				continue
			case *value.List:
				for _, item := range v.Items() {
					values = append(values, value.String(item))
				}
			default:
				values = []string{value.String(v)}
			}
			if !yield(e.Key, values) {
				return
			}
		}
	}
}

// invocationType is how the function is to be called: an X-Amz-Invocation-Type
// that a mapping or an override set.
func (x *exchange) invocationType() string {
	if v := last(x.outbound.header.get("X-Amz-Invocation-Type")); v != nil {
		return v[0]
	}
	return ""
}
