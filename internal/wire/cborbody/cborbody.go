// Package cborbody reads and writes CBOR bodies (RFC 8949) by schema, for
// Smithy's RPC v2 protocol.
package cborbody

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/butai-dev/butai/internal/wire"
)

// epoch is the tag of a timestamp: seconds since 1970.
const epoch = 1

var (
	encMode = must(cbor.EncOptions{Sort: cbor.SortNone, NaNConvert: cbor.NaNConvert7e00}.EncMode())
	decMode = must(cbor.DecOptions{
		DefaultMapType: reflect.TypeFor[map[string]any](), IntDec: cbor.IntDecConvertSignedOrFail,
		DupMapKey: cbor.DupMapKeyQuiet, MaxNestedLevels: 64,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // options are constants
	}
	return v
}

// Encode writes out, a pointer to the Go form of the structure id. Absent
// members are left out.
func Encode(s *wire.Schema, id wire.ShapeID, out any) ([]byte, error) {
	return EncodeWith(s, id, out, "", "")
}

// EncodeWith is Encode with one more text member, unless its name is empty:
// the protocol puts an error's type there.
func EncodeWith(s *wire.Schema, id wire.ShapeID, out any, name, value string) ([]byte, error) {
	doc := structure(s, s.Shape(id), reflect.ValueOf(out).Elem())
	if name != "" {
		doc[name] = value
	}
	return encMode.Marshal(doc)
}

// Texts writes a map of texts.
func Texts(m map[string]string) []byte {
	b, err := encMode.Marshal(m)
	if err != nil {
		panic(err) // texts always encode
	}
	return b
}

func structure(s *wire.Schema, shape *wire.Shape, rv reflect.Value) map[string]any {
	out := make(map[string]any, len(shape.Members))
	for i := range shape.Members {
		if field := rv.Field(i); !field.IsNil() {
			out[shape.Members[i].Wire] = plain(s, shape.Members[i].Shape, reflect.Indirect(field))
		}
	}
	return out
}

// plain turns a value into what the CBOR library writes as the protocol wants
// it.
func plain(s *wire.Schema, id wire.ShapeID, rv reflect.Value) any {
	shape := s.Shape(id)
	switch shape.Kind {
	case wire.Structure:
		return structure(s, shape, rv)
	case wire.List:
		out := make([]any, rv.Len())
		for i := range out {
			out[i] = plain(s, shape.Element.Shape, rv.Index(i))
		}
		return out
	case wire.Map:
		out := make(map[string]any, rv.Len())
		for it := rv.MapRange(); it.Next(); {
			out[it.Key().String()] = plain(s, shape.Value.Shape, it.Value())
		}
		return out
	case wire.String:
		return rv.String()
	case wire.Timestamp:
		t := rv.Interface().(time.Time)
		if t.Nanosecond() == 0 {
			return cbor.Tag{Number: epoch, Content: t.Unix()}
		}
		return cbor.Tag{Number: epoch, Content: float64(t.UnixMilli()) / 1e3}
	}
	return rv.Interface()
}

// Decode reads body into in, a pointer to the Go form of the structure id.
// Unknown members are ignored, null counts as absent. Errors are
// *wire.SerializationError.
func Decode(s *wire.Schema, id wire.ShapeID, body []byte, in any) error {
	var doc any
	if err := decMode.Unmarshal(body, &doc); err != nil {
		return &wire.SerializationError{Message: "The request body is no valid CBOR."}
	}
	return decode(s, id, doc, reflect.ValueOf(in).Elem())
}

func decode(s *wire.Schema, id wire.ShapeID, doc any, rv reflect.Value) error {
	shape := s.Shape(id)
	switch shape.Kind {
	case wire.Structure:
		return decodeStructure(s, shape, doc, rv)
	case wire.List:
		items, ok := doc.([]any)
		if !ok {
			return mismatch(shape, doc)
		}
		rv.Set(reflect.MakeSlice(rv.Type(), len(items), len(items)))
		for i, item := range items {
			if err := decode(s, shape.Element.Shape, item, rv.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case wire.Map:
		members, ok := doc.(map[string]any)
		if !ok {
			return mismatch(shape, doc)
		}
		rv.Set(reflect.MakeMapWithSize(rv.Type(), len(members)))
		for key, member := range members {
			value := reflect.New(rv.Type().Elem()).Elem()
			if err := decode(s, shape.Value.Shape, member, value); err != nil {
				return err
			}
			rv.SetMapIndex(reflect.ValueOf(key).Convert(rv.Type().Key()), value)
		}
		return nil
	}
	return scalar(shape, doc, rv)
}

func decodeStructure(s *wire.Schema, shape *wire.Shape, doc any, rv reflect.Value) error {
	members, ok := doc.(map[string]any)
	if !ok {
		return mismatch(shape, doc)
	}
	for i := range shape.Members {
		value := members[shape.Members[i].Wire]
		if value == nil {
			continue
		}
		field := rv.Field(i)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		if err := decode(s, shape.Members[i].Shape, value, field); err != nil {
			return err
		}
	}
	return nil
}

func scalar(shape *wire.Shape, doc any, rv reflect.Value) error {
	switch v := doc.(type) {
	case string:
		if shape.Kind == wire.String {
			rv.SetString(v)
			return nil
		}
	case bool:
		if shape.Kind == wire.Boolean {
			rv.SetBool(v)
			return nil
		}
	case []byte:
		if shape.Kind == wire.Blob {
			rv.SetBytes(v)
			return nil
		}
	case int64:
		return number(shape, float64(v), v, rv)
	case float64:
		return number(shape, v, int64(v), rv)
	case time.Time: // what the library makes of the tag
		if shape.Kind == wire.Timestamp && v.Unix() < maxUnix {
			rv.Set(reflect.ValueOf(v.Round(time.Millisecond).UTC()))
			return nil
		}
	}
	return mismatch(shape, doc)
}

// maxUnix is the year 10000.
const maxUnix = 253402300800

func number(shape *wire.Shape, f float64, n int64, rv reflect.Value) error {
	switch shape.Kind {
	case wire.Float, wire.Double:
		rv.SetFloat(f)
		return nil
	case wire.Timestamp:
		if math.Abs(f) < maxUnix {
			rv.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(f * 1e3))).UTC()))
			return nil
		}
	case wire.Integer, wire.Long:
		if f == math.Trunc(f) && (shape.Kind == wire.Long || n == int64(int32(n))) {
			rv.SetInt(n)
			return nil
		}
	}
	return mismatch(shape, f)
}

func mismatch(shape *wire.Shape, doc any) error {
	return &wire.SerializationError{Message: fmt.Sprintf("A value of type %T can't be read as %s.", doc, shape.Name)}
}
