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
	last := len(r.steps) - 1
	if last < 0 {
		if s, ok := st.vars[r.slot].(*value.Scalar); ok {
			if text, ok := s.Text(); ok {
				return textOutcome(text), nil
			}
		}
		v, err := r.walk(st, 0)
		return unboxed(v), err
	}
	owner, err := r.walk(st, last)
	if owner == nil || err != nil {
		return outcome{}, err
	}
	s := &r.steps[last]
	switch o := owner.(type) {
	case *value.Map:
		if s.kind == property {
			if text, ok := o.SeekText(s.name, &s.guess); ok {
				return textOutcome(text), nil
			}
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

func unboxed(v Value) outcome {
	if s, ok := v.(string); ok {
		return textOutcome(s)
	}
	if l, ok := v.(*loop); ok {
		l.keep()
	}
	return outcome{value: v}
}
