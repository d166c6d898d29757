package openapi

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

var modelName = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// modelAddress is what a reference to a model is in a schema that API Gateway
// keeps (recorded).
const modelAddress = "https://apigateway.amazonaws.com/restapis/"

// namedModels makes a model of every schema that the document names.
func (r *reader) namedModels() {
	for name := range r.schemas.fields() {
		r.models[name] = true
	}
	for name, schema := range r.schemas.fields() {
		if !modelName.MatchString(name) {
			r.fail("Unable to create model for '%s': Model name must be alphanumeric: %s", name, name)
			continue
		}
		if missing := r.missingModels(schema, nil); missing != nil {
			for i, m := range missing {
				missing[i] = "Invalid model specified: " + m
			}
			r.fail("Unable to create model for '%s': Invalid model specified: Validation Result: warnings : [], errors : [%s]", name, strings.Join(missing, ", "))
			continue
		}
		r.addModel(name, schema)
	}
}

func (r *reader) addModel(name string, schema *node) {
	var b strings.Builder
	printJSON(&b, r.schema(schema), 0)
	r.models[name] = true
	r.api.Models = append(r.api.Models, apigatewayapi.Model{
		Name: &name, ContentType: wire.Ptr("application/json"), Description: schema.get("description").optional(), Schema: wire.Ptr(b.String()),
	})
}

// missingModels appends the names that references in a schema go to and no
// model has.
func (r *reader) missingModels(n *node, found []string) []string {
	if ref := n.get("$ref").str(); ref != "" {
		if name, ok := r.modelOf(ref); ok && !r.models[name] && !slices.Contains(found, name) {
			found = append(found, name)
		}
		return found
	}
	if n != nil {
		for _, item := range n.items {
			found = r.missingModels(item, found)
		}
	}
	return found
}

// modelOf is the model that a reference of a schema goes to.
func (r *reader) modelOf(ref string) (string, bool) {
	prefix := "#/components/schemas/"
	if r.swagger {
		prefix = "#/definitions/"
	}
	return strings.CutPrefix(ref, prefix)
}

// useModel is the name of the model for a schema of a body: the one it refers
// to, or else one made for it. Its name follows from the schema, so that it
// stays when the document is imported again; AWS's look the same.
func (r *reader) useModel(schema *node) (string, bool) {
	if ref := schema.get("$ref").str(); ref != "" {
		name, ok := r.modelOf(ref)
		if !ok || !r.models[name] {
			r.warn("Reference to model '%s' not found. Ignoring.", name)
			return "", false
		}
		return name, true
	}
	sum := sha256.Sum256([]byte(compactJSON(r.schema(schema))))
	name := "MODEL" + hex.EncodeToString(sum[:3])
	if !r.models[name] {
		r.addModel(name, schema)
	}
	return name, true
}

// keywords are those of a schema in the order in which API Gateway prints
// them (recorded as far as the recordings have them). Others follow.
var keywords = []string{
	"$schema", "id", "title", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength",
	"pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required", "type", "not", "properties",
	"additionalProperties", "description", "format", "default", "enum", "items", "allOf", "anyOf", "oneOf",
}

// dropped are keywords of OpenAPI that JSON schema, draft 4, has not
// (developer guide, "Amazon API Gateway important notes").
var dropped = []string{"discriminator", "example", "examples", "externalDocs", "nullable", "readOnly", "writeOnly", "xml", "deprecated"}

// schema converts a schema of the document into one of a model.
func (r *reader) schema(n *node) *node {
	if !n.isObject() {
		return n
	}
	if ref := n.get("$ref"); ref != nil {
		if name, ok := r.modelOf(ref.str()); ok {
			return newObject().set("$ref", textNode(modelAddress+r.APIID+"/models/"+name))
		}
		return newObject().set("$ref", ref)
	}
	out := newObject()
	for _, key := range keywords {
		out.set(key, r.keyword(key, n.get(key)))
	}
	for key, v := range n.fields() {
		if !slices.Contains(keywords, key) && !slices.Contains(dropped, key) && !strings.HasPrefix(key, "x-") {
			out.set(key, r.keyword(key, v))
		}
	}
	return out
}

// keyword converts the value of a keyword, which may hold schemas.
func (r *reader) keyword(key string, v *node) *node {
	switch key {
	case "not", "additionalProperties", "items":
		if v.isObject() {
			return r.schema(v)
		}
	case "properties", "definitions", "patternProperties":
		if v.isObject() {
			out := newObject()
			for name, schema := range v.fields() {
				out.set(name, r.schema(schema))
			}
			return out
		}
	}
	if v == nil || v.kind != list {
		return v
	}
	out := &node{kind: list}
	for _, item := range v.items {
		if key != "enum" && key != "default" {
			item = r.schema(item)
		}
		out.items = append(out.items, item)
	}
	return out
}
