package negative

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"

	"github.com/butai-dev/butai/internal/wire"
)

// badInput is one broken request.
type badInput struct {
	name string
	in   tree
}

// samples are values that most of the models' strings accept.
var samples = []string{
	"abcdef", "200", "a1b2c3d4e5", "/", "1", "v1", "000000000000", "AKIAIOSFODNN7EXAMPLE", "Z0123456789ABCDEFGHI", "example.com", "a.b",
	"12345678-1234-1234-1234-123456789012", "lambda:InvokeFunction", "lambda.amazonaws.com", "index.handler",
	"arn:aws:iam::000000000000:role/absent", "arn:aws:lambda:us-east-1:000000000000:function:absent",
	"arn:aws:acm:us-east-1:000000000000:certificate/12345678-1234-1234-1234-123456789012",
	"arn:aws:dynamodb:us-east-1:000000000000:table/absent", "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0",
	`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`,
}

// strangers are values that hardly any pattern accepts.
var strangers = []string{"*** no ***", "\u00a1no!", "a b", "§"}

func fits(shape *wire.Shape, s string) bool {
	n := float64(utf8.RuneCountInString(s))
	return !(shape.Min.Set && n < shape.Min.Value) && !(shape.Max.Set && n > shape.Max.Value)
}

func matches(shape *wire.Shape, s string) bool {
	if shape.Pattern == "" {
		return true
	}
	re, err := regexp2.Compile(`\A(?:`+shape.Pattern+`)\z`, regexp2.None)
	if err != nil {
		return true
	}
	ok, err := re.MatchString(s)
	return ok && err == nil
}

// valid makes a value that the model accepts, with the required members only.
func valid(s *wire.Schema, id wire.ShapeID, depth int) any {
	shape := s.Shape(id)
	switch shape.Kind {
	case wire.Structure:
		out := tree{}
		for _, m := range shape.Members {
			if m.Required && depth < 8 {
				out[m.Name] = valid(s, m.Shape, depth+1)
			}
		}
		return out
	case wire.List:
		out := []any{}
		for range max(1, int(shape.Min.Value)) {
			out = append(out, valid(s, shape.Element.Shape, depth+1))
		}
		return out
	case wire.Map:
		return tree{"key": valid(s, shape.Value.Shape, depth+1)}
	case wire.String:
		return validText(shape)
	case wire.Integer, wire.Long, wire.Float, wire.Double:
		return max(1, int(shape.Min.Value))
	case wire.Boolean:
		return false
	case wire.Timestamp:
		return 1700000000
	case wire.External:
		return tree{"S": "text"}
	}
	return "YWJj" // a blob
}

func validText(shape *wire.Shape) string {
	if len(shape.Enum) > 0 {
		return shape.Enum[0]
	}
	if strings.HasSuffix(strings.ToLower(shape.Name), "policydocumenttype") {
		return samples[len(samples)-1]
	}
	for _, s := range samples {
		if fits(shape, s) && matches(shape, s) {
			return s
		}
	}
	return strings.Repeat("a", max(1, int(shape.Min.Value)))
}

// badInputs breaks each member of an operation's input in every way that the
// model rules out. Members that skip is true for are left alone.
func badInputs(m *wire.ServiceModel, op *wire.Operation, skip func(*wire.Member) bool) []badInput {
	if op.Input < 0 {
		return nil
	}
	var out []badInput
	base := valid(m.Schema, op.Input, 0).(tree)
	add := func(name, member string, value any) {
		in := tree{}
		for k, v := range base {
			in[k] = v
		}
		if in[member] = value; value == nil {
			delete(in, member)
		}
		out = append(out, badInput{member + " " + name, in})
	}
	shape := m.Schema.Shape(op.Input)
	for i := range shape.Members {
		member := &shape.Members[i]
		if skip(member) || i == shape.Payload && m.Schema.Shape(member.Shape).Kind == wire.Blob {
			continue
		}
		target := m.Schema.Shape(member.Shape)
		// Without a label or a literal query it would be another operation.
		if member.Required && member.Location == wire.InBody {
			add("missing", member.Name, nil)
		}
		for name, value := range violations(target) {
			add(name, member.Name, value)
		}
		if value, ok := wrongType(m.Protocol, target, member); ok {
			add("of the wrong type", member.Name, value)
		}
		for _, inner := range innerViolations(m.Schema, target) {
			add(inner.name, member.Name, inner.value)
		}
	}
	return out
}

// violations are values that break a shape's constraints.
func violations(shape *wire.Shape) map[string]any {
	out := map[string]any{}
	switch shape.Kind {
	case wire.String:
		if len(shape.Enum) > 0 {
			out["not in the enumeration"] = "NoSuchValue"
			return out
		}
		if shape.Max.Set && shape.Max.Value < 10_000 {
			out["too long"] = strings.Repeat("a", int(shape.Max.Value)+1)
		}
		if shape.Min.Set && shape.Min.Value > 1 {
			out["too short"] = "a"
		}
		i := slices.IndexFunc(strangers, func(s string) bool { return fits(shape, s) && !matches(shape, s) })
		if shape.Pattern != "" && i >= 0 {
			out["against its pattern"] = strangers[i]
		}
	case wire.Integer, wire.Long:
		if shape.Min.Set {
			out["too small"] = int64(shape.Min.Value) - 1
		}
		if shape.Max.Set && shape.Max.Value < 1e15 {
			out["too large"] = int64(shape.Max.Value) + 1
		}
	}
	return out
}

type namedValue struct {
	name  string
	value any
}

// innerViolations breaks the elements of lists and the members of structures
// one level down.
func innerViolations(s *wire.Schema, shape *wire.Shape) []namedValue {
	var out []namedValue
	switch shape.Kind {
	case wire.List:
		if shape.Max.Set && shape.Max.Value < 200 {
			item, items := valid(s, shape.Element.Shape, 0), []any{}
			for range int(shape.Max.Value) + 1 {
				items = append(items, item)
			}
			out = append(out, namedValue{"with too many elements", items})
		}
		for name, value := range violations(s.Shape(shape.Element.Shape)) {
			out = append(out, namedValue{"with an element " + name, []any{value}})
		}
		for _, inner := range brokenMembers(s, shape.Element.Shape) {
			out = append(out, namedValue{"with an element's " + inner.name, []any{inner.value}})
		}
	}
	return out
}

func brokenMembers(s *wire.Schema, id wire.ShapeID) []namedValue {
	shape := s.Shape(id)
	if shape.Kind != wire.Structure {
		return nil
	}
	var out []namedValue
	for i := range shape.Members {
		m := &shape.Members[i]
		if m.Required {
			whole := valid(s, id, 0).(tree)
			delete(whole, m.Name)
			if len(whole) > 0 {
				out = append(out, namedValue{m.Name + " missing", whole})
			}
		}
		for name, value := range violations(s.Shape(m.Shape)) {
			whole := valid(s, id, 0).(tree)
			whole[m.Name] = value
			out = append(out, namedValue{m.Name + " " + name, whole})
		}
	}
	return out
}

// wrongType is a value that can't be read as the shape at all.
func wrongType(protocol string, shape *wire.Shape, m *wire.Member) (any, bool) {
	if m.Location != wire.InBody && (shape.Kind == wire.String || shape.Kind == wire.List || shape.Kind == wire.Map) {
		return nil, false // any text is a string
	}
	switch shape.Kind {
	case wire.Integer, wire.Long, wire.Float, wire.Double, wire.Boolean:
		return "neither number nor truth", true
	case wire.Timestamp:
		return "some day", true
	}
	isJSON := protocol == "json" || protocol == "rest-json"
	if !isJSON {
		return nil, false
	}
	switch shape.Kind {
	case wire.String, wire.Blob:
		return tree{"a": "structure"}, true
	case wire.List, wire.Map, wire.Structure:
		return "just text", true
	}
	return nil, false
}
