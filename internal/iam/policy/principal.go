package policy

import "strings"

// PrincipalKind is the sort of caller.
type PrincipalKind int

// The sorts of caller that policies tell apart.
const (
	Anonymous     PrincipalKind = iota // unsigned request
	RootUser                           // arn:aws:iam::ACCOUNT:root
	User                               // arn:aws:iam::ACCOUNT:user/NAME
	RoleSession                        // arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
	FederatedUser                      // arn:aws:sts::ACCOUNT:federated-user/NAME
	Service                            // an AWS service acting for itself
	WebIdentity                        // a token holder at an identity provider, before AssumeRole…
)

// Principal is who asks. Fields that make no sense for a kind stay empty.
type Principal struct {
	Kind PrincipalKind
	// ARN of the user, session or root user, as in GetCallerIdentity.
	ARN string
	// Account is the 12-digit account of the caller.
	Account string
	// RoleARN is the role behind a RoleSession: arn:aws:iam::ACCOUNT:role/PATH/NAME.
	RoleARN string
	// UniqueID is aws:userid: AIDA… for a user, AROA…:session for a session.
	UniqueID string
	// Name is a service's host name (lambda.amazonaws.com) or an identity
	// provider's ARN or host.
	Name string
	// CanonicalID is the S3 canonical user id of the account.
	CanonicalID string
}

// display is how AWS names the caller in "User: … is not authorized".
func (p *Principal) display() string {
	switch {
	case p.Kind == Anonymous:
		return "anonymous"
	case p.ARN == "":
		return p.Name
	}
	return p.ARN
}

// grant says how closely a resource-based policy names the caller. It matters
// because an Allow for a session goes around boundaries and session policies
// while one for its account only delegates (page "How AWS enforcement code
// logic evaluates requests", section on resource-based policies).
type grant int

const (
	grantNone    grant = iota
	grantAccount       // the whole account: its own policies must allow too
	grantRole          // the role, or everybody
	grantDirect        // this user, session, root user or service
)

// principalSet is a compiled Principal or NotPrincipal element.
type principalSet struct {
	everyone  bool
	aws       map[string]struct{} // user, role and session ARNs, unique ids
	accounts  map[string]struct{}
	services  map[string]struct{}
	federated map[string]struct{}
	canonical map[string]struct{}
}

// PrincipalRef is one principal named in a document: Type is the key in the
// document (AWS, Service, Federated, CanonicalUser), or "*" with Value "*".
type PrincipalRef struct{ Type, Value string }

// add stores one reference. It reports false if the type is unknown or the
// value cannot be a principal.
func (set *principalSet) add(ref PrincipalRef) bool {
	switch ref.Type {
	case "*":
		set.everyone = true
	case "AWS":
		return set.addAWS(ref.Value)
	case "Service":
		put(&set.services, ref.Value)
		return isHost(ref.Value)
	case "Federated":
		put(&set.federated, ref.Value)
		return ref.Value != ""
	case "CanonicalUser":
		put(&set.canonical, ref.Value)
		return ref.Value != ""
	default:
		return false
	}
	return true
}

func (set *principalSet) addAWS(v string) bool {
	if v == "*" {
		set.everyone = true
		return true
	}
	if isAccount(v) {
		put(&set.accounts, v)
		return true
	}
	if isUniqueID(v) {
		put(&set.aws, v)
		return true
	}
	p := strings.SplitN(v, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[2] != "iam" && p[2] != "sts" || !isAccount(p[4]) {
		return false
	}
	// Wildcards have no meaning inside a principal's ARN.
	if strings.ContainsAny(v, "*?") {
		return false
	}
	if p[5] == "root" {
		put(&set.accounts, p[4])
		return true
	}
	put(&set.aws, v)
	return strings.Contains(p[5], "/")
}

func put(m *map[string]struct{}, key string) {
	if *m == nil {
		*m = map[string]struct{}{}
	}
	(*m)[key] = struct{}{}
}

func has(m map[string]struct{}, key string) bool {
	_, ok := m[key]
	return ok && key != ""
}

// match returns the closest way in which the set names p.
func (set *principalSet) match(p *Principal) grant {
	switch p.Kind {
	case Service:
		if has(set.services, p.Name) {
			return grantDirect
		}
	case WebIdentity:
		if has(set.federated, p.Name) {
			return grantDirect
		}
	case RoleSession:
		if has(set.aws, p.ARN) {
			return grantDirect
		}
		role, _, _ := strings.Cut(p.UniqueID, ":")
		if has(set.aws, p.RoleARN) || has(set.aws, role) {
			return grantRole
		}
	case User, FederatedUser:
		if has(set.aws, p.ARN) || has(set.aws, p.UniqueID) {
			return grantDirect
		}
	case RootUser:
		if has(set.accounts, p.Account) {
			return grantDirect
		}
	}
	switch {
	case has(set.canonical, p.CanonicalID) && p.Kind == RootUser:
		return grantDirect
	case set.everyone:
		return grantRole
	case p.Kind != Anonymous && p.Kind != Service && p.Kind != WebIdentity &&
		(has(set.accounts, p.Account) || has(set.canonical, p.CanonicalID)):
		return grantAccount
	}
	return grantNone
}

// excepts reports whether a NotPrincipal element leaves p alone. An account
// in the list spares only its root user: the guide's example lists both the
// account and one user to spare that user.
func (set *principalSet) excepts(p *Principal) bool {
	return set.match(p) >= grantRole
}

func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isUniqueID reports whether s looks like AIDA… or AROA…, which IAM shows in
// the place of the ARN of a deleted user or role.
func isUniqueID(s string) bool {
	if len(s) < 16 || s[0] != 'A' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// isHost accepts a service's name such as ops.apigateway.amazonaws.com.
func isHost(s string) bool {
	if !strings.Contains(s, ".") || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return true
}
