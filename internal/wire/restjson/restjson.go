// Package restjson speaks AWS's REST-JSON protocol (API Gateway, Lambda).
package restjson

import (
	"fmt"
	"io"
	"net/http"
	"reflect"

	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/eventstream"
	"github.com/butai-dev/butai/internal/wire/jsonbody"
	"github.com/butai-dev/butai/internal/wire/rest"
)

// Protocol implements wire.Protocol.
type Protocol struct {
	Style jsonbody.Style
}

var _ wire.Protocol = Protocol{}

// Identify finds the operation by method, path and literal query.
func (Protocol) Identify(m *wire.ServiceModel, r *wire.Request, built func(*wire.Operation) bool) (*wire.Operation, *wire.Error) {
	return rest.Identify(m, r, built)
}

// Decode reads labels, headers, query and body.
func (p Protocol) Decode(m *wire.ServiceModel, op *wire.Operation, r *wire.Request, in any) error {
	if err := rest.DecodeBindings(m.Schema, op, r, in); err != nil {
		return err
	}
	shape := m.Schema.Shape(op.Input)
	if shape.Payload >= 0 {
		if rest.SetPayload(m.Schema, op.Input, r.Body, in) {
			return nil
		}
		return jsonbody.DecodePayload(m.Schema, op.Input, r.Body, in, p.Style)
	}
	if len(r.Body) == 0 || !rest.HasBody(shape) {
		return nil
	}
	return jsonbody.Decode(m.Schema, op.Input, r.Body, in, p.Style)
}

// Encode writes the status, headers and body of a successful answer.
func (Protocol) Encode(m *wire.ServiceModel, op *wire.Operation, out any, requestID string) (*wire.Response, error) {
	res := &wire.Response{Status: op.Status, Header: http.Header{"x-amzn-RequestId": {requestID}}}
	if out == nil {
		// AWS answers an operation without output with an empty JSON body.
		res.Header["Content-Type"] = []string{"application/json"}
		return res, nil
	}
	res.Status = rest.EncodeBindings(m.Schema, op.Output, out, res.Status, res.Header)
	shape := m.Schema.Shape(op.Output)
	if shape.Payload >= 0 && m.Schema.Shape(shape.Members[shape.Payload].Shape).EventStream {
		events, ok := reflect.ValueOf(out).Elem().Field(shape.Payload).Interface().(wire.Eventful)
		if !ok {
			return nil, fmt.Errorf("%s has no events", op.Name)
		}
		res.Header["Content-Type"] = []string{eventstream.ContentType}
		res.Stream = func(w io.Writer) error {
			return events.Each(func(event any) error {
				return eventstream.Write(w, m.Schema, shape.Members[shape.Payload].Shape, event)
			})
		}
		return res, nil
	}
	if shape.Payload >= 0 {
		raw, structured, present := rest.Payload(m.Schema, op.Output, out)
		if !structured {
			if present && res.Header["Content-Type"] == nil {
				res.Header["Content-Type"] = []string{"application/json"}
			}
			res.Body = raw
			return res, nil
		}
		body, err := jsonbody.EncodePayload(m.Schema, op.Output, out)
		res.Header["Content-Type"] = []string{"application/json"}
		res.Body = body
		return res, err
	}
	body, err := jsonbody.Encode(m.Schema, op.Output, out)
	if res.Header["Content-Type"] == nil {
		res.Header["Content-Type"] = []string{"application/json"}
	}
	res.Body = body
	return res, err
}

// EncodeError writes an error with its type in the x-amzn-ErrorType header.
func (Protocol) EncodeError(m *wire.ServiceModel, err error, requestID string) *wire.Response {
	code, status, _, message := wire.ErrorFacts(err)
	res := &wire.Response{Status: status, Header: http.Header{
		"x-amzn-RequestId": {requestID},
		"x-amzn-ErrorType": {code},
		"Content-Type":     {"application/json"},
	}}
	if modelled, ok := err.(wire.ModelledError); ok {
		schema, id := modelled.ErrorShape()
		rest.EncodeBindings(schema, id, modelled, status, res.Header)
		if body, encErr := jsonbody.Encode(schema, id, modelled); encErr == nil {
			res.Body = body
			return res
		}
	}
	res.Body = jsonbody.Message("message", message)
	return res
}
