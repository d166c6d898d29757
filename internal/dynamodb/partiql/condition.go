package partiql

import (
	"strings"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

func (p *parser) where(s *Statement) error {
	if !p.takeWord("WHERE") {
		return nil
	}
	c, err := p.or()
	s.Where = c
	return err
}

func (p *parser) or() (Condition, error) {
	left, err := p.and()
	for err == nil && p.takeWord("OR") {
		var right Condition
		if right, err = p.rightSide(p.and); err == nil {
			left = Or{left, right}
		}
	}
	return left, err
}

func (p *parser) and() (Condition, error) {
	left, err := p.not()
	for err == nil && p.takeWord("AND") {
		var right Condition
		if right, err = p.rightSide(p.not); err == nil {
			left = And{left, right}
		}
	}
	return left, err
}

// rightSide reads what follows AND or OR.
func (p *parser) rightSide(read func() (Condition, error)) (Condition, error) {
	if t := p.peek(); t.kind == end || t.text == ";" {
		return nil, malformed(noRightSide)
	}
	return read()
}

func (p *parser) not() (Condition, error) {
	if !p.takeWord("NOT") {
		return p.test()
	}
	of, err := p.not()
	return Not{of}, err
}

// test reads one comparison, function or condition in parentheses.
func (p *parser) test() (Condition, error) {
	if p.take("(") {
		c, err := p.or()
		if err == nil && !p.take(")") {
			err = malformed(noTerm)
		}
		return c, err
	}
	if t := p.peek(); t.kind == word && p.tokens[1].kind == sign && p.tokens[1].text == "(" && !t.is("size") {
		return p.call()
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	switch {
	case p.takeWord("IS"):
		return p.is(left)
	case p.takeWord("NOT", "IN"):
		in, err := p.in(left)
		return Not{in}, err
	case p.takeWord("IN"):
		return p.in(left)
	case p.takeWord("NOT", "BETWEEN"):
		b, err := p.between(left)
		return Not{b}, err
	case p.takeWord("BETWEEN"):
		return p.between(left)
	}
	return p.comparison(left)
}

func (p *parser) comparison(left Operand) (Condition, error) {
	t := p.peek()
	switch {
	case t.is("LIKE"):
		return nil, refused("Unsupported operator in Condition Expression. Operator: LIKE")
	case t.kind != sign:
		return nil, refused("WHERE clause must contain an expression that resolves to a boolean")
	}
	op := t.text
	switch op {
	case "!=":
		op = "<>"
	case "=", "<>", "<", "<=", ">", ">=":
	default:
		return nil, refused("WHERE clause must contain an expression that resolves to a boolean")
	}
	p.next()
	if p.peek().is("MISSING") {
		return nil, refused("MISSING must be compared using IS operator")
	}
	right, err := p.operand()
	return Compare{left, op, right}, err
}

// in reads a list in brackets or parentheses.
func (p *parser) in(of Operand) (Condition, error) {
	const invalid = "IN operator must have a left hand argument of type Variable Reference and right hand argument of type Seq with at least one member"
	closing := "]"
	if !p.take("[") {
		if !p.take("(") {
			return nil, refused(invalid)
		}
		closing = ")"
	}
	in := In{Of: of}
	for !p.take(closing) {
		v, err := p.operand()
		if err != nil {
			return nil, err
		}
		if in.Values = append(in.Values, v); !p.take(",") && p.peek().text != closing {
			return nil, malformed(noTerm)
		}
	}
	if len(in.Values) == 0 || of.Path == nil {
		return nil, refused(invalid)
	}
	return in, nil
}

func (p *parser) between(of Operand) (Condition, error) {
	low, err := p.operand()
	if err != nil {
		return nil, err
	}
	if !p.takeWord("AND") {
		return nil, malformed(noTerm)
	}
	high, err := p.operand()
	return Between{of, low, high}, err
}

// types are what IS compares with, as attribute_type calls it.
var types = map[string]string{
	"NULL": "NULL", "BOOLEAN": "BOOL", "BOOL": "BOOL", "BLOB": "B", "STRING": "S", "NUMERIC": "N", "STRUCT": "M", "TUPLE": "M", "LIST": "L",
}

func (p *parser) is(of Operand) (c Condition, err error) {
	if of.Path == nil {
		return nil, refused("The left hand side argument to IS must be a Variable Reference, Literal, or Path")
	}
	negated := p.takeWord("NOT")
	t := p.next()
	kind, known := types[strings.ToUpper(t.text)]
	switch {
	case t.is("MISSING"):
		c = Call{Function: "attribute_not_exists", Path: of.Path}
	case t.kind == word && known:
		c = Call{"attribute_type", of.Path, attr.String(kind)}
	default:
		return nil, malformed(noTypeName)
	}
	if negated {
		c = Not{c}
	}
	return c, nil
}

// call reads a function that is a condition by itself.
func (p *parser) call() (Condition, error) {
	name := strings.ToLower(p.next().text)
	p.next() // the parenthesis
	c := Call{Function: name}
	one := false
	switch name {
	case "attribute_exists", "attribute_not_exists":
		one = true
	case "attribute_type", "begins_with", "contains":
	case "exists":
		return nil, refused("EXISTS can only be used in ExecuteTransaction write requests.")
	default:
		return nil, refused("Unrecognized function: %s", name)
	}
	var err error
	if c.Path, err = p.path(); err != nil {
		return nil, err
	}
	if !one {
		if !p.take(",") {
			return nil, malformed(noTerm)
		}
		if c.Value, err = p.value(root); err != nil {
			return nil, err
		}
	}
	if !p.take(")") {
		return nil, malformed(noTerm)
	}
	return c, nil
}

// operand reads a path, a value or size(path).
func (p *parser) operand() (Operand, error) {
	t := p.peek()
	if t.is("size") && p.tokens[1].kind == sign && p.tokens[1].text == "(" {
		p.next()
		p.next()
		path, err := p.path()
		if err == nil && !p.take(")") {
			err = malformed(noTerm)
		}
		return Operand{Path: path, Size: true}, err
	}
	if t.kind == quoted || t.kind == word && !reserved[strings.ToUpper(t.text)] {
		path, err := p.path()
		return Operand{Path: path}, err
	}
	v, err := p.value(root)
	return Operand{Value: v}, err
}

// Equal returns the value that the condition demands of a top-level attribute;
// false if it is no such equality.
func Equal(c Condition) (name string, v attr.Value, ok bool) {
	cmp, is := c.(Compare)
	if !is || cmp.Operator != "=" {
		return "", v, false
	}
	if cmp.Left.Path == nil {
		cmp.Left, cmp.Right = cmp.Right, cmp.Left
	}
	if name, ok = top(cmp.Left); !ok || cmp.Right.Path != nil {
		return "", v, false
	}
	return name, cmp.Right.Value, true
}

// OneOf returns the values of which a top-level attribute must have one; false
// if the condition is no such IN.
func OneOf(c Condition) (name string, values []attr.Value, ok bool) {
	in, is := c.(In)
	if !is {
		return "", nil, false
	}
	if name, ok = top(in.Of); !ok {
		return "", nil, false
	}
	for _, v := range in.Values {
		if v.Path != nil {
			return "", nil, false
		}
		values = append(values, v.Value)
	}
	return name, values, true
}

// Subject is the top-level attribute that a key condition could be about; false
// if the condition can't be one.
func Subject(c Condition) (name string, ok bool) {
	switch c := c.(type) {
	case Compare:
		if c.Operator == "<>" || c.Right.Path != nil {
			return "", false
		}
		return top(c.Left)
	case Between:
		if c.Low.Path != nil || c.High.Path != nil {
			return "", false
		}
		return top(c.Of)
	case Call:
		if c.Function != "begins_with" {
			return "", false
		}
		return top(Operand{Path: c.Path})
	}
	return "", false
}

func top(o Operand) (string, bool) {
	if len(o.Path) != 1 || o.Size {
		return "", false
	}
	return o.Path[0].Name, true
}
