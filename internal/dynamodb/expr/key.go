package expr

import (
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

// KeyAttribute is one attribute of a key schema.
type KeyAttribute struct {
	Name string
	Kind attr.Kind // S, N or B
}

// KeyTest is a condition on one key attribute.
type KeyTest struct {
	Name string
	// Op is =, <, <=, >, >=, BETWEEN or begins_with.
	Op     string
	Values []attr.Value // two for BETWEEN, else one
}

// KeyCondition is what a Query asks of the key attributes.
type KeyCondition struct {
	tests []KeyTest
}

// mirrored holds the comparator for a condition written value first.
var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// KeyCondition parses a KeyConditionExpression.
func (s *Scope) KeyCondition(src string) (*KeyCondition, error) {
	root, err := s.condition(src)
	if err != nil {
		return nil, inExpression(KeyConditionExpression, err)
	}
	k := &KeyCondition{}
	if err := k.collect(root); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, t := range k.tests {
		if seen[t.Name] {
			return nil, inExpression(KeyConditionExpression, invalid("KeyConditionExpressions must only contain one condition per key"))
		}
		seen[t.Name] = true
	}
	return k, nil
}

func (k *KeyCondition) collect(n *node) error {
	switch {
	case n.kind == nodeAnd:
		for _, kid := range n.kids {
			if err := k.collect(kid); err != nil {
				return err
			}
		}
		return nil
	case n.kind == nodeOr || n.kind == nodeNot || n.kind == nodeIn || n.text == "<>" ||
		n.kind == nodeCall && n.text != "begins_with":
		return invalid("Invalid operator used in KeyConditionExpression: %s", n.text)
	}
	test, err := keyTest(n)
	if err != nil {
		return err
	}
	k.tests = append(k.tests, test)
	return nil
}

func keyTest(n *node) (KeyTest, error) {
	if n.kind != nodeCompare && n.kids[0].kind == nodeValue {
		return KeyTest{}, invalid("Invalid condition in KeyConditionExpression: %s operator must have the key attribute as its first operand", n.text)
	}
	t := KeyTest{Op: n.text}
	for i, kid := range n.kids {
		switch {
		case kid.kind == nodeCall:
			return t, invalid("KeyConditionExpressions cannot contain nested operations")
		case kid.kind == nodeValue:
			t.Values = append(t.Values, kid.value)
		case t.Name != "":
			return t, invalid("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
		case len(kid.path) > 1:
			return t, invalid("KeyConditionExpressions cannot have conditions on nested attributes")
		default:
			t.Name = kid.path.Top()
			if i > 0 {
				t.Op = mirrored[n.text]
			}
		}
	}
	if t.Name == "" {
		return t, invalid("Invalid condition in KeyConditionExpression: No key attribute specified")
	}
	return t, nil
}

// Bind fits the condition to a key schema: hash, and ranged if the table or
// index has a range attribute. It returns the hash value and the test of the
// range attribute, nil if there is none.
func (k *KeyCondition) Bind(hash KeyAttribute, ranged *KeyAttribute) (attr.Value, *KeyTest, error) {
	defined := 1
	if ranged != nil {
		defined = 2
	}
	if len(k.tests) > defined {
		return attr.Value{}, nil, invalid("The number of query conditions (%d) exceeds the number of key attributes defined in the schema (%d)", len(k.tests), defined)
	}
	h, err := k.find(hash)
	if err != nil {
		return attr.Value{}, nil, err
	}
	if h.Op != "=" {
		return attr.Value{}, nil, invalid("Query key condition not supported")
	}
	if len(k.tests) == 1 {
		return h.Values[0], nil, nil
	}
	r, err := k.find(*ranged)
	return h.Values[0], r, err
}

// find returns the test of a key attribute and checks its operands.
func (k *KeyCondition) find(a KeyAttribute) (*KeyTest, error) {
	i := slices.IndexFunc(k.tests, func(t KeyTest) bool { return t.Name == a.Name })
	if i < 0 {
		return nil, invalid("Query condition missed key schema element: %s", a.Name)
	}
	t := &k.tests[i]
	for _, v := range t.Values {
		if v.Kind() != a.Kind || t.Op == "begins_with" && a.Kind == attr.N {
			return nil, invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
		}
		if t.Op == "=" && a.Kind != attr.N && v.Text() == "" {
			return nil, EmptyKey(a)
		}
	}
	return t, nil
}

// EmptyKey is the complaint about a key attribute without content.
func EmptyKey(a KeyAttribute) error {
	kind := "string"
	if a.Kind == attr.B {
		kind = "binary"
	}
	return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kind, a.Name)
}

// Matches reports whether a value of the attribute passes the test.
func (t *KeyTest) Matches(v attr.Value) bool {
	switch t.Op {
	case "BETWEEN":
		return compare(">=", v, t.Values[0]) && compare("<=", v, t.Values[1])
	case "begins_with":
		return v.Kind() == t.Values[0].Kind() && strings.HasPrefix(v.Text(), t.Values[0].Text())
	}
	return compare(t.Op, v, t.Values[0])
}
