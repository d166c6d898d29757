package gateway

import "net/http"

// Quotas of requests (developer guide, "Quotas for configuring and running a
// REST API"); none can be raised.
const (
	maxHeaderBlock = 10_240 // bytes of the request line and the headers
	maxMethodARN   = 1_600  // bytes of the ARN of a call that is authorized
)

// checkHeaderBlock stops requests whose headers are too large. Clients were
// seen to get this sentence alone, without JSON around it; its status is the
// one of payloads that are too large.
func (x *exchange) checkHeaderBlock() *failure {
	size := len(x.r.Method) + len(x.r.RequestURI) + len(x.r.Proto) + len("  \r\n") + len("Host: \r\n") + len(x.r.Host)
	for name, values := range x.r.Header {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	if size <= maxHeaderBlock {
		return nil
	}
	fail := requestTooLarge()
	fail.message, fail.plain = "HTTP header is larger than 10240 bytes.", true
	return fail
}

// checkARN stops calls whose path makes the ARN that is authorized too long.
func (x *exchange) checkARN() *failure {
	length := len(x.st.ownerPrefix) + len(x.st.apiID) + len(x.st.arnStage) + len(x.verb) + len("//") + len(x.target.Path)
	if x.m.access.kind == authNone || length <= maxMethodARN {
		return nil
	}
	return &failure{status: http.StatusRequestURITooLong, errorType: "RequestURITooLongException", message: "Request URI too long", front: true}
}
