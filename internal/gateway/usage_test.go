package gateway

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/wire"
)

const testKey = "0123456789abcdefghij"

// keyed is an API whose GET / wants an API key, and whose GET /open doesn't.
func keyed() api {
	private := respond(mockMethod(`{"statusCode": 200}`), "200", "", "$context.identity.apiKey $context.identity.apiKeyId")
	private.ApiKeyRequired = wire.Ptr(true)
	return api{"GET /": private, "GET /open": respond(mockMethod(`{"statusCode": 200}`), "200", "", "open $context.identity.apiKey")}
}

// plansFor are the plans of the test account with one plan, which covers the
// stage s, and one key.
func plansFor(plan apigatewayapi.UsagePlan) *UsagePlans {
	plan.Id = ptr("plan01")
	if plan.ApiStages == nil {
		plan.ApiStages = []apigatewayapi.ApiStage{{ApiId: ptr(testAPI), Stage: ptr("s")}}
	}
	return &UsagePlans{Account: testAccount, Region: testRegion, Plans: []KeyedPlan{{Plan: plan,
		Keys: []apigatewayapi.ApiKey{{Id: ptr("key0000001"), Value: ptr(testKey), Enabled: wire.Ptr(true)}}}}}
}

func throttle(rate float64, burst int64) *apigatewayapi.ThrottleSettings {
	return &apigatewayapi.ThrottleSettings{RateLimit: &rate, BurstLimit: &burst}
}

func quotaOf(limit, offset int64, period string) *apigatewayapi.QuotaSettings {
	return &apigatewayapi.QuotaSettings{Limit: &limit, Offset: &offset, Period: &period}
}

// times calls the stage n times with a key and returns the statuses.
func (f *fixture) times(n int, path, key string) string {
	var got []string
	for range n {
		r := request("GET", path, "")
		if key != "" {
			r.Header.Set("x-api-key", key)
		}
		got = append(got, f.do(r).Status[:3])
	}
	return strings.Join(got, " ")
}

func TestAPIKey(t *testing.T) {
	t.Parallel()
	disabled, elsewhere := plansFor(apigatewayapi.UsagePlan{}), plansFor(apigatewayapi.UsagePlan{
		ApiStages: []apigatewayapi.ApiStage{{ApiId: ptr(testAPI), Stage: ptr("other")}}})
	disabled.Plans[0].Keys[0].Enabled = wire.Ptr(false)
	for _, tt := range []struct {
		name, path, key string
		plans           *UsagePlans
		want            string
	}{
		{"without a key", "/s", "", plansFor(apigatewayapi.UsagePlan{}), `403 {"message":"Forbidden"}`},
		{"unknown key", "/s", "ffffffffffffffffffff", plansFor(apigatewayapi.UsagePlan{}), `403 {"message":"Forbidden"}`},
		{"no plans at all", "/s", testKey, nil, `403 {"message":"Forbidden"}`},
		{"disabled", "/s", testKey, disabled, `403 {"message":"Forbidden"}`},
		{"of another stage's plan", "/s", testKey, elsewhere, `403 {"message":"Forbidden"}`},
		{"in a plan", "/s", testKey, plansFor(apigatewayapi.UsagePlan{}), "200 " + testKey + " key0000001"},
		{"none needed", "/s/open", testKey, nil, "200 open "},
	} {
		f := newFixture(t, nil, keyed().stage("s", nil))
		if tt.plans != nil {
			f.PublishUsagePlans(tt.plans)
		}
		r := request("GET", tt.path, "")
		if tt.key != "" {
			r.Header.Set("x-api-key", tt.key)
		}
		res := f.do(r)
		kind := res.Header["x-amzn-ErrorType"]
		if got := summary(t, res); got != tt.want || res.StatusCode == 403 && (len(kind) != 1 || kind[0] != "ForbiddenException") {
			t.Errorf("%s: got %s %v, want %s", tt.name, got, kind, tt.want)
		}
	}
}

func TestAPIKeyFromAuthorizer(t *testing.T) {
	t.Parallel()
	s := keyed().stage("s", nil)
	s.Deployment.API.ApiKeySource = ptr("AUTHORIZER")
	f := newFixture(t, nil, s)
	f.PublishUsagePlans(plansFor(apigatewayapi.UsagePlan{}))
	if got := f.times(1, "/s", testKey); got != "403" {
		t.Errorf("the header counts, though the key comes from the authorizer: %s", got)
	}
	x := newExchange(f.Gateway, request("GET", "/s", ""), Target{APIID: testAPI, Stage: "s", Path: "/"})
	x.st = f.tables.Load().stages[stageKey{testAPI, "s"}]
	if fail := x.route(); fail != nil {
		t.Fatal(fail)
	}
	x.caller.usageKey = testKey
	if fail := x.checkUsage(); fail != nil || x.key.id != "key0000001" {
		t.Errorf("the authorizer's key: %v, id %q", fail, x.key.id)
	}
}

// TestIdentityWithAPIKey: where a key is required, an event's identity has it,
// in the place where a Java map with it has it.
func TestIdentityWithAPIKey(t *testing.T) {
	t.Parallel()
	m := proxyMethod()
	m.ApiKeyRequired = wire.Ptr(true)
	fn := returns("{}")
	f := newFixture(t, fn, api{"GET /": m}.stage("s", strs{"stage": "x"}))
	f.PublishUsagePlans(plansFor(apigatewayapi.UsagePlan{}))
	f.times(1, "/s", testKey)
	_, identity, _ := strings.Cut(string(fn.last(t).Payload), `"identity":`)
	identity, _, _ = strings.Cut(identity, "}")
	want := `{"cognitoIdentityPoolId":null,"cognitoIdentityId":null,"apiKey":"` + testKey + `","principalOrgId":null,"cognitoAuthenticationType":null,` +
		`"userArn":null,"apiKeyId":"key0000001","userAgent":null,"accountId":null,"caller":null,"sourceIp":"192.0.2.1","accessKey":null,` +
		`"cognitoAuthenticationProvider":null,"user":null`
	if identity != want {
		t.Errorf("got %s\nwant %s", identity, want)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	perMethod := apigatewayapi.UsagePlan{ApiStages: []apigatewayapi.ApiStage{{ApiId: ptr(testAPI), Stage: ptr("s"),
		Throttle: map[string]apigatewayapi.ThrottleSettings{"//GET": *throttle(0, 2)}}}}
	perResource := apigatewayapi.UsagePlan{ApiStages: []apigatewayapi.ApiStage{{ApiId: ptr(testAPI), Stage: ptr("s"),
		Throttle: map[string]apigatewayapi.ThrottleSettings{"//*": *throttle(0, 1), "//POST": *throttle(0, 0)}}}}
	account := plansFor(apigatewayapi.UsagePlan{})
	account.Throttle = throttle(0, 3)
	for _, tt := range []struct {
		name  string
		plans *UsagePlans
		want  string
		body  string
		kind  string
	}{
		{"plan", plansFor(apigatewayapi.UsagePlan{Throttle: throttle(0, 1)}), "200 429 429 429", `{"message":"Too Many Requests"}`, "TooManyRequestsException"},
		{"method of the plan", plansFor(perMethod), "200 200 429 429", `{"message":"Too Many Requests"}`, "TooManyRequestsException"},
		{"resource of the plan", plansFor(perResource), "200 429 429 429", `{"message":"Too Many Requests"}`, "TooManyRequestsException"},
		{"account", account, "200 200 200 429", `{"message":"Too Many Requests"}`, "TooManyRequestsException"},
		{"quota", plansFor(apigatewayapi.UsagePlan{Quota: quotaOf(2, 0, "DAY")}), "200 200 429 429", `{"message":"Limit Exceeded"}`, "LimitExceededException"},
	} {
		f := newFixture(t, nil, keyed().stage("s", nil))
		f.PublishUsagePlans(tt.plans)
		if got := f.times(4, "/s", testKey); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		r := request("GET", "/s", "")
		r.Header.Set("X-API-Key", testKey)
		res := f.do(r)
		if body := bodyOf(t, res); body != tt.body || res.Header["x-amzn-ErrorType"][0] != tt.kind || res.Header.Get("Retry-After") != "" {
			t.Errorf("%s: got %s %v, want %s %s and no Retry-After", tt.name, body, res.Header, tt.body, tt.kind)
		}
	}
}

// TestPublishingKeepsCounts: a change of plans refills no bucket and forgets
// no request.
func TestPublishingKeepsCounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, keyed().stage("s", nil))
	plan := apigatewayapi.UsagePlan{Throttle: throttle(0, 5), Quota: quotaOf(3, 0, "MONTH")}
	f.PublishUsagePlans(plansFor(plan))
	f.times(2, "/s", testKey)
	plan.Quota = quotaOf(4, 0, "MONTH")
	f.PublishUsagePlans(plansFor(plan))
	if got := f.times(3, "/s", testKey); got != "200 200 429" {
		t.Errorf("after 2 requests and with the quota raised to 4: %s", got)
	}
	plan.Quota = nil
	f.PublishUsagePlans(plansFor(plan))
	if got := f.times(2, "/s", testKey); got != "429 429" {
		t.Errorf("without the quota, with an empty bucket: %s", got)
	}
	plan.Throttle = throttle(0, 1)
	f.PublishUsagePlans(plansFor(plan))
	if got := f.times(2, "/s", testKey); got != "200 429" {
		t.Errorf("with another bucket: %s", got)
	}
}

// TestStageEditsRefillNothing: a method's bucket outlasts an edit of its stage
// that leaves its limits alone.
func TestStageEditsRefillNothing(t *testing.T) {
	t.Parallel()
	stage := func(burst int64, description string) *Stage {
		s := keyed().stage("s", nil)
		s.Stage.Description = &description
		s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": {ThrottlingRateLimit: wire.Ptr(0.0), ThrottlingBurstLimit: &burst}}
		return s
	}
	f := newFixture(t, nil, stage(2, "one"))
	got := f.times(1, "/s/open", "")
	for _, s := range []*Stage{stage(2, "two"), stage(1, "two"), stage(1, "three")} {
		if err := f.PublishStage(s); err != nil {
			t.Fatal(err)
		}
		got += ", " + f.times(2, "/s/open", "")
	}
	if want := "200, 200 429, 200 429, 429 429"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestQuotaPeriods(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) // a Wednesday
	for _, tt := range []struct {
		q    *apigatewayapi.QuotaSettings
		want string
	}{
		{quotaOf(1, 0, "DAY"), "2026-03-04"},
		{quotaOf(1, 0, "WEEK"), "2026-03-01"}, // Sunday
		{quotaOf(1, 1, "WEEK"), "2026-03-02"},
		{quotaOf(1, 3, "WEEK"), "2026-03-04"},
		{quotaOf(1, 4, "WEEK"), "2026-02-26"},
		{quotaOf(1, 0, "MONTH"), "2026-03-01"},
		{quotaOf(1, 3, "MONTH"), "2026-03-04"},
		{quotaOf(1, 4, "MONTH"), "2026-02-05"},
	} {
		if got := QuotaPeriod(tt.q, at).Format(time.DateOnly); got != tt.want {
			t.Errorf("%s with offset %d: began %s, want %s", *tt.q.Period, *tt.q.Offset, got, tt.want)
		}
	}
}

// TestSaveUsage follows a quota over a restart, a grant and two days.
func TestSaveUsage(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(testTime)
	f := newFixture(t, nil, keyed().stage("s", nil))
	f.Gateway.clock = now
	spec := plansFor(apigatewayapi.UsagePlan{Quota: quotaOf(5, 0, "WEEK")})
	f.PublishUsagePlans(spec)
	f.times(3, "/s", testKey)
	saved := map[string]KeyUsage{}
	save := func() (n int) {
		if err := f.SaveUsage(func(days []KeyUsage) error {
			n = len(days)
			for _, d := range days {
				saved[d.Day] = d
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := save(); n != 1 {
		t.Errorf("%d days to save, want 1", n)
	}
	if n := save(); n != 0 {
		t.Errorf("%d days to save with nothing new", n)
	}
	now.Advance(24 * time.Hour)
	f.times(1, "/s", testKey)
	if !f.GrantUsage(testAccount, testRegion, "plan01", "key0000001", 10) || f.GrantUsage(testAccount, testRegion, "plan01", "nope", 10) {
		t.Error("a grant went where it shouldn't")
	}
	f.times(1, "/s", testKey)
	save()
	sunday := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	of := KeyUsage{Account: testAccount, Region: testRegion, PlanID: "plan01", KeyID: "key0000001", Period: sunday}
	first, second := of, of
	first.Day, first.Used, first.Remaining, first.UsedInPeriod = "2026-03-04", 3, 2, 3
	second.Day, second.Used, second.Remaining, second.UsedInPeriod, second.Granted = "2026-03-05", 2, 9, 5, 9
	if diff := cmp.Diff(map[string]KeyUsage{first.Day: first, second.Day: second}, saved); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}

	again := newFixture(t, nil, keyed().stage("s", nil))
	again.Gateway.clock = now
	spec.Plans[0].Used = map[string]KeyUsage{"key0000001": second}
	again.PublishUsagePlans(spec)
	if got := again.times(10, "/s", testKey); got != strings.Repeat("200 ", 9)+"429" {
		t.Errorf("after a restart with 9 left: %s", got)
	}
	now.Advance(7 * 24 * time.Hour)
	if got := again.times(6, "/s", testKey); got != "200 200 200 200 200 429" {
		t.Errorf("in the next week: %s", got)
	}
}

func TestUsageLog(t *testing.T) {
	t.Parallel()
	const verifying = "(ID) Extended Request Id: E\n(ID) Verifying Usage Plan for request: ID. API Key: **************efghij API Stage: abcdefghij/s\n"
	for _, tt := range []struct {
		name, key string
		plan      apigatewayapi.UsagePlan
		setting   apigatewayapi.MethodSetting
		want      string
	}{
		{"success", testKey, apigatewayapi.UsagePlan{}, apigatewayapi.MethodSetting{}, verifying +
			`(ID) Usage Plan check succeeded for API Key **************efghij and API Stage abcdefghij/s
(ID) Starting execution for request: ID
(ID) HTTP Method: GET, Resource Path: /
(ID) API Key: **************efghij
(ID) Successfully completed execution
(ID) Method completed with status: 200`},
		{"not in a plan", "ffffffffffffffffffff", apigatewayapi.UsagePlan{}, apigatewayapi.MethodSetting{},
			`(ID) Extended Request Id: E
(ID) Verifying Usage Plan for request: ID. API Key: **************ffffff API Stage: abcdefghij/s
(ID) API Key **************ffffff not authorized because method 'GET /' requires API Key and API Key is not associated with a Usage Plan for API Stage abcdefghij/s: No Usage Plan found for key and API Stage
(ID) Method completed with status: 403`},
		{"plan", testKey, apigatewayapi.UsagePlan{Throttle: throttle(5, 0)}, apigatewayapi.MethodSetting{}, verifying +
			`(ID) API Key **************efghij exceeded throttle limit for API Stage abcdefghij/s: Key throttle limit exceeded for Usage Plan ID plan01. Limit: 5.00 Burst: 0
(ID) Method completed with status: 429`},
		{"quota", testKey, apigatewayapi.UsagePlan{Quota: quotaOf(0, 0, "DAY")}, apigatewayapi.MethodSetting{}, verifying +
			`(ID) API Key **************efghij exceeded quota limit for API Stage abcdefghij/s: Key quota exhausted for Usage Plan ID plan01. Limit: 0 Period: DAY
(ID) Method completed with status: 429`},
		{"stage", testKey, apigatewayapi.UsagePlan{}, apigatewayapi.MethodSetting{ThrottlingRateLimit: wire.Ptr(1.0), ThrottlingBurstLimit: wire.Ptr[int64](0)},
			verifying + `(ID) Key throttle limit exceeded for RestApi abcdefghij, Stage s, Resource resa, HttpMethod GET. Limit: 1.00 Burst: 0
(ID) Method completed with status: 429`},
	} {
		s := keyed().stage("s", nil)
		tt.setting.LoggingLevel = ptr("INFO")
		s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": tt.setting}
		f := newFixture(t, nil, s)
		f.PublishUsagePlans(plansFor(tt.plan))
		f.times(1, "/s", tt.key)
		if diff := cmp.Diff(tt.want, normalLog(f.logs.group(executionGroup))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestQuotaUnderLoad: however many requests come at once, while plans are
// published and counts are saved, just as many pass as the quota has.
func TestQuotaUnderLoad(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, keyed().stage("s", nil))
	spec := plansFor(apigatewayapi.UsagePlan{Quota: quotaOf(100, 0, "DAY")})
	f.PublishUsagePlans(spec)
	var passed atomic.Int64
	var clients, others sync.WaitGroup
	done := make(chan struct{})
	others.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				f.PublishUsagePlans(spec)
				if err := f.SaveUsage(func([]KeyUsage) error { return nil }); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for range 8 {
		clients.Go(func() {
			passed.Add(int64(strings.Count(f.times(25, "/s", testKey), "200")))
		})
	}
	clients.Wait()
	close(done)
	others.Wait()
	if got := passed.Load(); got != 100 {
		t.Errorf("%d requests passed a quota of 100", got)
	}
}
