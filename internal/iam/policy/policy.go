// Package policy reads, checks and evaluates IAM policy documents.
//
// A document is parsed once into a compiled *Document that never changes and
// may be shared between goroutines. Evaluate then decides one request against
// the documents that apply to it, following the IAM User Guide page "Policy
// evaluation logic", and Decision.Message words a refusal as AWS does.
//
// The package is pure: no I/O, no clock (callers put aws:CurrentTime into the
// request context), nothing of ours imported. Any room may use it.
package policy

import (
	"maps"
	"slices"
	"strings"
)

// Kind says where a document will be attached. It selects the grammar that
// Parse enforces, because IAM words the errors of each kind differently.
type Kind int

const (
	// Managed is a customer managed policy: identity grammar, and the
	// Version must be 2012-10-17.
	Managed Kind = iota
	// Inline is a policy embedded in a user, group, role or session. IAM
	// still accepts these without a Version, as 2008-10-17.
	Inline
	// Authorizer is the answer of an API's Lambda authorizer: an inline policy
	// whose statements may be for no resources at all, and so allow nothing
	// (Chalice's AuthResponse(routes=[]) is such a one).
	Authorizer
	// Resource is a policy on a bucket, function, API and so on.
	Resource
	// Trust is a role's assume-role policy.
	Trust
)

// The versions of the policy language. Policy variables are replaced only in
// documents of Version2012 (page "IAM JSON policy elements: Version").
const (
	Version2008 = "2008-10-17"
	Version2012 = "2012-10-17"
)

// Error is a refused document. Its text is the message that IAM sends with
// the code MalformedPolicyDocument.
type Error struct{ Message string }

// Error returns the message.
func (e *Error) Error() string { return e.Message }

func malformed(message string) error { return &Error{Message: message} }

// Effect is what a matching statement does.
type Effect bool

// The two effects.
const (
	Deny  Effect = false
	Allow Effect = true
)

// Document is a compiled policy. It is immutable.
type Document struct {
	version    string
	id         string
	statements []statement
	// readsContext is set if a condition or a policy variable does.
	readsContext bool
}

// ReadsContext reports whether a decision by the document may depend on the
// request's context; without, nobody needs to fill one in.
func (d *Document) ReadsContext() bool { return d.readsContext }

// Version returns the declared language version, or Version2008 if the
// document has none.
func (d *Document) Version() string { return d.version }

// ID returns the document's Id element, often empty.
func (d *Document) ID() string { return d.id }

// Sids returns the statement ids in document order, empty ones included.
func (d *Document) Sids() []string {
	out := make([]string, len(d.statements))
	for i := range d.statements {
		out[i] = d.statements[i].sid
	}
	return out
}

// Principals returns the ARNs of users and roles that the document names, each
// once, in sorted order.
func (d *Document) Principals() []string {
	named := map[string]struct{}{}
	for i := range d.statements {
		if set := d.statements[i].principals; set != nil {
			maps.Copy(named, set.aws)
		}
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(named)), func(name string) bool { return !strings.HasPrefix(name, "arn:") })
}

// statement is one compiled statement. The not* flags turn the element in
// front of them around (NotAction, NotResource, NotPrincipal).
type statement struct {
	sid          string
	effect       Effect
	actions      actionSet
	notAction    bool
	resources    []glob
	notResource  bool
	anyResource  bool // no Resource element, as in a trust policy, or "*"
	principals   *principalSet
	notPrincipal bool
	conditions   []condition
}

// Context holds the request's condition keys in lower case with their values.
// Use Set to fill it; a key with no values counts as absent.
type Context map[string][]string

// Set stores values under key, whose case does not matter (page "IAM JSON
// policy elements: Condition": key names are not case-sensitive).
func (c Context) Set(key string, values ...string) { c[lower(key)] = values }

func (c Context) get(lowerKey string) []string { return c[lowerKey] }
