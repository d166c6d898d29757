package secretsmanager

import (
	"errors"
	"fmt"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/wire"
)

func notFound(format string, args ...any) error {
	return &secretsmanagerapi.ResourceNotFoundException{Message: wire.Ptr("Secrets Manager can't find the specified " + fmt.Sprintf(format, args...))}
}

func noSecret() error { return notFound("secret.") }

func invalidRequest(format string, args ...any) error {
	return &secretsmanagerapi.InvalidRequestException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

func invalidParameter(format string, args ...any) error {
	return &secretsmanagerapi.InvalidParameterException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

func alreadyExists(format string, args ...any) error {
	return &secretsmanagerapi.ResourceExistsException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

func markedForDeletion() error {
	return invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
}

func invalidName() error {
	return wire.Errorf("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
}

// tokenMissing is the text of a call without a ClientRequestToken, which the
// SDKs add by themselves.
const tokenMissing = "You must provide a ClientRequestToken value. We recommend a UUID-type value."

// ofKMS rewords an error of KMS: denials as Secrets Manager does, anything else
// as failed; what is no answer of KMS stays as it is.
func ofKMS(err, failed error) error {
	switch code, status, _ := facts(err); {
	case status == 0 || status >= 500:
		return err
	case code == "AccessDeniedException":
		return wire.Errorf(code, "Access to KMS is not allowed")
	}
	return failed
}

// facts are what a client may know of an error; the status is 0 for one of ours.
func facts(err error) (code string, status int, message string) {
	if modelled, ok := errors.AsType[wire.ModelledError](err); ok {
		code, status, _, message = wire.ErrorFacts(modelled)
	} else if plain, ok := errors.AsType[*wire.Error](err); ok {
		code, status, message = plain.Code, plain.Status, plain.Message
	}
	return code, status, message
}
