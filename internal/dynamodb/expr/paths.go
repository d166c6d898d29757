package expr

import (
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

// pathTree is a set of document paths, as the tree of their steps.
type pathTree struct {
	// whole is the path that ends here; nil if none does.
	whole   Path
	names   map[string]*pathTree
	indexes map[int]*pathTree
	// some is any path that leads through here, for messages.
	some Path
}

// collector gathers paths and remembers the first two that get in each
// other's way.
type collector struct {
	root              pathTree
	overlap, conflict error
}

// add puts p into the tree. Paths overlap if one leads through the other's
// end, and conflict if one takes for a list what the other takes for a map.
func (c *collector) add(p Path) {
	t := &c.root
	for _, step := range p {
		if t.whole != nil {
			c.overlaps(t.whole, p)
			return
		}
		if step.IsIndex && len(t.names) > 0 || !step.IsIndex && len(t.indexes) > 0 {
			if c.conflict == nil {
				c.conflict = crossing("conflict", t.some, p)
			}
			return
		}
		t = t.child(step, p)
	}
	if t.whole != nil || len(t.names) > 0 || len(t.indexes) > 0 {
		c.overlaps(t.some, p)
		return
	}
	t.whole = p
}

func (c *collector) overlaps(one, two Path) {
	if c.overlap == nil {
		c.overlap = crossing("overlap", one, two)
	}
}

func crossing(how string, one, two Path) error {
	return invalid("Two document paths %s with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", how, one, two)
}

// problem returns what add found; DynamoDB reports overlaps first.
func (c *collector) problem() error {
	if c.overlap != nil {
		return c.overlap
	}
	return c.conflict
}

func (t *pathTree) child(s Step, p Path) *pathTree {
	if s.IsIndex {
		if t.indexes == nil {
			t.indexes = map[int]*pathTree{}
		}
		if t.indexes[s.Index] == nil {
			t.indexes[s.Index] = &pathTree{some: p}
		}
		return t.indexes[s.Index]
	}
	if t.names == nil {
		t.names = map[string]*pathTree{}
	}
	if t.names[s.Name] == nil {
		t.names[s.Name] = &pathTree{some: p}
	}
	return t.names[s.Name]
}

// pick returns the part of it that the paths lead to. List elements keep
// their order but not their positions.
func (t *pathTree) pick(it attr.Item) attr.Item {
	out := make(attr.Item, len(t.names))
	for name, sub := range t.names {
		if v := sub.pickValue(it[name]); !v.IsZero() {
			out[name] = v
		}
	}
	return out
}

func (t *pathTree) pickValue(v attr.Value) attr.Value {
	switch {
	case t.whole != nil:
		return v
	case v.Kind() == attr.M && len(t.names) > 0:
		if m := t.pick(v.Fields()); len(m) > 0 {
			return attr.Map(m)
		}
	case v.Kind() == attr.L && len(t.indexes) > 0:
		var list []attr.Value
		for _, i := range slices.Sorted(maps.Keys(t.indexes)) {
			if i >= len(v.Elements()) {
				break
			}
			if e := t.indexes[i].pickValue(v.Elements()[i]); !e.IsZero() {
				list = append(list, e)
			}
		}
		if len(list) > 0 {
			return attr.List(list)
		}
	}
	return attr.Value{}
}

// Projection selects parts of an item. It is immutable and safe for
// concurrent use.
type Projection struct {
	tree  pathTree
	paths []Path
}

// Projection parses a ProjectionExpression.
func (s *Scope) Projection(src string) (*Projection, error) {
	p, err := s.projection(src)
	if err != nil {
		return nil, inExpression(ProjectionExpression, err)
	}
	return p, nil
}

func (s *Scope) projection(src string) (*Projection, error) {
	st, err := open(src)
	if err != nil {
		return nil, err
	}
	var paths []Path
	for {
		path, err := st.readPath()
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
		if st.peek().kind == tokEOF {
			break
		}
		if err := st.expectOp(","); err != nil {
			return nil, err
		}
	}
	for _, check := range []func(Path) error{reservedName, s.resolvePath} {
		for _, p := range paths {
			if err := check(p); err != nil {
				return nil, err
			}
		}
	}
	return project(paths)
}

func project(paths []Path) (*Projection, error) {
	var c collector
	for _, p := range paths {
		c.add(p)
	}
	if err := c.problem(); err != nil {
		return nil, err
	}
	return &Projection{tree: c.root, paths: paths}, nil
}

// Of returns the selected part of it, which may be empty.
func (p *Projection) Of(it attr.Item) attr.Item { return p.tree.pick(it) }

// TopNames returns the top-level attributes selected from, in order.
func (p *Projection) TopNames() []string {
	names := make([]string, len(p.paths))
	for i, path := range p.paths {
		names[i] = path.Top()
	}
	return names
}
