package value

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ src, want string }{
		{`{"b": 1, "a": [true, null, 1.50, "x"]}`, `{"b":1,"a":[true,null,1.5,"x"]}`},
		{`{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
		{`{a: 'x', 'b' : two words,}`, `{"a":"x","b":"two words"}`},
		{`a=b&c=d`, `"a=b&c=d"`},
		{`  `, `""`},
		{`[01, -0, 1e400, 123456789012345678901]`, `[1,0,null,123456789012345678901]`},
		{`"\ud83d\ude00\u00e9\ud83d"`, `"😀é` + "\uFFFD" + `"`},
		{`{"a":1} rest`, `{"a":1}`},
		{"\"a\tb\\/\\\"\\u0001\"", `"a\tb/\"\u0001"`},
	} {
		v, err := Parse(tt.src)
		if got := string(AppendJSON(nil, v, math.MaxInt)); err != nil || got != tt.want {
			t.Errorf("Parse(%q) = %s, %v, want %s", tt.src, got, err, tt.want)
		}
	}
	for _, src := range []string{`{"a"`, `{"a":`, `[1,`, `"x`, `{"a":"\u12"}`, `]`, `:`, `{]}`, strings.Repeat("[", 1000)} {
		if v, err := Parse(src); err == nil {
			t.Errorf("Parse(%.20q) = %v, want an error", src, v)
		}
	}
}

func TestAppendDouble(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		f    float64
		want string
	}{
		{0, "0.0"}, {1, "1.0"}, {-2.5, "-2.5"}, {0.30000000000000004, "0.30000000000000004"}, {1e7, "1.0E7"}, {9999999, "9999999.0"},
		{0.001, "0.001"}, {0.0001, "1.0E-4"}, {1.25e-7, "1.25E-7"}, {1.5e300, "1.5E300"}, {math.Inf(-1), "-Infinity"}, {math.NaN(), "NaN"},
	} {
		if got := string(AppendDouble(nil, tt.f)); got != tt.want {
			t.Errorf("AppendDouble(%v) = %s, want %s", tt.f, got, tt.want)
		}
	}
}

func TestAppendJava(t *testing.T) {
	t.Parallel()
	self := NewList("a")
	self.SetItems(append(self.Items(), self))
	loop := NewMap(Entry{"k", nil})
	loop.Put("m", loop)
	deep := NewJSONList()
	deep.SetItems([]Value{deep, deep})
	for _, tt := range []struct {
		v    Value
		want string
	}{
		{nil, "null"}, {true, "true"}, {new(big.Int).Lsh(big.NewInt(1), 70), "1180591620717411303424"},
		{NewMap(Entry{"a", NewList("x", int64(1))}, Entry{"b", NewJSONList("x/y")}), `{a=[x, 1], b=["x\/y"]}`},
		{self, "[a, (this Collection)]"},
		{loop, "{k=null, m=(this Map)}"},
	} {
		if got := String(tt.v); got != tt.want {
			t.Errorf("String(%T) = %s, want %s", tt.v, got, tt.want)
		}
	}
	// A list that doubles at every level ends soon after the limit.
	if got := AppendJava(nil, deep, 1000); len(got) < 1000 || len(got) > 5000 {
		t.Errorf("printed %d bytes with a limit of 1000", len(got))
	}
}

func TestMap(t *testing.T) {
	t.Parallel()
	m := &Map{}
	// Past the size at which the index starts, and back.
	for i := range 40 {
		if old := m.Put(key(i), int64(i)); old != nil {
			t.Fatalf("Put(%s) found %v", key(i), old)
		}
	}
	for i := 0; i < 40; i += 2 {
		if old := m.Remove(key(i)); old != int64(i) {
			t.Fatalf("Remove(%s) = %v", key(i), old)
		}
	}
	m.Put(key(1), "new")
	m.Put(key(0), "again")
	if got, _ := m.Get(key(1)); got != "new" || m.Len() != 21 {
		t.Errorf("Get = %v, Len = %d", got, m.Len())
	}
	if keys := m.Keys(); keys[0] != key(1) || keys[20] != key(0) {
		t.Errorf("keys are %v", keys)
	}
	if _, ok := m.Get(key(2)); ok {
		t.Error("a removed key is there")
	}
}

func key(i int) string { return strings.Repeat("k", i%3+1) + string(rune('a'+i)) }

// FuzzParse checks that valid JSON is read as encoding/json reads it, and that
// anything else neither panics nor prints what is not JSON.
// sameBothWays compares what a document and the same one, read lazily, print,
// before and after their values have been made.
func sameBothWays(t *testing.T, src string, v, lazy Value) {
	t.Helper()
	for range 2 {
		if got, want := String(lazy), String(v); got != want {
			t.Fatalf("%q read lazily prints %q, want %q", src, got, want)
		}
		got, want := AppendJSON(nil, lazy, math.MaxInt), AppendJSON(nil, v, math.MaxInt)
		if string(got) != string(want) {
			t.Fatalf("%q read lazily prints %s, want %s", src, got, want)
		}
		if m, ok := lazy.(*Map); ok {
			for i := range m.Len() {
				if e := m.At(i); String(e.Value) != String(v.(*Map).At(i).Value) {
					t.Fatalf("%q: member %q is %v", src, e.Key, e.Value)
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, src := range []string{`{"a":[1,2.5,"x\u00e9",null,true]}`, `{a:'b',}`, `a=b`, `"\ud83d\ude00"`, `[1e5,-0.1]`, `{"":{}}`} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		v, err := Parse(src)
		var d Document
		lazy, lazyErr := d.Parse([]byte(src))
		if (err == nil) != (lazyErr == nil) {
			t.Fatalf("Parse(%q) says %v, a Document %v", src, err, lazyErr)
		}
		if err != nil {
			return
		}
		sameBothWays(t, src, v, lazy)
		out := AppendJSON(nil, v, math.MaxInt)
		if strings.ToValidUTF8(src, "") == src && !json.Valid(out) {
			t.Fatalf("Parse(%q) prints %q", src, out)
		}
		var want any
		if json.Unmarshal([]byte(src), &want) != nil || strings.Contains(src, "-0") {
			return // Java has no integer -0
		}
		var got any
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("Parse(%q) prints %q: %v", src, out, err)
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if string(a) != string(b) {
			t.Fatalf("Parse(%q) = %s, want %s", src, b, a)
		}
	})
}
