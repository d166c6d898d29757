package expr

import (
	"strconv"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

// nodeKind is what a node of an expression tree stands for.
type nodeKind uint8

const (
	nodePath nodeKind = iota
	nodeValue
	nodeCall // function; text is its name
	nodeCompare
	nodeBetween
	nodeIn
	nodeAnd
	nodeOr
	nodeNot
	nodeArith // + or - in an update
)

// node is one node of an expression tree: an operand (path, value, call), or
// a condition over operands or over conditions.
type node struct {
	kind nodeKind
	text string // operator, function name or placeholder of a value
	kids []*node
	// path is that of a nodePath. Before resolve, placeholders stand in it.
	path Path
	// value is that of a nodeValue once resolved.
	value attr.Value
	// parens is how many pairs of parentheses enclose the node.
	parens int
	// at is the token with which a condition's operator starts.
	at int
}

// isOperand reports whether n may stand beside a comparator.
func (n *node) isOperand() bool {
	return n.kind == nodePath || n.kind == nodeValue || n.kind == nodeCall
}

// isTest reports whether n is true or false: a condition or a function.
func (n *node) isTest() bool { return n.kind != nodePath && n.kind != nodeValue && n.kind != nodeArith }

// readPath reads a document path; words and #names are its names.
func (s *stream) readPath() (Path, error) {
	first, err := s.readName()
	if err != nil {
		return nil, err
	}
	return s.readSteps(Path{first})
}

// readSteps continues a path behind its first steps.
func (s *stream) readSteps(p Path) (Path, error) {
	for {
		switch {
		case s.acceptOp("."):
			step, err := s.readName()
			if err != nil {
				return nil, err
			}
			p = append(p, step)
		case s.acceptOp("["):
			if s.peek().kind != tokNumber {
				return nil, s.unexpected()
			}
			// An index too large for an int lies past the end of any list.
			index, err := strconv.Atoi(s.text(s.next()))
			if err != nil {
				index = int(^uint(0) >> 1)
			}
			p = append(p, Step{Index: index, IsIndex: true})
			if err := s.expectOp("]"); err != nil {
				return nil, err
			}
		default:
			return p, nil
		}
	}
}

func (s *stream) readName() (Step, error) {
	if t := s.peek(); t.kind != tokWord && t.kind != tokName {
		return Step{}, s.unexpected()
	}
	return Step{Name: s.text(s.next())}, nil
}

// isCall reports whether the next two tokens start a function call.
func (s *stream) isCall() bool {
	if s.peek().kind != tokWord {
		return false
	}
	behind := s.tokens[s.at+1]
	return behind.kind == tokOp && s.text(behind) == "("
}

// readCall reads a function call, its arguments with argument.
func (s *stream) readCall(argument func() (*node, error)) (*node, error) {
	n := &node{kind: nodeCall, text: s.text(s.next())}
	s.operators++
	s.at++ // the parenthesis
	for {
		arg, err := argument()
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, arg)
		if s.acceptOp(")") {
			return n, nil
		}
		if err := s.expectOp(","); err != nil {
			return nil, err
		}
	}
}

// readValue reads a :value.
func (s *stream) readValue() *node { return &node{kind: nodeValue, text: s.text(s.next())} }

// walk calls f for n and everything below it, in the order of the source,
// arguments before the function that takes them, until f returns an error.
func (n *node) walk(f func(*node) error) error {
	for _, k := range n.kids {
		if err := k.walk(f); err != nil {
			return err
		}
	}
	return f(n)
}

// reservedName reports the first bare reserved word in p.
func reservedName(p Path) error {
	for _, s := range p {
		if !s.IsIndex && s.Name[0] != '#' && isReserved(s.Name) {
			return invalid("Attribute name is a reserved keyword; reserved keyword: %s", s.Name)
		}
	}
	return nil
}

// resolvePath replaces the placeholders of p.
func (s *Scope) resolvePath(p Path) error {
	for i := range p {
		if p[i].IsIndex || p[i].Name[0] != '#' {
			continue
		}
		name, err := s.name(p[i].Name)
		if err != nil {
			return err
		}
		p[i].Name = name
	}
	return nil
}

// resolve fills in the names and values that n itself refers to.
func (s *Scope) resolve(n *node) error {
	switch n.kind {
	case nodePath:
		return s.resolvePath(n.path)
	case nodeValue:
		v, err := s.value(n.text)
		n.value = v
		return err
	}
	return nil
}

// operandType returns the type that an operand has whatever the item, or None
// if it depends on the item.
func (n *node) operandType() attr.Kind {
	switch n.kind {
	case nodeValue:
		return n.value.Kind()
	case nodeCall:
		if n.text == "size" {
			return attr.N
		}
		return attr.BOOL
	}
	return attr.None
}
