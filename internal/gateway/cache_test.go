package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/wire"
)

// caching are settings that cache for a minute.
func caching() apigatewayapi.MethodSetting {
	return apigatewayapi.MethodSetting{CachingEnabled: wire.Ptr(true), CacheTtlInSeconds: wire.Ptr[int64](60), RequireAuthorizationForCacheControl: wire.Ptr(false)}
}

// cachedStage is a stage with a cache cluster whose function counts its calls.
func cachedStage(settings map[string]apigatewayapi.MethodSetting) (*Stage, *functions) {
	var calls atomic.Int64
	fn := &functions{f: func(*FunctionCall) (*FunctionResult, error) {
		return &FunctionResult{Status: 200, Payload: fmt.Appendf(nil, `{"body": "%d", "headers": {"X-Own": "v"}}`, calls.Add(1))}, nil
	}}
	m := proxyMethod()
	m.MethodIntegration.CacheKeyParameters = []string{"method.request.path.id", "method.request.querystring.q", "method.request.header.X-Key"}
	s := api{"GET /a/{id}": m, "POST /a/{id}": m, "GET /b": proxyMethod(), "ANY /any": proxyMethod()}.stage("s", strs{"stage": "x"})
	s.Stage.CacheClusterEnabled, s.Stage.CacheClusterSize, s.Stage.MethodSettings = wire.Ptr(true), wire.Ptr("0.5"), settings
	return s, fn
}

func TestCache(t *testing.T) {
	t.Parallel()
	s, fn := cachedStage(map[string]apigatewayapi.MethodSetting{"*/*": caching()})
	f := newFixture(t, fn, s)
	get := func(verb, target string, headers ...string) string {
		res := f.do(request(verb, target, "", headers...))
		if res.Header["X-Own"] == nil {
			t.Errorf("%s: header is gone", target)
		}
		return bodyOf(t, res)
	}
	for i, tt := range []struct {
		verb, target string
		headers      []string
		want         string
	}{
		{"GET", "/s/a/1", nil, "1"},
		{"GET", "/s/a/1", nil, "1"},
		{"GET", "/s/a/1?other=1", nil, "1"}, // no key, no difference
		{"GET", "/s/a/2", nil, "2"},
		{"GET", "/s/a/1?q=1", nil, "3"},
		{"GET", "/s/a/1?q=1", nil, "3"},
		{"GET", "/s/a/1", []string{"X-Key", "k"}, "4"},
		{"GET", "/s/b", nil, "5"},
		{"GET", "/s/b", nil, "5"},
		{"POST", "/s/a/1", nil, "6"}, // the stage's settings cache GET alone
		{"POST", "/s/a/1", nil, "7"},
		{"GET", "/s/any", nil, "8"},
		{"GET", "/s/any", nil, "8"},
		{"GET", "/s/b", []string{"Cache-Control", "max-age=0"}, "9"}, // replaces the entry
		{"GET", "/s/b", nil, "9"},
	} {
		if got := get(tt.verb, tt.target, tt.headers...); got != tt.want {
			t.Errorf("request %d, %s %s: got %s, want %s", i, tt.verb, tt.target, got, tt.want)
		}
	}
	// Another deployment goes on with the cache, a flush empties it.
	if err := f.PublishStage(s); err != nil {
		t.Fatal(err)
	}
	if got := get("GET", "/s/b"); got != "9" {
		t.Errorf("after publishing again: %s", got)
	}
	f.FlushCache(testAPI, "s")
	if got := get("GET", "/s/b"); got != "10" {
		t.Errorf("after a flush: %s", got)
	}
	f.clock.Advance(61 * time.Second)
	if got := get("GET", "/s/b"); got != "11" {
		t.Errorf("after its time: %s", got)
	}
}

func TestCacheSettings(t *testing.T) {
	t.Parallel()
	off := caching()
	off.CacheTtlInSeconds = wire.Ptr[int64](0)
	disabled := caching()
	disabled.CachingEnabled = wire.Ptr(false)
	for _, tt := range []struct {
		name     string
		settings map[string]apigatewayapi.MethodSetting
		change   func(*Stage)
		verb     string
		cached   bool
	}{
		{"own settings of a POST", map[string]apigatewayapi.MethodSetting{"a/{id}/POST": caching()}, nil, "POST", true},
		{"own settings switch off", map[string]apigatewayapi.MethodSetting{"*/*": caching(), "~1a~1{id}/GET": disabled}, nil, "GET", false},
		{"no time to live", map[string]apigatewayapi.MethodSetting{"*/*": off}, nil, "GET", false},
		{"no settings", nil, nil, "GET", false},
		{"no cluster", map[string]apigatewayapi.MethodSetting{"*/*": caching()}, func(s *Stage) { s.Stage.CacheClusterEnabled = nil }, "GET", false},
	} {
		s, fn := cachedStage(tt.settings)
		if tt.change != nil {
			tt.change(s)
		}
		f := newFixture(t, fn, s)
		f.do(request(tt.verb, "/s/a/1", ""))
		if got := bodyOf(t, f.do(request(tt.verb, "/s/a/1", ""))) == "1"; got != tt.cached {
			t.Errorf("%s: cached %v", tt.name, got)
		}
	}
}

// TestCacheNamespace lets two methods share their answers.
func TestCacheNamespace(t *testing.T) {
	t.Parallel()
	s, fn := cachedStage(map[string]apigatewayapi.MethodSetting{"*/*": caching()})
	for i := range s.Deployment.Resources {
		for verb, m := range s.Deployment.Resources[i].ResourceMethods {
			m.MethodIntegration.CacheNamespace, m.MethodIntegration.CacheKeyParameters = wire.Ptr("shared"), nil
			s.Deployment.Resources[i].ResourceMethods[verb] = m
		}
	}
	f := newFixture(t, fn, s)
	if a, b := bodyOf(t, f.do(request("GET", "/s/a/1", ""))), bodyOf(t, f.do(request("GET", "/s/b", ""))); a != "1" || b != "1" {
		t.Errorf("answers are %s and %s", a, b)
	}
}

// TestCacheControl has the strategies for clients that may not get past the
// cache, and the permission that lets them.
func TestCacheControl(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ strategy, signer, want, warning string }{
		{"FAIL_WITH_403", "bob", "403", ""},
		{"SUCCEED_WITH_RESPONSE_HEADER", "bob", "200 1", "199 "},
		{"SUCCEED_WITHOUT_RESPONSE_HEADER", "bob", "200 1", ""},
		{"FAIL_WITH_403", "ann", "200 2", ""},
	} {
		setting := caching()
		setting.RequireAuthorizationForCacheControl, setting.UnauthorizedCacheControlHeaderStrategy = wire.Ptr(true), wire.Ptr(tt.strategy)
		s, fn := cachedStage(map[string]apigatewayapi.MethodSetting{"*/*": setting})
		for i := range s.Deployment.Resources {
			for verb, m := range s.Deployment.Resources[i].ResourceMethods {
				m.AuthorizationType = wire.Ptr("AWS_IAM")
				s.Deployment.Resources[i].ResourceMethods[verb] = m
			}
		}
		f := newFixture(t, fn, s)
		f.signers.callers = map[string]*wire.Caller{"ann": {UserID: "ann"}, "bob": {UserID: "bob"}}
		f.signers.decide = func(c *wire.Caller, r *policy.Request) policy.Decision {
			return policy.Decision{Allowed: r.Action == "execute-api:Invoke" || r.Action == "execute-api:InvalidateCache" && c.UserID == "ann"}
		}
		f.do(request("GET", "/s/b", "", "X-Signer", tt.signer))
		res := f.do(request("GET", "/s/b", "", "X-Signer", tt.signer, "Cache-Control", "no-store, Max-Age=0"))
		got := fmt.Sprint(res.StatusCode)
		if res.StatusCode == 200 {
			got += " " + bodyOf(t, res)
		}
		warning := strings.Join(res.Header["Warning"], "")
		if got != tt.want || !strings.HasPrefix(warning, tt.warning) || (warning == "") != (tt.warning == "") {
			t.Errorf("%s as %s: got %s, warning %q", tt.strategy, tt.signer, got, warning)
		}
		if again := f.do(request("GET", "/s/b", "", "X-Signer", tt.signer)); again.Header["Warning"] != nil {
			t.Errorf("%s: the warning was cached", tt.strategy)
		}
	}
}

// TestFailuresAreNotCached keeps the gateway's own answers out of the cache.
func TestFailuresAreNotCached(t *testing.T) {
	t.Parallel()
	s, _ := cachedStage(map[string]apigatewayapi.MethodSetting{"*/*": caching()})
	fn := returns("nonsense")
	f := newFixture(t, fn, s)
	for range 2 {
		f.do(request("GET", "/s/b", ""))
	}
	if len(fn.calls) != 2 {
		t.Errorf("the function was called %d times", len(fn.calls))
	}
}

func TestCacheStoreIsBounded(t *testing.T) {
	t.Parallel()
	now := testTime
	c := newCacheStore(1000)
	put := func(key string, size int) {
		c.put(&cached{key: key, until: now.Add(time.Minute), header: http.Header{}, body: make([]byte, size)})
	}
	for i := range 100 {
		put(fmt.Sprintf("%02d", i), 98)
		if c.get("00", now) == nil {
			t.Fatalf("the entry in use was dropped at entry %d", i)
		}
	}
	if c.taken > 1000 || len(c.entries) != 10 || c.recent.Len() != 10 {
		t.Errorf("%d bytes in %d entries", c.taken, len(c.entries))
	}
	put("00", 2000)
	if c.get("00", now) != nil {
		t.Error("an answer larger than the cache is in it")
	}
	roomy := newCacheStore(10 << 20)
	if roomy.put(&cached{key: "k", body: make([]byte, maxCached)}); len(roomy.entries) != 0 {
		t.Error("an answer larger than API Gateway caches is in the cache")
	}
	c.clear()
	if c.taken != 0 || len(c.entries) != 0 {
		t.Errorf("%d bytes are left", c.taken)
	}
}
