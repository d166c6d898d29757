package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// defaultErrorTemplate is the template of a gateway response that was
// customised without giving one (recorded).
const defaultErrorTemplate = `{"message":$context.error.messageString}`

// gatewayResponse is a customised answer to failures of one type (developer
// guide, "Gateway responses in API Gateway").
type gatewayResponse struct {
	status    int // 0 keeps the failure's own
	mappings  []mapping
	templates map[string]substitution
	types     []string // keys of templates, sorted
}

var gatewayResponseSide = side{"gatewayresponse.", "method.request.", []string{"path", "querystring", "header"}}

// compileGatewayResponses returns the customised ones by type; those that the
// catalogue generates need no customising.
func compileGatewayResponses(configs []apigatewayapi.GatewayResponse) (map[string]*gatewayResponse, error) {
	out := map[string]*gatewayResponse{}
	for i := range configs {
		config := &configs[i]
		if wire.Val(config.DefaultResponse) {
			continue
		}
		g := &gatewayResponse{templates: map[string]substitution{}}
		kind := wire.Val(config.ResponseType)
		if code := wire.Val(config.StatusCode); code != "" {
			n, err := strconv.Atoi(code)
			if err != nil {
				return nil, fmt.Errorf("gateway response %s has status code %q", kind, code)
			}
			g.status = n
		}
		var err error
		if g.mappings, err = compileMappings(gatewayResponseSide, config.ResponseParameters); err != nil {
			return nil, fmt.Errorf("gateway response %s: %w", kind, err)
		}
		for key, source := range config.ResponseTemplates {
			g.templates[key] = parseSubstitution(source)
		}
		if len(g.templates) == 0 {
			g.templates[applicationJSON] = parseSubstitution(defaultErrorTemplate)
		}
		g.types = slices.Sorted(maps.Keys(g.templates))
		out[kind] = g
	}
	return out, nil
}

// customised returns what replaces the default answer to f, and the type that
// it is of: f's own or else its class. The answer to a payload that is too large
// cannot be customised, nor can butai's own.
func (st *stage) customised(f *failure) (kind string, g *gatewayResponse) {
	if st == nil || f.kind == "" || f.kind == "REQUEST_TOO_LARGE" {
		return "", nil
	}
	class := "DEFAULT_4XX"
	if f.status >= http.StatusInternalServerError {
		class = "DEFAULT_5XX"
	}
	for _, kind := range [...]string{f.kind, class} {
		if g := st.gatewayResponses[kind]; g != nil {
			return kind, g
		}
	}
	return "", nil
}

// template picks by the request's Accept, as integration responses do.
func (g *gatewayResponse) template(accept string) (contentType string, s substitution) {
	first, _, _ := strings.Cut(accept, ",")
	for _, key := range [...]string{mediaType(first), applicationJSON, g.types[0]} {
		if s, ok := g.templates[key]; ok {
			return key, s
		}
	}
	return "", nil
}

// answerCustomised makes the answer that g asks for. x-amzn-ErrorType stays
// that of the failure (measured).
func (x *exchange) answerCustomised(g *gatewayResponse) {
	if g.status != 0 {
		x.answer.status = g.status
	}
	contentType, template := g.template(one(x.r.Header, "Accept"))
	x.answer.header["Content-Type"] = []string{contentType}
	x.answer.body = []byte(template.expand("", x.errorVariable))
	msg := x.requestMessage()
	for i := range g.mappings {
		m := &g.mappings[i]
		if values, err := x.eval(m, msg); err == nil && values != nil {
			setFold(x.answer.header, m.name, values)
		}
	}
}

// errorVariable looks a variable of a gateway response's template up.
func (x *exchange) errorVariable(group, name string) string {
	switch group {
	case contextGroup:
		v, _ := x.variable(name)
		return v
	case stageGroup:
		return x.st.variables[name]
	}
	m, err := compileMapping(gatewayResponseSide, "gatewayresponse.header.x", "method.request."+name)
	if err != nil {
		return ""
	}
	values, _ := x.eval(&m, x.requestMessage())
	return strings.Join(values, "")
}
