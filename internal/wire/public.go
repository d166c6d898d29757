package wire

import "context"

// PublicService is implemented by a service that may let in who sends no
// signature: S3.
type PublicService interface {
	// Holds reports whether there is a bucket of a name, which is the only sign
	// that a request without a signature is for the service.
	Holds(ctx context.Context, bucket string) bool
}

// Revealer is implemented by a service that tells those who may not do a thing,
// too, that what they would do it with isn't there.
type Revealer interface {
	// Missing returns the error that says so, or nil if it is there.
	Missing(ctx context.Context, op *Operation, in any) error
}
