package gateway

import (
	"net/http"
	"strconv"
	"strings"
)

// answerFailure makes the answer that the gateway gives by itself.
func (x *exchange) answerFailure() {
	f := x.failed
	x.answer = answer{status: f.status, header: make(http.Header, 8), body: f.body()}
	x.answer.header["x-amzn-ErrorType"] = []string{f.errorType}
	if !f.front && !f.noTrace {
		x.answer.header["X-Amzn-Trace-Id"] = []string{x.trace.forError()}
	}
	if f.closes {
		x.answer.header["Connection"] = []string{"close"}
	}
}

// write sends the answer with the headers that every answer has. HTTP/1.1
// clients see the names in this spelling.
func (x *exchange) write(w http.ResponseWriter) {
	header := w.Header()
	hasType := false
	for name, values := range x.answer.header {
		header[name] = values
		hasType = hasType || strings.EqualFold(name, "Content-Type")
	}
	if !hasType {
		header["Content-Type"] = []string{applicationJSON}
	}
	header["x-amzn-RequestId"] = []string{x.requestID}
	header["x-amz-apigw-id"] = []string{x.extendedID}
	if x.failed == nil && x.m.kind != typeMock {
		header["X-Amzn-Trace-Id"] = []string{x.trace.forFunction(x.m.function.lineage)}
	}
	x.answer.size = len(x.answer.body)
	if x.answer.status < http.StatusOK {
		// Informational answers do not end an exchange; net/http would follow
		// up with a 200.
		x.answer.status, x.answer.body = http.StatusInternalServerError, nil
	}
	bodyless := x.answer.status == http.StatusNoContent || x.answer.status == http.StatusNotModified
	if !bodyless {
		header["Content-Length"] = []string{strconv.Itoa(len(x.answer.body))}
	}
	w.WriteHeader(x.answer.status)
	if !bodyless && x.r.Method != http.MethodHead {
		_, _ = w.Write(x.answer.body) // a client that has gone away needs no answer
	}
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
