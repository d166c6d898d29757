package expr

import (
	"slices"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

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
