package gateway

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"", "a=1&b=2&a=3", "flag", "a=%2B+%zz%4", "=x", "a==b", "&&", "%41=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := parseQuery(raw)
		want, err := url.ParseQuery(raw)
		if err != nil {
			return // where net/url gives up we keep the text; reaching here is the test
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %v, want %v", raw, got, want)
		}
		for _, f := range got {
			if strings.Join(f.values, "\x00") != strings.Join(want[f.name], "\x00") {
				t.Errorf("%q: %s is %q, want %q", raw, f.name, f.values, want[f.name])
			}
		}
	})
}

func TestQueryKeepsWhatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	f := parseQuery("a=%zz&b=100%&c=1;d=2")
	for name, want := range map[string]string{"a": "%zz", "b": "100%", "c": "1", "d": "2"} {
		if got := f.exact(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestMethodOverride(t *testing.T) {
	t.Parallel()
	fn := returns("{}")
	m := respond(lambdaMethod(strs{"application/json": `"$context.httpMethod"`}), "200", "", "")
	f := newFixture(t, fn, api{"PATCH /": m}.stage("s", strs{"stage": "x"}))
	if res := f.do(request("POST", "/s", "", "X-Http-Method-Override", "patch")); res.StatusCode != 200 {
		t.Fatalf("status %d", res.StatusCode)
	}
	if got := string(fn.last(t).Payload); got != `"PATCH"` {
		t.Errorf("the template sees %s", got)
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	const own = "11111111-2222-4333-8444-555555555555"
	for sent, kept := range map[string]bool{own: true, "mine": false, "": false, "{" + own + "}": false} {
		res := f.do(request("GET", "/none", "", "x-amzn-requestid", sent))
		if got := res.Header["x-amzn-RequestId"][0]; (got == sent) != kept || len(got) != 36 {
			t.Errorf("%q gives %q", sent, got)
		}
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	f := newFixture(t, returns(`"body"`), api{"HEAD /": respond(lambdaMethod(nil), "200", "", "")}.stage("s", strs{"stage": "x"}))
	res := f.do(request("HEAD", "/s", ""))
	if body := bodyOf(t, res); body != "" || res.Header["Content-Length"][0] != "6" {
		t.Errorf("body %q, Content-Length %v", body, res.Header["Content-Length"])
	}
}

// TestPublishWhileServing changes a stage under a stream of requests: each
// one must see either the old or the new deployment, whole.
func TestPublishWhileServing(t *testing.T) {
	t.Parallel()
	version := func(v string) *Stage {
		m := respond(mockMethod(`{"statusCode": 200}`), "200", "", v+" $stageVariables.v")
		return api{"GET /": m}.stage("s", strs{"v": v})
	}
	f := newFixture(t, nil, version("a"))
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for range 200 {
				w := httptest.NewRecorder()
				f.ServeAPI(w, httptest.NewRequest("GET", "/s", nil), testAPI, "", "/s")
				if got := w.Body.String(); got != "a a" && got != "b b" {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	for i := range 20 {
		if err := f.PublishStage(version([]string{"a", "b"}[i%2])); err != nil {
			t.Error(err)
		}
	}
	readers.Wait()
}

func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	m := respond(mockMethod(`{"statusCode": 200}`), "200", "", "")
	if err := f.PublishStage(api{"GET /{a+}/b": m}.stage("s", nil)); err == nil {
		t.Error("a resource below a greedy variable was published")
	}
	if res := f.do(request("GET", "/s", "")); res.StatusCode != 403 {
		t.Errorf("the refused stage answers %d", res.StatusCode)
	}
}

func TestInterpolate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a${stageVariables.x}b":                      "a1b",
		"${stageVariables.x}${stageVariables.none}c": "1c",
		"${other.x}$":                                "${other.x}$",
		"${stageVariables.x":                         "${stageVariables.x",
		"":                                           "",
	} {
		if got := interpolate(in, strs{"x": "1"}); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestFunctionOf(t *testing.T) {
	t.Parallel()
	const fn = "arn:aws:lambda:us-east-1:000000000000:function:f"
	for resource, want := range map[string]string{
		"path/2015-03-31/functions/" + fn + "/invocations":       fn,
		"path//2015-03-31/functions/" + fn + ":live/invocations": fn + ":live",
		"path/2015-03-31/functions/" + fn + ":/invocations":      "",
		"path/2015-03-31/functions/" + fn:                        "",
		"path/2015-03-31/functions//invocations":                 "",
		"action/Invoke":                                          "",
	} {
		if got, ok := functionOf(resource, lambdaPathPrefix, lambdaPathSuffix); got != want || ok != (want != "") {
			t.Errorf("%s: got %q %v, want %q", resource, got, ok, want)
		}
	}
}
