package vtl

import "github.com/butai-dev/butai/internal/gateway/value"

// outcome is a value of which a string is not boxed: many are only printed, or
// handed to one of $util's functions.
type outcome struct {
	text   string
	isText bool
	value  Value // unless isText
}

func textOutcome(s string) outcome { return outcome{text: s, isText: true} }

// boxed is the outcome as any value.
func (o outcome) boxed() Value {
	if o.isText {
		return o.text
	}
	return o.value
}

// evalText is e.eval.
func evalText(st *state, e expr) (outcome, error) {
	if r, ok := e.(*ref); ok && st.env.Trace == nil && !r.void {
		o, err := r.outcome(st)
		return o, locate(err, r.source, r.line, r.column)
	}
	v, err := e.eval(st)
	if s, ok := v.(string); ok {
		return textOutcome(s), err
	}
	return outcome{value: v}, err
}

// outcome evaluates r without telling a trace.
func (r *ref) outcome(st *state) (outcome, error) {
	switch v := st.vars[r.slot].(type) {
	case contextObject:
		if o, n := st.descend(r.steps); n > 0 && n == len(r.steps) {
			return o, nil
		}
	case *value.Scalar:
		if text, ok := v.Text(); ok && len(r.steps) == 0 {
			return textOutcome(text), nil
		}
	}
	return r.outcomeOf(st, len(r.steps))
}

// outcomeOf is walk.
func (r *ref) outcomeOf(st *state, n int) (outcome, error) {
	if n == 0 {
		v, err := r.walk(st, 0)
		return unboxed(v), err
	}
	s := &r.steps[n-1]
	if s.shortcut == replaceAll {
		o, err := r.outcomeOf(st, n-1)
		if o.isText && err == nil {
			return s.replace(st, o.text)
		}
		return s.outcome(st, o.value, err)
	}
	owner, err := r.walk(st, n-1)
	return s.outcome(st, owner, err)
}

// outcome is apply, unless err says that there is nothing to apply it to.
func (s *refStep) outcome(st *state, owner Value, err error) (outcome, error) {
	if owner == nil || err != nil {
		return outcome{}, err
	}
	switch o := owner.(type) {
	case *value.Map:
		if s.kind == property {
			if text, ok := o.SeekText(s.name, &s.guess); ok {
				return textOutcome(text), nil
			}
		}
	case *value.List:
		if s.shortcut == sizeOf {
			return outcome{value: int64(o.Len())}, st.spend(1)
		}
	case inputObject:
		if s.shortcut == paramOf {
			name, _ := s.args[0].(constant).value.(string)
			return param(st.env, name), st.spend(1)
		}
	case utilObject:
		if s.kind == method && len(s.args) == 1 {
			arg, err := evalText(st, s.args[0])
			if err != nil {
				return outcome{}, err
			}
			return s.callUtil(st, arg)
		}
	}
	v, err := s.apply(st, owner)
	return unboxed(v), err
}

// get is the call of a step that gets a name of a map or a source; done is
// false for other owners, which were asked nothing.
func (s *refStep) get(st *state, owner Value) (got Value, done bool, err error) {
	var of source
	m, isMap := owner.(*value.Map)
	if !isMap {
		switch o := owner.(type) {
		case source:
			of = o
		case stageObject:
			of = o.source(st.env)
		default:
			return nil, false, nil
		}
	}
	name, err := evalText(st, s.args[0])
	if err == nil && !name.isText {
		name.text, err = st.text(name.value)
	}
	if err != nil {
		return nil, true, err
	}
	if isMap {
		got, _ = m.Get(name.text)
	} else {
		got = of.lookup(name.text)
	}
	text, _ := got.(string)
	return got, true, st.spend(1 + len(text)/64)
}

// replace is the call of a step that replaces one constant text by another, as
// the developer guide has templates undo what escapeJavaScript does to quotes.
func (s *refStep) replace(st *state, text string) (outcome, error) {
	with := s.args[1].(constant).value.(string)
	if err := st.spend(10 + len(text)/16); err != nil {
		return outcome{}, err
	}
	out, err := s.pattern.replace(text, with, false)
	if err != nil {
		return outcome{}, err
	}
	return textOutcome(out), st.spend(1 + len(out)/64)
}

func unboxed(v Value) outcome {
	if s, ok := v.(string); ok {
		return textOutcome(s)
	}
	if l, ok := v.(*loop); ok {
		l.keep()
	}
	return outcome{value: v}
}
