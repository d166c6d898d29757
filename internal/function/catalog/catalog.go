// Package catalog is the published view of all functions that invocations are
// served from: versions, aliases and resource policies, compiled and in
// memory. The Lambda control plane puts functions in; the data plane looks
// them up without a lock and without the store.
package catalog

import (
	"maps"
	"strings"
	"sync"

	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/ident"
)

// Latest is the name of the unpublished version.
const Latest = "$LATEST"

// Function is one function as it is published. It must not be changed after
// it was handed to Put.
type Function struct {
	ARN      string                    // unqualified
	Versions map[string]*function.Spec // by version: "$LATEST" or a number
	Aliases  map[string]Alias          // by name
	// Loops lets its calls go round in circles.
	Loops bool
	// States are those of versions that can't be invoked, "Pending" or "Failed".
	States map[string]string
	// Policies are the resource policies by qualifier; "" is the function's
	// own, which says nothing about its versions and aliases.
	Policies map[string]*policy.Document
	// Grants are the texts of those policies that name accounts, users or
	// roles, and so have a say in who may use the API.
	Grants map[string]string
}

// Alias says which versions an alias stands for.
type Alias struct {
	Version string
	Second  string  // version that gets a share of the calls, or ""
	Weight  float64 // the share of Second, from 0 to 1
}

// Catalog holds published functions. It is safe for concurrent use; readers
// never wait for writers.
type Catalog struct {
	engine  function.Invoker
	entries sync.Map // unqualified ARN to *entry, which is immutable
	writes  sync.Mutex
}

// New returns an empty catalog whose functions run on engine.
func New(engine function.Invoker) *Catalog { return &Catalog{engine: engine} }

// entry is a Function prepared for lookups.
type entry struct {
	account string
	targets map[string]*Target // by qualifier; "" is $LATEST
	specs   map[string]bool    // IDs in use
}

// Target is what a qualified ARN stands for.
type Target struct {
	account string
	primary *function.Spec
	second  *function.Spec    // of a weighted alias, or nil
	weight  float64           // of second
	states  map[string]string // of Function
	policy  *policy.Document
	grants  string
	loops   bool // of Function
	allowed allowed
}

// Grants returns the text of the target's policy if it names accounts, users
// or roles, and "" otherwise.
func (t *Target) Grants() string { return t.grants }

// Version returns the version that all calls go to; "" if they are shared out.
func (t *Target) Version() string {
	if t.second != nil {
		return ""
	}
	return t.primary.Version
}

// Policy returns the target's resource policy, nil if it has none.
func (t *Target) Policy() *policy.Document { return t.policy }

// Primary returns the version that all calls go to, or most of them.
func (t *Target) Primary() *function.Spec { return t.primary }

// Pick returns the version that the next call goes to.
func (t *Target) Pick() *function.Spec {
	if t.second != nil && ident.Float64() < t.weight {
		return t.second
	}
	return t.primary
}

// Put publishes f in place of what was published under its ARN before. It
// returns the IDs of the Specs that no call can reach any more.
func (c *Catalog) Put(f *Function) (retired []string) {
	e := &entry{targets: make(map[string]*Target, len(f.Versions)+len(f.Aliases)+1), specs: map[string]bool{}}
	if a, err := arn.Parse(f.ARN); err == nil {
		e.account = a.Account
	}
	for version, spec := range f.Versions {
		e.targets[version] = &Target{account: e.account, primary: spec, policy: f.Policies[version], grants: f.Grants[version], states: f.States, loops: f.Loops}
		e.specs[spec.ID] = true
	}
	if latest := e.targets[Latest]; latest != nil {
		// Lambda keeps no policy for $LATEST; the function's own stands for it.
		latest.policy, latest.grants = f.Policies[""], f.Grants[""]
		e.targets[""] = latest
	}
	for name, alias := range f.Aliases {
		if f.Versions[alias.Version] == nil {
			continue
		}
		e.targets[name] = &Target{
			account: e.account, primary: f.Versions[alias.Version], second: f.Versions[alias.Second], weight: alias.Weight,
			policy: f.Policies[name], grants: f.Grants[name], states: f.States, loops: f.Loops,
		}
	}
	return c.swap(f.ARN, e)
}

// Remove takes the function with the unqualified ARN out of the catalog; it
// returns the IDs of its Specs.
func (c *Catalog) Remove(functionARN string) (retired []string) { return c.swap(functionARN, nil) }

func (c *Catalog) swap(functionARN string, e *entry) (retired []string) {
	c.writes.Lock()
	defer c.writes.Unlock()
	old := c.entry(functionARN)
	if e == nil {
		c.entries.Delete(functionARN)
		e = &entry{}
	} else {
		c.entries.Store(functionARN, e)
	}
	if old == nil {
		return nil
	}
	for id := range maps.Keys(old.specs) {
		if !e.specs[id] {
			retired = append(retired, id)
		}
	}
	return retired
}

func (c *Catalog) entry(functionARN string) *entry {
	if e, ok := c.entries.Load(functionARN); ok {
		return e.(*entry)
	}
	return nil
}

// Resolve returns what a function ARN, qualified or not, stands for; nil if
// there is no such function, version or alias.
func (c *Catalog) Resolve(functionARN string) *Target {
	base, qualifier := Split(functionARN)
	if e := c.entry(base); e != nil {
		return e.targets[qualifier]
	}
	return nil
}

// Split cuts a function ARN into its unqualified form and its qualifier,
// which is "" if there is none.
func Split(functionARN string) (base, qualifier string) {
	// arn:aws:lambda:region:account:function:name is six colons long.
	at := 0
	for range 6 {
		i := strings.IndexByte(functionARN[at:], ':')
		if i < 0 {
			return functionARN, ""
		}
		at += i + 1
	}
	if i := strings.IndexByte(functionARN[at:], ':'); i >= 0 {
		return functionARN[:at+i], functionARN[at+i+1:]
	}
	return functionARN, ""
}
