package vtl

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// fixedSource is a Source with an order of its own.
type fixedSource []value.Entry

func (s fixedSource) Lookup(name string) (Value, bool) {
	for _, e := range s {
		if e.Key == name {
			return e.Value, true
		}
	}
	return nil, false
}

func (s fixedSource) Keys() []string {
	keys := make([]string, len(s))
	for i, e := range s {
		keys[i] = e.Key
	}
	return keys
}

// factsEnv is a request to GET /pets/{id}?q=search with the given body.
func factsEnv(body string) *Env {
	env := &Env{
		Path:   NewTexts(map[string]string{"id": "7", "both": "path"}),
		Query:  NewTexts(map[string]string{"q": "search", "both": "query", "late": "query"}),
		Header: NewTexts(map[string]string{"Host": "example.com", "late": "header", "X-Trace": "t"}),
		Context: fixedSource{
			{Key: "resourceId", Value: "abc"},
			{Key: "httpMethod", Value: "GET"},
			{Key: "requestTimeEpoch", Value: int64(1700000000000)},
			{Key: "requestOverride"},
			{Key: "stage", Value: "test"},
			{Key: "identity", Value: fixedSource{{Key: "caller"}, {Key: "sourceIp", Value: "1.2.3.4"}}},
			{Key: "responseOverride"},
			{Key: "apiId", Value: "api"},
		},
		StageVariables: NewTexts(map[string]string{"stage": "production", "x-y": "dashed"}),
	}
	env.SetBody([]byte(body))
	return env
}

// TestFacts holds what API Gateway does, by the object concerned.
func TestFacts(t *testing.T) {
	t.Parallel()
	const form = "a=b&c=d%20e"
	for _, tt := range []struct{ name, body, src, want string }{
		// $input
		{"body is raw", `{"a": 1.10}`, `$input.body`, `{"a": 1.10}`},
		{"empty body is an object", ``, `$input.body|"$input.body"|$util.urlEncode($input.body)`, `{}|"{}"|%7B%7D`},
		{"body has no members", ``, `[$input.body.x]`, `[]`},
		{"json of an empty body", ``, `$input.json('$')`, `{}`},
		{"json of a part", `{"a":{"b":[1,"x",null]}}`, `$input.json('$.a')`, `{"b":[1,"x",null]}`},
		{"json keeps key order and slashes", `{"z":"http://x","a":1}`, `$input.json('$')`, `{"z":"http://x","a":1}`},
		{"json of nothing", `{"a":1}`, `$input.json('$.missing')`, `""`},
		{"json of null", `{"a":null}`, `$input.json('$.a')`, `null`},
		{"json of a string", `{"a":"q\"x"}`, `$input.json('$.a')`, `"q\"x"`},
		{"path of nothing", `{"a":1}`, `[$input.path('$.missing')]`, `[]`},
		{"path of nothing equals null and the empty text", `{"a":1}`,
			`#if($input.path('$.no') == $null)null #end#if($input.path('$.no') == "")empty#end`, `null empty`},
		{"path of null", `{"a":null}`, `[$input.path('$.a')]`, `[]`},
		{"path of malformed JSON", `{"a":`, `[$input.path('$.a')]$input.json('$')`, `[]""`},
		{"a form is one string", form, `$input.path('$')|{"body": $input.json("$")}`, form + `|{"body": "` + form + `"}`},
		{"a form can be split", form, `#foreach($p in $input.path('$').split("&"))$p.split("=")[1];#end`, `b;d%20e;`},
		{"JSON is read leniently", `{id: 'x', "n": 1,}`, `$input.path('$.id')$input.path('$.n')`, `x1`},
		{"what a template changes shows in json", `{"id":3}`, `#set($b = $input.path('$'))#set($b.url = "u/$b.id")$input.json('$')`, `{"id":3,"url":"u/3"}`},
		{"a computed path", `{"a":[4,5]}`, `#foreach($i in [0..1])$input.path("$.a[$i]")#end`, `45`},

		// Printing
		{"object", `{"foo":"bar"}`, `$input.path('$')`, `{foo=bar}`},
		{"object of two", `{"a":"b","c":"d"}`, `$input.path('$')`, `{a=b, c=d}`},
		{"list", `[{"foo":"bar"}]`, `$input.path('$')`, `[{"foo":"bar"}]`},
		{"list in object", `{"foo":[{"nested":"bar"}]}`, `$input.path('$')`, `{foo=[{"nested":"bar"}]}`},
		{"list in object in object", `{"a":{"b":[{"c":{}}]}}`, `$input.path('$')`, `{a={b=[{"c":{}}]}}`},
		{"empty list", `[]`, `$input.path('$')`, `[]`},
		{"toString", `{"a":[1]}`, `$input.path('$').toString()$input.path('$.a').toString()`, `{a=[1]}[1]`},
		{"numbers", `{"i":1,"d":1.50,"e":1e3,"big":123456789012345678901}`, `$input.path('$')`, `{i=1, d=1.5, e=1000.0, big=123456789012345678901}`},
		{"indefinite path", `{"a":[{"x":1},{"x":2}]}`, `$input.path('$..x') $input.path('$.a[?(@.x == 2)]') $input.path('$..none')`, `[1,2] [{"x":2}] []`},
		{"length of a path", `{"a":[1,2,3]}`, `$input.path('$.a.length()') $input.path('$.a').size()`, `3 3`},

		// $input.params
		{"params by name", ``, `$input.params('id') $input.params('q') $input.params('Host')`, `7 search example.com`},
		{"params in order", ``, `$input.params('both') $input.params('late')`, `path query`},
		{"params are case-sensitive", ``, `[$input.params('host')]`, `[]`},
		{"params missing", ``, `#if($input.params('none') == "")empty#end#if($input.params('none')) true#end`, `empty true`},
		{"params groups", ``, `#foreach($t in $input.params().keySet())$t #end$input.params().path`, `path querystring header {both=path, id=7}`},
		{"params group", ``, `$input.params().header.get('Host') $input.params().path.id $input.params().get('querystring').q [$input.params().path.none]`, `example.com 7 search []`},
		{"params pass-through", ``,
			`#set($all = $input.params())#foreach($type in $all.keySet())#set($params = $all.get($type))"$type": {#foreach($n in $params.keySet())"$n": "$util.escapeJavaScript($params.get($n))"#if($foreach.hasNext),#end#end}#if($foreach.hasNext),#end#end`,
			`"path": {"both": "path","id": "7"},"querystring": {"both": "query","late": "query","q": "search"},"header": {"Host": "example.com","X-Trace": "t","late": "header"}`},
		{"params entries", ``, `#foreach($e in $input.params().path.entrySet())$e.key=$e.value;#end$input.params().path.containsKey('id')`, `both=path;id=7;true`},

		// $util
		{"escapeJavaScript", `{"s":"it's \"q\" \\ / é\n\u0001"}`, `$util.escapeJavaScript($input.path('$.s'))`, `it\'s \"q\" \\ \/ \u00E9\n\u0001`},
		{"the quote idiom", `{"s":"it's"}`, `$util.escapeJavaScript($input.json('$')).replaceAll("\\'","'")`, `{\"s\":\"it's\"}`},
		{"escapeJavaScript of nothing", ``, `[$util.escapeJavaScript($none)]`, `[]`},
		{"parseJson of a string literal", `{"output":"{\"a\":[1]}"}`, `$util.parseJson($input.json('$.output'))`, `{"a":[1]}`},
		{"parseJson of an object", ``, `$util.parseJson('{"a":{"b":1}}') $util.parseJson('{"a":{"b":1}}').a.b`, `{a={b=1}} 1`},
		{"parseJson of nonsense", ``, `[$util.parseJson('{"a"')]`, `[]`},
		{"url coding", ``, `$util.urlEncode("a b&ü*~") $util.urlDecode("a+b%26%C3%BC")`, `a+b%26%C3%BC*%7E a b&ü`},
		{"base64", ``, `$util.base64Encode("hé") $util.base64Decode("aMOp")`, `aMOp hé`},
		{"functions of other services", ``, `[$util.toJson("x")$util.qr("x")]`, `[]`},

		// $context and $stageVariables
		{"context", ``, `$context.httpMethod ${context.stage} $context.requestTimeEpoch $context.identity.sourceIp`, `GET test 1700000000000 1.2.3.4`},
		{"context misses are empty texts", ``, `#if($context.none)true #end#if($context.identity.caller == "")empty#end[$context.authorizer.claims.sub]`, `true empty[]`},
		{"context groups print nothing", ``, `[$context.identity$context.requestOverride$context.responseOverride]`, `[]`},
		{"context keys in order", ``, `$context.keySet()`, `[resourceId, httpMethod, requestTimeEpoch, requestOverride, stage, identity, responseOverride, apiId]`},
		{"context group keys", ``, `$context.identity.keySet() $context.requestOverride.keySet() $context.responseOverride.keySet()`, `[caller, sourceIp] [header, querystring, path] [header]`},
		{"stage variables", ``, `$stageVariables.stage ${stageVariables['x-y']} $stageVariables.get('stage') [$stageVariables.none] #foreach($k in $stageVariables.keySet())$k,#end`, `production dashed production [] stage,x-y,`},

		// Velocity
		{"unknown references print nothing", ``, `[$none $none.a.b() ${none} $!none]`, `[   ]`},
		{"unknown is false", ``, `#if($none)yes#{else}no#end`, `no`},
		{"escaped reference", ``, `#set($x = 1)\$x \\$x`, `$x \1`},
		{"hyphen in names", ``, `#set($m = {"a-b": 1})$m.a-b $m["a-b"] ${m.a-b}`, `1 1 1`},
		{"statement value is printed", ``, `#set($m = {})[$m.put("k", 1)][$m.put("k", 2)]`, `[][1]`},
		{"assignment forms", ``, `#set($m = {})#set($m["a"] = 1)#set($m.b = 2)$m`, `{a=1, b=2}`},
		{"static methods through an instance", ``, `#set($Integer = 0)#set($n = $Integer.parseInt("41") + 1)$n`, `42`},
		{"loop values", ``, `#foreach($x in ["a","b"])$foreach.index$foreach.count$velocityCount$foreach.hasNext$foreach.first$foreach.last #end`, `011truetruefalse 122falsefalsetrue `},
		{"nested loops", ``, `#foreach($x in [1..2])#foreach($y in [1])$foreach.parent.count#end#end`, `12`},
		{"word operators", ``, `#if(1 lt 2 and 2 gt 1 and 1 le 1 and 1 ge 1 and 1 eq 1 and 1 ne 2 and not false or false)ok#end`, `ok`},
		{"integer arithmetic", ``, `#set($a = 7 / 2)$a #set($a = 7 % 4)$a#set($a = 9223372036854775807 + 1) $a`, `33 9223372036854775808`},
		{"gobbling", ``, "{\n  #set($a = 1)\n  \"a\": $a\n#if($a == 1)\n  , \"b\": 2\n#end\n}", "{\n    \"a\": 1\n  , \"b\": 2\n}"},
		{"unparsed text and comments", ``, "#[[$a #if]]# x ## gone\n#* gone *#y", "$a #if x y"},
		{"break and stop", ``, `#foreach($i in [1..5])#if($i == 3)#break#end$i#end|#stop rest`, `12|`},
		{"macro and define", ``, `#macro(greet $n)Hi $n#end#define($d)<$x>#end#set($x = 1)#greet("Bob") $d#set($x = 2)$d`, `Hi Bob <1><2>`},
		{"ternary-like string building", ``, `#set($s = "a${context.stage}b$!none")$s$s.length()`, `atestb6`},
		{"Java regular expressions", ``, `#set($s = "a1b22")$s.replaceAll("(\p{Alpha})([0-9]+)", "$2$1") $s.replaceFirst("[0-9]", "") $s.matches("[a-z0-9]+") $s.split("\d+").size()`, `1a22b ab22 true 2`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := mustCompile(t, tt.src).Render(nil, factsEnv(tt.body))
			if err != nil || string(out) != tt.want {
				t.Errorf("template %s\nbody %s\n got %q, %v\nwant %q", tt.src, tt.body, out, err, tt.want)
			}
		})
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	env := factsEnv(`{}`)
	render := func(src, want string) {
		t.Helper()
		out, err := mustCompile(t, src).Render(nil, env)
		if err != nil || string(out) != want {
			t.Errorf("%s = %q, %v, want %q", src, out, err, want)
		}
	}
	render(`plain`, `plain`)
	if env.RequestOverride() != nil || env.ResponseOverride() != nil {
		t.Error("overrides exist though no template mentioned them")
	}
	render(`#set($context.requestOverride.header.X-A = ["1", "2"])#set($context.requestOverride.path["id"] = "9")`+
		`#set($context.responseOverride.status = 418)#set($context.responseOverride.custom = "note")`, ``)
	env.SetBody([]byte(`{"from": "integration"}`))
	render(`$input.path('$.from') $context.responseOverride.custom $context.requestOverride.path.id $input.params('id') $context.responseOverride.keySet()`,
		`integration note 9 7 [header, status, custom]`)
	if got := value.String(env.RequestOverride()); got != `{header={X-A=[1, 2]}, querystring={}, path={id=9}}` {
		t.Errorf("request override is %s", got)
	}
	if status, _ := env.ResponseOverride().Get("status"); status != int64(418) {
		t.Errorf("status override is %v", status)
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	var seen []string
	env := factsEnv(`{"a":1}`)
	env.Trace = func(r Reading) {
		seen = append(seen, fmt.Sprintf("%d:%d %s→%s", r.Line, r.Column, r.Source, r.Text()))
	}
	src := "$input.path('$.a')${none}\n#set($x = $context.stage)#if($x == $more)$!x#end"
	env.Vars = value.NewMap(value.Entry{Key: "more", Value: "test"}, value.Entry{Key: "input", Value: "hidden"})
	if _, err := mustCompile(t, src).Render(nil, env); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen, " "); got != `1:1 $input.path('$.a')→1 1:19 ${none}→null 2:11 $context.stage→test 2:30 $x→test 2:36 $more→test 2:42 $!x→test` {
		t.Errorf("trace is %s", got)
	}
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		src          string
		line, column int
		msg          string
	}{
		{"{\n  #if($x)\n}", 2, 3, "#if has no #end"},
		{"a #end", 1, 7, "#end without"},
		{"#set($x 1)", 1, 9, "expected ="},
		{"é $x.y(1", 1, 9, "expected ,"},
		{"#if()x#end", 1, 5, "expected a value"},
		{"#foreach($x of $y)#end", 1, 13, `expected "in"`},
		{"${x y}", 1, 4, "expected }"},
		{"$x[", 1, 4, "expected a value"},
		{`#set($x = "abc)`, 1, 11, "string is not closed"},
		{"\n\n#set($x = 7*3-1)", 3, 14, "expected )"},
		{`#set($x = "a $y.z( b")`, 1, 11, "expected a value"},
		{"#* open", 1, 1, "comment is not closed"},
		{"#[[ open", 1, 1, "not closed by ]]#"},
		{"costs 5$", 1, 8, "ends in a dollar sign"},
		{"#include('x')", 1, 1, "#include is not supported"},
		{strings.Repeat("#if(true)", 200), 1, 896, "nested too deeply"},
		{"#set($x = " + strings.Repeat("(", 500) + ")", 1, 110, "nested too deeply"},
	} {
		_, err := Compile(tt.src)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != tt.line || syntax.Column != tt.column || !strings.Contains(syntax.Msg, tt.msg) {
			t.Errorf("Compile(%.40q): %v, want line %d, column %d: %s", tt.src, err, tt.line, tt.column, tt.msg)
		}
	}
}

func TestRenderErrors(t *testing.T) {
	t.Parallel()
	double := strings.Repeat(`#set($s = $s + $s)`, 40)
	for _, tt := range []struct {
		name, src string
		cause     error  // or nil
		msg       string // part of the message
	}{
		{"rounds", `#foreach($i in [1..1001])$i#end`, errRounds, "#foreach($i in [1..1001])"},
		{"nested rounds", `#foreach($i in [1..1000])#foreach($j in [1..1000])#foreach($k in [1..1000])x#end#end#end`, errWork, "line 1, column 51"},
		{"output", `#set($s = "0123456789")#foreach($i in [1..16])#set($s = $s + $s)#end#foreach($i in [1..1000])$s#end`, errOutput, ""},
		{"growing text", `#set($s = "x")` + double, errOutput, "#set($s = $s + $s)"},
		{"growing text by replace", `#set($s = "xxxxxxxxxx")` + strings.Repeat(`#set($s = $s.replaceAll("x", "xxxxxxxxxx"))`, 8), errOutput, ""},
		{"growing list", `#set($l = [1])` + strings.Repeat(`$!l.addAll($l)`, 30), errItems, "addAll"},
		{"macro recursion", `#macro(m)#m()#end#m()`, errDepth, "#m()"},
		{"evaluate recursion", `#set($s = '#evaluate($s)')#evaluate($s)`, errDepth, ""},
		{"slow regular expression", `#set($s = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")$s.matches("(a+)+$")`, nil, "match timeout"},
		{"text too short", "{\n $input.path('$.e').substring(5) }", nil, "line 2, column 2: $input.path('$.e').substring(5): substring from 5 to 3"},
		{"list too short", `#set($l = [])$l[3]`, nil, "index 3 is outside the list of 0"},
		{"not a number", `#set($i = 0)$i.parseInt("x")`, nil, `"x" is not a whole number`},
		{"bad JSONPath", `$input.path('$[')`, nil, "JSONPath"},
		{"bad group", `#set($s = "a")$s.replaceAll("(a)", "$2")`, nil, "illegal group reference"},
		{"bad base64", `$util.base64Decode("***")`, nil, "base64Decode"},
		{"character class", `#set($s = "a")$s.matches("[a-z&&[b]]")`, nil, "intersection"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := mustCompile(t, tt.src).Render(nil, factsEnv(`{"e":"abc"}`))
			var located *RenderError
			switch {
			case err == nil:
				t.Fatal("no error")
			case tt.cause != nil && !errors.Is(err, tt.cause), !strings.Contains(err.Error(), tt.msg):
				t.Errorf("error is %q, want %v with %q", err, tt.cause, tt.msg)
			case tt.cause == nil && !errors.As(err, &located):
				t.Errorf("%T carries no position", err)
			}
		})
	}
}

// TestConcurrentRender renders one template from several goroutines.
func TestConcurrentRender(t *testing.T) {
	t.Parallel()
	tmpl := mustCompile(t, `#macro(m $a)[$a$d]#end#define($d)$x#end#foreach($x in $input.path('$'))#m("$x")#end`)
	done := make(chan string)
	for range 8 {
		go func() {
			var last string
			for range 200 {
				out, err := tmpl.Render(nil, factsEnv(`["a","b"]`))
				if last = string(out); err != nil || last != "[aa][bb]" {
					break
				}
			}
			done <- last
		}()
	}
	for range 8 {
		if got := <-done; got != "[aa][bb]" {
			t.Errorf("got %q", got)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, src := range readCorpus(f) {
		f.Add(src, usual.body)
	}
	f.Fuzz(func(t *testing.T, src, body string) {
		tmpl, err := Compile(src)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Column < 1 {
				t.Fatalf("Compile(%q): %#v", src, err)
			}
			return
		}
		out, err := tmpl.Render([]byte("kept"), factsEnv(body))
		if !strings.HasPrefix(string(out), "kept") {
			t.Fatalf("Render(%q) lost what was there: %q", src, out)
		}
		if err != nil {
			return
		}
		again, err := tmpl.Render([]byte("kept"), factsEnv(body))
		if err != nil || string(again) != string(out) {
			t.Fatalf("Render(%q) = %q, then %q, %v", src, out, again, err)
		}
	})
}
