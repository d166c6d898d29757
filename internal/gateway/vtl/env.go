package vtl

import (
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// Value is what templates compute with; see package value for its types. A
// Source may also return another Source.
type Value = value.Value

// Source is a read-only group of named values, asked only for what a template
// mentions, so that a request need not prepare what nobody reads.
type Source interface {
	// Lookup returns the value of name and whether there is one. A value may
	// be nil (JSON null), a string, number or bool, a *value.Map or a Source.
	Lookup(name string) (Value, bool)
	// Keys returns the names in the order in which API Gateway lists them.
	Keys() []string
}

// TextSource is a Source that can give texts without making values of them.
type TextSource interface {
	Source
	// Text returns the text of name, or false if it has no value or another
	// than a text.
	Text(name string) (string, bool)
}

// Texts is a Source of texts that many renderings read; its keys are listed in
// sorted order. The zero Texts is empty.
type Texts struct {
	keys   []string
	values []Value
}

// NewTexts returns the texts of a map.
func NewTexts(texts map[string]string) *Texts {
	t := &Texts{keys: slices.Sorted(maps.Keys(texts))}
	for _, key := range t.keys {
		t.values = append(t.values, texts[key])
	}
	return t
}

// fewKeys is up to how many keys looking at each is faster than bisection.
const fewKeys = 8

// Lookup implements Source.
func (t *Texts) Lookup(name string) (Value, bool) {
	if len(t.keys) > fewKeys {
		i, ok := slices.BinarySearch(t.keys, name)
		if !ok {
			return nil, false
		}
		return t.values[i], true
	}
	for i := range t.keys {
		if t.keys[i] == name {
			return t.values[i], true
		}
	}
	return nil, false
}

// Keys implements Source.
func (t *Texts) Keys() []string { return t.keys }

// Env is what one rendering sees. The zero Env is a request without body,
// parameters, context and stage variables. An Env belongs to one goroutine.
//
// The response template of a request is rendered with the same Env after
// SetBody, since $input.params() still reads the request there and overrides
// outlive the request template.
type Env struct {
	// Path, Query and Header are the request's parameters for
	// $input.params(); nil means none. A parameter given more than once has
	// its last value.
	Path, Query, Header Source
	// Context is $context. Groups such as identity are Sources in it. The two
	// overrides are the engine's: Lookup is not asked for them, but Keys may
	// name them to say where they stand among the keys.
	Context Source
	// StageVariables is $stageVariables, a canary's overrides included.
	StageVariables Source
	// Vars are further variables that have a value from the start. The gateway
	// has none; a person who tries out a template may want some. The four
	// objects of API Gateway cannot be replaced.
	Vars *value.Map
	// Trace, if set, is told each reference that is read.
	Trace func(Reading)

	body         []byte
	text         string
	hasText      bool
	requestOver  *value.Map
	responseOver *value.Map
}

// Reading is a reference that a rendering read: to print it, to decide by it,
// or as a part of an expression.
type Reading struct {
	Source       string // as written in the template
	Line, Column int    // both counted from 1, the column in characters
	Value        Value  // nil if it has none; it may be changed afterwards
}

// Text is the value as it prints, or "null".
func (r *Reading) Text() string { return value.String(r.Value) }

// SetBody sets the payload that $input reads: the request's body, or the
// integration's response. It is not copied, must not change during a rendering,
// and is parsed only if a template asks for its content.
func (e *Env) SetBody(body []byte) {
	e.body = body
	e.text, e.hasText = "", false
}

// RequestOverride returns what templates put into $context.requestOverride,
// or nil if none looked at it. It holds maps under "header", "querystring" and
// "path", and whatever else a template stored to carry it along.
func (e *Env) RequestOverride() *value.Map { return e.requestOver }

// ResponseOverride returns what templates put into $context.responseOverride,
// or nil if none looked at it: a map under "header" and maybe "status".
func (e *Env) ResponseOverride() *value.Map { return e.responseOver }

// bodyText is $input.body: the payload as it came, {} if there is none
// (recorded from API Gateway: the empty body also prints {} in strings).
func (e *Env) bodyText() string {
	if !e.hasText {
		e.text, e.hasText = string(e.body), true
		if e.text == "" {
			e.text = "{}"
		}
	}
	return e.text
}

func (e *Env) requestOverride() *value.Map {
	if e.requestOver == nil {
		e.requestOver = value.NewMap(
			value.Entry{Key: "header", Value: &value.Map{}},
			value.Entry{Key: "querystring", Value: &value.Map{}},
			value.Entry{Key: "path", Value: &value.Map{}})
	}
	return e.requestOver
}

func (e *Env) responseOverride() *value.Map {
	if e.responseOver == nil {
		e.responseOver = value.NewMap(value.Entry{Key: "header", Value: &value.Map{}})
	}
	return e.responseOver
}
