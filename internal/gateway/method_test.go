package gateway

import (
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

func TestThrottle(t *testing.T) {
	t.Parallel()
	limit := func(rate float64, burst int64) apigatewayapi.MethodSetting {
		return apigatewayapi.MethodSetting{ThrottlingRateLimit: wire.Ptr(rate), ThrottlingBurstLimit: wire.Ptr(burst)}
	}
	for _, tt := range []struct {
		setting apigatewayapi.MethodSetting
		passed  int // of five requests at one instant
	}{{limit(1, 2), 2}, {limit(-1, -1), 5}, {limit(10000, 5000), 5}, {limit(0, 0), 0}} {
		s := api{"GET /": respond(mockMethod(`{"statusCode": 200}`), "200", "", "")}.stage("prod", nil)
		s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": tt.setting}
		f := newFixture(t, nil, s)
		passed := 0
		for range 5 {
			got := summary(t, f.do(request("GET", "/prod", "")))
			switch got {
			case "200 ":
				passed++
			case `429 {"message":"Too Many Requests"}`:
			default:
				t.Errorf("got %s", got)
			}
		}
		if passed != tt.passed {
			t.Errorf("%v: %d passed, want %d", *tt.setting.ThrottlingRateLimit, passed, tt.passed)
		}
	}
}

func TestRequiredParameters(t *testing.T) {
	t.Parallel()
	m := respond(mockMethod(`{"statusCode": 200}`), "200", "", "")
	m.RequestValidatorId = ptr("v")
	m.RequestParameters = map[string]bool{"method.request.querystring.q": true, "method.request.header.X-H": true,
		"method.request.querystring.optional": false, "method.request.path.id": true}
	s := api{"GET /{id}": m}.stage("s", nil)
	s.Deployment.RequestValidators = []apigatewayapi.RequestValidator{{Id: ptr("v"), ValidateRequestParameters: wire.Ptr(true)}}
	f := newFixture(t, nil, s)
	for _, tt := range []struct {
		query, header, want string
	}{
		{"", "", `400 {"message": "Missing required request parameters: [X-H, q]"}`},
		{"?q=", "h", `400 {"message": "Missing required request parameters: [q]"}`},
		{"?q=1", "h", "200 "},
	} {
		r := request("GET", "/s/1"+tt.query, "")
		if tt.header != "" {
			r.Header.Set("X-H", tt.header)
		}
		if got := summary(t, f.do(r)); got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.query, tt.header, got, tt.want)
		}
	}
}

func TestNotBuilt(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*apigatewayapi.Method, *Deployment){
		"integrations with the service sqs": func(m *apigatewayapi.Method, _ *Deployment) {
			m.MethodIntegration.Type, m.MethodIntegration.Uri = ptr("AWS"), ptr("arn:aws:apigateway:us-east-1:sqs:path/0/q")
		},
	} {
		m := respond(mockMethod(`{"statusCode": 200}`), "200", "", "")
		d := &Deployment{}
		change(m, d)
		s := api{"GET /": m}.stage("s", nil)
		s.Deployment.RequestValidators = d.RequestValidators
		f := newFixture(t, nil, s)
		want := `501 {"message": "butai does not have this part of API Gateway yet: ` + what + `"}`
		if got := summary(t, f.do(request("GET", "/s", ""))); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
