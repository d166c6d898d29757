package gateway

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/butai-dev/butai/internal/wire"
)

// growing returns a method that costs the gateway alone something: a MOCK with
// templates both ways.
func growing() api {
	m := mockMethod(`{"statusCode": 200}`)
	respond(m, "200", "", `{"id": "$input.params('id')", "stage": "$stageVariables.stage"}`)
	return api{"GET /user/{id}": m}
}

// crowded returns a stage of an API with n resources, the benchmark's among
// them.
func crowded(n int) *Stage {
	all := growing()
	for i := range n - 1 {
		m := mockMethod(`{"statusCode": 200}`)
		all[fmt.Sprintf("GET /part%d/item%d/{id}", i/20, i%20)] = respond(m, "200", "", "")
	}
	return all.stage("staging", strs{"stage": "staging"})
}

// copies returns stages under other names, or of other APIs.
func copies(apis, stages int) []*Stage {
	var out []*Stage
	for a := range apis {
		for s := range stages {
			st := growing().stage("staging", strs{"stage": "staging"})
			if a > 0 {
				st.APIID = fmt.Sprintf("api%07d", a)
			}
			if s > 0 {
				st.Stage.StageName = wire.Ptr(fmt.Sprintf("stage%d", s))
			}
			out = append(out, st)
		}
	}
	return out
}

// BenchmarkGrowth is one request while there are more and more resources,
// APIs and stages. It should cost the same all along.
func BenchmarkGrowth(b *testing.B) {
	for _, bench := range []struct {
		name   string
		stages func() []*Stage
	}{
		{"10 resources", func() []*Stage { return []*Stage{crowded(10)} }},
		{"300 resources", func() []*Stage { return []*Stage{crowded(300)} }},
		{"10000 resources", func() []*Stage { return []*Stage{crowded(10_000)} }},
		{"1 API", func() []*Stage { return copies(1, 1) }},
		{"1000 APIs", func() []*Stage { return copies(1000, 1) }},
		{"200 stages", func() []*Stage { return copies(1, 200) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			f := newFixture(b, nil, bench.stages()...)
			r := request("GET", "/staging/user/42", "", "User-Agent", "bench", "Accept", "*/*")
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				f.ServeAPI(w, r, testAPI, "", r.URL.EscapedPath())
			}
			if w.status != 200 {
				b.Fatalf("status %d", w.status)
			}
		})
	}
}
