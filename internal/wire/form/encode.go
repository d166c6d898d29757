package form

import (
	"cmp"
	"net/url"
	"reflect"
	"strconv"

	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/xmlbody"
)

// Encode spells in, a pointer to the Go form of the structure id, as form
// fields; it is the inverse of Decode.
func Encode(s *wire.Schema, id wire.ShapeID, in any) url.Values {
	e := encoder{schema: s, out: url.Values{}}
	e.structure(s.Shape(id), "", reflect.ValueOf(in).Elem())
	return e.out
}

type encoder struct {
	schema *wire.Schema
	out    url.Values
}

func (e *encoder) structure(shape *wire.Shape, prefix string, rv reflect.Value) {
	for i := range shape.Members {
		m := &shape.Members[i]
		if rv.Field(i).IsNil() {
			continue
		}
		name := m.Wire
		if m.QueryName != "" {
			name = m.QueryName
		}
		e.value(m.Ref, prefix+name, reflect.Indirect(rv.Field(i)))
	}
}

func (e *encoder) value(ref wire.Ref, name string, rv reflect.Value) {
	shape := e.schema.Shape(ref.Shape)
	flat := ref.Flattened || shape.Flattened
	switch shape.Kind {
	case wire.Structure:
		e.structure(shape, name+".", rv)
	case wire.List:
		if !flat {
			item := shape.Element.Wire
			if item == "" {
				item = "member"
			}
			name += "." + item
		}
		for i := range rv.Len() {
			e.value(shape.Element, name+"."+strconv.Itoa(i+1), rv.Index(i))
		}
	case wire.Map:
		if !flat {
			name += ".entry"
		}
		i := 0
		for it := rv.MapRange(); it.Next(); {
			i++
			entry := name + "." + strconv.Itoa(i) + "."
			e.out.Set(entry+cmp.Or(shape.Key.QueryName, shape.Key.Wire, "key"), it.Key().String())
			e.value(shape.Value, entry+cmp.Or(shape.Value.QueryName, shape.Value.Wire, "value"), it.Value())
		}
	default:
		e.out.Set(name, xmlbody.ScalarText(ref, shape, rv))
	}
}
