package expr_test

import (
	"testing"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
)

func ptr[T any](v T) *T { return &v }

func num(t testing.TB, s string) attr.Value {
	t.Helper()
	v, err := attr.Number(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestLegacyFilter(t *testing.T) {
	t.Parallel()
	it := item(t, sampleItem)
	str := attr.String
	for _, tc := range []struct {
		name string
		test expr.LegacyTest
		want bool
		err  string
	}{
		{"n", expr.LegacyTest{Op: "EQ", Values: []attr.Value{num(t, "5.0")}}, true, ""},
		{"n", expr.LegacyTest{Op: "NE", Values: []attr.Value{str("5")}}, true, ""},
		{"n", expr.LegacyTest{Op: "LT", Values: []attr.Value{num(t, "5")}}, false, ""},
		{"n", expr.LegacyTest{Op: "GE", Values: []attr.Value{num(t, "5")}}, true, ""},
		{"n", expr.LegacyTest{Op: "BETWEEN", Values: []attr.Value{num(t, "4"), num(t, "6")}}, true, ""},
		{"n", expr.LegacyTest{Op: "IN", Values: []attr.Value{num(t, "4"), num(t, "5")}}, true, ""},
		{"n", expr.LegacyTest{Op: "NOT_NULL"}, true, ""},
		{"a.b", expr.LegacyTest{Op: "NULL"}, true, ""},
		{"s", expr.LegacyTest{Op: "BEGINS_WITH", Values: []attr.Value{str("he")}}, true, ""},
		{"ss", expr.LegacyTest{Op: "CONTAINS", Values: []attr.Value{str("a")}}, true, ""},
		{"ss", expr.LegacyTest{Op: "NOT_CONTAINS", Values: []attr.Value{str("a")}}, false, ""},
		{"n", expr.LegacyTest{Op: "EQ"}, false, "One or more parameter values were invalid: Invalid number of argument(s) for the EQ ComparisonOperator"},
		{"n", expr.LegacyTest{Op: "IN", Values: []attr.Value{str("a"), num(t, "1")}}, false, "One or more parameter values were invalid: AttributeValues inside AttributeValueList must be of same type"},
		{"n", expr.LegacyTest{Op: "BEGINS_WITH", Values: []attr.Value{num(t, "1")}}, false, "One or more parameter values were invalid: ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"},
		{"n", expr.LegacyTest{Op: "BETWEEN", Values: []attr.Value{num(t, "6"), num(t, "4")}}, false, "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"},
	} {
		c, err := expr.LegacyFilter(map[string]expr.LegacyTest{tc.name: tc.test}, false)
		if tc.err != "" {
			if err == nil || err.Error() != tc.err {
				t.Errorf("%s %s: %v, want %s", tc.name, tc.test.Op, err, tc.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", tc.name, tc.test.Op, err)
		} else if got := c.Matches(it); got != tc.want {
			t.Errorf("%s %s = %v", tc.name, tc.test.Op, got)
		}
	}
	two := map[string]expr.LegacyTest{"n": {Op: "NULL"}, "s": {Op: "NOT_NULL"}}
	for _, anyOf := range []bool{true, false} {
		c, err := expr.LegacyFilter(two, anyOf)
		if err != nil || c.Matches(it) != anyOf {
			t.Errorf("ConditionalOperator anyOf=%v: %v", anyOf, err)
		}
	}
}

func TestLegacyExpected(t *testing.T) {
	t.Parallel()
	v := attr.String("p")
	for _, tc := range []struct {
		e    expr.LegacyExpectation
		want bool
		err  string
	}{
		{expr.LegacyExpectation{Value: &v}, true, ""},
		{expr.LegacyExpectation{Exists: ptr(true), Value: &v}, true, ""},
		{expr.LegacyExpectation{Exists: ptr(false)}, false, ""},
		{expr.LegacyExpectation{Op: ptr("NE"), Value: &v}, false, ""},
		{expr.LegacyExpectation{Op: ptr("EQ"), Values: []attr.Value{v}}, true, ""},
		{expr.LegacyExpectation{}, false, "One or more parameter values were invalid: Value must be provided when Exists is null for Attribute: pk"},
		{expr.LegacyExpectation{Exists: ptr(true)}, false, "One or more parameter values were invalid: Value must be provided when Exists is true for Attribute: pk"},
		{expr.LegacyExpectation{Exists: ptr(false), Value: &v}, false, "One or more parameter values were invalid: Value cannot be used when Exists is false for Attribute: pk"},
		{expr.LegacyExpectation{Values: []attr.Value{v}, Value: &v}, false, "One or more parameter values were invalid: Value and AttributeValueList cannot be used together for Attribute: pk"},
		{expr.LegacyExpectation{Values: []attr.Value{v}}, false, "One or more parameter values were invalid: AttributeValueList can only be used with a ComparisonOperator for Attribute: pk"},
		{expr.LegacyExpectation{Op: ptr("EQ"), Exists: ptr(true), Value: &v}, false, "One or more parameter values were invalid: Exists and ComparisonOperator cannot be used together for Attribute: pk"},
		{expr.LegacyExpectation{Op: ptr("EQ")}, false, "One or more parameter values were invalid: Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: pk"},
	} {
		c, err := expr.LegacyExpected(map[string]expr.LegacyExpectation{"pk": tc.e}, false)
		switch {
		case tc.err != "":
			if err == nil || err.Error() != tc.err {
				t.Errorf("%+v: %v, want %s", tc.e, err, tc.err)
			}
		case err != nil || c.Matches(item(t, sampleItem)) != tc.want:
			t.Errorf("%+v: %v", tc.e, err)
		}
	}
}

func TestLegacyUpdate(t *testing.T) {
	t.Parallel()
	set := attr.StringSet("b")
	one, text, list := num(t, "1"), attr.String("x"), attr.List([]attr.Value{attr.String("q")})
	u, err := expr.LegacyUpdate(map[string]expr.LegacyChange{
		"s": {Value: &text}, "n": {Action: "ADD", Value: &one}, "ss": {Action: "DELETE", Value: &set}, "b": {Action: "DELETE"},
		"new": {Action: "ADD", Value: &one}, "l2": {Action: "ADD", Value: &list}, "a.b": {Action: "PUT", Value: &text},
	})
	if err != nil {
		t.Fatal(err)
	}
	res, err := u.Apply(item(t, `{"s":{"S":"o"},"n":{"N":"2"},"ss":{"SS":["a","b"]},"b":{"B":""},"l2":{"L":[{"S":"p"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := item(t, `{"s":{"S":"x"},"n":{"N":"3"},"ss":{"SS":["a"]},"new":{"N":"1"},"l2":{"L":[{"S":"p"},{"S":"q"}]},"a.b":{"S":"x"}}`)
	if !attr.EqualItems(res.Item, want) {
		t.Errorf("got %v", res.Item)
	}
	for action, want := range map[string]string{
		"PUT":    "One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is specified",
		"DELETE": "One or more parameter values were invalid: DELETE action with value is not supported for the type S",
		"ADD":    "One or more parameter values were invalid: ADD action is not supported for the type S",
	} {
		c := expr.LegacyChange{Action: action, Value: &text}
		if action == "PUT" {
			c.Value = nil
		}
		if _, err := expr.LegacyUpdate(map[string]expr.LegacyChange{"a": c}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", action, err, want)
		}
	}
	u, _ = expr.LegacyUpdate(map[string]expr.LegacyChange{"s": {Action: "ADD", Value: &one}})
	if _, err := u.Apply(item(t, sampleItem)); err == nil || err.Error() != "Type mismatch for attribute to update" {
		t.Errorf("ADD to a string: %v", err)
	}
}

func TestLegacyKeyCondition(t *testing.T) {
	t.Parallel()
	v := []attr.Value{attr.String("x")}
	k, err := expr.LegacyKeyCondition(map[string]expr.LegacyTest{"pk": {Op: "EQ", Values: v}, "sk": {Op: "BEGINS_WITH", Values: v}})
	if err != nil {
		t.Fatal(err)
	}
	h, r, err := k.Bind(expr.KeyAttribute{Name: "pk", Kind: attr.S}, &expr.KeyAttribute{Name: "sk", Kind: attr.S})
	if err != nil || h.Text() != "x" || r.Op != "begins_with" || !r.Matches(attr.String("xyz")) || r.Matches(attr.String("yx")) {
		t.Errorf("%v %v %v", h, r, err)
	}
	if _, err := expr.LegacyKeyCondition(map[string]expr.LegacyTest{"pk": {Op: "NE", Values: v}}); err == nil || err.Error() != "Attempted conditional constraint is not an indexable operation" {
		t.Error(err)
	}
	if _, err := expr.LegacyKeyCondition(nil); err == nil || err.Error() != "Conditions can be of length 1 or 2 only" {
		t.Error(err)
	}
}
