package policy

import (
	"slices"
	"strings"
)

// Policy is a document as it is attached: with the ARN it can be named by.
type Policy struct {
	// ARN of a managed policy; empty for inline and resource policies.
	ARN string
	Doc *Document
}

// Request is everything a decision depends on.
type Request struct {
	Principal Principal
	// Action such as "dynamodb:PutItem", in the spelling for messages.
	Action string
	// Resource is the ARN acted on, or "*" for actions without one.
	Resource string
	// ResourceAccount owns the resource; empty means the caller's account.
	ResourceAccount string
	Context         Context

	// Identity are the caller's inline and managed policies, a user's groups
	// included, or the role's for a session.
	Identity []Policy
	// Boundary is the permissions boundary; a zero Policy means none.
	Boundary Policy
	// Session are the policies passed to AssumeRole or GetFederationToken;
	// none means that the session isn't narrowed.
	Session []Policy
	// ResourcePolicy is the resource-based policy; nil means that there is none.
	ResourcePolicy *Document
	// NeedResourcePolicy asks for an Allow in the resource-based policy even
	// within one account: role trust policies and KMS key policies.
	NeedResourcePolicy bool
}

// ReadsContext reports whether a decision may depend on r.Context; without,
// nobody needs to fill it in.
func (r *Request) ReadsContext() bool {
	reads := func(p Policy) bool { return p.Doc != nil && p.Doc.readsContext }
	return reads(r.Boundary) || reads(Policy{Doc: r.ResourcePolicy}) ||
		slices.ContainsFunc(r.Identity, reads) || slices.ContainsFunc(r.Session, reads)
}

// Source is the type of policy that decided.
type Source int

// The policy types that a decision can rest on.
const (
	SourceNone Source = iota
	SourceIdentity
	SourceResource
	SourceBoundary
	SourceSession
	SourceRoot // the account's root user needs no policy
)

// Decision is the outcome for one request.
type Decision struct {
	Allowed bool
	// Explicit is set when a Deny statement decided.
	Explicit bool
	// Source is the policy type that allowed, denied, or failed to allow.
	Source Source
	// PolicyARN names the managed policy with the Deny, if it was one.
	PolicyARN string
	// Sid of the deciding Deny statement, often empty.
	Sid string
}

// Evaluate decides r in the order of the page "How AWS enforcement code logic
// evaluates requests": explicit denies everywhere first, then the
// resource-based policy, which inside an account can be enough, then identity
// policies, boundary and session policies, each of which must allow.
func Evaluate(r *Request) Decision {
	e := evaluation{Request: r, action: lower(r.Action)}
	if d, denied := e.denied(); denied {
		return d
	}
	named := grantNone
	if r.ResourcePolicy != nil {
		named = e.resourceGrant()
	}
	switch r.Principal.Kind {
	case Anonymous, Service, WebIdentity:
		// They have no policies of their own.
		return outcome(named >= grantRole, SourceResource)
	}
	if e.crossAccount() {
		d := e.own(SourceNone)
		if d.Allowed && named == grantNone {
			return Decision{Source: SourceResource}
		}
		return d
	}
	if r.NeedResourcePolicy && named == grantNone {
		return Decision{Source: SourceResource}
	}
	switch named {
	case grantDirect:
		// Neither a boundary nor a session policy limits a grant that names
		// the user or the session itself.
		return Decision{Allowed: true, Source: SourceResource}
	case grantRole:
		// A grant to the role stands in for an identity policy only.
		return e.own(SourceResource)
	}
	return e.own(SourceNone)
}

func outcome(allowed bool, s Source) Decision { return Decision{Allowed: allowed, Source: s} }

// evaluation is a request with what has been worked out about it.
type evaluation struct {
	*Request
	action         string // lower case
	identityAllows bool
	boundaryAllows bool
	sessionAllows  bool
}

func (e *evaluation) crossAccount() bool {
	return e.ResourceAccount != "" && e.ResourceAccount != e.Principal.Account
}

// denied looks for an explicit deny, and notes on the way which policy types
// allow, so that every statement is looked at once.
func (e *evaluation) denied() (Decision, bool) {
	for i := range e.Identity {
		p := &e.Identity[i]
		if sid, denies := e.scan(p.Doc, &e.identityAllows); denies {
			return explicit(SourceIdentity, p.ARN, sid), true
		}
	}
	if e.Boundary.Doc != nil {
		if sid, denies := e.scan(e.Boundary.Doc, &e.boundaryAllows); denies {
			return explicit(SourceBoundary, e.Boundary.ARN, sid), true
		}
	}
	for i := range e.Session {
		p := &e.Session[i]
		if sid, denies := e.scan(p.Doc, &e.sessionAllows); denies {
			return explicit(SourceSession, p.ARN, sid), true
		}
	}
	if e.ResourcePolicy != nil {
		for i := range e.ResourcePolicy.statements {
			s := &e.ResourcePolicy.statements[i]
			if s.effect == Deny && s.names(&e.Principal) > grantNone && e.applies(s) {
				return explicit(SourceResource, "", s.sid), true
			}
		}
	}
	return Decision{}, false
}

func explicit(s Source, arn, sid string) Decision {
	return Decision{Explicit: true, Source: s, PolicyARN: arn, Sid: sid}
}

// scan returns the first matching Deny of d, and sets allows if an Allow
// matches.
func (e *evaluation) scan(d *Document, allows *bool) (sid string, denies bool) {
	for i := range d.statements {
		s := &d.statements[i]
		if s.effect == Allow && *allows {
			continue
		}
		if !e.applies(s) {
			continue
		}
		if s.effect == Deny {
			return s.sid, true
		}
		*allows = true
	}
	return "", false
}

// resourceGrant returns the closest grant among the matching Allow
// statements of the resource-based policy.
func (e *evaluation) resourceGrant() grant {
	best := grantNone
	for i := range e.ResourcePolicy.statements {
		s := &e.ResourcePolicy.statements[i]
		if s.effect != Allow {
			continue
		}
		if g := s.names(&e.Principal); g > best && e.applies(s) {
			best = g
		}
	}
	return best
}

// own applies the caller's own policies. Instead names the policy type that
// has stood in for the identity policies, if any.
func (e *evaluation) own(instead Source) Decision {
	if e.Principal.Kind == RootUser {
		return outcome(true, SourceRoot)
	}
	switch {
	case !e.identityAllows && instead == SourceNone:
		return outcome(false, SourceIdentity)
	case e.Boundary.Doc != nil && !e.boundaryAllows:
		return outcome(false, SourceBoundary)
	case len(e.Session) > 0 && !e.sessionAllows:
		return outcome(false, SourceSession)
	case e.identityAllows:
		return outcome(true, SourceIdentity)
	}
	return outcome(true, instead)
}

// applies tests a statement's action, resource and conditions.
func (e *evaluation) applies(s *statement) bool {
	if s.actions.match(e.action) == s.notAction {
		return false
	}
	if !s.anyResource && s.matchesResource(e.Resource, e.Context) == s.notResource {
		return false
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(e.Context) {
			return false
		}
	}
	return true
}

func (s *statement) matchesResource(resource string, ctx Context) bool {
	for i := range s.resources {
		if s.resources[i].match(resource, ctx) {
			return true
		}
	}
	return false
}

// names tells how the statement's Principal element covers p.
func (s *statement) names(p *Principal) grant {
	switch {
	case s.principals == nil:
		return grantNone
	case !s.notPrincipal:
		return s.principals.match(p)
	case s.principals.excepts(p):
		return grantNone
	}
	return grantRole
}

// Subject is the first half of an AccessDenied message: who may not do what.
// S3 alone puts the resource into quotes, and leaves it out where it is all.
func (r *Request) Subject() string {
	var b strings.Builder
	b.WriteString("User: ")
	b.WriteString(r.Principal.display())
	b.WriteString(" is not authorized to perform: ")
	b.WriteString(r.Action)
	switch s3 := strings.HasPrefix(r.Action, "s3:"); {
	case r.Resource == "" || s3 && r.Resource == "*":
	case s3:
		b.WriteString(` on resource: "` + r.Resource + `"`)
	default:
		b.WriteString(" on resource: " + r.Resource)
	}
	return b.String()
}

// Message words a refusal as the page "Troubleshoot access denied error
// messages" lists them. It is empty for an allowed request. STS leaves the
// reason out: use r.Subject there.
func (d Decision) Message(r *Request) string {
	if d.Allowed {
		return ""
	}
	stranger := r.Principal.Kind == Anonymous || r.ResourceAccount != "" && r.ResourceAccount != r.Principal.Account
	if stranger && strings.HasPrefix(r.Action, "s3:") {
		return "Access Denied" // S3 tells them no more
	}
	if !d.Explicit {
		return r.Subject() + " because no " + d.Source.String() + " allows the " + r.Action + " action"
	}
	article := "a "
	if d.Source == SourceIdentity {
		article = "an "
	}
	text := r.Subject() + " with an explicit deny in " + article + d.Source.String()
	if d.PolicyARN != "" {
		text += ": " + d.PolicyARN
	}
	return text
}

// String is the policy type's name in messages.
func (s Source) String() string {
	switch s {
	case SourceIdentity:
		return "identity-based policy"
	case SourceResource:
		return "resource-based policy"
	case SourceBoundary:
		return "permissions boundary"
	case SourceSession:
		return "session policy"
	case SourceRoot:
		return "root user"
	}
	return "policy"
}
