package expr

import (
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

// The parameters from before expressions existed ("Legacy conditional
// parameters" in the Developer Guide). They name attributes whole: a dot is
// part of the name.

// LegacyTest is a Condition of KeyConditions, QueryFilter or ScanFilter.
type LegacyTest struct {
	Op     string // EQ, NE, ...
	Values []attr.Value
}

// LegacyExpectation is an entry of Expected. Pointers and Values are nil where
// the request does not have the member.
type LegacyExpectation struct {
	Exists *bool
	Value  *attr.Value
	Op     *string
	Values []attr.Value
}

// LegacyChange is an entry of AttributeUpdates; Action is "" if not given.
type LegacyChange struct {
	Action string
	Value  *attr.Value
}

func invalidParameter(format string, args ...any) error {
	e := invalid(format, args...)
	e.Message = "One or more parameter values were invalid: " + e.Message
	return e
}

// legacyOp describes a comparison operator: how many values it takes and of
// which types (any, if nil).
type legacyOp struct {
	min, max int
	kinds    []attr.Kind
	operator string // of the same meaning in an expression
}

var (
	scalars = []attr.Kind{attr.S, attr.N, attr.B}
	texts   = []attr.Kind{attr.S, attr.B}
)

var legacyOps = map[string]legacyOp{
	"EQ":           {1, 1, nil, "="},
	"NE":           {1, 1, nil, "<>"},
	"LE":           {1, 1, scalars, "<="},
	"LT":           {1, 1, scalars, "<"},
	"GE":           {1, 1, scalars, ">="},
	"GT":           {1, 1, scalars, ">"},
	"NULL":         {0, 0, nil, "attribute_not_exists"},
	"NOT_NULL":     {0, 0, nil, "attribute_exists"},
	"CONTAINS":     {1, 1, scalars, "contains"},
	"NOT_CONTAINS": {1, 1, scalars, "contains"},
	"BEGINS_WITH":  {1, 1, texts, "begins_with"},
	"IN":           {1, MaxIn, scalars, "IN"},
	"BETWEEN":      {2, 2, scalars, "BETWEEN"},
}

// check refuses operands that the operator cannot take.
func (t LegacyTest) check() error {
	op := legacyOps[t.Op]
	if len(t.Values) < op.min || len(t.Values) > op.max {
		return invalidParameter("Invalid number of argument(s) for the %s ComparisonOperator", t.Op)
	}
	for _, v := range t.Values {
		if v.Kind() != t.Values[0].Kind() {
			return invalidParameter("AttributeValues inside AttributeValueList must be of same type")
		}
		if op.kinds != nil && !slices.Contains(op.kinds, v.Kind()) {
			return invalidParameter("ComparisonOperator %s is not valid for %s AttributeValue type", t.Op, v.Kind())
		}
	}
	if t.Op == "BETWEEN" {
		if order, _ := attr.Compare(t.Values[0], t.Values[1]); order > 0 {
			return invalid("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound")
		}
	}
	return nil
}

// node returns the test of the attribute as a tree.
func (t LegacyTest) node(name string) *node {
	n := &node{kind: nodeCompare, text: legacyOps[t.Op].operator, kids: []*node{{kind: nodePath, path: TopPath(name)}}}
	for _, v := range t.Values {
		n.kids = append(n.kids, &node{kind: nodeValue, value: v})
	}
	switch t.Op {
	case "IN":
		n.kind = nodeIn
	case "BETWEEN":
		n.kind = nodeBetween
	case "NULL", "NOT_NULL", "CONTAINS", "BEGINS_WITH":
		n.kind = nodeCall
	case "NOT_CONTAINS":
		n.kind = nodeCall
		return &node{kind: nodeNot, kids: []*node{n}}
	}
	return n
}

// join combines tests with AND, or with OR if anyOf is set
// (ConditionalOperator).
func join(tests []*node, anyOf bool) *Condition {
	switch {
	case len(tests) == 1:
		return &Condition{root: tests[0]}
	case anyOf:
		return &Condition{root: &node{kind: nodeOr, kids: tests}}
	}
	return &Condition{root: &node{kind: nodeAnd, kids: tests}}
}

// LegacyFilter returns QueryFilter or ScanFilter as a condition.
func LegacyFilter(tests map[string]LegacyTest, anyOf bool) (*Condition, error) {
	var nodes []*node
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		if err := tests[name].check(); err != nil {
			return nil, err
		}
		nodes = append(nodes, tests[name].node(name))
	}
	return join(nodes, anyOf), nil
}

// LegacyExpected returns Expected as a condition.
func LegacyExpected(expected map[string]LegacyExpectation, anyOf bool) (*Condition, error) {
	var nodes []*node
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		t, err := expected[name].test(name)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, t.node(name))
	}
	return join(nodes, anyOf), nil
}

func (e LegacyExpectation) test(name string) (LegacyTest, error) {
	switch {
	case e.Values != nil && e.Value != nil:
		return LegacyTest{}, invalidParameter("Value and AttributeValueList cannot be used together for Attribute: %s", name)
	case e.Op != nil:
		return e.compared(name)
	case e.Values != nil:
		return LegacyTest{}, invalidParameter("AttributeValueList can only be used with a ComparisonOperator for Attribute: %s", name)
	}
	exists, word := true, "null"
	if e.Exists != nil {
		exists, word = *e.Exists, "true"
	}
	switch {
	case exists && e.Value == nil:
		return LegacyTest{}, invalidParameter("Value must be provided when Exists is %s for Attribute: %s", word, name)
	case !exists && e.Value != nil:
		return LegacyTest{}, invalidParameter("Value cannot be used when Exists is false for Attribute: %s", name)
	case !exists:
		return LegacyTest{Op: "NULL"}, nil
	}
	return LegacyTest{Op: "EQ", Values: []attr.Value{*e.Value}}, nil
}

func (e LegacyExpectation) compared(name string) (LegacyTest, error) {
	t := LegacyTest{Op: *e.Op, Values: e.Values}
	if e.Value != nil {
		t.Values = []attr.Value{*e.Value}
	}
	switch {
	case e.Exists != nil:
		return t, invalidParameter("Exists and ComparisonOperator cannot be used together for Attribute: %s", name)
	case t.Values == nil && t.Op != "NULL" && t.Op != "NOT_NULL":
		return t, invalidParameter("Value or AttributeValueList must be used with ComparisonOperator: %s for Attribute: %s", t.Op, name)
	}
	return t, t.check()
}

// indexable holds the operators that KeyConditions may use.
var indexable = []string{"EQ", "LE", "LT", "GE", "GT", "BEGINS_WITH", "BETWEEN"}

// LegacyKeyCondition returns KeyConditions as a key condition.
func LegacyKeyCondition(tests map[string]LegacyTest) (*KeyCondition, error) {
	k := &KeyCondition{}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t := tests[name]
		if err := t.check(); err != nil {
			return nil, err
		}
		if !slices.Contains(indexable, t.Op) {
			return nil, invalid("Attempted conditional constraint is not an indexable operation")
		}
		k.tests = append(k.tests, KeyTest{Name: name, Op: legacyOps[t.Op].operator, Values: t.Values})
	}
	if len(k.tests) < 1 || len(k.tests) > 2 {
		return nil, invalid("Conditions can be of length 1 or 2 only")
	}
	return k, nil
}

// LegacyUpdate returns AttributeUpdates as an update.
func LegacyUpdate(changes map[string]LegacyChange) (*Update, error) {
	u := &Update{}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		a, err := changes[name].action(name)
		if err != nil {
			return nil, err
		}
		u.actions = append(u.actions, a)
	}
	return u, nil
}

func (c LegacyChange) action(name string) (action, error) {
	a := action{section: sectionSet, path: TopPath(name), legacy: true}
	if c.Value == nil {
		if c.Action != "DELETE" {
			return a, invalidParameter("Only DELETE action is allowed when no attribute value is specified")
		}
		a.section = sectionRemove
		return a, nil
	}
	a.operand = &node{kind: nodeValue, value: *c.Value}
	kind := c.Value.Kind()
	switch c.Action {
	case "DELETE":
		a.section = sectionDelete
		if !c.Value.IsSet() {
			return a, invalidParameter("DELETE action with value is not supported for the type %s", kind)
		}
	case "ADD":
		a.section = sectionAdd
		if !c.Value.IsSet() && kind != attr.N && kind != attr.L {
			return a, invalidParameter("ADD action is not supported for the type %s", kind)
		}
	}
	return a, nil
}

// LegacyProjection returns AttributesToGet as a projection.
func LegacyProjection(names []string) (*Projection, error) {
	paths := make([]Path, len(names))
	seen := map[string]bool{}
	for i, name := range names {
		if seen[name] {
			return nil, invalidParameter("Duplicate value in attribute name: %s", name)
		}
		seen[name] = true
		paths[i] = TopPath(name)
	}
	return project(paths)
}
