package partiql

import (
	"fmt"
	"strings"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
)

// Renderer says conditions and updates in expressions, with the names and
// values that they need.
type Renderer struct {
	Names  map[string]string
	Values map[string]attr.Value
	known  map[string]string // what stands for a name in expressions
}

// Condition is a condition expression.
func (r *Renderer) Condition(c Condition) string {
	switch c := c.(type) {
	case And:
		return "(" + r.Condition(c.Left) + " AND " + r.Condition(c.Right) + ")"
	case Or:
		return "(" + r.Condition(c.Left) + " OR " + r.Condition(c.Right) + ")"
	case Not:
		return "(NOT " + r.Condition(c.Of) + ")"
	case Compare:
		return r.operand(c.Left) + " " + c.Operator + " " + r.operand(c.Right)
	case Between:
		return r.operand(c.Of) + " BETWEEN " + r.operand(c.Low) + " AND " + r.operand(c.High)
	case In:
		values := make([]string, len(c.Values))
		for i, v := range c.Values {
			values[i] = r.operand(v)
		}
		return r.operand(c.Of) + " IN (" + strings.Join(values, ", ") + ")"
	case Call:
		if c.Value.IsZero() {
			return c.Function + "(" + r.Path(c.Path) + ")"
		}
		return c.Function + "(" + r.Path(c.Path) + ", " + r.value(c.Value) + ")"
	}
	panic(fmt.Sprintf("partiql: a condition of type %T", c))
}

// Update is an update expression.
func (r *Renderer) Update(s *Statement) string {
	clauses := map[string][]string{}
	for i := range s.Set {
		a := &s.Set[i]
		switch path := r.Path(a.Path); a.Function {
		case "set_add":
			clauses["ADD"] = append(clauses["ADD"], path+" "+r.value(a.Right.Value))
		case "set_delete":
			clauses["DELETE"] = append(clauses["DELETE"], path+" "+r.value(a.Right.Value))
		case "list_append":
			clauses["SET"] = append(clauses["SET"], path+" = list_append("+r.operand(a.Left)+", "+r.operand(a.Right)+")")
		default:
			to := path + " = " + r.operand(a.Left)
			if a.Operator != "" {
				to += " " + a.Operator + " " + r.operand(a.Right)
			}
			clauses["SET"] = append(clauses["SET"], to)
		}
	}
	for _, path := range s.Remove {
		clauses["REMOVE"] = append(clauses["REMOVE"], r.Path(path))
	}
	var b strings.Builder
	for _, verb := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		if list := clauses[verb]; list != nil {
			b.WriteString(verb + " " + strings.Join(list, ", ") + " ")
		}
	}
	return strings.TrimSuffix(b.String(), " ")
}

func (r *Renderer) operand(o Operand) string {
	switch {
	case o.Size:
		return "size(" + r.Path(o.Path) + ")"
	case o.Path != nil:
		return r.Path(o.Path)
	}
	return r.value(o.Value)
}

// Path is a document path, its names replaced by placeholders.
func (r *Renderer) Path(path expr.Path) string {
	var b strings.Builder
	for i, step := range path {
		if step.IsIndex {
			fmt.Fprintf(&b, "[%d]", step.Index)
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(r.name(step.Name))
	}
	return b.String()
}

func (r *Renderer) name(name string) string {
	if at, ok := r.known[name]; ok {
		return at
	}
	if r.Names == nil {
		r.Names, r.known = map[string]string{}, map[string]string{}
	}
	at := fmt.Sprintf("#n%d", len(r.Names))
	r.Names[at], r.known[name] = name, at
	return at
}

func (r *Renderer) value(v attr.Value) string {
	if r.Values == nil {
		r.Values = map[string]attr.Value{}
	}
	at := fmt.Sprintf(":v%d", len(r.Values))
	r.Values[at] = v
	return at
}
