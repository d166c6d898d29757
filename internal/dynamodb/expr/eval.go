package expr

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

// Matches reports whether it satisfies the condition. A nil item is one
// without attributes.
func (c *Condition) Matches(it attr.Item) bool { return c.root.test(it) }

func (n *node) test(it attr.Item) bool {
	switch n.kind {
	case nodeAnd:
		for _, k := range n.kids {
			if !k.test(it) {
				return false
			}
		}
		return true
	case nodeOr:
		for _, k := range n.kids {
			if k.test(it) {
				return true
			}
		}
		return false
	case nodeNot:
		return !n.kids[0].test(it)
	case nodeCompare:
		return compare(n.text, n.kids[0].operand(it), n.kids[1].operand(it))
	case nodeBetween:
		v := n.kids[0].operand(it)
		return compare(">=", v, n.kids[1].operand(it)) && compare("<=", v, n.kids[2].operand(it))
	case nodeIn:
		v := n.kids[0].operand(it)
		for _, k := range n.kids[1:] {
			if compare("=", v, k.operand(it)) {
				return true
			}
		}
		return false
	}
	return n.testCall(it)
}

func (n *node) testCall(it attr.Item) bool {
	first := n.kids[0].operand(it)
	switch n.text {
	case "attribute_exists":
		return !first.IsZero()
	case "attribute_not_exists":
		return first.IsZero()
	case "attribute_type":
		return first.Kind() == attr.ParseKind(n.kids[1].value.Text())
	case "begins_with":
		prefix := n.kids[1].operand(it)
		k := first.Kind()
		return (k == attr.S || k == attr.B) && k == prefix.Kind() && strings.HasPrefix(first.Text(), prefix.Text())
	case "contains":
		return contains(first, n.kids[1].operand(it))
	}
	return false
}

// operand returns the value of an operand, absent if the item has none.
func (n *node) operand(it attr.Item) attr.Value {
	switch n.kind {
	case nodeValue:
		return n.value
	case nodePath:
		return n.path.Lookup(it)
	}
	return size(n.kids[0].operand(it))
}

// compare applies a comparator. Values of different types are unequal and
// have no order; so are absent ones.
func compare(op string, a, b attr.Value) bool {
	switch op {
	case "=":
		return !a.IsZero() && attr.Equal(a, b)
	case "<>":
		return a.IsZero() || !attr.Equal(a, b)
	}
	order, ok := attr.Compare(a, b)
	if !ok {
		return false
	}
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// contains is the function of that name: a substring, a member of a set of
// its type, or an element of a list.
func contains(in, v attr.Value) bool {
	switch in.Kind() {
	case attr.S, attr.B:
		return in.Kind() == v.Kind() && strings.Contains(in.Text(), v.Text())
	case attr.SS, attr.NS, attr.BS:
		if memberKind(in.Kind()) != v.Kind() {
			return false
		}
		for _, m := range in.Members() {
			if m == v.Text() {
				return true
			}
		}
	case attr.L:
		for _, e := range in.Elements() {
			if attr.Equal(e, v) {
				return true
			}
		}
	}
	return false
}

// memberKind returns the type of the members of a set.
func memberKind(set attr.Kind) attr.Kind {
	switch set {
	case attr.SS:
		return attr.S
	case attr.NS:
		return attr.N
	case attr.BS:
		return attr.B
	}
	return attr.None
}

// size is the function of that name; absent for types that have none.
func size(v attr.Value) attr.Value {
	n := 0
	switch v.Kind() {
	case attr.S:
		n = utf8.RuneCountInString(v.Text())
	case attr.B:
		n = len(v.Text())
	case attr.SS, attr.NS, attr.BS:
		n = len(v.Members())
	case attr.L:
		n = len(v.Elements())
	case attr.M:
		n = len(v.Fields())
	default:
		return attr.Value{}
	}
	number, _ := attr.Number(strconv.Itoa(n)) // an int is always a valid number
	return number
}
