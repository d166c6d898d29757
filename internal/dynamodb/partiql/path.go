package partiql

import (
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/dynamodb/expr"
)

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
