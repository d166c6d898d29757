package kms

import (
	"fmt"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/wire"
)

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

func notFound(format string, args ...any) error {
	return &kmsapi.NotFoundException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

func invalidState(format string, args ...any) error {
	return &kmsapi.KMSInvalidStateException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

func wrongUsage(format string, args ...any) error {
	return &kmsapi.InvalidKeyUsageException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

func unsupported(format string, args ...any) error {
	return &kmsapi.UnsupportedOperationException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

// dryRun ends a request that only asked whether it would succeed.
func dryRun(asked *bool) error {
	if !wire.Val(asked) {
		return nil
	}
	return &kmsapi.DryRunOperationException{Message: wire.Ptr("The request would have succeeded, but the DryRun option is set.")}
}

// deletionDue refuses what can't be done with a key that is to be deleted.
func (k *key) deletionDue() error {
	if k.Deletion.IsZero() {
		return nil
	}
	return invalidState("%s is pending deletion.", k.arn())
}

// usable refuses to compute with a key that isn't enabled.
func (k *key) usable() error {
	if k.Disabled && k.Deletion.IsZero() {
		return &kmsapi.DisabledException{Message: wire.Ptr(k.arn() + " is disabled.")}
	}
	return k.deletionDue()
}
