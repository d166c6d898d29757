package gateway

import (
	"bytes"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// mapResponse makes the method response: selection, parameter mapping,
// template, overrides. A proxy integration has made its answer already.
func (x *exchange) mapResponse() *failure {
	x.at("map response")
	if x.m.streams {
		return nil // the answer is on its way
	}
	switch x.m.kind {
	case typeAWSProxy:
		return nil
	case typeHTTPProxy:
		return x.answerProxied()
	}
	res := x.m.selectResponse(x.inbound.selector)
	if res == nil {
		return configurationError("No match for output mapping and no default output mapping configured. Endpoint Response Status Code: " + strconv.Itoa(x.inbound.status))
	}
	x.note("pattern", res.expression)
	if !res.declared {
		return configurationError("Output mapping refers to an invalid method response: " + strconv.Itoa(res.status))
	}
	x.answer.status = res.status
	x.answer.header = make(http.Header, 6)
	if fail := x.mapResponseParameters(res); fail != nil {
		return fail
	}
	if fail := x.renderResponse(res); fail != nil {
		return fail
	}
	x.applyResponseOverride()
	return nil
}

// renderResponse makes the answer's body: text goes through the template, and
// what is binary either becomes text before it or passes by it (developer
// guide, "Content type conversions in API Gateway"). What a function answers
// is JSON, so its type is text unless the API says otherwise.
func (x *exchange) renderResponse(res *response) *failure {
	contentType, body := applicationJSON, x.inbound.body
	if x.inbound.header != nil {
		contentType = one(x.inbound.header, "Content-Type")
	}
	tmpl := res.templates.forResponse(one(x.r.Header, "Accept"))
	isBinary := x.st.binary.match(contentType)
	toBinary := res.content == convertToBinary || res.content == "" && x.wantsBinary()
	switch {
	case isBinary && toBinary && tmpl.reads() && len(body) > 0:
		return configurationError("Unable to transform response")
	case isBinary && !toBinary:
		body = encodeBase64(body)
	case !isBinary && !utf8.Valid(body):
		body = bytes.ToValidUTF8(body, replacement)
	}
	body, fail := x.render(tmpl, body, "response")
	if fail == nil && !isBinary && toBinary && len(body) > 0 {
		var err error
		if body, err = decodeBase64(body); err != nil {
			return configurationError("Unable to transform response").because(err.Error())
		}
	}
	x.answer.body = body
	return fail
}

// selectResponse returns the response whose pattern covers text, or the
// default one. Where several match the lowest status wins: what decides on
// AWS is not known, and this agrees with what was recorded.
func (m *method) selectResponse(text string) *response {
	for _, r := range m.responses {
		if r.pattern.match(text) {
			return r
		}
	}
	return m.fallback
}

func (x *exchange) mapResponseParameters(res *response) *failure {
	if len(res.mappings) == 0 {
		return nil
	}
	msg := &message{
		header: x.endpointHeaders().get,
		body:   &jsonBody{raw: x.inbound.body, inError: x.inbound.isError},
	}
	for i := range res.mappings {
		m := &res.mappings[i]
		values, err := x.eval(m, msg)
		if err != nil {
			return configurationError("Unable to transform response").because(err.Error())
		}
		if values != nil {
			x.setHeader(m.name, values)
		}
	}
	return nil
}

// setHeader sets an answer's header, under another name where API Gateway
// keeps the name for itself.
func (x *exchange) setHeader(name string, values []string) {
	if name = remapped(x.m.kind, name); name != "" {
		setFold(x.answer.header, name, values)
	}
}

// applyResponseOverride takes over $context.responseOverride. A status that
// is no HTTP status is ignored.
func (x *exchange) applyResponseOverride() {
	over := x.env.ResponseOverride()
	if over == nil {
		return
	}
	for name, values := range overrides(over, "header") {
		x.setHeader(name, values)
	}
	status, _ := over.Get("status")
	n, ok := status.(int64)
	if text, isText := status.(string); isText {
		parsed, err := strconv.ParseInt(text, 10, 64)
		n, ok = parsed, err == nil
	}
	if ok && n >= 100 && n <= 599 {
		x.answer.status = int(n)
	}
}
