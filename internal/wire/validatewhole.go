package wire

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// fails reports whether a value breaks a constraint of its shape.
func (v *validator) fails(ref Ref, rv reflect.Value) bool {
	inner := validator{schema: v.schema, exempt: v.exempt, whole: true}
	inner.value(v.schema.Shape(ref.Shape), rv, "")
	return len(inner.found) > 0
}

// elements reports a list once if any of its elements fails.
func (v *validator) elements(shape *Shape, rv reflect.Value, path string) {
	for i := range rv.Len() {
		if v.fails(shape.Element, rv.Index(i)) {
			v.add(Violation{Path: path, Value: v.schema.JavaText(shape, rv), Rule: "Member must satisfy constraint: " + v.constraints(shape.Element)})
			return
		}
	}
}

// entries reports a map once for its keys and once for its values.
func (v *validator) entries(shape *Shape, rv reflect.Value, path string) {
	var keys, values bool
	for it := rv.MapRange(); it.Next(); {
		keys = keys || v.fails(shape.Key, it.Key())
		values = values || v.fails(shape.Value, it.Value())
	}
	if keys {
		v.add(Violation{Path: path, Value: v.schema.JavaText(shape, rv), Rule: "Map keys must satisfy constraint: " + v.constraints(shape.Key)})
	}
	if values {
		v.add(Violation{Path: path, Value: v.schema.JavaText(shape, rv), Rule: "Map value must satisfy constraint: " + v.constraints(shape.Value)})
	}
}

// constraints lists what an element must satisfy, in AWS's order.
func (v *validator) constraints(ref Ref) string {
	shape := v.schema.Shape(ref.Shape)
	size, limit := "length", whole
	if shape.Kind != String {
		size = "value"
	}
	if shape.Kind == Double || shape.Kind == Float {
		limit = JavaDouble
	}
	var rules []string
	if len(shape.Enum) > 0 {
		rules = append(rules, "Member must satisfy enum value set: ["+strings.Join(shape.Enum, ", ")+"]")
	}
	if shape.Max.Set {
		rules = append(rules, "Member must have "+size+" less than or equal to "+limit(shape.Max.Value))
	}
	if shape.Min.Set {
		rules = append(rules, "Member must have "+size+" greater than or equal to "+limit(shape.Min.Value))
	}
	if shape.Pattern != "" {
		rules = append(rules, "Member must satisfy regular expression pattern: "+shape.Pattern)
	}
	return "[" + strings.Join(append(rules, notNull), ", ") + "]"
}

// JavaText is a value as AWS's front ends print it in messages: lists as
// [a, b], maps as {a=b}, structures as Name(member=value, other=null).
func (s *Schema) JavaText(shape *Shape, rv reflect.Value) string {
	if rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return "null"
		}
		rv = rv.Elem()
	}
	var parts []string
	switch shape.Kind {
	case Structure:
		for i := range shape.Members {
			m := &shape.Members[i]
			text := "null"
			if field := rv.Field(i); !field.IsNil() {
				text = s.JavaText(s.Shape(m.Shape), field)
			}
			parts = append(parts, join("", m.Name)+"="+text)
		}
		return shape.Name + "(" + strings.Join(parts, ", ") + ")"
	case List:
		for i := range rv.Len() {
			parts = append(parts, s.JavaText(s.Shape(shape.Element.Shape), rv.Index(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case Map:
		texts := map[string]string{}
		for it := rv.MapRange(); it.Next(); {
			texts[it.Key().String()] = s.JavaText(s.Shape(shape.Value.Shape), it.Value())
		}
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			parts = append(parts, key+"="+texts[key])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case Double, Float:
		return JavaDouble(rv.Float())
	}
	return fmt.Sprint(rv.Interface())
}

// JavaDouble prints a number as AWS's services in Java do: 2.0, not 2.
func JavaDouble(f float64) string {
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
