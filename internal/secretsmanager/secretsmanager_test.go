package secretsmanager_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/secretsmanager"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

const account = "123456789012"

// keys mark what they encrypt, and tell of a context that isn't the same.
type keys struct{}

func (keys) Encrypt(_ context.Context, key string, plaintext []byte, about map[string]string) ([]byte, error) {
	return []byte(fmt.Sprint(key, about, "|") + string(plaintext)), nil
}

func (keys) Decrypt(_ context.Context, ciphertext []byte, about map[string]string) ([]byte, error) {
	head, plain, _ := strings.Cut(string(ciphertext), "|")
	if !strings.HasSuffix(head, fmt.Sprint(about)) {
		return nil, errors.New("another context")
	}
	return []byte(plain), nil
}

// functions call back for each step.
type functions struct {
	allowed bool
	step    func(event string) error
}

func (f *functions) MayRotate(string, string, string) bool { return f.allowed }

func (f *functions) Rotate(_ context.Context, _, _, _ string, event []byte) error {
	return f.step(string(event))
}

type everybody struct{}

func (everybody) Authorize(context.Context, *wire.Caller, wire.IAMTarget) string { return "" }

// rig is a service over a store in memory, used by the account's root.
type rig struct {
	*secretsmanager.Service
	t         *testing.T
	ctx       context.Context
	clock     *clock.Fake
	functions *functions
}

func newRig(t *testing.T) *rig {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	r := &rig{t: t, clock: clock.NewFake(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)), functions: &functions{allowed: true}}
	r.Service, err = secretsmanager.New(t.Context(), secretsmanager.Config{
		Store: st, Clock: r.clock, Log: slog.New(slog.DiscardHandler), Keys: keys{}, Functions: r.functions, Authorizer: everybody{},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	r.ctx = wire.WithCaller(t.Context(), &wire.Caller{
		Account: account, Region: "us-east-1", Partition: "aws", ARN: "arn:aws:iam::" + account + ":root", UserID: account,
	})
	return r
}

// token is a ClientRequestToken, and so the id of a version.
func token(n int) string { return fmt.Sprintf("%032d", n) }

func (r *rig) create(name, text string) string {
	r.t.Helper()
	in := &secretsmanagerapi.CreateSecretRequest{Name: &name, ClientRequestToken: wire.Ptr(token(1))}
	if text != "" {
		in.SecretString = &text
	}
	out, err := r.CreateSecret(r.ctx, in)
	if err != nil {
		r.t.Fatal(err)
	}
	return *out.ARN
}

func (r *rig) put(n int, labels ...string) error {
	_, err := r.PutSecretValue(r.ctx, &secretsmanagerapi.PutSecretValueRequest{
		SecretId: wire.Ptr("s"), SecretString: wire.Ptr(fmt.Sprint("value ", n)), ClientRequestToken: wire.Ptr(token(n)), VersionStages: labels,
	})
	return err
}

func (r *rig) move(label string, from, to int) error {
	in := &secretsmanagerapi.UpdateSecretVersionStageRequest{SecretId: wire.Ptr("s"), VersionStage: &label}
	if from > 0 {
		in.RemoveFromVersionId = wire.Ptr(token(from))
	}
	if to > 0 {
		in.MoveToVersionId = wire.Ptr(token(to))
	}
	_, err := r.UpdateSecretVersionStage(r.ctx, in)
	return err
}

// stages are the labels of the versions, the oldest first.
func (r *rig) stages() string {
	r.t.Helper()
	out, err := r.ListSecretVersionIds(r.ctx, &secretsmanagerapi.ListSecretVersionIdsRequest{SecretId: wire.Ptr("s")})
	if err != nil {
		r.t.Fatal(err)
	}
	var list []string
	for _, v := range out.Versions {
		list = append(list, fmt.Sprint((*v.VersionId)[31:], v.VersionStages))
	}
	return strings.Join(list, " ")
}

func (r *rig) value(in secretsmanagerapi.GetSecretValueRequest) (string, error) {
	in.SecretId = wire.Ptr("s")
	out, err := r.GetSecretValue(r.ctx, &in)
	if err != nil {
		return "", err
	}
	return *out.SecretString, nil
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestStages follows sequences that were recorded from AWS.
func TestStages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		steps []func(*rig) error
		want  []string
	}{
		{"current and pending", []func(*rig) error{
			func(r *rig) error { return r.put(2, "AWSPENDING") },
			func(r *rig) error { return r.move("AWSCURRENT", 1, 2) },
			func(r *rig) error { return r.put(3) },
		}, []string{"1[AWSCURRENT] 2[AWSPENDING]", "1[AWSPREVIOUS] 2[AWSCURRENT AWSPENDING]", "2[AWSPREVIOUS] 3[AWSCURRENT]"}},
		{"labels of one's own", []func(*rig) error{
			func(r *rig) error { return r.put(2, "AWSCURRENT", "PUT0") },
			func(r *rig) error { return r.put(3, "AWSPENDING", "PUT1") },
			func(r *rig) error { return r.move("AWSCURRENT", 2, 3) },
			func(r *rig) error { return r.put(4, "AWSPENDING", "PUT2") },
			func(r *rig) error { return r.move("AWSCURRENT", 3, 4) },
		}, []string{
			"1[AWSPREVIOUS] 2[AWSCURRENT PUT0]", "1[AWSPREVIOUS] 2[AWSCURRENT PUT0] 3[AWSPENDING PUT1]",
			"2[AWSPREVIOUS PUT0] 3[AWSCURRENT AWSPENDING PUT1]", "2[AWSPREVIOUS PUT0] 3[AWSCURRENT PUT1] 4[AWSPENDING PUT2]",
			"2[PUT0] 3[AWSPREVIOUS PUT1] 4[AWSCURRENT AWSPENDING PUT2]",
		}},
		{"labels that move", []func(*rig) error{
			func(r *rig) error { return r.put(2, "one", "two", "three") },
			func(r *rig) error { return r.put(3, "one", "two", "four") },
		}, []string{"1[AWSCURRENT] 2[one three two]", "1[AWSCURRENT] 2[three] 3[four one two]"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.create("s", "value 1")
			for i, step := range test.steps {
				if err := step(r); err != nil {
					t.Fatal(err)
				}
				if got := r.stages(); got != test.want[i] {
					t.Errorf("step %d: %s, want %s", i+1, got, test.want[i])
				}
			}
		})
	}
}

func TestStageErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.create("s", "value 1")
	if err := r.put(2, "AWSPENDING"); err != nil {
		t.Fatal(err)
	}
	wantError(t, r.move("AWSCURRENT", 0, 2), "InvalidParameterException: The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version "+
		token(1)+", so you must explicitly reference that version in RemoveFromVersionId.")
	if err := r.move("AWSCURRENT", 1, 0); err == nil {
		t.Error("AWSCURRENT was taken off")
	}
	if got := r.stages(); got != "1[AWSCURRENT] 2[AWSPENDING]" {
		t.Errorf("after refusals: %s", got)
	}
	_, err := r.value(secretsmanagerapi.GetSecretValueRequest{VersionId: wire.Ptr(token(1)), VersionStage: wire.Ptr("AWSPENDING")})
	wantError(t, err, "InvalidRequestException: You provided a VersionStage that is not associated to the provided VersionId.")
	_, err = r.value(secretsmanagerapi.GetSecretValueRequest{VersionStage: wire.Ptr("AWSPREVIOUS")})
	wantError(t, err, "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS")
}

func TestRepeatedRequests(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if first, again := r.create("s", "value 1"), r.create("s", "value 1"); first != again {
		t.Errorf("the same request made %s and %s", first, again)
	}
	if err := errors.Join(r.put(2), r.put(2)); err != nil {
		t.Error(err)
	}
	_, err := r.PutSecretValue(r.ctx, &secretsmanagerapi.PutSecretValueRequest{SecretId: wire.Ptr("s"), SecretString: wire.Ptr("other"), ClientRequestToken: wire.Ptr(token(2))})
	if _, ok := errors.AsType[*secretsmanagerapi.ResourceExistsException](err); !ok {
		t.Errorf("a token with another value: %v", err)
	}
	_, err = r.PutSecretValue(r.ctx, &secretsmanagerapi.PutSecretValueRequest{SecretId: wire.Ptr("s"), SecretString: wire.Ptr("other")})
	wantError(t, err, "InvalidRequestException: You must provide a ClientRequestToken value. We recommend a UUID-type value.")
}

// TestPartialARNs: one that ends like a full ARN is taken for one (recorded).
func TestPartialARNs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, found := range map[string]bool{"a/_+=.@-b": true, "a-a1b2": true, "a-a1b2c3-": true, "a-a1b2c3": false} {
		full := r.create(name, "x")
		for id, want := range map[string]bool{name: true, full: true, full[:len(full)-7]: found} {
			_, err := r.DescribeSecret(r.ctx, &secretsmanagerapi.DescribeSecretRequest{SecretId: &id})
			if (err == nil) != want {
				t.Errorf("%s by %s: %v", name, id, err)
			}
		}
	}
}

func TestRecoveryWindow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.create("s", "value 1")
	out, err := r.DeleteSecret(r.ctx, &secretsmanagerapi.DeleteSecretRequest{SecretId: wire.Ptr("s"), RecoveryWindowInDays: wire.Ptr(int64(7))})
	if err != nil || !out.DeletionDate.Equal(r.clock.Now().Add(7*24*time.Hour)) {
		t.Fatalf("deletion on %v: %v", out, err)
	}
	_, err = r.value(secretsmanagerapi.GetSecretValueRequest{})
	wantError(t, err, "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.")
	_, err = r.CreateSecret(r.ctx, &secretsmanagerapi.CreateSecretRequest{Name: wire.Ptr("s")})
	wantError(t, err, "InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion.")
	if _, err := r.RestoreSecret(r.ctx, &secretsmanagerapi.RestoreSecretRequest{SecretId: wire.Ptr("s")}); err != nil {
		t.Fatal(err)
	}
	if got, err := r.value(secretsmanagerapi.GetSecretValueRequest{}); got != "value 1" {
		t.Errorf("restored: %q, %v", got, err)
	}
	if _, err := r.DeleteSecret(r.ctx, &secretsmanagerapi.DeleteSecretRequest{SecretId: wire.Ptr("s")}); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(30 * 24 * time.Hour)
	_, err = r.DescribeSecret(r.ctx, &secretsmanagerapi.DescribeSecretRequest{SecretId: wire.Ptr("s")})
	wantError(t, err, "ResourceNotFoundException: Secrets Manager can't find the specified secret.")
	if again := r.create("s", ""); again == first {
		t.Error("a new secret has the old one's ARN")
	}
	if got := r.stages(); got != "" {
		t.Errorf("the new secret has the old one's versions %s", got)
	}
}

// TestRotation: one rotation at a time, and one whose step fails leaves the
// current value as it was. test/story has one that succeeds.
func TestRotation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.create("s", "value 1")
	var mu sync.Mutex
	var steps []string
	seen := make(chan string, 32)
	next, failing := 1, true
	r.functions.step = func(event string) error {
		mu.Lock()
		defer mu.Unlock()
		step, rest, _ := strings.Cut(strings.TrimPrefix(event, `{"Step":"`), `"`)
		_, id, _ := strings.Cut(rest, `"ClientRequestToken":"`)
		id = strings.TrimSuffix(id, `"}`)
		steps = append(steps, step)
		defer func() { seen <- step }()
		switch step {
		case "createSecret":
			next++
			_, err := r.PutSecretValue(r.ctx, &secretsmanagerapi.PutSecretValueRequest{
				SecretId: wire.Ptr("s"), SecretString: wire.Ptr(fmt.Sprint("value ", next)), ClientRequestToken: &id, VersionStages: []string{"AWSPENDING"},
			})
			return err
		case "setSecret":
			if failing {
				failing = false
				return errors.New("not now")
			}
		case "finishSecret":
			told, err := r.DescribeSecret(r.ctx, &secretsmanagerapi.DescribeSecretRequest{SecretId: wire.Ptr("s")})
			if err != nil {
				return err
			}
			for version, labels := range told.VersionIdsToStages {
				if strings.Contains(strings.Join(labels, " "), "AWSCURRENT") {
					_, err = r.UpdateSecretVersionStage(r.ctx, &secretsmanagerapi.UpdateSecretVersionStageRequest{
						SecretId: wire.Ptr("s"), VersionStage: wire.Ptr("AWSCURRENT"), MoveToVersionId: &id, RemoveFromVersionId: &version,
					})
				}
			}
			return err
		}
		return nil
	}
	in := &secretsmanagerapi.RotateSecretRequest{
		SecretId: wire.Ptr("s"), RotationLambdaARN: wire.Ptr("arn:aws:lambda:us-east-1:" + account + ":function:f"), ClientRequestToken: wire.Ptr(token(2)),
		RotationRules: &secretsmanagerapi.RotationRulesType{ScheduleExpression: wire.Ptr("rate(4 hours)"), Duration: wire.Ptr("2h")},
	}
	if _, err := r.RotateSecret(r.ctx, in); err != nil {
		t.Fatal(err)
	}
	told, err := r.DescribeSecret(r.ctx, &secretsmanagerapi.DescribeSecretRequest{SecretId: wire.Ptr("s")})
	if err != nil || !told.NextRotationDate.Equal(r.clock.Now().Add(6*time.Hour)) || told.LastRotatedDate != nil {
		t.Errorf("told %+v, %v", told, err)
	}
	in.ClientRequestToken = wire.Ptr(token(3))
	_, err = r.RotateSecret(r.ctx, in)
	wantError(t, err, "InvalidRequestException: A previous rotation isn't complete. That rotation will be reattempted.")
	_, err = r.value(secretsmanagerapi.GetSecretValueRequest{VersionStage: wire.Ptr("AWSPENDING")})
	wantError(t, err, "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSPENDING")

	r.Start()
	for range 2 {
		<-seen // createSecret, setSecret
	}
	mu.Lock()
	if want := []string{"createSecret", "setSecret"}; !reflect.DeepEqual(steps, want) {
		t.Errorf("steps %v, want %v", steps, want)
	}
	mu.Unlock()
	if got, err := r.value(secretsmanagerapi.GetSecretValueRequest{}); got != "value 1" {
		t.Errorf("after a failure: %q, %v", got, err)
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	out, err := r.GetRandomPassword(r.ctx, &secretsmanagerapi.GetRandomPasswordRequest{
		PasswordLength: wire.Ptr(int64(4)), IncludeSpace: wire.Ptr(true), ExcludePunctuation: wire.Ptr(true), ExcludeCharacters: wire.Ptr("abcdefghijklmnopqrstuvwxy12345678"),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := *out.RandomPassword
	if len(got) != 4 || !strings.Contains(got, "z") || !strings.Contains(got, " ") || !strings.ContainsAny(got, "09") || !strings.ContainsAny(got, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		t.Errorf("password %q", got)
	}
	if _, err := r.GetRandomPassword(r.ctx, &secretsmanagerapi.GetRandomPasswordRequest{PasswordLength: wire.Ptr(int64(3))}); err == nil {
		t.Error("three characters of four kinds")
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, description := range map[string]string{"t1/one": "a secret", "/t2/two": "an secret", "t3/three": "asecret", "/t4/four": "thesecret"} {
		if _, err := r.CreateSecret(r.ctx, &secretsmanagerapi.CreateSecretRequest{Name: &name, Description: &description}); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ key, value, want string }{ // recorded
		{"name", "/", "/t2/two /t4/four"}, {"name", "!/", "t1/one t3/three"}, {"name", "t1 one", ""},
		{"description", "a", "/t2/two t1/one t3/three"}, {"all", "FOUR", "/t4/four"},
	} {
		out, err := r.ListSecrets(r.ctx, &secretsmanagerapi.ListSecretsRequest{
			SortBy: wire.Ptr("name"), Filters: []secretsmanagerapi.Filter{{Key: &test.key, Values: []string{test.value}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range out.SecretList {
			names = append(names, *e.Name)
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%s %q: %q, want %q", test.key, test.value, got, test.want)
		}
	}
}
