// Package awsjson speaks AWS's JSON RPC protocols 1.0 and 1.1 (DynamoDB, ACM,
// CloudWatch Logs): every call is a POST, the operation is in X-Amz-Target.
package awsjson

import (
	"cmp"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/jsonbody"
)

// Protocol implements wire.Protocol.
type Protocol struct {
	// ErrorPrefix stands before the code of modelled errors in __type.
	ErrorPrefix string
	// CoralErrors makes front-end errors carry Coral's prefixes, as
	// DynamoDB's do.
	CoralErrors bool
	// CRC32 adds DynamoDB's x-amz-crc32 header.
	CRC32 bool
	// QueryErrors marks a service that spoke the query protocol before: each
	// error's code there goes into x-amzn-query-error. It holds the codes that
	// differ, by today's.
	QueryErrors map[string]string
}

var _ wire.Protocol = Protocol{}

// Identify finds the operation by the X-Amz-Target header.
func (Protocol) Identify(m *wire.ServiceModel, r *wire.Request, _ func(*wire.Operation) bool) (*wire.Operation, *wire.Error) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), m.TargetPrefix+".")
	if ok {
		if op := m.Operation(name); op != nil {
			return op, nil
		}
	}
	return nil, &wire.Error{Code: "UnknownOperationException", Status: http.StatusBadRequest}
}

// Decode reads the body.
func (Protocol) Decode(m *wire.ServiceModel, op *wire.Operation, r *wire.Request, in any) error {
	body := r.Body
	if len(body) == 0 {
		body = []byte("{}")
	}
	return jsonbody.Decode(m.Schema, op.Input, body, in, jsonbody.Coral)
}

// Encode writes a successful answer.
func (p Protocol) Encode(m *wire.ServiceModel, op *wire.Operation, out any, requestID string) (*wire.Response, error) {
	var body []byte
	if out != nil {
		var err error
		if body, err = jsonbody.Encode(m.Schema, op.Output, out); err != nil {
			return nil, err
		}
	}
	return p.response(m, op.Status, body, requestID), nil
}

// EncodeError writes an error with its type in __type.
func (p Protocol) EncodeError(m *wire.ServiceModel, err error, requestID string) *wire.Response {
	code, status, fault, message := wire.ErrorFacts(err)
	res := p.encodeError(m, err, code, status, message, requestID)
	if p.QueryErrors != nil {
		res.Header["x-amzn-query-error"] = []string{wire.QueryError(cmp.Or(p.QueryErrors[code], code), fault)}
	}
	return res
}

func (p Protocol) encodeError(m *wire.ServiceModel, err error, code string, status int, message, requestID string) *wire.Response {
	if modelled, ok := err.(wire.ModelledError); ok {
		schema, id := modelled.ErrorShape()
		name := code
		if p.QueryErrors != nil {
			name = schema.Shape(id).Name
		}
		if body, encErr := jsonbody.EncodeWith(schema, id, modelled, "__type", p.ErrorPrefix+name); encErr == nil {
			return p.response(m, status, body, requestID)
		}
	}
	member := "message"
	if p.CoralErrors {
		switch code {
		case "ValidationException":
			code = "com.amazon.coral.validate#" + code
		case "SerializationException":
			member = "Message"
			fallthrough
		default:
			code = "com.amazon.coral.service#" + code
		}
	}
	if message == "" && member == "message" {
		return p.response(m, status, jsonbody.Message("__type", code), requestID)
	}
	return p.response(m, status, jsonbody.Message("__type", code, member, message), requestID)
}

func (p Protocol) response(m *wire.ServiceModel, status int, body []byte, requestID string) *wire.Response {
	h := http.Header{
		"x-amzn-RequestId": {requestID},
		"Content-Type":     {"application/x-amz-json-" + m.JSONVersion},
	}
	if p.CRC32 {
		h["x-amz-crc32"] = []string{strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)}
	}
	return &wire.Response{Status: status, Header: h, Body: body}
}
