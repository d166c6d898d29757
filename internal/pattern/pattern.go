// Package pattern decides which events an event source mapping's filters let
// through. A pattern is JSON of the event's own form whose leaves are lists of
// what may stand there (Developer Guide: "Control which events Lambda sends to
// your function", filter rule syntax). It is pure.
package pattern

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrInvalid says that a text is no pattern.
var ErrInvalid = errors.New("pattern: invalid filter pattern")

// invalidError is an ErrInvalid with what is wrong, in AWS's words.
type invalidError struct{ reason string }

func (e *invalidError) Error() string { return ErrInvalid.Error() + ": " + e.reason }

// Is implements what errors.Is asks for.
func (*invalidError) Is(target error) bool { return target == ErrInvalid }

func invalid(format string, args ...any) error { return &invalidError{fmt.Sprintf(format, args...)} }

// Reason is what is wrong with a pattern, by Compile's error, in AWS's words:
// those of its matcher, which EventBridge and SNS answer with, without the
// place in the text.
func Reason(err error) string {
	if e, ok := errors.AsType[*invalidError](err); ok {
		return e.reason
	}
	return "failed to parse JSON."
}

// Pattern is a compiled pattern. It is immutable.
type Pattern struct{ root *node }

// node is what must hold at one place of an event: of its members, of itself,
// or of at least one of several alternatives.
type node struct {
	members map[string]*node
	any     []*node // $or
	leaf    []rule  // one of which must match
}

// rule is one element of a leaf. present tells whether there is a value.
type rule func(v any, present bool) bool

// Compile reads a pattern.
func Compile(text string) (*Pattern, error) {
	var raw any
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, ErrInvalid
	}
	object, ok := raw.(map[string]any)
	if !ok {
		return nil, invalid("Filter is not an object")
	}
	root, err := compile(object)
	if err != nil {
		return nil, err
	}
	return &Pattern{root}, nil
}

// Matches reports whether an event, as decoded JSON, fits the pattern.
func (p *Pattern) Matches(event any) bool { return p.root.matches(event, true) }

// Asks reports whether the pattern has something to say about members of the
// member of this name: whether it is for values that are objects.
func (p *Pattern) Asks(name string) bool {
	n := p.root.members[name]
	return n != nil && n.leaf == nil
}

func compile(object map[string]any) (*node, error) {
	n := &node{members: map[string]*node{}}
	for name, value := range object {
		if name == "$or" {
			if err := n.alternatives(value); err != nil {
				return nil, err
			}
			continue
		}
		child, err := compileMember(name, value)
		if err != nil {
			return nil, err
		}
		n.members[name] = child
	}
	return n, nil
}

func (n *node) alternatives(value any) error {
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		return ErrInvalid
	}
	for _, alternative := range list {
		object, ok := alternative.(map[string]any)
		if !ok {
			return ErrInvalid
		}
		child, err := compile(object)
		if err != nil {
			return err
		}
		n.any = append(n.any, child)
	}
	return nil
}

func compileMember(name string, value any) (*node, error) {
	switch value := value.(type) {
	case map[string]any:
		return compile(value)
	case []any:
		n := &node{leaf: []rule{}}
		for _, element := range value {
			r, err := compileRule(element)
			if err != nil {
				return nil, err
			}
			n.leaf = append(n.leaf, r)
		}
		if len(n.leaf) == 0 {
			return nil, invalid("Empty arrays are not allowed")
		}
		return n, nil
	}
	return nil, invalid("%q must be an object or an array", name)
}

func (n *node) matches(v any, present bool) bool {
	if n.leaf != nil {
		return n.leafMatches(v, present)
	}
	if len(n.any) > 0 && !slices.ContainsFunc(n.any, func(one *node) bool { return one.matches(v, present) }) {
		return false
	}
	// A list of objects fits if one of them does.
	if list, ok := v.([]any); ok {
		for _, element := range list {
			if n.matches(element, true) {
				return true
			}
		}
		return false
	}
	object, _ := v.(map[string]any)
	for name, child := range n.members {
		value, there := object[name]
		if !child.matches(value, there) {
			return false
		}
	}
	return true
}

func (n *node) leafMatches(v any, present bool) bool {
	if list, ok := v.([]any); ok {
		for _, element := range list {
			if n.leafMatches(element, true) {
				return true
			}
		}
		return false
	}
	for _, r := range n.leaf {
		if r(v, present) {
			return true
		}
	}
	return false
}

func compileRule(element any) (rule, error) {
	object, ok := element.(map[string]any)
	if !ok {
		if _, list := element.([]any); list {
			return nil, invalid("Match value must be String, number, true, false, or null")
		}
		return func(v any, present bool) bool { return present && v == element }, nil
	}
	if len(object) != 1 {
		return nil, invalid("Only one key allowed in match expression")
	}
	for name, argument := range object {
		return compileOperator(name, argument)
	}
	return nil, ErrInvalid
}

func compileOperator(name string, argument any) (rule, error) {
	text, isText := argument.(string)
	switch name {
	case "exists":
		want, ok := argument.(bool)
		if !ok {
			return nil, invalid("exists match pattern must be either true or false.")
		}
		// Only leaves exist (EventBridge User Guide: "exists matching").
		return func(v any, present bool) bool {
			_, object := v.(map[string]any)
			return (present && !object) == want
		}, nil
	case "prefix":
		return onText(name, isText, func(v string) bool { return strings.HasPrefix(v, text) })
	case "suffix":
		return onText(name, isText, func(v string) bool { return strings.HasSuffix(v, text) })
	case "equals-ignore-case":
		return onText(name, isText, func(v string) bool { return strings.EqualFold(v, text) })
	case "wildcard":
		return onText(name, isText, func(v string) bool { return wild(text, v) })
	case "cidr":
		block, err := netip.ParsePrefix(text)
		return onText(name, isText && err == nil, func(v string) bool {
			a, err := netip.ParseAddr(v)
			return err == nil && block.Contains(a)
		})
	case "anything-but":
		return compileBut(argument)
	case "numeric":
		return compileNumeric(argument)
	}
	return nil, invalid("Unrecognized match type %s", name)
}

func onText(name string, ok bool, match func(string) bool) (rule, error) {
	if !ok {
		return nil, invalid("%s match pattern must be a string", name)
	}
	return func(v any, _ bool) bool {
		text, isText := v.(string)
		return isText && match(text)
	}, nil
}

// wild matches text with "*" for any number of characters.
func wild(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, last)
}

// compileBut reads the argument of anything-but: values, or another operator.
func compileBut(argument any) (rule, error) {
	if _, operator := argument.(map[string]any); !operator {
		if list, ok := argument.([]any); ok {
			return but(list)
		}
		return but([]any{argument})
	}
	inner, err := compileRule(argument)
	if err != nil {
		return nil, err
	}
	return func(v any, present bool) bool { return present && !inner(v, present) }, nil
}

func but(values []any) (rule, error) {
	return func(v any, present bool) bool {
		for _, other := range values {
			if v == other {
				return false
			}
		}
		return present
	}, nil
}

// compileNumeric reads comparisons, such as [">", 0, "<=", 5].
func compileNumeric(argument any) (rule, error) {
	list, ok := argument.([]any)
	if !ok || len(list) == 0 || len(list)%2 != 0 {
		return nil, ErrInvalid
	}
	var checks []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		sign, _ := list[i].(string)
		limit, isNumber := list[i+1].(float64)
		if !isNumber {
			return nil, ErrInvalid
		}
		switch sign {
		case "=":
			checks = append(checks, func(n float64) bool { return n == limit })
		case "<":
			checks = append(checks, func(n float64) bool { return n < limit })
		case "<=":
			checks = append(checks, func(n float64) bool { return n <= limit })
		case ">":
			checks = append(checks, func(n float64) bool { return n > limit })
		case ">=":
			checks = append(checks, func(n float64) bool { return n >= limit })
		default:
			return nil, ErrInvalid
		}
	}
	return func(v any, _ bool) bool {
		n, isNumber := v.(float64)
		if !isNumber {
			return false
		}
		for _, check := range checks {
			if !check(n) {
				return false
			}
		}
		return true
	}, nil
}

// Decode reads an event for Matches.
func Decode(text []byte) (any, error) {
	var v any
	err := json.Unmarshal(text, &v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return v, err
}
