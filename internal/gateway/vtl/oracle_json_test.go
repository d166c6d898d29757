package vtl

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/gateway/jsonpath"
	"github.com/butai-dev/butai/internal/gateway/value"
)

// TestOracleJSON compares the reading and printing of well-formed and broken
// JSON text with json-smart.
func TestOracleJSON(t *testing.T) {
	o := startOracle(t)
	for _, body := range []string{
		`hello world`, `a=b&c=d`, `{a:1}`, `{'a':'b'}`, `{"a":1,}`, `[1,,2]`, `{"a":1} trailing`, ``, `   `, `123`, `123abc`,
		`nullx`, `true`, `truex`, `"abc`, `"abc"x`, `[1,2`, `{"a"`, `{a b:c d}`, `{"a":1.50,"b":1e3,"c":12345678901234567890}`,
		`{"e":-0,"f":0123,"g":.5,"h":1.}`, `:x`, `}x`, `]`, `[a b, c]`, `{"a":"\u00e9\n\/\z\x41"}`, `{"a":1,"a":2}`,
		`[tru, nul, true, null]`, `{"":1}`, `{,}`, `[1 2]`, `{"a":1 "b":2}`, `+1`, `{"a":'x"y'}`, `<xml/>`, `[01,1.0e5,1E400]`,
		`{"a":"b}`, `{"a":{"b":[{}]}}`, `"\ud83d\ude00\u2028\u0001\u007f"`, `{"k":-1.5e-7,"n":1.0E10}`, ` [ ] `, `{ }`, `[[[]]]`,
	} {
		agreeJSON(t, o, body, "$")
	}
	seed := rand.Uint64()
	if s := os.Getenv("BUTAI_VTL_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("BUTAI_VTL_SEED=%d", seed)
	g := &generator{rand.New(rand.NewPCG(seed, 2))}
	failed := 0
	for range 3000 {
		if !agreeJSON(t, o, g.broken(g.json(3)), "$") {
			if failed++; failed == 10 {
				t.Fatal("giving up after ten differences")
			}
		}
	}
}

// agreeJSON compares what a path selects in body.
func agreeJSON(t *testing.T, o *oracle, body, path string) bool {
	t.Helper()
	want := o.ask(t, question{Path: path, Body: body})
	got, missing, err := selectJSON(body, path)
	switch {
	case strings.Contains(want.Err, "can not be null") || strings.Contains(want.Err, "must not be null"):
		return true // Jayway refuses the document null
	case (err != nil) != (want.Err != ""), err == nil && missing != want.Missing, err == nil && !missing && got != want.Out:
		t.Errorf("%s of %q\n    got %q, missing %v, error %v\n jayway %q, missing %v, error %.200s",
			path, body, got, missing, err, want.Out, want.Missing, want.Err)
		return false
	}
	return true
}

func selectJSON(body, path string) (text string, missing bool, err error) {
	p, err := jsonpath.Compile(path)
	if err != nil {
		return "", false, err
	}
	var doc value.Document
	root, err := doc.Parse([]byte(body))
	if err != nil {
		return "", false, err
	}
	v, ok := p.Eval(root)
	if !ok {
		return "", true, nil
	}
	return string(value.AppendJSON(nil, v, MaxOutput)), false, nil
}

func (g *generator) json(depth int) string {
	n := g.IntN(8)
	if depth == 0 {
		n = g.IntN(5)
	}
	switch n {
	case 0:
		return g.pick("1", "-2", "1.5", "250", "0", "12345678901", "-0.25")
	case 1:
		return g.pick("true", "false", "null")
	case 2, 3:
		return `"` + g.pick("a", "b c", "é", `\n`, `\u0041`, `\"`, "/", "", "x'y") + `"`
	case 4:
		return g.pick("'q'", "word", "two words", "[]", "{}")
	case 5:
		items := make([]string, g.IntN(4))
		for i := range items {
			items[i] = g.json(depth - 1)
		}
		return "[" + strings.Join(items, g.pick(",", ", ", " ,")) + "]"
	}
	items := make([]string, g.IntN(4))
	for i := range items {
		items[i] = g.pick(`"a"`, `"b"`, `"c d"`, "e", "'f'") + g.pick(":", ": ", " : ") + g.json(depth-1)
	}
	return "{" + strings.Join(items, g.pick(",", ", ", "\n,")) + "}"
}

// broken damages some of the texts.
func (g *generator) broken(s string) string {
	if g.IntN(2) == 0 || s == "" {
		return s
	}
	i := g.IntN(len(s))
	for s[i] >= 0x80 { // keep the text valid UTF-8
		i--
	}
	if i > 0 && s[i-1] == '\\' {
		return s // an odd escape is a matter of its own
	}
	switch g.IntN(3) {
	case 0:
		return s[:i] + g.pick(",", ":", "}", "]", "{", "[", " ", "x", "1", `"`) + s[i:]
	case 1:
		return s[:i]
	}
	return s[:i] + s[i+1:]
}

const store = `{"store":{"book":[{"category":"reference","author":"Nigel Rees","title":"Sayings","price":8.95},` +
	`{"category":"fiction","author":"Evelyn Waugh","title":"Sword","price":12.99},` +
	`{"category":"fiction","author":"Herman Melville","title":"Moby Dick","isbn":"0-553-21311-3","price":8.99},` +
	`{"category":"fiction","author":"J. R. R. Tolkien","title":"The Lord","isbn":"0-395-19395-8","price":22.99}],` +
	`"bicycle":{"color":"red","price":19.95}},"expensive":10,"a.b":1,"x":{"y":[1,[2,3],{"z":null}]}}`

// TestOraclePath compares paths with Jayway 2.0, which does not know negative
// indexes and functions yet.
func TestOraclePath(t *testing.T) {
	o := startOracle(t)
	for _, path := range []string{
		"$", "$.store.book[*].author", "$..author", "$.store.*", "$.store..price", "$..book[2]", "$..book[0,1]", "$..book[:2]",
		"$..book[1:2]", "$.store.book[-2:]", "$..book[2:]", "$..book[?(@.isbn)]", "$.store.book[?(@.price < 10)]",
		"$..book[?(@.price <= $['expensive'])]", "$..book[?(@.author =~ /.*REES/i)]", "$..*", "$.store.book[0].title", "$['store']['book'][0]['title']",
		"$.store.book[0]['title','price']", "$.store.book[*]['title','price']", "$['a.b']", "$.none", "$.store.none", "$.store.book[9]", "$.store.book.none",
		"$.store.book[?(@.price > 8 && @.price < 9)]", "$.store.book[?(@.category == 'fiction' || @.price == 8.95)]", "$.store.book[?(@.category != 'fiction')]",
		"$.store.book[?(@['isbn'])]", "$..isbn", "$..none", "$.x.y[1][0]", "$.x.y[2].z", "$.x..z", "$.x.y[*]", "$..[?(@.price > 20)]", "$.store.book[?(@.price >= 8.99)].title",
		"$.x.y[0:4:2]", "$.store.bicycle[?(@.color)]", "$.store.book[?('fiction' == @.category)].title", "$.x.y.z", "$.*", "$.store.book[1,3].title", "$.x['y'][0]",
	} {
		agreeJSON(t, o, store, path)
	}
}
