package openapi

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// Source is a deployed API, as an export shows it.
type Source struct {
	API               apigatewayapi.RestApi
	Resources         []apigatewayapi.Resource
	Models            []apigatewayapi.Model
	Authorizers       []apigatewayapi.Authorizer
	RequestValidators []apigatewayapi.RequestValidator
	GatewayResponses  []apigatewayapi.GatewayResponse
	// Documentation is the version that the stage has, if any.
	Documentation        []apigatewayapi.DocumentationPart
	DocumentationVersion *apigatewayapi.DocumentationVersion

	Host     string
	Stage    string
	Deployed time.Time // stands in for a version
}

// Format says how an API is to be exported.
type Format struct {
	Swagger bool // 2.0, else OpenAPI 3.0
	YAML    bool // else JSON
	// The extensions that come along.
	Integrations, Authorizers, Validators, GatewayResponses, Documentation bool
}

// exporter builds one document.
type exporter struct {
	*Source
	Format
	schemes    *node           // security schemes in use
	used       map[string]bool // models in use
	models     map[string]*apigatewayapi.Model
	authorizer map[string]*apigatewayapi.Authorizer
	validator  map[string]string // names by id
}

// Export writes a document (recorded for plain ones and integrations).
func Export(src *Source, f Format) []byte {
	e := &exporter{
		Source: src, Format: f, schemes: newObject(), used: map[string]bool{}, models: map[string]*apigatewayapi.Model{},
		authorizer: map[string]*apigatewayapi.Authorizer{}, validator: map[string]string{},
	}
	for i := range src.Models {
		e.models[*src.Models[i].Name] = &src.Models[i]
	}
	for i := range src.Authorizers {
		e.authorizer[*src.Authorizers[i].Id] = &src.Authorizers[i]
	}
	for _, v := range src.RequestValidators {
		e.validator[*v.Id] = *v.Name
	}
	doc := e.document()
	var b strings.Builder
	if f.YAML {
		b.WriteString("---\n")
		printYAML(&b, doc, 0)
	} else {
		printJSON(&b, doc, 0)
	}
	return []byte(b.String())
}

// Version is what the document calls the API's version.
func (s *Source) Version() string {
	if v := wire.Val(s.API.Version); v != "" {
		return v
	}
	return s.Deployed.UTC().Format("2006-01-02T15:04:05Z")
}

func (e *exporter) document() *node {
	paths, doc := e.paths(), newObject()
	if e.Swagger {
		doc.set("swagger", textNode("2.0"))
		doc.set("info", newObject().setText("description", e.API.Description).set("version", textNode(e.Version())).setText("title", e.API.Name))
		doc.set("host", textNode(e.Host)).set("basePath", textNode("/"+e.Stage)).set("schemes", textList("https"))
		doc.set("paths", paths)
		doc.set("securityDefinitions", notEmpty(e.schemes)).set("definitions", notEmpty(e.schemas()))
	} else {
		doc.set("openapi", textNode("3.0.1"))
		doc.set("info", newObject().setText("title", e.API.Name).setText("description", e.API.Description).set("version", textNode(e.Version())))
		server := newObject().set("url", textNode("https://"+e.Host+"/{basePath}")).
			set("variables", newObject().set("basePath", newObject().set("default", textNode(e.Stage))))
		doc.set("servers", &node{kind: list, items: []*node{server.set(extEndpoint, e.endpoint())}})
		doc.set("paths", paths)
		doc.set("components", newObject().set("schemas", notEmpty(e.schemas())).set("securitySchemes", notEmpty(e.schemes)))
	}
	e.documentInfo(doc.get("info"))
	e.extensions(doc)
	return doc
}

// notEmpty is n, or nil if it has no members.
func notEmpty(n *node) *node {
	if len(n.keys) == 0 {
		return nil
	}
	return n
}

// extensions adds what belongs to the API as a whole.
func (e *exporter) extensions(doc *node) {
	if e.Validators {
		all := newObject()
		for _, v := range e.RequestValidators {
			all.set(*v.Name, newObject().set("validateRequestParameters", boolNode(wire.Val(v.ValidateRequestParameters))).
				set("validateRequestBody", boolNode(wire.Val(v.ValidateRequestBody))))
		}
		doc.set(extValidators, notEmpty(all))
	}
	if e.Format.GatewayResponses {
		all := newObject()
		for _, g := range e.Source.GatewayResponses {
			all.set(*g.ResponseType, newObject().set("statusCode", numberOf(g.StatusCode)).
				set("responseParameters", textsNode(g.ResponseParameters)).set("responseTemplates", textsNode(g.ResponseTemplates)))
		}
		doc.set(extGatewayAnswers, notEmpty(all))
	}
	if e.Integrations {
		if e.Swagger {
			doc.set(extEndpoint, e.endpoint())
		}
		if policy := wire.Val(e.API.Policy); policy != "" {
			if n, err := parseJSON([]byte(policy)); err == nil {
				doc.set(extPolicy, n)
			}
		}
		if len(e.API.BinaryMediaTypes) > 0 {
			doc.set(extBinaryTypes, textList(e.API.BinaryMediaTypes...))
		}
		if wire.Val(e.API.ApiKeySource) == apigatewayapi.ApiKeySourceTypeAUTHORIZER {
			doc.setText(extAPIKeySource, e.API.ApiKeySource)
		}
		doc.setText(extSecurityPolicy, e.API.SecurityPolicy).setText(extAccessMode, e.API.EndpointAccessMode)
		if n := e.API.MinimumCompressionSize; n != nil {
			doc.set(extCompression, intNode(*n))
		}
	}
	if e.Format.Documentation {
		doc.set(extDocumentation, e.documentationNode())
	}
}

// endpoint is the API's endpoint configuration as far as it differs from
// every API's.
func (e *exporter) endpoint() *node {
	if !e.Integrations {
		return nil
	}
	n := newObject()
	if wire.Val(e.API.DisableExecuteApiEndpoint) {
		n.set("disableExecuteApiEndpoint", boolNode(true))
	}
	if c := e.API.EndpointConfiguration; c != nil && len(c.VpcEndpointIds) > 0 {
		n.set("vpcEndpointIds", textList(c.VpcEndpointIds...))
	}
	return notEmpty(n)
}

// schemas are the models in use, and those that they refer to.
func (e *exporter) schemas() *node {
	out := newObject()
	var add func(name string)
	add = func(name string) {
		m := e.models[name]
		if m == nil || out.get(name) != nil {
			return
		}
		schema, err := parseJSON([]byte(wire.Val(m.Schema)))
		if err != nil || !schema.isObject() {
			schema = newObject().set("type", textNode("object"))
		}
		var others []string
		out.set(name, e.schema(schema, &others))
		for _, other := range others {
			add(other)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.used)) {
		add(name)
	}
	return out
}

// schema converts a model's schema into one of the document, and notes the
// models that it refers to.
func (e *exporter) schema(n *node, others *[]string) *node {
	if n == nil || n.kind != object && n.kind != list {
		return n
	}
	out := &node{kind: n.kind}
	for i, item := range n.items {
		if n.kind == list {
			out.items = append(out.items, e.schema(item, others))
			continue
		}
		switch key := n.keys[i]; {
		case key == "$schema":
		case key == "$ref" && strings.HasPrefix(item.str(), modelAddress):
			name := item.str()[strings.LastIndexByte(item.str(), '/')+1:]
			*others = append(*others, name)
			out.set(key, textNode(e.schemaAddress(name)))
		default:
			out.set(key, e.schema(item, others))
		}
	}
	return out
}

func (e *exporter) schemaAddress(model string) string {
	if e.Swagger {
		return "#/definitions/" + model
	}
	return "#/components/schemas/" + model
}

// useSchema refers to a model.
func (e *exporter) useSchema(model string) *node {
	e.used[model] = true
	return newObject().set("$ref", textNode(e.schemaAddress(model)))
}

// numberOf is a status code as the number it is.
func numberOf(code *string) *node {
	if wire.Val(code) == "" {
		return nil
	}
	return &node{kind: number, text: *code}
}

func intNode(n int64) *node {
	return &node{kind: number, text: strconv.FormatInt(n, 10)}
}

// textsNode is an object of texts, sorted by key; nil if there are none.
func textsNode(m map[string]string) *node {
	out := newObject()
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out.set(key, textNode(m[key]))
	}
	return notEmpty(out)
}
