package policy

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Parse checks doc against the grammar of kind and compiles it. The error is
// always an *Error.
//
// Duplicate member names are refused as a syntax error: JSON parsers differ
// in which of the two wins, and a policy must not depend on that.
func Parse(doc []byte, kind Kind) (*Document, error) {
	raw, ok := readDocument(doc)
	if !ok {
		return nil, malformed(syntaxMessage(kind))
	}
	var err error
	switch kind {
	case Managed, Inline, Authorizer:
		err = checkIdentity(raw, kind)
	default:
		err = checkPrincipaled(raw, kind)
	}
	if err != nil {
		return nil, err
	}
	return compile(raw)
}

func syntaxMessage(kind Kind) string {
	if kind == Trust {
		return "This policy contains invalid Json"
	}
	return "Syntax errors in policy."
}

// rawDocument is a document that is right as JSON: every member is known and
// has an allowed type, but values are unchecked.
type rawDocument struct {
	version, id string
	hasVersion  bool
	statements  []rawStatement
}

type rawStatement struct {
	sid, effect             string
	hasEffect               bool
	action, notAction       *[]string
	resource, notResource   *[]string
	principal, notPrincipal []PrincipalRef
	hasPrincipal, hasNot    bool // Principal, NotPrincipal present
	principalText           bool // Principal was a bare string
	conditions              []rawCondition
}

type rawCondition struct {
	op     operatorName
	key    string
	values []string
}

type members = map[string]jsontext.Value

func readDocument(doc []byte) (*rawDocument, bool) {
	var top members
	if json.Unmarshal(doc, &top) != nil || top == nil {
		return nil, false
	}
	raw := &rawDocument{}
	for name, value := range top {
		ok := false
		switch name {
		case "Version":
			raw.version, ok = readString(value)
			raw.hasVersion = true
		case "Id":
			raw.id, ok = readString(value)
		case "Statement":
			raw.statements, ok = readStatements(value)
		}
		if !ok {
			return nil, false
		}
	}
	return raw, true
}

// readStatements takes one statement or a list of them.
func readStatements(value jsontext.Value) ([]rawStatement, bool) {
	var list []jsontext.Value
	switch value.Kind() {
	case '{':
		list = []jsontext.Value{value}
	case '[':
		if json.Unmarshal(value, &list) != nil {
			return nil, false
		}
	default:
		return nil, false
	}
	out := make([]rawStatement, len(list))
	for i, v := range list {
		if !readStatement(v, &out[i]) {
			return nil, false
		}
	}
	return out, true
}

func readStatement(value jsontext.Value, s *rawStatement) bool {
	var m members
	if value.Kind() != '{' || json.Unmarshal(value, &m) != nil {
		return false
	}
	for name, v := range m {
		if !readMember(name, v, s) {
			return false
		}
	}
	return true
}

func readMember(name string, v jsontext.Value, s *rawStatement) (ok bool) {
	switch name {
	case "Sid":
		s.sid, ok = readString(v)
	case "Effect":
		s.effect, ok = readString(v)
		s.hasEffect = true
	case "Action":
		s.action, ok = readStrings(v, false)
	case "NotAction":
		s.notAction, ok = readStrings(v, false)
	case "Resource":
		s.resource, ok = readStrings(v, true)
	case "NotResource":
		s.notResource, ok = readStrings(v, true)
	case "Principal":
		s.hasPrincipal, s.principalText = true, v.Kind() == '"'
		s.principal, ok = readPrincipals(v)
	case "NotPrincipal":
		s.hasNot = true
		s.notPrincipal, ok = readPrincipals(v)
	case "Condition":
		s.conditions, ok = readConditions(v)
	}
	return ok
}

func readString(v jsontext.Value) (string, bool) {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		return "", false
	}
	return s, true
}

// readStrings takes a string or a list of strings. IAM lets nulls pass in a
// list of resources; they name nothing.
func readStrings(v jsontext.Value, skipNull bool) (*[]string, bool) {
	out := []string{}
	if v.Kind() == '"' {
		s, ok := readString(v)
		return &[]string{s}, ok
	}
	var list []jsontext.Value
	if v.Kind() != '[' || json.Unmarshal(v, &list) != nil {
		return nil, false
	}
	for _, item := range list {
		if skipNull && item.Kind() == 'n' {
			continue
		}
		s, ok := readString(item)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return &out, true
}

// readPrincipals takes "*" or an object of lists.
func readPrincipals(v jsontext.Value) ([]PrincipalRef, bool) {
	if v.Kind() == '"' {
		s, ok := readString(v)
		return []PrincipalRef{{Type: "*", Value: s}}, ok && s == "*"
	}
	var m members
	if v.Kind() != '{' || json.Unmarshal(v, &m) != nil {
		return nil, false
	}
	var out []PrincipalRef
	for kind, list := range m {
		values, ok := readStrings(list, false)
		if !ok {
			return nil, false
		}
		for _, value := range *values {
			out = append(out, PrincipalRef{Type: kind, Value: value})
		}
	}
	return out, true
}

// readConditions takes {operator: {key: value or list}}. An operator that IAM
// does not know passes only if it has no keys, as IAM lets it.
func readConditions(v jsontext.Value) ([]rawCondition, bool) {
	var m map[string]jsontext.Value
	if v.Kind() != '{' || json.Unmarshal(v, &m) != nil {
		return nil, false
	}
	var out []rawCondition
	for name, block := range m {
		var keys members
		if block.Kind() != '{' || json.Unmarshal(block, &keys) != nil {
			return nil, false
		}
		op, known := parseOperator(name)
		if !known && len(keys) > 0 {
			return nil, false
		}
		for key, value := range keys {
			values, ok := readConditionValues(value)
			if !ok {
				return nil, false
			}
			out = append(out, rawCondition{op: op, key: key, values: values})
		}
	}
	return out, true
}

// readConditionValues takes strings, booleans and numbers, or a list of them.
func readConditionValues(v jsontext.Value) ([]string, bool) {
	list := []jsontext.Value{v}
	if v.Kind() == '[' {
		list = nil
		if json.Unmarshal(v, &list) != nil {
			return nil, false
		}
	}
	out := make([]string, 0, len(list))
	for _, item := range list {
		switch item.Kind() {
		case '"':
			s, ok := readString(item)
			if !ok {
				return nil, false
			}
			out = append(out, s)
		case 't', 'f', '0':
			out = append(out, string(item))
		default:
			return nil, false
		}
	}
	return out, true
}

// Principals lists the principals that the document names, for a service
// that must check that they exist. NotPrincipal entries are included.
func Principals(doc []byte) []PrincipalRef {
	raw, ok := readDocument(doc)
	if !ok {
		return nil
	}
	var out []PrincipalRef
	for i := range raw.statements {
		out = append(out, raw.statements[i].principal...)
		out = append(out, raw.statements[i].notPrincipal...)
	}
	return out
}

// InvalidPrincipal is IAM's text for a principal that can't be one; the type
// is printed as in the document except for SERVICE.
func InvalidPrincipal(ref PrincipalRef) string {
	kind := ref.Type
	if kind == "Service" {
		kind = strings.ToUpper(kind)
	}
	return `Invalid principal in policy: "` + kind + `":"` + ref.Value + `"`
}
