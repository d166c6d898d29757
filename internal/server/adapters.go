package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/butai-dev/butai/internal/apigateway"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/iam"
	"github.com/butai-dev/butai/internal/lambda"
	"github.com/butai-dev/butai/internal/logs"
	"github.com/butai-dev/butai/internal/s3"
	"github.com/butai-dev/butai/internal/wire"
)

// The rooms don't know each other; what one needs of another is adapted here.

const (
	gatewayPrincipal = "apigateway.amazonaws.com"
	lambdaPrincipal  = "lambda.amazonaws.com"
)

// gatewayFunctions lets the gateway call functions.
type gatewayFunctions struct {
	lambda *lambda.Service
	iam    *iam.Service
}

var _ gateway.Functions = (*gatewayFunctions)(nil)

// InvokeFunction calls as the service, which the function's policy must
// allow, or as the integration's role or the client, whose policies must.
func (g *gatewayFunctions) InvokeFunction(ctx context.Context, in *gateway.FunctionCall) (*gateway.FunctionResult, error) {
	call := &catalog.Call{
		FunctionARN: in.FunctionARN, Principal: gatewayPrincipal, SourceARN: in.SourceARN, SourceAccount: in.SourceAccount,
		Payload: in.Payload, TraceID: in.TraceID, Deadline: in.Deadline, Stream: in.Stream,
	}
	if in.RoleARN != "" {
		call.Principal = ""
		target := wire.IAMTarget{Action: "lambda:InvokeFunction", Resource: in.FunctionARN}
		if denial := g.iam.RoleMay(in.RoleARN, gatewayPrincipal, target); denial != "" {
			return nil, &gateway.FunctionError{Status: http.StatusForbidden, Code: "AccessDeniedException", Message: denial}
		}
	}
	if in.Caller != nil {
		call.Principal = ""
		if denial := g.iam.Authorize(ctx, in.Caller, wire.IAMTarget{Action: "lambda:InvokeFunction", Resource: in.FunctionARN}); denial != "" {
			return nil, &gateway.FunctionError{Status: http.StatusForbidden, Code: "AccessDeniedException", Message: denial}
		}
	}
	out, err := g.lambda.Call(ctx, call, in.Async)
	if err != nil {
		var refusal *catalog.Refusal
		if errors.As(err, &refusal) {
			return nil, &gateway.FunctionError{Status: refusal.Status, Code: refusal.Code, Message: refusal.Message, RequestID: refusal.RequestID}
		}
		return nil, err
	}
	status := http.StatusOK
	if in.Async {
		status = http.StatusAccepted
	}
	return &gateway.FunctionResult{
		Status: status, RequestID: out.RequestID, Payload: out.Payload, FunctionError: out.FunctionError, ExecutedVersion: out.ExecutedVersion,
	}, nil
}

// functionRoles issues the keys that functions run with.
type functionRoles struct{ iam *iam.Service }

var _ function.RoleAssumer = functionRoles{}

// roleSession is how long a function's keys are good for; the engine renews
// them before.
const roleSession = time.Hour

// AssumeForFunction assumes the function's role as Lambda does: the session
// has the function's name.
func (f functionRoles) AssumeForFunction(ctx context.Context, spec *function.Spec) (function.Credentials, error) {
	s, kept, err := f.iam.AssumeRoleAhead(ctx, &iam.Assumption{RoleARN: spec.RoleARN, Name: spec.Name, Duration: roleSession, Service: lambdaPrincipal})
	if err != nil {
		return function.Credentials{}, err
	}
	return function.Credentials{
		AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken, Expiration: s.Expiration, Kept: kept,
	}, nil
}

// gatewayLogs writes the gateway's logs to CloudWatch Logs.
type gatewayLogs struct{ logs *logs.Service }

var _ gateway.LogSink = gatewayLogs{}

// Put implements gateway.LogSink.
func (g gatewayLogs) Put(account, region, group, stream string, events []gateway.LogEvent) {
	out := make([]function.LogEvent, len(events))
	for i, e := range events {
		out[i] = function.LogEvent{Time: e.Time, Message: e.Message}
	}
	g.logs.Put(account, region, group, stream, out)
}

// objects lets Lambda read the code, and API Gateway the truststores, that
// they are pointed at.
type objects struct{ s3 *s3.Service }

var (
	_ lambda.Objects     = objects{}
	_ apigateway.Objects = objects{}
)

// GetObject implements both Objects.
func (o objects) GetObject(ctx context.Context, account, bucket, key, version string) ([]byte, error) {
	return o.s3.ReadObject(ctx, account, bucket, key, version)
}

// logsPrincipal is the service that calls functions subscribed to log groups.
const logsPrincipal = "logs.amazonaws.com"

// subscribedFunctions lets CloudWatch Logs call functions.
type subscribedFunctions struct{ lambda *lambda.Service }

var _ logs.Functions = subscribedFunctions{}

func (f subscribedFunctions) call(functionARN, groupARN, account string) *catalog.Call {
	return &catalog.Call{FunctionARN: functionARN, Principal: logsPrincipal, SourceARN: groupARN, SourceAccount: account}
}

// MayDeliver implements logs.Functions.
func (f subscribedFunctions) MayDeliver(functionARN, groupARN, account string) bool {
	_, err := f.lambda.Catalog.Admit(f.call(functionARN, groupARN, account))
	return err == nil
}

// Deliver implements logs.Functions.
func (f subscribedFunctions) Deliver(ctx context.Context, functionARN, groupARN, account string, payload []byte) error {
	call := f.call(functionARN, groupARN, account)
	call.Payload, call.KnownJSON = payload, true
	_, err := f.lambda.Call(ctx, call, true)
	return err
}
