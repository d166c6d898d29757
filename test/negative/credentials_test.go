package negative

import (
	"context"
	"encoding/xml"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/server"
	"github.com/butai-dev/butai/internal/sigv4"
)

// house is a whole server in this process, with a clock that can be moved.
type house struct {
	url   string
	clock *clock.Fake
}

func newHouse(t *testing.T, change func(*server.Config)) *house {
	t.Helper()
	h := &house{clock: clock.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))}
	cfg := server.Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Clock: h.clock}
	if change != nil {
		change(&cfg)
	}
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	h.url = s.URL()
	return h
}

// call signs and sends a request with the house's time.
func (h *house) call(t *testing.T, service, operation string, in tree, creds sigv4.Credentials) answer {
	t.Helper()
	m := models[service]
	msg := encode(m, m.Operation(operation), in)
	r := msg.request(t, h.url)
	if err := sigv4.Sign(t.Context(), r, msg.body, creds, m.SigningName, "us-east-1", h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	return do(t, r, m)
}

func (h *house) must(t *testing.T, service, operation string, in tree, creds sigv4.Credentials) answer {
	t.Helper()
	a := h.call(t, service, operation, in, creds)
	if a.status >= 300 {
		t.Fatalf("%s: %d %s: %s", operation, a.status, a.code, a.message)
	}
	return a
}

// credentialsIn reads keys out of an answer of IAM or STS.
func credentialsIn(t *testing.T, a answer) sigv4.Credentials {
	t.Helper()
	var c sigv4.Credentials
	for dec := xml.NewDecoder(strings.NewReader(a.body)); ; {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		start, ok := tok.(xml.StartElement)
		into := map[string]*string{"AccessKeyId": &c.AccessKeyID, "SecretAccessKey": &c.SecretAccessKey, "SessionToken": &c.SessionToken}[start.Name.Local]
		if !ok || into == nil {
			continue
		}
		if err := dec.DecodeElement(into, &start); err != nil {
			t.Fatal(err)
		}
	}
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		t.Fatalf("no credentials in %s", a.body)
	}
	return c
}

const (
	everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	tablesOnly = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:ListTables","Resource":"*"}]}`
	exceptIAM  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},` +
		`{"Effect":"Deny","Action":"iam:Create*","Resource":"*"}]}`
	anybody = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"sts:AssumeRole"}]}`
)

// user makes a user with one inline policy and returns their key.
func (h *house) user(t *testing.T, name, document string) sigv4.Credentials {
	t.Helper()
	h.must(t, "iam", "CreateUser", tree{"UserName": name}, root)
	if document != "" {
		h.must(t, "iam", "PutUserPolicy", tree{"UserName": name, "PolicyName": "p", "PolicyDocument": document}, root)
	}
	return credentialsIn(t, h.must(t, "iam", "CreateAccessKey", tree{"UserName": name}, root))
}

// probe is a harmless call for each way of wording signature faults.
var probes = []struct{ service, operation string }{
	{"iam", "ListRoles"}, {"dynamodb", "ListTables"}, {"lambda", "ListFunctions"}, {"apigateway", "GetRestApis"}, {"s3", "ListBuckets"},
}

// fault is the code and HTTP status of a refusal.
type fault struct {
	code   string
	status int
}

func TestBadCredentials(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	good := h.user(t, "alice", everything)
	wrong := good
	wrong.SecretAccessKey = "not the secret"
	deleted := credentialsIn(t, h.must(t, "iam", "CreateAccessKey", tree{"UserName": "alice"}, root))
	h.must(t, "iam", "DeleteAccessKey", tree{"UserName": "alice", "AccessKeyId": deleted.AccessKeyID}, root)
	session := credentialsIn(t, h.must(t, "sts", "GetSessionToken", tree{"DurationSeconds": 900}, good))
	tokenless := session
	tokenless.SessionToken = ""
	for _, p := range probes {
		for name, creds := range map[string]sigv4.Credentials{"a user's": good, "a session's": session} {
			if a := h.call(t, p.service, p.operation, tree{}, creds); a.status != http.StatusOK {
				t.Errorf("%s with %s key: %d %s: %s", p.operation, name, a.status, a.code, a.message)
			}
		}
	}
	unknown := map[string]fault{
		"iam": {"InvalidClientTokenId", 403}, "dynamodb": {"UnrecognizedClientException", 400}, "lambda": {"UnrecognizedClientException", 403},
		"apigateway": {"UnrecognizedClientException", 403}, "s3": {"InvalidAccessKeyId", 403},
	}
	for name, tt := range map[string]struct {
		creds sigv4.Credentials
		want  map[string]fault
	}{
		"wrong secret": {wrong, map[string]fault{
			"iam": {"SignatureDoesNotMatch", 403}, "dynamodb": {"InvalidSignatureException", 400}, "lambda": {"InvalidSignatureException", 403},
			"apigateway": {"InvalidSignatureException", 403}, "s3": {"SignatureDoesNotMatch", 403},
		}},
		"deleted key":               {deleted, unknown},
		"session without its token": {tokenless, unknown},
	} {
		for _, p := range probes {
			a := h.call(t, p.service, p.operation, tree{}, tt.creds)
			if got := (fault{a.code, a.status}); got != tt.want[p.service] {
				t.Errorf("%s with %s: %v %s, want %v", p.operation, name, got, a.message, tt.want[p.service])
			}
		}
	}

	h.clock.Advance(901 * time.Second)
	for service, want := range map[string]fault{
		"iam": {"ExpiredToken", 403}, "dynamodb": {"ExpiredTokenException", 400}, "lambda": {"ExpiredTokenException", 403}, "s3": {"ExpiredToken", 400},
	} {
		for _, p := range probes {
			if p.service != service {
				continue
			}
			a := h.call(t, p.service, p.operation, tree{}, session)
			if got := (fault{a.code, a.status}); got != want {
				t.Errorf("%s with an expired session: %v %s, want %v", p.operation, got, a.message, want)
			}
		}
	}
}

func TestUnsignedRequests(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	m := models["dynamodb"]
	r := encode(m, m.Operation("ListTables"), tree{}).request(t, h.url)
	if a := do(t, r, m); a.status != http.StatusBadRequest || a.code != "MissingAuthenticationTokenException" {
		t.Errorf("unsigned ListTables: %d %s", a.status, a.code)
	}
	m = models["iam"]
	r = encode(m, m.Operation("CreateUser"), tree{"UserName": "u"}).request(t, h.url)
	if a := do(t, r, m); a.status != http.StatusForbidden {
		t.Errorf("unsigned CreateUser: %d %s", a.status, a.body)
	}
	if a := h.call(t, "iam", "GetUser", tree{"UserName": "u"}, root); a.status != http.StatusNotFound {
		t.Errorf("the unsigned request made a user: %d", a.status)
	}
}

// TestTamperedBody changes what was signed, after it was.
func TestTamperedBody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	creds := h.user(t, "alice", everything)
	m := models["iam"]
	msg := encode(m, m.Operation("CreateUser"), tree{"UserName": "bob"})
	signed := msg.body
	msg.body = []byte(strings.Replace(string(signed), "bob", "eve", 1))
	r := msg.request(t, h.url)
	if err := sigv4.Sign(t.Context(), r, signed, creds, "iam", "us-east-1", h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if a := do(t, r, m); a.status != http.StatusForbidden || a.code != "SignatureDoesNotMatch" {
		t.Errorf("tampered request: %d %s", a.status, a.code)
	}
	if a := h.call(t, "iam", "GetUser", tree{"UserName": "eve"}, root); a.status != http.StatusNotFound {
		t.Errorf("the tampered request made a user: %d", a.status)
	}
}

func TestStaleSignature(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	creds := h.user(t, "alice", everything)
	m := models["iam"]
	for _, away := range []time.Duration{-20 * time.Minute, 20 * time.Minute} {
		msg := encode(m, m.Operation("ListRoles"), tree{})
		r := msg.request(t, h.url)
		if err := sigv4.Sign(t.Context(), r, msg.body, creds, "iam", "us-east-1", h.clock.Now().Add(away)); err != nil {
			t.Fatal(err)
		}
		if a := do(t, r, m); a.status != http.StatusForbidden || a.code != "SignatureDoesNotMatch" {
			t.Errorf("signed %v away: %d %s %s", away, a.status, a.code, a.message)
		}
	}
}

func TestStrictCredentials(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *server.Config) { c.StrictCredentials = true })
	for _, id := range []string{"000000000000", "AKIAIOSFODNN7EXAMPLE"} {
		a := h.call(t, "iam", "ListRoles", tree{}, sigv4.Credentials{AccessKeyID: id, SecretAccessKey: "any"})
		if a.status != http.StatusForbidden || a.code != "InvalidClientTokenId" {
			t.Errorf("%s under strict credentials: %d %s", id, a.status, a.code)
		}
	}
}

// TestDenials looks at every kind of policy that can be in the way; what was
// denied must not have happened.
func TestDenials(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.must(t, "iam", "CreatePolicy", tree{"PolicyName": "boundary", "PolicyDocument": tablesOnly}, root)
	h.must(t, "iam", "CreateRole", tree{"RoleName": "worker", "AssumeRolePolicyDocument": anybody}, root)
	h.must(t, "iam", "PutRolePolicy", tree{"RoleName": "worker", "PolicyName": "p", "PolicyDocument": everything}, root)

	nobody := h.user(t, "nobody", "")
	denied := h.user(t, "denied", exceptIAM)
	bounded := h.user(t, "bounded", everything)
	h.must(t, "iam", "PutUserPermissionsBoundary", tree{"UserName": "bounded", "PermissionsBoundary": absentPolicyNamed("boundary")}, root)
	narrowed := credentialsIn(t, h.must(t, "sts", "AssumeRole", tree{"RoleArn": "arn:aws:iam::000000000000:role/worker",
		"RoleSessionName": "session", "Policy": tablesOnly}, root))

	const wanted = "arn:aws:iam::000000000000:user/wanted"
	for name, tt := range map[string]struct {
		creds   sigv4.Credentials
		who     string
		because string
	}{
		"no policy at all": {nobody, "user/nobody", "because no identity-based policy allows the iam:CreateUser action"},
		"explicit deny":    {denied, "user/denied", "with an explicit deny in an identity-based policy"},
		"boundary":         {bounded, "user/bounded", "because no permissions boundary allows the iam:CreateUser action"},
		"session policy":   {narrowed, "assumed-role/worker/session", "because no session policy allows the iam:CreateUser action"},
	} {
		a := h.call(t, "iam", "CreateUser", tree{"UserName": "wanted"}, tt.creds)
		service := "iam"
		if strings.HasPrefix(tt.who, "assumed-role") {
			service = "sts"
		}
		want := "User: arn:aws:" + service + "::000000000000:" + tt.who + " is not authorized to perform: iam:CreateUser on resource: " + wanted + " "
		if a.status != http.StatusForbidden || a.code != "AccessDenied" || !strings.HasPrefix(a.message, want+tt.because) {
			t.Errorf("%s: %d %s: %s\nwant %s%s", name, a.status, a.code, a.message, want, tt.because)
		}
		if a := h.call(t, "iam", "GetUser", tree{"UserName": "wanted"}, root); a.status != http.StatusNotFound {
			t.Errorf("%s: the denied call made a user: %d", name, a.status)
		}
	}
	for name, creds := range map[string]sigv4.Credentials{"bounded": bounded, "narrowed": narrowed, "denied elsewhere": denied} {
		if a := h.call(t, "dynamodb", "ListTables", tree{}, creds); a.status != http.StatusOK {
			t.Errorf("what is allowed (%s): %d %s: %s", name, a.status, a.code, a.message)
		}
	}
	if a := h.call(t, "dynamodb", "ListTables", tree{}, nobody); a.status != http.StatusBadRequest || a.code != "AccessDeniedException" {
		t.Errorf("DynamoDB denies with %d %s", a.status, a.code)
	}
}

func absentPolicyNamed(name string) string { return "arn:aws:iam::000000000000:policy/" + name }

// TestEveryOperationAsksForPermission calls every built operation as a user
// without policies: only those that AWS gives to everybody may go through.
func TestEveryOperationAsksForPermission(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	nobody := h.user(t, "nobody", "")
	plausible := map[string]tree{
		"lambda AddLayerVersionPermission": {"Action": "lambda:GetLayerVersion"},
		"lambda GetLayerVersionByArn":      {"Arn": absentLayer},
		"ecr CompleteLayerUpload":          {"layerDigests": []any{"sha256:00"}},
		"ecr GetDownloadUrlForLayer":       {"layerDigest": "sha256:00"},
		"sts AssumeRole":                   {"RoleArn": "arn:aws:iam::000000000000:role/absent"},
		"dynamodb TransactWriteItems":      {"TransactItems": []any{tree{"Put": tree{"TableName": "absent", "Item": tree{"k": tree{"S": "v"}}}}}},
	}
	free := map[string]bool{"sts GetCallerIdentity": true, "sts GetSessionToken": true}
	bucket := tree{"Bucket": "somebodys"} // of others, S3 tells everybody that they aren't there
	if a := h.call(t, "s3", "CreateBucket", bucket, root); a.status != http.StatusOK {
		t.Fatalf("CreateBucket: %d %s", a.status, a.message)
	}
	for _, coverage := range server.Coverage() {
		m := models[coverage.Name]
		for _, name := range coverage.Built {
			op := m.Operation(name)
			in := tree{}
			if op.Input >= 0 {
				in = valid(m.Schema, op.Input, 0).(tree)
			}
			maps.Copy(in, plausible[m.Name+" "+name])
			if in["Bucket"] != nil {
				maps.Copy(in, bucket)
			}
			a := h.call(t, m.Name, name, in, nobody)
			if free[m.Name+" "+name] {
				if a.status != http.StatusOK {
					t.Errorf("%s needs no permission, but: %d %s: %s", name, a.status, a.code, a.message)
				}
				continue
			}
			if name == "DeleteObjects" && strings.Contains(a.body, "<Code>AccessDenied</Code>") { // which answers for each key
				continue
			}
			if op.Method == http.MethodHead && a.status == http.StatusForbidden {
				continue
			}
			if !denies(a) {
				t.Errorf("%s %s without any permission: %d %s: %s", m.Name, name, a.status, a.code, a.message)
			}
		}
	}
}

func denies(a answer) bool {
	return (a.status == http.StatusForbidden || a.status == http.StatusBadRequest) && (strings.HasPrefix(a.code, "AccessDenied") || a.code == "AuthorizationError") // the latter is SNS's
}
