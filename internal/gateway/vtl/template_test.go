package vtl

import "testing"

const (
	articleRequest  = `{ "id": "$input.params('id')", "stage": "$stageVariables.stage", "_method": "GET" }`
	articleResponse = `{ "error": "$input.path('$.errorMessage').substring(5)" }`
)

func articleEnv() *Env {
	env := &Env{Path: NewTexts(map[string]string{"id": "7"}), StageVariables: NewTexts(map[string]string{"stage": "production"})}
	env.SetBody([]byte(`{"errorMessage":"404: no such user","errorType":"Error"}`))
	return env
}

func mustCompile(t testing.TB, src string) *Template {
	t.Helper()
	tmpl, err := Compile(src)
	if err != nil {
		t.Fatalf("Compile(%q): %v", src, err)
	}
	return tmpl
}

func TestArticleTemplates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ src, want string }{
		{articleRequest, `{ "id": "7", "stage": "production", "_method": "GET" }`},
		{articleResponse, `{ "error": "no such user" }`},
	} {
		out, err := mustCompile(t, tt.src).Render([]byte("before "), articleEnv())
		if err != nil || string(out) != "before "+tt.want {
			t.Errorf("Render(%q) = %q, %v, want %q", tt.src, out, err, tt.want)
		}
	}
}

func BenchmarkArticle(b *testing.B) {
	for name, src := range map[string]string{"request": articleRequest, "response": articleResponse} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			tmpl, env, body := mustCompile(b, src), articleEnv(), []byte(`{"errorMessage":"404: no such user"}`)
			var out []byte
			for b.Loop() {
				env.SetBody(body)
				var err error
				if out, err = tmpl.Render(out[:0], env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
