package expr

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
