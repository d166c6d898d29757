package gateway

import (
	"net/url"
	"testing"
)

func TestEscapes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a/b": "a/b", "a%2Fb": "a%2Fb", "100%": "100%25", "a b?c#d": "a%20b%3Fc%23d", "é": "%C3%A9", "a+b:c@d": "a+b:c@d", "{x}": "%7Bx%7D", "": "",
	} {
		if got := escapePath(in); got != want {
			t.Errorf("path %q: got %q, want %q", in, got, want)
		}
	}
	if got, want := escapeQuery("a b&c=d/e%é~-._"), "a%20b%26c%3Dd%2Fe%25%C3%A9~-._"; got != want {
		t.Errorf("query: got %q, want %q", got, want)
	}
	if got, want := encodeQuery("have=1", fields{{"a", []string{"1", "2"}}}, fields{{"b c", []string{""}}}), "have=1&a=1&a=2&b%20c="; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzEndpoint fills addresses with whatever clients send: the backend must be
// asked for just that, and at the host that the address names.
func FuzzEndpoint(f *testing.F) {
	for _, seed := range []string{"a", "a/b%2Fc", "%zz", "//evil.example/", "../..", "@evil.example", "?q#f", "\x00\xff", "{proxy}"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		filled := parseURI("http://backend.example/{proxy}").fill(fields{{"proxy", []string{path}}})
		u, fail := parseEndpoint(filled)
		if fail != nil {
			t.Fatalf("%q: %v", path, fail.cause)
		}
		if u.Host != "backend.example" || u.EscapedPath() != "/"+escapePath(path) || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("%q became %s", path, u)
		}
		if values, err := url.ParseQuery(encodeQuery("", fields{{query, []string{query}}})); err != nil || values.Get(query) != query {
			t.Errorf("query %q became %v: %v", query, values, err)
		}
	})
}
