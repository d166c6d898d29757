package policy

import (
	"strings"
)

// quantifier is the set operator in front of a condition operator.
type quantifier uint8

const (
	single quantifier = iota
	forAnyValue
	forAllValues
)

// condition is one operator with one key and its accepted values. All
// conditions of a statement must hold.
type condition struct {
	key        string // lower case
	quantifier quantifier
	ifExists   bool
	negated    bool
	fixed      bool // it asks for given values: see isFixed
	null       bool // the Null operator; wantNull holds its values
	wantNull   []string
	values     []matcher
}

// matcher compares one value of the request with one value of the policy.
type matcher interface {
	match(value string, ctx Context) bool
}

// operator builds matchers for one operator family.
type operator struct {
	negated bool
	// compile makes the matcher of one policy value. It reports false for
	// text that can't be compiled at all, such as an open variable.
	compile func(text string, vars bool) (matcher, bool)
}

// operators is the table of the page "IAM JSON policy elements: Condition
// operators". Null is not in it: it looks at the key alone.
var operators = map[string]operator{
	"StringEquals":              {false, compileString},
	"StringNotEquals":           {true, compileString},
	"StringEqualsIgnoreCase":    {false, compileStringFold},
	"StringNotEqualsIgnoreCase": {true, compileStringFold},
	"StringLike":                {false, compileStringLike},
	"StringNotLike":             {true, compileStringLike},
	"NumericEquals":             {false, numericOp(equal)},
	"NumericNotEquals":          {true, numericOp(equal)},
	"NumericLessThan":           {false, numericOp(less)},
	"NumericLessThanEquals":     {false, numericOp(lessEqual)},
	"NumericGreaterThan":        {false, numericOp(greater)},
	"NumericGreaterThanEquals":  {false, numericOp(greaterEqual)},
	"DateEquals":                {false, dateOp(equal)},
	"DateNotEquals":             {true, dateOp(equal)},
	"DateLessThan":              {false, dateOp(less)},
	"DateLessThanEquals":        {false, dateOp(lessEqual)},
	"DateGreaterThan":           {false, dateOp(greater)},
	"DateGreaterThanEquals":     {false, dateOp(greaterEqual)},
	"Bool":                      {false, compileStringFold},
	"BinaryEquals":              {false, compileBinary},
	"IpAddress":                 {false, compileIP},
	"NotIpAddress":              {true, compileIP},
	"ArnEquals":                 {false, compileARN},
	"ArnLike":                   {false, compileARN},
	"ArnNotEquals":              {true, compileARN},
	"ArnNotLike":                {true, compileARN},
}

// operatorName is a condition operator taken apart.
type operatorName struct {
	base       string
	quantifier quantifier
	ifExists   bool
}

// parseOperator reports false for an operator that IAM does not know.
// IfExists can't be put behind Null (page "Condition operators").
func parseOperator(name string) (operatorName, bool) {
	var op operatorName
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		op.quantifier, name = forAllValues, rest
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		op.quantifier, name = forAnyValue, rest
	}
	if name == "Null" {
		op.base = name
		return op, true
	}
	op.base, op.ifExists = strings.CutSuffix(name, "IfExists")
	_, known := operators[op.base]
	return op, known
}

// compileCondition builds one condition; it reports false for values that
// can't be compiled.
func compileCondition(op operatorName, key string, values []string, vars bool) (condition, bool) {
	c := condition{key: lower(key), quantifier: op.quantifier, ifExists: op.ifExists, fixed: isFixed(op, values)}
	if op.base == "Null" {
		c.null, c.wantNull = true, values
		return c, true
	}
	def := operators[op.base]
	c.negated = def.negated
	for _, text := range values {
		m, ok := def.compile(text, vars)
		if !ok {
			return condition{}, false
		}
		c.values = append(c.values, m)
	}
	return c, true
}

// holds evaluates c against the request. What an absent key means is the
// heart of it (pages "Condition operators" and "Single-valued vs. multivalued
// context keys"): a plain operator fails, a negated one and ForAllValues
// hold, ForAnyValue fails, and IfExists makes any of them hold.
func (c *condition) holds(ctx Context) bool {
	given := ctx.get(c.key)
	if c.null {
		return c.holdsNull(len(given) == 0)
	}
	if len(given) == 0 {
		return c.ifExists || c.quantifier == forAllValues || c.negated && c.quantifier == single
	}
	switch c.quantifier {
	case forAllValues:
		for _, v := range given {
			if c.matches(v, ctx) == c.negated {
				return false
			}
		}
		return true
	case forAnyValue:
		for _, v := range given {
			if c.matches(v, ctx) != c.negated {
				return true
			}
		}
		return false
	}
	for _, v := range given {
		if c.matches(v, ctx) {
			return !c.negated
		}
	}
	return c.negated
}

// matches reports whether v equals any of the policy's values.
func (c *condition) matches(v string, ctx Context) bool {
	for _, m := range c.values {
		if m.match(v, ctx) {
			return true
		}
	}
	return false
}

func (c *condition) holdsNull(absent bool) bool {
	for _, want := range c.wantNull {
		if strings.EqualFold(want, "true") == absent {
			return true
		}
	}
	return false
}
