package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// The botocore model format, as far as the wire layer needs it.
type botocoreModel struct {
	Metadata struct {
		APIVersion, EndpointPrefix, Protocol, ServiceID, SigningName string
		TargetPrefix, JSONVersion, XMLNamespace                      string
	}
	Operations map[string]struct {
		HTTP struct {
			Method, RequestURI string
			ResponseCode       int
		}
		Input *struct {
			Shape, LocationName string
			XMLNamespace        xmlNamespace
		}
		Output *struct {
			Shape, ResultWrapper string
		}
		Errors []struct{ Shape string }
	}
	Shapes map[string]botocoreShape
}

type botocoreShape struct {
	Type               string
	Required           []string
	Members            orderedMembers
	Member, Key, Value *botocoreRef
	Payload            string
	Flattened          bool
	Min, Max           *float64
	Pattern            string
	Enum               []string
	TimestampFormat    string
	EventStream        bool
	Exception, Fault   bool
	Error              *struct {
		Code           string
		HTTPStatusCode int
		SenderFault    *bool
	}
}

type botocoreRef struct {
	Shape, Location, LocationName, QueryName, TimestampFormat string
	Flattened, Streaming, XMLAttribute, IdempotencyToken      bool
	JSONValue                                                 bool
	XMLNamespace                                              xmlNamespace
}

// xmlNamespace is written as a string or as an object with a uri.
type xmlNamespace string

func (x *xmlNamespace) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*x = xmlNamespace(s)
		return nil
	}
	var o struct{ URI string }
	err := json.Unmarshal(b, &o)
	*x = xmlNamespace(o.URI)
	return err
}

// orderedMembers keeps the order in which the model lists its members.
type orderedMembers []struct {
	Name string
	Ref  botocoreRef
}

func (o *orderedMembers) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var ref botocoreRef
		if err := dec.Decode(&ref); err != nil {
			return err
		}
		*o = append(*o, struct {
			Name string
			Ref  botocoreRef
		}{name.(string), ref})
	}
	return nil
}

func extract(botocore, models string) error {
	if botocore == "" {
		return fmt.Errorf("extract: -botocore is missing: give the data directory of an installed botocore package")
	}
	for _, s := range services {
		raw, err := readGzip(filepath.Join(botocore, s.Name, s.Version, "service-2.json.gz"))
		if err != nil {
			return err
		}
		var src botocoreModel
		if err := json.Unmarshal(raw, &src); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		m := src.facts(s.Name)
		if s.Part != nil {
			m.keep(s.Part)
		}
		if err := m.write(models); err != nil {
			return err
		}
	}
	return nil
}

func readGzip(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return io.ReadAll(z)
}

func (src *botocoreModel) facts(name string) *Model {
	md := src.Metadata
	m := &Model{
		Name: name,
		Service: Service{
			ID: md.ServiceID, Version: md.APIVersion, Protocol: md.Protocol, Endpoint: md.EndpointPrefix,
			SigningName: md.SigningName, TargetPrefix: md.TargetPrefix, JSONVersion: md.JSONVersion, XMLNamespace: md.XMLNamespace,
		},
		Operations: map[string]*Operation{},
		Shapes:     map[string]*Shape{},
	}
	if m.Service.SigningName == "" {
		m.Service.SigningName = md.EndpointPrefix
	}
	for opName, op := range src.Operations {
		o := &Operation{Method: op.HTTP.Method, URI: op.HTTP.RequestURI, Status: op.HTTP.ResponseCode}
		if op.Input != nil {
			o.Input = op.Input.Shape
			if op.Input.LocationName != "" || op.Input.XMLNamespace != "" {
				o.InputRoot = &XMLRoot{Name: op.Input.LocationName, Namespace: string(op.Input.XMLNamespace)}
			}
		}
		if op.Output != nil {
			o.Output, o.Wrapper = op.Output.Shape, op.Output.ResultWrapper
		}
		for _, e := range op.Errors {
			o.Errors = append(o.Errors, e.Shape)
		}
		m.Operations[opName] = o
	}
	for shapeName, s := range src.Shapes {
		m.Shapes[shapeName] = s.facts()
	}
	switch name {
	case "apigateway":
		m.markEmptyTexts()
	case "sqs":
		m.restoreQueryNames()
	}
	return m
}

func (s botocoreShape) facts() *Shape {
	out := &Shape{
		Type: s.Type, Payload: s.Payload, Flattened: s.Flattened, Min: s.Min, Max: s.Max, Pattern: s.Pattern,
		Enum: s.Enum, TimestampFormat: s.TimestampFormat, EventStream: s.EventStream,
	}
	for _, m := range s.Members {
		out.Members = append(out.Members, Member{Name: m.Name, Required: slices.Contains(s.Required, m.Name), Ref: *m.Ref.facts()})
	}
	out.Element, out.Key, out.Value = s.Member.facts(), s.Key.facts(), s.Value.facts()
	if s.Exception || s.Error != nil {
		out.Error = &Error{Fault: s.Fault}
		if s.Error != nil {
			out.Error.Code, out.Error.Status = s.Error.Code, s.Error.HTTPStatusCode
			if s.Error.SenderFault != nil && !*s.Error.SenderFault {
				out.Error.Fault = true
			}
		}
	}
	return out
}

func (r *botocoreRef) facts() *Ref {
	if r == nil {
		return nil
	}
	return &Ref{
		Shape: r.Shape, Location: r.Location, LocationName: r.LocationName, QueryName: r.QueryName, Flattened: r.Flattened,
		Streaming: r.Streaming, XMLAttribute: r.XMLAttribute, XMLNamespace: string(r.XMLNamespace),
		TimestampFormat: r.TimestampFormat, IdempotencyToken: r.IdempotencyToken, JSONValue: r.JSONValue,
	}
}

// keep strips the model of the shapes that only operations outside of part use.
func (m *Model) keep(part *regexp.Regexp) {
	reached := map[string]bool{}
	for name, op := range m.Operations {
		if !part.MatchString(name) {
			m.Operations[name] = &Operation{Method: op.Method, URI: op.URI, Unshaped: true}
			continue
		}
		for _, root := range append([]string{op.Input, op.Output}, op.Errors...) {
			m.reach(root, reached)
		}
	}
	maps.DeleteFunc(m.Shapes, func(name string, _ *Shape) bool { return !reached[name] })
}

func quote(s string) string { return strconv.Quote(s) }
