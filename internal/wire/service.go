package wire

import (
	"context"

	"github.com/butai-dev/butai/internal/arn"
)

// ServiceModel is the operation table of one AWS API.
type ServiceModel struct {
	Name         string // butai's name of the service, such as "apigateway"
	ID           string // AWS's service id, such as "API Gateway"
	Version      string // API version date
	Protocol     string // rest-json, json, query or rest-xml
	Endpoint     string // first label of the service's host name
	SigningName  string // service part of the credential scope
	TargetPrefix string
	JSONVersion  string
	XMLNamespace string
	Schema       *Schema
	Operations   []Operation
}

// Operation returns the operation of the given name, or nil.
func (m *ServiceModel) Operation(name string) *Operation {
	for i := range m.Operations {
		if m.Operations[i].Name == name {
			return &m.Operations[i]
		}
	}
	return nil
}

// QueryLiteral is a query parameter that is part of an operation's address.
type QueryLiteral struct {
	Key, Value string
}

// Operation is one call of an API.
type Operation struct {
	Name           string
	Method, Path   string // HTTP method and URI template
	Query          []QueryLiteral
	Status         int // of a successful answer
	Input, Output  ShapeID
	InputRoot      string // root element of an XML body
	InputNamespace string
	Wrapper        string // result element of the query protocol
	Errors         []ShapeID

	// NewInput returns a pointer to a new input structure; nil if the
	// operation has no input.
	NewInput func() any
	// Built reports whether svc implements the operation.
	Built func(svc any) bool
	// Call runs the operation on a svc for which Built is true.
	Call func(ctx context.Context, svc, in any) (any, error)
}

// Unshaped is the Built of an operation whose shapes the generated model leaves
// out: no service can have it.
func Unshaped(any) bool { return false }

// Refusal names a parameter that butai can't honour yet. A request that sets
// it is answered with a NotImplemented error instead of having it dropped.
type Refusal struct {
	Operation string // "" means every operation whose input has the member
	Member    string // dotted path of model member names, such as "VpcConfig" or "Code.ImageUri"
	Reason    string // half a sentence for the person who sent it
}

// Refuser is implemented by a service that refuses parameters.
type Refuser interface {
	Refused() []Refusal
}

// Explainer is implemented by a service that has a reason for not building
// operations of its model.
type Explainer interface {
	// WhyNot says why an operation isn't built, for the person who called it;
	// "" if there is nothing to add.
	WhyNot(op *Operation) string
}

// IAMNamer is implemented by a service whose IAM actions or resources are not
// simply prefix:Operation on "*".
type IAMNamer interface {
	// IAMTargets returns what must be allowed for the call: usually one
	// pair, several for calls that touch several resources. An empty result
	// means that the call needs no permission (such as GetCallerIdentity).
	IAMTargets(ctx context.Context, op *Operation, in any) []IAMTarget
}

// IAMTarget is one action on one resource that a caller must be allowed.
type IAMTarget struct {
	Action   string              // such as "dynamodb:PutItem"
	Resource string              // ARN, or "*"
	Context  map[string][]string // condition keys beyond the global ones
	// Policy is the resource-based policy that also has a say, or "".
	Policy string
	// NeedPolicy says that Policy must allow what the caller does, or hand it
	// over to their account: KMS's key policies.
	NeedPolicy bool
	// Account owns the resource, if its ARN doesn't tell; "" otherwise.
	Account string
}

// Owner is the account that owns the resource, "" if it isn't known.
func (t *IAMTarget) Owner() string {
	if t.Account != "" {
		return t.Account
	}
	a, err := arn.Parse(t.Resource)
	if err != nil || a.Account == "aws" { // whose managed policies are everybody's
		return ""
	}
	return a.Account
}

// Events is an answer that comes piece by piece: it sends events, each a
// structure with one member set, until the last one or an error of send's.
type Events[T any] func(send func(*T) error) error

// Each implements Eventful.
func (e Events[T]) Each(send func(event any) error) error {
	return e(func(event *T) error { return send(event) })
}

// Eventful is an Events of any type.
type Eventful interface {
	Each(send func(event any) error) error
}
