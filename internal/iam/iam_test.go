package iam_test

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/iam"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	allow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}`
	basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
	own   = "arn:aws:iam::000000000000:policy/"
)

// world is a service over its own store, with a caller and a clock.
type world struct {
	*iam.Service
	ctx   context.Context
	clock *clock.Fake
}

func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	w := &world{clock: clock.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))}
	w.Service, err = iam.New(t.Context(), iam.Config{Store: st, Clock: w.clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.ctx = wire.WithCaller(t.Context(), &wire.Caller{Account: "000000000000", Partition: "aws", Region: "us-east-1",
		ARN: "arn:aws:iam::000000000000:root", UserID: "000000000000", AccessKeyID: "000000000000"})
	return w
}

// do calls an operation by name, as the front end does: validated first.
func (w *world) do(op string, in any) (any, error) {
	o := iamapi.Service.Operation(op)
	if err := w.ValidateInput(o, in); err != nil {
		return nil, err
	}
	return o.Call(w.ctx, w.Service, in)
}

func (w *world) must(t *testing.T, op string, in any) any {
	t.Helper()
	out, err := w.do(op, in)
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	return out
}

// build makes a role, a user and two policies.
func (w *world) build(t *testing.T) {
	t.Helper()
	w.must(t, "CreateRole", &iamapi.CreateRoleRequest{RoleName: wire.Ptr("role"), AssumeRolePolicyDocument: wire.Ptr(trust)})
	w.must(t, "CreateUser", &iamapi.CreateUserRequest{UserName: wire.Ptr("user")})
	w.must(t, "CreatePolicy", &iamapi.CreatePolicyRequest{PolicyName: wire.Ptr("used"), PolicyDocument: wire.Ptr(allow)})
	w.must(t, "CreatePolicy", &iamapi.CreatePolicyRequest{PolicyName: wire.Ptr("free"), PolicyDocument: wire.Ptr(allow)})
	w.must(t, "AttachRolePolicy", &iamapi.AttachRolePolicyRequest{RoleName: wire.Ptr("role"), PolicyArn: wire.Ptr(own + "used")})
	w.must(t, "PutUserPolicy", &iamapi.PutUserPolicyRequest{UserName: wire.Ptr("user"), PolicyName: wire.Ptr("p"), PolicyDocument: wire.Ptr(allow)})
}

// TestRefusals pins the code and the text of what IAM refuses.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const names = " is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
	for name, tt := range map[string]struct {
		op   string
		in   any
		code string
		text string
	}{
		"no such role":   {"GetRole", &iamapi.GetRoleRequest{RoleName: wire.Ptr("no")}, "NoSuchEntity", "The role with name no cannot be found."},
		"no such user":   {"GetUser", &iamapi.GetUserRequest{UserName: wire.Ptr("no")}, "NoSuchEntity", "The user with name no cannot be found."},
		"no such policy": {"GetPolicy", &iamapi.GetPolicyRequest{PolicyArn: wire.Ptr(own + "no")}, "NoSuchEntity", "Policy " + own + "no was not found."},
		"no such inline policy": {
			"GetRolePolicy", &iamapi.GetRolePolicyRequest{RoleName: wire.Ptr("role"), PolicyName: wire.Ptr("no")},
			"NoSuchEntity", "The role policy with name no cannot be found.",
		},
		"attach an unknown policy": {
			"AttachRolePolicy", &iamapi.AttachRolePolicyRequest{RoleName: wire.Ptr("role"), PolicyArn: wire.Ptr(own + "no")},
			"NoSuchEntity", "Policy " + own + "no does not exist or is not attachable.",
		},
		"detach what isn't attached": {
			"DetachRolePolicy", &iamapi.DetachRolePolicyRequest{RoleName: wire.Ptr("role"), PolicyArn: wire.Ptr(own + "free")},
			"NoSuchEntity", "Policy " + own + "free was not found.",
		},
		"role exists": {
			"CreateRole", &iamapi.CreateRoleRequest{RoleName: wire.Ptr("role"), AssumeRolePolicyDocument: wire.Ptr(trust)},
			"EntityAlreadyExists", "Role with name role already exists.",
		},
		"role exists in other letters": {
			"CreateRole", &iamapi.CreateRoleRequest{RoleName: wire.Ptr("ROLE"), AssumeRolePolicyDocument: wire.Ptr(trust)},
			"EntityAlreadyExists", "Role with name ROLE already exists.",
		},
		"policy exists": {
			"CreatePolicy", &iamapi.CreatePolicyRequest{PolicyName: wire.Ptr("used"), PolicyDocument: wire.Ptr(allow)},
			"EntityAlreadyExists", "A policy called used already exists. Duplicate names are not allowed.",
		},
		"delete a role with a policy": {
			"DeleteRole", &iamapi.DeleteRoleRequest{RoleName: wire.Ptr("role")},
			"DeleteConflict", "Cannot delete entity, must detach all policies first.",
		},
		"delete a user with an inline policy": {
			"DeleteUser", &iamapi.DeleteUserRequest{UserName: wire.Ptr("user")},
			"DeleteConflict", "Cannot delete entity, must delete policies first.",
		},
		"delete a policy in use": {
			"DeletePolicy", &iamapi.DeletePolicyRequest{PolicyArn: wire.Ptr(own + "used")},
			"DeleteConflict", "Cannot delete a policy attached to entities.",
		},
		"delete the version in force": {
			"DeletePolicyVersion", &iamapi.DeletePolicyVersionRequest{PolicyArn: wire.Ptr(own + "used"), VersionId: wire.Ptr("v1")},
			"DeleteConflict", "Cannot delete entity, cannot delete the default version of a policy.",
		},
		"no such version": {
			"GetPolicyVersion", &iamapi.GetPolicyVersionRequest{PolicyArn: wire.Ptr(own + "used"), VersionId: wire.Ptr("v9")},
			"NoSuchEntity", "Policy " + own + "used version v9 does not exist or is not attachable.",
		},
		"bad name of a role": {
			"CreateRole", &iamapi.CreateRoleRequest{RoleName: wire.Ptr("a b"), AssumeRolePolicyDocument: wire.Ptr(trust)},
			"ValidationError", "The specified value for roleName" + names,
		},
		"bad name of a user": {
			"GetUser", &iamapi.GetUserRequest{UserName: wire.Ptr("ü")}, "ValidationError", "The specified value for userName" + names,
		},
		"bad path": {
			"CreateUser", &iamapi.CreateUserRequest{UserName: wire.Ptr("u"), Path: wire.Ptr("no-slash")}, "ValidationError",
			"The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
		},
		"length before pattern": {
			"CreateRole", &iamapi.CreateRoleRequest{RoleName: wire.Ptr(strings.Repeat(" ", 65)), AssumeRolePolicyDocument: wire.Ptr(trust)}, "ValidationError",
			"1 validation error detected: Value '" + strings.Repeat(" ", 65) + "' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64",
		},
		"malformed document": {
			"PutUserPolicy", &iamapi.PutUserPolicyRequest{UserName: wire.Ptr("user"), PolicyName: wire.Ptr("x"), PolicyDocument: wire.Ptr("{")},
			"MalformedPolicyDocument", "Syntax errors in policy.",
		},
		"trust in a role that is not there": {
			"CreateRole", &iamapi.CreateRoleRequest{RoleName: wire.Ptr("new"), AssumeRolePolicyDocument: wire.Ptr(trusting("role/new"))},
			"MalformedPolicyDocument", `Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/new"`,
		},
		"trust in a user that is not there": {
			"UpdateAssumeRolePolicy", &iamapi.UpdateAssumeRolePolicyRequest{RoleName: wire.Ptr("role"), PolicyDocument: wire.Ptr(trusting("user/no"))},
			"MalformedPolicyDocument", `Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:user/no"`,
		},
		"AWS's own policies stay": {
			"DeletePolicy", &iamapi.DeletePolicyRequest{PolicyArn: wire.Ptr(basic)}, "AccessDenied", "Cannot delete an AWS managed policy: " + basic,
		},
		"reserved tag": {
			"TagRole", &iamapi.TagRoleRequest{RoleName: wire.Ptr("role"), Tags: []iamapi.Tag{{Key: wire.Ptr("aws:x"), Value: wire.Ptr("")}}},
			"InvalidInput", "Tag keys that start with aws: are reserved for system use.",
		},
		"own keys of the root user": {
			"CreateAccessKey", &iamapi.CreateAccessKeyRequest{}, "ValidationError", "Must specify userName when calling with non-User credentials",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.build(t)
			before := w.snapshot(t)
			_, err := w.do(tt.op, tt.in)
			if err == nil {
				t.Fatal("it was done")
			}
			if code, _, _, text := wire.ErrorFacts(err); code != tt.code || text != tt.text {
				t.Errorf("error %s: %s\nwant  %s: %s", code, text, tt.code, tt.text)
			}
			if after := w.snapshot(t); !reflect.DeepEqual(after, before) {
				t.Errorf("the refusal changed something:\n%+v\nbefore:\n%+v", after, before)
			}
		})
	}
}

// trusting is a trust policy for a principal of the own account.
func trusting(resource string) string {
	return strings.Replace(trust, `{"Service":"lambda.amazonaws.com"}`, `{"AWS":"arn:aws:iam::000000000000:`+resource+`"}`, 1)
}

func TestTrustInThoseWhoExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.build(t)
	for i, resource := range []string{"root", "user/user", "role/role"} {
		w.must(t, "CreateRole", &iamapi.CreateRoleRequest{RoleName: wire.Ptr("r" + strconv.Itoa(i)), AssumeRolePolicyDocument: wire.Ptr(trusting(resource))})
	}
	elsewhere := strings.Replace(trusting("role/any"), "000000000000", "111111111111", 1)
	w.must(t, "CreateRole", &iamapi.CreateRoleRequest{RoleName: wire.Ptr("r"), AssumeRolePolicyDocument: &elsewhere})
}

// TestTargets pins what IAM names in its refusals.
func TestTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.build(t)
	for _, tt := range []struct {
		op   string
		in   any
		want string
	}{
		{"ListUsers", &iamapi.ListUsersRequest{}, "arn:aws:iam::000000000000:user/"},
		{"ListUsers", &iamapi.ListUsersRequest{PathPrefix: wire.Ptr("/team/")}, "arn:aws:iam::000000000000:user/team/"},
		{"ListRoles", &iamapi.ListRolesRequest{}, "arn:aws:iam::000000000000:role/"},
		{"ListPolicies", &iamapi.ListPoliciesRequest{}, "policy path /"},
		{"GetRole", &iamapi.GetRoleRequest{RoleName: wire.Ptr("role")}, "arn:aws:iam::000000000000:role/role"},
		{"CreateUser", &iamapi.CreateUserRequest{UserName: wire.Ptr("new"), Path: wire.Ptr("/team/")}, "arn:aws:iam::000000000000:user/team/new"},
		{"DeletePolicy", &iamapi.DeletePolicyRequest{PolicyArn: wire.Ptr(own + "free")}, own + "free"},
		{"GetAccountSummary", nil, "*"},
	} {
		got := w.IAMTargets(w.ctx, iamapi.Service.Operation(tt.op), tt.in)
		if len(got) != 1 || got[0].Action != "iam:"+tt.op || got[0].Resource != tt.want {
			t.Errorf("%s acts on %+v, want %s", tt.op, got, tt.want)
		}
	}
}

// snapshot is everything that the lists show.
func (w *world) snapshot(t *testing.T) []any {
	t.Helper()
	return []any{
		w.must(t, "ListRoles", &iamapi.ListRolesRequest{}), w.must(t, "ListUsers", &iamapi.ListUsersRequest{}),
		w.must(t, "ListPolicies", &iamapi.ListPoliciesRequest{Scope: wire.Ptr("Local")}),
		w.must(t, "ListRolePolicies", &iamapi.ListRolePoliciesRequest{RoleName: wire.Ptr("role")}),
		w.must(t, "ListAttachedRolePolicies", &iamapi.ListAttachedRolePoliciesRequest{RoleName: wire.Ptr("role")}),
		w.must(t, "ListUserPolicies", &iamapi.ListUserPoliciesRequest{UserName: wire.Ptr("user")}),
		w.must(t, "ListAccessKeys", &iamapi.ListAccessKeysRequest{UserName: wire.Ptr("user")}),
	}
}

func TestPolicyVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.build(t)
	policyARN := wire.Ptr(own + "free")
	for range 4 {
		w.must(t, "CreatePolicyVersion", &iamapi.CreatePolicyVersionRequest{PolicyArn: policyARN, PolicyDocument: wire.Ptr(allow), SetAsDefault: wire.Ptr(true)})
	}
	_, err := w.do("CreatePolicyVersion", &iamapi.CreatePolicyVersionRequest{PolicyArn: policyARN, PolicyDocument: wire.Ptr(allow)})
	var limit *iamapi.LimitExceededException
	if !errors.As(err, &limit) {
		t.Errorf("a sixth version: %v", err)
	}
	w.must(t, "DeletePolicyVersion", &iamapi.DeletePolicyVersionRequest{PolicyArn: policyARN, VersionId: wire.Ptr("v1")})
	created := w.must(t, "CreatePolicyVersion", &iamapi.CreatePolicyVersionRequest{PolicyArn: policyARN, PolicyDocument: wire.Ptr(allow)}).(*iamapi.CreatePolicyVersionResponse)
	if *created.PolicyVersion.VersionId != "v6" {
		t.Errorf("a version number was given twice: %s", *created.PolicyVersion.VersionId)
	}
	list := w.must(t, "ListPolicyVersions", &iamapi.ListPolicyVersionsRequest{PolicyArn: policyARN}).(*iamapi.ListPolicyVersionsResponse)
	var ids []string
	for _, v := range list.Versions {
		ids = append(ids, *v.VersionId)
		if *v.IsDefaultVersion != (*v.VersionId == "v5") {
			t.Errorf("%s: default %v", *v.VersionId, *v.IsDefaultVersion)
		}
	}
	if want := []string{"v6", "v5", "v4", "v3", "v2"}; !reflect.DeepEqual(ids, want) {
		t.Errorf("versions %v, want %v", ids, want)
	}
}

func TestEntitiesForPolicyArePaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"c", "a", "b"} {
		w.must(t, "CreateRole", &iamapi.CreateRoleRequest{RoleName: &name, AssumeRolePolicyDocument: wire.Ptr(trust)})
		w.must(t, "AttachRolePolicy", &iamapi.AttachRolePolicyRequest{RoleName: &name, PolicyArn: wire.Ptr(basic)})
		w.must(t, "CreateUser", &iamapi.CreateUserRequest{UserName: &name})
		w.must(t, "AttachUserPolicy", &iamapi.AttachUserPolicyRequest{UserName: &name, PolicyArn: wire.Ptr(basic)})
	}
	var seen []string
	in := &iamapi.ListEntitiesForPolicyRequest{PolicyArn: wire.Ptr(basic), MaxItems: wire.Ptr(int64(2))}
	for pages := 0; ; pages++ {
		out := w.must(t, "ListEntitiesForPolicy", in).(*iamapi.ListEntitiesForPolicyResponse)
		for _, r := range out.PolicyRoles {
			seen = append(seen, "role "+*r.RoleName)
		}
		for _, u := range out.PolicyUsers {
			seen = append(seen, "user "+*u.UserName)
		}
		if in.Marker = out.Marker; !*out.IsTruncated {
			break
		}
		if pages > 5 {
			t.Fatal("the pages don't end")
		}
	}
	if want := []string{"role a", "role b", "role c", "user a", "user b", "user c"}; !reflect.DeepEqual(seen, want) {
		t.Errorf("entities %v, want %v", seen, want)
	}
}

func TestAccessKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.build(t)
	create := func() *iamapi.AccessKey {
		return w.must(t, "CreateAccessKey", &iamapi.CreateAccessKeyRequest{UserName: wire.Ptr("user")}).(*iamapi.CreateAccessKeyResponse).AccessKey
	}
	first, second := create(), create()
	if _, err := w.do("CreateAccessKey", &iamapi.CreateAccessKeyRequest{UserName: wire.Ptr("user")}); err == nil {
		t.Error("a third key was given")
	}
	if who := w.Lookup(*first.AccessKeyId); who == nil || who.Secret != *first.SecretAccessKey || who.UserName != "user" || who.Disabled {
		t.Errorf("the first key opens for %+v", who)
	}
	w.must(t, "UpdateAccessKey", &iamapi.UpdateAccessKeyRequest{UserName: wire.Ptr("user"), AccessKeyId: first.AccessKeyId, Status: wire.Ptr("Inactive")})
	if who := w.Lookup(*first.AccessKeyId); who == nil || !who.Disabled {
		t.Errorf("an inactive key opens for %+v", who)
	}
	w.must(t, "UpdateAccessKey", &iamapi.UpdateAccessKeyRequest{UserName: wire.Ptr("user"), AccessKeyId: first.AccessKeyId, Status: wire.Ptr("Active")})
	w.must(t, "UpdateUser", &iamapi.UpdateUserRequest{UserName: wire.Ptr("user"), NewUserName: wire.Ptr("renamed")})
	if who := w.Lookup(*first.AccessKeyId); who == nil || who.UserName != "renamed" || !strings.HasSuffix(who.ARN, ":user/renamed") {
		t.Errorf("after the user was renamed, the key opens for %+v", who)
	}
	w.must(t, "DeleteAccessKey", &iamapi.DeleteAccessKeyRequest{UserName: wire.Ptr("renamed"), AccessKeyId: second.AccessKeyId})
	if who := w.Lookup(*second.AccessKeyId); who == nil || !who.Disabled {
		t.Errorf("a deleted key is %+v; it must stay known and open nothing", who)
	}
	for _, foreign := range []string{"AKIAIOSFODNN7EXAMPLE", "000000000000", ""} {
		if who := w.Lookup(foreign); who != nil {
			t.Errorf("foreign key %q opens for %+v", foreign, who)
		}
	}
}

// TestSessionsEndWithTheirRole: a new role of the same name is another role.
func TestSessionsEndWithTheirRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	role := &iamapi.CreateRoleRequest{RoleName: wire.Ptr("r"), AssumeRolePolicyDocument: wire.Ptr(trust)}
	w.must(t, "CreateRole", role)
	session, err := w.AssumeRole(w.ctx, &iam.Assumption{RoleARN: "arn:aws:iam::000000000000:role/r", Name: "s", Duration: time.Hour, Service: "lambda.amazonaws.com"})
	if err != nil {
		t.Fatal(err)
	}
	if who := w.Lookup(session.AccessKeyID); who == nil || who.Disabled || who.ARN != "arn:aws:sts::000000000000:assumed-role/r/s" {
		t.Fatalf("the session is %+v", who)
	}
	w.must(t, "DeleteRole", &iamapi.DeleteRoleRequest{RoleName: wire.Ptr("r")})
	if who := w.Lookup(session.AccessKeyID); who == nil || !who.Disabled {
		t.Errorf("without its role the session is %+v", who)
	}
	w.must(t, "CreateRole", role)
	w.must(t, "PutRolePolicy", &iamapi.PutRolePolicyRequest{RoleName: wire.Ptr("r"), PolicyName: wire.Ptr("p"), PolicyDocument: wire.Ptr(allow)})
	if who := w.Lookup(session.AccessKeyID); who == nil || !who.Disabled {
		t.Errorf("the session of a deleted role became one of its successor: %+v", who)
	}
}

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	const roleARN = "arn:aws:iam::000000000000:role/r"
	for name, tt := range map[string]struct {
		change func(*iam.Assumption)
		code   string
	}{
		"fine":               {func(*iam.Assumption) {}, ""},
		"untrusted service":  {func(a *iam.Assumption) { a.Service = "apigateway.amazonaws.com" }, "AccessDenied"},
		"unknown role":       {func(a *iam.Assumption) { a.RoleARN += "x" }, "AccessDenied"},
		"wrong path":         {func(a *iam.Assumption) { a.RoleARN = "arn:aws:iam::000000000000:role/path/r" }, "AccessDenied"},
		"no ARN":             {func(a *iam.Assumption) { a.RoleARN = "r" }, "ValidationError"},
		"too long":           {func(a *iam.Assumption) { a.Duration = 2 * time.Hour }, "ValidationError"},
		"malformed policy":   {func(a *iam.Assumption) { a.Policy = "{" }, "MalformedPolicyDocument"},
		"policy of the role": {func(a *iam.Assumption) { a.Policy = allow }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.must(t, "CreateRole", &iamapi.CreateRoleRequest{RoleName: wire.Ptr("r"), AssumeRolePolicyDocument: wire.Ptr(trust)})
			a := &iam.Assumption{RoleARN: roleARN, Name: "s", Duration: time.Hour, Service: "lambda.amazonaws.com"}
			tt.change(a)
			session, err := w.AssumeRole(w.ctx, a)
			code := ""
			if err != nil {
				code, _, _, _ = wire.ErrorFacts(err)
			}
			if code != tt.code {
				t.Fatalf("answer %+v, %v; want error %q", session, err, tt.code)
			}
			if err == nil && !session.Expiration.Equal(w.clock.Now().Truncate(time.Second).Add(time.Hour)) {
				t.Errorf("the session ends at %v", session.Expiration)
			}
		})
	}
}

func TestDocumentsAreEscaped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.build(t)
	doc := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a+b/*"}]}`
	w.must(t, "PutRolePolicy", &iamapi.PutRolePolicyRequest{RoleName: wire.Ptr("role"), PolicyName: wire.Ptr("p"), PolicyDocument: &doc})
	out := w.must(t, "GetRolePolicy", &iamapi.GetRolePolicyRequest{RoleName: wire.Ptr("role"), PolicyName: wire.Ptr("p")}).(*iamapi.GetRolePolicyResponse)
	want := strings.NewReplacer("{", "%7B", "}", "%7D", `"`, "%22", ":", "%3A", " ", "%20", ",", "%2C", "[", "%5B", "]", "%5D", "+", "%2B", "/", "%2F", "*", "%2A").Replace(doc)
	if *out.PolicyDocument != want {
		t.Errorf("document %s\nwant     %s", *out.PolicyDocument, want)
	}
}

// TestRestart reads everything back from the store alone.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func() *world {
		st, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = st.Close() })
		w := newWorld(t)
		w.Service, err = iam.New(t.Context(), iam.Config{Store: st, Clock: w.clock, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	w := open()
	w.build(t)
	key := w.must(t, "CreateAccessKey", &iamapi.CreateAccessKeyRequest{UserName: wire.Ptr("user")}).(*iamapi.CreateAccessKeyResponse).AccessKey
	before := w.snapshot(t)
	if err := w.Store.Close(); err != nil {
		t.Fatal(err)
	}
	again := open()
	if after := again.snapshot(t); !reflect.DeepEqual(after, before) {
		t.Errorf("after a restart:\n%+v\nbefore:\n%+v", after, before)
	}
	if who := again.Lookup(*key.AccessKeyId); who == nil || who.UserName != "user" {
		t.Errorf("after a restart the key opens for %+v", who)
	}
}

// TestAssumeRoleAhead: keys are good before they are stored, and stay so.
func TestAssumeRoleAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(t, "CreateRole", &iamapi.CreateRoleRequest{RoleName: wire.Ptr("r"), AssumeRolePolicyDocument: wire.Ptr(trust)})
	a := &iam.Assumption{RoleARN: "arn:aws:iam::000000000000:role/r", Name: "s", Duration: time.Hour, Service: "lambda.amazonaws.com"}
	session, kept, err := w.AssumeRoleAhead(w.ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"at once", "once stored"} {
		if who := w.Lookup(session.AccessKeyID); who == nil || who.Disabled || who.Secret != session.SecretAccessKey {
			t.Errorf("%s the session is %+v", when, who)
		}
		if err := kept(); err != nil {
			t.Fatal(err)
		}
	}
	again, err := iam.New(t.Context(), w.Config)
	if err != nil {
		t.Fatal(err)
	}
	if who := again.Lookup(session.AccessKeyID); who == nil || who.Disabled {
		t.Errorf("after a restart the session is %+v", who)
	}
}

// TestExpiredKeysAreCleared: a day after a session's end its key is deleted, and
// still told from a foreign one.
func TestExpiredKeysAreCleared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(t, "CreateRole", &iamapi.CreateRoleRequest{RoleName: wire.Ptr("r"), AssumeRolePolicyDocument: wire.Ptr(trust)})
	a := &iam.Assumption{RoleARN: "arn:aws:iam::000000000000:role/r", Name: "s", Duration: time.Hour, Service: "lambda.amazonaws.com"}
	old, err := w.AssumeRole(w.ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	if who := w.Lookup(old.AccessKeyID); who == nil || who.Disabled {
		t.Fatalf("the session is %+v", who)
	}
	w.clock.Advance(26 * time.Hour)
	if _, err := w.AssumeRole(w.ctx, a); err != nil {
		t.Fatal(err)
	}
	if who := w.Lookup(old.AccessKeyID); who == nil || !who.Disabled {
		t.Errorf("its key opens for %+v", who)
	}
}
