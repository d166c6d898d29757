package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// emptyObject is a function's event where nothing was sent. Nobody changes it.
var emptyObject = []byte("{}")

// callFunction is the AWS integration with Lambda: the mapped request is the
// event, and the function's error message selects the response.
func (x *exchange) callFunction() *failure {
	if !x.m.function.post {
		return configurationError("Invalid integration HTTP method: Lambda functions are invoked with POST")
	}
	async := false
	switch kind := x.invocationType(); kind {
	case "", "RequestResponse":
	case "Event":
		async = true
	default:
		return notBuilt("invocation type " + kind)
	}
	if fail := x.invoke(x.outbound.body, async); fail != nil {
		return fail
	}
	if x.inbound.isError {
		x.inbound.selector = errorMessage(x.inbound.body)
	}
	return nil
}

// errorMessage takes errorMessage out of a function's error JSON; "" if there
// is none.
func errorMessage(payload []byte) string {
	text, _ := value.Member(payload, "errorMessage").(string)
	return text
}

// invoke calls the method's function and fills x.inbound. The function goes
// on when the client leaves, and after the integration's timeout, as on AWS.
func (x *exchange) invoke(payload []byte, async bool) *failure {
	return x.call(context.WithoutCancel(x.r.Context()), payload, async, nil)
}

// call is invoke for as long as ctx lives, of a function that may stream.
func (x *exchange) call(ctx context.Context, payload []byte, async bool, stream AnswerStream) *failure {
	fn := &x.m.function
	x.log.endpointRequest(x, payload)
	x.noteSent(payload)
	if len(payload) == 0 { // Lambda takes no payload for an empty object
		payload = emptyObject
	}
	begun := time.Now()
	res, err := x.gw.functions.InvokeFunction(ctx, &FunctionCall{
		FunctionARN: fn.arn, SourceARN: fn.sourceARN, SourceAccount: x.st.account, RoleARN: fn.roleARN, Caller: x.forwarded(fn.asSigner),
		Payload: payload, Async: async, TraceID: x.trace.forFunction(fn.lineage), Deadline: begun.Add(x.m.timeout), Stream: stream,
	})
	x.inbound.called, x.inbound.latency = true, time.Since(begun)
	if err != nil {
		return x.refusal(err)
	}
	x.inbound.status = res.Status
	x.inbound.body = res.Payload
	x.inbound.isError = res.FunctionError != ""
	x.inbound.requestID, x.inbound.version = res.RequestID, res.ExecutedVersion
	x.log.endpointResponse(x)
	return nil
}

// endpointHeaders are the headers of the integration's answer, for mappings
// and the execution log: a backend's, those of Lambda's Invoke (recorded, with
// their order), none of a mock.
func (x *exchange) endpointHeaders() fields {
	if x.m.kind == typeMock {
		return nil
	}
	if x.inbound.header != nil {
		return headerFields(x.inbound.header)
	}
	h := fields{
		{"Date", []string{x.gw.clock.Now().UTC().Format(http.TimeFormat)}},
		{"Content-Type", []string{applicationJSON}},
		{"Content-Length", []string{strconv.Itoa(len(x.inbound.body))}},
		{"Connection", keepAlive},
		{"x-amzn-RequestId", []string{x.inbound.requestID}},
	}
	if x.inbound.isError {
		h = append(h, field{"X-Amz-Function-Error", []string{"Unhandled"}})
	}
	return append(h,
		field{"x-amzn-Remapped-Content-Length", []string{"0"}},
		field{"X-Amz-Executed-Version", []string{x.inbound.version}},
		field{"X-Amzn-Trace-Id", []string{x.trace.forFunction(x.m.function.lineage)}})
}

// refusal turns Lambda's error into the client's. Why it happened is for the
// execution log alone.
func (x *exchange) refusal(err error) *failure {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return integrationTimeout()
	}
	var refused *FunctionError
	if !errors.As(err, &refused) {
		x.gw.log.Error("invoking a function for API Gateway failed", "function", x.m.function.arn,
			"request", x.requestID, "err", err)
		refused = &FunctionError{Status: http.StatusInternalServerError, Code: "ServiceException", Message: "internal error"}
	}
	x.inbound.status, x.inbound.requestID = refused.Status, refused.RequestID
	status := strconv.Itoa(refused.Status)
	switch {
	case refused.Status == http.StatusForbidden, refused.Status == http.StatusNotFound:
		return configurationError("Invalid permissions on Lambda function")
	case refused.Status == http.StatusTooManyRequests:
		fail := configurationError("Rate Exceeded.")
		fail.cause = append([]string{"Lambda invocation failed with status: 429. Lambda request id: " + refused.RequestID}, fail.cause...)
		return fail
	case refused.Status == http.StatusBadRequest && x.m.kind == typeAWS: // the mapped request is no JSON, as Lambda itself says
		return badRequestBody(refused.Message).because("Lambda invocation failed with status: 400. Lambda request id: " + refused.RequestID)
	}
	fail := configurationError(refused.Message)
	fail.cause = append([]string{"Lambda invocation failed with status: " + status + ". Lambda request id: " + refused.RequestID}, fail.cause...)
	return fail
}
