package sqs

import (
	"fmt"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/wire"
)

func invalidAddress(text string) error {
	return &sqsapi.InvalidAddress{Message: wire.Ptr("The address " + text + " is not valid for this endpoint.")}
}

func invalidValue(name string) error {
	return &sqsapi.InvalidAttributeValue{Message: wire.Ptr("Invalid value for the parameter " + name + ".")}
}

func invalidRedrive(format string, args ...any) error {
	return &sqsapi.InvalidAttributeValue{Message: wire.Ptr("Invalid value for the parameter RedrivePolicy. Reason: " + fmt.Sprintf(format, args...))}
}

// invalidParameter is a front-end error of SQS that its model doesn't have.
func invalidParameter(format string, args ...any) error {
	return wire.Errorf("InvalidParameterValue", format, args...)
}

func missingParameter(name string) error {
	return wire.Errorf("MissingParameter", "The request must contain the parameter %s.", name)
}

func badHandle(handle string) error {
	return &sqsapi.ReceiptHandleIsInvalid{Message: wire.Ptr(`The input receipt handle "` + handle + `" is not a valid receipt handle.`)}
}
