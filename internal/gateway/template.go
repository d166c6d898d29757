package gateway

import (
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/gateway/vtl"
)

const (
	applicationJSON = "application/json"
	// firstOutput is the room in bytes that a template's output begins with.
	firstOutput = 256
)

// What an integration does with a request that no template is for (API
// reference, "PutIntegration", passthroughBehavior).
const (
	passWhenNoMatch     = "WHEN_NO_MATCH"
	passWhenNoTemplates = "WHEN_NO_TEMPLATES"
)

// template is a compiled mapping template.
type template struct {
	mediaType string // that it is for
	// compiled is nil for an empty template, which leaves the body as it is,
	// and for one with a problem.
	compiled *vtl.Template
	problem  error // the source does not parse; requests that need it fail
}

// reads reports whether t reads the body, and not just lets it pass.
func (t *template) reads() bool { return t != nil && (t.compiled != nil || t.problem != nil) }

// templates are the mapping templates of an integration or of one of its
// responses, by media type.
type templates struct {
	byType map[string]*template
	first  *template // by media type's order; nil if there are none
}

func compileTemplates(sources map[string]string) templates {
	t := templates{byType: make(map[string]*template, len(sources))}
	for _, key := range slices.Sorted(maps.Keys(sources)) {
		compiled := &template{mediaType: key}
		if source := sources[key]; strings.TrimSpace(source) != "" {
			compiled.compiled, compiled.problem = vtl.Compile(source)
		}
		t.byType[key] = compiled
		if t.first == nil {
			t.first = compiled
		}
	}
	return t
}

// forRequest picks by the request's Content-Type, without its parameters.
func (t *templates) forRequest(contentType string) *template {
	key := mediaType(contentType)
	if key == "" {
		key = applicationJSON
	}
	if tmpl, ok := t.byType[key]; ok {
		return tmpl
	}
	return t.byType["$default"]
}

// forResponse picks by the first media type of the request's Accept, then
// application/json, then whatever there is.
func (t *templates) forResponse(accept string) *template {
	if t.first == nil {
		return nil
	}
	first, _, _ := strings.Cut(accept, ",")
	if tmpl, ok := t.byType[mediaType(first)]; ok {
		return tmpl
	}
	if tmpl, ok := t.byType[applicationJSON]; ok {
		return tmpl
	}
	return t.first
}

// mediaType cuts the parameters off a Content-Type.
func mediaType(contentType string) string {
	ct, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(ct))
}

// render runs tmpl over body; a nil or empty template gives body back.
func (x *exchange) render(tmpl *template, body []byte, what string) ([]byte, *failure) {
	if !tmpl.reads() {
		return body, nil
	}
	err := tmpl.problem
	if err == nil {
		x.env.SetBody(body)
		var out []byte
		if out, err = tmpl.compiled.Render(make([]byte, 0, firstOutput), &x.env); err == nil {
			return out, nil
		}
	}
	return nil, configurationError("Unable to transform " + what).because(err.Error())
}
