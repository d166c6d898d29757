package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// API Gateway cuts what a line of the execution log says at 1,024 bytes, and
// marks that behind them (recorded).
const (
	maxLogLine = 1024
	truncated  = " [TRUNCATED]"
)

// executionLog collects the lines of one request. A nil one takes nothing and
// costs nothing: all of its methods may be called on nil.
type executionLog struct {
	x     *exchange
	info  bool // INFO: everything; otherwise errors alone
	trace bool // headers and bodies too

	events []LogEvent
}

// beginLog starts the log if the method's settings ask for one.
func (x *exchange) beginLog() {
	s := &x.m.settings
	if !s.logErrors {
		return
	}
	x.log = &executionLog{x: x, info: s.logInfo, trace: s.dataTrace}
	if s.logInfo {
		x.log.add("Extended Request Id: ", x.extendedID)
	}
}

// add appends one line.
func (l *executionLog) add(parts ...string) {
	line := strings.Join(parts, "")
	if len(line) > maxLogLine {
		line = strings.ToValidUTF8(line[:maxLogLine], "") + truncated
	}
	l.events = append(l.events, LogEvent{Time: l.x.gw.clock.Now(), Message: "(" + l.x.requestID + ") " + line})
}

// start tells of the request once its usage plan has let it through.
func (l *executionLog) start() {
	if l == nil || !l.info {
		return
	}
	x := l.x
	if !x.test {
		l.usageVerified(x)
	}
	l.add("Starting execution for request: ", x.requestID)
	l.add("HTTP Method: ", x.verb, ", Resource Path: ", x.target.proxyPath())
	if x.m.keyRequired && !x.test {
		l.add("API Key: ", maskSecret(x.key.value))
	}
	if !l.trace {
		return
	}
	params := make(fields, len(x.params))
	for i, p := range x.params {
		params[i] = field{p.Name, []string{p.Value}}
	}
	l.add("Method request path: ", params.inBuckets(javaCapacity).java())
	l.add("Method request query string: ", x.query().inBuckets(javaCapacity).java())
	l.add("Method request headers: ", x.headers().inBuckets(javaCapacity).java())
	l.add("Method request body before transformations: ", string(x.body))
}

// validated tells that the body conforms to the model for its content type.
func (l *executionLog) validated(contentType string) {
	if l != nil && l.info {
		l.add("Request validation succeeded for content type ", contentType)
	}
}

// endpointRequest tells what the integration is about to be called with.
func (l *executionLog) endpointRequest(x *exchange, payload []byte) {
	if l == nil || !l.info {
		return
	}
	url := x.endpointURL()
	l.add("Endpoint request URI: ", url)
	if l.trace {
		l.add("Endpoint request headers: ", x.endpointRequestHeaders(payload).inBuckets(sentCapacity).java())
		l.add("Endpoint request body after transformations: ", string(payload))
	}
	l.add("Sending request to ", url)
}

// endpointURL is the address that the integration calls.
func (x *exchange) endpointURL() string {
	if x.inbound.url != "" {
		return x.inbound.url
	}
	return x.m.function.url
}

// endpointRequestHeaders are the headers of the integration's request. Lambda's
// are those of Invoke, but for a signature: nothing here signs.
func (x *exchange) endpointRequestHeaders(payload []byte) fields {
	if x.outbound.sent != nil {
		return headerFields(x.outbound.sent)
	}
	fn := &x.m.function
	return append(x.invokeHeaders(fn, payload), x.outbound.header...)
}

// invokeHeaders are the headers with which a function is invoked (recorded):
// who says whom it calls as names no source.
func (x *exchange) invokeHeaders(fn *lambdaTarget, payload []byte) fields {
	host, _, _ := strings.Cut(strings.TrimPrefix(fn.url, "https://"), "/")
	sum := sha256.Sum256(payload)
	h := fields{
		{"X-Amz-Date", []string{x.started.Format("20060102T150405Z")}},
		{"x-amzn-apigateway-api-id", []string{x.st.apiID}},
		{"Accept", []string{applicationJSON}},
		{"User-Agent", []string{"AmazonAPIGateway_" + x.st.apiID}},
		{"Host", []string{host}},
		{"X-Amz-Content-Sha256", []string{hex.EncodeToString(sum[:])}},
		{"X-Amzn-Trace-Id", []string{x.trace.forRequest()}},
		{"x-amzn-lambda-integration-tag", []string{x.requestID}},
	}
	if fn.roleARN == "" && !fn.asSigner {
		h = append(h, field{"X-Amz-Source-Arn", []string{fn.sourceARN}})
	}
	return h
}

// endpointResponse tells what the integration answered.
func (l *executionLog) endpointResponse(x *exchange) {
	if l == nil || !l.info {
		return
	}
	l.add("Received response. Status: ", strconv.Itoa(x.inbound.status), ", Integration latency: ", milliseconds(x.inbound.latency), " ms")
	if l.trace {
		l.add("Endpoint response headers: ", x.endpointHeaders().java())
		l.add("Endpoint response body before transformations: ", string(x.inbound.body))
	}
}

// end tells how it came out; x.answer is complete.
func (l *executionLog) end(x *exchange) {
	switch {
	case l == nil, x.failed == nil && !l.info:
		return
	case x.failed != nil:
		for _, line := range x.failed.cause {
			l.add(line)
		}
	default:
		if l.trace {
			l.add("Method response body after transformations: ", string(x.answer.body))
			l.add("Method response headers: ", x.methodHeaders().inBuckets(javaCapacity).java())
		}
		l.add("Successfully completed execution")
	}
	status := strconv.Itoa(x.answer.status)
	if kind := x.customisedBy; kind != "" { // measured
		l.add("Gateway response type: ", kind, " with status code: ", status)
	} else {
		l.add("Method completed with status: ", status)
	}
	if !l.info || x.test {
		return
	}
	if x.m.kind.isAWS() && x.inbound.requestID != "" {
		l.add("AWS Integration Endpoint RequestId : ", x.inbound.requestID)
	}
	if x.st.xray { // whether other stages have the line isn't known
		l.add("X-ray Tracing ID : ", x.trace.forError())
	}
}

// methodHeaders are the answer's headers as far as the method makes them: all
// but those that every answer of the front door has.
func (x *exchange) methodHeaders() fields {
	h := maps.Clone(x.answer.header)
	if h == nil {
		h = http.Header{}
	}
	if one(h, "Content-Type") == "" && !x.m.kind.isProxy() { // the front door's for them (measured)
		setFold(h, "Content-Type", jsonType)
	}
	if trace := x.clientTrace(); trace != "" {
		setFold(h, "X-Amzn-Trace-Id", []string{trace})
	}
	return headerFields(h)
}

// headerFields lists headers by name.
func headerFields(h http.Header) fields {
	f := make(fields, 0, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		f = append(f, field{name, h[name]})
	}
	return f
}
