// Package form reads the bodies of the query protocol, in which a structure
// is spelled as dotted form fields: Tags.member.1.Key=owner.
package form

import (
	"cmp"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/xmlbody"
)

// maxIndex bounds list positions, so that Tags.member.999999999 can't make a
// server allocate.
const maxIndex = 10_000

// maxDepth bounds how deep names may go; no input of the models is deeper.
const maxDepth = 32

// Decode reads values into in, a pointer to the Go form of the structure id.
func Decode(s *wire.Schema, id wire.ShapeID, values url.Values, in any) error {
	root := &tree{}
	for name, v := range values {
		path := strings.Split(name, ".")
		if len(path) > maxDepth {
			return &wire.SerializationError{Message: "The parameter name is nested too deeply."}
		}
		root.put(path, v[0])
	}
	return decoder{s}.structure(s.Shape(id), root, reflect.ValueOf(in).Elem())
}

// tree is the dotted names as a tree.
type tree struct {
	text     string
	set      bool
	children map[string]*tree
}

func (t *tree) put(path []string, text string) {
	if len(path) == 0 {
		t.text, t.set = text, true
		return
	}
	if t.children == nil {
		t.children = map[string]*tree{}
	}
	child := t.children[path[0]]
	if child == nil {
		child = &tree{}
		t.children[path[0]] = child
	}
	child.put(path[1:], text)
}

type decoder struct{ schema *wire.Schema }

func (d decoder) structure(shape *wire.Shape, t *tree, rv reflect.Value) error {
	for i := range shape.Members {
		m := &shape.Members[i]
		name := m.Wire
		if m.QueryName != "" {
			name = m.QueryName
		}
		child := t.children[name]
		if child == nil {
			child = t.children[m.Wire] // the member's own name will do too (recorded with SQS)
		}
		if child == nil {
			continue
		}
		field := rv.Field(i)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		if err := d.value(m.Ref, child, field); err != nil {
			return err
		}
	}
	return nil
}

func (d decoder) value(ref wire.Ref, t *tree, rv reflect.Value) error {
	shape := d.schema.Shape(ref.Shape)
	if err := fits(shape, t); err != nil {
		return err
	}
	flat := ref.Flattened || shape.Flattened
	switch shape.Kind {
	case wire.Structure:
		return d.structure(shape, t, rv)
	case wire.List:
		name := shape.Element.Wire
		if name == "" {
			name = "member"
		}
		return d.list(shape, unwrap(t, flat, name), rv)
	case wire.Map:
		return d.mapping(shape, unwrap(t, flat, "entry"), rv)
	}
	return xmlbody.SetScalar(shape, t.text, rv)
}

// fits reports text where members belong, and members where text does. Empty
// text is an empty list or structure.
func fits(shape *wire.Shape, t *tree) error {
	switch shape.Kind {
	case wire.List, wire.Map:
		if t.text != "" {
			return &wire.SerializationError{Message: "Unexpected list element termination"}
		}
	case wire.Structure:
		if t.text != "" {
			return &wire.SerializationError{Message: "Unexpected complex element termination"}
		}
	default:
		if !t.set {
			return &wire.SerializationError{Message: "Start of structure or map found where not expected."}
		}
	}
	return nil
}

func unwrap(t *tree, flat bool, name string) *tree {
	if child := t.children[name]; !flat && child != nil {
		return child
	}
	return t
}

func (d decoder) list(shape *wire.Shape, t *tree, rv reflect.Value) error {
	rv.Set(reflect.MakeSlice(rv.Type(), 0, len(t.children)))
	for i := 1; i <= maxIndex; i++ {
		child := t.children[strconv.Itoa(i)]
		if child == nil {
			break
		}
		item := reflect.New(rv.Type().Elem()).Elem()
		if err := d.value(shape.Element, child, item); err != nil {
			return err
		}
		rv.Set(reflect.Append(rv, item))
	}
	return nil
}

func (d decoder) mapping(shape *wire.Shape, t *tree, rv reflect.Value) error {
	rv.Set(reflect.MakeMap(rv.Type()))
	for i := 1; i <= maxIndex; i++ {
		entry := t.children[strconv.Itoa(i)]
		if entry == nil {
			break
		}
		key, value := entry.children[cmp.Or(shape.Key.QueryName, shape.Key.Wire, "key")], entry.children[cmp.Or(shape.Value.QueryName, shape.Value.Wire, "value")]
		if key == nil || value == nil {
			return &wire.SerializationError{Message: "Malformed map entry"}
		}
		item := reflect.New(rv.Type().Elem()).Elem()
		if err := d.value(shape.Value, value, item); err != nil {
			return err
		}
		rv.SetMapIndex(reflect.ValueOf(key.text), item)
	}
	return nil
}
