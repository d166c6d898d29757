package main

import (
	"bytes"
	"fmt"
	"strings"
)

func (p *pkg) schema() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "var schema = wire.Schema{Service: %s, Shapes: shapes[:]}\n\n", quote(p.Name))
	b.WriteString("var shapes = [...]wire.Shape{\n")
	for i, name := range p.shapes {
		fmt.Fprintf(&b, "%d: %s,\n", i, p.shapeLiteral(name))
	}
	b.WriteString("}\n")
	return p.file(b.String())
}

func (p *pkg) shapeLiteral(name string) string {
	s := p.Shapes[name]
	f := []string{"Name: " + quote(name)}
	if p.isExternal(name) {
		return "{" + strings.Join(append(f, "Kind: wire.External"), ", ") + "}"
	}
	f = append(f, "Kind: wire."+kinds[s.Type])
	add := func(cond bool, format string, args ...any) {
		if cond {
			f = append(f, fmt.Sprintf(format, args...))
		}
	}
	if s.Element != nil {
		f = append(f, "Element: "+p.ref(s.Element))
	}
	if s.Key != nil {
		f = append(f, "Key: "+p.ref(s.Key), "Value: "+p.ref(s.Value))
	}
	add(s.Flattened, "Flattened: true")
	add(s.Min != nil, "Min: wire.Bound(%v)", deref(s.Min))
	add(s.Max != nil, "Max: wire.Bound(%v)", deref(s.Max))
	add(s.Pattern != "", "Pattern: %s", quote(s.Pattern))
	add(len(s.Enum) > 0, "Enum: %#v", s.Enum)
	add(s.TimestampFormat != "", "TimestampFormat: %s", quote(s.TimestampFormat))
	add(s.EventStream, "EventStream: true")
	if s.Error != nil {
		f = append(f, fmt.Sprintf("Error: &wire.ErrorTrait{Code: %s, Status: %d, Fault: %v}", quote(p.errorCode(name)), p.errorStatus(s), s.Error.Fault))
	}
	if s.Type == "structure" {
		payload := -1
		var members []string
		for i, m := range s.Members {
			if m.Name == s.Payload {
				payload = i
			}
			members = append(members, p.member(m, s.Error != nil))
		}
		if s.Error != nil && s.messageMember() == "" {
			members = append(members, fmt.Sprintf("{Name: \"message\", Field: \"Message\", Ref: wire.Ref{Shape: %d, Wire: \"message\"}}", p.anyStringShape()))
		}
		f = append(f, fmt.Sprintf("Payload: %d", payload))
		add(len(members) > 0, "Members: []wire.Member{\n%s,\n}", strings.Join(members, ",\n"))
	}
	return "{" + strings.Join(f, ", ") + "}"
}

// anyStringShape is an unconstrained string, for the message of an error
// whose model has no member for it.
func (p *pkg) anyStringShape() int {
	for i, name := range p.shapes {
		s := p.Shapes[name]
		if s.Type == "string" && s.Min == nil && s.Max == nil && s.Pattern == "" && len(s.Enum) == 0 {
			return i
		}
	}
	panic(p.Name + ": no plain string shape")
}

func (p *pkg) member(m Member, isError bool) string {
	f := []string{"Name: " + quote(m.Name), "Field: " + quote(fieldName(m.Name, isError))}
	if m.Required {
		f = append(f, "Required: true")
	}
	if m.IdempotencyToken {
		f = append(f, "Token: true")
	}
	ref := m.Ref
	if ref.LocationName == "" {
		ref.LocationName = m.Name
	}
	return "{" + strings.Join(append(f, "Ref: "+p.ref(&ref)), ", ") + "}"
}

func (p *pkg) ref(r *Ref) string {
	f := []string{fmt.Sprintf("Shape: %d", p.ids[r.Shape])}
	add := func(cond bool, text string) {
		if cond {
			f = append(f, text)
		}
	}
	add(r.LocationName != "", "Wire: "+quote(r.LocationName))
	add(r.QueryName != "", "QueryName: "+quote(r.QueryName))
	add(r.Location != "", "Location: wire."+locations[r.Location])
	add(r.Flattened, "Flattened: true")
	add(r.Streaming, "Streaming: true")
	add(r.XMLAttribute, "XMLAttribute: true")
	add(r.XMLNamespace != "", "XMLNamespace: "+quote(r.XMLNamespace))
	add(r.TimestampFormat != "", "TimestampFormat: "+quote(r.TimestampFormat))
	add(r.JSONValue, "JSONValue: true")
	add(r.EmptyIsNull, "EmptyIsNull: true")
	return "wire.Ref{" + strings.Join(f, ", ") + "}"
}

func (p *pkg) id(shape string) int {
	if shape == "" {
		return -1
	}
	return p.ids[shape]
}
