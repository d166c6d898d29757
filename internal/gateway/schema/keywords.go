package schema

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// keywords report the keywords of draft 4, in the order of their names.
func keywords() []func(r *report, s *jsonschema.Schema, v any) {
	return []func(r *report, s *jsonschema.Schema, v any){
		additionalItems, additionalProperties, allOf, anyOf, dependencies, enum, maxItems, maxLength, maxProperties, maximum,
		minItems, minLength, minProperties, minimum, multipleOf, not, oneOf, matchesPattern, required, hasType, uniqueItems, format,
	}
}

func additionalItems(r *report, s *jsonschema.Schema, v any) {
	list, ok := v.([]any)
	items, tuple := s.Items.([]*jsonschema.Schema)
	if allowed, isBool := s.AdditionalItems.(bool); ok && tuple && isBool && !allowed && len(list) > len(items) {
		r.add("schema only allows %d elements in array but instance has %d elements", len(items), len(list))
	}
}

func additionalProperties(r *report, s *jsonschema.Schema, v any) {
	object, ok := v.(map[string]any)
	if allowed, isBool := s.AdditionalProperties.(bool); !ok || !isBool || allowed {
		return
	}
	var extra []string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if len(ofMember(s, name)) == 0 {
			extra = append(extra, name)
		}
	}
	if extra != nil {
		r.add("object instance has properties which are not allowed by the schema: %s", jsonText(extra))
	}
}

func allOf(r *report, s *jsonschema.Schema, v any) {
	if n := matching(s.AllOf, v); n < len(s.AllOf) {
		r.add("instance failed to match all required schemas (matched only %d out of %d)", n, len(s.AllOf))
	}
}

func anyOf(r *report, s *jsonschema.Schema, v any) {
	if len(s.AnyOf) > 0 && matching(s.AnyOf, v) == 0 {
		r.add("instance failed to match at least one required schema among %d", len(s.AnyOf))
	}
}

func oneOf(r *report, s *jsonschema.Schema, v any) {
	if n := matching(s.OneOf, v); len(s.OneOf) > 0 && n != 1 {
		r.add("instance failed to match exactly one schema (matched %d out of %d)", n, len(s.OneOf))
	}
}

func not(r *report, s *jsonschema.Schema, v any) {
	if s.Not != nil && s.Not.Validate(v) == nil {
		r.add("instance matched a schema which it should not have")
	}
}

// matching counts the schemas that v conforms to.
func matching(schemas []*jsonschema.Schema, v any) int {
	n := 0
	for _, s := range schemas {
		if s.Validate(v) == nil {
			n++
		}
	}
	return n
}

func dependencies(r *report, s *jsonschema.Schema, v any) {
	object, ok := v.(map[string]any)
	if !ok {
		return
	}
	names := slices.Sorted(maps.Keys(s.Dependencies))
	for _, name := range names {
		wanted, isList := s.Dependencies[name].([]string)
		if _, present := object[name]; !present || !isList {
			continue
		}
		if missing := absent(object, wanted); missing != nil {
			r.add(`property "%s" of object has missing property dependencies (schema requires %s; missing: %s)`,
				name, jsonText(slices.Sorted(slices.Values(wanted))), jsonText(missing))
		}
	}
	for _, name := range names {
		child, isSchema := s.Dependencies[name].(*jsonschema.Schema)
		if _, present := object[name]; present && isSchema {
			r.check(child, v, r.text)
		}
	}
}

// absent are the names that an object lacks, sorted.
func absent(object map[string]any, names []string) []string {
	var missing []string
	for _, name := range names {
		if _, ok := object[name]; !ok {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}

func enum(r *report, s *jsonschema.Schema, v any) {
	if s.Enum == nil {
		return
	}
	only := jsonschema.Schema{Enum: s.Enum, DraftVersion: s.DraftVersion}
	if only.Validate(v) != nil {
		r.add("instance value (%s) not found in enum (possible values: %s)", printed(v, r.text), jsonText(s.Enum.Values))
	}
}

func maxItems(r *report, s *jsonschema.Schema, v any) {
	if list, ok := v.([]any); ok && s.MaxItems != nil && len(list) > *s.MaxItems {
		r.add("array is too long: must have at most %d elements but instance has %d elements", *s.MaxItems, len(list))
	}
}

func minItems(r *report, s *jsonschema.Schema, v any) {
	if list, ok := v.([]any); ok && s.MinItems != nil && len(list) < *s.MinItems {
		r.add("array is too short: must have at least %d elements but instance has %d elements", *s.MinItems, len(list))
	}
}

func uniqueItems(r *report, s *jsonschema.Schema, v any) {
	only := jsonschema.Schema{UniqueItems: s.UniqueItems, DraftVersion: s.DraftVersion}
	if s.UniqueItems && only.Validate(v) != nil {
		r.add("array must not contain duplicate elements")
	}
}

func maxLength(r *report, s *jsonschema.Schema, v any) {
	if text, ok := v.(string); ok && s.MaxLength != nil && utf8.RuneCountInString(text) > *s.MaxLength {
		r.add(`string "%s" is too long (length: %d, maximum allowed: %d)`, text, utf8.RuneCountInString(text), *s.MaxLength)
	}
}

func minLength(r *report, s *jsonschema.Schema, v any) {
	if text, ok := v.(string); ok && s.MinLength != nil && utf8.RuneCountInString(text) < *s.MinLength {
		r.add(`string "%s" is too short (length: %d, required minimum: %d)`, text, utf8.RuneCountInString(text), *s.MinLength)
	}
}

func matchesPattern(r *report, s *jsonschema.Schema, v any) {
	if text, ok := v.(string); ok && s.Pattern != nil && !s.Pattern.MatchString(text) {
		r.add(`ECMA 262 regex "%s" does not match input string "%s"`, s.Pattern, text)
	}
}

func maxProperties(r *report, s *jsonschema.Schema, v any) {
	if object, ok := v.(map[string]any); ok && s.MaxProperties != nil && len(object) > *s.MaxProperties {
		r.add("object has too many properties (found %d but schema requires at most %d)", len(object), *s.MaxProperties)
	}
}

func minProperties(r *report, s *jsonschema.Schema, v any) {
	if object, ok := v.(map[string]any); ok && s.MinProperties != nil && len(object) < *s.MinProperties {
		r.add("object has too few properties (found %d but schema requires at least %d)", len(object), *s.MinProperties)
	}
}

func required(r *report, s *jsonschema.Schema, v any) {
	if object, ok := v.(map[string]any); ok {
		if missing := absent(object, s.Required); missing != nil {
			r.add("object has missing required properties (%s)", jsonText(missing))
		}
	}
}

func maximum(r *report, s *jsonschema.Schema, v any) {
	n := numberOf(v)
	switch {
	case n == nil:
	case s.Maximum != nil && n.Cmp(s.Maximum) > 0:
		r.add("numeric instance is greater than the required maximum (maximum: %s, found: %s)", decimal(s.Maximum), decimal(n))
	case s.ExclusiveMaximum != nil && n.Cmp(s.ExclusiveMaximum) > 0:
		r.add("numeric instance is greater than the required maximum (maximum: %s, found: %s)", decimal(s.ExclusiveMaximum), decimal(n))
	case s.ExclusiveMaximum != nil && n.Cmp(s.ExclusiveMaximum) == 0:
		r.add("numeric instance is not strictly lower than the required maximum %s", decimal(s.ExclusiveMaximum))
	}
}

func minimum(r *report, s *jsonschema.Schema, v any) {
	n := numberOf(v)
	switch {
	case n == nil:
	case s.Minimum != nil && n.Cmp(s.Minimum) < 0:
		r.add("numeric instance is lower than the required minimum (minimum: %s, found: %s)", decimal(s.Minimum), decimal(n))
	case s.ExclusiveMinimum != nil && n.Cmp(s.ExclusiveMinimum) < 0:
		r.add("numeric instance is lower than the required minimum (minimum: %s, found: %s)", decimal(s.ExclusiveMinimum), decimal(n))
	case s.ExclusiveMinimum != nil && n.Cmp(s.ExclusiveMinimum) == 0:
		r.add("numeric instance is not strictly greater than the required minimum %s", decimal(s.ExclusiveMinimum))
	}
}

func multipleOf(r *report, s *jsonschema.Schema, v any) {
	n := numberOf(v)
	if n != nil && s.MultipleOf != nil && !n.Quo(n, s.MultipleOf).IsInt() {
		r.add("remainder of division is not zero (%s / %s)", decimal(numberOf(v)), decimal(s.MultipleOf))
	}
}

// hasType reports a wrong type. The Java library reads "number" as both kinds
// of numbers.
func hasType(r *report, s *jsonschema.Schema, v any) {
	if s.Types == nil || s.Types.IsEmpty() {
		return
	}
	allowed := s.Types.ToStrings()
	if slices.Contains(allowed, "number") && !slices.Contains(allowed, "integer") {
		allowed = append(allowed, "integer")
	}
	slices.Sort(allowed)
	if got := typeOf(v); !slices.Contains(allowed, got) {
		r.add("instance type (%s) does not match any allowed primitive type (allowed: %s)", got, jsonText(allowed))
	}
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case json.Number:
		if n := numberOf(v); n != nil && n.IsInt() {
			return "integer"
		}
		return "number"
	}
	return "object"
}

// formats are the Java library's sentences for formats.
var formats = map[string]string{
	"date-time":    `string "%s" is invalid against requested date format(s) [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,12}Z]`,
	"email":        `string "%s" is not a valid email address`,
	"hostname":     `string "%s" is not a valid hostname`,
	"ipv4":         `string "%s" is not a valid IPv4 address`,
	"ipv6":         `string "%s" is not a valid IPv6 address`,
	"json-pointer": `input string "%s" is not a valid JSON Pointer`,
	"regex":        `string "%s" is not a valid ECMA 262 regular expression`,
	"uri":          `string "%s" is not a valid URI`,
	"uuid":         `input string "%s" is not a valid UUID`,
}

func format(r *report, s *jsonschema.Schema, v any) {
	text, ok := v.(string)
	if !ok || s.Format == nil {
		return
	}
	sentence, known := formats[s.Format.Name]
	if !known {
		return
	}
	bad := false
	if s.Format.Name == "regex" {
		_, err := compilePattern(text)
		bad = err != nil
	} else {
		bad = s.Format.Validate(v) != nil
	}
	if bad {
		r.messages = append(r.messages, strings.Replace(sentence, "%s", text, 1))
	}
}
