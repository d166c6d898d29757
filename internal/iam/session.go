package iam

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Session is a set of temporary credentials and whom they stand for.
type Session struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
	ARN, ID                                    string // of the assumed role session, or of the user
}

// Assumption is a request for a role session.
type Assumption struct {
	RoleARN    string
	Name       string // of the session
	Duration   time.Duration
	Policy     string   // session policy document, or ""
	PolicyARNs []string // managed session policies
	ExternalID string
	// Service is the AWS service that assumes the role for itself, such as
	// lambda.amazonaws.com; "" if it is Caller who asks.
	Service string
	Caller  *wire.Caller
}

// AssumeRole issues temporary credentials for a role if its trust policy and
// the caller's own policies allow it. A refusal is an AccessDenied error that
// doesn't tell whether the role exists, as STS's doesn't.
func (s *Service) AssumeRole(ctx context.Context, a *Assumption) (*Session, error) {
	k, err := s.assume(a)
	if err != nil {
		return nil, err
	}
	if err := s.keep(ctx, k); err != nil {
		return nil, err
	}
	return k.session(), nil
}

// AssumeRoleAhead is AssumeRole without waiting for the store. The keys are good
// at once; kept waits until they will also be after a restart, and has to be
// called before anybody is told of what was done with them.
func (s *Service) AssumeRoleAhead(ctx context.Context, a *Assumption) (session *Session, kept func() error, err error) {
	k, err := s.assume(a)
	if err != nil {
		return nil, nil, err
	}
	s.keys.Store(k.ID, &cachedKey{key: k, generation: s.generation.Load()})
	done := make(chan error, 1)
	go func() {
		err := s.keep(context.WithoutCancel(ctx), k)
		s.keys.Delete(k.ID) // from now on it is in the store, or not good any more
		done <- err
	}()
	return k.session(), sync.OnceValue(func() error { return <-done }), nil
}

// assume makes the key of a role session.
func (s *Service) assume(a *Assumption) (*key, error) {
	role, err := arn.Parse(a.RoleARN)
	if err != nil || role.Service != "iam" || !strings.HasPrefix(role.Resource, "role/") {
		return nil, wire.Errorf("ValidationError", "%s is invalid", a.RoleARN)
	}
	if a.Policy != "" {
		if err := checkDocument(a.Policy, policy.Inline); err != nil {
			return nil, err
		}
	}
	name := nameOf(a.RoleARN)
	sub := s.subject(role.Account, roleKind, name)
	if sub == nil || sub.arn != a.RoleARN || !s.trusts(sub, a) {
		return nil, s.notAssumable(a)
	}
	if longest := time.Duration(sub.maxSession) * time.Second; a.Duration > longest {
		return nil, wire.Errorf("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	if a.Caller != nil && strings.Contains(a.Caller.ARN, ":assumed-role/") && a.Duration > time.Hour {
		return nil, wire.Errorf("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	k := s.temporary(role.Account, a.Duration)
	k.Role, k.Policy, k.PolicyARNs = name, a.Policy, a.PolicyARNs
	k.Subject = arn.New("sts", "", role.Account, "assumed-role/"+name+"/"+a.Name).String()
	k.SubjectID = sub.id + ":" + a.Name
	return k, nil
}

// SessionToken issues temporary credentials for the calling user or root user.
func (s *Service) SessionToken(ctx context.Context, caller *wire.Caller, duration time.Duration) (*Session, error) {
	k := s.temporary(caller.Account, duration)
	k.User, k.Subject, k.SubjectID = caller.UserName, caller.ARN, caller.UserID
	if err := s.keep(ctx, k); err != nil {
		return nil, err
	}
	return k.session(), nil
}

func (s *Service) temporary(account string, duration time.Duration) *key {
	now := *s.now()
	return &key{
		ID: s.newKeyID("ASIA"), Secret: ident.Mixed(40), Token: ident.Base64(180), Account: account,
		Created: now, Expires: now.Add(duration),
	}
}

func (k *key) session() *Session {
	return &Session{AccessKeyID: k.ID, SecretAccessKey: k.Secret, SessionToken: k.Token, Expiration: k.Expires, ARN: k.Subject, ID: k.SubjectID}
}

const (
	// remembered is how long the keys of a session are told from unknown ones
	// after their end.
	remembered = 24 * time.Hour
	// sweepPause is between two sweeps, each of which reads all keys.
	sweepPause = time.Hour
)

// keep stores a session's key, so that a restart doesn't forget it, and now and
// then clears out those that expired.
func (s *Service) keep(ctx context.Context, k *key) error {
	now := s.Clock.Now()
	last := s.swept.Load()
	sweep := (last == nil || now.Sub(*last) >= sweepPause) && s.swept.CompareAndSwap(last, &now)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if sweep {
			if err := s.sweep(tx, now); err != nil {
				return err
			}
		}
		return keyring.Put(tx, k, k.ID)
	})
}

// sweep deletes the keys of sessions that ended long ago.
func (s *Service) sweep(tx store.Tx, now time.Time) error {
	var expired []string
	for old, err := range keyring.All(tx) {
		if err != nil {
			return err
		}
		if old.Token != "" && now.After(old.Expires.Add(remembered)) {
			expired = append(expired, old.ID)
		}
	}
	for _, id := range expired {
		if err := keyring.Delete(tx, id); err != nil {
			return err
		}
		s.keys.Delete(id)
	}
	return nil
}

func (s *Service) notAssumable(a *Assumption) error {
	who := a.Service
	if a.Caller != nil {
		who = a.Caller.ARN
	}
	return &wire.Error{Code: "AccessDenied", Status: 403,
		Message: "User: " + who + " is not authorized to perform: sts:AssumeRole on resource: " + a.RoleARN}
}

// trusts decides by the role's trust policy and the caller's policies.
func (s *Service) trusts(sub *subject, a *Assumption) bool {
	ctx := policy.Context{}
	if a.ExternalID != "" {
		ctx.Set("sts:ExternalId", a.ExternalID)
	}
	ctx.Set("sts:RoleSessionName", a.Name)
	req := &policy.Request{Action: "sts:AssumeRole", Resource: sub.arn, ResourceAccount: sub.account, Context: ctx,
		ResourcePolicy: sub.trust, NeedResourcePolicy: true}
	if a.Service != "" {
		req.Principal = policy.Principal{Kind: policy.Service, Name: a.Service}
		return policy.Evaluate(req).Allowed
	}
	s.fill(req, a.Caller)
	return policy.Evaluate(req).Allowed
}

// Assumable reports whether a service may assume the role, which must exist.
func (s *Service) Assumable(roleARN, service string) bool {
	role, err := arn.Parse(roleARN)
	if err != nil {
		return false
	}
	sub := s.subject(role.Account, roleKind, nameOf(roleARN))
	return sub != nil && sub.arn == roleARN && s.trusts(sub, &Assumption{RoleARN: roleARN, Service: service})
}

// RoleMay decides whether a service that has assumed a role may act on a
// target; it returns "" or the message of the refusal. It issues no keys: the
// services of butai that act as a role do it inside the process.
func (s *Service) RoleMay(roleARN, service string, target wire.IAMTarget) (denial string) {
	if !s.Assumable(roleARN, service) {
		return service + " may not assume the role " + roleARN
	}
	role, err := arn.Parse(roleARN)
	if err != nil {
		return err.Error()
	}
	sub := s.subject(role.Account, roleKind, nameOf(roleARN))
	caller := &wire.Caller{Account: role.Account, ARN: arn.New("sts", "", role.Account, "assumed-role/"+nameOf(roleARN)+"/"+service).String()}
	req := &policy.Request{
		Action: target.Action, Resource: target.Resource, ResourceAccount: target.Owner(), Context: s.requestContext(caller, target),
		Principal: policy.Principal{Kind: policy.RoleSession, ARN: caller.ARN, Account: role.Account, RoleARN: roleARN},
	}
	if target.Policy != "" {
		req.NeedResourcePolicy = target.NeedPolicy
		if req.ResourcePolicy, err = policy.Parse([]byte(target.Policy), policy.Resource); err != nil {
			return "The resource policy can't be read: " + err.Error()
		}
	}
	s.bind(req, sub)
	return policy.Evaluate(req).Message(req)
}

// Exists reports whether there is a role or user of the ARN. Any account's
// root exists: butai has no list of accounts.
func (s *Service) Exists(principalARN string) bool {
	a, err := arn.Parse(principalARN)
	if err != nil || a.Service != "iam" {
		return false
	}
	kindName, name, _ := strings.Cut(a.Resource, "/")
	switch kindName {
	case "root":
		return true
	case "role":
		sub := s.subject(a.Account, roleKind, nameOf(name))
		return sub != nil && sub.arn == principalARN
	case "user":
		sub := s.subject(a.Account, userKind, nameOf(name))
		return sub != nil && sub.arn == principalARN
	}
	return false
}
