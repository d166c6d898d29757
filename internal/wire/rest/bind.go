package rest

import (
	"encoding/base64"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/xmlbody"
)

// DecodeBindings fills the members of op's input that travel in labels,
// headers and the query string.
func DecodeBindings(s *wire.Schema, op *wire.Operation, r *wire.Request, in any) error {
	rv := reflect.ValueOf(in).Elem()
	query := r.Query()
	shape := s.Shape(op.Input)
	for i := range shape.Members {
		m := &shape.Members[i]
		var err error
		switch m.Location {
		case wire.InURI:
			if text, ok := r.Labels.Get(m.Wire); ok {
				err = set(s, m.Ref, []string{text}, rv.Field(i))
			}
		case wire.InHeader:
			if values := r.Header.Values(m.Wire); len(values) > 0 {
				err = set(s, m.Ref, headerItems(s, m, values), rv.Field(i))
			}
		case wire.InHeaders:
			prefixed(r.Header, m.Wire, rv.Field(i))
		case wire.InQuery:
			if s.Shape(m.Shape).Kind == wire.Map {
				freeQuery(s, op, query, rv.Field(i))
			} else if values, ok := query[m.Wire]; ok {
				err = set(s, m.Ref, values, rv.Field(i))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func headerItems(s *wire.Schema, m *wire.Member, values []string) []string {
	if s.Shape(m.Shape).Kind != wire.List {
		return values
	}
	var items []string
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			items = append(items, strings.TrimSpace(item))
		}
	}
	return items
}

// prefixed collects the headers that start with prefix, without it and in
// lower case, as S3 does for user metadata.
func prefixed(h http.Header, prefix string, field reflect.Value) {
	found := map[string]string{}
	for name, values := range h {
		if rest, ok := strings.CutPrefix(strings.ToLower(name), strings.ToLower(prefix)); ok {
			found[rest] = strings.Join(values, ",")
		}
	}
	if len(found) > 0 {
		field.Set(reflect.ValueOf(found))
	}
}

// freeQuery collects the query parameters that neither another member nor the
// operation's address claims.
func freeQuery(s *wire.Schema, op *wire.Operation, query map[string][]string, field reflect.Value) {
	claimed := map[string]bool{}
	for _, literal := range op.Query {
		claimed[literal.Key] = true
	}
	for _, m := range s.Shape(op.Input).Members {
		if m.Location == wire.InQuery && s.Shape(m.Shape).Kind != wire.Map {
			claimed[m.Wire] = true
		}
	}
	for name, values := range query {
		if claimed[name] {
			continue
		}
		if field.IsNil() {
			field.Set(reflect.MakeMap(field.Type()))
		}
		value := reflect.New(field.Type().Elem()).Elem()
		if value.Kind() == reflect.Slice {
			value.Set(reflect.ValueOf(values))
		} else {
			value.SetString(values[0])
		}
		field.SetMapIndex(reflect.ValueOf(name), value)
	}
}

func set(s *wire.Schema, ref wire.Ref, values []string, field reflect.Value) error {
	shape := s.Shape(ref.Shape)
	if shape.Kind == wire.List {
		field.Set(reflect.MakeSlice(field.Type(), len(values), len(values)))
		for i, v := range values {
			if err := xmlbody.SetScalar(s.Shape(shape.Element.Shape), v, field.Index(i)); err != nil {
				return err
			}
		}
		return nil
	}
	if ref.JSONValue || shape.Kind == wire.String && field.Kind() == reflect.Pointer {
		text := values[0]
		if ref.JSONValue {
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return &wire.SerializationError{Message: "Invalid base64 in header " + ref.Wire}
			}
			text = string(raw)
		}
		field.Set(reflect.ValueOf(&text))
		return nil
	}
	field.Set(reflect.New(field.Type().Elem()))
	return xmlbody.SetScalar(shape, values[0], field.Elem())
}

// DecodeAnswer fills the members of op's output that travel in the status line
// and headers of an answer, for a client.
func DecodeAnswer(s *wire.Schema, op *wire.Operation, status int, h http.Header, out any) error {
	rv := reflect.ValueOf(out).Elem()
	shape := s.Shape(op.Output)
	for i := range shape.Members {
		m := &shape.Members[i]
		var err error
		switch m.Location {
		case wire.InStatus:
			err = set(s, m.Ref, []string{strconv.Itoa(status)}, rv.Field(i))
		case wire.InHeader:
			if values := h.Values(m.Wire); len(values) > 0 {
				err = set(s, m.Ref, headerItems(s, m, values), rv.Field(i))
			}
		case wire.InHeaders:
			prefixed(h, m.Wire, rv.Field(i))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// EncodeBindings writes the members of out that travel in headers or the
// status line; it returns the status, which is status unless a member says
// otherwise.
func EncodeBindings(s *wire.Schema, id wire.ShapeID, out any, status int, h http.Header) int {
	rv := reflect.ValueOf(out).Elem()
	for i := range s.Shape(id).Members {
		m := &s.Shape(id).Members[i]
		field := rv.Field(i)
		if field.IsNil() {
			continue
		}
		switch m.Location {
		case wire.InStatus:
			status = int(field.Elem().Int())
		case wire.InHeader:
			h[m.Wire] = []string{headerText(s, m.Ref, field)}
		case wire.InHeaders:
			for it := field.MapRange(); it.Next(); {
				h[m.Wire+it.Key().String()] = []string{it.Value().String()}
			}
		}
	}
	return status
}

func headerText(s *wire.Schema, ref wire.Ref, field reflect.Value) string {
	shape := s.Shape(ref.Shape)
	if shape.Kind == wire.List {
		items := make([]string, field.Len())
		for i := range items {
			items[i] = field.Index(i).String()
		}
		return strings.Join(items, ",")
	}
	if field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	switch shape.Kind {
	case wire.Boolean:
		return strconv.FormatBool(field.Bool())
	case wire.Integer, wire.Long:
		return strconv.FormatInt(field.Int(), 10)
	case wire.Timestamp:
		format := ref.TimestampFormat
		if format == "" {
			format = wire.RFC822
		}
		return wire.FormatTime(field.Interface().(time.Time), format)
	case wire.Float, wire.Double:
		return strconv.FormatFloat(field.Float(), 'f', -1, 64)
	}
	return field.String()
}

// Payload returns the payload member of the structure and the raw bytes it
// holds. structured is true when the payload is itself a structure, to be
// encoded by the body's codec; then raw is nil.
func Payload(s *wire.Schema, id wire.ShapeID, out any) (raw []byte, structured, present bool) {
	shape := s.Shape(id)
	field := reflect.ValueOf(out).Elem().Field(shape.Payload)
	if field.IsNil() {
		return nil, false, false
	}
	switch s.Shape(shape.Members[shape.Payload].Shape).Kind {
	case wire.Blob:
		return field.Bytes(), false, true
	case wire.String:
		return []byte(field.Elem().String()), false, true
	}
	return nil, true, true
}

// SetPayload stores the raw body in a payload member that is a blob or a
// string; it reports false for structured payloads, which a codec reads.
func SetPayload(s *wire.Schema, id wire.ShapeID, body []byte, in any) bool {
	shape := s.Shape(id)
	field := reflect.ValueOf(in).Elem().Field(shape.Payload)
	switch s.Shape(shape.Members[shape.Payload].Shape).Kind {
	case wire.Blob:
		field.SetBytes(body)
		return true
	case wire.String:
		text := string(body)
		field.Set(reflect.ValueOf(&text))
		return true
	}
	return false
}

// HasBody tells whether a structure has members that neither the address nor
// a header carries.
func HasBody(shape *wire.Shape) bool {
	return slices.ContainsFunc(shape.Members, func(m wire.Member) bool { return m.Location == wire.InBody })
}
