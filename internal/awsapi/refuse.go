package awsapi

import (
	"reflect"
	"strings"

	"github.com/butai-dev/butai/internal/wire"
)

// notBuilt answers a call of an operation that butai doesn't have.
func (s *service) notBuilt(op *wire.Operation) error {
	if e, ok := s.impl.(wire.Explainer); ok {
		if why := e.WhyNot(op); why != "" {
			return wire.NotBuilt("%s %s: %s", s.ID, op.Name, why)
		}
	}
	return wire.NotBuilt("%s %s", s.ID, op.Name)
}

// refuse answers a request that sets a parameter which butai can't honour:
// never success with the parameter dropped.
func (s *service) refuse(op *wire.Operation, in any) error {
	for _, group := range [][]wire.Refusal{s.refusals[op.Name], s.refusals[""]} {
		for _, r := range group {
			if s.isSet(op.Input, reflect.ValueOf(in).Elem(), strings.Split(r.Member, ".")) {
				return wire.NotBuilt("parameter %s of %s %s: %s", r.Member, s.ID, op.Name, r.Reason)
			}
		}
	}
	return nil
}

// isSet reports whether the member at path has a value; a path through a list
// or map is set if it is set in any element.
func (s *service) isSet(id wire.ShapeID, rv reflect.Value, path []string) bool {
	if len(path) == 0 {
		return !s.blank(id, rv)
	}
	shape := s.Schema.Shape(id)
	switch shape.Kind {
	case wire.List:
		for i := range rv.Len() {
			if s.isSet(shape.Element.Shape, rv.Index(i), path) {
				return true
			}
		}
	case wire.Map:
		for it := rv.MapRange(); it.Next(); {
			if s.isSet(shape.Value.Shape, it.Value(), path) {
				return true
			}
		}
	case wire.Structure:
		for i := range shape.Members {
			if shape.Members[i].Name == path[0] && !rv.Field(i).IsNil() {
				return s.isSet(shape.Members[i].Shape, reflect.Indirect(rv.Field(i)), path[1:])
			}
		}
	}
	return false
}

// blank reports whether a value asks for nothing: false, empty text, and
// structures and collections of nothing else. Terraform and the SDKs send
// them for settings that nobody made.
func (s *service) blank(id wire.ShapeID, rv reflect.Value) bool {
	shape := s.Schema.Shape(id)
	switch shape.Kind {
	case wire.List, wire.Map, wire.String, wire.Blob:
		return rv.Len() == 0
	case wire.Boolean:
		return !rv.Bool()
	case wire.Structure:
		for i := range shape.Members {
			if f := rv.Field(i); !f.IsNil() && !s.blank(shape.Members[i].Shape, reflect.Indirect(f)) {
				return false
			}
		}
		return true
	}
	return false
}
