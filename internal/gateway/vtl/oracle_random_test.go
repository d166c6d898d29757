package vtl

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestOracleRandom compares random templates, each with values of its own. BUTAI_VTL_SEED repeats a run and
// BUTAI_VTL_CASES sets its length.
func TestOracleRandom(t *testing.T) {
	o := startOracle(t)
	seed, cases := rand.Uint64(), 3000
	if s := os.Getenv("BUTAI_VTL_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if s := os.Getenv("BUTAI_VTL_CASES"); s != "" {
		var err error
		if cases, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("BUTAI_VTL_SEED=%d", seed)
	g := &generator{rand.New(rand.NewPCG(seed, 1))}
	failed := 0
	for range cases {
		src := g.template()
		if !agree(t, o, src, g.setting()) {
			if failed++; failed == 10 {
				t.Fatal("giving up after ten differences")
			}
		}
	}
}

// generator writes templates that are mostly well-formed. It keeps away from
// what differences.md lists, such as two constructs directly behind each other
// where Velocity's lexer loses its place.
type generator struct{ *rand.Rand }

// setting returns random values for the names that templates use.
func (g *generator) setting() *setting {
	if g.IntN(4) == 0 {
		return &usual
	}
	word := func() string {
		return g.pick(`"hello"`, `"Hello, World"`, `"a.b.c"`, `"l"`, `"  é l "`, `"x\"y\\z"`, `"\u4e16\u754c"`, `"it's"`, `"1,2,,"`, `"12"`, `"hello hello"`)
	}
	whole := g.pick("0", "1", "5", "-3", "42", "2147483647", "7")
	double := g.pick("1.5", "0.25", "-2.0", "100.125", "1.0E10", "0.1")
	vars := fmt.Sprintf(`{"s":%s,"n":%s,"d":%s,"t":true,"f":false,"l":[%s,%s,{"k":%s}],"m":{"b":%s,"a":%s,"l":[1,%s]},"e":"","nul":null,"big":%s}`,
		word(), whole, double, g.pick("1", "-7", "0"), word(), word(), g.pick("1", "9", "0"), word(), g.pick("2", "-2"), g.pick("12345678901", "-99999999999", "9007199254740993"))
	body := fmt.Sprintf(`{"a":{"b":%s},"l":[%s,2.50,%s],"nul":null,"x":%s}`, word(), whole, word(), g.json(2))
	params := fmt.Sprintf(`{"path":{"id":%s},"querystring":{"q":%s},"header":{"h":"v"}}`, word(), word())
	return &setting{vars, body, params}
}

func (g *generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g *generator) template() string {
	var b strings.Builder
	for range 1 + g.IntN(6) {
		b.WriteString(g.statement(3))
	}
	return b.String()
}

func (g *generator) block(depth int) string {
	var b strings.Builder
	for range g.IntN(3) {
		b.WriteString(g.statement(depth - 1))
	}
	return b.String()
}

func (g *generator) statement(depth int) string {
	n := g.IntN(20)
	if depth <= 0 {
		n = g.IntN(11)
	}
	switch n {
	case 0, 1, 2:
		return g.text()
	case 3, 4, 5, 6:
		return g.printed()
	case 7, 8:
		return g.pick("\n", ";", ";  ", "\n\t", ". ") + "#" + g.pick("set", "set", "{set}") + g.pick("", " ") + "(" +
			g.pick("", " ") + g.target() + g.pick("=", " = ") + g.expr(2) + ")" + g.pick("\n", " ; ", "  \n", ";", "\r\n")
	case 9:
		return g.pick("## note\n", "#* a *#", "#* b\n *#\n", "#[[ $s #if ]]#", "\\$s", "\\\\$s", "\\$nope ", "\\#if", "\\\\", "#", "# ", "$ ", "$. ", "#1", "$5 ", "#fff ", "\\", "$!") + g.pick("x", " ", "\n", ",")
	case 10:
		return g.pick("#foo($s \"x\")", "#nope", "#m1($n)", "#m1()", "#m2($s, [1..2])", "#m2(\"a$n\" 'b')", "$d1", "$l.add($n)", "$m.put('z', $n)") + g.pick("\n", " ", ".")
	case 11, 12, 13:
		return g.ifStatement(depth)
	case 14, 15, 16:
		return g.pick("", "  ", "\n") + "#foreach" + g.pick("(", " (", "( ") + g.pick("$x", "$y") + " in " + g.iterable() + ")" +
			g.pick("", "\n", " \n  ") + g.block(depth) + g.pick("$x ", "$y,", "$velocityCount ", "$foreach.index;", "#if($foreach.hasNext),#end", "#if($x == 2)#break#end") +
			g.block(depth) + g.end()
	case 17:
		return fmt.Sprintf("#macro(%s)%s%s", g.pick("m1 $a", "m2 $a $b", "m1", "m2 $a, $b"), g.pick("", "\n", "[$a]", "$!b$a ", "#set($q = $a)"), g.block(depth)) + g.end()
	case 18:
		return "#define($d1)" + g.pick("", "\n", " $s ") + g.block(depth) + g.end()
	}
	return g.text()
}

func (g *generator) ifStatement(depth int) string {
	var b strings.Builder
	b.WriteString(g.pick("", "  ", "\n ") + "#" + g.pick("if", "if", "{if}") + g.pick("(", " (", "( ") + g.expr(2) + g.pick(")", " )", ")\n", ") \n") + g.block(depth))
	for g.IntN(3) == 0 {
		b.WriteString("#elseif(" + g.expr(2) + ")" + g.pick("", "\n") + g.block(depth))
	}
	if g.IntN(2) == 0 {
		b.WriteString(g.pick("#else\n", "#else ", "#{else}", "#{else} \n") + g.block(depth))
	}
	return b.String() + g.end()
}

func (g *generator) end() string {
	return g.pick("#end\n", "#end ", "#{end}", "#end  \n", "#end.", "#{end}\r\n")
}

func (g *generator) text() string {
	return g.pick("text ", "\n", "  ", "\"k\": ", "{\n", "}\n", "[", "],", "a.b", "\t", " - ", "é", "1 + 2", "'q'", "@x", "!", "%", "(1)", "\r\n", "<a>")
}

func (g *generator) printed() string {
	tail := g.pick(" ", ". ", ".)", ",", "\n", ";", "\"", ") ", "- ", "/", ": ", "$s ", "${n} ", "\t")
	if g.IntN(4) == 0 {
		r := g.ref(2)
		return g.pick("", "$") + g.pick("${", "$!{") + r[1:] + "}" + g.pick("a", "", " ", "-b", ".c", "[")
	}
	r := g.ref(2)
	if g.IntN(8) == 0 {
		// Only printed, since Java's are views that change with the map.
		r = g.pick("$m.keySet()", "$m.values()", "$m.entrySet()", "$m.keySet().size()", "$m.values().contains(1)")
	}
	if g.IntN(4) == 0 {
		r = "$!" + r[1:]
	}
	return r + tail + g.pick("", " ")
}

func (g *generator) target() string {
	return g.pick("$v", "$w", "$v.k", "$m.new", "$m[\"z\"]", "$l[0]", "$w.a.b", "$m.l[1]")
}

// ref returns a reference without exclamation mark or braces.
func (g *generator) ref(depth int) string {
	switch g.IntN(12) {
	case 0, 1, 2:
		return g.pick("$s", "$n", "$d", "$t", "$f", "$e", "$big")
	case 3:
		return g.pick("$nul", "$nope", "$v", "$w", "$q", "$x", "$y", "$x.k", "$a-b", "$nul.x", "$nope.y.z")
	case 4, 5:
		return g.stringCall(depth)
	case 6:
		return g.pick("$l", "$m", "$m.b", "$m.a", "$m.l", "$m[\"a\"]", "$m.l[1]", "$l[0]", "$l[2].k", "$l[-1]", "$m.nope", "$m['l'][0]")
	case 7:
		return g.pick("$l.size()", "$l.isEmpty()", "$l.get(0)", "$l.contains("+g.literal()+")", "$l.indexOf("+g.literal()+")", "$l.empty", "$l.subList(0,1).size()")
	case 8:
		return g.pick("$m.size()", "$m.get('a')", "$m.containsKey("+g.strArg()+")", "$m.isEmpty()", "$m.get("+g.strArg()+")")
	case 9:
		return g.pick("$input.path('$.a')", "$input.path('$.l')", "$input.path('$.a.b')", "$input.json('$')", "$input.json('$.l')", "$input.path('$')", "$input.path('$.l[2]').length()",
			"$input.params('id')", "$input.params().path.id", "$input.params('none')", "$input.body", "$input.path('$.nul')", "$input.path('$.none')")
	case 10:
		fn := g.pick("escapeJavaScript", "urlEncode", "base64Encode")
		return "$util." + fn + "(" + g.strArg() + ")"
	}
	return g.pick("$n.intValue()", "$d.intValue()", "$n.toString()", "$t.toString()", "$n.parseInt('12')", "$n.compareTo(3)", "$n.equals(5)", "$d.toString().length()", "$n.toHexString(255)")
}

func (g *generator) stringCall(depth int) string {
	recv := g.pick("$s", "$s", "$m.a", "$e")
	call := g.pick(".length()", ".toUpperCase()", ".trim()", ".isEmpty()", ".hashCode()", ".substring(0)", ".indexOf("+g.strArg()+")",
		".indexOf('l', "+g.pick("0", "3", "-1", "9")+")", ".lastIndexOf('l')", ".replace('l', "+g.strArg()+")", ".replaceAll("+g.regex()+", "+g.pick("'_'", "'<$0>'", "''")+")",
		".replaceFirst("+g.regex()+", 'F')", ".split("+g.regex()+").size()", ".contains("+g.strArg()+")", ".startsWith("+g.strArg()+")", ".endsWith("+g.strArg()+")",
		".concat("+g.strArg()+")", ".equals("+g.strArg()+")", ".equalsIgnoreCase('HELLO')", ".matches("+g.regex()+")", ".compareTo("+g.strArg()+")", ".nope()", ".length", ".empty", ".x.y",
		".substring("+g.pick("1", "0,1", "0,0", "2,1", "$n", "9")+")")
	if depth > 0 && g.IntN(4) == 0 {
		return recv + g.pick(".trim()", ".toLowerCase()", ".concat('abc')") + call
	}
	return recv + call
}

func (g *generator) regex() string {
	return g.pick("'l'", "'l+'", "'[aeiou]'", "'(h)(e)'", "','", "'\\\\.'", "''", "'x?'", "'.*'", "'h.*o'", "'\\p{Alpha}'", "'(?i)L'")
}

func (g *generator) strArg() string {
	return g.pick("'l'", "\"he\"", "'x'", "\"$n-x\"", "$s", "''", "\"${s}!\"", "'it''s'", "\"a\"\"b\"", "'é/\"'", "\"\\u0041$!nope\"", "\"#if($t)y#end\"", "\"$\"")
}

func (g *generator) literal() string {
	return g.pick("1", "2", "0", "'b'", "\"$s\"", "true", "false", "1.5", "-3", "2.50", ".5", "1e3", "12345678901", "[1, 'a']", "[]", "{}", "{'k': 1, \"j\": $s}", "[1..3]", "[3..1]", "''")
}

func (g *generator) iterable() string {
	return g.pick("[1..3]", "[$n..3]", "$l", "$m", "$m.keySet()", "$m.entrySet()", "[1, 'b', $s]", "$nul", "$s", "{'a': 1, 'b': $n}", "$s.split('l')", "[]", "$input.path('$.l')", "$input.params().keySet()", "[0 .. 1]", "$v")
}

func (g *generator) expr(depth int) string {
	if g.IntN(12) == 0 {
		return g.nonNull() + g.pick(" == ", "!=", " eq ", " ne ") + g.nonNull() + g.pick(" && ", " || ", " or ") + g.ref(1) + g.pick("", " && !$f")
	}
	return g.operand(depth)
}

func (g *generator) operand(depth int) string {
	if depth <= 0 || g.IntN(3) == 0 {
		if g.IntN(2) == 0 {
			return g.literal()
		}
		return g.ref(1)
	}
	a, b := g.operand(depth-1), g.operand(depth-1)
	switch g.IntN(8) {
	case 0, 1:
		// Velocity prints parts of the source for an operand of + that is an
		// expression and null.
		if g.IntN(3) == 0 {
			return "(" + g.ref(1) + g.pick(" + ", "+") + g.ref(1) + ")"
		}
		return "(" + a + g.pick(" - ", " * ", " / ", " % ", "*") + b + ")"
	case 2, 3:
		// Comparing with null and "" at once is a known difference.
		return "(" + g.nonNull() + g.pick(" == ", " != ", " eq ", " ne ", "==") + g.nonNull() + ")"
	case 4:
		return a + g.pick(" < ", " > ", " <= ", " >= ", " lt ", " gt ", " le ", " ge ") + b
	case 5:
		return a + g.pick(" && ", " || ", " and ", " or ") + b
	case 6:
		return g.pick("!", "! ", "not ") + a
	}
	return "(" + a + g.pick("", " ") + ")"
}

// nonNull returns an operand that is never null.
func (g *generator) nonNull() string {
	return g.pick(g.literal(), "$s", "$n", "$d", "$t", "$e", "$l.size()", "$m.size()", "$s.length()", "$big", "$f")
}
