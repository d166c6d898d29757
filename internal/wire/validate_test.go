package wire_test

import (
	"strings"
	"testing"

	"github.com/dlclark/regexp2/v2"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/api/stsapi"
	"github.com/butai-dev/butai/internal/wire"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	tag := func(key, value string) iamapi.Tag { return iamapi.Tag{Key: &key, Value: &value} }
	for name, tt := range map[string]struct {
		op   string
		in   any
		want string
	}{
		"fine": {"CreateUser", &iamapi.CreateUserRequest{UserName: wire.Ptr("a+b@c")}, ""},
		"missing": {
			"CreateUser", &iamapi.CreateUserRequest{},
			"1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null",
		},
		"several at once": {
			"PutUserPolicy", &iamapi.PutUserPolicyRequest{UserName: wire.Ptr("u"), PolicyName: wire.Ptr("")},
			"3 validation errors detected: Value '' at 'policyName' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
				`Value '' at 'policyName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+; ` +
				"Value null at 'policyDocument' failed to satisfy constraint: Member must not be null",
		},
		"letters of other alphabets are no word characters": {
			"GetUser", &iamapi.GetUserRequest{UserName: wire.Ptr("Jürgen")},
			`1 validation error detected: Value 'Jürgen' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`,
		},
		"a pattern is for the whole value": {
			"GetUser", &iamapi.GetUserRequest{UserName: wire.Ptr("a\n")},
			"1 validation error detected: Value 'a\n' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+",
		},
		"length counts characters": {
			"TagUser", &iamapi.TagUserRequest{UserName: wire.Ptr("u"), Tags: []iamapi.Tag{tag("k", strings.Repeat("ü", 256))}}, "",
		},
		"inside a list": {
			"TagUser", &iamapi.TagUserRequest{UserName: wire.Ptr("u"), Tags: []iamapi.Tag{tag("k", "v"), {Key: wire.Ptr("k")}}},
			"1 validation error detected: Value null at 'tags.2.member.value' failed to satisfy constraint: Member must not be null",
		},
		"number": {
			"ListUsers", &iamapi.ListUsersRequest{MaxItems: wire.Ptr(int64(1001))},
			"1 validation error detected: Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000",
		},
		"enumeration": {
			"ListPolicies", &iamapi.ListPoliciesRequest{Scope: wire.Ptr("Mine")},
			"1 validation error detected: Value 'Mine' at 'scope' failed to satisfy constraint: Member must satisfy enum value set: [All, AWS, Local]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := iamapi.Service.Schema.Validate(iamapi.Service.Operation(tt.op).Input, tt.in, nil)
			got := ""
			if len(found) > 0 {
				got = wire.ViolationText(found)
			}
			if got != tt.want {
				t.Errorf("violations:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

func TestValidateReportsALimitedNumber(t *testing.T) {
	t.Parallel()
	in := &iamapi.TagUserRequest{UserName: wire.Ptr("u"), Tags: make([]iamapi.Tag, 30)}
	if n := len(iamapi.Service.Schema.Validate(iamapi.Service.Operation("TagUser").Input, in, nil)); n != wire.MaxViolations {
		t.Errorf("%d violations reported, want %d", n, wire.MaxViolations)
	}
}

// uncompilable are patterns with what only Java knows, none of them of an
// operation that is built.
var uncompilable = map[string]bool{"AutoScalingPolicyName": true, "AutoScalingRoleArn": true, "CidrNonce": true}

// TestPatternsCompile: a pattern that can't be compiled constrains nothing.
func TestPatternsCompile(t *testing.T) {
	t.Parallel()
	n := 0
	for _, m := range []*wire.ServiceModel{
		&acmapi.Service, &apigatewayapi.Service, &dynamodbapi.Service, &iamapi.Service, &lambdaapi.Service,
		&logsapi.Service, &route53api.Service, &s3api.Service, &stsapi.Service,
	} {
		for i := range m.Schema.Shapes {
			shape := &m.Schema.Shapes[i]
			if shape.Pattern == "" {
				continue
			}
			n++
			if _, err := regexp2.Compile(shape.Pattern, regexp2.RE2); (err != nil) != uncompilable[shape.Name] {
				t.Errorf("%s %s: pattern %s: %v", m.Name, shape.Name, shape.Pattern, err)
			}
		}
	}
	if n < 200 {
		t.Errorf("only %d patterns were found", n)
	}
}

func TestTimestamps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, unix, iso, rfc string }{
		{"1700000000", "1700000000", "2023-11-14T22:13:20Z", "Tue, 14 Nov 2023 22:13:20 GMT"},
		{"1700000000.25", "1700000000.250", "2023-11-14T22:13:20.250Z", "Tue, 14 Nov 2023 22:13:20 GMT"},
		{"2023-11-14T22:13:20Z", "1700000000", "2023-11-14T22:13:20Z", "Tue, 14 Nov 2023 22:13:20 GMT"},
		{"2023-11-14T23:13:20+01:00", "1700000000", "2023-11-14T22:13:20Z", "Tue, 14 Nov 2023 22:13:20 GMT"},
		{"Tue, 14 Nov 2023 22:13:20 GMT", "1700000000", "2023-11-14T22:13:20Z", "Tue, 14 Nov 2023 22:13:20 GMT"},
		{"1.7E9", "1700000000", "2023-11-14T22:13:20Z", "Tue, 14 Nov 2023 22:13:20 GMT"},
		{"-1", "-1", "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
		{"0", "0", "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
	} {
		at, err := wire.ParseTime(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		for format, want := range map[string]string{wire.UnixTimestamp: tt.unix, wire.ISO8601: tt.iso, wire.RFC822: tt.rfc} {
			if got := wire.FormatTime(at, format); got != want {
				t.Errorf("%s as %s is %s, want %s", tt.text, format, got, want)
			}
		}
	}
	for _, text := range []string{"", "some day", "2023-13-01", "NaN", "Inf", "1e300"} {
		if at, err := wire.ParseTime(text); err == nil {
			t.Errorf("%q was read as %v", text, at)
		}
	}
}
