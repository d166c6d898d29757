package partiql

import (
	"slices"
	"strings"
)

func (p *parser) assignments(s *Statement) error {
	for {
		a, err := p.assignment()
		if err != nil {
			return err
		}
		if s.Set = append(s.Set, *a); !p.take(",") {
			return nil
		}
	}
}

func (p *parser) removals(s *Statement) error {
	for {
		path, err := p.path()
		if err != nil {
			return err
		}
		if s.Remove = append(s.Remove, path); !p.take(",") {
			return nil
		}
	}
}

func (p *parser) assignment() (*Assignment, error) {
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	if !p.take("=") {
		return nil, malformed(noTerm)
	}
	a := &Assignment{Path: path}
	if t := p.peek(); t.kind == word && p.tokens[1].kind == sign && p.tokens[1].text == "(" {
		return a, p.function(a)
	}
	if a.Left, err = p.operand(); err != nil {
		return nil, err
	}
	for _, op := range []string{"+", "-"} {
		if p.take(op) {
			a.Operator = op
			a.Right, err = p.operand()
		}
	}
	return a, err
}

// function reads the call that an UPDATE assigns.
func (p *parser) function(a *Assignment) (err error) {
	name := strings.ToLower(p.next().text)
	p.next() // the parenthesis
	switch name {
	case "list_append", "set_add", "set_delete":
	default:
		return refused("Unrecognized function: %s", name)
	}
	a.Function = name
	if a.Left, err = p.operand(); err != nil {
		return err
	}
	set := strings.HasPrefix(name, "set_")
	if !p.take(",") {
		return refused("%s must have exactly two arguments", strings.ToUpper(name))
	}
	if a.Right, err = p.operand(); err != nil {
		return err
	}
	switch {
	case !p.take(")"):
		return refused("%s must have exactly two arguments", strings.ToUpper(name))
	case set && !slices.Equal(a.Left.Path, a.Path):
		return refused("The first argument to %s must equal the assignment value", strings.ToUpper(name))
	case set && !a.Right.Value.IsSet():
		return refused("The second argument to %s must be a value with type SET", strings.ToUpper(name))
	}
	return nil
}
