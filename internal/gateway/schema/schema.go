// Package schema validates request bodies against the models of an API: JSON
// Schema draft 4. It is pure; what is wrong with a body it words as the Java
// library behind API Gateway does, com.github.fge's json-schema-validator.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dlclark/regexp2/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// patternTimeout bounds the match of a pattern that backtracks.
const patternTimeout = 100 * time.Millisecond

// Bounds on bodies and schemas.
const (
	maxDepth    = 1000 // of nesting (measured)
	maxDigits   = 1000 // of a number: Jackson's own limit
	maxExponent = 4    // digits
)

// ErrUnparsed says that a body is no JSON, or is beyond the bounds.
var ErrUnparsed = errors.New("body is no JSON")

// ErrLoop says that a schema refers to itself without end.
var ErrLoop = errors.New("schema refers to itself without end")

// Models are the schemas of an API's models. They may refer to each other by
// URL. Add them all before the first Compile.
type Models struct {
	compiler *jsonschema.Compiler
}

// NewModels returns an empty set.
func NewModels() *Models {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	c.AssertFormat()
	c.UseLoader(noLoader{})
	c.UseRegexpEngine(compilePattern)
	for _, name := range unassertedFormats {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(any) error { return nil }})
	}
	c.RegisterFormat(&jsonschema.Format{Name: "uri", Validate: validateURI})
	return &Models{c}
}

// unassertedFormats are formats that the Go library knows and the Java one
// lets pass.
var unassertedFormats = []string{
	"date", "time", "duration", "period", "iri", "uri-reference", "iri-reference", "uri-template", "semver", "relative-json-pointer",
}

// validateURI lets relative references pass too, as java.net.URI does.
func validateURI(v any) error {
	if s, ok := v.(string); ok {
		_, err := url.Parse(s)
		return err
	}
	return nil
}

// Add adds the schema of a model. It reports a source that is no JSON object.
func (m *Models) Add(at, source string) error {
	doc, err := parse([]byte(source))
	if err != nil {
		return err
	}
	object, ok := doc.(map[string]any)
	if !ok {
		return errors.New("a schema is an object")
	}
	// Whatever a model says it is, API Gateway reads it as draft 4.
	delete(object, "$schema")
	return m.compiler.AddResource(at, object)
}

// Compile returns the schema that was added under the URL.
func (m *Models) Compile(at string) (*Schema, error) {
	s, err := m.compiler.Compile(at)
	if err != nil {
		return nil, err
	}
	return &Schema{s}, nil
}

// noLoader keeps references within the models.
type noLoader struct{}

func (noLoader) Load(at string) (any, error) { return nil, fmt.Errorf("no model has the URL %s", at) }

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct {
	compiled *jsonschema.Schema
}

// Validate returns what is wrong with a body, nil if it conforms. The error is
// ErrUnparsed or ErrLoop.
func (s *Schema) Validate(body []byte) ([]string, error) {
	doc, err := parse(body)
	if err != nil {
		return nil, ErrUnparsed
	}
	err = s.compiled.Validate(doc)
	if err == nil {
		return nil, nil
	}
	var failed *jsonschema.ValidationError
	if errors.As(err, &failed) && loops(failed) {
		return nil, ErrLoop
	}
	var r report
	r.check(s.compiled, doc, body)
	if len(r.messages) == 0 {
		// The two libraries disagree; the one that decides has the word.
		return []string{err.Error()}, nil
	}
	return r.messages, nil
}

func loops(e *jsonschema.ValidationError) bool {
	if _, ok := e.ErrorKind.(*kind.RefCycle); ok {
		return true
	}
	return slices.ContainsFunc(e.Causes, loops)
}

// parse decodes one JSON value, numbers as they are written.
func parse(source []byte) (any, error) {
	if tooMuch(source) {
		return nil, ErrUnparsed
	}
	d := json.NewDecoder(bytes.NewReader(source))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text behind the value")
	}
	return v, nil
}

// tooMuch finds text that would cost more than it is worth: brackets too deep,
// or a number of too many digits or with an exponent that takes as many.
func tooMuch(source []byte) bool {
	depth, quoted, digits, exponent := 0, false, 0, 0
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		case '0' <= c && c <= '9':
			digits++
			if exponent > 0 {
				exponent++
			}
			if digits > maxDigits || exponent > maxExponent+1 {
				return true
			}
			continue
		case digits > 0 && (c == 'e' || c == 'E'):
			exponent = 1
			continue
		case digits > 0 && (c == '.' || c == '-' || c == '+'):
			continue
		}
		digits, exponent = 0, 0
	}
	return false
}

// pattern is a regular expression of ECMA 262.
type pattern struct {
	full   *regexp2.Regexp
	linear *regexp.Regexp // takes its place where it means the same; or nil
}

func compilePattern(expr string) (jsonschema.Regexp, error) {
	full, err := regexp2.Compile(expr, regexp2.ECMAScript)
	if err != nil {
		return nil, err
	}
	full.MatchTimeout = patternTimeout
	p := pattern{full: full}
	// Of what both engines take, they read dots, spaces and \u differently.
	if !strings.ContainsAny(expr, ".") && !differing.MatchString(expr) {
		if linear, err := regexp.Compile(expr); err == nil {
			p.linear = linear
		}
	}
	return p, nil
}

var differing = regexp.MustCompile(`\\[sSuxc0-9]`)

// MatchString reports whether the pattern is found in s. One that takes too
// long isn't.
func (p pattern) MatchString(s string) bool {
	if p.linear != nil {
		return p.linear.MatchString(s)
	}
	ok, err := p.full.MatchString(s)
	return ok && err == nil
}

func (p pattern) String() string { return p.full.String() }
