package pattern

import (
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Compile reads a pattern; one of no members asks for nothing.
func Compile(text string) (*Pattern, error) { return compile(text, true) }

// CompileRule reads the pattern of a rule, which asks for something.
func CompileRule(text string) (*Pattern, error) { return compile(text, false) }

func compile(text string, mayBeEmpty bool) (*Pattern, error) {
	r := newReader(text)
	t, err := r.next()
	switch {
	case err != nil:
		return nil, err
	case t.Kind() != '{':
		return nil, r.invalid("Filter is not an object")
	}
	root, err := r.object(mayBeEmpty)
	if err != nil {
		return nil, err
	}
	if _, err := r.d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, &invalidError{reason: "there is more behind the pattern", syntax: true}
	}
	return &Pattern{root}, nil
}

// object reads the members of an object.
func (r *reader) object(mayBeEmpty bool) (*node, error) {
	n := &node{members: map[string]*node{}}
	for {
		t, err := r.next()
		if err != nil {
			return nil, err
		}
		if t.Kind() == '}' {
			if len(n.members) == 0 && len(n.any) == 0 && !mayBeEmpty {
				return nil, r.invalid("Empty objects are not allowed")
			}
			return n, nil
		}
		name := t.String()
		if name == "$or" {
			err = r.alternatives(n)
		} else {
			n.members[name], err = r.member(name)
		}
		if err != nil {
			return nil, err
		}
	}
}

// alternatives reads the value of $or: a list of patterns.
func (r *reader) alternatives(n *node) error {
	t, err := r.next()
	if err == nil && t.Kind() != '[' {
		err = r.invalid("%q must be an object or an array", "$or")
	}
	for err == nil {
		if t, err = r.next(); err != nil || t.Kind() == ']' {
			break
		}
		if t.Kind() != '{' {
			return r.invalid("%q must be an array of objects", "$or")
		}
		var child *node
		if child, err = r.object(false); err == nil {
			n.any = append(n.any, child)
		}
	}
	if err == nil && len(n.any) == 0 {
		err = r.invalid("Empty arrays are not allowed")
	}
	return err
}

func (r *reader) member(name string) (*node, error) {
	t, err := r.next()
	switch {
	case err != nil:
		return nil, err
	case t.Kind() == '{':
		return r.object(false)
	case t.Kind() != '[':
		return nil, r.invalid("%q must be an object or an array", name)
	}
	n := &node{leaf: []rule{}}
	for {
		t, err := r.next()
		if err != nil {
			return nil, err
		}
		var one rule
		switch t.Kind() {
		case ']':
			if len(n.leaf) == 0 {
				return nil, r.invalid("Empty arrays are not allowed")
			}
			return n, nil
		case '[':
			return nil, r.invalid("Match value must be String, number, true, false, or null")
		case '{':
			if one, err = r.expression(); err != nil {
				return nil, err
			}
		default:
			one = exactly(valueOf(t))
		}
		n.leaf = append(n.leaf, one)
	}
}

// valueOf is a scalar as events have it.
func valueOf(t jsontext.Token) any {
	switch t.Kind() {
	case '"':
		return t.String()
	case '0':
		n, _ := t.Float() // beyond the range it is infinite
		return n
	case 't', 'f':
		return t.Bool()
	}
	return nil
}

func exactly(want any) rule { return func(v any, present bool) bool { return present && v == want } }

// expression reads a match expression: an object of one operator.
func (r *reader) expression() (rule, error) {
	t, err := r.next()
	if err != nil {
		return nil, err
	}
	if t.Kind() == '}' {
		return nil, r.invalid("Match expression name not found")
	}
	one, err := r.operator(t.String())
	if err != nil {
		return nil, err
	}
	return one, r.close()
}

// close reads the end of a match expression.
func (r *reader) close() error {
	t, err := r.next()
	if err == nil && t.Kind() != '}' {
		err = r.invalid("Only one key allowed in match expression")
	}
	return err
}
