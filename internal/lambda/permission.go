package lambda

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// policyRecord is the resource-based policy of one qualifier.
type policyRecord struct {
	Qualifier  string // "" is the function's own
	RevisionID string
	Statements []permission
}

// permission is one statement, in the JSON text that Lambda makes of it.
type permission struct {
	SID, Text string
	Named     bool // it is for accounts, users or roles rather than a service
}

// document is the policy as GetPolicy shows it.
func (p *policyRecord) document() string {
	texts := make([]string, len(p.Statements))
	for i, s := range p.Statements {
		texts[i] = s.Text
	}
	return `{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(texts, ",") + `]}`
}

// find returns the place of a statement, or -1.
func (p *policyRecord) find(sid string) int {
	return slices.IndexFunc(p.Statements, func(s permission) bool { return s.SID == sid })
}

func duplicateStatement(sid string) error {
	return conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", sid)
}

// maxPolicy is the limit of a policy's text ("Lambda quotas").
const maxPolicy = 20480

// The statement that AddPermission makes; the order of the members is AWS's.
type statement struct {
	Sid       string
	Effect    string
	Principal principal
	Action    string
	Resource  string
	Condition *conditions `json:",omitzero"`
}

type conditions struct {
	StringEquals *stringEquals   `json:",omitzero"`
	ArnLike      *arnLike        `json:",omitzero"`
	Bool         *boolConditions `json:",omitzero"`
}

type stringEquals struct {
	SourceAccount  string `json:"AWS:SourceAccount,omitzero"`
	PrincipalOrgID string `json:"aws:PrincipalOrgID,omitzero"`
	URLAuthType    string `json:"lambda:FunctionUrlAuthType,omitzero"`
	SourceToken    string `json:"lambda:EventSourceToken,omitzero"`
}

type arnLike struct {
	SourceARN string `json:"AWS:SourceArn"`
}

type boolConditions struct {
	ViaURL string `json:"lambda:InvokedViaFunctionUrl"`
}

// principal is who a statement is for: everyone if kind is empty.
type principal struct{ kind, value string }

// MarshalJSON writes "*" or {"kind":"value"}.
func (p principal) MarshalJSON() ([]byte, error) {
	if p.kind == "" {
		return []byte(`"*"`), nil
	}
	return json.Marshal(map[string]string{p.kind: p.value})
}

var (
	accountForm = regexp.MustCompile(`^\d{12}$`)
	serviceForm = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com)$`)
)

// newPrincipal reads the Principal of a request (API Reference: AddPermission).
func (s *Service) newPrincipal(text string) (principal, error) {
	switch {
	case text == "*":
		return principal{}, nil
	case accountForm.MatchString(text):
		return principal{"AWS", "arn:aws:iam::" + text + ":root"}, nil
	case serviceForm.MatchString(text):
		return principal{"Service", text}, nil
	}
	a, err := arn.Parse(text)
	if err == nil && (a.Service == "iam" || a.Service == "sts") && accountForm.MatchString(a.Account) && (a.Resource == "root" || s.Principals.Exists(text)) {
		return principal{"AWS", text}, nil
	}
	return principal{}, invalid("The provided principal was invalid. Please check the principal and try again.")
}

// newPermission makes the statement that a request asks for.
func (s *Service) newPermission(r ref, in *lambdaapi.AddPermissionRequest) (permission, error) {
	return s.newStatement(r.qualified(), in)
}

// newStatement is newPermission for a resource of any kind.
func (s *Service) newStatement(resource string, in *lambdaapi.AddPermissionRequest) (permission, error) {
	who, err := s.newPrincipal(*in.Principal)
	if err != nil {
		return permission{}, err
	}
	st := statement{Sid: *in.StatementId, Effect: "Allow", Principal: who, Action: *in.Action, Resource: resource}
	var c conditions
	equals := stringEquals{
		SourceAccount: wire.Val(in.SourceAccount), PrincipalOrgID: wire.Val(in.PrincipalOrgID),
		URLAuthType: wire.Val(in.FunctionUrlAuthType), SourceToken: wire.Val(in.EventSourceToken),
	}
	if equals != (stringEquals{}) {
		c.StringEquals = &equals
	}
	if in.SourceArn != nil {
		c.ArnLike = &arnLike{*in.SourceArn}
	}
	if wire.Val(in.InvokedViaFunctionUrl) {
		c.Bool = &boolConditions{"true"}
	}
	if c != (conditions{}) {
		st.Condition = &c
	}
	text, err := json.Marshal(&st)
	return permission{st.Sid, string(text), who.kind != "Service"}, err
}

// policyRef reads the name and qualifier of a permission call.
func policyRef(ctx context.Context, name, qualifier *string) (ref, error) {
	r, err := resolve(ctx, name, qualifier)
	if err == nil && r.qualifier == catalog.Latest {
		err = invalid("We currently do not support adding policies for $LATEST.")
	}
	return r, err
}

// getPolicy reads a qualifier's policy; an empty one if there is none. The
// function, version or alias must exist.
func getPolicy(tx store.ReadTx, r ref) (*policyRecord, error) {
	if _, err := get(tx, r.id, r.arn()); err != nil {
		return nil, err
	}
	if isAlias(r.qualifier) {
		a, err := aliases.Get(tx, r.key(r.qualifier)...)
		if err != nil || a == nil {
			return nil, cmp.Or(err, missing("Cannot find alias arn: %s", r.qualified()))
		}
	} else if r.qualifier != "" { // a version's number, or what no alias is named: $ is in it
		if _, err := getVersion(tx, r.id, r.qualifier); err != nil {
			return nil, err
		}
	}
	p, err := policies.Get(tx, r.key(r.qualifier)...)
	if err == nil && p == nil {
		p = &policyRecord{Qualifier: r.qualifier}
	}
	return p, err
}

// policyCalls tell a policy's present RevisionId.
const policyCalls = "GetPolicy"

// AddPermission lets a service or an account use a function, version or alias.
func (s *Service) AddPermission(ctx context.Context, in *lambdaapi.AddPermissionRequest) (*lambdaapi.AddPermissionResponse, error) {
	r, err := policyRef(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	var added permission
	err = s.update(ctx, r.id, func(tx store.Tx) error {
		p, err := getPolicy(tx, r)
		if err != nil {
			return err
		}
		if err := checkRevision(in.RevisionId, &p.RevisionID, policyCalls); err != nil {
			return err
		}
		if p.find(*in.StatementId) >= 0 {
			return duplicateStatement(*in.StatementId)
		}
		if added, err = s.newPermission(r, in); err != nil {
			return err
		}
		p.Statements = append(p.Statements, added)
		p.RevisionID = ident.UUID()
		text := p.document()
		if len(text) > maxPolicy {
			return &lambdaapi.PolicyLengthExceededException{Type: &user, Message: wire.Ptr(
				"The final policy size (" + decimal(len(text)) + ") is bigger than the limit (" + decimal(maxPolicy) + ").")}
		}
		if _, err := policy.Parse([]byte(text), policy.Resource); err != nil {
			return invalid("%s", err)
		}
		return policies.Put(tx, p, r.key(r.qualifier)...)
	})
	if err != nil {
		return nil, err
	}
	return &lambdaapi.AddPermissionResponse{Statement: &added.Text}, nil
}

// RemovePermission takes a statement out of a policy.
func (s *Service) RemovePermission(ctx context.Context, in *lambdaapi.RemovePermissionRequest) error {
	r, err := policyRef(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return err
	}
	return s.update(ctx, r.id, func(tx store.Tx) error {
		f, err := functions.Get(tx, r.key()...)
		if err != nil || f == nil {
			return cmp.Or(err, missing("No policy found for: %s", r.qualified()))
		}
		p, err := getPolicy(tx, r)
		if err != nil {
			return err
		}
		if len(p.Statements) == 0 {
			return missing("No policy is associated with the given resource.")
		}
		if err := checkRevision(in.RevisionId, &p.RevisionID, policyCalls); err != nil {
			return err
		}
		at := p.find(*in.StatementId)
		if at < 0 {
			return missing("Statement %s is not found in resource policy.", *in.StatementId)
		}
		p.Statements = slices.Delete(p.Statements, at, at+1)
		p.RevisionID = ident.UUID()
		if len(p.Statements) == 0 {
			return policies.Delete(tx, r.key(r.qualifier)...)
		}
		return policies.Put(tx, p, r.key(r.qualifier)...)
	})
}

// GetPolicy returns the policy of a function, version or alias.
func (s *Service) GetPolicy(ctx context.Context, in *lambdaapi.GetPolicyRequest) (*lambdaapi.GetPolicyResponse, error) {
	r, err := policyRef(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	var p *policyRecord
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		if r.qualifier != "" && !isAlias(r.qualifier) { // a missing version is no other error: recorded
			if _, err := get(tx, r.id, r.arn()); err != nil {
				return err
			}
			p, err = policies.Get(tx, r.key(r.qualifier)...)
			return err
		}
		p, err = getPolicy(tx, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if p == nil || len(p.Statements) == 0 {
		return nil, missing("The resource you requested does not exist.")
	}
	return &lambdaapi.GetPolicyResponse{Policy: wire.Ptr(p.document()), RevisionId: &p.RevisionID}, nil
}
