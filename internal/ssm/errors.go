package ssm

import (
	"errors"
	"fmt"

	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/wire"
)

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

// notFound has no message, as AWS's has none.
func notFound() error { return &ssmapi.ParameterNotFound{} }

func noVersion(format string, args ...any) error {
	return &ssmapi.ParameterVersionNotFound{Message: wire.Ptr("Systems Manager could not find " + fmt.Sprintf(format, args...) + " and try again.")}
}

// ofKMS rewords an error of KMS: denials are passed on, anything else says that
// the key isn't one to use.
func ofKMS(err error) error {
	var code, message string
	var status int
	if modelled, ok := errors.AsType[wire.ModelledError](err); ok {
		code, status, _, message = wire.ErrorFacts(modelled)
	} else if plain, ok := errors.AsType[*wire.Error](err); ok {
		code, status, message = plain.Code, plain.Status, plain.Message
	}
	if status == 0 || status >= 500 || code == "AccessDeniedException" {
		return err
	}
	return &ssmapi.InvalidKeyId{Message: wire.Ptr(message + " (Service: AWSKMS; Status Code: 400; Error Code: " + code + ")")}
}
