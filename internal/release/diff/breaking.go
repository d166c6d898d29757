package diff

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// compareMethod compares the texts of one method and marks what breaks its
// callers.
func compareMethod(name string, before, after map[string]string) []Change {
	out := Values(Routes, name, before, after)
	for i := range out {
		c := &out[i]
		member := strings.TrimPrefix(c.Name, name+" ")
		c.Breaking = brokenMember(member, c, after)
	}
	return out
}

var (
	requiredMember = regexp.MustCompile(`^parameters\.(.+)\.required$`)
	responseMember = regexp.MustCompile(`^responses\.([^.]+)\.content\.`)
	responseStatus = regexp.MustCompile(`^responses\.([0-9]{3})\.description$`)
)

// brokenMember says why a changed member of a method breaks its callers.
func brokenMember(member string, c *Change, after map[string]string) string {
	switch {
	case requiredMember.MatchString(member) && after[member] == "true":
		return "the parameter " + requiredMember.FindStringSubmatch(member)[1] + " is required now"
	case strings.HasPrefix(member, "security.") && c.Kind == Added:
		return "callers must authenticate: " + strings.TrimPrefix(member, "security.")
	case member == "requestBody.required" && after[member] == "true":
		return "a body is required now"
	case responseMember.MatchString(member) && c.Kind != Added:
		return "the schema of response " + responseMember.FindStringSubmatch(member)[1] + " is another"
	case responseStatus.MatchString(member) && c.Kind == Removed:
		return "response " + responseStatus.FindStringSubmatch(member)[1] + " is gone"
	}
	return ""
}

// schema is what of a JSON Schema decides whether a change breaks.
type schema struct {
	Required   []string
	Properties map[string]json.RawMessage
}

// brokenModel says why a changed model breaks callers: requests that lack a
// property that is required now, answers that lack one or have another type.
func brokenModel(name string, before, after *Definition) string {
	var b, a schema
	if json.Unmarshal([]byte(before.Models[name]), &b) != nil || json.Unmarshal([]byte(after.Models[name]), &a) != nil {
		return ""
	}
	in, out := after.uses(name)
	if in {
		for _, p := range a.Required {
			if !slices.Contains(b.Required, p) {
				return "requests must have " + p + " now"
			}
		}
	}
	if out {
		for _, p := range slices.Sorted(maps.Keys(b.Properties)) {
			if got, ok := a.Properties[p]; !ok || string(got) != string(b.Properties[p]) {
				return "answers have another " + p + " than before, or none"
			}
		}
	}
	return ""
}

// uses reports whether some method takes a model, and whether some answers it.
func (d *Definition) uses(model string) (in, out bool) {
	for _, m := range d.Methods {
		for at, text := range m {
			if text == "#/components/schemas/"+model {
				in = in || strings.HasPrefix(at, "requestBody.")
				out = out || strings.HasPrefix(at, "responses.")
			}
		}
	}
	return in, out
}
