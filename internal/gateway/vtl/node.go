package vtl

import (
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// node is a part of a template that writes output.
type node interface {
	render(st *state) error
}

// nodes is a sequence.
type nodes []node

func (ns nodes) render(st *state) error {
	for _, n := range ns {
		if err := n.render(st); err != nil {
			return err
		}
	}
	return st.spend(len(ns))
}

// text is literal output.
type text string

func (t text) render(st *state) error {
	st.out = append(st.out, t...)
	return nil
}

// setNode is #set.
type setNode struct {
	target *ref
	from   expr
}

func (n *setNode) render(st *state) error {
	v, err := n.from.eval(st)
	if err != nil {
		return err
	}
	// Velocity keeps the old value when the new one is null
	// (directive.set.null.allowed is false by default).
	if v == nil {
		return nil
	}
	return n.target.assign(st, v)
}

// ifNode is #if with its #elseif branches.
type ifNode struct {
	branches  []branch
	otherwise nodes
}

type branch struct {
	cond expr
	body nodes
}

// separator is #if($foreach.hasNext) text #end, which stands in nearly every
// #foreach that makes JSON.
type separator struct {
	lead string // what is printed ahead of it
	cond *ref
	text text
}

func (n *separator) render(st *state) error {
	st.out = append(st.out, n.lead...)
	ok, err := n.cond.truth(st)
	if ok {
		st.out = append(st.out, n.text...)
	}
	return err
}

func (n *ifNode) render(st *state) error {
	for i := range n.branches {
		ok, err := n.branches[i].cond.truth(st)
		if err != nil {
			return err
		}
		if ok {
			return n.branches[i].body.render(st)
		}
	}
	return n.otherwise.render(st)
}

// signal is #break or #stop.
type signal struct{ err error }

func (s signal) render(*state) error { return s.err }

// defineNode is #define: the name stands for the block, which is rendered
// wherever the name is printed.
type defineNode struct {
	slot int
	body nodes
}

func (n *defineNode) render(st *state) error {
	st.vars[n.slot] = &block{body: n.body}
	return nil
}

// block is the value that #define makes, and a block macro's $bodyContent.
type block struct {
	body nodes
	// rebind holds the caller's variables for $bodyContent.
	rebind bindings
	// depth counts the renderings inside each other.
	depth int
}

// maxBlockDepth is how often a block may print itself. Deeper down its
// reference prints as it is written (Velocity's directive.define limit).
const maxBlockDepth = 2

func (b *block) render(st *state) error {
	if st.calls++; st.calls > maxNesting {
		return errDepth
	}
	rebind := b.rebind.clone()
	rebind.swap(st)
	b.depth++
	err := b.body.render(st)
	b.depth--
	rebind.swap(st)
	st.calls--
	if err == errBreak {
		err = nil
	}
	return err
}

// bindings are values for some variables.
type bindings []binding

type binding struct {
	slot  int
	value Value
}

// swap exchanges the bindings with what the variables hold now, so that a
// second swap undoes the first.
func (b bindings) swap(st *state) {
	for i := range b {
		st.vars[b[i].slot], b[i].value = b[i].value, st.vars[b[i].slot]
	}
}

// settle makes values of scalars that their #foreach will change.
func (b bindings) settle() {
	for i := range b {
		if s, ok := b[i].value.(*value.Scalar); ok {
			b[i].value = s.Value()
		}
	}
}

func (b bindings) clone() bindings { return slices.Clone(b) }

// evaluateNode is #evaluate: the text of its argument is a template.
type evaluateNode struct{ source expr }

func (n *evaluateNode) render(st *state) error {
	v, err := n.source.eval(st)
	if err != nil || v == nil {
		return err
	}
	src, err := st.text(v)
	if err != nil {
		return err
	}
	if st.calls++; st.calls > maxNesting {
		return errDepth
	}
	if err := st.spend(len(src)); err != nil {
		return err
	}
	// The program shared by all renderings must not learn this one's names.
	prog, err := compile(src, maps.Clone(st.names), maps.Clone(st.macros))
	if err != nil {
		return err
	}
	st.names, st.macros = prog.names, prog.macros
	st.grow(len(prog.names))
	st.seed(prog)
	err = prog.body.render(st)
	st.calls--
	if err == errBreak {
		err = nil
	}
	return err
}

// located gives an error of n its place in the source.
type located struct {
	node
	source       string
	line, column int
}

func (l *located) render(st *state) error {
	if err := l.node.render(st); err != nil {
		return locate(err, l.source, l.line, l.column)
	}
	return nil
}

func locate(err error, source string, line, column int) error {
	if err == nil || err == errBreak || err == errStop {
		return err
	}
	if _, done := err.(*RenderError); done {
		return err
	}
	return &RenderError{Line: line, Column: column, Source: source, Err: err}
}
