package expr_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
)

// item reads attributes from their wire form.
func item(t testing.TB, src string) attr.Item {
	t.Helper()
	var it attr.Item
	if err := json.Unmarshal([]byte(src), &it); err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	if err := it.Validate(); err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return it
}

// sample is the item and the values that the tables below refer to.
const (
	sampleItem = `{"pk":{"S":"p"},"n":{"N":"5"},"s":{"S":"hello"},"b":{"B":"aGk="},"t":{"BOOL":true},"z":{"NULL":true},
		"ss":{"SS":["a","b"]},"ns":{"NS":["1","2"]},"l":{"L":[{"N":"1"},{"S":"x"},{"M":{"d":{"N":"9"}}}]},
		"m":{"M":{"x":{"S":"y"},"deep":{"M":{"q":{"N":"1"}}}}}}`
	sampleValues = `{":n":{"N":"5"},":n2":{"N":"6"},":s":{"S":"hello"},":h":{"S":"he"},":a":{"S":"a"},":x":{"S":"x"},":y":{"S":"y"},
		":one":{"N":"1"},":nine":{"N":"9.0"},":t":{"BOOL":true},":N":{"S":"N"},":bad":{"S":"Q"},":l":{"L":[{"S":"new"}]},":ss":{"SS":["b","c"]},
		":ab":{"SS":["a","b"]},":m":{"M":{}},":b":{"B":"aGk="}}`
)

var sampleNames = map[string]string{"#n": "n", "#size": "size", "#dot": "a.b", "#l": "l", "#m": "m"}

func scope(t testing.TB) *expr.Scope {
	t.Helper()
	s, err := expr.NewScope(sampleNames, item(t, sampleValues))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConditions(t *testing.T) {
	t.Parallel()
	it := item(t, sampleItem)
	for src, want := range map[string]bool{
		"n = :n":                                 true,
		"#n = :n":                                true,
		":n = n":                                 true,
		"n <> :n":                                false,
		"n < :n2 AND n <= :n AND n >= :n":        true,
		"n > :n OR s = :s":                       true,
		"NOT n = :n":                             false,
		"not (n = :n and s = :a)":                true,
		"n = :s":                                 false,
		"n <> :s":                                true,
		"absent = :s":                            false,
		"absent <> :s":                           true,
		"absent < :n":                            false,
		"n BETWEEN :one AND :n2":                 true,
		"n BETWEEN :n2 AND :nine":                false,
		"n BETWEEN :one AND :n AND s = :s":       true,
		"n IN (:one, :n)":                        true,
		"n in (:one)":                            false,
		"attribute_exists(m.deep.q)":             true,
		"attribute_exists(l[3])":                 false,
		"attribute_exists(l[99999999999999999])": false,
		"attribute_not_exists(m.nope)":           true,
		"attribute_type(n, :N)":                  true,
		"attribute_type(absent, :N)":             false,
		"begins_with(s, :h)":                     true,
		"begins_with(n, :h)":                     false,
		"begins_with(s, absent)":                 false,
		"contains(s, :h)":                        true,
		"contains(ss, :a)":                       true,
		"contains(ss, :n)":                       false,
		"contains(ns, :one)":                     true,
		"contains(l, :x)":                        true,
		"contains(l, :y)":                        false,
		"size(s) = :n":                           true,
		"size(l) < :n":                           true,
		"size(n) = :n":                           false,
		"size(m.deep) = :one":                    true,
		"l[2].d = :nine":                         true,
		"l [ 2 ] . d = :nine":                    true,
		"(l)[2].d = :nine":                       true,
		"(n) = (:n)":                             true,
		"(n = :n) AND ((s = :s) OR (s = :a))":    true,
		"ss = :ab":                               true,
		"attribute_exists(#size)":                false,
		"a_b = :s OR n = :n":                     true,
		"n = :n OR n = :one AND s = :a":          true,
		"(n = :n OR n = :one) AND s = :a":        false,
		"size(s) BETWEEN :one AND :n":            true,
	} {
		c, err := scope(t).Condition(expr.ConditionExpression, src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := c.Matches(it); got != want {
			t.Errorf("%s = %v, want %v", src, got, want)
		}
	}
}

func TestConditionErrors(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"":                        "The expression can not be empty;",
		"a = = :n":                `Syntax error; token: "=", near: "= = :n"`,
		"a AND b = :n":            `Syntax error; token: "AND", near: "a AND b"`,
		"a = :n AND":              `Syntax error; token: "<EOF>", near: "AND"`,
		"a = (b = :n)":            `Syntax error; token: "=", near: "b = :n"`,
		"(a = :n) = :n":           `Syntax error; token: "=", near: ") = :n"`,
		"a = :n)":                 `Syntax error; token: ")", near: ":n)"`,
		"_a = :n":                 `Syntax error; token: "_", near: "_a"`,
		"a-b = :n":                `Syntax error; token: "-", near: "a-b"`,
		"a[x] = :n":               `Syntax error; token: "x", near: "[x]"`,
		"NOT NOT a = :n":          `Syntax error; token: "NOT", near: "NOT NOT a"`,
		"a in :n":                 `Syntax error; token: ":n", near: "in :n"`,
		"((a = :n))":              "The expression has redundant parentheses;",
		"((a)) = :n":              "The expression has redundant parentheses;",
		"((attribute_exists(a)))": "The expression has redundant parentheses;",
		"foo(a, b)":               "Invalid function name; function: foo",
		"Size(a) = :n":            "Invalid function name; function: Size",
		"size(a)":                 "The function is not allowed to be used this way in an expression; function: size",
		"NOT size(a)":             "The function is not allowed to be used this way in an expression; function: size",
		"contains(a, b) = :n":     "The function is not allowed to be used this way in an expression; function: contains",
		"begins_with(a, size(b)) OR attribute_exists(contains(a, :a))": "The function is not allowed to be used this way in an expression; function: contains",
		"Size = :n":               "Attribute name is a reserved keyword; reserved keyword: Size",
		"a.b.name = :n":           "Attribute name is a reserved keyword; reserved keyword: name",
		"#nope = :n":              "An expression attribute name used in the document path is not defined; attribute name: #nope",
		"a = :nope":               "An expression attribute value used in expression is not defined; attribute value: :nope",
		"attribute_exists(a,b)":   "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2",
		"a = a":                   "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
		"#l[0] = l[0]":            "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [l, [0]]",
		"contains(#n, #n)":        "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [n]",
		"attribute_exists(:n)":    "Operator or function requires a document path; operator or function: attribute_exists",
		"begins_with(a, :n)":      "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"attribute_type(a, b)":    "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}",
		"attribute_type(a, :n)":   "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N",
		"attribute_type(a, :bad)": "Invalid attribute type name found; type: Q, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
		"size(:n) = :n":           "Incorrect operand type for operator or function; operator or function: size, operand type: N",
		"a < :t":                  "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
		"a BETWEEN :n2 AND :n":    "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:6}, upper bound operand: AttributeValue: {N:5}",
		"a BETWEEN :s AND :n":     "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:hello}, upper bound operand: AttributeValue: {N:5}",
		"a = :nope AND b = b":     "An expression attribute value used in expression is not defined; attribute value: :nope",
		"b = b AND a = :nope":     "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [b]",
		"a IN (" + strings.Repeat(":n,", 100) + ":n)":      "The IN operator is provided with too many operands; number of operands: 101",
		strings.Repeat("a=:n OR ", 150) + "a=:n":           "The expression contains too many operators; operator count: 301",
		strings.Repeat("(", 2000) + strings.Repeat(")", 9): "The expression has redundant parentheses;",
		"a = :n" + strings.Repeat(" ", 4091):               "Expression size has exceeded the maximum allowed size; expression size: 4097",
	} {
		_, err := scope(t).Condition(expr.FilterExpression, src)
		if err == nil || err.Error() != "Invalid FilterExpression: "+want {
			t.Errorf("%.80s\n got %v\nwant Invalid FilterExpression: %s", src, err, want)
		}
	}
}

// TestPathologicalCondition is the legal expression that sends backtracking
// parsers to sleep for minutes.
func TestPathologicalCondition(t *testing.T) {
	t.Parallel()
	src := strings.Repeat("a<:n or (", 149) + "a<:n" + strings.Repeat(")", 149)
	c, err := scope(t).Condition(expr.ConditionExpression, src)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Matches(item(t, `{"a":{"N":"4.9"}}`)) || c.Matches(item(t, `{"a":{"N":"5"}}`)) {
		t.Error("wrong answer")
	}
}

func TestUpdates(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ src, item, old, new string }{
		{"SET n = n + :one", `{"n":{"N":"6"}}`, `{"n":{"N":"5"}}`, `{"n":{"N":"6"}}`},
		{"set n = :one - n", `{"n":{"N":"-4"}}`, `{"n":{"N":"5"}}`, `{"n":{"N":"-4"}}`},
		{"SET q = if_not_exists(q, :one) + :one", `{"q":{"N":"2"}}`, `{}`, `{"q":{"N":"2"}}`},
		{"SET q = if_not_exists(n, :one)", `{"q":{"N":"5"}}`, `{}`, `{"q":{"N":"5"}}`},
		{"SET q = list_append(:l, if_not_exists(q, :l))", `{"q":{"L":[{"S":"new"},{"S":"new"}]}}`, `{}`, `{"q":{"L":[{"S":"new"},{"S":"new"}]}}`},
		{"SET m.x = :a, m.deep.q = :n", `{"m":{"M":{"x":{"S":"a"},"deep":{"M":{"q":{"N":"5"}}}}}}`,
			`{"m":{"M":{"x":{"S":"y"},"deep":{"M":{"q":{"N":"1"}}}}}}`, `{"m":{"M":{"x":{"S":"a"},"deep":{"M":{"q":{"N":"5"}}}}}}`},
		{"SET l[0] = :a", `{"l":{"L":[{"S":"a"},{"S":"x"},{"M":{"d":{"N":"9"}}}]}}`, `{"l":{"L":[{"N":"1"}]}}`, `{"l":{"L":[{"S":"a"}]}}`},
		{"SET l[9] = :y, l[7] = :a", `{"l":{"L":[{"N":"1"},{"S":"x"},{"M":{"d":{"N":"9"}}},{"S":"a"},{"S":"y"}]}}`, `{}`, `{"l":{"L":[{"S":"a"},{"S":"y"}]}}`},
		{"REMOVE l[0], l[1], s, absent", `{"l":{"L":[{"M":{"d":{"N":"9"}}}]},"s":null}`, `{"l":{"L":[{"N":"1"},{"S":"x"}]},"s":{"S":"hello"}}`, `{}`},
		{"REMOVE l[0] SET l[1] = :y", `{"l":{"L":[{"S":"y"},{"M":{"d":{"N":"9"}}}]}}`, `{"l":{"L":[{"N":"1"},{"S":"x"}]}}`, `{"l":{"L":[{"S":"y"}]}}`},
		{"REMOVE l[2].d, l[77]", `{"l":{"L":[{"N":"1"},{"S":"x"},{"M":{}}]}}`, `{"l":{"L":[{"M":{"d":{"N":"9"}}}]}}`, `{}`},
		{"ADD n :one, q :n, ss :ss", `{"n":{"N":"6"},"q":{"N":"5"},"ss":{"SS":["a","b","c"]}}`, `{"n":{"N":"5"},"ss":{"SS":["a","b"]}}`,
			`{"n":{"N":"6"},"q":{"N":"5"},"ss":{"SS":["a","b","c"]}}`},
		{"ADD m.deep.q :one", `{"m":{"M":{"x":{"S":"y"},"deep":{"M":{"q":{"N":"2"}}}}}}`, `{"m":{"M":{"deep":{"M":{"q":{"N":"1"}}}}}}`, `{"m":{"M":{"deep":{"M":{"q":{"N":"2"}}}}}}`},
		{"DELETE ss :ss", `{"ss":{"SS":["a"]}}`, `{"ss":{"SS":["a","b"]}}`, `{"ss":{"SS":["a"]}}`},
		{"DELETE ss :ab", `{"ss":null}`, `{"ss":{"SS":["a","b"]}}`, `{}`},
		{"DELETE absent :ab", `{}`, `{}`, `{}`},
		{"SET s = n, n = s", `{"s":{"N":"5"},"n":{"S":"hello"}}`, `{"s":{"S":"hello"},"n":{"N":"5"}}`, `{"s":{"N":"5"},"n":{"S":"hello"}}`},
		{"SET s = (n), #dot = (:n + :one)", `{"s":{"N":"5"},"a.b":{"N":"6"}}`, `{"s":{"S":"hello"}}`, `{"s":{"N":"5"},"a.b":{"N":"6"}}`},
	} {
		old := item(t, sampleItem)
		before := old.Clone()
		u, err := scope(t).Update(tc.src)
		if err != nil {
			t.Errorf("%s: %v", tc.src, err)
			continue
		}
		res, err := u.Apply(old)
		if err != nil {
			t.Errorf("%s: %v", tc.src, err)
			continue
		}
		want := before.Clone()
		var changes attr.Item
		if err := json.Unmarshal([]byte(tc.item), &changes); err != nil {
			t.Fatal(err)
		}
		for name, v := range changes {
			if want[name] = v; v.IsZero() {
				delete(want, name)
			}
		}
		for what, pair := range map[string][2]attr.Item{
			"item": {res.Item, want}, "old": {res.Old(), item(t, tc.old)}, "new": {res.New(), item(t, tc.new)}, "untouched old": {old, before},
		} {
			if !attr.EqualItems(pair[0], pair[1]) {
				got, _ := json.Marshal(pair[0])
				wanted, _ := json.Marshal(pair[1])
				t.Errorf("%s: %s\n got %s\nwant %s", tc.src, what, got, wanted)
			}
		}
	}
}

func TestUpdateErrors(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"":                              "The expression can not be empty;",
		"INVALID SYNTAX HERE":           `Syntax error; token: "INVALID", near: "INVALID SYNTAX"`,
		"SET":                           `Syntax error; token: "<EOF>", near: "SET"`,
		"SET a = :n,":                   `Syntax error; token: "<EOF>", near: ","`,
		"SET a = :n + :n + :n":          `Syntax error; token: "+", near: ":n + :n"`,
		"ADD a b":                       `Syntax error; token: "b", near: "a b"`,
		"SET a = (:n":                   `Syntax error; token: "<EOF>", near: ":n"`,
		"SET name = :n":                 "Attribute name is a reserved keyword; reserved keyword: name",
		"SET a = foo(b)":                "Invalid function name; function: foo",
		"SET a = size(b)":               "Invalid function name; function: size",
		"SET a = :n SET b = :n":         `The "SET" section can only be used once in an update expression;`,
		"SET #nope = :nope":             "An expression attribute name used in the document path is not defined; attribute name: #nope",
		"SET a = :nope":                 "An expression attribute value used in expression is not defined; attribute value: :nope",
		"SET a = :n REMOVE a.b":         "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]",
		"SET a.b = :n, a = :n":          "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a]",
		"SET a.b = :n, a[0] = :n":       "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]",
		"SET #l[1] = :n, l[1] = :n":     "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [l, [1]], path two: [l, [1]]",
		"ADD a :s":                      "Incorrect operand type for operator or function; operator: ADD, operand type: STRING",
		"DELETE a :n":                   "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER",
		"ADD a :m":                      "Incorrect operand type for operator or function; operator: ADD, operand type: MAP",
		"SET a = if_not_exists(:n, :n)": "Operator or function requires a document path; operator or function: if_not_exists",
		"SET a = if_not_exists(b)":      "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1",
		"SET a = list_append(b, :n)":    "Incorrect operand type for operator or function; operator or function: list_append, operand type: N",
		"SET a = b + :s":                "Incorrect operand type for operator or function; operator or function: +, operand type: S",
	} {
		_, err := scope(t).Update(src)
		if err == nil || err.Error() != "Invalid UpdateExpression: "+want {
			t.Errorf("%s\n got %v\nwant Invalid UpdateExpression: %s", src, err, want)
		}
	}
}

func TestUpdateFailures(t *testing.T) {
	t.Parallel()
	const (
		path    = "The document path provided in the update expression is invalid for update"
		missing = "The provided expression refers to an attribute that does not exist in the item"
		operand = "An operand in the update expression has an incorrect data type"
	)
	for src, want := range map[string]string{
		"SET a.b = :n":                  path,
		"SET s.b = :n":                  path,
		"SET l.b = :n":                  path,
		"SET m[0] = :n":                 path,
		"SET l[5].x = :n":               path,
		"REMOVE a.b":                    path,
		"SET a = q":                     missing,
		"SET a = q + :one":              missing,
		"SET a = s + :one":              operand,
		"SET a = list_append(s, :l)":    operand,
		"ADD s :one":                    operand,
		"ADD ns :ss":                    operand,
		"DELETE s :ss":                  operand,
		"SET n = list_append(:l, l[0])": operand,
	} {
		u, err := scope(t).Update(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if _, err := u.Apply(item(t, sampleItem)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", src, err, want)
		}
	}
}

func TestProjections(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"pk":                        `{"pk":{"S":"p"}}`,
		"pk, absent, #n":            `{"pk":{"S":"p"},"n":{"N":"5"}}`,
		"m.deep.q, m.nope":          `{"m":{"M":{"deep":{"M":{"q":{"N":"1"}}}}}}`,
		"l[2].d, l[0]":              `{"l":{"L":[{"N":"1"},{"M":{"d":{"N":"9"}}}]}}`,
		"l[9], s[0], t.x, absent.x": `{}`,
	} {
		p, err := scope(t).Projection(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := p.Of(item(t, sampleItem)); !attr.EqualItems(got, item(t, want)) {
			text, _ := json.Marshal(got)
			t.Errorf("%s: %s, want %s", src, text, want)
		}
	}
	for src, want := range map[string]string{
		"":          "The expression can not be empty;",
		"a,":        `Syntax error; token: "<EOF>", near: ","`,
		"a b":       `Syntax error; token: "b", near: "a b"`,
		":n":        `Syntax error; token: ":n", near: ":n"`,
		"a, key":    "Attribute name is a reserved keyword; reserved keyword: key",
		"#nope":     "An expression attribute name used in the document path is not defined; attribute name: #nope",
		"a.b, a":    "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a]",
		"a[1], a.b": "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, [1]], path two: [a, b]",
	} {
		if _, err := scope(t).Projection(src); err == nil || err.Error() != "Invalid ProjectionExpression: "+want {
			t.Errorf("%s: %v, want %s", src, err, want)
		}
	}
}

func TestKeyConditions(t *testing.T) {
	t.Parallel()
	hash, ranged := expr.KeyAttribute{Name: "pk", Kind: attr.S}, expr.KeyAttribute{Name: "sk", Kind: attr.N}
	for src, want := range map[string]string{
		"pk = :s":                            "hello",
		":s = pk":                            "hello",
		"pk = :s AND sk < :n":                "hello < 5",
		"sk >= :n AND pk = :s":               "hello >= 5",
		"(pk = :s) AND (:n < sk)":            "hello > 5",
		"pk = :s AND sk BETWEEN :one AND :n": "hello BETWEEN 1 5",
		"pk = :s OR sk = :n":                 "Invalid operator used in KeyConditionExpression: OR",
		"NOT pk = :s":                        "Invalid operator used in KeyConditionExpression: NOT",
		"pk IN (:s)":                         "Invalid operator used in KeyConditionExpression: IN",
		"pk <> :s":                           "Invalid operator used in KeyConditionExpression: <>",
		"pk = :s AND contains(sk, :n)":       "Invalid operator used in KeyConditionExpression: contains",
		"pk = :s AND size(sk) = :n":          "KeyConditionExpressions cannot contain nested operations",
		"pk = :s AND m.x = :n":               "KeyConditionExpressions cannot have conditions on nested attributes",
		"pk = sk":                            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
		":s = :n":                            "Invalid condition in KeyConditionExpression: No key attribute specified",
		"pk = :s AND begins_with(:s, sk)":    "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand",
		"pk = :s AND :n BETWEEN sk AND :n":   "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand",
		"pk = :s AND sk > :one AND sk < :n":  "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
		"pk = :s AND sk > :n AND extra = :n": "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
		"sk = :n":                            "Query condition missed key schema element: pk",
		"pk = :s AND others1 = :n":           "Query condition missed key schema element: sk",
		"pk > :s":                            "Query key condition not supported",
		"pk = :s AND sk = :s":                "One or more parameter values were invalid: Condition parameter type does not match schema type",
		"pk = :s AND sk = :t":                "One or more parameter values were invalid: Condition parameter type does not match schema type",
		"pk = :s AND begins_with(sk, :h)":    "One or more parameter values were invalid: Condition parameter type does not match schema type",
		"pk = :s AND begins_with(sk, :n)":    "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"pk = :s AND :t >= sk":               "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: >=, operand type: BOOL",
		"pk = :nope AND begins_with(sk, :n)": "Invalid KeyConditionExpression: An expression attribute value used in expression is not defined; attribute value: :nope",
		"begins_with(sk, :n) AND pk = :nope": "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
	} {
		got, err := bindKey(t, src, hash, ranged)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", src, got, want)
		}
	}
}

func bindKey(t *testing.T, src string, hash, ranged expr.KeyAttribute) (string, error) {
	k, err := scope(t).KeyCondition(src)
	if err != nil {
		return "", err
	}
	v, test, err := k.Bind(hash, &ranged)
	if err != nil {
		return "", err
	}
	got := v.Text()
	if test != nil {
		got += " " + test.Op
		for _, v := range test.Values {
			got += " " + v.Text()
		}
	}
	return got, nil
}

func TestScope(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		names  map[string]string
		values string
		want   string
	}{
		{map[string]string{}, "", "ExpressionAttributeNames must not be empty"},
		{map[string]string{"a": "x"}, "", `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{map[string]string{"#": "x"}, "", `ExpressionAttributeNames contains invalid key: Syntax error; key: "#"`},
		{nil, `{}`, "ExpressionAttributeValues must not be empty"},
		{nil, `{"#a":{"S":"x"}}`, `ExpressionAttributeValues contains invalid key: Syntax error; key: "#a"`},
		{map[string]string{"#b": "b", "#c": "c", "#used": "u"}, `{":v":{"S":"x"}}`, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b, #c}"},
		{map[string]string{"#used": "u"}, `{":v":{"S":"x"},":w":{"S":"x"}}`, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"},
		{map[string]string{"#used": "u"}, `{":v":{"S":"x"}}`, ""},
	} {
		var values attr.Item
		if tc.values != "" {
			values = item(t, tc.values)
		}
		s, err := expr.NewScope(tc.names, values)
		if err == nil {
			if _, err = s.Condition(expr.ConditionExpression, "#used = :v"); err == nil {
				err = s.CheckUsed()
			}
		}
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%v %s: %q, want %q", tc.names, tc.values, got, tc.want)
		}
	}
}

func TestTopNames(t *testing.T) {
	t.Parallel()
	c, err := scope(t).Condition(expr.FilterExpression, "#n = :n AND size(m.x) > :n OR attribute_exists(l[0])")
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(c.TopNames); !slices.Equal(got, []string{"n", "m", "l"}) {
		t.Errorf("got %v", got)
	}
	for range c.TopNames {
		break // must not panic when stopped early
	}
	if len(maps.Collect(func(yield func(string, bool) bool) {
		for n := range c.TopNames {
			if !yield(n, true) {
				return
			}
		}
	})) != 3 {
		t.Error("names are not distinct")
	}
}
