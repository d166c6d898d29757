// Package jsonpath evaluates the dialect of JSONPath that API Gateway's
// mapping templates and parameter mappings use: Jayway's, not RFC 9535. A path
// is compiled once per deployment and evaluated without parsing; evaluating a
// path of plain names and indexes allocates nothing. The package does no I/O.
package jsonpath

import "github.com/butai-dev/butai/internal/gateway/value"

// Path is a compiled expression, safe for concurrent use.
type Path struct {
	steps    []step
	definite bool
}

// step is one part of a path. It calls yield for each value it selects in v
// and stops when yield returns false.
type step interface {
	each(r *run, v value.Value, yield func(value.Value) bool) bool
	// one is each for a step that selects at most one value.
	one(v value.Value) (value.Value, bool)
	// definite tells whether the step selects at most one value.
	definite(last bool) bool
}

// Eval applies p to root. A definite path, one that can select a single value
// only, gives that value, or false if it is not there. Any other path gives a
// list, possibly empty, and true.
func (p *Path) Eval(root value.Value) (value.Value, bool) {
	if p.definite {
		return p.single(root)
	}
	var found []value.Value
	walk(p.steps, &run{root: root}, root, func(v value.Value) bool {
		found = append(found, v)
		return len(found) < maxResults
	})
	return value.NewJSONList(found...), true
}

// run is one evaluation of an indefinite path.
type run struct {
	root   value.Value // what $ means inside filters
	visits int         // values seen by scans
}

// maxResults bounds a selection, since a path such as $..*..* multiplies;
// maxVisits bounds the search, since a template can put one list
// into another many times over.
const (
	maxResults = 100_000
	maxVisits  = 1_000_000
)

func (p *Path) single(v value.Value) (value.Value, bool) {
	for _, s := range p.steps {
		var ok bool
		if v, ok = s.one(v); !ok {
			return nil, false
		}
	}
	return v, true
}

// walk feeds v through steps, depth first, which is the order of results.
func walk(steps []step, r *run, v value.Value, yield func(value.Value) bool) bool {
	if len(steps) == 0 {
		return yield(v)
	}
	return steps[0].each(r, v, func(v value.Value) bool {
		return walk(steps[1:], r, v, yield)
	})
}

// IsRoot reports whether p is "$", the whole document.
func (p *Path) IsRoot() bool { return len(p.steps) == 0 }

// Split cuts a definite path that ends in a name into what leads there and the
// name.
func (p *Path) Split() (parent *Path, name string, ok bool) {
	n := len(p.steps)
	if n == 0 || !p.definite {
		return nil, "", false
	}
	last, ok := p.steps[n-1].(child)
	return &Path{steps: p.steps[:n-1], definite: true}, string(last), ok
}

// IsDefinite reports whether p selects at most one value.
func (p *Path) IsDefinite() bool { return p.definite }
