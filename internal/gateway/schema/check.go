package schema

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// supported are the keywords that a model may have: those of draft 4.
var supported = map[string]nesting{
	"$schema": leaf, "$ref": leaf, "id": leaf, "title": leaf, "description": leaf, "default": leaf, "enum": leaf, "type": leaf,
	"format": leaf, "required": leaf, "multipleOf": leaf, "maximum": leaf, "exclusiveMaximum": leaf, "minimum": leaf,
	"exclusiveMinimum": leaf, "maxLength": leaf, "minLength": leaf, "pattern": leaf, "maxItems": leaf, "minItems": leaf,
	"uniqueItems": leaf, "maxProperties": leaf, "minProperties": leaf,
	"not": schemas, "items": schemas, "additionalItems": schemas, "additionalProperties": schemas,
	"allOf": schemas, "anyOf": schemas, "oneOf": schemas,
	"properties": named, "patternProperties": named, "definitions": named, "dependencies": named,
}

// nesting is what a keyword's value has of schemas.
type nesting int

const (
	leaf    nesting = iota
	schemas         // a schema or a list of some
	named           // schemas by name
)

const invalid = "Invalid model schema specified"

// Check reports what keeps a text from being a model's schema, in API
// Gateway's words. References must stay in the schema or begin with
// modelURLs, where the API's models are. That they exist isn't checked.
func Check(source, modelURLs string) error {
	doc, err := parse([]byte(source))
	if err != nil {
		return errors.New(invalid)
	}
	object, ok := doc.(map[string]any)
	if !ok {
		return errors.New(invalid)
	}
	c := checker{modelURLs: modelURLs, unknown: map[string]bool{}}
	c.schema(object)
	switch {
	case len(c.unknown) > 0:
		return errors.New(invalid + ". Unsupported keyword(s): " + jsonText(slices.Sorted(maps.Keys(c.unknown))))
	case c.foreign:
		return errors.New("Model reference must be in canonical form")
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.UseRegexpEngine(compilePattern)
	meta, err := compiler.Compile("http://json-schema.org/draft-04/schema")
	if err != nil {
		return err
	}
	delete(object, "$schema")
	if meta.Validate(object) != nil {
		return errors.New(invalid)
	}
	return nil
}

// checker looks through a schema.
type checker struct {
	modelURLs string
	unknown   map[string]bool // keywords
	foreign   bool            // a reference leads elsewhere
}

func (c *checker) schema(v any) {
	object, ok := v.(map[string]any)
	if !ok {
		return
	}
	for keyword, value := range object {
		kind, known := supported[keyword]
		if !known {
			c.unknown[keyword] = true
			continue
		}
		if ref, ok := value.(string); ok && keyword == "$ref" && !strings.HasPrefix(ref, "#") && !strings.HasPrefix(ref, c.modelURLs) {
			c.foreign = true
		}
		switch value := value.(type) {
		case map[string]any:
			if kind == schemas {
				c.schema(value)
			}
			for _, child := range value {
				if kind == named {
					c.schema(child)
				}
			}
		case []any:
			for _, child := range value {
				if kind == schemas {
					c.schema(child)
				}
			}
		}
	}
}

// References are the schemas that a schema refers to below modelURLs, by the
// rest of their URL without a fragment.
func References(source, modelURLs string) []string {
	doc, err := parse([]byte(source))
	if err != nil {
		return nil
	}
	found := map[string]bool{}
	references(doc, func(ref string) string {
		if name, ok := strings.CutPrefix(ref, modelURLs); ok {
			name, _, _ = strings.Cut(name, "#")
			found[name] = true
		}
		return ref
	})
	return slices.Sorted(maps.Keys(found))
}

// references replaces the references of a schema.
func references(v any, replace func(string) string) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if ref, ok := value.(string); ok && key == "$ref" {
				v[key] = replace(ref)
				continue
			}
			references(value, replace)
		}
	case []any:
		for _, value := range v {
			references(value, replace)
		}
	}
}

// Flatten returns a schema with the models that it refers to, and those that
// they refer to, among its definitions. lookup returns a model's schema, or
// false.
func Flatten(source, modelURLs string, lookup func(name string) (string, bool)) (string, error) {
	doc, err := parse([]byte(source))
	if err != nil {
		return "", err
	}
	root, ok := doc.(map[string]any)
	if !ok {
		return source, nil
	}
	definitions, _ := root["definitions"].(map[string]any)
	if definitions == nil {
		definitions = map[string]any{}
	}
	var inline func(v any)
	inline = func(v any) {
		references(v, func(ref string) string {
			rest, ok := strings.CutPrefix(ref, modelURLs)
			if !ok {
				return ref
			}
			name, _, _ := strings.Cut(rest, "#")
			if model, ok := lookup(name); ok && definitions[name] == nil {
				if child, err := parse([]byte(model)); err == nil {
					definitions[name] = child
					inline(child)
				}
			}
			return "#/definitions/" + name
		})
	}
	inline(doc)
	if len(definitions) > 0 {
		root["definitions"] = definitions
	}
	return jsonText(root), nil
}
