// Package gateway is API Gateway's data plane: it serves the frozen
// deployments that package apigateway publishes to it. A request is answered
// from an immutable, compiled stage alone; it never reads the store.
package gateway

import (
	"context"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/wire"
)

// Deployment is a frozen copy of an API's configuration. Edits of the API
// reach no stage until a new Deployment is made. It is immutable.
type Deployment struct {
	ID                string
	Created           time.Time
	API               apigatewayapi.RestApi
	Resources         []apigatewayapi.Resource // whole tree, methods and integrations included
	Authorizers       []apigatewayapi.Authorizer
	Models            []apigatewayapi.Model
	RequestValidators []apigatewayapi.RequestValidator
	GatewayResponses  []apigatewayapi.GatewayResponse
}

// Stage joins a deployment with the attributes that act at once: variables,
// method settings, access log settings. It is immutable.
type Stage struct {
	Account, Region string
	APIID           string
	Stage           *apigatewayapi.Stage
	Deployment      *Deployment
	Canary          *Deployment // of the stage's canary settings; nil without them
	// CloudWatchRole is the account's role for execution logs, or "".
	CloudWatchRole string
	// VPCLinks are the account's in the region, by id.
	VPCLinks map[string]apigatewayapi.VpcLink
	// ClientCertificate is what HTTP backends are shown; nil for none.
	ClientCertificate *ClientCertificate
}

// ClientCertificate is the certificate that tells HTTP backends that a stage
// calls them.
type ClientCertificate struct {
	ID                 string
	Certificate, PKCS8 string // PEM
}

// DomainName is a custom domain and what leads from it to stages.
type DomainName struct {
	Account, Region string
	Name            string // the Host that requests carry
	Mappings        []apigatewayapi.BasePathMapping
	RoutingRules    []apigatewayv2api.RoutingRule
	RoutingMode     string // which of the two count, as on the DomainName; "" for the mappings
	Certificate     string // ARN of the certificate that its TLS listener shows
	SecurityPolicy  string // says which versions of TLS are spoken
	Strict          bool   // the endpoint access mode is STRICT
	// Private is set if the domain is reached through VPC endpoints alone.
	Private *PrivateDomain
	// Truststore are the authorities, in PEM, whose client certificates the
	// domain asks for; "" if it asks for none.
	Truststore string
}

// PrivateDomain is what only private custom domains have.
type PrivateDomain struct {
	ARN    string // of execute-api, as policies name the domain
	Policy string // "" lets nobody in
	// VPCEndpoints are those that are associated with the domain. There are no
	// VPCs here: callers come through the first one.
	VPCEndpoints []string
}

// FunctionCall is an invocation of a Lambda function by the gateway.
type FunctionCall struct {
	FunctionARN   string // with the qualifier the integration names, if any
	SourceARN     string // arn:aws:execute-api:region:account:api/stage/METHOD/path
	SourceAccount string
	RoleARN       string // of the integration's credentials; "" calls as apigateway.amazonaws.com
	// Caller is whoever signed the client's request, to call as instead; nil
	// if the integration doesn't forward their identity.
	Caller  *wire.Caller
	Payload []byte
	Async   bool // X-Amz-Invocation-Type: Event
	TraceID string
	// Deadline is how long the gateway waits: after it InvokeFunction fails
	// with context.DeadlineExceeded. The function goes on, as on AWS.
	Deadline time.Time
	// Stream takes the answer as it comes; nil to have it in the result. A
	// function that doesn't stream answers with the result in any case.
	Stream AnswerStream
}

// AnswerStream takes a function's answer piece by piece. It is called by one
// goroutine at a time, and not after InvokeFunction has returned.
type AnswerStream interface {
	// Begin tells the answer's media type; it comes before the first Write.
	Begin(mediaType string)
	Write(p []byte) (int, error)
}

// FunctionResult is Lambda's answer to a FunctionCall.
type FunctionResult struct {
	Status          int // 200, or 202 for asynchronous calls
	RequestID       string
	Payload         []byte
	FunctionError   string // "" or "Unhandled"
	ExecutedVersion string
}

// FunctionError says that Lambda refused a FunctionCall: no permission on
// that alias, no such function, throttled.
type FunctionError struct {
	Status    int
	Code      string // such as AccessDeniedException
	Message   string
	RequestID string
}

func (e *FunctionError) Error() string { return e.Code + ": " + e.Message }

// Functions calls Lambda functions. Refusals are *FunctionError. When ctx ends,
// at the integration's timeout, InvokeFunction returns its error at once,
// while the function runs on, as on AWS. The result's payload is the
// gateway's afterwards, the call's payload stays the callee's.
type Functions interface {
	InvokeFunction(ctx context.Context, call *FunctionCall) (*FunctionResult, error)
}
