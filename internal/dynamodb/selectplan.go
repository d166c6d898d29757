package dynamodb

import (
	"context"
	"slices"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
	"github.com/butai-dev/butai/internal/dynamodb/partiql"
)

// plan is how a SELECT reads: the partitions that it names, one after the
// other, or everything.
type plan struct {
	table      *table
	schema     *keySchema
	statement  *partiql.Statement
	partitions []attr.Value // nil for everything
	rest       []partiql.Condition
	down       bool
}

// plan finds the partitions that a SELECT is about.
func (s *Service) plan(ctx context.Context, st *partiql.Statement) (*plan, error) {
	t, err := s.table(ctx, &st.Table)
	if err != nil {
		return nil, err
	}
	p := &plan{table: t, schema: &t.schema, statement: st}
	if st.Index != "" {
		x := t.index(st.Index)
		if x == nil {
			return nil, validation("The table does not have the specified index: %s", st.Index)
		}
		p.schema = &x.schema
	}
	for _, term := range partiql.Terms(st.Where) {
		if p.partitions == nil && p.partition(term) {
			continue
		}
		p.rest = append(p.rest, term)
	}
	for _, v := range p.partitions {
		if v.Kind() != p.schema.hash.Kind {
			return nil, validation("Key attribute's data type should match its data type in table's schema: Key %s", p.schema.hash.Name)
		}
	}
	return p, p.order()
}

// partition takes the partitions from a term that names them.
func (p *plan) partition(term partiql.Condition) bool {
	if name, v, ok := partiql.Equal(term); ok && name == p.schema.hash.Name {
		p.partitions = []attr.Value{v}
		return true
	}
	if name, values, ok := partiql.OneOf(term); ok && name == p.schema.hash.Name {
		for _, v := range values {
			if !slices.ContainsFunc(p.partitions, func(known attr.Value) bool { return attr.Equal(known, v) }) {
				p.partitions = append(p.partitions, v)
			}
		}
		return true
	}
	return false
}

// order applies ORDER BY.
func (p *plan) order() error {
	if len(p.statement.Order) == 0 {
		return nil
	}
	byHash := false
	for _, o := range p.statement.Order {
		switch {
		case !p.schema.has(o.Name):
			return validation("Variable reference %s in ORDER BY clause must be part of the primary key", o.Name)
		case o.Name == p.schema.hash.Name:
			byHash = true
			slices.SortFunc(p.partitions, func(a, b attr.Value) int {
				n, _ := attr.Compare(a, b)
				if o.Down {
					n = -n
				}
				return n
			})
		default:
			p.down = o.Down
		}
	}
	switch {
	case p.statement.Where == nil:
		return validation("Must have WHERE clause in the statement when using ORDER BY clause.")
	case p.partitions == nil:
		return validation("Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.")
	case len(p.partitions) > 1 && !byHash:
		return validation("Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.")
	}
	return nil
}

// keyCondition selects a partition, and of that what the first term about the
// sort key selects; the other terms are left.
func (p *plan) keyCondition(partition attr.Value) (key partiql.Condition, rest []partiql.Condition) {
	key = partiql.Compare{Left: partiql.Operand{Path: expr.TopPath(p.schema.hash.Name)}, Operator: "=", Right: partiql.Operand{Value: partition}}
	taken := p.schema.ranged == nil
	for _, term := range p.rest {
		if name, ok := partiql.Subject(term); ok && !taken && name == p.schema.ranged.Name {
			key, taken = partiql.And{Left: key, Right: term}, true
			continue
		}
		rest = append(rest, term)
	}
	return key, rest
}

// topColumns projects the attributes that the columns lead into.
func (p *plan) topColumns(r *partiql.Renderer) string {
	text := ""
	seen := map[string]bool{}
	for _, path := range p.statement.Columns {
		name := path[0].Name
		if seen[name] {
			continue
		}
		seen[name] = true
		if text != "" {
			text += ", "
		}
		text += r.Path(expr.TopPath(name))
	}
	return text
}
