package expr_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
)

// Whatever the text, a parser must answer, and what it accepts must run.

func FuzzCondition(f *testing.F) {
	for _, src := range []string{"n = :n", "(a = :n) AND NOT contains(l[0].x, :s)", "n BETWEEN :one AND :n2 OR n IN (:n, size(s))", "((", "#n.#m[1"} {
		f.Add(src)
	}
	it := item(f, sampleItem)
	f.Fuzz(func(t *testing.T, src string) {
		if c, err := scope(t).Condition(expr.ConditionExpression, src); err == nil {
			c.Matches(it)
			c.Matches(nil)
		}
		if k, err := scope(t).KeyCondition(src); err == nil {
			_, _, _ = k.Bind(expr.KeyAttribute{Name: "pk", Kind: attr.S}, nil)
		}
	})
}

func FuzzUpdate(f *testing.F) {
	for _, src := range []string{"SET n = n + :one, l[9] = :x REMOVE m.x ADD ss :ss DELETE ns :ns", "SET a = list_append(if_not_exists(a, :l), :l)"} {
		f.Add(src)
	}
	it := item(f, sampleItem)
	f.Fuzz(func(t *testing.T, src string) {
		u, err := scope(t).Update(src)
		if err != nil {
			return
		}
		res, err := u.Apply(it)
		if err != nil {
			return
		}
		res.Old()
		res.New()
		if err := res.Item.Validate(); err != nil {
			t.Fatalf("%s left an invalid item: %v", src, err)
		}
		if !attr.EqualItems(it, item(t, sampleItem)) {
			t.Fatalf("%s changed the old item", src)
		}
	})
}

func FuzzProjection(f *testing.F) {
	f.Add("a, l[2].d, #m.x")
	it := item(f, sampleItem)
	f.Fuzz(func(t *testing.T, src string) {
		if p, err := scope(t).Projection(src); err == nil {
			p.Of(it)
		}
	})
}

// TestUpdateThenRead sets random document paths and reads them back.
func TestUpdateThenRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		path := "m" + rapid.SampledFrom([]string{"", ".x", ".deep.q", ".fresh", ".deep.fresh"}).Draw(t, "path")
		value := attr.String(rapid.String().Draw(t, "value"))
		s, err := expr.NewScope(nil, attr.Item{":v": value})
		if err != nil {
			t.Fatal(err)
		}
		u, err := s.Update(fmt.Sprintf("SET %s = :v", path))
		if err != nil {
			t.Fatal(err)
		}
		old := attr.Item{"m": attr.Map(attr.Item{"x": attr.Null(), "deep": attr.Map(attr.Item{"q": attr.Bool(true)})})}
		res, err := u.Apply(old)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Condition(expr.ConditionExpression, path+" = :v")
		if err != nil {
			t.Fatal(err)
		}
		if !c.Matches(res.Item) || c.Matches(old) {
			t.Fatalf("SET %s: %v", path, res.Item)
		}
		if !c.Matches(res.New()) {
			t.Fatalf("UPDATED_NEW misses %s: %v", path, res.New())
		}
	})
}
