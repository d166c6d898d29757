package wire

import (
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
)

// ModelledError is an error that a service's model declares. The generated
// error structures implement it.
type ModelledError interface {
	error
	ErrorShape() (*Schema, ShapeID)
}

// Error is an error that AWS's front end gives but no model declares, such as
// ValidationException or AccessDeniedException.
type Error struct {
	Code    string
	Status  int
	Message string
	Fault   bool // the server's fault
}

// Error implements error.
func (e *Error) Error() string { return ErrorText(e.Code, &e.Message) }

// About is an error whose answer names what it is about, in a member that no
// model declares: S3's Key and BucketName.
type About struct {
	Err           error
	Member, Value string
}

// Error implements error.
func (e *About) Error() string { return e.Err.Error() }

// Unwrap returns the error itself.
func (e *About) Unwrap() error { return e.Err }

// Lasting reports whether err is an answer of AWS's that will stay the same,
// rather than a failure that may pass.
func Lasting(err error) bool {
	var modelled ModelledError
	var plain *Error
	switch {
	case errors.As(err, &modelled):
		_, status, _, _ := ErrorFacts(modelled)
		return status < 500
	case errors.As(err, &plain):
		return plain.Status < 500
	}
	return false
}

// HostID is S3's second id of a request: 48 bytes that say nothing to others.
func HostID(requestID string) string {
	sum := sha512.Sum384([]byte(requestID))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// ErrorText joins an error code and its message.
func ErrorText(code string, message *string) string {
	if message == nil || *message == "" {
		return code
	}
	return code + ": " + *message
}

// Errorf returns an Error of the caller's making, HTTP status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Status: 400, Message: fmt.Sprintf(format, args...)}
}

// NotBuilt is the answer to a part of AWS that butai doesn't do yet: HTTP
// status 501, which SDKs don't retry, and a message that names the part.
func NotBuilt(format string, args ...any) *Error {
	return &Error{Code: "NotImplemented", Status: 501, Message: "butai doesn't do this yet: " + fmt.Sprintf(format, args...), Fault: true}
}

// Ptr returns a pointer to v, for the optional members of shapes.
func Ptr[T any](v T) *T { return &v }

// TextOrNil returns a pointer to text, or nil for an empty one, for the optional
// members that AWS leaves out then.
func TextOrNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// Val returns what p points at, or the zero value if p is nil.
func Val[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// messageOf reads the Message field that every generated error has.
func messageOf(e ModelledError) string {
	f := reflect.ValueOf(e).Elem().FieldByName("Message")
	if f.IsNil() {
		return ""
	}
	return f.Elem().String()
}
