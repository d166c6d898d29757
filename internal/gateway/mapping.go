package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/gateway/jsonpath"
	"github.com/butai-dev/butai/internal/gateway/value"
)

// side tells the two directions of parameter mapping apart.
type side struct {
	target string   // prefix of what is mapped to
	source string   // prefix of what comes from the message itself
	places []string // what may follow the source prefix
}

var (
	requestSide = side{"integration.request.", "method.request.",
		[]string{"path", "querystring", "multivaluequerystring", "header", "multivalueheader", "body"}}
	responseSide = side{"method.response.", "integration.response.",
		[]string{"header", "multivalueheader", "body"}}
)

// mapping is one entry of requestParameters or responseParameters (developer
// guide, "Amazon API Gateway API request and response data mapping reference").
type mapping struct {
	location string // of the target: header, querystring or path
	name     string
	place    string // of the source: one of side.places, stageVariables, context or static
	key      string // name at the source, or the static text
	path     *jsonpath.Path
	// illegal marks request headers that API Gateway sets itself: mapping to
	// them is a 500 whenever the method is called (recorded).
	illegal bool
}

func compileMappings(s side, config map[string]string) ([]mapping, error) {
	var out []mapping
	for _, target := range slices.Sorted(maps.Keys(config)) {
		m, err := compileMapping(s, target, config[target])
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func compileMapping(s side, target, source string) (mapping, error) {
	var m mapping
	var ok bool
	m.location, m.name, ok = strings.Cut(strings.TrimPrefix(target, s.target), ".")
	if !ok || !strings.HasPrefix(target, s.target) {
		return m, fmt.Errorf("Invalid mapping expression parameter specified: %s", target)
	}
	if len(source) >= 2 && source[0] == '\'' && source[len(source)-1] == '\'' {
		m.place, m.key = "static", source[1:len(source)-1]
		return m, nil
	}
	if rest, ok := strings.CutPrefix(source, s.source); ok {
		m.place, m.key, _ = strings.Cut(rest, ".")
		if slices.Contains(s.places, m.place) {
			return m, m.compileBody()
		}
	} else if place, key, ok := strings.Cut(source, "."); ok && (place == "context" || place == "stageVariables") {
		m.place, m.key = place, key
		return m, nil
	}
	return m, fmt.Errorf("Invalid mapping expression specified: %s", source)
}

// compileBody parses the JSONPath of a body source.
func (m *mapping) compileBody() (err error) {
	if m.place == "body" && m.key != "" {
		m.path, err = jsonpath.Compile("$." + m.key)
	}
	return err
}

// message is what the sources of a mapping read from.
type message struct {
	header func(name string) []string
	query  func(name string) []string // nil in responses
	path   func(name string) (string, bool)
	body   *jsonBody
}

// eval returns the mapping's values; none if the source is missing. Of a
// repeated parameter the single-value sources take the last value.
func (x *exchange) eval(m *mapping, msg *message) ([]string, error) {
	switch m.place {
	case "static":
		return []string{m.key}, nil
	case "header":
		return last(msg.header(m.key)), nil
	case "multivalueheader":
		if all := msg.header(m.key); len(all) > 0 {
			return []string{strings.Join(all, ",")}, nil
		}
	case "querystring":
		return last(msg.query(m.key)), nil
	case "multivaluequerystring":
		return msg.query(m.key), nil
	case "path":
		if v, ok := msg.path(m.key); ok {
			return []string{v}, nil
		}
	case "body":
		return msg.body.eval(m.path)
	case "stageVariables":
		if v, ok := x.st.variables[m.key]; ok {
			return []string{v}, nil
		}
	case "context":
		if v, ok := x.variable(m.key); ok {
			return []string{v}, nil
		}
	}
	return nil, nil
}

func last(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	return values[len(values)-1:]
}

// jsonBody is a payload as parameter mappings read it.
type jsonBody struct {
	raw []byte
	// inError has the JSON in an error's errorMessage read as an object, so
	// that integration.response.body.errorMessage.x works (developer guide,
	// "Handle custom Lambda errors in API Gateway").
	inError bool

	parsed bool
	doc    value.Value
	err    error
}

// eval returns the value at path, or the whole body for a nil path. Only a
// body that looks like JSON is parsed; another one has no members.
func (b *jsonBody) eval(path *jsonpath.Path) ([]string, error) {
	text := string(b.raw)
	if text == "" {
		text = "{}"
	}
	if path == nil {
		return []string{text}, nil
	}
	if !strings.ContainsRune(`{["'`, rune(text[0])) {
		return nil, nil
	}
	if !b.parsed {
		b.parsed = true
		if b.doc, b.err = value.Parse(text); b.err == nil && b.inError {
			unpackErrorMessage(b.doc)
		}
	}
	if b.err != nil {
		return nil, b.err
	}
	v, ok := path.Eval(b.doc)
	if !ok || v == nil {
		return nil, nil
	}
	switch v.(type) {
	case *value.Map, *value.List:
		return []string{string(value.AppendJSON(nil, v, maxPayload))}, nil
	}
	return []string{value.String(v)}, nil
}

func unpackErrorMessage(doc value.Value) {
	m, ok := doc.(*value.Map)
	if !ok {
		return
	}
	text, _ := m.Get("errorMessage")
	if s, ok := text.(string); ok && strings.HasPrefix(strings.TrimSpace(s), "{") {
		if inner, err := value.Parse(s); err == nil {
			m.Put("errorMessage", inner)
		}
	}
}
