package lambda_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/wire"
)

func permit(sid, principal, qualifier string) *lambdaapi.AddPermissionRequest {
	in := &lambdaapi.AddPermissionRequest{FunctionName: wire.Ptr("example"), StatementId: &sid, Action: wire.Ptr("lambda:InvokeFunction"), Principal: &principal}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	return in
}

func TestStatements(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	for i, tc := range []struct {
		change func(*lambdaapi.AddPermissionRequest)
		want   string
	}{
		{func(in *lambdaapi.AddPermissionRequest) {}, `"Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + fnARN + `"}`},
		{func(in *lambdaapi.AddPermissionRequest) { in.Principal = wire.Ptr("*") }, `"Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + fnARN + `"}`},
		{func(in *lambdaapi.AddPermissionRequest) { in.Principal = wire.Ptr("999999999999") },
			`"Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"lambda:InvokeFunction","Resource":"` + fnARN + `"}`},
		{func(in *lambdaapi.AddPermissionRequest) {
			in.Principal = wire.Ptr("arn:aws:iam::123456789012:user/known")
		},
			`"Principal":{"AWS":"arn:aws:iam::123456789012:user/known"},"Action":"lambda:InvokeFunction","Resource":"` + fnARN + `"}`},
		{func(in *lambdaapi.AddPermissionRequest) {
			in.SourceArn, in.SourceAccount = wire.Ptr("arn:aws:execute-api:eu-west-1:123456789012:api/*/GET/a&b"), wire.Ptr("123456789012")
		}, `"Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + fnARN + `","Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"},"ArnLike":{"AWS:SourceArn":"arn:aws:execute-api:eu-west-1:123456789012:api/*/GET/a&b"}}}`},
		{func(in *lambdaapi.AddPermissionRequest) {
			in.Action, in.Principal, in.FunctionUrlAuthType = wire.Ptr("lambda:InvokeFunctionUrl"), wire.Ptr("*"), wire.Ptr("NONE")
		}, `"Principal":"*","Action":"lambda:InvokeFunctionUrl","Resource":"` + fnARN + `","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}}`},
		{func(in *lambdaapi.AddPermissionRequest) {
			in.PrincipalOrgID, in.EventSourceToken, in.InvokedViaFunctionUrl = wire.Ptr("o-1234567890"), wire.Ptr("token"), wire.Ptr(true)
		}, `"Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + fnARN + `","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1234567890","lambda:EventSourceToken":"token"},"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`},
	} {
		sid := "s" + string(rune('0'+i))
		in := permit(sid, "apigateway.amazonaws.com", "")
		tc.change(in)
		out := must(h.AddPermission(as(t), in))(t)
		if want := `{"Sid":"` + sid + `","Effect":"Allow",` + tc.want; *out.Statement != want {
			t.Errorf("\n got %s\nwant %s", *out.Statement, want)
		}
	}
	doc := must(h.GetPolicy(as(t), &lambdaapi.GetPolicyRequest{FunctionName: wire.Ptr("example")}))(t)
	if !strings.HasPrefix(*doc.Policy, `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s0",`) || strings.Count(*doc.Policy, `"Sid"`) != 7 {
		t.Errorf("got %s", *doc.Policy)
	}
}

func TestEachQualifierHasItsOwnPolicy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.twoVersions(t)
	must(h.CreateAlias(as(t), &lambdaapi.CreateAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("live"), FunctionVersion: wire.Ptr("1")}))(t)
	function := h.get(t, "").RevisionId
	must(h.AddPermission(as(t), permit("s", "apigateway.amazonaws.com", "live")))(t)
	if *h.get(t, "").RevisionId != *function {
		t.Error("a permission changed the function's RevisionId")
	}
	call := func(qualifier string) error {
		_, err := h.Call(t.Context(), &catalog.Call{FunctionARN: fnARN + qualifier, Principal: "apigateway.amazonaws.com"}, false)
		return err
	}
	if err := call(":live"); err != nil {
		t.Errorf("live: %v", err)
	}
	for _, qualifier := range []string{"", ":1", ":2", ":$LATEST"} {
		wantError(t, call(qualifier), "AccessDeniedException: User: apigateway.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: "+fnARN+strings.TrimSuffix(qualifier, ":$LATEST")+" because no resource-based policy allows the lambda:InvokeFunction action")
	}
	live := must(h.GetPolicy(as(t), &lambdaapi.GetPolicyRequest{FunctionName: wire.Ptr("example"), Qualifier: wire.Ptr("live")}))(t)
	if !strings.Contains(*live.Policy, `"Resource":"`+fnARN+`:live"`) {
		t.Errorf("got %s", *live.Policy)
	}
	for _, qualifier := range []string{"", "1"} { // the same Sid may be in each
		must(h.AddPermission(as(t), permit("s", "apigateway.amazonaws.com", qualifier)))(t)
	}
	h.updateCode(t, "three")
	h.publish(t)
	wantError(t, call(":3"), "AccessDeniedException: User: apigateway.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: "+fnARN+":3 because no resource-based policy allows the lambda:InvokeFunction action")
	again := must(h.GetPolicy(as(t), &lambdaapi.GetPolicyRequest{FunctionName: wire.Ptr("example:live")}))(t)
	if *again.RevisionId != *live.RevisionId {
		t.Error("publishing changed the policy's RevisionId")
	}
	stale := &lambdaapi.RemovePermissionRequest{FunctionName: wire.Ptr("example"), Qualifier: wire.Ptr("live"), StatementId: wire.Ptr("s"), RevisionId: wire.Ptr("old")}
	wantError(t, h.RemovePermission(as(t), stale), "PreconditionFailedException: The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id")
	stale.RevisionId = live.RevisionId
	if err := h.RemovePermission(as(t), stale); err != nil {
		t.Fatal(err)
	}
	if refusal, ok := errors.AsType[*catalog.Refusal](call(":live")); !ok || refusal.Status != 403 {
		t.Error("live can be called without the permission")
	}
	if err := call(":1"); err != nil {
		t.Errorf("1: %v", err)
	}
}

func TestPermissionErrors(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	must(h.AddPermission(as(t), permit("s3", "s3.amazonaws.com", "")))(t)
	h.publish(t)
	const ipv, rnf = "InvalidParameterValueException: ", "ResourceNotFoundException: "
	add := func(in *lambdaapi.AddPermissionRequest) error {
		_, err := h.AddPermission(as(t), in)
		return err
	}
	wantError(t, add(permit("s3", "s3.amazonaws.com", "")), "ResourceConflictException: The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.")
	wantError(t, add(permit("s", "s3.amazonaws.com", "$LATEST")), ipv+"We currently do not support adding policies for $LATEST.")
	wantError(t, add(permit("s", "s3.amazonaws.com", "9")), rnf+"Function not found: "+fnARN+":9")
	wantError(t, add(permit("s", "s3.amazonaws.com", "none")), rnf+"Cannot find alias arn: "+fnARN+":none")
	for _, principal := range []string{"nobody", "arn:aws:iam::123456789012:user/unknown", "arn:aws:s3:::bucket", "example.com"} {
		wantError(t, add(permit("s", principal, "")), ipv+"The provided principal was invalid. Please check the principal and try again.")
	}
	remove := func(name, qualifier, sid string) error {
		in := &lambdaapi.RemovePermissionRequest{FunctionName: &name, StatementId: &sid}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		return h.RemovePermission(as(t), in)
	}
	wantError(t, remove("none", "", "s"), rnf+"No policy found for: arn:aws:lambda:eu-west-1:123456789012:function:none")
	wantError(t, remove("example", "1", "s"), rnf+"No policy is associated with the given resource.")
	wantError(t, remove("example", "", "s"), rnf+"Statement s is not found in resource policy.")
	if err := remove("example", "", "s3"); err != nil {
		t.Fatal(err)
	}
	_, err := h.GetPolicy(as(t), &lambdaapi.GetPolicyRequest{FunctionName: wire.Ptr("example")})
	wantError(t, err, rnf+"The resource you requested does not exist.")
	_, err = h.GetPolicy(as(t), &lambdaapi.GetPolicyRequest{FunctionName: wire.Ptr("none")})
	wantError(t, err, rnf+"Function not found: arn:aws:lambda:eu-west-1:123456789012:function:none")

	long := permit("s", "s3.amazonaws.com", "")
	long.SourceArn = wire.Ptr("arn:aws:s3:::" + strings.Repeat("b", maxPolicySize))
	if err := add(long); err == nil || !strings.HasPrefix(err.Error(), "PolicyLengthExceededException: The final policy size (") {
		t.Errorf("got %v", err)
	}
}

const maxPolicySize = 20480

func TestWhoMustBeAllowed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	h.publish(t)
	must(h.AddPermission(as(t), permit("s", "123456789012", "1")))(t)
	op := func(name string) *wire.Operation { return lambdaapi.Service.Operation(name) }
	root, member, foreign := as(t), asCaller(t, account, ":user/known"), asCaller(t, "999999999999", ":root")
	invocation := &lambdaapi.InvocationRequest{FunctionName: wire.Ptr(fnARN), Qualifier: wire.Ptr("1")}
	if got := h.IAMTargets(root, op("Invoke"), invocation); len(got) != 1 || got[0].Action != "lambda:InvokeFunction" || got[0].Resource != fnARN+":1" || got[0].Policy != "" {
		t.Errorf("root: %+v", got)
	}
	if got := h.IAMTargets(member, op("Invoke"), invocation); got[0].Policy == "" {
		t.Errorf("user: %+v", got)
	}
	if got := h.IAMTargets(foreign, op("Invoke"), invocation); got[0].Policy == "" {
		t.Errorf("other account: %+v", got)
	}
	if _, err := h.Invoke(foreign, invocation); err != nil {
		t.Errorf("another account that the policy names: %v", err)
	}
	_, err := h.Invoke(foreign, &lambdaapi.InvocationRequest{FunctionName: wire.Ptr(fnARN)})
	wantError(t, err, "AccessDeniedException: User: arn:aws:iam::999999999999:root is not authorized to perform: lambda:InvokeFunction on resource: "+fnARN+" because no resource-based policy allows the lambda:InvokeFunction action")
	got := h.IAMTargets(root, op("CreateFunction"), request())
	if len(got) != 2 || got[0].Action != "lambda:CreateFunction" || got[0].Resource != fnARN || got[1].Action != "iam:PassRole" || got[1].Resource != role {
		t.Errorf("CreateFunction: %+v", got)
	}
	got = h.IAMTargets(root, op("ListTags"), &lambdaapi.ListTagsRequest{Resource: wire.Ptr(fnARN)})
	if got[0].Action != "lambda:ListTags" || got[0].Resource != fnARN {
		t.Errorf("ListTags: %+v", got)
	}
	got = h.IAMTargets(root, op("ListFunctions"), &lambdaapi.ListFunctionsRequest{})
	if got[0].Action != "lambda:ListFunctions" || got[0].Resource != "*" {
		t.Errorf("ListFunctions: %+v", got)
	}
}
