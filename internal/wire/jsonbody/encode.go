package jsonbody

import (
	"bytes"
	"encoding/base64"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/wire"
)

// Encode writes out, a pointer to the Go form of the structure id, as a JSON
// object. Absent members and those that travel outside the body are left out.
func Encode(s *wire.Schema, id wire.ShapeID, out any) ([]byte, error) {
	return EncodeWith(s, id, out, "", "")
}

// EncodeWith is Encode with one more string member in front, unless its name
// is empty: the JSON RPC protocols put an error's type there.
func EncodeWith(s *wire.Schema, id wire.ShapeID, out any, name, value string) ([]byte, error) {
	return encode(encoder{schema: s}, id, out, name, value)
}

// EncodeWithNulls is Encode with null for the absent members, of structures
// inside too, as services of the query protocol write JSON.
func EncodeWithNulls(s *wire.Schema, id wire.ShapeID, out any) ([]byte, error) {
	return encode(encoder{schema: s, nulls: true}, id, out, "", "")
}

func encode(e encoder, id wire.ShapeID, out any, name, value string) ([]byte, error) {
	var b bytes.Buffer
	e.enc = jsontext.NewEncoder(&b, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err := e.object(e.schema.Shape(id), reflect.ValueOf(out).Elem(), name, value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

type encoder struct {
	schema *wire.Schema
	enc    *jsontext.Encoder
	nulls  bool // write absent members as null
}

func (e *encoder) object(shape *wire.Shape, rv reflect.Value, name, value string) error {
	if err := e.enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	if name != "" {
		if err := e.member(name, jsontext.String(value)); err != nil {
			return err
		}
	}
	for i := range shape.Members {
		m := &shape.Members[i]
		field := rv.Field(i)
		if m.Location != wire.InBody || field.IsNil() && !e.nulls {
			continue
		}
		if field.IsNil() {
			if err := e.member(m.Wire, jsontext.Null); err != nil {
				return err
			}
			continue
		}
		if field.Kind() == reflect.Pointer {
			field = field.Elem()
		}
		if err := e.enc.WriteToken(jsontext.String(m.Wire)); err != nil {
			return err
		}
		if err := e.value(m.Ref, field); err != nil {
			return err
		}
	}
	return e.enc.WriteToken(jsontext.EndObject)
}

func (e *encoder) member(name string, value jsontext.Token) error {
	if err := e.enc.WriteToken(jsontext.String(name)); err != nil {
		return err
	}
	return e.enc.WriteToken(value)
}

func (e *encoder) value(ref wire.Ref, rv reflect.Value) error {
	shape := e.schema.Shape(ref.Shape)
	switch shape.Kind {
	case wire.External:
		return json.MarshalEncode(e.enc, rv.Interface())
	case wire.Structure:
		return e.object(shape, rv, "", "")
	case wire.List:
		return e.list(shape, rv)
	case wire.Map:
		return e.mapping(shape, rv, ref.EmptyIsNull)
	case wire.String:
		return e.enc.WriteToken(jsontext.String(rv.String()))
	case wire.Boolean:
		return e.enc.WriteToken(jsontext.Bool(rv.Bool()))
	case wire.Integer, wire.Long:
		return e.enc.WriteToken(jsontext.Int(rv.Int()))
	case wire.Float, wire.Double:
		return e.enc.WriteValue(jsontext.Value(wire.JavaDouble(rv.Float())))
	case wire.Blob:
		return e.enc.WriteToken(jsontext.String(base64.StdEncoding.EncodeToString(rv.Bytes())))
	default: // wire.Timestamp
		return e.timestamp(rv.Interface().(time.Time), ref.TimestampFormat, shape.TimestampFormat)
	}
}

func (e *encoder) timestamp(t time.Time, formats ...string) error {
	for _, format := range formats {
		if format != "" && format != wire.UnixTimestamp {
			return e.enc.WriteToken(jsontext.String(wire.FormatTime(t, format)))
		}
	}
	return e.enc.WriteValue(jsontext.Value(wire.FormatTime(t, wire.UnixTimestamp)))
}

func (e *encoder) list(shape *wire.Shape, rv reflect.Value) error {
	if err := e.enc.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for i := range rv.Len() {
		if err := e.value(shape.Element, rv.Index(i)); err != nil {
			return err
		}
	}
	return e.enc.WriteToken(jsontext.EndArray)
}

// mapping writes a map in the order of its keys, so that answers are the same
// bytes every time.
func (e *encoder) mapping(shape *wire.Shape, rv reflect.Value, emptyIsNull bool) error {
	if err := e.enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	keys := rv.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		if err := e.enc.WriteToken(jsontext.String(k.String())); err != nil {
			return err
		}
		v := rv.MapIndex(k)
		if emptyIsNull && v.String() == "" {
			if err := e.enc.WriteToken(jsontext.Null); err != nil {
				return err
			}
			continue
		}
		if err := e.value(shape.Value, v); err != nil {
			return err
		}
	}
	return e.enc.WriteToken(jsontext.EndObject)
}

// EncodePayload writes the payload member of out, which is a structure.
func EncodePayload(s *wire.Schema, id wire.ShapeID, out any) ([]byte, error) {
	shape := s.Shape(id)
	field := reflect.ValueOf(out).Elem().Field(shape.Payload)
	return Encode(s, shape.Members[shape.Payload].Shape, field.Interface())
}

// Message writes a JSON object of strings; pairs are names and values.
func Message(pairs ...string) []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, s := range pairs[i : i+2] {
			if j > 0 {
				b.WriteByte(':')
			}
			quoted, err := jsontext.AppendQuote(nil, s)
			if err != nil { // only for invalid UTF-8, which is replaced
				quoted, _ = jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
			}
			b.Write(quoted)
		}
	}
	b.WriteByte('}')
	return b.Bytes()
}
