package main

import (
	"bytes"
	"fmt"
	"strings"
)

func (p *pkg) errors() string {
	var b bytes.Buffer
	for _, name := range p.shapes {
		s := p.Shapes[name]
		if s.Error == nil {
			continue
		}
		goName := exported(name)
		fmt.Fprintf(&b, "// %s is a modelled error: %s, HTTP status %d.\n", goName, p.errorCode(name), p.errorStatus(s))
		p.structBody(&b, name)
		fmt.Fprintf(&b, "// Error implements error.\nfunc (e *%s) Error() string { return wire.ErrorText(%s, e.Message) }\n\n", goName, quote(p.errorCode(name)))
		fmt.Fprintf(&b, "// ErrorShape implements wire.ModelledError.\nfunc (*%s) ErrorShape() (*wire.Schema, wire.ShapeID) { return &schema, %d }\n\n", goName, p.ids[name])
	}
	return p.file(b.String())
}

func (p *pkg) errorCode(name string) string {
	if e := p.Shapes[name].Error; e.Code != "" {
		return e.Code
	}
	return name
}

// errorStatus is the HTTP status of an error: JSON-protocol models state
// none, there it is 400, or 500 for the server's faults.
func (p *pkg) errorStatus(s *Shape) int {
	switch {
	case s.Error.Status != 0:
		return s.Error.Status
	case s.Error.Fault:
		return 500
	}
	return 400
}

func (s *Shape) messageMember() string {
	for _, m := range s.Members {
		if strings.EqualFold(m.Name, "message") {
			return m.Name
		}
	}
	return ""
}
