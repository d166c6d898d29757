// Package jsonbody reads and writes JSON bodies by schema, for the JSON
// protocols of AWS.
package jsonbody

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/wire"
)

// Style is how a family of services words its type errors.
type Style uint8

const (
	// Coral is the wording of the RPC services: "NUMBER_VALUE cannot be
	// converted to String".
	Coral Style = iota
	// JavaClass is API Gateway's wording: "class java.lang.Boolean can not
	// be converted to an String" (recorded).
	JavaClass
)

// Decode reads body into in, a pointer to the Go form of the structure id.
// Members that travel outside the body are left alone, unknown ones are
// ignored, null counts as absent. Errors are *wire.SerializationError or come
// from an external shape's own codec.
func Decode(s *wire.Schema, id wire.ShapeID, body []byte, in any, style Style) error {
	d := decoder{schema: s, style: style, dec: jsontext.NewDecoder(bytes.NewReader(body),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	if err := d.value(s.Shape(id), reflect.ValueOf(in).Elem()); err != nil {
		return malformed(err)
	}
	if _, err := d.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return &wire.SerializationError{}
	}
	return nil
}

// malformed hides the JSON parser's own words behind AWS's empty message.
func malformed(err error) error {
	var shaped interface{ SerializationText() string } // an external shape's
	if errors.As(err, &shaped) {
		return &wire.SerializationError{Message: shaped.SerializationText()}
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &wire.SerializationError{}
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) && semantic.Err != nil {
		return semantic.Err
	}
	return err
}

type decoder struct {
	schema *wire.Schema
	dec    *jsontext.Decoder
	style  Style
}

// indexes caches each structure's members by their name on the wire.
var indexes sync.Map // *wire.Shape to map[string]int

func index(shape *wire.Shape) map[string]int {
	if cached, ok := indexes.Load(shape); ok {
		return cached.(map[string]int)
	}
	names := make(map[string]int, len(shape.Members))
	for i := range shape.Members {
		if m := &shape.Members[i]; m.Location == wire.InBody {
			names[m.Wire] = i
		}
	}
	cached, _ := indexes.LoadOrStore(shape, names)
	return cached.(map[string]int)
}

// value reads the next JSON value into rv, which is the value itself, not a
// pointer to it.
func (d *decoder) value(shape *wire.Shape, rv reflect.Value) error {
	kind := d.dec.PeekKind()
	if kind == 'n' {
		return d.dec.SkipValue()
	}
	switch shape.Kind {
	case wire.External:
		return json.UnmarshalDecode(d.dec, rv.Addr().Interface())
	case wire.Structure:
		if kind != '{' {
			return d.mismatch(kind, shape)
		}
		return d.structure(shape, rv)
	case wire.List:
		if kind != '[' {
			return d.mismatch(kind, shape)
		}
		return d.list(shape, rv)
	case wire.Map:
		if kind != '{' {
			return d.mismatch(kind, shape)
		}
		return d.mapping(shape, rv)
	}
	return d.scalar(shape, rv, kind)
}

func (d *decoder) structure(shape *wire.Shape, rv reflect.Value) error {
	names := index(shape)
	if _, err := d.dec.ReadToken(); err != nil {
		return err
	}
	for d.dec.PeekKind() != '}' {
		name, err := d.dec.ReadToken()
		if err != nil {
			return err
		}
		i, known := names[name.String()]
		if !known || d.dec.PeekKind() == 'n' {
			if err := d.dec.SkipValue(); err != nil {
				return err
			}
			continue
		}
		field := rv.Field(i)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		if err := d.value(d.schema.Shape(shape.Members[i].Shape), field); err != nil {
			return err
		}
	}
	_, err := d.dec.ReadToken()
	return err
}

func (d *decoder) list(shape *wire.Shape, rv reflect.Value) error {
	if _, err := d.dec.ReadToken(); err != nil {
		return err
	}
	element := d.schema.Shape(shape.Element.Shape)
	rv.Set(reflect.MakeSlice(rv.Type(), 0, 4))
	for d.dec.PeekKind() != ']' {
		item := reflect.New(rv.Type().Elem()).Elem()
		if err := d.value(element, item); err != nil {
			return err
		}
		rv.Set(reflect.Append(rv, item))
	}
	_, err := d.dec.ReadToken()
	return err
}

func (d *decoder) mapping(shape *wire.Shape, rv reflect.Value) error {
	if _, err := d.dec.ReadToken(); err != nil {
		return err
	}
	element := d.schema.Shape(shape.Value.Shape)
	rv.Set(reflect.MakeMap(rv.Type()))
	for d.dec.PeekKind() != '}' {
		key, err := d.dec.ReadToken()
		if err != nil {
			return err
		}
		name := key.String()
		item := reflect.New(rv.Type().Elem()).Elem()
		if err := d.value(element, item); err != nil {
			return err
		}
		rv.SetMapIndex(reflect.ValueOf(name).Convert(rv.Type().Key()), item)
	}
	_, err := d.dec.ReadToken()
	return err
}

func (d *decoder) scalar(shape *wire.Shape, rv reflect.Value, kind jsontext.Kind) error {
	if kind == '{' || kind == '[' {
		return d.mismatch(kind, shape)
	}
	tok, err := d.dec.ReadToken()
	if err != nil {
		return err
	}
	text := tok.String()
	switch shape.Kind {
	case wire.String:
		if kind != '"' {
			return d.scalarMismatch(kind, text, shape)
		}
		rv.SetString(text)
	case wire.Boolean:
		if kind != 't' && kind != 'f' {
			return d.scalarMismatch(kind, text, shape)
		}
		rv.SetBool(kind == 't')
	case wire.Integer, wire.Long:
		n, ok := integer(shape.Kind, text)
		if kind != '0' || !ok {
			return d.scalarMismatch(kind, text, shape)
		}
		rv.SetInt(n)
	case wire.Float, wire.Double:
		f, err := strconv.ParseFloat(text, 64)
		special := kind == '"' && (text == "NaN" || text == "Infinity" || text == "-Infinity") // Smithy, "awsJson1_0": numbers that JSON lacks
		if kind != '0' && !special || err != nil {
			return d.scalarMismatch(kind, text, shape)
		}
		rv.SetFloat(f)
	case wire.Blob:
		if kind != '"' {
			return d.scalarMismatch(kind, text, shape)
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return &wire.SerializationError{Message: "Invalid base64 in blob member"}
		}
		rv.SetBytes(raw)
	case wire.Timestamp:
		t, err := wire.ParseTime(text)
		if err != nil || kind == 't' || kind == 'f' {
			return d.scalarMismatch(kind, text, shape)
		}
		rv.Set(reflect.ValueOf(t).Convert(reflect.TypeFor[time.Time]()))
	}
	return nil
}

// integer reads a number as AWS's parser does, which cuts off decimals; ok is
// false beyond the kind's range.
func integer(kind wire.Kind, text string) (n int64, ok bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Abs(f) >= 1<<63 {
			return 0, false
		}
		n = int64(f)
	}
	return n, kind == wire.Long || n == int64(int32(n))
}

var wanted = map[wire.Kind]string{
	wire.String: "String", wire.Boolean: "Boolean", wire.Integer: "Integer", wire.Long: "Long", wire.Float: "Float",
	wire.Double: "Double", wire.Blob: "ByteBuffer", wire.Timestamp: "Date",
}

// mismatch words a collection where a scalar or another collection belongs.
func (d *decoder) mismatch(kind jsontext.Kind, shape *wire.Shape) error {
	switch {
	case kind == 0: // broken JSON: let the parser say where
		_, err := d.dec.ReadToken()
		return err
	case shape.Kind == wire.Structure || shape.Kind == wire.Map || shape.Kind == wire.List:
		if kind == '{' {
			return &wire.SerializationError{Message: "Start of structure or map found where not expected."}
		}
		if kind == '[' {
			return &wire.SerializationError{Message: "Start of list found where not expected"}
		}
		return &wire.SerializationError{Message: "Unexpected field type"}
	case kind == '{':
		return &wire.SerializationError{Message: "Start of structure or map found where not expected."}
	}
	return &wire.SerializationError{Message: "Start of list found where not expected"}
}

// javaClass names what API Gateway reads scalars into.
var javaClass = map[jsontext.Kind]string{
	'"': "java.lang.String", '0': "com.amazon.coral.value.json.numbers.TruncatingBigNumber", 't': "java.lang.Boolean", 'f': "java.lang.Boolean",
}

func (d *decoder) scalarMismatch(kind jsontext.Kind, text string, shape *wire.Shape) error {
	want := wanted[shape.Kind]
	if d.style == JavaClass {
		return &wire.SerializationError{Message: "class " + javaClass[kind] + " can not be converted to an " + want}
	}
	got := "STRING_VALUE"
	switch kind {
	case 't':
		got = "TRUE_VALUE"
	case 'f':
		got = "FALSE_VALUE"
	case '0':
		got = "NUMBER_VALUE"
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			got = "DECIMAL_VALUE"
		}
	}
	return &wire.SerializationError{Message: got + " cannot be converted to " + want}
}

// DecodePayload reads body into the payload member of the structure id.
func DecodePayload(s *wire.Schema, id wire.ShapeID, body []byte, in any, style Style) error {
	shape := s.Shape(id)
	if len(body) == 0 {
		return nil
	}
	field := reflect.ValueOf(in).Elem().Field(shape.Payload)
	field.Set(reflect.New(field.Type().Elem()))
	return Decode(s, shape.Members[shape.Payload].Shape, body, field.Interface(), style)
}
