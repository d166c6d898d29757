package vtl

import "github.com/butai-dev/butai/internal/gateway/value"

func (r *ref) render(st *state) error {
	if r.escaped {
		return r.renderEscaped(st)
	}
	st.out = append(st.out, r.lead...)
	if r.form == member && st.env.Trace == nil {
		if m, ok := st.vars[r.slot].(*value.Map); ok {
			start, printed := len(st.out), false
			if st.out, printed = m.AppendText(st.out, r.steps[0].name, &r.steps[0].guess); printed {
				if err := st.spend(1 + (len(st.out)-start)/64); err != nil {
					return locate(err, r.source, r.line, r.column)
				}
				return nil
			}
		}
	}
	v, printed, err := r.printOrEval(st)
	if printed || err != nil {
		return err
	}
	// API Gateway prints nothing for null, where Velocity would print the
	// reference itself.
	if b, ok := v.(*block); ok && b.depth == maxBlockDepth {
		st.out = append(st.out, r.source...)
	} else if v != nil {
		if err := st.print(v); err != nil {
			return locate(err, r.source, r.line, r.column)
		}
	}
	return nil
}

func (r *ref) renderEscaped(st *state) error {
	v, err := r.eval(st)
	if err != nil {
		return err
	}
	st.out = append(st.out, r.slashes...)
	if v == nil {
		st.out = append(st.out, '\\')
	}
	st.out = append(st.out, r.source...)
	return nil
}

// printOrEval prints what need not become a value for that: the payload as a
// whole, scalars that stand in it as they print, and texts. It evaluates any
// other reference.
func (r *ref) printOrEval(st *state) (v Value, printed bool, err error) {
	if st.env.Trace != nil || r.void {
		v, err = r.eval(st)
		return v, false, err
	}
	start := len(st.out)
	if printed, err = r.printDirectly(st); !printed && err == nil {
		var o outcome
		if o, err = r.outcome(st); o.isText && err == nil {
			st.out, printed = append(st.out, o.text...), true
		}
		v = o.value
	}
	return v, printed, r.spent(st, start, err)
}

// printDirectly prints what can be printed without becoming a value.
func (r *ref) printDirectly(st *state) (done bool, err error) {
	switch v := st.vars[r.slot].(type) {
	case *value.Scalar:
		if len(r.steps) == 0 {
			st.out, done = v.AppendText(st.out)
		}
	case inputObject:
		switch r.form {
		case wholeBody:
			if st.out, done = st.appendBody(st.out); !done {
				return r.printJSON(st)
			}
		case inputJSON:
			return r.printJSON(st)
		case inputPath:
			s := &r.steps[0]
			doc, _ := st.document()
			if owner, _ := s.parent.Eval(doc); owner != nil {
				if m, ok := owner.(*value.Map); ok {
					st.out, done = m.AppendText(st.out, s.leaf, &s.guess)
				}
			}
		}
	}
	return done, nil
}

// printJSON prints $input.json of a constant path.
func (r *ref) printJSON(st *state) (bool, error) {
	v, ok, err := query(st, &r.steps[0], nil)
	if err != nil {
		return false, err
	}
	if !ok {
		st.out = append(st.out, `""`...)
		return true, nil
	}
	start := len(st.out)
	st.out = value.AppendJSON(st.out, v, start+MaxOutput)
	if len(st.out)-start > MaxOutput {
		return false, errOutput
	}
	return true, nil
}

// spent accounts for what was printed since start, unless err says that it
// went wrong.
func (r *ref) spent(st *state, start int, err error) error {
	if err == nil {
		err = st.spend(1 + (len(st.out)-start)/64)
	}
	if err != nil {
		return locate(err, r.source, r.line, r.column)
	}
	return nil
}
