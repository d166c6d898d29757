// Package rpcv2cbor speaks Smithy's RPC v2 protocol with CBOR bodies
// (CloudWatch): every call is a POST to /service/{name}/operation/{name}.
// Source: the Smithy 2.0 specification, "Smithy RPC v2 CBOR protocol".
package rpcv2cbor

import (
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/cborbody"
)

// Header marks requests and answers of this protocol.
const (
	Header = "Smithy-Protocol"
	Value  = "rpc-v2-cbor"
)

// Protocol implements wire.Protocol.
type Protocol struct {
	// Namespace stands before the name of an error's shape in __type.
	Namespace string
}

var _ wire.Protocol = Protocol{}

// Identify finds the operation by the path.
func (Protocol) Identify(m *wire.ServiceModel, r *wire.Request, _ func(*wire.Operation) bool) (*wire.Operation, *wire.Error) {
	_, after, _ := strings.Cut(r.URL.Path, "/service/")
	service, name, ok := strings.Cut(after, "/operation/")
	if ok && service == m.TargetPrefix && r.Method == http.MethodPost {
		if op := m.Operation(name); op != nil {
			return op, nil
		}
	}
	return nil, &wire.Error{Code: "UnknownOperationException", Status: http.StatusNotFound}
}

// Decode reads the body.
func (Protocol) Decode(m *wire.ServiceModel, op *wire.Operation, r *wire.Request, in any) error {
	if len(r.Body) == 0 {
		return nil
	}
	return cborbody.Decode(m.Schema, op.Input, r.Body, in)
}

// Encode writes a successful answer.
func (Protocol) Encode(m *wire.ServiceModel, op *wire.Operation, out any, requestID string) (*wire.Response, error) {
	if out == nil {
		return response(http.StatusOK, nil, requestID), nil
	}
	body, err := cborbody.Encode(m.Schema, op.Output, out)
	return response(http.StatusOK, body, requestID), err
}

// EncodeError writes an error with its shape in __type, and its code as the
// query protocol has it in a header of its own, which SDKs prefer.
func (p Protocol) EncodeError(_ *wire.ServiceModel, err error, requestID string) *wire.Response {
	code, status, fault, message := wire.ErrorFacts(err)
	body := cborbody.Texts(map[string]string{"__type": p.Namespace + code, "message": message})
	if modelled, ok := err.(wire.ModelledError); ok {
		schema, id := modelled.ErrorShape()
		if b, encErr := cborbody.EncodeWith(schema, id, modelled, "__type", p.Namespace+schema.Shape(id).Name); encErr == nil {
			body = b
		}
	}
	res := response(status, body, requestID)
	res.Header["x-amzn-query-error"] = []string{wire.QueryError(code, fault)}
	return res
}

func response(status int, body []byte, requestID string) *wire.Response {
	h := http.Header{"x-amzn-RequestId": {requestID}, "smithy-protocol": {Value}}
	if body != nil {
		h["Content-Type"] = []string{"application/cbor"}
	}
	return &wire.Response{Status: status, Header: h, Body: body}
}
