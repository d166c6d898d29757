package gateway

import (
	"net/http"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/gateway/route"
	"github.com/butai-dev/butai/internal/gateway/vtl"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/google/uuid"
)

// exchange is one request on its way through a stage, and its answer. It
// belongs to one goroutine.
type exchange struct {
	gw     *Gateway
	r      *http.Request
	w      http.ResponseWriter // nil in a test of a method
	target Target
	st     *stage  // nil if there is no such stage
	m      *method // nil until routed

	started    time.Time
	begun      time.Time // with a monotonic reading, for latencies
	requestID  string
	extendedID string
	trace      trace

	verb        string
	params      []route.Param
	body        []byte
	header      fields // see headers
	queryString fields // see query
	queryRead   bool
	env         vtl.Env
	caller      authorization // what the authorize stop found out
	key         presentedKey

	outbound     outbound  // what the integration gets
	inbound      inbound   // what the integration answered
	answer       answer    // what the client gets
	own          [4]string // values of the headers that every answer has
	cached       cacheOutcome
	cacheKeyed   string   // what the answer is cached by
	warnsOfCache bool     // the client may not get past the cache, and is told
	failed       *failure // why the gateway answered itself, or nil
	customisedBy string   // the type of the gateway response that made that answer, or ""
	log          *executionLog
	record       *record // for `butai trace`; nil if this request leaves none
	test         bool    // nobody's request: see TestMethod
	streamed     bool    // the answer is sent already
	cutOff       bool    // and isn't whole
}

// outbound is the integration request.
type outbound struct {
	body []byte
	// header holds mapped headers only: a function gets no others.
	header fields
	query  fields // mapped parameters
	path   fields // what fills the {names} of the address
	// sent are the headers that an HTTP backend or an AWS service gets.
	sent http.Header
}

// inbound is the integration response.
type inbound struct {
	called  bool
	status  int
	body    []byte
	latency time.Duration
	// selector is what selection patterns are matched against.
	selector  string
	isError   bool // the function failed; body is its error JSON
	requestID string
	version   string // of the function, that was executed
	// header and url are those of an HTTP backend or an AWS service.
	header http.Header
	url    string
}

// answer is the method response.
type answer struct {
	status int
	header http.Header
	body   []byte
	size   int // of the body as sent
}

func newExchange(g *Gateway, r *http.Request, t Target) *exchange {
	now := g.clock.Now()
	x := &exchange{
		gw: g, r: r, target: t,
		started: now, begun: time.Now(),
		requestID:  one(r.Header, "X-Amzn-Requestid"),
		extendedID: ident.Base64(11),
		trace:      newTrace(one(r.Header, "X-Amzn-Trace-Id"), now),
		verb:       r.Method,
	}
	x.record = g.traces.begin()
	if uuid.Validate(x.requestID) != nil || len(x.requestID) != 36 {
		x.requestID = ident.UUID()
	}
	if verb := one(r.Header, "X-Http-Method-Override"); verb != "" {
		x.verb = strings.ToUpper(verb)
	}
	return x
}

// serve answers the request and writes its logs.
func (x *exchange) serve(w http.ResponseWriter) {
	x.w = w
	x.failed = x.run()
	if x.failed != nil {
		x.discardBody()
		x.answerFailure()
	}
	x.log.end(x)
	x.leaveRecord()
	x.measure()
	if !x.streamed {
		if err := x.compress(); err != nil {
			x.gw.log.Error("compressing an answer failed", "request", x.requestID, "err", err)
		}
		x.write(w)
	}
	x.flushLogs(w)
	if x.cutOff {
		panic(http.ErrAbortHandler)
	}
}

// run is the road of a request through the gateway, in API Gateway's own
// order. The first stop that fails ends it.
func (x *exchange) run() *failure {
	if fail := x.findStage(); fail != nil {
		return fail
	}
	if fail := x.route(); fail != nil {
		return fail
	}
	x.beginLog()
	if fail := x.readBody(); fail != nil {
		return fail
	}
	if fail := x.authorize(); fail != nil {
		return fail
	}
	if fail := x.decompress(); fail != nil {
		return fail
	}
	if fail := x.checkUsage(); fail != nil {
		return fail
	}
	x.log.start()
	return x.execute()
}

// execute is the road behind the front door, which tests of a method take too.
func (x *exchange) execute() *failure {
	if fail := x.m.problem; fail != nil {
		return fail
	}
	if fail := x.recall(); fail != nil || x.cached == cacheHit {
		return fail
	}
	if fail := x.validate(); fail != nil {
		return fail
	}
	if fail := x.mapRequest(); fail != nil {
		return fail
	}
	if fail := x.integrate(); fail != nil {
		return fail
	}
	if fail := x.mapResponse(); fail != nil {
		return fail
	}
	x.remember()
	return nil
}

// findStage stops requests for stages that do not exist, or not at this host.
func (x *exchange) findStage() *failure {
	x.at("stage")
	if x.target.RoutingRule != "" {
		x.note("routing rule", x.target.RoutingRule)
	}
	if fail := x.checkHeaderBlock(); fail != nil {
		return fail
	}
	st := x.st
	switch {
	case st == nil:
		return forbidden()
	case x.target.Region != "" && x.target.Region != st.region:
		return forbidden()
	}
	st = st.draw()
	if x.st = st; st.hostClosed && !x.target.Custom {
		return forbidden()
	}
	return st.problem
}

// route finds the method. Unknown paths and unknown verbs are one and the
// same to API Gateway.
func (x *exchange) route() *failure {
	x.at("route")
	m, params, ok := x.st.router.Match(x.verb, x.target.Path, nil)
	if !ok {
		return x.nowhere()
	}
	x.m, x.params = m, params
	if x.traced() {
		x.note("matched", m.verb+" "+m.resourcePath)
	}
	return x.checkARN()
}

// integrate calls what is behind the method.
func (x *exchange) integrate() *failure {
	x.at("integrate")
	switch x.m.kind {
	case typeMock:
		return x.callMock()
	case typeAWS:
		if x.m.service != nil {
			return x.callService()
		}
		return x.callFunction()
	case typeHTTP, typeHTTPProxy:
		return x.callHTTP()
	}
	return x.callProxy()
}
