package route

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func router(t testing.TB, routes ...string) *Router[string] {
	t.Helper()
	var rs []Route[string]
	for _, r := range routes {
		verb, path, _ := strings.Cut(r, " ")
		rs = append(rs, Route[string]{Path: path, Method: verb, Value: r})
	}
	r, err := New(rs)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMatch(t *testing.T) {
	t.Parallel()
	r := router(t,
		"GET /", "GET /user/{id}", "POST /user/{id}", "PATCH /user/me", "ANY /user/me/mail",
		"GET /user/me/mail", "GET /user/{id}/mail", "GET /files/index", "ANY /files/{path+}",
		"OPTIONS /guarded", "ANY /{proxy+}", "GET /a/{b}/c", "GET /a/x/d")
	tests := []struct {
		verb, path, want, params string
	}{
		{"GET", "/", "GET /", ""},
		{"GET", "/user/1", "GET /user/{id}", "id=1"},
		{"GET", "/user/1/", "GET /user/{id}", "id=1"},
		{"GET", "/user/a%2Fb", "GET /user/{id}", "id=a%2Fb"},
		{"PATCH", "/user/me", "PATCH /user/me", ""},
		{"GET", "/user/me", "GET /user/{id}", "id=me"},
		{"DELETE", "/user/me", "ANY /{proxy+}", "proxy=user/me"},
		{"GET", "/user/me/mail", "GET /user/me/mail", ""},
		{"PUT", "/user/me/mail", "ANY /user/me/mail", ""},
		{"GET", "/user/7/mail", "GET /user/{id}/mail", "id=7"},
		{"GET", "/files/index", "GET /files/index", ""},
		{"PUT", "/files/index", "ANY /files/{path+}", "path=index"},
		{"GET", "/files/a//b/", "ANY /files/{path+}", "path=a//b"},
		{"GET", "/files", "ANY /{proxy+}", "proxy=files"},
		{"GET", "/files/", "ANY /{proxy+}", "proxy=files"},
		{"OPTIONS", "/guarded", "OPTIONS /guarded", ""},
		{"GET", "/guarded", "ANY /{proxy+}", "proxy=guarded"},
		{"GET", "/a/x/d", "GET /a/x/d", ""},
		{"GET", "/a/x/c", "GET /a/{b}/c", "b=x"},
		{"POST", "/", "", ""},
		{"TRACE", "/anything", "", ""},
	}
	for _, tt := range tests {
		got, params, _ := r.Match(tt.verb, tt.path, nil)
		var list []string
		for _, p := range params {
			list = append(list, p.Name+"="+p.Value)
		}
		if diff := cmp.Diff([2]string{tt.want, tt.params}, [2]string{got, strings.Join(list, " ")}); diff != "" {
			t.Errorf("%s %s: -want +got\n%s", tt.verb, tt.path, diff)
		}
	}
}

func TestHeadIsNotServedByGet(t *testing.T) {
	t.Parallel()
	r := router(t, "GET /x")
	for _, verb := range []string{"HEAD", "OPTIONS", "get"} {
		if got, _, ok := r.Match(verb, "/x", nil); ok {
			t.Errorf("%s /x is served by %s", verb, got)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, paths := range [][]string{{"/{a+}/b"}, {"/{a}", "/{b}"}, {"/{a+}", "/{b+}"}, {"/a", "/a"}, {"a"}} {
		var rs []Route[int]
		for _, p := range paths {
			rs = append(rs, Route[int]{Path: p, Method: "GET"})
		}
		if _, err := New(rs); err == nil {
			t.Errorf("New(%v) succeeded", paths)
		}
	}
}

// oracle finds the best route the slow way: it tries every route against the
// path and keeps the one that wins the comparison of segments from the left.
func oracle(routes []string, verb, path string) string {
	rank := func(template string) (string, bool) {
		var rank strings.Builder
		rest := strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
		segments := strings.Split(strings.TrimPrefix(template, "/"), "/")
		if template == "/" {
			return "", rest == ""
		}
		for i, s := range segments {
			if rest == "" {
				return "", false
			}
			segment, below, more := strings.Cut(rest, "/")
			switch {
			case strings.HasSuffix(s, "+}"):
				return rank.String() + "2", true
			case strings.HasPrefix(s, "{"):
				if segment == "" {
					return "", false
				}
				rank.WriteByte('1')
			case s != segment:
				return "", false
			default:
				rank.WriteByte('0')
			}
			rest = below
			if i == len(segments)-1 && more && below != "" {
				return "", false
			}
		}
		return rank.String(), rest == ""
	}
	best, bestRank := "", ""
	for _, r := range routes {
		method, template, _ := strings.Cut(r, " ")
		got, ok := rank(template)
		if !ok || method != verb && method != Any {
			continue
		}
		if method == Any {
			got += "9" // on one resource the explicit verb goes first
		}
		if best == "" || got < bestRank {
			best, bestRank = r, got
		}
	}
	return best
}

func FuzzMatch(f *testing.F) {
	for _, seed := range []string{"/", "/a", "/a/b", "/a//b/", "//", "/x/y/z", "/%2F", "/a/b/c/d/"} {
		f.Add(uint32(0xffffffff), seed)
		f.Add(uint32(0x5555), seed)
	}
	paths := []string{"/", "/a", "/a/b", "/a/{x}", "/a/b/{y}", "/a/{x}/c", "/{p}", "/{p}/b", "/{p}/{q}", "/a/b/c", "/{p}/b/{r+}", "/a/{x}/{z+}", "/{all+}"}
	f.Fuzz(func(t *testing.T, mask uint32, path string) {
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		var routes []string
		for i, p := range paths {
			if mask>>(2*i)&1 != 0 {
				routes = append(routes, "GET "+p)
			}
			if mask>>(2*i+1)&1 != 0 {
				routes = append(routes, "ANY "+p)
			}
		}
		r := router(t, routes...)
		for _, verb := range []string{"GET", "PUT"} {
			got, params, _ := r.Match(verb, path, nil)
			if want := oracle(routes, verb, path); got != want {
				t.Errorf("%s %q over %v: got %q, want %q", verb, path, routes, got, want)
			}
			for _, p := range params {
				if p.Value == "" || !strings.Contains(path, p.Value) {
					t.Errorf("%s %q: parameter %v is not in the path", verb, path, fmt.Sprint(p))
				}
			}
		}
	})
}
