package vtl

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// TestPayloadChanged changes a payload while it is read.
func TestPayloadChanged(t *testing.T) {
	t.Parallel()
	const body = `{"a":[1,"x",{"k":"v\u0041"},[true,null]],"m":{"p":1.50,"q":"y/z","r":{"s":[]}},"n":"1"}`
	for src, want := range map[string]string{
		`$input.path('$.a')`:              `[1,"x",{"k":"vA"},[true,null]]`,
		`#set($r = $input.path('$'))$r.m`: `{p=1.5, q=y/z, r={s=[]}}`,
		`#set($m = $input.path('$.m'))#set($m.q = 2)$m.q $m $input.json('$.m')`:                         `2 {p=1.5, q=2, r={s=[]}} {"p":1.5,"q":2,"r":{"s":[]}}`,
		`#set($l = $input.path('$.a'))$l.add("y")#foreach($i in $l)$i,#end`:                             `true1,x,{k=vA},[true,null],y,`,
		`#foreach($i in $input.path('$.a'))#set($l = $input.path('$.a'))#set($l[1] = "z")$i,#end`:       `1,z,{k=vA},[true,null],`,
		`#foreach($i in $input.path('$.a'))#set($x = $i)#if($x == 1)#set($first = $i)#end#end$first $x`: `1 [true,null]`,
		`#foreach($v in $input.path('$.m'))$v;#end`:                                                     `1.5;y/z;{s=[]};`,
		`#macro(m $p)$p$p#end#foreach($i in $input.path('$.a[0:2]'))#m($i)#end`:                         `11xx`,
		`#foreach($i in $input.path('$.a'))#foreach($i in [7])$i#end$i #end`:                            `71 7x 7{k=vA} 7[true,null] `,
		`#set($m = $input.path('$.m'))$m.remove("p") $m.size() $m.keySet() $m.get("q")`:                 `1.5 2 [q, r] y/z`,
		`#set($r = $input.path('$'))#set($s = $r.m.r)$s.put("t", 1)$input.json('$.m.r')`:                `{"s":[],"t":1}`,
		`$input.path('$.m').q$input.path('$.m.q')$input.path('$.m.none')$input.path('$.a.q')`:           `y/zy/z`,
		`#foreach($i in [1,2])#set($outer = $foreach)#end#foreach($j in [5,6,7])$outer.index#end`:       `111`,
		`$util.escapeJavaScript($input.path('$.m.q'))$util.urlEncode($input.path('$.m').q)`:             `y\/zy%2Fz`,
		`$input.json('$.m.none')$input.json('$.n')$input.json('$')`:                                     `"""1"{"a":[1,"x",{"k":"vA"},[true,null]],"m":{"p":1.5,"q":"y/z","r":{"s":[]}},"n":"1"}`,
	} {
		env := &Env{}
		env.SetBody([]byte(body))
		if out, err := mustCompile(t, src).Render(nil, env); err != nil || string(out) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", src, out, err, want)
		}
	}
}

// TestPayloadBothRoads renders random templates over values that stand in a
// text, and over the same made by value.Parse: text behind a document, which
// that ignores, is no plain JSON. A trace has every reference evaluated.
func TestPayloadBothRoads(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	g := &generator{rand.New(rand.NewPCG(seed, 1))}
	for range 5000 {
		src, plain := g.template(), g.setting()
		if strings.Contains(src, "input.body") {
			continue
		}
		other := *plain
		other.vars, other.body = other.vars+" x", other.body+" x"
		got, err := plain.render(src, nil)
		want, wantErr := other.render(src, func(Reading) {})
		if got != want || (err == nil) != (wantErr == nil) {
			t.Fatalf("seed %d: template %q with %+v\n got %q, %v\nwant %q, %v", seed, src, *plain, got, err, want, wantErr)
		}
	}
}

// TestPayloadOutlives keeps parts of a payload in an override while others
// render: no document's memory may serve two at a time.
func TestPayloadOutlives(t *testing.T) {
	t.Parallel()
	keeps := mustCompile(t, `#set($context.requestOverride.header.h = $input.path('$.m'))`)
	reads := mustCompile(t, `#foreach($i in $input.path('$.l'))$i.k,$i.l[0];#end`)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for range 200 {
				var env Env
				env.SetBody(fmt.Appendf(nil, `{"m":{"who":"%d","l":[%d]}}`, n, n))
				if _, err := keeps.Render(nil, &env); err != nil {
					t.Error(err)
				}
				other := &Env{}
				other.SetBody([]byte(strings.Repeat(" ", n) + fmt.Sprintf(`{"l":[{"k":"a%d","l":["b%d"]},{"k":1,"l":[%d]}]}`, n, n, n)))
				out, err := reads.Render(nil, other)
				if want := fmt.Sprintf("a%d,b%d;1,%d;", n, n, n); err != nil || string(out) != want {
					t.Errorf("got %s, %v; want %s", out, err, want)
				}
				header, _ := env.RequestOverride().Get("header")
				kept, _ := header.(*value.Map).Get("h")
				if got, want := value.String(kept), fmt.Sprintf("{who=%d, l=[%d]}", n, n); got != want {
					t.Errorf("the override became %s, want %s", got, want)
				}
			}
		})
	}
	wg.Wait()
}
