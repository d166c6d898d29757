package dynamodb

import (
	"errors"
	"fmt"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/wire"
)

const conditionFailed = "The conditional request failed"

// envelope stands before the complaints of the validation layer that PutItem,
// UpdateItem and DeleteItem run since 2026.
const envelope = "1 validation error detected: "

func validation(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

// invalidValue is validation with the opening of most complaints about values.
func invalidValue(format string, args ...any) error {
	return validation("One or more parameter values were invalid: "+format, args...)
}

// refusal turns an *attr.ValidationError into the exception; other errors
// pass.
func refusal(err error) error { return refusalWith("", err) }

// enveloped is refusal for the operations whose complaints are enveloped.
func enveloped(err error) error { return refusalWith(envelope, err) }

func refusalWith(prefix string, err error) error {
	var bad *attr.ValidationError
	if errors.As(err, &bad) {
		return &wire.Error{Code: "ValidationException", Status: 400, Message: prefix + bad.Message}
	}
	return err
}

// older is refusal in the wording of BatchWriteItem and Scan.
func older(err error) error {
	var bad *attr.ValidationError
	if errors.As(err, &bad) {
		return &wire.Error{Code: "ValidationException", Status: 400, Message: bad.OlderText()}
	}
	return err
}

// noResource is the data plane's answer for a missing table or index.
func noResource() error {
	return &dynamodbapi.ResourceNotFoundException{Message: wire.Ptr("Requested resource not found")}
}

// noTable is the control plane's answer for a missing table.
func noTable(name string) error {
	return &dynamodbapi.ResourceNotFoundException{Message: wire.Ptr(fmt.Sprintf("Requested resource not found: Table: %s not found", name))}
}

func inUse(format string, args ...any) error {
	return &dynamodbapi.ResourceInUseException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

// beingCreated refuses changes of a table that is being restored.
func beingCreated(name string) error {
	return inUse("Attempt to change a resource which is still in use: Table is being created: %s", name)
}

func limitExceeded(format string, args ...any) error {
	return &dynamodbapi.LimitExceededException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}
