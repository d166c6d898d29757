package ssm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/ssm"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

const account = "123456789012"

// keys mark what they encrypt.
type keys struct{}

func (keys) Encrypt(_ context.Context, key string, plaintext []byte, about map[string]string) ([]byte, error) {
	return []byte(key + " " + about["PARAMETER_ARN"] + "|" + string(plaintext)), nil
}

func (keys) Decrypt(_ context.Context, ciphertext []byte, about map[string]string) ([]byte, error) {
	head, plain, _ := strings.Cut(string(ciphertext), "|")
	if !strings.HasSuffix(head, " "+about["PARAMETER_ARN"]) {
		return nil, wire.Errorf("InvalidCiphertextException", "")
	}
	return []byte(plain), nil
}

type noSecrets struct{}

func (noSecrets) ReadSecret(context.Context, string, string, string) (*ssm.Secret, error) {
	return nil, nil
}

// rig is a service over a store in memory, used by the account's root.
type rig struct {
	*ssm.Service
	t   *testing.T
	ctx context.Context
}

func newRig(t *testing.T) *rig {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	c := clock.NewFake(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC))
	return &rig{ssm.New(ssm.Config{Store: st, Clock: c, Keys: keys{}, Secrets: noSecrets{}}), t, wire.WithCaller(t.Context(), &wire.Caller{
		Account: account, Region: "us-east-1", Partition: "aws", ARN: "arn:aws:iam::" + account + ":root", UserID: account,
	})}
}

// put makes a parameter, or a version of one if it has no type.
func (r *rig) put(name, value, kind string, change ...func(*ssmapi.PutParameterRequest)) error {
	in := &ssmapi.PutParameterRequest{Name: &name, Value: &value, Overwrite: wire.Ptr(kind == "")}
	if kind != "" {
		in.Type = &kind
	}
	for _, c := range change {
		c(in)
	}
	_, err := r.PutParameter(r.ctx, in)
	return err
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) get(name string, decrypt bool) string {
	out, err := r.GetParameter(r.ctx, &ssmapi.GetParameterRequest{Name: &name, WithDecryption: &decrypt})
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(*out.Parameter.Name, " ", *out.Parameter.Version, " ", *out.Parameter.Value)
}

const badName = `ValidationException: Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`

func TestNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.must(r.put("plain", "1", "String"))
	r.must(r.put("/a/b/c", "2", "String"))
	for name, want := range map[string]string{
		"plain": "plain 1 1", "/plain": "/plain 1 1", "/a/b/c": "/a/b/c 1 2", // recorded, as are the next two
		"/a//b//c": badName, "a/b/c": badName,
		"arn:aws:ssm:us-east-1:" + account + ":parameter/plain": "plain 1 1", "arn:aws:ssm:us-east-1:" + account + ":parameter/a/b/c": "/a/b/c 1 2",
		"arn:aws:ssm:us-east-1:999999999999:parameter/plain": "ParameterNotFound", "nobody": "ParameterNotFound",
		"plain:2":                              "ParameterVersionNotFound: Systems Manager could not find version 2 of plain. Verify the version and try again.",
		"plain:none":                           "ParameterVersionNotFound: Systems Manager could not find label none for parameter plain. Verify the label and try again.",
		"/aws/reference/secretsmanager/nobody": "ParameterNotFound: An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret /aws/reference/secretsmanager/nobody not found.",
	} {
		if got := r.get(name, true); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"awsome": `ValidationException: Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`,
		"/ssm/x": badName, "/AWS/x": "AccessDeniedException: No access to reserved parameter name: AWS/x.",
	} {
		if err := r.put(name, "x", "String"); err == nil || err.Error() != want {
			t.Errorf("put %s: %v, want %s", name, err, want)
		}
	}
	if err := r.put(strings.Repeat("/a", 16), "x", "String"); err == nil {
		t.Error("a name of 16 levels was taken")
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.must(r.put("p", "1", "String"))
	label := func(version int64, labels ...string) *ssmapi.LabelParameterVersionResult {
		out, err := r.LabelParameterVersion(r.ctx, &ssmapi.LabelParameterVersionRequest{Name: wire.Ptr("p"), ParameterVersion: &version, Labels: labels})
		r.must(err)
		return out
	}
	if got := label(1, "prod", "1st", "aws-x").InvalidLabels; fmt.Sprint(got) != "[1st aws-x]" {
		t.Errorf("invalid labels %v", got)
	}
	for n := 2; n <= 100; n++ {
		r.must(r.put("p", fmt.Sprint(n), ""))
	}
	if err := r.put("p", "101", ""); err == nil || !strings.HasPrefix(err.Error(), "ParameterMaxVersionLimitExceeded") {
		t.Errorf("the labelled first version would go: %v", err)
	}
	label(100, "prod")
	r.must(r.put("p", "101", ""))
	for name, want := range map[string]string{"p": "p 101 101", "p:prod": "p 100 100", "p:2": "p 2 2"} {
		if got := r.get(name, false); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := r.get("p:1", false); !strings.HasPrefix(got, "ParameterVersionNotFound") {
		t.Errorf("the first of 101 versions: %s", got)
	}
	if err := r.put("p", "x", "String"); err == nil || !strings.HasPrefix(err.Error(), "ParameterAlreadyExists") {
		t.Errorf("without overwrite: %v", err)
	}
}

func TestSecureStrings(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.must(r.put("/s", "top", "SecureString"))
	if got := r.get("/s", true); got != "/s 1 top" {
		t.Errorf("decrypted: %s", got)
	}
	if got := r.get("/s", false); strings.Contains(got, "top") || len(got) < len("/s 1 top") {
		t.Errorf("not decrypted: %s", got)
	}
	err := r.put("x", "x", "String", func(in *ssmapi.PutParameterRequest) { in.KeyId = wire.Ptr("alias/x") })
	if err == nil || err.Error() != "ValidationException: KeyId is required for SecureString type parameter only." {
		t.Errorf("a key for a plain string: %v", err)
	}
}

func TestPatternsAndTiers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	pattern := func(p string) func(*ssmapi.PutParameterRequest) {
		return func(in *ssmapi.PutParameterRequest) { in.AllowedPattern = &p }
	}
	r.must(r.put("n", "1000", "String", pattern(`\d{1,4}`)))
	if err := r.put("n", "10,000", ""); err == nil || err.Error() != `ParameterPatternMismatchException: Parameter value, cannot be validated against allowedPattern: \d{1,4}` {
		t.Errorf("a value beside the pattern: %v", err)
	}
	r.must(r.put("l", "a,b", "StringList", pattern(`[a-z]`)))
	if err := r.put("x", "x", "String", pattern(`(`)); err == nil || !strings.HasPrefix(err.Error(), "InvalidAllowedPatternException") {
		t.Errorf("no pattern: %v", err)
	}
	tier := func(name string) func(*ssmapi.PutParameterRequest) {
		return func(in *ssmapi.PutParameterRequest) { in.Tier = &name }
	}
	long := strings.Repeat("v", 4097)
	if err := r.put("t", long, "String"); err == nil || !strings.HasPrefix(err.Error(), "ValidationException: Standard tier parameters support a maximum parameter value of 4096 characters.") {
		t.Errorf("a long value: %v", err)
	}
	r.must(r.put("t", long, "String", tier("Intelligent-Tiering")))
	r.must(r.put("t", "v", ""))
	if err := r.put("t", "v", "", tier("Standard")); err == nil {
		t.Error("an advanced parameter became a standard one")
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, name := range []string{"/a/x", "/a/y", "/a/b/z", "/ab/x", "top"} {
		r.must(r.put(name, "v", "String"))
	}
	_, err := r.LabelParameterVersion(r.ctx, &ssmapi.LabelParameterVersionRequest{Name: wire.Ptr("/a/y"), Labels: []string{"latest"}})
	r.must(err)
	list := func(path string, recursive bool, filters ...ssmapi.ParameterStringFilter) string {
		var names []string
		in := &ssmapi.GetParametersByPathRequest{Path: &path, Recursive: &recursive, ParameterFilters: filters, MaxResults: wire.Ptr(int64(1))}
		for {
			out, err := r.GetParametersByPath(r.ctx, in)
			if err != nil {
				return err.Error()
			}
			for _, p := range out.Parameters {
				names = append(names, *p.Name)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return strings.Join(names, " ")
			}
		}
	}
	labelled := ssmapi.ParameterStringFilter{Key: wire.Ptr("Label"), Values: []string{"latest"}}
	named := ssmapi.ParameterStringFilter{Key: wire.Ptr("Name"), Values: []string{"x"}}
	for _, test := range []struct{ got, want string }{
		{list("/a", false), "/a/x /a/y"}, {list("/a/", true), "/a/b/z /a/x /a/y"}, {list("/", false), "top"}, {list("/a", true, labelled), "/a/y"},
		{list("/a", false, named), "InvalidFilterKey: The following filter key is not valid: Name. Valid filter keys include: [Type, KeyId, Label]."},
	} {
		if test.got != test.want {
			t.Errorf("%s, want %s", test.got, test.want)
		}
	}
}
