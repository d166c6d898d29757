package iam

import (
	"context"
	"strings"
	"sync"

	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// subject is a role or user with its policies compiled, for decisions. It is
// immutable and good for one generation.
type subject struct {
	generation uint64
	account    string
	arn, id    string
	identity   []policy.Policy
	boundary   policy.Policy
	trust      *policy.Document // of a role
	maxSession int64            // seconds; of a role
}

type subjectKey struct{ account, kind, name string }

// subjects remembers compiled roles and users. It is asked several times a
// request, and a sync.Map would have to allocate the key each time.
type subjects struct {
	mu    sync.RWMutex
	known map[subjectKey]*subject
}

func (c *subjects) get(at subjectKey) *subject {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.known[at]
}

// set remembers a subject, or forgets one that is nil.
func (c *subjects) set(at subjectKey, sub *subject) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sub == nil {
		delete(c.known, at)
		return
	}
	if c.known == nil {
		c.known = map[subjectKey]*subject{}
	}
	c.known[at] = sub
}

// subject returns the compiled role or user, or nil if there is none.
func (s *Service) subject(account string, k kind, name string) *subject {
	at := subjectKey{account, k.name, name}
	generation := s.generation.Load()
	if cached := s.subjects.get(at); cached != nil && cached.generation == generation {
		return cached
	}
	var sub *subject
	err := s.Store.View(context.Background(), func(r store.ReadTx) error {
		sub = nil
		e, err := k.records.Get(r, account, name)
		if err != nil || e == nil {
			return err
		}
		sub, err = newSubject(r, account, e)
		return err
	})
	if err != nil {
		s.Log.Error("compile policies", "kind", k.name, "name", name, "error", err)
		return nil
	}
	if sub != nil {
		sub.generation = generation
	}
	s.subjects.set(at, sub)
	return sub
}

func newSubject(r store.ReadTx, account string, e *entity) (*subject, error) {
	sub := &subject{account: account, arn: e.arn()}
	switch {
	case e.Role != nil:
		sub.id, sub.maxSession = *e.Role.RoleId, *e.Role.MaxSessionDuration
		trust, err := policy.Parse([]byte(*e.Role.AssumeRolePolicyDocument), policy.Trust)
		if err != nil {
			return nil, err
		}
		sub.trust = trust
	case e.User != nil:
		sub.id = *e.User.UserId
	}
	if err := sub.add(r, e); err != nil {
		return nil, err
	}
	for _, name := range e.Groups {
		group, err := groupKind.get(r, account, name)
		if err == nil {
			err = sub.add(r, group)
		}
		if err != nil {
			return nil, err
		}
	}
	if b := e.boundary(); b != "" {
		var err error
		if sub.boundary, err = compiled(r, b); err != nil {
			return nil, err
		}
	}
	return sub, nil
}

// add gives the subject what the policies of an entity say.
func (sub *subject) add(r store.ReadTx, e *entity) error {
	for _, text := range e.Inline {
		doc, err := policy.Parse([]byte(text), policy.Inline)
		if err != nil {
			return err
		}
		sub.identity = append(sub.identity, policy.Policy{Doc: doc})
	}
	for _, policyARN := range e.Attached {
		p, err := compiled(r, policyARN)
		if err != nil {
			return err
		}
		sub.identity = append(sub.identity, p)
	}
	return nil
}

func compiled(r store.ReadTx, policyARN string) (policy.Policy, error) {
	p, err := findPolicy(r, policyARN)
	if err != nil {
		return policy.Policy{}, err
	}
	doc, err := policy.Parse([]byte(p.document()), policy.Inline)
	return policy.Policy{ARN: policyARN, Doc: doc}, err
}

// Authorize decides whether the caller may act on a target; it returns "" or
// the message of the refusal.
func (s *Service) Authorize(_ context.Context, caller *wire.Caller, target wire.IAMTarget) string {
	if caller.Role != "" {
		return s.RoleMay(caller.Role, caller.Service, target)
	}
	owner := target.Owner()
	if strings.HasSuffix(caller.ARN, ":root") && target.Policy == "" && (owner == "" || owner == caller.Account) {
		return ""
	}
	req := &policy.Request{Action: target.Action, Resource: target.Resource, ResourceAccount: owner}
	if target.Policy != "" {
		doc, err := s.documents.resource(target.Policy)
		if err != nil {
			return "The resource policy can't be read: " + err.Error()
		}
		req.ResourcePolicy, req.NeedResourcePolicy = doc, target.NeedPolicy
	}
	s.fill(req, caller)
	if req.ReadsContext() {
		req.Context = s.requestContext(caller, target)
	}
	return policy.Evaluate(req).Message(req)
}

// Decide evaluates req for a caller of an API behind API Gateway. It adds who
// they are, the policies that bind them and the condition keys that tell of
// them; everything else is the asker's.
func (s *Service) Decide(caller *wire.Caller, req *policy.Request) policy.Decision {
	tellPrincipal(req.Context, caller)
	s.fill(req, caller)
	return policy.Evaluate(req)
}

// fill adds the caller and the policies that bind them.
func (s *Service) fill(req *policy.Request, caller *wire.Caller) {
	p := policy.Principal{ARN: caller.ARN, Account: caller.Account, UniqueID: caller.UserID}
	switch {
	case caller.Service != "":
		p = policy.Principal{Kind: policy.Service, Name: caller.Service}
	case caller.Anonymous():
		p.Kind = policy.Anonymous
	case strings.HasSuffix(caller.ARN, ":root"):
		p.Kind = policy.RootUser
	case caller.UserName != "":
		p.Kind = policy.User
		s.bind(req, s.subject(caller.Account, userKind, caller.UserName))
	default:
		p.Kind = policy.RoleSession
		if k := s.key(caller.AccessKeyID); k != nil {
			sub := s.sessionRole(k)
			if sub != nil {
				p.RoleARN = sub.arn
			}
			s.bind(req, sub)
			req.Session = s.sessionPolicies(k)
		}
	}
	req.Principal = p
}

// bind adds a subject's policies; a deleted subject has none, so nothing is
// allowed.
func (s *Service) bind(req *policy.Request, sub *subject) {
	if sub != nil {
		req.Identity, req.Boundary = sub.identity, sub.boundary
	}
}

// sessionPolicies compiles the policies that narrow a session. One that can't
// be read any more allows nothing.
func (s *Service) sessionPolicies(k *key) []policy.Policy {
	var out []policy.Policy
	if k.Policy != "" {
		doc, err := policy.Parse([]byte(k.Policy), policy.Inline)
		if err != nil {
			doc = &policy.Document{}
		}
		out = append(out, policy.Policy{Doc: doc})
	}
	for _, policyARN := range k.PolicyARNs {
		p := policy.Policy{ARN: policyARN, Doc: &policy.Document{}}
		_ = s.Store.View(context.Background(), func(r store.ReadTx) error {
			if found, err := compiled(r, policyARN); err == nil {
				p = found
			}
			return nil
		})
		out = append(out, p)
	}
	return out
}

// requestContext fills in the global condition keys (IAM User Guide: "AWS
// global condition context keys") and the target's own.
func (s *Service) requestContext(caller *wire.Caller, target wire.IAMTarget) policy.Context {
	now := s.Clock.Now()
	ctx := policy.Context{}
	ctx.Set("aws:CurrentTime", now.Format("2006-01-02T15:04:05Z"))
	ctx.Set("aws:EpochTime", formatUnix(now))
	ctx.Set("aws:RequestedRegion", caller.Region)
	ctx.Set("aws:SecureTransport", formatBool(caller.Secure))
	ctx.Set("aws:SourceIp", caller.SourceIP)
	ctx.Set("aws:UserAgent", caller.UserAgent)
	tellPrincipal(ctx, caller)
	for name, values := range target.Context {
		ctx.Set(name, values...)
	}
	return ctx
}

// tellPrincipal sets the condition keys that tell of the caller.
func tellPrincipal(ctx policy.Context, caller *wire.Caller) {
	if caller.Service != "" {
		ctx.Set("aws:PrincipalIsAWSService", "true")
		ctx.Set("aws:PrincipalServiceName", caller.Service)
		ctx.Set("aws:SourceArn", caller.SourceARN)
		ctx.Set("aws:SourceAccount", caller.SourceAccount)
		return
	}
	if caller.Anonymous() {
		ctx.Set("aws:PrincipalAccount", "anonymous")
		ctx.Set("aws:PrincipalType", "Anonymous")
		ctx.Set("aws:userid", "anonymous")
		return
	}
	ctx.Set("aws:PrincipalIsAWSService", "false")
	ctx.Set("aws:PrincipalAccount", caller.Account)
	ctx.Set("aws:PrincipalArn", caller.ARN)
	ctx.Set("aws:PrincipalType", principalType(caller))
	ctx.Set("aws:userid", caller.UserID)
	if caller.UserName != "" {
		ctx.Set("aws:username", caller.UserName)
	}
}

func principalType(caller *wire.Caller) string {
	switch {
	case strings.HasSuffix(caller.ARN, ":root"):
		return "Account"
	case caller.UserName != "":
		return "User"
	}
	return "AssumedRole"
}
