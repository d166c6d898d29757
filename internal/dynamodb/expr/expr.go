// Package expr reads and runs DynamoDB's expressions: conditions and filters,
// key conditions, updates and projections, and the legacy parameters
// (Expected, AttributeUpdates, KeyConditions, ...) as the same trees.
//
// A Scope carries the attribute names and values of one request. Its methods
// parse one expression each, in the order in which DynamoDB looks at them;
// CheckUsed then finds names and values that no expression used. Every error
// is an *attr.ValidationError with DynamoDB's text, without the envelope that
// some operations put around it.
//
// Parsing takes time and stack linear in an expression's length. The package
// does no I/O and knows tables only as far as key attribute names and types.
package expr

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

// Limits of one expression (Developer Guide, "Quotas": expression
// parameters). The length is that of the text as sent.
const (
	MaxLength    = 4096
	MaxOperators = 300
	MaxIn        = 100
)

// The parameters that hold expressions, as error texts name them.
const (
	ConditionExpression    = "ConditionExpression"
	FilterExpression       = "FilterExpression"
	KeyConditionExpression = "KeyConditionExpression"
	UpdateExpression       = "UpdateExpression"
	ProjectionExpression   = "ProjectionExpression"
)

func invalid(format string, args ...any) *attr.ValidationError {
	return &attr.ValidationError{Message: fmt.Sprintf(format, args...)}
}

// inExpression puts the name of the parameter before a complaint about it.
func inExpression(param string, err error) error {
	return invalid("Invalid %s: %s", param, err.Error())
}

// Scope is what the expressions of one request refer to, and which of it they
// have used so far. It is not safe for concurrent use.
type Scope struct {
	names      map[string]string
	values     attr.Item
	usedNames  map[string]struct{}
	usedValues map[string]struct{}
}

// NewScope checks ExpressionAttributeNames and ExpressionAttributeValues;
// either may be nil if the request does not have it. Values are expected to
// have been validated (attr.Item.Validate).
func NewScope(names map[string]string, values attr.Item) (*Scope, error) {
	s := &Scope{names: names, values: values}
	if names != nil {
		s.usedNames = make(map[string]struct{}, len(names))
		if err := checkKeys("ExpressionAttributeNames", '#', names); err != nil {
			return nil, err
		}
	}
	if values != nil {
		s.usedValues = make(map[string]struct{}, len(values))
		if err := checkKeys("ExpressionAttributeValues", ':', values); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func checkKeys[V any](param string, sigil byte, m map[string]V) error {
	if len(m) == 0 {
		return invalid("%s must not be empty", param)
	}
	bad := ""
	for key := range m {
		if !isPlaceholder(key, sigil) && (bad == "" || key < bad) {
			bad = key
		}
		if key == "" {
			return invalid("%s contains invalid key: Syntax error; key: \"\"", param)
		}
	}
	if bad != "" {
		return invalid("%s contains invalid key: Syntax error; key: %q", param, bad)
	}
	return nil
}

func isPlaceholder(key string, sigil byte) bool {
	if len(key) < 2 || key[0] != sigil {
		return false
	}
	for i := 1; i < len(key); i++ {
		if !isWordByte(key[i]) {
			return false
		}
	}
	return true
}

// CheckUsed reports the names, then the values, that no expression parsed
// from s has used.
func (s *Scope) CheckUsed() error {
	if unused := unusedOf(s.names, s.usedNames); unused != "" {
		return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", unused)
	}
	if unused := unusedOf(s.values, s.usedValues); unused != "" {
		return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", unused)
	}
	return nil
}

func unusedOf[V any](all map[string]V, used map[string]struct{}) string {
	if len(used) == len(all) {
		return ""
	}
	var unused []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if _, ok := used[key]; !ok {
			unused = append(unused, key)
		}
	}
	return strings.Join(unused, ", ")
}

// name returns the attribute name behind a placeholder and marks it used.
func (s *Scope) name(placeholder string) (string, error) {
	n, ok := s.names[placeholder]
	if !ok {
		return "", invalid("An expression attribute name used in the document path is not defined; attribute name: %s", placeholder)
	}
	s.usedNames[placeholder] = struct{}{}
	return n, nil
}

// value returns the value behind a placeholder and marks it used.
func (s *Scope) value(placeholder string) (attr.Value, error) {
	v, ok := s.values[placeholder]
	if !ok {
		return attr.Value{}, invalid("An expression attribute value used in expression is not defined; attribute value: %s", placeholder)
	}
	s.usedValues[placeholder] = struct{}{}
	return v, nil
}

// Step is one step of a document path: an attribute name, or an index into a
// list.
type Step struct {
	Name  string
	Index int // meaningful if Name is not the step
	// IsIndex tells the two apart, since "" is an attribute name.
	IsIndex bool
}

// Path leads to an attribute or into the document it holds. The first step is
// always a name.
type Path []Step

// TopPath returns the path of a top-level attribute.
func TopPath(name string) Path { return Path{{Name: name}} }

// Top returns the name of the top-level attribute.
func (p Path) Top() string { return p[0].Name }

// String prints the path as DynamoDB's messages do: [a, [0], b].
func (p Path) String() string {
	parts := make([]string, len(p))
	for i, s := range p {
		parts[i] = s.Name
		if s.IsIndex {
			parts[i] = "[" + strconv.Itoa(s.Index) + "]"
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// Lookup returns the value at p in it; absent if there is none.
func (p Path) Lookup(it attr.Item) attr.Value {
	v := it[p[0].Name]
	for _, s := range p[1:] {
		switch {
		case s.IsIndex && v.Kind() == attr.L && s.Index < len(v.Elements()):
			v = v.Elements()[s.Index]
		case !s.IsIndex && v.Kind() == attr.M:
			v = v.Fields()[s.Name]
		default:
			return attr.Value{}
		}
	}
	return v
}
