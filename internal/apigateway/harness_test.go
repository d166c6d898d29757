package apigateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/apigateway"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/ca"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

// dataPlane notes what was published to it.
type dataPlane struct {
	mu      sync.Mutex
	stages  map[string]*gateway.Stage // by "api/stage"
	domains map[string]*gateway.DomainName
	counter *gateway.Gateway // of what API keys use
	flushed []string         // "api/stage"
	tested  *gateway.AuthorizerTest
}

func newDataPlane(c clock.Clock) *dataPlane {
	return &dataPlane{counter: gateway.New(gateway.Config{Clock: c, Log: slog.New(slog.DiscardHandler)}), stages: map[string]*gateway.Stage{}, domains: map[string]*gateway.DomainName{}}
}

func (d *dataPlane) PublishStage(s *gateway.Stage) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stages[s.APIID+"/"+*s.Stage.StageName] = s
	return nil
}

func (d *dataPlane) RemoveStage(apiID, stage string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.stages, apiID+"/"+stage)
}

func (d *dataPlane) FlushCache(apiID, stage string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flushed = append(d.flushed, apiID+"/"+stage)
}

func (d *dataPlane) PublishDomain(n *gateway.DomainName) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.domains[n.Name] = n
	return nil
}

func (d *dataPlane) RemoveDomain(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.domains, name)
}

func (d *dataPlane) PublishUsagePlans(p *gateway.UsagePlans) { d.counter.PublishUsagePlans(p) }

func (d *dataPlane) SaveUsage(save func([]gateway.KeyUsage) error) error {
	return d.counter.SaveUsage(save)
}

func (d *dataPlane) GrantUsage(account, region, plan, key string, remaining int64) bool {
	return d.counter.GrantUsage(account, region, plan, key, remaining)
}

func (d *dataPlane) FlushAuthorizers(apiID, stage string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flushed = append(d.flushed, apiID+"/"+stage)
}

func (d *dataPlane) TestMethod(ctx context.Context, t *gateway.MethodTest) (*apigatewayapi.TestInvokeMethodResponse, error) {
	return d.counter.TestMethod(ctx, t)
}

func (d *dataPlane) TestAuthorizer(_ context.Context, t *gateway.AuthorizerTest) (*apigatewayapi.TestInvokeAuthorizerResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tested = t
	return &apigatewayapi.TestInvokeAuthorizerResponse{ClientStatus: wire.Ptr(int64(200))}, nil
}

func (d *dataPlane) served() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.stages))
}

func (d *dataPlane) stage(key string) *gateway.Stage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stages[key]
}

// anyone lets every caller in as the root user.
type anyone struct{}

func (anyone) Lookup(string) *wire.Principal { return nil }

func (anyone) Authorize(context.Context, *wire.Caller, wire.IAMTarget) string { return "" }

// anyCertificate covers every name of example.com; those that begin with
// ffffffff don't exist.
type anyCertificate struct{}

func (anyCertificate) Covers(_ context.Context, c arn.ARN, name string) (exists, covers bool, err error) {
	return !strings.HasPrefix(c.Resource, "certificate/ffffffff"), strings.HasSuffix(name, "example.com"), nil
}

// objects are the objects of the one bucket there is, from testdata.
type objects struct{}

func (objects) GetObject(_ context.Context, _, bucket, key, _ string) ([]byte, error) {
	text, err := os.ReadFile("testdata/" + key)
	if bucket != "trust" || err != nil {
		return nil, wire.Errorf("NoSuchKey", "The specified key does not exist.")
	}
	return text, nil
}

// served are the services that integrations may call in tests.
type served struct{}

func (served) Serves(service string) bool { return service == "dynamodb" || service == "s3" }

// accounts are principals, and nobody else is.
type accounts struct{}

func (accounts) Exists(arn string) bool { return strings.HasSuffix(arn, ":root") }

// harness is the service behind the real front end, over a real store.
type harness struct {
	t     *testing.T
	store store.Store
	clock *clock.Fake
	plane *dataPlane
	http  http.Handler
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	db, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &harness{t: t, store: db, clock: clock.NewFake(time.Date(2025, 7, 1, 12, 0, 0, 123456789, time.UTC))}
	h.start()
	return h
}

// start builds the service over the harness's store, as a restart does.
func (h *harness) start() {
	h.t.Helper()
	log := slog.New(slog.DiscardHandler)
	h.plane = newDataPlane(h.clock)
	svc, err := apigateway.New(h.t.Context(), apigateway.Config{Store: h.store, Clock: h.clock, Log: log, Gateway: h.plane, Services: served{}, Principals: accounts{}, Certificates: ca.New(h.t.TempDir(), h.clock),
		DomainCertificates: anyCertificate{}, Objects: objects{},
		AccountThrottle: apigatewayapi.ThrottleSettings{RateLimit: wire.Ptr(10000.0), BurstLimit: wire.Ptr[int64](5000)}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.http, err = awsapi.New(awsapi.Config{
		Services: []awsapi.Registration{{Model: &apigatewayapi.Service, Service: svc}, {Model: &apigatewayv2api.Service, Service: apigateway.NewV2(svc)}},
		Keys:     anyone{}, Authorizer: anyone{}, Log: log, Clock: h.clock,
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// object is a JSON answer.
type object = map[string]any

// request is a signed request.
func (h *harness) request(method, path string, body []byte) *http.Request {
	req := httptest.NewRequest(method, "http://127.0.0.1:4566"+path, bytes.NewReader(body))
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=111111111111/20250701/us-east-1/apigateway/aws4_request, "+
		"SignedHeaders=host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000")
	req.Header.Set("X-Amz-Date", "20250701T120000Z")
	req.Header.Set("Content-Type", "application/json")
	return req
}

// call makes a request; in is encoded as JSON unless it is nil.
func (h *harness) call(method, path string, in any) (status int, errorType string, out object) {
	h.t.Helper()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			h.t.Fatal(err)
		}
	}
	req := h.request(method, path, body)
	res := httptest.NewRecorder()
	h.http.ServeHTTP(res, req)
	if res.Body.Len() > 0 {
		if err := json.Unmarshal(res.Body.Bytes(), &out); err != nil {
			h.t.Fatalf("%s %s answered %s: %v", method, path, res.Body, err)
		}
	}
	// The header is written in its wire spelling.
	for name, v := range res.Header() {
		if strings.EqualFold(name, "x-amzn-ErrorType") {
			errorType = v[0]
		}
	}
	return res.Code, errorType, out
}

// must makes a request that has to succeed with the given status.
func (h *harness) must(status int, method, path string, in any) object {
	h.t.Helper()
	got, kind, out := h.call(method, path, in)
	if got != status {
		h.t.Fatalf("%s %s: status %d %s %v, want %d", method, path, got, kind, out, status)
	}
	return out
}

// fails makes a request that has to fail with the given error.
func (h *harness) fails(kind, message, method, path string, in any) {
	h.t.Helper()
	status, got, out := h.call(method, path, in)
	want := map[string]int{
		"BadRequestException": 400, "ValidationException": 400, "SerializationException": 400, "NotFoundException": 404, "ConflictException": 409,
		"LimitExceededException": 429, "AccessDeniedException": 403, "NotImplemented": 501,
	}[kind]
	if status != want || got != kind || out["message"] != message {
		h.t.Errorf("%s %s: %d %s %q,\nwant %d %s %q", method, path, status, got, out["message"], want, kind, message)
	}
}

// patch is the body of a PATCH; each op is "op path value", the value may be
// left out.
func patch(ops ...string) object {
	var list []object
	for _, o := range ops {
		part := strings.SplitN(o, " ", 3)
		op := object{"op": part[0], "path": part[1]}
		if len(part) == 3 {
			op["value"] = part[2]
		}
		list = append(list, op)
	}
	return object{"patchOperations": list}
}

// same compares an answer with JSON; a member "*" matches anything.
func (h *harness) same(what string, got object, want string) {
	h.t.Helper()
	var w object
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		h.t.Fatalf("%s: %v", want, err)
	}
	if diff := difference(got, w, ""); diff != "" {
		text, _ := json.MarshalIndent(got, "", "  ")
		h.t.Errorf("%s: %s\ngot %s", what, diff, text)
	}
}

func difference(got, want any, path string) string {
	if want == "*" && got != nil {
		return ""
	}
	g, gok := got.(map[string]any)
	w, wok := want.(map[string]any)
	if gok && wok {
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if _, ok := g[k]; !ok {
				return fmt.Sprintf("no %s.%s, want %v", path, k, w[k])
			}
			if d := difference(g[k], w[k], path+"."+k); d != "" {
				return d
			}
		}
		for _, k := range slices.Sorted(maps.Keys(g)) {
			if _, ok := w[k]; !ok {
				return fmt.Sprintf("unexpected %s.%s = %v", path, k, g[k])
			}
		}
		return ""
	}
	gs, gok := got.([]any)
	ws, wok := want.([]any)
	if gok && wok && len(gs) == len(ws) {
		for i := range ws {
			if d := difference(gs[i], ws[i], fmt.Sprintf("%s[%d]", path, i)); d != "" {
				return d
			}
		}
		return ""
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if !bytes.Equal(a, b) {
		return fmt.Sprintf("%s is %s, want %s", path, a, b)
	}
	return ""
}

// newAPI makes an API and returns its id and that of its root resource.
func (h *harness) newAPI() (id, root string) {
	h.t.Helper()
	api := h.must(201, "POST", "/restapis", object{"name": "test"})
	return api["id"].(string), api["rootResourceId"].(string)
}

// newMock makes an API whose root answers GET, and returns its id and the
// path of the method.
func (h *harness) newMock() (id, method string) {
	h.t.Helper()
	id, root := h.newAPI()
	method = "/restapis/" + id + "/resources/" + root + "/methods/GET"
	h.must(201, "PUT", method, object{"authorizationType": "NONE"})
	h.must(201, "PUT", method+"/integration", object{"type": "MOCK", "requestTemplates": object{"application/json": `{"statusCode": 200}`}})
	return id, method
}

func (h *harness) deploy(api string) (id string) {
	h.t.Helper()
	return h.must(201, "POST", "/restapis/"+api+"/deployments", object{})["id"].(string)
}
