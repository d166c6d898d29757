package form_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/form"
)

func decode(t *testing.T, op, text string) (any, error) {
	t.Helper()
	values, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	o := iamapi.Service.Operation(op)
	in := o.NewInput()
	return in, form.Decode(iamapi.Service.Schema, o.Input, values, in)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	tag := func(key, value string) iamapi.Tag { return iamapi.Tag{Key: &key, Value: &value} }
	for name, tt := range map[string]struct {
		op, text string
		want     any
	}{
		"text":    {"GetUser", "UserName=a%20b", &iamapi.GetUserRequest{UserName: wire.Ptr("a b")}},
		"empty":   {"GetUser", "UserName=", &iamapi.GetUserRequest{UserName: wire.Ptr("")}},
		"absent":  {"GetUser", "", &iamapi.GetUserRequest{}},
		"unknown": {"GetUser", "What=1", &iamapi.GetUserRequest{}},
		"list of structures in any order": {
			"TagUser", "Tags.member.2.Key=b&Tags.member.2.Value=2&Tags.member.1.Value=1&Tags.member.1.Key=a",
			&iamapi.TagUserRequest{Tags: []iamapi.Tag{tag("a", "1"), tag("b", "2")}},
		},
		"empty list": {"TagUser", "Tags=", &iamapi.TagUserRequest{Tags: []iamapi.Tag{}}},
		"numbers":    {"ListUsers", "MaxItems=12", &iamapi.ListUsersRequest{MaxItems: wire.Ptr(int64(12))}},
		"truth":      {"ListPolicies", "OnlyAttached=true", &iamapi.ListPoliciesRequest{OnlyAttached: wire.Ptr(true)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode(t, tt.op, tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s reads as %+v, want %+v", tt.text, got, tt.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"UserName.member.1=a":                   "Start of structure or map found where not expected.",
		"Tags=a":                                "Unexpected list element termination",
		"Tags.member.1=a":                       "Unexpected complex element termination",
		"UserName=a" + strings.Repeat(".b", 99): "", // the dots are in the value
		strings.Repeat("a.", 100_000) + "a=1":   "The parameter name is nested too deeply.",
	} {
		_, err := decode(t, "TagUser", text)
		got := ""
		if err != nil {
			got = err.(*wire.SerializationError).Message
		}
		if got != want {
			t.Errorf("%.40s: %q, want %q", text, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("Tags.member.1.Key=a&Tags.member.1.Value=b")
	f.Add("Tags=&UserName.x=1&MaxItems=-1")
	f.Add("Tags.member.00000001.Key=a&Tags.member.99999999999999999999.Key=b")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		for _, name := range []string{"TagUser", "ListPolicies", "CreateRole"} {
			o := iamapi.Service.Operation(name)
			in := o.NewInput()
			if err := form.Decode(iamapi.Service.Schema, o.Input, values, in); err == nil {
				iamapi.Service.Schema.Validate(o.Input, in, nil)
			}
		}
	})
}
