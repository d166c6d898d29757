package gateway

import (
	"net/http"
	"strconv"
	"strings"
)

// jsonType is the Content-Type of answers that set none; nobody changes it.
var jsonType = []string{applicationJSON}

// keepAlive is the Connection of every answer over HTTP/1 (recorded); net/http
// makes it "close" where the client asked for that. Nobody changes it.
var keepAlive = []string{"keep-alive"}

// answerFailure makes the answer that the gateway gives by itself.
func (x *exchange) answerFailure() {
	f := x.failed
	x.answer = answer{status: f.status, header: make(http.Header, 8), body: f.body()}
	x.answer.header["x-amzn-ErrorType"] = []string{f.errorType}
	if !f.front && !f.noTrace {
		x.answer.header["X-Amzn-Trace-Id"] = []string{x.trace.forError()}
	}
	if f.plain {
		x.answer.header["Content-Type"] = []string{"text/plain"}
	}
	if kind, g := x.st.customised(f); g != nil {
		x.customisedBy = kind
		x.answerCustomised(g)
	}
}

// write sends the answer with the headers that every answer has. HTTP/1.1
// clients see the names in this spelling.
func (x *exchange) write(w http.ResponseWriter) {
	header := w.Header()
	x.writeOwnHeaders(header)
	x.answer.size = len(x.answer.body)
	if x.answer.status < http.StatusOK {
		// Informational answers do not end an exchange; net/http would follow
		// up with a 200.
		x.answer.status, x.answer.body = http.StatusInternalServerError, nil
	}
	bodyless := x.answer.status == http.StatusNoContent || x.answer.status == http.StatusNotModified
	if !bodyless {
		x.own[3] = strconv.Itoa(len(x.answer.body))
		header["Content-Length"] = x.own[3:4:4]
	}
	w.WriteHeader(x.answer.status)
	if !bodyless && x.r.Method != http.MethodHead {
		_, _ = w.Write(x.answer.body) // a client that has gone away needs no answer
	}
}

// writeOwnHeaders puts the answer's headers, and those that every answer has,
// into header.
func (x *exchange) writeOwnHeaders(header http.Header) {
	hasType := false
	for name, values := range x.answer.header {
		if strings.EqualFold(name, "Content-Type") {
			// In any other spelling net/http would miss it, and add one that it
			// guesses: functions behind ASGI or Node.js adapters write lower case.
			name, hasType = "Content-Type", true
		}
		header[name] = values
	}
	if !hasType {
		header["Content-Type"] = jsonType
	}
	if x.r.ProtoMajor < 2 {
		header["Connection"] = keepAlive
	}
	// One array for the values instead of an allocation each.
	x.own = [4]string{x.requestID, x.extendedID}
	header["x-amzn-RequestId"] = x.own[0:1:1]
	header["x-amz-apigw-id"] = x.own[1:2:2]
	if x.failed == nil {
		if x.own[2] = x.clientTrace(); x.own[2] != "" {
			header["X-Amzn-Trace-Id"] = x.own[2:3:3]
		}
	}
}

// clientTrace is the trace id that the client of a call that succeeded sees;
// "" where answers have none of the gateway's own (recorded).
func (x *exchange) clientTrace() string {
	switch x.m.kind {
	case typeMock, typeHTTPProxy:
		return ""
	case typeHTTP:
		return x.trace.forRequest()
	}
	if x.m.service != nil {
		return x.trace.forRequest()
	}
	return x.trace.forFunction(x.m.function.lineage)
}

// setFold sets a header and drops it in other spellings.
func setFold(h http.Header, name string, values []string) {
	for key := range h {
		if key != name && strings.EqualFold(key, name) {
			delete(h, key)
		}
	}
	h[name] = values
}
