package jsonpath

import (
	"math"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/gateway/value"
)

const store = `{"book":[{"cat":"ref","title":"Sayings","price":8.95},{"cat":"fic","title":"Sword","price":12.99,"tags":["a","b"]},` +
	`{"cat":"fic","title":"Moby","isbn":"0-55","price":8.99}],"bike":{"price":19.95},"limit":10,"a.b":{"c-d":1},"null":null,"list":[1,2,3,4]}`

func TestEval(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ path, want string }{
		{`$.limit`, `10`}, {`limit`, `10`}, {`$['limit']`, `10`}, {`$["a.b"]['c-d']`, `1`}, {`$.null`, `null`},
		{`$.book[0].title`, `"Sayings"`}, {`$.book[-1].title`, `"Moby"`}, {`$.list[1,3]`, `[2,4]`}, {`$.list[1:3]`, `[2,3]`},
		{`$.list[-2:]`, `[3,4]`}, {`$.list[:2]`, `[1,2]`}, {`$.list[0:4:2]`, `[1,2,3,4]`}, {`$.list[*]`, `[1,2,3,4]`}, {`$.bike.*`, `[19.95]`},
		{`$..price`, `[8.95,12.99,8.99,19.95]`}, {`$.book[*]['title','none']`, `[{"title":"Sayings"},{"title":"Sword"},{"title":"Moby"}]`},
		{`$.book[0]['price','cat']`, `{"price":8.95,"cat":"ref"}`}, {`$..none`, `[]`}, {`$.book[?(@.isbn)].title`, `["Moby"]`},
		{`$.book[?(!(@.isbn))].title`, `["Sayings","Sword"]`}, {`$.book[?(@.price < $.limit && @.cat == 'fic')].title`, `["Moby"]`},
		{`$.book[?(@.price > 12 || @.cat == "ref")].title`, `["Sayings","Sword"]`}, {`$.book[?(@.title =~ /s.*/i)].title`, `["Sayings","Sword"]`},
		{`$.book[?(@.cat in ['ref','x'])].title`, `["Sayings"]`}, {`$.book[?(@.cat nin ['ref'])].title`, `["Sword","Moby"]`},
		{`$.book[?(@.tags contains 'a')].title`, `["Sword"]`}, {`$.book[?(@.tags size 2)].title`, `["Sword"]`}, {`$.book[?(@.tags empty false)].title`, `["Sword"]`},
		{`$.book[?(@.tags anyof ['b','z'])].title`, `["Sword"]`}, {`$.book[?(@.tags subsetof ['b','a'])].title`, `["Sword"]`},
		{`$.book.length()`, `3`}, {`$.bike.size()`, `1`}, {`$.bike.keys()`, `["price"]`}, {`$.list.sum()`, `10.0`}, {`$.list.avg()`, `2.5`},
		{`$..price.max()`, `19.95`}, {`$.list.min()`, `1.0`}, {`$.book[?(@.tags.length() == 2)].title`, `["Sword"]`}, {`$.list[?(@ > 2)]`, `[3,4]`},
		{`$..[?(@.price > 19)]`, `[{"price":19.95}]`}, {`$..book[0]`, `[{"cat":"ref","title":"Sayings","price":8.95}]`}, {`$.book[?(@.price == '8.95')].title`, `["Sayings"]`},
	} {
		p, err := Compile(tt.path)
		if err != nil {
			t.Error(err)
			continue
		}
		v, ok := p.Eval(parse(t, store))
		if got := print(v); !ok || got != tt.want {
			t.Errorf("%s = %s, %v, want %s", tt.path, got, ok, tt.want)
		}
	}
	for _, path := range []string{`$.none`, `$.limit.x`, `$.book[9]`, `$.book[-9]`, `$.book.title`, `$.bike[0]`, `$.limit.length()`, `$.bike.sum()`} {
		p, err := Compile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if v, ok := p.Eval(parse(t, store)); ok {
			t.Errorf("%s = %s, want nothing", path, print(v))
		}
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for path, msg := range map[string]string{
		``: "empty", `$.`: "name is missing", `$[`: "expected a quoted name", `$['a`: "not closed", `$[1`: "expected ]", `$[x]`: "expected a quoted name",
		`$.a.nope()`: "nope() is not supported", `$[?(@.a ==)]`: "expected a path", `$[?(@.a =~ /(/)]`: "missing closing", `$[?(1)]`: "expected a comparison",
		`$[1:2:3:4]`: "not a slice", `$.a b`: "unexpected", `$['a',]`: "expected a quoted name", `$[?@.a]`: "expected (",
		`$[?(` + strings.Repeat("(", 200): "too deep", `$[?(` + strings.Repeat("!", 200): "too deep",
	} {
		if _, err := Compile(path); err == nil || !strings.Contains(err.Error(), msg) {
			t.Errorf("Compile(%.30q): %v, want %q", path, err, msg)
		}
	}
}

// TestBounds evaluates on values that a template can build but no document
// can hold: each list holds the one below it twice.
func TestBounds(t *testing.T) {
	t.Parallel()
	build := func() *value.List {
		l := value.NewList("x")
		for range 60 {
			l = value.NewList(l, l)
		}
		return l
	}
	p, err := Compile("$..*")
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := p.Eval(build()); v.(*value.List).Len() != maxResults {
		t.Errorf("selected %d values", v.(*value.List).Len())
	}
	if a := build(); !Equal(a, a) || Equal(a, build()) {
		t.Error("a huge value should equal itself, and give up on another one")
	}
}

func TestDefiniteEvalAllocatesNothing(t *testing.T) {
	p, err := Compile("$.book[1].tags[0]")
	if err != nil {
		t.Fatal(err)
	}
	doc := parse(t, store)
	if n := testing.AllocsPerRun(100, func() { p.Eval(doc) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzEval(f *testing.F) {
	for _, path := range []string{`$..book[?(@.a == 'b' && !(@.c))]['x','y']`, `$.a[1:2,3].length()`, `$[?(@.x =~ /a/i)]`, `$..*`, `$[?(@ in [1,{"a":2}])]`} {
		f.Add(path, store)
	}
	f.Fuzz(func(t *testing.T, path, body string) {
		doc, err := value.Parse(body)
		if err != nil {
			return
		}
		p, err := Compile(path)
		if err != nil {
			return
		}
		if v, ok := p.Eval(doc); !ok && v != nil {
			t.Fatalf("%q gives %v and false", path, v)
		}
	})
}

func parse(t *testing.T, src string) value.Value {
	t.Helper()
	v, err := value.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func print(v value.Value) string { return string(value.AppendJSON(nil, v, math.MaxInt)) }
