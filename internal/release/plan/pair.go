// Package plan is the release's state machine: which steps move a stage from
// one pair of gateway and code to another, what the journal says about a
// release, and what brings a stage back. It is pure: it reads no clock and
// calls nobody.
package plan

import (
	"maps"
	"slices"
)

// Latest is the version that changes with each upload of code.
const Latest = "$LATEST"

// Pair is what a stage serves: a deployment of the gateway and the version of
// each function behind it, as one unit.
type Pair struct {
	Deployment string `json:"deployment,omitempty"`
	// Variable is the stage variable that the deployment's integrations take
	// the alias from.
	Variable string `json:"variable,omitempty"`
	// Variables are the stage's.
	Variables map[string]string `json:"variables,omitempty"`
	// Versions and Code are each function's version and CodeSha256.
	Versions map[string]string `json:"versions,omitempty"`
	Code     map[string]string `json:"code,omitempty"`
	// Definition is the SHA-256 of the exported API, under which it is kept.
	Definition string `json:"definition,omitempty"`
}

// Same reports whether two pairs answer alike: one deployment, one set of
// versions.
func (p Pair) Same(q Pair) bool {
	return p.Deployment == q.Deployment && maps.Equal(p.Versions, q.Versions)
}

// Stage is a stage as API Gateway shows it.
type Stage struct {
	Missing    bool
	Deployment string
	Variables  map[string]string
	Canary     *Canary
}

// Canary is a stage's second deployment and its share of the requests.
type Canary struct {
	Deployment string
	Percent    float64
	Overrides  map[string]string
}

// Change is what turns one stage into another. API Gateway applies it in one
// call, and a request meets the stage before it or after it, never between.
type Change struct {
	Create       bool // the stage doesn't exist yet
	Delete       bool // it is to be deleted
	Deployment   string
	Set          map[string]string
	Remove       []string
	Canary       *Canary
	RemoveCanary bool
}

// Empty reports whether there is nothing to change.
func (c *Change) Empty() bool {
	return !c.Create && !c.Delete && c.Deployment == "" && len(c.Set) == 0 && len(c.Remove) == 0 && c.Canary == nil && !c.RemoveCanary
}

// Between is the change from have to want.
func Between(have, want Stage) Change {
	switch {
	case want.Missing:
		return Change{Delete: !have.Missing}
	case have.Missing:
		return Change{Create: true, Deployment: want.Deployment, Set: want.Variables}
	}
	var c Change
	if have.Deployment != want.Deployment {
		c.Deployment = want.Deployment
	}
	for _, name := range slices.Sorted(maps.Keys(want.Variables)) {
		if old, ok := have.Variables[name]; !ok || old != want.Variables[name] {
			if c.Set == nil {
				c.Set = map[string]string{}
			}
			c.Set[name] = want.Variables[name]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have.Variables)) {
		if _, ok := want.Variables[name]; !ok {
			c.Remove = append(c.Remove, name)
		}
	}
	switch {
	case want.Canary == nil:
		c.RemoveCanary = have.Canary != nil
	case have.Canary == nil || !have.Canary.same(want.Canary):
		c.Canary = want.Canary
	}
	return c
}

func (c *Canary) same(o *Canary) bool {
	return c.Deployment == o.Deployment && c.Percent == o.Percent && maps.Equal(c.Overrides, o.Overrides)
}

// with returns a copy of m in which name is value.
func with(m map[string]string, name, value string) map[string]string {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]string{}
	}
	out[name] = value
	return out
}
