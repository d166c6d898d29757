package catalog

import (
	"net/http"

	"github.com/butai-dev/butai/internal/xray"
)

// Recursive is the code of calls that are refused because they go round in a
// circle.
const Recursive = "RecursiveInvocationException"

// maxLoops is how often a function is called in one chain of requests (Lambda
// Developer Guide, "Use Lambda recursive loop detection to prevent infinite
// loops": approximately 16 times).
const maxLoops = 16

// goesRound refuses a call that goes round in a circle. The text is the
// model's.
func (t *Target) goesRound(call *Call) *Refusal {
	if t.loops || xray.Loops(call.TraceID, call.FunctionARN) < maxLoops {
		return nil
	}
	return &Refusal{Status: http.StatusBadRequest, Code: Recursive, RequestID: call.RequestID,
		Message: "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources and stopped your function's invocation."}
}
