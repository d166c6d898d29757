package lambda

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/wire"
)

// user is the Type member of most of Lambda's errors: the client's fault.
var user = "User"

func missing(format string, args ...any) error {
	return &lambdaapi.ResourceNotFoundException{Type: &user, Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

func notFound(arn string) error { return missing("Function not found: %s", arn) }

func invalid(format string, args ...any) error {
	return &lambdaapi.InvalidParameterValueException{Type: &user, Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

// invalidPlain is one of the few errors that Lambda sends without a Type.
func invalidPlain(format string, args ...any) error {
	return &lambdaapi.InvalidParameterValueException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

func conflict(format string, args ...any) error {
	return &lambdaapi.ResourceConflictException{Type: &user, Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

// staleRevision answers a RevisionId that isn't the present one; call names
// the operations that tell it.
func staleRevision(call string) error {
	return &lambdaapi.PreconditionFailedException{Type: &user, Message: wire.Ptr(
		"The Revision Id provided does not match the latest Revision Id. Call the " + call + " API to retrieve the latest Revision Id")}
}

func tooLarge(format string, args ...any) error {
	return &wire.Error{Code: "RequestEntityTooLargeException", Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf(format, args...)}
}

func accessDenied(format string, args ...any) error {
	return &wire.Error{Code: "AccessDeniedException", Status: http.StatusForbidden, Message: fmt.Sprintf(format, args...)}
}

// javaText is a value of a shape of the model as Lambda prints it in messages.
func javaText(shape string, v any) string {
	schema := lambdaapi.Service.Schema
	at := slices.IndexFunc(schema.Shapes, func(s wire.Shape) bool { return s.Name == shape })
	return schema.JavaText(&schema.Shapes[at], reflect.ValueOf(v))
}

// violation is a failed constraint that the model doesn't have, in the words
// of those that it has.
func violation(path, value, rule string) string {
	return wire.ViolationText([]wire.Violation{{Path: path, Value: value, Rule: rule}})
}

// refused turns a refusal of the data plane into the API's error.
func refused(r *catalog.Refusal) error {
	switch r.Code {
	case "ResourceNotFoundException":
		return missing("%s", r.Message)
	case "InvalidRequestContentException":
		return &lambdaapi.InvalidRequestContentException{Type: &user, Message: &r.Message}
	case "TooManyRequestsException":
		return &lambdaapi.TooManyRequestsException{Type: &user, Message: &r.Message, Reason: &r.Reason}
	}
	if r.Code == catalog.Recursive {
		return &lambdaapi.RecursiveInvocationException{Type: &user, Message: &r.Message}
	}
	if err := snapStartRefused(r); err != nil {
		return err
	}
	return &wire.Error{Code: r.Code, Status: r.Status, Message: r.Message}
}
