package wire

import (
	"io"
	"net/http"
	"net/url"
)

// Request is an HTTP request to a known service, its body read.
type Request struct {
	*http.Request
	Body   []byte
	Labels Labels // of the URI; REST protocols only

	query url.Values
}

// Labels are the decoded labels of a URI, of which there are a few at most.
type Labels []Label

// Label is one of them.
type Label struct{ Name, Value string }

// Get returns a label's value.
func (l Labels) Get(name string) (value string, ok bool) {
	for i := range l {
		if l[i].Name == name {
			return l[i].Value, true
		}
	}
	return "", false
}

// Query returns the parameters in the request's address, parsed once; nobody
// may change them.
func (r *Request) Query() url.Values {
	if r.query == nil && r.URL.RawQuery != "" {
		r.query = r.URL.Query()
	}
	return r.query
}

// Response is an encoded answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// Stream writes the body instead, piece by piece, if it isn't nil.
	Stream func(w io.Writer) error
}

// Protocol turns HTTP messages into a service's shapes and back. Each wire
// protocol of AWS is one implementation.
type Protocol interface {
	// Identify finds the operation a request addresses, and its labels.
	// built reports whether an operation is implemented; it decides between
	// two operations at one address. A nil operation means there is none.
	Identify(m *ServiceModel, r *Request, built func(*Operation) bool) (*Operation, *Error)
	// Decode fills in, a new input structure of op.
	Decode(m *ServiceModel, op *Operation, r *Request, in any) error
	// Encode writes out, which is nil for operations without output.
	Encode(m *ServiceModel, op *Operation, out any, requestID string) (*Response, error)
	// EncodeError writes an error; err is a ModelledError, an *Error or an
	// *About of either.
	EncodeError(m *ServiceModel, err error, requestID string) *Response
}

// SerializationError says that a body can't be read as the input's shape:
// the bytes are malformed or a value has the wrong type.
type SerializationError struct {
	Message string
}

func (e *SerializationError) Error() string { return "SerializationException: " + e.Message }

// ErrorFacts returns the code, HTTP status, fault side and message of an
// error that Protocol.EncodeError is given.
func ErrorFacts(err error) (code string, status int, fault bool, message string) {
	switch e := err.(type) {
	case *About:
		return ErrorFacts(e.Err)
	case ModelledError:
		schema, id := e.ErrorShape()
		trait := schema.Shape(id).Error
		return trait.Code, trait.Status, trait.Fault, messageOf(e)
	case *Error:
		return e.Code, e.Status, e.Fault, e.Message
	}
	return "InternalFailure", http.StatusInternalServerError, true, "Internal failure"
}

// QueryError is the value of the header x-amzn-query-error, by which services
// that once spoke the query protocol alone keep its error codes.
func QueryError(code string, fault bool) string {
	if fault {
		return code + ";Receiver"
	}
	return code + ";Sender"
}
