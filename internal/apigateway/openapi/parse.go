package openapi

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// ErrInvalid is the answer to what is no OpenAPI document (recorded).
var ErrInvalid = errors.New("Invalid OpenAPI input.") // AWS's own text

// maxNodes bounds what the aliases of a YAML document can grow to.
const maxNodes = 1 << 20

// parse reads a document in JSON or YAML.
func parse(body []byte) (*node, error) {
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '{' {
		if n, err := parseJSON(trimmed); err == nil {
			return n, nil
		}
	}
	return parseYAML(body)
}

func parseJSON(body []byte) (*node, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true))
	n, err := decodeJSON(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, ErrInvalid
	}
	return n, nil
}

func decodeJSON(dec *jsontext.Decoder) (*node, error) {
	tok, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch tok.Kind() {
	case '"':
		return textNode(tok.String()), nil
	case '0':
		return &node{kind: number, text: tok.String()}, nil
	case 't', 'f':
		return boolNode(tok.Bool()), nil
	case '[':
		n := &node{kind: list}
		for dec.PeekKind() != ']' {
			item, err := decodeJSON(dec)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		_, err := dec.ReadToken()
		return n, err
	case '{':
		n := newObject()
		for dec.PeekKind() != '}' {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String()
			value, err := decodeJSON(dec)
			if err != nil {
				return nil, err
			}
			n.set(key, value)
		}
		_, err := dec.ReadToken()
		return n, err
	}
	return &node{}, nil
}

func parseYAML(body []byte) (*node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(body, &doc); err != nil || len(doc.Content) != 1 {
		return nil, ErrInvalid
	}
	budget := maxNodes
	return fromYAML(doc.Content[0], &budget)
}

// fromYAML converts a YAML node. Dates stay the text they are written as.
func fromYAML(y *yaml.Node, budget *int) (*node, error) {
	if *budget--; *budget < 0 {
		return nil, ErrInvalid
	}
	switch y.Kind {
	case yaml.AliasNode:
		return fromYAML(y.Alias, budget)
	case yaml.SequenceNode:
		n := &node{kind: list}
		for _, item := range y.Content {
			v, err := fromYAML(item, budget)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, v)
		}
		return n, nil
	case yaml.MappingNode:
		return fromMapping(y, budget)
	}
	switch y.ShortTag() {
	case "!!null":
		return &node{}, nil
	case "!!bool":
		var b bool
		if err := y.Decode(&b); err != nil {
			return nil, ErrInvalid
		}
		return boolNode(b), nil
	case "!!int", "!!float":
		return &node{kind: number, text: y.Value}, nil
	}
	return textNode(y.Value), nil
}

// fromMapping converts a mapping. Members of a merged one (<<) stand behind
// its own, which win.
func fromMapping(y *yaml.Node, budget *int) (*node, error) {
	n := newObject()
	var merged []*node
	for i := 0; i+1 < len(y.Content); i += 2 {
		v, err := fromYAML(y.Content[i+1], budget)
		if err != nil {
			return nil, err
		}
		if y.Content[i].ShortTag() == "!!merge" {
			merged = append(append(merged, v), v.elements()...)
			continue
		}
		n.set(y.Content[i].Value, v)
	}
	for _, m := range merged {
		for key, v := range m.fields() {
			if n.get(key) == nil {
				n.set(key, v)
			}
		}
	}
	return n, nil
}
