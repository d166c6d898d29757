package vtl

// macro is what #macro defines.
type macro struct {
	params []int
	body   nodes
}

// macroCall is #name(args), #name, or #@name(args) body #end. If no macro of
// that name exists when it is rendered it prints as it was written.
type macroCall struct {
	name    string
	args    []expr
	source  string // as written
	content *nodes // the block macro's body, nil for other calls
	slot    int    // of $bodyContent, for block macros
}

func (n *macroCall) render(st *state) error {
	m := st.macros[n.name]
	if m == nil {
		st.out = append(st.out, n.source...)
		return nil
	}
	if st.macro++; st.macro > maxMacroDepth {
		return errDepth
	}
	bound := make(bindings, 0, len(m.params)+1)
	for i, slot := range m.params {
		if i < len(n.args) {
			bound = append(bound, binding{slot: slot})
		}
	}
	if n.content != nil {
		bound = append(bound, binding{slot: n.slot})
	}
	// Arguments are passed by name: each use of a parameter evaluates the
	// argument anew, with the caller's variables.
	for i := range bound {
		if i < len(m.params) && i < len(n.args) {
			if c, ok := n.args[i].(constant); ok {
				bound[i].value = c.value
			} else {
				bound[i].value = &thunk{arg: n.args[i]}
			}
		} else {
			bound[i].value = &block{body: *n.content}
		}
	}
	callee := bound.clone()
	bound.swap(st)
	bound.settle()
	for i := range callee {
		switch v := callee[i].value.(type) {
		case *thunk:
			v.caller = bound.clone()
		case *block:
			v.rebind = bound.clone()
		}
	}
	err := m.body.render(st)
	bound.swap(st)
	st.macro--
	if err == errBreak {
		err = nil
	}
	return err
}

// thunk is an argument not yet evaluated.
type thunk struct {
	arg    expr
	caller bindings // the caller's values of the callee's parameters
}

func (t *thunk) eval(st *state) (Value, error) {
	if st.calls++; st.calls > maxNesting {
		return nil, errDepth
	}
	caller := t.caller.clone()
	caller.swap(st)
	v, err := t.arg.eval(st)
	caller.swap(st)
	st.calls--
	return v, err
}
