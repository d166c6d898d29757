// Package partiql reads DynamoDB's dialect of PartiQL (Developer Guide,
// "PartiQL - a SQL-compatible query language for Amazon DynamoDB") and says in
// expressions of DynamoDB's classic operations what a statement asks for. It is
// pure: it knows no tables.
package partiql

import (
	"fmt"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
)

// Kind is what a statement does.
type Kind uint8

const (
	Select Kind = iota
	Insert
	Update
	Delete
	// Exists is EXISTS(SELECT …): a condition of a transaction.
	Exists
)

// Reads reports whether statements of the kind belong into batches and
// transactions of reads.
func (k Kind) Reads() bool { return k == Select }

// Statement is a parsed statement, with its parameters in their places.
type Statement struct {
	Kind         Kind
	Table, Index string

	Item      attr.Item   // of an INSERT
	Columns   []expr.Path // of a SELECT; nil for all
	Order     []Order
	Where     Condition // nil without
	Set       []Assignment
	Remove    []expr.Path
	Returning string // what UpdateItem's ReturnValues calls it; "" without
}

// Order is one key of an ORDER BY.
type Order struct {
	Name string
	Down bool
}

// Assignment is one "path = …" of an UPDATE. Function is "", "list_append",
// "set_add" or "set_delete".
type Assignment struct {
	Path     expr.Path
	Function string
	Left     Operand
	Operator string // "+", "-" or ""
	Right    Operand
}

// Operand is a path, a value, or the size of a path.
type Operand struct {
	Path  expr.Path
	Value attr.Value // if there is no path
	Size  bool
}

// Condition is a node of a WHERE: And, Or, Not, Compare, In, Between or Call.
type Condition interface{ condition() }

// The conditions.
type (
	And     struct{ Left, Right Condition }
	Or      struct{ Left, Right Condition }
	Not     struct{ Of Condition }
	Compare struct {
		Left     Operand
		Operator string // as in a condition expression
		Right    Operand
	}
	In struct {
		Of     Operand
		Values []Operand
	}
	Between struct{ Of, Low, High Operand }
	// Call is a function of condition expressions, which IS turns into, too.
	Call struct {
		Function string
		Path     expr.Path
		Value    attr.Value // none for those with one argument
	}
)

func (And) condition()     {}
func (Or) condition()      {}
func (Not) condition()     {}
func (Compare) condition() {}
func (In) condition()      {}
func (Between) condition() {}
func (Call) condition()    {}

// Error is what is wrong with a statement, in DynamoDB's words: a
// ValidationException's message.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func malformed(detail string) error {
	return &Error{"Statement wasn't well formed, can't be processed: " + detail}
}

func refused(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Terms are the conditions that all have to hold, from left to right.
func Terms(c Condition) []Condition {
	switch c := c.(type) {
	case nil:
		return nil
	case And:
		return append(Terms(c.Left), Terms(c.Right)...)
	}
	return []Condition{c}
}

// All holds where all terms do; nil without any.
func All(terms []Condition) Condition {
	var all Condition
	for _, t := range terms {
		if all == nil {
			all = t
		} else {
			all = And{all, t}
		}
	}
	return all
}
