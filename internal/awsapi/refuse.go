package awsapi

import (
	"fmt"
	"reflect"
	"slices"
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

// refusal is a wire.Refusal of an operation, and the way to its member: the
// indices of members, from one structure to the next through whatever lists
// and maps hold them.
type refusal struct {
	wire.Refusal
	path []int
}

// compileRefusals finds the members of what a service refuses, by operation.
// One without an operation is of each that has such a member.
func (s *service) compileRefusals(all []wire.Refusal) (map[string][]refusal, error) {
	out := map[string][]refusal{}
	for i := range s.Operations {
		op := &s.Operations[i]
		if op.NewInput == nil {
			continue
		}
		for _, r := range all {
			if r.Operation != "" && r.Operation != op.Name {
				continue
			}
			path, ok := s.pathTo(op.Input, strings.Split(r.Member, "."))
			if !ok && r.Operation != "" {
				return nil, fmt.Errorf("awsapi: %s %s has no parameter %s to refuse", s.ID, op.Name, r.Member)
			}
			if ok {
				out[op.Name] = append(out[op.Name], refusal{r, path})
			}
		}
	}
	return out, nil
}

// pathTo finds a member by the names on the way to it.
func (s *service) pathTo(id wire.ShapeID, names []string) (path []int, ok bool) {
	for len(names) > 0 {
		shape := s.Schema.Shape(id)
		switch shape.Kind {
		case wire.List:
			id = shape.Element.Shape
			continue
		case wire.Map:
			id = shape.Value.Shape
			continue
		case wire.Structure:
		default:
			return nil, false
		}
		i := slices.IndexFunc(shape.Members, func(m wire.Member) bool { return m.Name == names[0] })
		if i < 0 {
			return nil, false
		}
		path, id, names = append(path, i), shape.Members[i].Shape, names[1:]
	}
	return path, true
}

// refuse answers a request that sets a parameter which butai can't honour:
// never success with the parameter dropped.
func (s *service) refuse(op *wire.Operation, in any) error {
	for _, r := range s.refusals[op.Name] {
		if s.isSet(op.Input, reflect.ValueOf(in).Elem(), r.path) {
			return wire.NotBuilt("parameter %s of %s %s: %s", r.Member, s.ID, op.Name, r.Reason)
		}
	}
	return nil
}

// isSet reports whether the member at path has a value; a path through a list
// or map is set if it is set in any element.
func (s *service) isSet(id wire.ShapeID, rv reflect.Value, path []int) bool {
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
		if field := rv.Field(path[0]); !field.IsNil() {
			return s.isSet(shape.Members[path[0]].Shape, reflect.Indirect(field), path[1:])
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
