// Package xmlbody reads and writes XML bodies by schema, for REST-XML and for
// the answers of the query protocol.
package xmlbody

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/wire"
)

// Writer builds an XML document element by element.
type Writer struct {
	bytes.Buffer
	// Millis prints timestamps to the millisecond even on the second, as S3
	// does.
	Millis bool
}

// Open writes a start tag; attrs are name, value pairs.
func (w *Writer) Open(name string, attrs ...string) {
	w.WriteByte('<')
	w.WriteString(name)
	for i := 0; i+1 < len(attrs); i += 2 {
		w.WriteString(" " + attrs[i] + `="`)
		w.text(attrs[i+1])
		w.WriteByte('"')
	}
	w.WriteByte('>')
}

// Close writes an end tag.
func (w *Writer) Close(name string) { w.WriteString("</" + name + ">") }

// Leaf writes an element that holds only text.
func (w *Writer) Leaf(name, text string) {
	w.Open(name)
	w.text(text)
	w.Close(name)
}

func (w *Writer) text(s string) {
	_ = xml.EscapeText(&w.Buffer, []byte(s)) // a bytes.Buffer never fails
}

// Members writes the body members of out, a pointer to the Go form of the
// structure id, without an element around them.
func Members(w *Writer, s *wire.Schema, id wire.ShapeID, out any) {
	e := encoder{Writer: w, schema: s}
	e.members(s.Shape(id), reflect.ValueOf(out).Elem())
}

// ErrorMembers is Members for an error, whose message is written apart.
func ErrorMembers(w *Writer, s *wire.Schema, id wire.ShapeID, out any) {
	e := encoder{Writer: w, schema: s}
	shape, rv := s.Shape(id), reflect.ValueOf(out).Elem()
	for i := range shape.Members {
		if shape.Members[i].Field != "Message" {
			e.member(&shape.Members[i], rv.Field(i))
		}
	}
}

// Member writes the one member of out at position i as its own element.
func Member(w *Writer, s *wire.Schema, id wire.ShapeID, out any, i int, attrs ...string) {
	e := encoder{Writer: w, schema: s}
	m := &s.Shape(id).Members[i]
	field := reflect.ValueOf(out).Elem().Field(i)
	if field.IsNil() {
		return
	}
	if field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	name := m.Wire
	shape := s.Shape(m.Shape)
	if shape.Kind == wire.Structure && name == m.Name {
		name = shape.Name
	}
	if m.Wire != m.Name {
		name = m.Wire
	}
	e.Open(name, attrs...)
	e.content(m.Ref, field)
	e.Close(name)
}

type encoder struct {
	*Writer
	schema *wire.Schema
}

func (e *encoder) members(shape *wire.Shape, rv reflect.Value) {
	for i := range shape.Members {
		e.member(&shape.Members[i], rv.Field(i))
	}
}

func (e *encoder) member(m *wire.Member, field reflect.Value) {
	if m.Location != wire.InBody || m.XMLAttribute || field.IsNil() {
		return
	}
	if field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	e.element(or(m.QueryName, m.Wire), m.Ref, field)
}

func (e *encoder) element(name string, ref wire.Ref, rv reflect.Value) {
	shape := e.schema.Shape(ref.Shape)
	if ref.Flattened || shape.Flattened {
		e.flattened(name, shape, rv)
		return
	}
	e.Open(name, attributes(shape, rv)...)
	e.content(ref, rv)
	e.Close(name)
}

// schemaInstance is the namespace behind the prefix xsi, the only one that the
// models' attributes have.
const schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"

func attributes(shape *wire.Shape, rv reflect.Value) []string {
	if shape.Kind != wire.Structure {
		return nil
	}
	var attrs []string
	for i := range shape.Members {
		m := &shape.Members[i]
		if !m.XMLAttribute || rv.Field(i).IsNil() {
			continue
		}
		if strings.HasPrefix(m.Wire, "xsi:") {
			attrs = append(attrs, "xmlns:xsi", schemaInstance)
		}
		attrs = append(attrs, m.Wire, rv.Field(i).Elem().String())
	}
	return attrs
}

func (e *encoder) content(ref wire.Ref, rv reflect.Value) {
	shape := e.schema.Shape(ref.Shape)
	switch shape.Kind {
	case wire.Structure:
		e.members(shape, rv)
	case wire.List:
		for i := range rv.Len() {
			e.element(itemName(shape), shape.Element, rv.Index(i))
		}
	case wire.Map:
		e.entries("entry", shape, rv)
	default:
		text := ScalarText(ref, shape, rv)
		if e.Millis && shape.Kind == wire.Timestamp && len(text) == len("2006-01-02T15:04:05Z") {
			text = strings.TrimSuffix(text, "Z") + ".000Z"
		}
		e.text(text)
	}
}

func (e *encoder) flattened(name string, shape *wire.Shape, rv reflect.Value) {
	if shape.Kind == wire.Map {
		e.entries(name, shape, rv)
		return
	}
	if shape.Element.Wire != "" {
		name = shape.Element.Wire
	}
	for i := range rv.Len() {
		e.element(name, shape.Element, rv.Index(i))
	}
}

func (e *encoder) entries(name string, shape *wire.Shape, rv reflect.Value) {
	keys := rv.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		e.Open(name)
		e.element(or(shape.Key.QueryName, or(shape.Key.Wire, "key")), shape.Key, k)
		e.element(or(shape.Value.QueryName, or(shape.Value.Wire, "value")), shape.Value, rv.MapIndex(k))
		e.Close(name)
	}
}

// ScalarText spells a scalar as XML elements and form fields do.
func ScalarText(ref wire.Ref, shape *wire.Shape, rv reflect.Value) string {
	switch shape.Kind {
	case wire.Boolean:
		return strconv.FormatBool(rv.Bool())
	case wire.Integer, wire.Long:
		return strconv.FormatInt(rv.Int(), 10)
	case wire.Float, wire.Double:
		return strconv.FormatFloat(rv.Float(), 'f', -1, 64)
	case wire.Blob:
		return base64.StdEncoding.EncodeToString(rv.Bytes())
	case wire.Timestamp:
		return wire.FormatTime(rv.Interface().(time.Time), or(ref.TimestampFormat, or(shape.TimestampFormat, wire.ISO8601)))
	}
	return rv.String()
}

func itemName(list *wire.Shape) string { return or(list.Element.Wire, "member") }

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
