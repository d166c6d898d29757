package xmlbody

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/wire"
)

// node is one element of a parsed document.
type node struct {
	name     string
	attrs    []xml.Attr
	text     string
	children []*node
}

var errMalformed = &wire.SerializationError{Message: "Could not parse XML"}

// Decode reads body into the body members of in, a pointer to the Go form of
// the structure id. The root element's name is not checked: AWS accepts any.
func Decode(s *wire.Schema, id wire.ShapeID, body []byte, in any) error {
	root, err := parse(body)
	if err != nil {
		return err
	}
	return decoder{s}.members(s.Shape(id), root, reflect.ValueOf(in).Elem())
}

// DecodeMember reads body, whose root element is the member at position i.
func DecodeMember(s *wire.Schema, id wire.ShapeID, body []byte, in any, i int) error {
	root, err := parse(body)
	if err != nil {
		return err
	}
	return decoder{s}.field(s.Shape(id).Members[i].Ref, []*node{root}, reflect.ValueOf(in).Elem().Field(i))
}

func parse(body []byte) (*node, error) {
	dec := xml.NewDecoder(bytes.NewReader(body))
	top := &node{}
	stack := []*node{top}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errMalformed
		}
		at := stack[len(stack)-1]
		switch t := tok.(type) {
		case xml.StartElement:
			child := &node{name: t.Name.Local, attrs: t.Attr}
			at.children = append(at.children, child)
			stack = append(stack, child)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			at.text += string(t)
		}
	}
	if len(top.children) != 1 {
		return nil, errMalformed
	}
	return top.children[0], nil
}

type decoder struct{ schema *wire.Schema }

func (d decoder) members(shape *wire.Shape, n *node, rv reflect.Value) error {
	byName := map[string][]*node{}
	for _, c := range n.children {
		byName[c.name] = append(byName[c.name], c)
	}
	for i := range shape.Members {
		m := &shape.Members[i]
		if m.Location != wire.InBody {
			continue
		}
		if m.XMLAttribute {
			_, local, _ := strings.Cut(m.Wire, ":")
			for _, a := range n.attrs {
				if a.Name.Local == local {
					rv.Field(i).Set(reflect.ValueOf(&a.Value))
				}
			}
			continue
		}
		name := m.Wire
		if target := d.schema.Shape(m.Shape); target.Kind == wire.List && (m.Flattened || target.Flattened) && target.Element.Wire != "" {
			name = target.Element.Wire
		}
		if found := byName[name]; len(found) > 0 {
			if err := d.field(m.Ref, found, rv.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// field sets one member from the elements that carry its name.
func (d decoder) field(ref wire.Ref, nodes []*node, field reflect.Value) error {
	shape := d.schema.Shape(ref.Shape)
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	flat := ref.Flattened || shape.Flattened
	switch shape.Kind {
	case wire.List:
		items := nodes
		if !flat {
			items = nodes[0].children
		}
		return d.list(shape, items, field)
	case wire.Map:
		items := nodes
		if !flat {
			items = nodes[0].children
		}
		return d.mapping(shape, items, field)
	}
	return d.value(shape, nodes[0], field)
}

func (d decoder) list(shape *wire.Shape, items []*node, rv reflect.Value) error {
	rv.Set(reflect.MakeSlice(rv.Type(), len(items), len(items)))
	for i, item := range items {
		if err := d.value(d.schema.Shape(shape.Element.Shape), item, rv.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (d decoder) mapping(shape *wire.Shape, items []*node, rv reflect.Value) error {
	rv.Set(reflect.MakeMap(rv.Type()))
	for _, item := range items {
		if len(item.children) != 2 {
			return errMalformed
		}
		value := reflect.New(rv.Type().Elem()).Elem()
		if err := d.value(d.schema.Shape(shape.Value.Shape), item.children[1], value); err != nil {
			return err
		}
		rv.SetMapIndex(reflect.ValueOf(item.children[0].text), value)
	}
	return nil
}

func (d decoder) value(shape *wire.Shape, n *node, rv reflect.Value) error {
	switch shape.Kind {
	case wire.Structure:
		return d.members(shape, n, rv)
	case wire.List:
		return d.list(shape, n.children, rv)
	case wire.Map:
		return d.mapping(shape, n.children, rv)
	}
	return SetScalar(shape, n.text, rv)
}

// SetScalar parses text as a scalar shape into rv: XML elements, form fields,
// headers, labels and query parameters all spell scalars alike.
func SetScalar(shape *wire.Shape, text string, rv reflect.Value) error {
	bad := &wire.SerializationError{Message: "STRING_VALUE cannot be converted to " + kindName[shape.Kind]}
	trimmed := strings.TrimSpace(text)
	switch shape.Kind {
	case wire.String:
		rv.SetString(text)
	case wire.Boolean:
		switch strings.ToLower(trimmed) {
		case "true":
			rv.SetBool(true)
		case "false":
			rv.SetBool(false)
		default:
			return bad
		}
	case wire.Integer, wire.Long:
		n, err := strconv.ParseInt(trimmed, 10, 64)
		if err != nil {
			return bad
		}
		rv.SetInt(n)
	case wire.Float, wire.Double:
		f, err := strconv.ParseFloat(trimmed, 64)
		if err != nil {
			return bad
		}
		rv.SetFloat(f)
	case wire.Blob:
		b, err := base64.StdEncoding.DecodeString(trimmed)
		if err != nil {
			return bad
		}
		rv.SetBytes(b)
	case wire.Timestamp:
		t, err := wire.ParseTime(trimmed)
		if err != nil {
			return bad
		}
		rv.Set(reflect.ValueOf(t))
	}
	return nil
}

var kindName = map[wire.Kind]string{
	wire.Boolean: "Boolean", wire.Integer: "Integer", wire.Long: "Long", wire.Float: "Float", wire.Double: "Double",
	wire.Blob: "ByteBuffer", wire.Timestamp: "Date",
}

// DecodeChild is Decode for a structure that is the child of the root element
// with the given name: the result of the query protocol in its wrapper.
func DecodeChild(s *wire.Schema, id wire.ShapeID, body []byte, out any, child string) error {
	root, err := parse(body)
	if err != nil {
		return err
	}
	for _, c := range root.children {
		if c.name == child {
			return decoder{s}.members(s.Shape(id), c, reflect.ValueOf(out).Elem())
		}
	}
	return errMalformed
}

// Text returns the text of the element at a path below the root element, or
// "" if there is none.
func Text(body []byte, path ...string) string {
	at, err := parse(body)
	if err != nil {
		return ""
	}
next:
	for _, name := range path {
		for _, c := range at.children {
			if c.name == name {
				at = c
				continue next
			}
		}
		return ""
	}
	return at.text
}
