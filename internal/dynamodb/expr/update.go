package expr

import (
	"slices"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

// section is one of the clauses of an update.
type section uint8

const (
	sectionSet section = iota
	sectionRemove
	sectionAdd
	sectionDelete
)

var sectionNames = [...]string{sectionSet: "SET", sectionRemove: "REMOVE", sectionAdd: "ADD", sectionDelete: "DELETE"}

// action is one change of an update.
type action struct {
	section section
	path    Path
	// operand is the new value of a SET, or the value of an ADD or DELETE.
	operand *node
	// legacy marks actions of AttributeUpdates, which differ in detail.
	legacy bool
}

// Update changes an item. It is immutable and safe for concurrent use.
type Update struct {
	actions []action
}

// Update parses an UpdateExpression.
func (s *Scope) Update(src string) (*Update, error) {
	u, err := s.update(src)
	if err != nil {
		return nil, inExpression(UpdateExpression, err)
	}
	return u, nil
}

// update parses and checks in DynamoDB's order: syntax, reserved words,
// unknown functions, repeated sections, undefined names, undefined values,
// paths that get in each other's way, and operands.
func (s *Scope) update(src string) (*Update, error) {
	st, err := open(src)
	if err != nil {
		return nil, err
	}
	p := &updateParser{stream: st}
	if err := p.parse(); err != nil {
		return nil, err
	}
	if err := st.checkOperators(); err != nil {
		return nil, err
	}
	u := &Update{actions: p.actions}
	for _, check := range []func() error{
		func() error { return u.eachNode(checkReserved) },
		func() error { return u.eachNode(checkKnownUpdate) },
		p.checkSections,
		func() error { return u.eachNode(func(n *node) error { return s.resolveOnly(n, nodePath) }) },
		func() error { return u.eachNode(func(n *node) error { return s.resolveOnly(n, nodeValue) }) },
		u.checkPaths,
		u.checkAddDelete,
		func() error { return u.eachNode(checkUpdateCall) },
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// eachNode calls f for the paths and operands of all actions in the order of
// the source. Paths are passed as nodes that share their steps.
func (u *Update) eachNode(f func(*node) error) error {
	for _, a := range u.actions {
		if err := f(&node{kind: nodePath, path: a.path}); err != nil {
			return err
		}
		if a.operand == nil {
			continue
		}
		if err := a.operand.walk(f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scope) resolveOnly(n *node, kind nodeKind) error {
	if n.kind != kind {
		return nil
	}
	return s.resolve(n)
}

// updateArity holds the functions of updates and how many operands they take.
var updateArity = map[string]int{"if_not_exists": 2, "list_append": 2}

func checkKnownUpdate(n *node) error {
	if n.kind == nodeCall {
		if _, ok := updateArity[n.text]; !ok {
			return invalid("Invalid function name; function: %s", n.text)
		}
	}
	return nil
}

func (u *Update) checkPaths() error {
	var c collector
	for _, a := range u.actions {
		c.add(a.path)
	}
	return c.problem()
}

// longTypes names the types as the complaint about ADD and DELETE does.
var longTypes = map[attr.Kind]string{
	attr.S: "STRING", attr.N: "NUMBER", attr.B: "BINARY", attr.NULL: "NULL",
	attr.BOOL: "BOOLEAN", attr.L: "LIST", attr.M: "MAP",
}

// checkAddDelete refuses values that are neither sets nor, for ADD, numbers.
func (u *Update) checkAddDelete() error {
	for _, a := range u.actions {
		if a.section != sectionAdd && a.section != sectionDelete {
			continue
		}
		kind := a.operand.value.Kind()
		if a.operand.value.IsSet() || a.section == sectionAdd && kind == attr.N {
			continue
		}
		return invalid("Incorrect operand type for operator or function; operator: %s, operand type: %s",
			sectionNames[a.section], longTypes[kind])
	}
	return nil
}

func checkUpdateCall(n *node) error {
	switch {
	case n.kind == nodeCall && len(n.kids) != updateArity[n.text]:
		return errCount(n.text, len(n.kids))
	case n.kind == nodeCall && n.text == "if_not_exists":
		if n.kids[0].kind != nodePath {
			return errNeedsPath(n.text)
		}
	case n.kind == nodeCall:
		return checkValues(n, attr.L)
	case n.kind == nodeArith:
		return checkValues(n, attr.N)
	}
	return nil
}

// checkValues requires operands that are given values to be of one type.
func checkValues(n *node, kind attr.Kind) error {
	for _, k := range n.kids {
		if k.kind == nodeValue && k.value.Kind() != kind {
			return errType(n.text, k.value.Kind().String())
		}
	}
	return nil
}

type updateParser struct {
	*stream
	actions  []action
	sections []section
	depth    int
}

func (p *updateParser) parse() error {
	for p.peek().kind != tokEOF {
		i := slices.IndexFunc(sectionNames[:], p.isWord)
		if i < 0 {
			return p.unexpected()
		}
		p.next()
		if err := p.section(section(i)); err != nil {
			return err
		}
	}
	if len(p.sections) == 0 {
		return p.unexpected()
	}
	return nil
}

func (p *updateParser) checkSections() error {
	seen := [len(sectionNames)]bool{}
	for _, s := range p.sections {
		if seen[s] {
			return invalid("The \"%s\" section can only be used once in an update expression;", sectionNames[s])
		}
		seen[s] = true
	}
	return nil
}

func (p *updateParser) section(s section) error {
	p.sections = append(p.sections, s)
	for {
		a, err := p.action(s)
		if err != nil {
			return err
		}
		p.actions = append(p.actions, a)
		if !p.acceptOp(",") {
			return nil
		}
	}
}

func (p *updateParser) action(s section) (action, error) {
	if slices.ContainsFunc(sectionNames[:], p.isWord) {
		return action{}, p.unexpected()
	}
	path, err := p.readPath()
	if err != nil {
		return action{}, err
	}
	a := action{section: s, path: path}
	switch s {
	case sectionSet:
		if err := p.expectOp("="); err != nil {
			return action{}, err
		}
		a.operand, err = p.setValue()
	case sectionAdd, sectionDelete:
		if p.peek().kind != tokValue {
			return action{}, p.unexpected()
		}
		a.operand = p.readValue()
	}
	return a, err
}

// setValue reads the right side of a SET: an operand, or two with + or -.
func (p *updateParser) setValue() (*node, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	// Only one operator is allowed, also in parentheses.
	if left.kind == nodeArith || !p.isOp("+") && !p.isOp("-") {
		return left, nil
	}
	n := &node{kind: nodeArith, text: p.text(p.next()), kids: []*node{left}}
	p.operators++
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	n.kids = append(n.kids, right)
	return n, nil
}

func (p *updateParser) operand() (*node, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, p.unexpected()
	}
	switch {
	case p.acceptOp("("):
		n, err := p.setValue()
		if err != nil {
			return nil, err
		}
		return n, p.expectOp(")")
	case p.peek().kind == tokValue:
		return p.readValue(), nil
	case p.isCall():
		return p.readCall(p.operand)
	}
	path, err := p.readPath()
	return &node{kind: nodePath, path: path}, err
}

// TopNames returns the top-level attribute of every path that the update
// changes, in order.
func (u *Update) TopNames() []string {
	names := make([]string, len(u.actions))
	for i, a := range u.actions {
		names[i] = a.path.Top()
	}
	return names
}
