package expr

import (
	"slices"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

// Condition is a test of an item. It is immutable and safe for concurrent
// use.
type Condition struct {
	root *node
}

// Condition parses a condition; param names the parameter it came in
// (ConditionExpression or FilterExpression).
func (s *Scope) Condition(param, src string) (*Condition, error) {
	root, err := s.condition(src)
	if err != nil {
		return nil, inExpression(param, err)
	}
	return &Condition{root: root}, nil
}

// condition parses and checks in DynamoDB's order: syntax, parentheses,
// unknown functions, misused functions, reserved words, and then the
// conditions one by one as they are written.
func (s *Scope) condition(src string) (*node, error) {
	st, err := open(src)
	if err != nil {
		return nil, err
	}
	p := &conditionParser{stream: st}
	root, err := p.parse()
	if err != nil {
		return nil, err
	}
	if err := st.checkOperators(); err != nil {
		return nil, err
	}
	if p.redundant {
		return nil, errRedundant()
	}
	for _, check := range []func(*node) error{checkKnown, checkMisuse, checkReserved} {
		if err := root.walk(check); err != nil {
			return nil, err
		}
	}
	if err := checkTest(root); err != nil {
		return nil, err
	}
	return root, s.checkConditions(root)
}

func errRedundant() error { return invalid("The expression has redundant parentheses;") }

// maxDepth bounds recursion. Parentheses nested deeper than operators are
// allowed to be cannot all be needed.
const maxDepth = 2 * MaxOperators

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

// arity holds the functions of conditions and how many operands they take.
var arity = map[string]int{
	"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2,
	"begins_with": 2, "contains": 2, "size": 1,
}

func checkKnown(n *node) error {
	if n.kind == nodeCall {
		if _, ok := arity[n.text]; !ok {
			return invalid("Invalid function name; function: %s", n.text)
		}
	}
	return nil
}

// checkMisuse refuses functions other than size as operands, and size as a
// test.
func checkMisuse(n *node) error {
	logical := n.kind == nodeAnd || n.kind == nodeOr || n.kind == nodeNot
	for _, k := range n.kids {
		if k.kind != nodeCall {
			continue
		}
		if logical {
			if err := checkTest(k); err != nil {
				return err
			}
		} else if k.text != "size" {
			return misused(k.text)
		}
	}
	return nil
}

func checkTest(n *node) error {
	if n.kind == nodeCall && n.text == "size" {
		return misused(n.text)
	}
	return nil
}

func misused(function string) error {
	return invalid("The function is not allowed to be used this way in an expression; function: %s", function)
}

func checkReserved(n *node) error {
	if n.kind == nodePath {
		return reservedName(n.path)
	}
	return nil
}

// checkConditions resolves and checks the conditions below n one by one.
func (s *Scope) checkConditions(n *node) error {
	switch n.kind {
	case nodeAnd, nodeOr, nodeNot:
		for _, k := range n.kids {
			if err := s.checkConditions(k); err != nil {
				return err
			}
		}
		return nil
	}
	if err := n.walk(s.resolve); err != nil {
		return err
	}
	for _, check := range []func(*node) error{checkCount, checkDistinct, checkTypes} {
		if err := n.walk(check); err != nil {
			return err
		}
	}
	return nil
}

func checkCount(n *node) error {
	switch {
	case n.kind == nodeCall && len(n.kids) != arity[n.text]:
		return errCount(n.text, len(n.kids))
	case n.kind == nodeIn && len(n.kids)-1 > MaxIn:
		return invalid("The IN operator is provided with too many operands; number of operands: %d", len(n.kids)-1)
	}
	return nil
}

func errCount(name string, n int) error {
	return invalid("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", name, n)
}

// checkDistinct refuses to compare a path with itself.
func checkDistinct(n *node) error {
	if n.kind != nodeCompare && n.kind != nodeCall || len(n.kids) != 2 {
		return nil
	}
	a, b := n.kids[0], n.kids[1]
	if a.kind == nodePath && b.kind == nodePath && slices.Equal(a.path, b.path) {
		return invalid("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", n.text, a.path)
	}
	return nil
}

const typeNames = "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"

func checkTypes(n *node) error {
	switch n.kind {
	case nodeCompare:
		if n.text != "=" && n.text != "<>" {
			return checkOperands(n, attr.S, attr.N, attr.B)
		}
	case nodeBetween:
		if err := checkOperands(n, attr.S, attr.N, attr.B); err != nil {
			return err
		}
		return checkBounds(n.kids[1], n.kids[2])
	case nodeCall:
		return checkCall(n)
	}
	return nil
}

// checkOperands requires the operands whose type is known to be of one of
// the given types.
func checkOperands(n *node, kinds ...attr.Kind) error {
	for _, k := range n.kids {
		if t := k.operandType(); t != attr.None && !slices.Contains(kinds, t) {
			return errType(n.text, t.String())
		}
	}
	return nil
}

func errType(name, kind string) error {
	return invalid("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", name, kind)
}

func checkBounds(lower, upper *node) error {
	if lower.kind != nodeValue || upper.kind != nodeValue {
		return nil
	}
	order, same := attr.Compare(lower.value, upper.value)
	complaint := ""
	switch {
	case !same:
		complaint = "same data type for lower and upper bounds"
	case order > 0:
		complaint = "upper bound to be greater than or equal to lower bound"
	default:
		return nil
	}
	return invalid("The BETWEEN operator requires %s; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s",
		complaint, bound(lower.value), bound(upper.value))
}

// bound prints a value as DynamoDB's messages do.
func bound(v attr.Value) string { return "{" + v.Kind().String() + ":" + v.Text() + "}" }

func checkCall(n *node) error {
	switch n.text {
	case "attribute_exists", "attribute_not_exists":
		if n.kids[0].kind != nodePath {
			return errNeedsPath(n.text)
		}
	case "begins_with":
		return checkOperands(n, attr.S, attr.B)
	case "attribute_type":
		v := n.kids[1]
		if t := v.operandType(); t != attr.S || v.kind != nodeValue {
			name := t.String()
			if t == attr.None {
				name = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
			}
			return errType(n.text, name)
		}
		if attr.ParseKind(v.value.Text()) == attr.None {
			return invalid("Invalid attribute type name found; type: %s, valid types: %s", v.value.Text(), typeNames)
		}
	case "size":
		if t := n.kids[0].operandType(); t == attr.N || t == attr.BOOL || t == attr.NULL {
			return errType(n.text, t.String())
		}
	}
	return nil
}

func errNeedsPath(name string) error {
	return invalid("Operator or function requires a document path; operator or function: %s", name)
}

// TopNames calls yield with the top-level attribute of every path in the
// condition, in the order of the source, until yield returns false.
func (c *Condition) TopNames(yield func(name string) bool) {
	_ = c.root.walk(func(n *node) error {
		if n.kind == nodePath && !yield(n.path.Top()) {
			return errStop
		}
		return nil
	})
}

// errStop ends a walk early; it never leaves the package.
var errStop = invalid("stop")
