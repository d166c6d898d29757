package wire

import (
	"fmt"
	"hash/maphash"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// MaxViolations is how many failed constraints one answer reports.
const MaxViolations = 10

// Violation is one failed constraint of a request.
type Violation struct {
	Path    string // members from the input, in lower camel case: tags.1.member.key
	Value   string // as AWS prints it
	NoValue bool   // the value is left out of the text
	Rule    string // such as "Member must not be null"
}

// String is the violation as AWS prints it.
func (v Violation) String() string {
	switch {
	case v.NoValue:
		return fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", v.Path, v.Rule)
	case v.Rule == notNull:
		return fmt.Sprintf("Value null at '%s' failed to satisfy constraint: %s", v.Path, v.Rule)
	}
	return fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: %s", v.Value, v.Path, v.Rule)
}

// IsMissing reports whether a required member has no value.
func (v Violation) IsMissing() bool { return v.Rule == notNull }

const notNull = "Member must not be null"

// ViolationText joins violations the way AWS's services do.
func ViolationText(vs []Violation) string {
	texts := make([]string, len(vs))
	for i, v := range vs {
		texts[i] = v.String()
	}
	noun := "errors"
	if len(vs) == 1 {
		noun = "error"
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(vs), noun, strings.Join(texts, "; "))
}

// Exempt says that a constraint is left to the service, by shape name.
type Exempt func(shape *Shape) bool

// Validate checks in, a pointer to the Go form of the structure id, against
// the model's constraints: required members, lengths, ranges, patterns and
// enumerations. It returns at most MaxViolations.
func (s *Schema) Validate(id ShapeID, in any, exempt Exempt) []Violation {
	v := validator{schema: s, exempt: exempt}
	v.structure(s.Shape(id), reflect.ValueOf(in).Elem(), "")
	return v.found
}

// ValidateWhole is Validate for services that report a failing element at the
// list or map that holds it, with its whole value and all constraints of its
// elements: Lambda does (recorded).
func (s *Schema) ValidateWhole(id ShapeID, in any, exempt Exempt) []Violation {
	v := validator{schema: s, exempt: exempt, whole: true}
	v.structure(s.Shape(id), reflect.ValueOf(in).Elem(), "")
	return v.found
}

type validator struct {
	schema *Schema
	exempt Exempt
	whole  bool
	found  []Violation
}

func (v *validator) add(x Violation) {
	if len(v.found) < MaxViolations {
		v.found = append(v.found, x)
	}
}

func (v *validator) structure(shape *Shape, rv reflect.Value, path string) {
	for i := range shape.Members {
		m := &shape.Members[i]
		field := rv.Field(i)
		if field.IsNil() {
			if m.Required && !m.Streaming {
				v.add(Violation{Path: join(path, m.Name), Rule: notNull})
			}
			continue
		}
		if field.Kind() == reflect.Pointer {
			field = field.Elem()
		}
		v.value(v.schema.Shape(m.Shape), field, join(path, m.Name))
	}
}

func (v *validator) value(shape *Shape, rv reflect.Value, path string) {
	if v.exempt != nil && v.exempt(shape) {
		return
	}
	switch shape.Kind {
	case Structure:
		v.structure(shape, rv, path)
	case List:
		v.size(shape, rv.Len(), path, func() string { return v.schema.JavaText(shape, rv) })
		if v.whole && v.schema.Shape(shape.Element.Shape).Kind != Structure {
			v.elements(shape, rv, path)
			return
		}
		for i := range rv.Len() {
			v.value(v.schema.Shape(shape.Element.Shape), rv.Index(i), fmt.Sprintf("%s.%d.member", path, i+1))
		}
	case Map:
		v.size(shape, rv.Len(), path, func() string { return v.schema.JavaText(shape, rv) })
		if v.whole && v.schema.Shape(shape.Value.Shape).Kind != Structure {
			v.entries(shape, rv, path)
			return
		}
		for it := rv.MapRange(); it.Next(); {
			v.entry(shape.Key, it.Key(), path, "keys")
			if v.schema.Shape(shape.Value.Shape).Kind == Structure {
				v.value(v.schema.Shape(shape.Value.Shape), it.Value(), path+"."+it.Key().String()+".member")
			} else {
				v.entry(shape.Value, it.Value(), path, "value")
			}
		}
	case String:
		v.text(shape, rv.String(), path)
	case Blob:
		v.size(shape, rv.Len(), path, func() string { return "java.nio.HeapByteBuffer" })
	case Integer, Long:
		v.number(shape, float64(rv.Int()), strconv.FormatInt(rv.Int(), 10), path)
	case Float, Double:
		v.number(shape, rv.Float(), strconv.FormatFloat(rv.Float(), 'f', -1, 64), path)
	}
}

// entry checks a key or value of a map, which AWS reports at the map.
func (v *validator) entry(ref Ref, rv reflect.Value, path, side string) {
	inner := validator{schema: v.schema, exempt: v.exempt}
	inner.value(v.schema.Shape(ref.Shape), rv, path)
	for _, x := range inner.found {
		rule := fmt.Sprintf("Map %s must satisfy constraint: [%s]", side, x.Rule)
		v.add(Violation{Path: path, NoValue: true, Rule: rule})
	}
}

func (v *validator) text(shape *Shape, s, path string) {
	if len(shape.Enum) > 0 {
		if slices.Contains(shape.Enum, s) {
			return
		}
		v.add(Violation{Path: path, Value: s, Rule: "Member must satisfy enum value set: [" + strings.Join(shape.Enum, ", ") + "]"})
		return
	}
	v.size(shape, utf8.RuneCountInString(s), path, func() string { return s })
	if shape.Pattern != "" && !matches(shape.Pattern, s) {
		v.add(Violation{Path: path, Value: s, Rule: "Member must satisfy regular expression pattern: " + shape.Pattern})
	}
}

func (v *validator) size(shape *Shape, n int, path string, value func() string) {
	switch {
	case shape.Min.Set && float64(n) < shape.Min.Value:
		v.add(Violation{Path: path, Value: value(), Rule: "Member must have length greater than or equal to " + whole(shape.Min.Value)})
	case shape.Max.Set && float64(n) > shape.Max.Value:
		v.add(Violation{Path: path, Value: value(), Rule: "Member must have length less than or equal to " + whole(shape.Max.Value)})
	}
}

func (v *validator) number(shape *Shape, n float64, text, path string) {
	switch {
	case shape.Min.Set && n < shape.Min.Value:
		v.add(Violation{Path: path, Value: text, Rule: "Member must have value greater than or equal to " + whole(shape.Min.Value)})
	case shape.Max.Set && n > shape.Max.Value:
		v.add(Violation{Path: path, Value: text, Rule: "Member must have value less than or equal to " + whole(shape.Max.Value)})
	}
}

func whole(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func join(path, member string) string {
	r, n := utf8.DecodeRuneInString(member)
	member = string(unicode.ToLower(r)) + member[n:]
	if path == "" {
		return member
	}
	return path + "." + member
}

var patterns sync.Map // pattern text to *pattern; models hold a few hundred

// pattern is a compiled pattern that remembers some of the texts that matched:
// most requests name what another has named just before.
type pattern struct {
	re     *regexp2.Regexp // nil if it can't be compiled
	passed [passedTexts]atomic.Pointer[string]
}

const (
	passedTexts   = 16
	maxPassedText = 256
)

var passedSeed = maphash.MakeSeed()

// matches reports whether the whole of s matches the model's pattern. The
// models' patterns are Java regular expressions, whose \w and \d are ASCII;
// one that can't be compiled constrains nothing.
func matches(text, s string) bool {
	cached, ok := patterns.Load(text)
	if !ok {
		re, err := regexp2.Compile(`\A(?:`+text+`)\z`, regexp2.RE2)
		if err == nil {
			re.MatchTimeout = time.Second
		}
		cached, _ = patterns.LoadOrStore(text, &pattern{re: re})
	}
	return cached.(*pattern).matches(s)
}

func (p *pattern) matches(s string) bool {
	if p.re == nil {
		return true
	}
	place := &p.passed[maphash.String(passedSeed, s)%passedTexts]
	if passed := place.Load(); passed != nil && *passed == s {
		return true
	}
	ok, err := p.re.MatchString(s)
	if err != nil || !ok {
		return false
	}
	if len(s) <= maxPassedText {
		kept := strings.Clone(s)
		place.Store(&kept)
	}
	return true
}
