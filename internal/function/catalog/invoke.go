package catalog

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/xray"
)

// Call is an invocation of a function.
type Call struct {
	FunctionARN string // qualified or not; handlers see it as it is

	// Principal is the service that calls for itself, such as
	// apigateway.amazonaws.com: the policy of exactly the called qualifier
	// must allow it. "" means that the caller has been authorized already.
	Principal     string
	SourceARN     string // aws:SourceArn of a service's call, or ""
	SourceAccount string // aws:SourceAccount of a service's call, or ""

	Payload       []byte                  // JSON; empty means {}
	KnownJSON     bool                    // Payload was made by butai: it isn't checked again
	ClientContext []byte                  // decoded JSON, or nil
	Tail          bool                    // ask for the end of the log
	Stream        function.ResponseStream // takes a streamed response; nil to have it collected
	Deadline      time.Time               // how long the caller waits; zero if for as long as the context lasts
	RequestID     string                  // "" makes one
	TraceID       string
}

// Outcome is the result of a call that reached its function.
type Outcome struct {
	function.Result
	RequestID       string
	ExecutedVersion string // "$LATEST" or a number
}

// Refusal says that Lambda did not pass a call on.
type Refusal struct {
	Status    int
	Code      string // such as ResourceNotFoundException
	Message   string
	Reason    string // of a throttled call, else ""
	RequestID string
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// Invoke runs a call to its end. The error is a *Refusal, or an internal
// failure.
func (c *Catalog) Invoke(ctx context.Context, call *Call) (*Outcome, error) {
	if call.RequestID == "" {
		withID := *call
		withID.RequestID = ident.UUID()
		call = &withID
	}
	target, err := c.Admit(call)
	if err != nil {
		return nil, err
	}
	if refusal := target.goesRound(call); refusal != nil {
		return nil, refusal
	}
	spec := target.Pick()
	if refusal := target.notReady(spec.Version, call); refusal != nil {
		return nil, refusal
	}
	trace := call.TraceID
	if spec.TracingMode == function.TracingActive {
		trace = xray.Sample(trace)
	}
	res, err := c.engine.Invoke(ctx, spec, &function.Request{
		RequestID: call.RequestID, InvokedARN: call.FunctionARN, Payload: call.Payload,
		ClientContext: call.ClientContext, TraceID: trace, Tail: call.Tail, Deadline: call.Deadline, Stream: call.Stream,
	})
	if err != nil {
		var throttled *function.ThrottledError
		if errors.As(err, &throttled) {
			return nil, &Refusal{Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: "Rate Exceeded.",
				Reason: throttled.Reason, RequestID: call.RequestID}
		}
		var restore *function.RestoreError
		if errors.As(err, &restore) {
			return nil, restoreRefusal(restore, call)
		}
		var variables *function.VariablesError
		if errors.As(err, &variables) {
			return nil, &Refusal{Status: http.StatusBadGateway, Code: variables.Code, Message: variables.Message, RequestID: call.RequestID}
		}
		return nil, fmt.Errorf("invoke %s: %w", call.FunctionARN, err)
	}
	return &Outcome{Result: *res, RequestID: call.RequestID, ExecutedVersion: spec.Version}, nil
}

// Admit does all of Invoke but the run: it finds the target, decides whether
// the caller may, and checks the payload. The error is a *Refusal.
func (c *Catalog) Admit(call *Call) (*Target, error) {
	target := c.Resolve(call.FunctionARN)
	if call.Principal != "" {
		if refusal := authorize(target, call); refusal != nil {
			return nil, refusal
		}
	}
	if target == nil {
		return nil, notFound(call)
	}
	if version := target.Version(); version != "" {
		if refusal := target.notReady(version, call); refusal != nil {
			return nil, refusal
		}
	}
	if !call.KnownJSON && len(call.Payload) > 0 && !jsontext.Value(call.Payload).IsValid(permissive...) {
		if fault := jsonFault(call.Payload); fault != "" {
			return nil, &Refusal{Status: http.StatusBadRequest, Code: "InvalidRequestContentException", RequestID: call.RequestID,
				Message: "Could not parse request body into json: Could not parse payload into json: " + fault}
		}
	}
	return target, nil
}

// notReady refuses calls of versions whose snapshot isn't there. The texts are
// those of the model's documentation, and of functions in such states.
func (t *Target) notReady(version string, call *Call) *Refusal {
	switch state := t.states[version]; state {
	case "":
		return nil
	case "Pending":
		return &Refusal{Status: http.StatusConflict, Code: "SnapStartNotReadyException", RequestID: call.RequestID,
			Message: "Lambda is initializing your function. You can invoke the function when the function state becomes Active."}
	default:
		return &Refusal{Status: http.StatusConflict, Code: "ResourceConflictException", RequestID: call.RequestID,
			Message: "The operation cannot be performed at this time. The function is currently in the following state: " + state}
	}
}

func restoreRefusal(e *function.RestoreError, call *Call) *Refusal {
	if e.TimedOut {
		return &Refusal{Status: http.StatusRequestTimeout, Code: "SnapStartTimeoutException", RequestID: call.RequestID,
			Message: "Lambda couldn't restore the snapshot within the timeout limit."}
	}
	return &Refusal{Status: http.StatusBadRequest, Code: "SnapStartException", RequestID: call.RequestID,
		Message: "The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs."}
}

// notFound names the version that was looked for: Invoke is alone in saying
// $LATEST when the caller said nothing.
func notFound(call *Call) *Refusal {
	full := call.FunctionARN
	if base, qualifier := Split(full); qualifier == "" {
		full = base + ":" + Latest
	}
	return &Refusal{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: "Function not found: " + full, RequestID: call.RequestID}
}

const invokeAction = "lambda:InvokeFunction"

// authorize decides whether the policy of the target's qualifier lets the
// calling service in (Lambda Developer Guide: "Working with resource-based
// IAM policies in Lambda"). A missing function has no policy, so services
// learn nothing about which functions exist.
func authorize(target *Target, call *Call) *Refusal {
	if target != nil && target.allowed.knows(call) {
		return nil
	}
	resource := call.FunctionARN
	if base, qualifier := Split(resource); qualifier == Latest {
		resource = base
	}
	req := policy.Request{
		Principal: policy.Principal{Kind: policy.Service, Name: call.Principal},
		Action:    invokeAction, Resource: resource,
		Context: policy.Context{},
	}
	if call.SourceARN != "" {
		req.Context["aws:sourcearn"] = []string{call.SourceARN}
	}
	if call.SourceAccount != "" {
		req.Context["aws:sourceaccount"] = []string{call.SourceAccount}
	}
	if target != nil {
		req.ResourceAccount, req.ResourcePolicy = target.account, target.policy
	}
	decision := policy.Evaluate(&req)
	if decision.Allowed {
		if target != nil {
			target.allowed.learn(call)
		}
		return nil
	}
	return &Refusal{Status: http.StatusForbidden, Code: "AccessDeniedException", Message: decision.Message(&req), RequestID: call.RequestID}
}
