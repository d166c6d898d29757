// Package diff compares two pairs of gateway and code, and says what of it
// breaks clients. It is pure.
package diff

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Areas that a change belongs to, in the order in which reports show them.
const (
	Routes        = "routes"
	Models        = "models"
	Authorizers   = "authorizers"
	Settings      = "settings"
	Variables     = "variables"
	Code          = "code"
	Configuration = "configuration"
	Environment   = "environment"
	Permissions   = "permissions"
)

var areas = []string{Routes, Models, Authorizers, Settings, Variables, Code, Configuration, Environment, Permissions}

// Kinds of changes.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
	Missing = "missing"
)

// Change is one difference.
type Change struct {
	Area string `json:"area"`
	Name string `json:"name"` // such as "GET /user/{id} integration.uri"
	Kind string `json:"kind"`
	// Before and After are short values; Lines is a unified diff of long ones.
	Before string   `json:"before,omitempty"`
	After  string   `json:"after,omitempty"`
	Lines  []string `json:"lines,omitempty"`
	// Breaking says why clients that work now may not work afterwards.
	Breaking string `json:"breaking,omitempty"`
}

// Report is what differs between what a stage serves and what it would get.
type Report struct {
	Stage string `json:"stage"`
	From  string `json:"from"` // what it serves, in a few words
	To    string `json:"to"`
	// Notes say what could not be compared.
	Notes   []string `json:"notes,omitempty"`
	Changes []Change `json:"changes"`
}

// Differs reports whether there is any difference.
func (r *Report) Differs() bool { return len(r.Changes) > 0 }

// Breaking are the changes that break clients.
func (r *Report) Breaking() []Change {
	var out []Change
	for _, c := range r.Changes {
		if c.Breaking != "" {
			out = append(out, c)
		}
	}
	return out
}

// Add appends changes.
func (r *Report) Add(changes ...Change) { r.Changes = append(r.Changes, changes...) }

// Sort brings the changes into the order of reports.
func (r *Report) Sort() {
	slices.SortStableFunc(r.Changes, func(a, b Change) int {
		if i, j := slices.Index(areas, a.Area), slices.Index(areas, b.Area); i != j {
			return i - j
		}
		return strings.Compare(a.Name, b.Name)
	})
}

// Values compares two sets of named texts. Texts of several lines are compared
// line by line.
func Values(area, prefix string, before, after map[string]string) []Change {
	names := maps.Clone(before)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, after)
	var out []Change
	for _, name := range slices.Sorted(maps.Keys(names)) {
		b, had := before[name]
		a, has := after[name]
		if had && has && a == b {
			continue
		}
		c := Change{Area: area, Name: strings.TrimSpace(prefix + " " + name), Kind: Changed, Before: b, After: a}
		switch {
		case !had:
			c.Kind = Added
		case !has:
			c.Kind = Removed
		}
		out = append(out, c.unfold())
	}
	return out
}

// inline is how long a value may be to be shown in one line.
const inline = 100

// unfold turns long values into a unified diff.
func (c Change) unfold() Change {
	if !strings.Contains(c.Before+c.After, "\n") && len(c.Before)+len(c.After) <= inline {
		return c
	}
	c.Lines = Unified(c.Before, c.After)
	c.Before, c.After = "", ""
	return c
}

// mask stands for a value that isn't shown.
const mask = "•••"

// Masked hides the values of changes: a report shows which changed, and
// neither to what nor any hash of it, which a short secret could be found by.
func Masked(changes []Change) []Change {
	for i := range changes {
		c := &changes[i]
		c.Lines, c.Before, c.After = nil, "", ""
		if c.Kind != Added {
			c.Before = mask
		}
		if c.Kind != Removed {
			c.After = mask
		}
	}
	return changes
}

// Absent lists the stage variables that a definition reads and a stage
// doesn't have.
func Absent(d *Definition, variables map[string]string, stage string) []Change {
	var out []Change
	for _, name := range d.Reads() {
		if _, ok := variables[name]; !ok {
			out = append(out, Change{
				Area: Variables, Name: name, Kind: Missing,
				Breaking: fmt.Sprintf("the gateway reads it, and stage %s hasn't got it", stage),
			})
		}
	}
	return out
}
