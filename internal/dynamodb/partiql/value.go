package partiql

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

// root is where a value stands.
const root = "root"

// value reads a literal or a parameter; at is where it stands, for complaints.
func (p *parser) value(at string) (attr.Value, error) {
	t := p.peek()
	switch {
	case t.kind == text:
		return attr.String(p.next().text), nil
	case t.kind == number:
		return p.number(at, "")
	case p.take("-"):
		return p.number(at, "-")
	case p.take("+"):
		return p.number(at, "")
	case p.take("?"):
		if p.used == len(p.parameters) {
			return attr.Value{}, refused(parameterCount)
		}
		p.used++
		return p.parameters[p.used-1], nil
	case p.take("["):
		return p.list(at)
	case p.take("{"):
		return p.tuple(at)
	case p.take("<<"):
		return p.bag(at)
	case p.takeWord("TRUE"):
		return attr.Bool(true), nil
	case p.takeWord("FALSE"):
		return attr.Bool(false), nil
	case p.takeWord("NULL"):
		return attr.Null(), nil
	}
	return attr.Value{}, p.unexpected()
}

func (p *parser) number(at, negative string) (attr.Value, error) {
	t := p.next()
	if t.kind != number {
		return attr.Value{}, malformed(noTerm)
	}
	v, err := attr.Number(negative + t.text)
	var bad *attr.ValidationError
	if errors.As(err, &bad) {
		err = refused("%s under %s", bad.Message, at)
	}
	return v, err
}

func (p *parser) list(at string) (attr.Value, error) {
	list := []attr.Value{}
	for !p.take("]") {
		v, err := p.value(fmt.Sprintf("%s[%d]", at, len(list)))
		if err != nil {
			return v, err
		}
		if list = append(list, v); !p.take(",") && p.peek().text != "]" {
			return v, malformed(noTerm)
		}
	}
	return attr.List(list), nil
}

// tuple reads a map behind its brace. Each value of an item, for which at is "",
// stands at a root of its own (recorded).
func (p *parser) tuple(at string) (attr.Value, error) {
	m := attr.Item{}
	for !p.take("}") {
		name := p.next()
		if name.kind != text {
			return attr.Value{}, malformed(noTerm)
		}
		if !p.take(":") {
			return attr.Value{}, malformed(noTerm)
		}
		if _, twice := m[name.text]; twice {
			return attr.Value{}, refused("Duplicate keys in tuple. Key: %s under %s", name.text, cmp.Or(at, root))
		}
		under := root
		if at != "" {
			under = at + "." + name.text
		}
		v, err := p.value(under)
		if err != nil {
			return v, err
		}
		if m[name.text] = v; !p.take(",") && p.peek().text != "}" {
			return v, malformed(noTerm)
		}
	}
	return attr.Map(m), nil
}

// bag reads a set. Its members are all numbers or all strings.
func (p *parser) bag(at string) (attr.Value, error) {
	var members []string
	kind := attr.SS
	for !p.take(">>") {
		if t := p.peek(); t.kind == sign && t.text == "?" {
			return attr.Value{}, refused("Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags")
		}
		v, err := p.value(at)
		if err != nil {
			return v, err
		}
		of := attr.SS
		if v.Kind() == attr.N {
			of = attr.NS
		} else if v.Kind() != attr.S {
			return v, refused("Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags")
		}
		if len(members) > 0 && of != kind {
			return v, refused("Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags")
		}
		kind, members = of, append(members, v.Text())
		if !p.take(",") && p.peek().text != ">>" {
			return v, malformed(noTerm)
		}
	}
	if len(members) == 0 {
		return attr.Value{}, refused("Empty bags are not supported")
	}
	return attr.Set(kind, members), nil
}
