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
	if x.m.kind == typeAWSProxy {
		return nil // the event has a fixed form; templates do not apply
	}
	tmpl := x.m.templates.forRequest(one(x.r.Header, "Content-Type"))
	if tmpl == nil && !x.passesThrough() {
		return unsupportedMediaType()
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
	x.env.StageVariables = x.st.variables
}

func (x *exchange) mapRequestParameters() *failure {
	if len(x.m.request) == 0 {
		return nil
	}
	msg := x.requestMessage()
	for i := range x.m.request {
		m := &x.m.request[i]
		if m.illegal {
			fail := configurationError("Illegal header mapping: " + m.name)
			fail.noTrace, fail.closes = true, true
			return fail
		}
		values, err := x.eval(m, msg)
		if err != nil {
			return badRequestBody("Invalid JSON in request body")
		}
		// A function's call has headers, but neither a query string nor path
		// variables that could be mapped to.
		if m.location == "header" && values != nil {
			x.outbound.header.set(m.name, values)
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

// applyRequestOverride takes over $context.requestOverride.header.
func (x *exchange) applyRequestOverride() {
	over := x.env.RequestOverride()
	if over == nil {
		return
	}
	for name, values := range headerOverrides(over) {
		x.outbound.header.set(name, values)
	}
}

// headerOverrides yields the headers that a template overrode; a list gives
// several values.
func headerOverrides(over *value.Map) func(func(string, []string) bool) {
	return func(yield func(string, []string) bool) {
		group, _ := over.Get("header")
		headers, ok := group.(*value.Map)
		if !ok {
			return
		}
		for i := range headers.Len() {
			e := headers.At(i)
			var values []string
			switch v := e.Value.(type) {
			case nil:
				continue
			case *value.List:
				for _, item := range v.Items {
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
