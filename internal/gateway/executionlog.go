package gateway

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// API Gateway cuts a line of the execution log at 1,024 bytes (developer
// guide, "Set up CloudWatch logging for REST APIs").
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
	var b strings.Builder
	b.WriteString("(" + l.x.requestID + ") ")
	for _, p := range parts {
		b.WriteString(p)
	}
	line := b.String()
	if len(line) > maxLogLine && !l.x.test {
		line = strings.ToValidUTF8(line[:maxLogLine-len(truncated)], "") + truncated
	}
	l.events = append(l.events, LogEvent{Time: l.x.gw.clock.Now(), Message: line})
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
	l.add("Method request path: ", params.java())
	l.add("Method request query string: ", x.query().java())
	l.add("Method request headers: ", x.headers().java())
	l.add("Method request body before transformations: ", string(x.body))
}

// endpointRequest tells what the integration is about to be called with.
func (l *executionLog) endpointRequest(x *exchange, payload []byte) {
	if l == nil || !l.info {
		return
	}
	url := x.endpointURL()
	l.add("Endpoint request URI: ", url)
	if l.trace {
		l.add("Endpoint request headers: ", x.endpointRequestHeaders().java())
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

// endpointRequestHeaders are the headers of the integration's request.
func (x *exchange) endpointRequestHeaders() fields {
	if x.outbound.sent != nil {
		return headerFields(x.outbound.sent)
	}
	fn := &x.m.function
	headers := fields{
		{"x-amzn-lambda-integration-tag", []string{x.requestID}},
		{"X-Amz-Date", []string{x.started.Format("20060102T150405Z")}},
		{"x-amzn-apigateway-api-id", []string{x.st.apiID}},
		{"Accept", []string{applicationJSON}},
		{"User-Agent", []string{"AmazonAPIGateway_" + x.st.apiID}},
		{"X-Amz-Source-Arn", []string{fn.sourceARN}},
		{"X-Amzn-Trace-Id", []string{x.trace.forFunction(fn.lineage)}},
	}
	return append(headers, x.outbound.header...)
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
	if l == nil {
		return
	}
	if x.failed != nil {
		for _, line := range x.failed.cause {
			l.add(line)
		}
		l.add("Method completed with status: ", strconv.Itoa(x.answer.status))
		return
	}
	if !l.info {
		return
	}
	if l.trace {
		l.add("Method response body after transformations: ", string(x.answer.body))
		l.add("Method response headers: ", x.methodHeaders().java())
	}
	l.add("Successfully completed execution")
	l.add("Method completed with status: ", strconv.Itoa(x.answer.status))
}

// methodHeaders are the answer's headers as far as the method makes them: all
// but those that every answer of the front door has.
func (x *exchange) methodHeaders() fields {
	h := maps.Clone(x.answer.header)
	if h == nil {
		h = http.Header{}
	}
	if one(h, "Content-Type") == "" {
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

// java prints fields as Java prints a map, secrets masked.
func (f fields) java() string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range f {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f[i].name + "=" + mask(f[i].name, strings.Join(f[i].values, ",")))
	}
	b.WriteByte('}')
	return b.String()
}

// mask hides all but the tail of credentials.
func mask(name, value string) string {
	switch strings.ToLower(name) {
	case "authorization", "x-api-key", "x-amz-security-token":
		return maskSecret(value)
	}
	return value
}
