package partiql

import (
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
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
	for {
		var err error
		switch {
		case p.takeWord("SET"):
			err = p.assignments(s)
		case p.takeWord("REMOVE"):
			err = p.removals(s)
		case len(s.Set)+len(s.Remove) == 0:
			err = malformed(leftOver)
		default:
			if err := p.where(s); err != nil {
				return nil, err
			}
			return s, p.returning(s)
		}
		if err != nil {
			return nil, err
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

// reserved are the words that can't be identifiers.
var reserved = map[string]bool{
	"SELECT": true, "FROM": true, "WHERE": true, "ORDER": true, "BY": true, "SET": true, "REMOVE": true, "INSERT": true, "INTO": true,
	"VALUE": true, "VALUES": true, "UPDATE": true, "DELETE": true, "RETURNING": true, "AND": true, "OR": true, "NOT": true, "IN": true,
	"IS": true, "BETWEEN": true, "LIKE": true, "MISSING": true, "NULL": true, "TRUE": true, "FALSE": true, "EXISTS": true, "AS": true,
	"ASC": true, "DESC": true, "GROUP": true, "HAVING": true, "LIMIT": true, "OFFSET": true, "JOIN": true, "ON": true, "AT": true,
}

func (p *parser) identifier() (string, bool) {
	t := p.peek()
	if t.kind != quoted && (t.kind != word || reserved[strings.ToUpper(t.text)]) {
		return "", false
	}
	return p.next().text, true
}

// path reads name, name.name, name[1] and name['name'].
func (p *parser) path() (expr.Path, error) {
	name, ok := p.identifier()
	if !ok {
		return nil, p.unexpected()
	}
	path := expr.TopPath(name)
	for {
		switch {
		case p.take("."):
			if name, ok = p.identifier(); !ok {
				return nil, malformed(noIdentifier)
			}
			path = append(path, expr.Step{Name: name})
		case p.take("["):
			switch t := p.next(); t.kind {
			case text:
				path = append(path, expr.Step{Name: t.text})
			case number:
				at, err := strconv.Atoi(t.text)
				if err != nil {
					return nil, refused("List index is not within the allowable range; index: [%s]", t.text)
				}
				path = append(path, expr.Step{Index: at, IsIndex: true})
			default:
				return nil, malformed(noTerm)
			}
			if !p.take("]") {
				return nil, malformed(noTerm)
			}
		default:
			return path, nil
		}
	}
}

// unexpected says what stands where a term should.
func (p *parser) unexpected() error {
	switch t := p.peek(); {
	case t.is("IS"), t.is("LIKE"), t.is("IN"), t.is("BETWEEN"), t.is("AND"), t.is("OR"):
		return malformed(noOperator)
	case t.kind == word:
		return malformed(noKeyword)
	}
	return malformed(noTerm)
}

func (p *parser) assignments(s *Statement) error {
	for {
		a, err := p.assignment()
		if err != nil {
			return err
		}
		if s.Set = append(s.Set, *a); !p.take(",") {
			return nil
		}
	}
}

func (p *parser) removals(s *Statement) error {
	for {
		path, err := p.path()
		if err != nil {
			return err
		}
		if s.Remove = append(s.Remove, path); !p.take(",") {
			return nil
		}
	}
}

func (p *parser) assignment() (*Assignment, error) {
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	if !p.take("=") {
		return nil, malformed(noTerm)
	}
	a := &Assignment{Path: path}
	if t := p.peek(); t.kind == word && p.tokens[1].kind == sign && p.tokens[1].text == "(" {
		return a, p.function(a)
	}
	if a.Left, err = p.operand(); err != nil {
		return nil, err
	}
	for _, op := range []string{"+", "-"} {
		if p.take(op) {
			a.Operator = op
			a.Right, err = p.operand()
		}
	}
	return a, err
}

// function reads the call that an UPDATE assigns.
func (p *parser) function(a *Assignment) (err error) {
	name := strings.ToLower(p.next().text)
	p.next() // the parenthesis
	switch name {
	case "list_append", "set_add", "set_delete":
	default:
		return refused("Unrecognized function: %s", name)
	}
	a.Function = name
	if a.Left, err = p.operand(); err != nil {
		return err
	}
	set := strings.HasPrefix(name, "set_")
	if !p.take(",") {
		return refused("%s must have exactly two arguments", strings.ToUpper(name))
	}
	if a.Right, err = p.operand(); err != nil {
		return err
	}
	switch {
	case !p.take(")"):
		return refused("%s must have exactly two arguments", strings.ToUpper(name))
	case set && !samePath(a.Left.Path, a.Path):
		return refused("The first argument to %s must equal the assignment value", strings.ToUpper(name))
	case set && !a.Right.Value.IsSet():
		return refused("The second argument to %s must be a value with type SET", strings.ToUpper(name))
	}
	return nil
}

func samePath(a, b expr.Path) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
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
