package partiql

import (
	"strings"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

// What is said of statements that can't be read (recorded from AWS).
const (
	leftOver       = "Unexpected token after expression"
	noTerm         = "Unexpected term"
	noKeyword      = "Unexpected keyword"
	noOperator     = "Unexpected operator"
	noRightSide    = "Missing right-hand side expression of infix operator"
	noIdentifier   = "Expected identifier for simple path"
	noTypeName     = "Expected type name"
	aliasing       = "Aliasing is not supported"
	parameterCount = "Number of parameters in request and statement don't match."
)

// Parse reads a statement. Errors are *Error.
func Parse(statement string, parameters []attr.Value) (*Statement, error) {
	tokens, err := lex(statement)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, parameters: parameters}
	s, err := p.statement()
	if err != nil {
		return nil, err
	}
	p.take(";")
	switch {
	case p.peek().kind != end:
		return nil, malformed(leftOver)
	case p.used != len(parameters):
		return nil, refused(parameterCount)
	}
	return s, nil
}

type parser struct {
	tokens     []token
	parameters []attr.Value
	used       int // parameters
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != end {
		p.tokens = p.tokens[1:]
	}
	return t
}

// take passes over a sign if it is next.
func (p *parser) take(sgn string) bool {
	if t := p.peek(); t.kind != sign || t.text != sgn {
		return false
	}
	p.next()
	return true
}

// takeWord passes over keywords if they are next.
func (p *parser) takeWord(keywords ...string) bool {
	for i, k := range keywords {
		if i >= len(p.tokens) || !p.tokens[i].is(k) {
			return false
		}
	}
	p.tokens = p.tokens[len(keywords):]
	return true
}

func (p *parser) statement() (*Statement, error) {
	switch {
	case p.takeWord("SELECT"):
		return p.selecting()
	case p.takeWord("INSERT"):
		return p.inserting()
	case p.takeWord("UPDATE"):
		return p.updating()
	case p.takeWord("FROM"):
		return p.updatingFrom()
	case p.takeWord("DELETE"):
		return p.deleting()
	case p.takeWord("EXISTS"):
		if !p.take("(") || !p.takeWord("SELECT") {
			return nil, malformed(noTerm)
		}
		s, err := p.selecting()
		if err != nil {
			return nil, err
		}
		s.Kind = Exists
		if !p.take(")") {
			return nil, malformed(leftOver)
		}
		return s, nil
	case p.peek().kind == end:
		return nil, malformed(noTerm)
	}
	return nil, malformed(leftOver)
}

func (p *parser) selecting() (*Statement, error) {
	s := &Statement{Kind: Select}
	if !p.take("*") {
		for {
			path, err := p.path()
			if err != nil {
				return nil, err
			}
			s.Columns = append(s.Columns, path)
			if !p.take(",") {
				break
			}
			if p.peek().text == "*" {
				return nil, refused("Other attributes should not be present in the projection when '*' is used.")
			}
		}
	}
	if !p.takeWord("FROM") {
		return nil, malformed(leftOver)
	}
	if err := p.source(s, noTerm); err != nil {
		return nil, err
	}
	if err := p.where(s); err != nil {
		return nil, err
	}
	if !p.takeWord("ORDER", "BY") {
		return s, nil
	}
	for {
		name, ok := p.identifier()
		if !ok {
			return nil, malformed(noTerm)
		}
		o := Order{Name: name}
		if o.Down = p.takeWord("DESC"); !o.Down {
			p.takeWord("ASC")
		}
		if s.Order = append(s.Order, o); !p.take(",") {
			return s, nil
		}
	}
}

func (p *parser) inserting() (*Statement, error) {
	s := &Statement{Kind: Insert}
	if !p.takeWord("INTO") {
		return nil, malformed(noTerm)
	}
	name, ok := p.identifier()
	if !ok {
		return nil, malformed(noIdentifier)
	}
	s.Table = name
	switch {
	case p.peek().is("VALUES"):
		return nil, refused(`Unsupported operation: Inserting multiple items in a single statement is not supported, use "INSERT INTO tableName VALUE item" instead`)
	case !p.takeWord("VALUE"):
		return nil, malformed(leftOver)
	}
	if !p.take("{") {
		return nil, refused("Unsupported format in item expression. Please use struct format {...} to express item values for insert statement.")
	}
	v, err := p.tuple("")
	if err != nil {
		return nil, err
	}
	s.Item = v.Fields()
	if p.peek().is("RETURNING") {
		return nil, refused("RETURNING is not supported in INSERT")
	}
	return s, nil
}

func (p *parser) updating() (*Statement, error) {
	s := &Statement{Kind: Update}
	if err := p.source(s, noIdentifier); err != nil {
		return nil, err
	}
	if err := p.changes(s); err != nil {
		return nil, err
	}
	if err := p.where(s); err != nil {
		return nil, err
	}
	return s, p.returning(s)
}

// updatingFrom reads the other form of an UPDATE: FROM table WHERE … SET ….
func (p *parser) updatingFrom() (*Statement, error) {
	s := &Statement{Kind: Update}
	if err := p.source(s, noTerm); err != nil {
		return nil, err
	}
	if err := p.where(s); err != nil {
		return nil, err
	}
	if err := p.changes(s); err != nil {
		return nil, err
	}
	return s, p.returning(s)
}

// changes reads what an UPDATE sets and removes.
func (p *parser) changes(s *Statement) (err error) {
	for {
		switch {
		case p.takeWord("SET"):
			err = p.assignments(s)
		case p.takeWord("REMOVE"):
			err = p.removals(s)
		case len(s.Set)+len(s.Remove) == 0:
			return malformed(leftOver)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *parser) deleting() (*Statement, error) {
	s := &Statement{Kind: Delete}
	if !p.takeWord("FROM") {
		return nil, malformed(noTerm)
	}
	if err := p.source(s, noIdentifier); err != nil {
		return nil, err
	}
	if err := p.where(s); err != nil {
		return nil, err
	}
	if err := p.returning(s); err != nil {
		return nil, err
	}
	if s.Returning != "" && s.Returning != "ALL_OLD" {
		return nil, refused("Invalid returning clause: RETURNING %s *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
			strings.ReplaceAll(strings.Replace(s.Returning, "UPDATED", "MODIFIED", 1), "_", " "))
	}
	return s, nil
}

// source reads a table and, after a point, an index.
func (p *parser) source(s *Statement, missing string) error {
	var ok bool
	if s.Table, ok = p.identifier(); !ok {
		return malformed(missing)
	}
	if p.take(".") {
		if s.Index, ok = p.identifier(); !ok {
			return malformed(noIdentifier)
		}
		if s.Kind != Select {
			return refused("This operation is not supported on an index")
		}
	}
	if t := p.peek(); t.is("AS") || t.kind == quoted || t.kind == word && !reserved[strings.ToUpper(t.text)] {
		return refused(aliasing)
	}
	return nil
}

func (p *parser) returning(s *Statement) error {
	if !p.takeWord("RETURNING") {
		return nil
	}
	switch {
	case p.takeWord("ALL", "OLD"):
		s.Returning = "ALL_OLD"
	case p.takeWord("ALL", "NEW"):
		s.Returning = "ALL_NEW"
	case p.takeWord("MODIFIED", "OLD"):
		s.Returning = "UPDATED_OLD"
	case p.takeWord("MODIFIED", "NEW"):
		s.Returning = "UPDATED_NEW"
	default:
		return malformed(noKeyword)
	}
	if !p.take("*") {
		return refused("Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause")
	}
	return nil
}
