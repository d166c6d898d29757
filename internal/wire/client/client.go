// Package client calls AWS APIs over the generated shapes: signed requests
// out, shapes in. It is for butai's own commands, which have no other door to
// a server than its clients have.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/form"
	"github.com/butai-dev/butai/internal/wire/jsonbody"
	"github.com/butai-dev/butai/internal/wire/rest"
	"github.com/butai-dev/butai/internal/wire/xmlbody"
)

// Client sends requests to one endpoint. All fields are required.
type Client struct {
	Endpoint    string // scheme://host[:port]
	Region      string
	Credentials sigv4.Credentials
	Clock       clock.Clock
}

// Error is an answer that is no success.
type Error struct {
	Status        int
	Code, Message string
}

// Error is the message alone where no code came, as from butai's own pages.
func (e *Error) Error() string {
	if e.Code == "" {
		return e.Message
	}
	return wire.ErrorText(e.Code, &e.Message)
}

// Call runs one operation: in and out point at its input and output shapes,
// out is nil for operations without output. The REST-XML protocol isn't
// spoken. An answer that is no success is an *Error.
func (c *Client) Call(ctx context.Context, m *wire.ServiceModel, operation string, in, out any) error {
	op := m.Operation(operation)
	if op == nil {
		return fmt.Errorf("client: %s has no operation %s", m.ID, operation)
	}
	req, body, err := c.request(ctx, m, op, in)
	if err != nil {
		return fmt.Errorf("client: encode %s: %w", operation, err)
	}
	if err := sigv4.Sign(ctx, req, body, c.Credentials, m.SigningName, c.Region, c.Clock.Now()); err != nil {
		return fmt.Errorf("client: sign %s: %w", operation, err)
	}
	res, err := c.do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return failure(m, res, answer)
	}
	if out == nil {
		return nil
	}
	if m.Protocol == "rest-json" {
		if err := rest.DecodeAnswer(m.Schema, op, res.StatusCode, res.Header, out); err != nil {
			return err
		}
	}
	return decode(m, op, answer, out)
}

// Get reads a page of butai's own, which is signed like an AWS call, and
// decodes its JSON into out. An answer that is no success is an *Error.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.ask(ctx, http.MethodGet, path, out)
}

// Put is like Get for a page that changes something; what, is in its query.
func (c *Client) Put(ctx context.Context, path string, out any) error {
	return c.ask(ctx, http.MethodPut, path, out)
}

func (c *Client) ask(ctx context.Context, method, path string, out any) error {
	answer, err := c.open(ctx, method, path, nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	text, err := io.ReadAll(answer)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}

// Post sends a body to a page of butai's own whose answer comes piece by piece.
// The caller closes it.
func (c *Client) Post(ctx context.Context, path string, body []byte) (answer io.ReadCloser, err error) {
	return c.open(ctx, http.MethodPost, path, body)
}

// open asks a page and returns what it answers, unless that is an *Error.
func (c *Client) open(ctx context.Context, method, path string, body []byte) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if err := sigv4.Sign(ctx, req, body, c.Credentials, "butai", c.Region, c.Clock.Now()); err != nil {
		return nil, fmt.Errorf("client: sign %s: %w", path, err)
	}
	res, err := c.do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode < 300 {
		return res.Body, nil
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	return nil, failure(&wire.ServiceModel{Protocol: "rest-json"}, res, answer)
}

// do says where nobody answers instead of which address was dialled.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultClient.Do(req)
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return nil, fmt.Errorf("nothing answers at %s: start butai serve, or set AWS_ENDPOINT_URL to where it listens (%w)", c.Endpoint, dial.Err)
	}
	return res, err
}

func (c *Client) request(ctx context.Context, m *wire.ServiceModel, op *wire.Operation, in any) (*http.Request, []byte, error) {
	path, contentType := "/", "application/json"
	var body []byte
	var bound rest.Bound
	var err error
	switch m.Protocol {
	case "rest-json":
		bound = rest.Bind(m.Schema, op, in)
		path = bound.Path
		body, err = restBody(m.Schema, op.Input, in)
	case "json":
		contentType = "application/x-amz-json-" + m.JSONVersion
		body, err = jsonbody.Encode(m.Schema, op.Input, in)
	case "query":
		contentType = "application/x-www-form-urlencoded"
		values := form.Encode(m.Schema, op.Input, in)
		values.Set("Action", op.Name)
		values.Set("Version", m.Version)
		body = []byte(values.Encode())
	default:
		err = fmt.Errorf("no client for protocol %s", m.Protocol)
	}
	if err != nil {
		return nil, nil, err
	}
	method := op.Method
	if m.Protocol != "rest-json" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(req.Header, bound.Header)
	req.Header.Set("Content-Type", contentType)
	if m.Protocol == "json" {
		req.Header.Set("X-Amz-Target", m.TargetPrefix+"."+op.Name)
	}
	return req, body, nil
}

func restBody(s *wire.Schema, id wire.ShapeID, in any) ([]byte, error) {
	if s.Shape(id).Payload < 0 {
		return jsonbody.Encode(s, id, in)
	}
	raw, structured, _ := rest.Payload(s, id, in)
	if !structured {
		return raw, nil
	}
	return jsonbody.EncodePayload(s, id, in)
}

func decode(m *wire.ServiceModel, op *wire.Operation, answer []byte, out any) error {
	switch {
	case m.Protocol == "query":
		return xmlbody.DecodeChild(m.Schema, op.Output, answer, out, op.Wrapper)
	case m.Schema.Shape(op.Output).Payload >= 0:
		if rest.SetPayload(m.Schema, op.Output, answer, out) {
			return nil
		}
		return jsonbody.DecodePayload(m.Schema, op.Output, answer, out, jsonbody.Coral)
	}
	return jsonbody.Decode(m.Schema, op.Output, answer, out, jsonbody.Coral)
}

// failure reads the code and message of an error in any of the protocols.
func failure(m *wire.ServiceModel, res *http.Response, answer []byte) error {
	e := &Error{Status: res.StatusCode, Code: res.Header.Get("X-Amzn-Errortype"), Message: string(answer)}
	if m.Protocol == "query" {
		e.Code, e.Message = xmlbody.Text(answer, "Error", "Code"), xmlbody.Text(answer, "Error", "Message")
		return e
	}
	var body struct {
		Type    string `json:"__type"`
		Message string // either case
	}
	if json.Unmarshal(answer, &body) == nil {
		e.Message = body.Message
		if e.Code == "" {
			e.Code = body.Type[strings.LastIndexByte(body.Type, '#')+1:]
		}
	}
	return e
}
