package awsquery

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/jsonbody"
)

// JSON is the protocol with JSON answers, which AWS's services give to clients
// that accept application/json (recorded from API Gateway's integrations with
// them: the wrappers are those of the XML, absent members are null).
type JSON struct{ Protocol }

var _ wire.Protocol = JSON{}

// For is the form of the protocol that the client of r accepts.
func (p Protocol) For(r *http.Request) wire.Protocol {
	if acceptsJSON(r) {
		return JSON{p}
	}
	return p
}

func acceptsJSON(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	kind, _, _ := strings.Cut(first, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}

// Encode writes the result in its wrappers.
func (p JSON) Encode(m *wire.ServiceModel, op *wire.Operation, out any, requestID string) (*wire.Response, error) {
	result := []byte("null")
	if out != nil {
		var err error
		if result, err = jsonbody.EncodeWithNulls(m.Schema, op.Output, out); err != nil {
			return nil, err
		}
	}
	b := []byte(`{"` + op.Name + `Response":{`)
	if wrapper := p.wrapper(op); wrapper != "" {
		b = append(append(append(b, `"`+wrapper+`":`...), result...), ',')
	}
	b = append(b, `"ResponseMetadata":`...)
	b = append(append(b, jsonbody.Message("RequestId", requestID)...), "}}"...)
	return jsonResponse(op.Status, b, requestID), nil
}

// EncodeError writes an error.
func (p JSON) EncodeError(_ *wire.ServiceModel, err error, requestID string) *wire.Response {
	code, status, fault, message := wire.ErrorFacts(err)
	side := "Sender"
	if fault {
		side = "Receiver"
	}
	b := append([]byte(`{"Error":`), jsonbody.Message("Code", cmp.Or(p.Codes[code], code), "Message", message, "Type", side)...)
	b = append(append(b, ',', '"'), `RequestId":"`+requestID+`"}`...)
	return jsonResponse(status, b, requestID)
}

func jsonResponse(status int, body []byte, requestID string) *wire.Response {
	return &wire.Response{Status: status, Body: body, Header: http.Header{
		"x-amzn-RequestId": {requestID},
		"Content-Type":     {"application/json"},
	}}
}
