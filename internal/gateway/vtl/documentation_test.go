package vtl

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// The templates below testdata/documentation have the shape of those in the
// developer guide: a list of photos, a news feed, sales by day, a body passed
// through, and a whole request passed through. What they render, name.txt, is
// also what Velocity must render to be timed on them (oracle/VelocityBench.java).
var documentation = []string{"photos", "news", "sales", "passthrough", "request"}

func readDocumentation(t testing.TB, name string) (template, body string) {
	t.Helper()
	read := func(ext string) string {
		data, err := os.ReadFile(filepath.Join("testdata", "documentation", name+ext))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	return read(".vtl"), read(".json")
}

// documentationEnv is the request of those templates.
func documentationEnv(body string) *Env {
	env := &Env{
		Path: NewTexts(map[string]string{"id": "ada"}), Query: NewTexts(map[string]string{"q": "1"}), Header: NewTexts(map[string]string{"Accept": "*/*", "Host": "api.example.test"}),
		StageVariables: NewTexts(map[string]string{"stage": "staging"}),
		Context: fixedSource{{Key: "httpMethod", Value: "POST"}, {Key: "stage", Value: "staging"}, {Key: "requestId", Value: "r-1"},
			{Key: "resourcePath", Value: "/user/{id}"}, {Key: "identity", Value: fixedSource{{Key: "sourceIp", Value: "192.0.2.1"}, {Key: "userAgent", Value: "bench"}}}},
	}
	env.SetBody([]byte(body))
	return env
}

func TestDocumentation(t *testing.T) {
	t.Parallel()
	for _, name := range documentation {
		src, body := readDocumentation(t, name)
		out, err := mustCompile(t, src).Render(nil, documentationEnv(body))
		want, readErr := os.ReadFile(filepath.Join("testdata", "documentation", name+".txt"))
		if err != nil || readErr != nil || !json.Valid(out) || string(out) != string(want) {
			t.Errorf("%s: %v, %v\n%s", name, err, readErr, out)
		}
	}
}

func TestOracleDocumentation(t *testing.T) {
	o := startOracle(t)
	for _, name := range documentation {
		if name == "request" {
			continue // has $context and $stageVariables, which Velocity has not
		}
		src, body := readDocumentation(t, name)
		agree(t, o, src, &setting{usual.vars, body, usual.params})
	}
}

// BenchmarkDocumentation is a rendering with the parsing of its body, into a
// buffer that is there, beside a heap of the size that a server has.
func BenchmarkDocumentation(b *testing.B) {
	heap := make([]byte, 32<<20)
	defer runtime.KeepAlive(heap)
	for _, name := range documentation {
		b.Run(name, func(b *testing.B) {
			src, body := readDocumentation(b, name)
			tmpl, err := Compile(src)
			if err != nil {
				b.Fatal(err)
			}
			env, payload := documentationEnv(body), []byte(body)
			out := make([]byte, 0, 64<<10)
			b.ReportAllocs()
			for b.Loop() {
				env.SetBody(payload)
				if out, err = tmpl.Render(out[:0], env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
