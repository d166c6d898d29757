// Package awsquery speaks AWS's query protocol (IAM, STS): a form in, XML out.
package awsquery

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/form"
	"github.com/butai-dev/butai/internal/wire/xmlbody"
)

// Protocol implements wire.Protocol.
type Protocol struct {
	// Codes are error codes that this protocol words otherwise than the model.
	Codes map[string]string
	// Wrapped services have their results in OperationResult, which their
	// models no longer say.
	Wrapped bool
	// PathMember is a parameter that may be in the request's URL instead.
	PathMember string
}

var _ wire.Protocol = Protocol{}

// values joins the query string and the form in the body, which wins.
func values(r *wire.Request) (url.Values, error) {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		body, err := url.ParseQuery(string(r.Body))
		if err != nil {
			return nil, err
		}
		maps.Copy(v, body)
	}
	return v, nil
}

// Identify finds the operation by the Action parameter; Version must be the
// model's if it is given.
func (Protocol) Identify(m *wire.ServiceModel, r *wire.Request, _ func(*wire.Operation) bool) (*wire.Operation, *wire.Error) {
	v, err := values(r)
	if err != nil { // status by IAM's API Reference: "Common Errors"
		return nil, &wire.Error{Code: "MalformedQueryString", Status: 404, Message: "The query string contains a syntax error."}
	}
	action, version := v.Get("Action"), v.Get("Version")
	op := m.Operation(action)
	switch {
	case action == "":
		return nil, &wire.Error{Code: "MissingAction", Status: 400, Message: "The request is missing an action."}
	case op == nil || version != "" && version != m.Version:
		return nil, &wire.Error{Code: "InvalidAction", Status: 400, Message: "Could not find operation " + action + " for version " + version}
	}
	return op, nil
}

// Decode reads the form.
func (p Protocol) Decode(m *wire.ServiceModel, op *wire.Operation, r *wire.Request, in any) error {
	v, err := values(r)
	if err != nil {
		return &wire.SerializationError{Message: "The query string contains a syntax error."}
	}
	if p.PathMember != "" && !v.Has(p.PathMember) && r.URL.Path != "/" {
		v.Set(p.PathMember, r.URL.Path)
	}
	return form.Decode(m.Schema, op.Input, v, in)
}

// wrapper is the element that an operation's result is in, "" for none.
func (p Protocol) wrapper(op *wire.Operation) string {
	if p.Wrapped {
		return op.Name + "Result"
	}
	return op.Wrapper
}

// Encode writes OperationResponse, with the result in its wrapper.
func (p Protocol) Encode(m *wire.ServiceModel, op *wire.Operation, out any, requestID string) (*wire.Response, error) {
	var w xmlbody.Writer
	name := op.Name + "Response"
	w.Open(name, "xmlns", m.XMLNamespace)
	w.WriteByte('\n')
	wrapper := p.wrapper(op)
	if out != nil {
		if wrapper != "" {
			w.Open(wrapper)
		}
		xmlbody.Members(&w, m.Schema, op.Output, out)
		if wrapper != "" {
			w.Close(wrapper)
			w.WriteByte('\n')
		}
	}
	w.Open("ResponseMetadata")
	w.Leaf("RequestId", requestID)
	w.Close("ResponseMetadata")
	w.WriteByte('\n')
	w.Close(name)
	return response(op.Status, &w, requestID), nil
}

// EncodeError writes ErrorResponse.
func (p Protocol) EncodeError(m *wire.ServiceModel, err error, requestID string) *wire.Response {
	code, status, fault, message := wire.ErrorFacts(err)
	side := "Sender"
	if fault {
		side = "Receiver"
	}
	var w xmlbody.Writer
	w.Open("ErrorResponse", "xmlns", m.XMLNamespace)
	w.Open("Error")
	w.Leaf("Type", side)
	w.Leaf("Code", cmp.Or(p.Codes[code], code))
	w.Leaf("Message", message)
	w.Close("Error")
	w.Leaf("RequestId", requestID)
	w.Close("ErrorResponse")
	return response(status, &w, requestID)
}

func response(status int, w *xmlbody.Writer, requestID string) *wire.Response {
	w.WriteByte('\n')
	return &wire.Response{Status: status, Body: w.Bytes(), Header: http.Header{
		"x-amzn-RequestId": {requestID},
		"Content-Type":     {"text/xml"},
	}}
}
