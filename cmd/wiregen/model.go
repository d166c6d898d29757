package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Model holds the facts of one service that the wire layer needs: names,
// types, bindings, constraints and errors. Its file form is JSON with one
// operation or shape a line, so that a new model version reads well in a diff.
type Model struct {
	Name       string
	Service    Service
	Operations map[string]*Operation
	Shapes     map[string]*Shape
}

// Service is the metadata of a model.
type Service struct {
	ID           string `json:"id"`
	Version      string `json:"version"`
	Protocol     string `json:"protocol"`
	Endpoint     string `json:"endpoint"`
	SigningName  string `json:"signingName"`
	TargetPrefix string `json:"targetPrefix,omitempty"`
	JSONVersion  string `json:"jsonVersion,omitempty"`
	XMLNamespace string `json:"xmlNamespace,omitempty"`
}

// Operation is one API call.
type Operation struct {
	Method    string   `json:"method"`
	URI       string   `json:"uri"`
	Status    int      `json:"status,omitempty"`
	Input     string   `json:"in,omitempty"`
	InputRoot *XMLRoot `json:"inRoot,omitempty"`
	Output    string   `json:"out,omitempty"`
	Wrapper   string   `json:"wrapper,omitempty"`
	Errors    []string `json:"errors,omitempty"`
	Unshaped  bool     `json:"unshaped,omitempty"` // its shapes were left out
}

// XMLRoot is the root element of a REST-XML request body.
type XMLRoot struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"ns,omitempty"`
}

// Shape is one type. Members keep the model's order.
type Shape struct {
	Type            string   `json:"type"`
	Members         []Member `json:"members,omitempty"`
	Payload         string   `json:"payload,omitempty"`
	Element         *Ref     `json:"element,omitempty"`
	Key             *Ref     `json:"key,omitempty"`
	Value           *Ref     `json:"value,omitempty"`
	Flattened       bool     `json:"flattened,omitempty"`
	Min             *float64 `json:"min,omitempty"`
	Max             *float64 `json:"max,omitempty"`
	Pattern         string   `json:"pattern,omitempty"`
	Enum            []string `json:"enum,omitempty"`
	TimestampFormat string   `json:"timestampFormat,omitempty"`
	EventStream     bool     `json:"eventstream,omitempty"`
	Error           *Error   `json:"error,omitempty"`
}

// Member is one member of a structure.
type Member struct {
	Name     string `json:"name"`
	Required bool   `json:"required,omitempty"`
	Ref
}

// Ref is a use of a shape.
type Ref struct {
	Shape            string `json:"shape"`
	Location         string `json:"loc,omitempty"`
	LocationName     string `json:"as,omitempty"`
	QueryName        string `json:"query,omitempty"`
	Flattened        bool   `json:"flattened,omitempty"`
	Streaming        bool   `json:"streaming,omitempty"`
	XMLAttribute     bool   `json:"attr,omitempty"`
	XMLNamespace     string `json:"ns,omitempty"`
	TimestampFormat  string `json:"timestampFormat,omitempty"`
	IdempotencyToken bool   `json:"token,omitempty"`
	JSONValue        bool   `json:"jsonvalue,omitempty"`
	EmptyIsNull      bool   `json:"emptyisnull,omitempty"`
}

// Error is the error trait of a structure.
type Error struct {
	Code   string `json:"code,omitempty"`
	Status int    `json:"status,omitempty"`
	Fault  bool   `json:"fault,omitempty"` // the server's fault
}

// reach marks a shape and those that it is made of.
func (m *Model) reach(name string, seen map[string]bool) {
	if name == "" || seen[name] {
		return
	}
	seen[name] = true
	if m.isExternal(name) {
		return
	}
	s := m.Shapes[name]
	for _, member := range s.Members {
		m.reach(member.Shape, seen)
	}
	for _, r := range []*Ref{s.Element, s.Key, s.Value} {
		if r != nil {
			m.reach(r.Shape, seen)
		}
	}
}

func (m *Model) isExternal(name string) bool {
	_, ok := external[m.Name][name]
	return ok
}

type modelLine struct {
	Service   *Service   `json:"service,omitempty"`
	Op        string     `json:"op,omitempty"`
	Shape     string     `json:"shape,omitempty"`
	Operation *Operation `json:"operation,omitempty"`
	Is        *Shape     `json:"is,omitempty"`
}

func (m *Model) write(dir string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	lines := []modelLine{{Service: &m.Service}}
	for _, name := range slices.Sorted(maps.Keys(m.Operations)) {
		lines = append(lines, modelLine{Op: name, Operation: m.Operations[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(m.Shapes)) {
		lines = append(lines, modelLine{Shape: name, Is: m.Shapes[name]})
	}
	for _, line := range lines {
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, m.Name+".jsonl"), b.Bytes(), 0o644)
}

func readModel(dir, name string) (*Model, error) {
	f, err := os.Open(filepath.Join(dir, name+".jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &Model{Name: name, Operations: map[string]*Operation{}, Shapes: map[string]*Shape{}}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l modelLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		switch {
		case l.Service != nil:
			m.Service = *l.Service
		case l.Op != "":
			m.Operations[l.Op] = l.Operation
		case l.Shape != "":
			m.Shapes[l.Shape] = l.Is
		}
	}
	return m, lines.Err()
}
