package diff

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Definition is what a deployment serves, taken apart into named texts.
type Definition struct {
	// Methods are the texts of each method by name, by "GET /user/{id}".
	Methods map[string]map[string]string
	// Models, Authorizers and Settings are whole texts.
	Models, Authorizers, Settings map[string]string
}

// Parse reads an export of API Gateway: OpenAPI 3 with its extensions. The
// variables of alias name the Lambda alias in integrations; which one it is
// depends on who made the deployment, and doesn't count as a difference.
func Parse(export []byte, alias ...string) (*Definition, error) {
	for _, name := range alias {
		export = []byte(strings.ReplaceAll(string(export), ":${stageVariables."+name+"}", ":${alias}"))
	}
	var doc map[string]any
	if err := json.Unmarshal(export, &doc); err != nil {
		return nil, fmt.Errorf("read the exported API: %w", err)
	}
	d := &Definition{Methods: map[string]map[string]string{}, Models: map[string]string{}, Authorizers: map[string]string{}, Settings: map[string]string{}}
	paths, _ := doc["paths"].(map[string]any)
	for path, v := range paths {
		item, _ := v.(map[string]any)
		for verb, m := range item {
			name := strings.ToUpper(verb) + " " + path
			if verb == "x-amazon-apigateway-any-method" {
				name = "ANY " + path
			}
			d.Methods[name] = flat(m)
		}
	}
	components, _ := doc["components"].(map[string]any)
	texts(d.Models, components["schemas"])
	texts(d.Authorizers, components["securitySchemes"])
	for name, v := range doc {
		switch name {
		case "openapi", "info", "servers", "paths", "components", "tags":
		default:
			maps.Copy(d.Settings, prefixed(name, flat(v)))
		}
	}
	if info, ok := doc["info"].(map[string]any); ok { // its version is when the deployment was made
		d.Settings["title"], _ = info["title"].(string)
	}
	return d, nil
}

// texts enters each member of an object as indented JSON.
func texts(into map[string]string, v any) {
	members, _ := v.(map[string]any)
	for name, m := range members {
		text, err := json.MarshalIndent(m, "", "  ")
		if err == nil {
			into[name] = string(text)
		}
	}
}

// flat takes a JSON value apart into its leaves, named by their way down.
// Members of an array are named by their name, where they have one.
func flat(v any) map[string]string {
	out := map[string]string{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, m := range v {
				walk(join(at, strings.TrimPrefix(name, "x-amazon-apigateway-")), m)
			}
			if len(v) == 0 {
				out[at] = "{}"
			}
		case []any:
			for i, m := range v {
				walk(join(at, label(i, m)), m)
			}
			if len(v) == 0 {
				out[at] = "[]"
			}
		case string:
			out[at] = v
		default:
			text, err := json.Marshal(v)
			if err == nil {
				out[at] = string(text)
			}
		}
	}
	walk("", v)
	return out
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// label names a member of an array: a parameter by place and name, a security
// requirement by its scheme.
func label(i int, v any) string {
	m, _ := v.(map[string]any)
	if name, ok := m["name"].(string); ok {
		place, _ := m["in"].(string)
		return strings.TrimSpace(place + " " + name)
	}
	if len(m) == 1 {
		for name := range m {
			return name
		}
	}
	return fmt.Sprint(i)
}

func prefixed(prefix string, m map[string]string) map[string]string {
	out := map[string]string{}
	for name, v := range m {
		out[strings.TrimSuffix(strings.TrimPrefix(prefix, "x-amazon-apigateway-")+"."+name, ".")] = v
	}
	return out
}

var reading = regexp.MustCompile(`stageVariables\.([A-Za-z0-9_]+)`)

// Reads lists the stage variables that methods read, apart from the alias's.
func (d *Definition) Reads() []string {
	seen := map[string]bool{}
	for _, m := range d.Methods {
		for _, text := range m {
			for _, match := range reading.FindAllStringSubmatch(text, -1) {
				seen[match[1]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Compare lists what differs between two definitions.
func Compare(before, after *Definition) []Change {
	var out []Change
	names := maps.Clone(before.Methods)
	maps.Copy(names, after.Methods)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		b, had := before.Methods[name]
		a, has := after.Methods[name]
		switch {
		case !had:
			out = append(out, Change{Area: Routes, Name: name, Kind: Added})
		case !has:
			out = append(out, Change{Area: Routes, Name: name, Kind: Removed, Breaking: "the route is gone"})
		default:
			out = append(out, compareMethod(name, b, a)...)
		}
	}
	for _, c := range Values(Models, "", before.Models, after.Models) {
		c.Breaking = brokenModel(c.Name, before, after)
		out = append(out, c)
	}
	out = append(out, Values(Authorizers, "", before.Authorizers, after.Authorizers)...)
	return append(out, Values(Settings, "", before.Settings, after.Settings)...)
}
