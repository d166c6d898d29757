package policy

import (
	"testing"
)

const (
	account = "123456789012"
	other   = "999999999999"
	table   = "arn:aws:dynamodb:us-east-1:123456789012:table/users"
)

func must(t testing.TB, kind Kind, doc string) *Document {
	t.Helper()
	d, err := Parse([]byte(doc), kind)
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return d
}

func inline(t testing.TB, doc string) Policy { return Policy{Doc: must(t, Inline, doc)} }

func session() Principal {
	return Principal{
		Kind: RoleSession, ARN: "arn:aws:sts::123456789012:assumed-role/R/S", Account: account,
		RoleARN: "arn:aws:iam::123456789012:role/path/R", UniqueID: "AROAEXAMPLEEXAMPLE123:S",
	}
}

func bob() Principal {
	return Principal{Kind: User, ARN: "arn:aws:iam::123456789012:user/bob", Account: account, UniqueID: "AIDAEXAMPLEEXAMPLE123"}
}

const (
	allowAll  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	allowGet  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:Get*","Resource":"*"}}`
	allowPut  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*"}}`
	denyPut   = `{"Version":"2012-10-17","Statement":{"Sid":"NoPut","Effect":"Deny","Action":"dynamodb:putitem","Resource":"*"}}`
	putRefuse = "User: arn:aws:sts::123456789012:assumed-role/R/S is not authorized to perform: dynamodb:PutItem on resource: " + table
)

func grants(principal string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":` + principal +
		`,"Action":"dynamodb:PutItem","Resource":"` + table + `"}}`
}

func denies(element string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Deny",` + element + `,"Action":"*","Resource":"*"}}`
}

// TestEvaluate has a row for each rule of the evaluation logic.
func TestEvaluate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		principal    Principal
		identity     []string
		boundary     string
		session      []string
		resource     string
		owner        string
		needResource bool
		allowed      bool
		source       Source
		message      string
	}{
		{name: "nothing allows", principal: session(), source: SourceIdentity,
			message: putRefuse + " because no identity-based policy allows the dynamodb:PutItem action"},
		{name: "identity allows", principal: session(), identity: []string{allowGet, allowPut}, allowed: true, source: SourceIdentity},
		{name: "identity allows another action", principal: session(), identity: []string{allowGet}, source: SourceIdentity,
			message: putRefuse + " because no identity-based policy allows the dynamodb:PutItem action"},
		{name: "deny wins", principal: session(), identity: []string{allowAll, denyPut}, source: SourceIdentity,
			message: putRefuse + " with an explicit deny in an identity-based policy"},
		{name: "boundary lacks it", principal: session(), identity: []string{allowAll}, boundary: allowGet, source: SourceBoundary,
			message: putRefuse + " because no permissions boundary allows the dynamodb:PutItem action"},
		{name: "boundary alone is not enough", principal: session(), boundary: allowAll, source: SourceIdentity,
			message: putRefuse + " because no identity-based policy allows the dynamodb:PutItem action"},
		{name: "boundary and identity", principal: bob(), identity: []string{allowPut}, boundary: allowAll, allowed: true, source: SourceIdentity},
		{name: "boundary denies", principal: session(), identity: []string{allowAll}, boundary: denyPut, source: SourceBoundary,
			message: putRefuse + " with an explicit deny in a permissions boundary"},
		{name: "session lacks it", principal: session(), identity: []string{allowAll}, session: []string{allowGet}, source: SourceSession,
			message: putRefuse + " because no session policy allows the dynamodb:PutItem action"},
		{name: "one session policy has it", principal: session(), identity: []string{allowAll}, session: []string{allowGet, allowPut}, allowed: true, source: SourceIdentity},
		{name: "session denies", principal: session(), identity: []string{allowAll}, session: []string{allowAll, denyPut}, source: SourceSession,
			message: putRefuse + " with an explicit deny in a session policy"},

		{name: "resource allows the user", principal: bob(), resource: grants(`{"AWS":"arn:aws:iam::123456789012:user/bob"}`), allowed: true, source: SourceResource},
		{name: "… past a boundary", principal: bob(), boundary: allowGet, resource: grants(`{"AWS":"arn:aws:iam::123456789012:user/bob"}`), allowed: true, source: SourceResource},
		{name: "resource allows another user", principal: bob(), resource: grants(`{"AWS":"arn:aws:iam::123456789012:user/eve"}`), source: SourceIdentity},
		{name: "resource allows the role", principal: session(), resource: grants(`{"AWS":"arn:aws:iam::123456789012:role/path/R"}`), allowed: true, source: SourceResource},
		{name: "… not past a boundary", principal: session(), boundary: allowGet, resource: grants(`{"AWS":"arn:aws:iam::123456789012:role/path/R"}`), source: SourceBoundary},
		{name: "… nor a session policy", principal: session(), session: []string{allowGet}, resource: grants(`{"AWS":"arn:aws:iam::123456789012:role/path/R"}`), source: SourceSession},
		{name: "resource allows the session", principal: session(), boundary: allowGet, session: []string{allowGet},
			resource: grants(`{"AWS":"arn:aws:sts::123456789012:assumed-role/R/S"}`), allowed: true, source: SourceResource},
		{name: "resource allows a deleted role's id", principal: session(), resource: grants(`{"AWS":"AROAEXAMPLEEXAMPLE123"}`), allowed: true, source: SourceResource},
		{name: "resource allows everybody", principal: bob(), resource: grants(`"*"`), allowed: true, source: SourceResource},
		{name: "resource allows the account only", principal: bob(), resource: grants(`{"AWS":"123456789012"}`), source: SourceIdentity},
		{name: "… and identity too", principal: bob(), identity: []string{allowPut}, resource: grants(`{"AWS":"123456789012"}`), allowed: true, source: SourceIdentity},
		{name: "resource denies the account", principal: bob(), identity: []string{allowAll},
			resource: denies(`"Principal":{"AWS":"arn:aws:iam::123456789012:root"}`), source: SourceResource,
			message: "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: dynamodb:PutItem on resource: " + table +
				" with an explicit deny in a resource-based policy"},
		{name: "resource denies somebody else", principal: bob(), identity: []string{allowAll},
			resource: denies(`"Principal":{"AWS":"arn:aws:iam::123456789012:user/eve"}`), allowed: true, source: SourceIdentity},
		{name: "all but one denied, the one", principal: bob(), identity: []string{allowAll},
			resource: denies(`"NotPrincipal":{"AWS":["arn:aws:iam::123456789012:user/bob","123456789012"]}`), allowed: true, source: SourceIdentity},
		{name: "all but one denied, another", principal: session(), identity: []string{allowAll},
			resource: denies(`"NotPrincipal":{"AWS":["arn:aws:iam::123456789012:user/bob","123456789012"]}`), source: SourceResource},

		{name: "other account, nobody allows", principal: bob(), owner: other, source: SourceIdentity},
		{name: "other account, only identity", principal: bob(), owner: other, identity: []string{allowAll}, source: SourceResource,
			message: "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: dynamodb:PutItem on resource: " + table +
				" because no resource-based policy allows the dynamodb:PutItem action"},
		{name: "other account, only resource", principal: bob(), owner: other, resource: grants(`{"AWS":"arn:aws:iam::123456789012:user/bob"}`), source: SourceIdentity},
		{name: "other account, both", principal: bob(), owner: other, identity: []string{allowPut}, resource: grants(`{"AWS":"123456789012"}`), allowed: true, source: SourceIdentity},

		{name: "root in its account", principal: Principal{Kind: RootUser, ARN: "arn:aws:iam::123456789012:root", Account: account}, allowed: true, source: SourceRoot},
		{name: "root denied by a resource", principal: Principal{Kind: RootUser, ARN: "arn:aws:iam::123456789012:root", Account: account},
			resource: denies(`"Principal":"*"`), source: SourceResource},
		{name: "root of another account", principal: Principal{Kind: RootUser, ARN: "arn:aws:iam::123456789012:root", Account: account}, owner: other, source: SourceResource},

		{name: "service named", principal: Principal{Kind: Service, Name: "apigateway.amazonaws.com"}, resource: grants(`{"Service":"apigateway.amazonaws.com"}`), allowed: true, source: SourceResource},
		{name: "other service", principal: Principal{Kind: Service, Name: "apigateway.amazonaws.com"}, resource: grants(`{"Service":"s3.amazonaws.com"}`), source: SourceResource,
			message: "User: apigateway.amazonaws.com is not authorized to perform: dynamodb:PutItem on resource: " + table +
				" because no resource-based policy allows the dynamodb:PutItem action"},
		{name: "service without any policy", principal: Principal{Kind: Service, Name: "apigateway.amazonaws.com"}, source: SourceResource},
		{name: "anonymous", resource: grants(`{"AWS":"123456789012"}`), source: SourceResource,
			message: "User: anonymous is not authorized to perform: dynamodb:PutItem on resource: " + table +
				" because no resource-based policy allows the dynamodb:PutItem action"},
		{name: "anonymous and everybody", resource: grants(`{"AWS":"*"}`), allowed: true, source: SourceResource},
		{name: "web identity", principal: Principal{Kind: WebIdentity, Name: "accounts.google.com"},
			resource: grants(`{"Federated":"accounts.google.com"}`), allowed: true, source: SourceResource},

		{name: "trust needed, missing", principal: bob(), identity: []string{allowAll}, needResource: true, source: SourceResource},
		{name: "trust through the account", principal: bob(), identity: []string{allowAll}, needResource: true, resource: grants(`{"AWS":"123456789012"}`), allowed: true, source: SourceIdentity},
		{name: "trust through the account, no identity policy", principal: bob(), needResource: true, resource: grants(`{"AWS":"123456789012"}`), source: SourceIdentity},
		{name: "trust names the user", principal: bob(), needResource: true, resource: grants(`{"AWS":"arn:aws:iam::123456789012:user/bob"}`), allowed: true, source: SourceResource},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &Request{
				Principal: c.principal, Action: "dynamodb:PutItem", Resource: table,
				ResourceAccount: c.owner, NeedResourcePolicy: c.needResource,
			}
			for _, doc := range c.identity {
				r.Identity = append(r.Identity, inline(t, doc))
			}
			for _, doc := range c.session {
				r.Session = append(r.Session, inline(t, doc))
			}
			if c.boundary != "" {
				r.Boundary = inline(t, c.boundary)
			}
			if c.resource != "" {
				r.ResourcePolicy = must(t, Resource, c.resource)
			}
			d := Evaluate(r)
			if d.Allowed != c.allowed || d.Source != c.source {
				t.Errorf("got %+v", d)
			}
			if got := d.Message(r); c.message != "" && got != c.message || c.allowed && got != "" {
				t.Errorf("message %q\n   want %q", got, c.message)
			}
		})
	}
}

func TestMessageForms(t *testing.T) {
	t.Parallel()
	r := &Request{
		Principal: bob(), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k",
		Identity: []Policy{{
			ARN: "arn:aws:iam::123456789012:policy/guard",
			Doc: must(t, Managed, `{"Version":"2012-10-17","Statement":{"Sid":"g","Effect":"Deny","Action":"s3:*","Resource":"*"}}`),
		}},
	}
	d := Evaluate(r)
	want := `User: arn:aws:iam::123456789012:user/bob is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k"` +
		" with an explicit deny in an identity-based policy: arn:aws:iam::123456789012:policy/guard"
	if got := d.Message(r); got != want || d.Sid != "g" {
		t.Errorf("got %s, sid %q", got, d.Sid)
	}
	r = &Request{Principal: bob(), Action: "s3:ListAllMyBuckets", Resource: "*"}
	want = "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: s3:ListAllMyBuckets" +
		" because no identity-based policy allows the s3:ListAllMyBuckets action"
	if got := Evaluate(r).Message(r); got != want {
		t.Errorf("got %s", got)
	}
	r = &Request{Principal: bob(), Action: "sts:AssumeRole", Resource: "arn:aws:iam::123456789012:role/r"}
	want = "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/r"
	if got := r.Subject(); got != want {
		t.Errorf("got %s", got)
	}
}

// TestStatement matches one Allow statement against a request.
func TestStatement(t *testing.T) {
	t.Parallel()
	const get = "s3:GetObject"
	for _, c := range []struct {
		members, action, resource string
		want                      bool
	}{
		{`"Action":"s3:getobject","Resource":"*"`, get, "*", true},
		{`"Action":"S3:*Object","Resource":"*"`, get, "*", true},
		{`"Action":"s3:Get?bject","Resource":"*"`, get, "*", true},
		{`"Action":"s3:Get","Resource":"*"`, get, "*", false},
		{`"Action":"s3:Get*","Resource":"*"`, "s3:PutObject", "*", false},
		{`"Action":"*:Get*","Resource":"*"`, get, "*", true},
		{`"Action":["iam:*","s3:*"],"Resource":"*"`, get, "*", true},
		{`"NotAction":"iam:*","Resource":"*"`, get, "*", true},
		{`"NotAction":"s3:*","Resource":"*"`, get, "*", false},
		{`"Action":"*","Resource":"arn:aws:s3:::b/*"`, get, "arn:aws:s3:::b/a/b/c", true},
		{`"Action":"*","Resource":"arn:aws:s3:::b/*"`, get, "arn:aws:s3:::b", false},
		{`"Action":"*","Resource":"arn:aws:s3:::b/?"`, get, "arn:aws:s3:::b/é", true},
		{`"Action":"*","Resource":"arn:aws:s3:::B/k"`, get, "arn:aws:s3:::b/k", false},
		{`"Action":"*","NotResource":"arn:aws:s3:::b/*"`, get, "arn:aws:s3:::b/k", false},
		{`"Action":"*","NotResource":"arn:aws:s3:::b/*"`, get, "arn:aws:s3:::c/k", true},
		{`"Action":"*","NotResource":"*"`, get, "arn:aws:s3:::c/k", false},
		{`"Action":"*","Resource":"arn:aws:dynamodb:*:*:table/*/index/*"`, get, "arn:aws:dynamodb:r:1:table/t/index/i", true},
		{`"Action":"*","Resource":"arn:aws:s3:::b/${aws:username}/*"`, get, "arn:aws:s3:::b/bob/k", true},
		{`"Action":"*","Resource":"arn:aws:s3:::b/${AWS:UserName}/*"`, get, "arn:aws:s3:::b/eve/k", false},
		{`"Action":"*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team, 'none'}/*"`, get, "arn:aws:s3:::b/none/k", true},
		{`"Action":"*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team}*"`, get, "arn:aws:s3:::b/", false},
		{`"Action":"*","Resource":"arn:aws:s3:::b/${*}"`, get, "arn:aws:s3:::b/*", true},
		{`"Action":"*","Resource":"arn:aws:s3:::b/${*}"`, get, "arn:aws:s3:::b/x", false},
		{`"Action":"*","Resource":"arn:aws:s3:::b/${$}{x}"`, get, "arn:aws:s3:::b/${x}", true},
		{`"Action":"*","Resource":"arn:aws:s3:::b/${star}"`, get, "arn:aws:s3:::b/anything", false},
		{`"Action":"*","Resource":"arn:aws:s3:::b/${star}"`, get, "arn:aws:s3:::b/*", true},
	} {
		r := &Request{
			Principal: bob(), Action: c.action, Resource: c.resource,
			Context:  Context{"aws:username": {"bob"}, "star": {"*"}},
			Identity: []Policy{inline(t, stmt(`"Effect":"Allow",`+c.members))},
		}
		if got := Evaluate(r).Allowed; got != c.want {
			t.Errorf("%s on %s %s: %v", c.members, c.action, c.resource, got)
		}
	}
	old := inline(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}"}}`)
	r := &Request{Principal: bob(), Action: get, Resource: "arn:aws:s3:::b/${aws:username}", Identity: []Policy{old}}
	if !Evaluate(r).Allowed {
		t.Error("variables must be plain text in a 2008-10-17 document")
	}
}
