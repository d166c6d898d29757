package vtl

import (
	"github.com/butai-dev/butai/internal/gateway/jsonpath"
	"github.com/butai-dev/butai/internal/gateway/value"
)

// object returns the value that a variable has before the template sets it.
func object(name string) Value {
	switch name {
	case "input":
		return inputObject{}
	case "util":
		return utilObject{}
	case "context":
		return contextObject{}
	case "stageVariables":
		return stageObject{}
	}
	return nil
}

// inputObject is $input.
type inputObject struct{}

// AppendJava prints nothing: what API Gateway prints for $input is not known.
func (inputObject) AppendJava(dst []byte) []byte { return dst }

func (inputObject) callMethod(st *state, s *refStep, args []Value) (Value, error) {
	env := st.env
	switch {
	case s.name == "params" && len(args) == 0:
		return paramsOf(env), nil
	case s.name == "params" && len(args) == 1:
		name, ok := args[0].(string)
		if !ok {
			return "", nil
		}
		return param(env, name).boxed(), nil
	case s.name == "path" && len(args) == 1:
		v, _, err := query(st, s, args[0])
		return v, err
	case s.name == "json" && len(args) == 1:
		if s.path != nil && s.path.IsRoot() {
			if b, ok := st.appendBody(nil); ok {
				return string(b), st.spend(len(b) / 64)
			}
		}
		v, ok, err := query(st, s, args[0])
		if err != nil {
			return nil, err
		}
		if !ok {
			return `""`, nil
		}
		b := value.AppendJSON(nil, v, MaxOutput)
		if len(b) > MaxOutput {
			return nil, errOutput
		}
		return string(b), st.spend(len(b) / 64)
	case s.name == "getBody" && len(args) == 0:
		return env.bodyText(), nil
	}
	return nil, nil
}

// query evaluates the JSONPath of a .path or .json call on the payload.
func query(st *state, s *refStep, arg Value) (Value, bool, error) {
	env, path := st.env, s.path
	if path == nil {
		expr, ok := arg.(string)
		if !ok {
			return nil, false, nil
		}
		var err error
		if path, err = jsonpath.Compile(expr); err != nil {
			return nil, false, err
		}
	}
	doc, ok := st.document()
	if !ok {
		return nil, false, nil
	}
	if !path.IsDefinite() {
		if err := st.spend(len(env.body) / 16); err != nil {
			return nil, false, err
		}
	}
	v, ok := path.Eval(doc)
	return v, ok, nil
}

// param is $input.params('name'): the path's value, or the query string's, or
// the header's, or the empty string.
func param(env *Env, name string) outcome {
	for _, group := range [...]Source{env.Path, env.Query, env.Header} {
		if group == nil {
			continue
		}
		if texts, ok := group.(TextSource); ok {
			if text, ok := texts.Text(name); ok {
				return textOutcome(text)
			}
		}
		if v, ok := group.Lookup(name); ok {
			return outcome{value: v}
		}
	}
	return textOutcome("")
}

// paramsOf is $input.params().
func paramsOf(env *Env) Value {
	return value.NewMap(
		value.Entry{Key: "path", Value: source{env.Path, false}},
		value.Entry{Key: "querystring", Value: source{env.Query, false}},
		value.Entry{Key: "header", Value: source{env.Header, false}})
}

// stageObject is $stageVariables.
type stageObject struct{}

// AppendJava prints nothing, as for $context.
func (stageObject) AppendJava(dst []byte) []byte { return dst }

func (stageObject) source(env *Env) source { return source{env.StageVariables, true} }

func (o stageObject) callMethod(st *state, s *refStep, args []Value) (Value, error) {
	return o.source(st.env).callMethod(st, s, args)
}

// contextObject is $context.
type contextObject struct{}

// AppendJava prints nothing: what API Gateway prints for $context as a whole
// is not known.
func (contextObject) AppendJava(dst []byte) []byte { return dst }

// lookup returns one of $context's values. What has no value is the empty
// string, which is true as a condition, and not null (reported for API Gateway).
func (contextObject) lookup(env *Env, name string) Value {
	switch name {
	case "requestOverride":
		return env.requestOverride()
	case "responseOverride":
		return env.responseOverride()
	}
	return source{env.Context, true}.lookup(name)
}

// descend takes the first steps of a reference to $context that name its groups,
// and tells how many it took.
func (st *state) descend(steps []refStep) (outcome, int) {
	group := st.env.Context
	for i := range steps {
		s := &steps[i]
		switch {
		case i == 0 && (s.kind != property || s.name == "requestOverride" || s.name == "responseOverride"):
			return outcome{value: contextObject{}}, 0
		case group == nil:
			return textOutcome(""), i + 1
		case s.kind != property:
			return outcome{value: source{group, true}}, i
		}
		if texts, ok := group.(TextSource); ok {
			if text, ok := texts.Text(s.name); ok {
				return textOutcome(text), i + 1
			}
		}
		v, _ := group.Lookup(s.name)
		if v == nil {
			return textOutcome(""), i + 1
		}
		inner, ok := v.(Source)
		if !ok {
			return outcome{value: v}, i + 1
		}
		group = inner
	}
	return outcome{value: source{group, true}}, len(steps)
}

func (c contextObject) callMethod(st *state, s *refStep, args []Value) (Value, error) {
	if s.name == "get" && len(args) == 1 {
		name, err := st.text(args[0])
		return c.lookup(st.env, name), err
	}
	return s.methods.dict.call(callee{st, s, c.toMap(st.env)}, args)
}

// toMap lists $context. The overrides stand where the gateway's Keys name
// them, or else at the end.
func (c contextObject) toMap(env *Env) *value.Map {
	m := source{env.Context, true}.toMap()
	m.Put("requestOverride", env.requestOverride())
	m.Put("responseOverride", env.responseOverride())
	return m
}

// source is a Source as a template sees it: a read-only map.
type source struct {
	of Source
	// ambient marks $context, its groups and $stageVariables. They print
	// nothing as a whole (recorded for identity), and what they lack is the
	// empty string; the groups of $input.params() are plain maps.
	ambient bool
}

func (s source) lookup(name string) Value {
	var v Value
	if s.of != nil {
		v, _ = s.of.Lookup(name)
	}
	if v == nil {
		if s.ambient {
			return ""
		}
		return nil
	}
	if group, ok := v.(Source); ok {
		return source{group, s.ambient}
	}
	return v
}

func (s source) toMap() *value.Map {
	m := &value.Map{}
	if s.of != nil {
		for _, key := range s.of.Keys() {
			m.Put(key, s.lookup(key))
		}
	}
	return m
}

func (s source) keys() []string {
	if s.of == nil {
		return nil
	}
	return s.of.Keys()
}

func (s source) keySet() *value.List {
	keys := s.keys()
	items := make([]Value, len(keys))
	for i, key := range keys {
		items[i] = key
	}
	return value.NewList(items...)
}

func (s source) AppendJava(dst []byte) []byte {
	if s.ambient {
		return dst
	}
	return value.AppendJava(dst, s.toMap(), len(dst)+MaxOutput)
}

func (s source) callMethod(st *state, step *refStep, args []Value) (Value, error) {
	switch step.name {
	case "get":
		if len(args) == 1 {
			name, err := st.text(args[0])
			if err != nil {
				return nil, err
			}
			return s.lookup(name), nil
		}
	case "keySet":
		if len(args) == 0 {
			return s.keySet(), nil
		}
	case "put", "putAll", "putIfAbsent", "remove", "clear":
		return nil, nil
	}
	return step.methods.dict.call(callee{st, step, s.toMap()}, args)
}
