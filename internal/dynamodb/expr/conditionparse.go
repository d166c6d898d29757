package expr

import "slices"

// maxDepth bounds recursion. Parentheses nested deeper than operators are
// allowed to be cannot all be needed.
const maxDepth = 2 * MaxOperators

// conditionParser makes a tree of a condition's source, and looks only at its
// syntax.
type conditionParser struct {
	*stream
	depth     int
	redundant bool
}

func (p *conditionParser) parse() (*node, error) {
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tokEOF {
		return nil, p.unexpected()
	}
	return root, p.needTest(root)
}

// needTest refuses a path or value that nothing compares.
func (p *conditionParser) needTest(n *node) error {
	if !n.isTest() {
		return p.unexpected()
	}
	return nil
}

func (p *conditionParser) or() (*node, error) {
	return p.chain("OR", nodeOr, func() (*node, error) { return p.chain("AND", nodeAnd, p.not) })
}

// chain reads operand (keyword operand)*.
func (p *conditionParser) chain(keyword string, kind nodeKind, operand func() (*node, error)) (*node, error) {
	first, err := operand()
	if err != nil {
		return nil, err
	}
	if !p.isWord(keyword) {
		return first, nil
	}
	n := &node{kind: kind, text: keyword, at: p.at, kids: []*node{first}}
	if err := p.needTest(first); err != nil {
		return nil, err
	}
	for p.acceptWord(keyword) {
		p.operators++
		next, err := operand()
		if err != nil {
			return nil, err
		}
		if err := p.needTest(next); err != nil {
			return nil, err
		}
		n.kids = append(n.kids, next)
	}
	return n, nil
}

func (p *conditionParser) not() (*node, error) {
	at := p.at
	if !p.acceptWord("NOT") {
		return p.comparison()
	}
	p.operators++
	operand, err := p.comparison()
	if err != nil {
		return nil, err
	}
	if err := p.needTest(operand); err != nil {
		return nil, err
	}
	return &node{kind: nodeNot, text: "NOT", at: at, kids: []*node{operand}}, nil
}

// comparison reads a condition that is no AND, OR or NOT, or anything in
// parentheses, or an operand that turns out not to be compared.
func (p *conditionParser) comparison() (*node, error) {
	left, err := p.primary()
	if err != nil {
		return nil, err
	}
	op, kind := p.comparator()
	if op == "" {
		return left, nil
	}
	if !left.isOperand() {
		return nil, p.unexpected()
	}
	n := &node{kind: kind, text: op, at: p.at, kids: []*node{left}}
	p.at++
	p.operators++
	switch kind {
	case nodeBetween:
		return n, p.betweenBounds(n)
	case nodeIn:
		return n, p.inList(n)
	}
	return n, p.operand(n)
}

func (p *conditionParser) comparator() (op string, kind nodeKind) {
	t := p.peek()
	text := p.text(t)
	switch {
	case t.kind == tokOp && slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, text):
		return text, nodeCompare
	case p.isWord("BETWEEN"):
		return "BETWEEN", nodeBetween
	case p.isWord("IN"):
		return "IN", nodeIn
	}
	return "", 0
}

func (p *conditionParser) betweenBounds(n *node) error {
	if err := p.operand(n); err != nil {
		return err
	}
	if err := p.expectWord("AND"); err != nil {
		return err
	}
	return p.operand(n)
}

func (p *conditionParser) inList(n *node) error {
	if err := p.expectOp("("); err != nil {
		return err
	}
	for {
		if err := p.operand(n); err != nil {
			return err
		}
		if p.acceptOp(")") {
			return nil
		}
		if err := p.expectOp(","); err != nil {
			return err
		}
	}
}

// operand reads an operand and adds it to n.
func (p *conditionParser) operand(n *node) error {
	k, err := p.argument()
	if err != nil {
		return err
	}
	n.kids = append(n.kids, k)
	return nil
}

// argument reads an operand, perhaps in parentheses.
func (p *conditionParser) argument() (*node, error) {
	n, err := p.primary()
	if err != nil {
		return nil, err
	}
	if !n.isOperand() {
		return nil, p.unexpectedAt(n.at)
	}
	return n, nil
}

func (p *conditionParser) primary() (*node, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, errRedundant()
	}
	switch {
	case p.isOp("("):
		return p.parenthesis()
	case p.peek().kind == tokValue:
		return p.readValue(), nil
	case p.isKeyword():
		return nil, p.unexpected()
	case p.isCall():
		return p.readCall(p.argument)
	}
	path, err := p.readPath()
	return &node{kind: nodePath, path: path}, err
}

func (p *conditionParser) isKeyword() bool {
	return slices.ContainsFunc([]string{"AND", "OR", "NOT", "BETWEEN", "IN"}, p.isWord)
}

func (p *conditionParser) parenthesis() (*node, error) {
	p.at++
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if err := p.expectOp(")"); err != nil {
		return nil, err
	}
	if n.parens > 0 {
		p.redundant = true
	}
	n.parens++
	if n.kind == nodePath {
		// (a).b is the path a.b.
		n.path, err = p.readSteps(n.path)
	}
	return n, err
}
