package sigv4

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"
)

var (
	now   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	creds = Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret/KEY+1"}
	temp  = Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "other", SessionToken: "to/ken=="}
)

func verifier() *Verifier {
	return New(func(key, token string) (string, KeyStatus) {
		switch {
		case key == creds.AccessKeyID && token == "":
			return creds.SecretAccessKey, KeyValid
		case key == temp.AccessKeyID && token == temp.SessionToken:
			return temp.SecretAccessKey, KeyValid
		case key == "ASIAEXPIRED":
			return "x", KeyExpired
		}
		return "", KeyUnknown
	})
}

// received turns a client's request into what a server sees.
func received(t testing.TB, r *http.Request, body string) *http.Request {
	t.Helper()
	in := httptest.NewRequest(r.Method, r.URL.String(), strings.NewReader(body))
	in.RequestURI = r.URL.RequestURI()
	in.Host = r.URL.Host
	if r.Host != "" {
		in.Host = r.Host
	}
	maps.Copy(in.Header, r.Header)
	return in
}

func signed(t testing.TB, method, target, body, service string, c Credentials) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "A  B   c ")
	r.ContentLength = int64(len(body))
	if err := Sign(t.Context(), r, []byte(body), c, service, "us-east-1", now); err != nil {
		t.Fatal(err)
	}
	return received(t, r, body)
}

func TestSDKSigner(t *testing.T) {
	t.Parallel()
	v := verifier()
	for _, c := range []struct {
		target, service string
		creds           Credentials
	}{
		{"http://dynamodb.local:8000/", "dynamodb", creds},
		{"http://localhost:4566", "dynamodb", temp},
		{"http://localhost/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations?Qualifier=a%20b&x=&x=1&x-y=2", "lambda", creds},
		{"http://localhost/restapis/a%20b/%E2%82%AC/~x.-_", "apigateway", temp},
		{"http://localhost/a//b/../c/", "execute-api", creds},
		{"http://localhost/bucket/a//b/../k%20%2B+x", "s3", creds},
		{"http://localhost/bucket?list-type=2&prefix=a%2Fb+c&delimiter=%2F", "s3", temp},
	} {
		r := signed(t, "POST", c.target, `{"a":1}`, c.service, c.creds)
		id, err := v.Verify(r, []byte(`{"a":1}`), now.Add(time.Minute))
		if err != nil || !id.Signed || id.Service != c.service || id.AccessKeyID != c.creds.AccessKeyID || id.Region != "us-east-1" {
			t.Errorf("%s: %+v, %v", c.target, id, err)
		}
		if _, err := v.Verify(r, []byte(`{"a":2}`), now); err == nil {
			t.Errorf("%s: another body was accepted", c.target)
		}
		r.Header.Set("X-Amz-Target", "changed")
		if _, err := v.Verify(r, []byte(`{"a":1}`), now); err == nil {
			t.Errorf("%s: another header was accepted", c.target)
		}
	}
}

func presigned(t testing.TB, target, service string, seconds string) *http.Request {
	t.Helper()
	r, err := http.NewRequest("GET", target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if seconds != "" {
		q := r.URL.Query()
		q.Set("X-Amz-Expires", seconds)
		r.URL.RawQuery = q.Encode()
	}
	hash := emptyHash
	if service == "s3" {
		hash = unsignedPayload
	}
	uri, _, err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" }).PresignHTTP(
		t.Context(), aws.Credentials{AccessKeyID: temp.AccessKeyID, SecretAccessKey: temp.SecretAccessKey, SessionToken: temp.SessionToken},
		r, hash, service, "eu-west-1", now)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	r.URL = u
	return received(t, r, "")
}

func TestPresigned(t *testing.T) {
	t.Parallel()
	v := verifier()
	for _, service := range []string{"s3", "sts", "execute-api"} {
		r := presigned(t, "http://localhost/b/k%20k?Action=GetCallerIdentity&empty=", service, "3600")
		id, err := v.Verify(r, nil, now.Add(59*time.Minute))
		if err != nil || !id.Presigned || id.Region != "eu-west-1" || id.SessionToken != temp.SessionToken {
			t.Errorf("%s: %+v, %v", service, id, err)
		}
		_, err = v.Verify(r, nil, now.Add(61*time.Minute))
		if kind(err) != KindRequestExpired {
			t.Errorf("%s: %v", service, err)
		}
		q := r.URL.Query()
		q.Set("Action", "Other")
		r.URL.RawQuery = q.Encode()
		if _, err := v.Verify(r, nil, now); kind(err) != KindMismatch {
			t.Errorf("%s: %v", service, err)
		}
	}
	// Without X-Amz-Expires the 15 minutes of other requests count.
	r := presigned(t, "http://localhost/", "sts", "")
	if _, err := v.Verify(r, nil, now.Add(14*time.Minute)); err != nil {
		t.Error(err)
	}
	if _, err := v.Verify(r, nil, now.Add(16*time.Minute)); kind(err) != KindSkewed {
		t.Error(err)
	}
}

func kind(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return -1
}

func TestTimes(t *testing.T) {
	t.Parallel()
	r := signed(t, "POST", "http://localhost/", "", "iam", creds)
	for at, want := range map[time.Time]string{
		now.Add(15 * time.Minute):  "",
		now.Add(-15 * time.Minute): "",
		now.Add(20 * time.Minute):  "Signature expired: 20260301T120000Z is now earlier than 20260301T120500Z (20260301T122000Z - 15 min.)",
		now.Add(-20 * time.Minute): "Signature not yet current: 20260301T120000Z is still later than 20260301T115500Z (20260301T114000Z + 15 min.)",
	} {
		_, err := verifier().Verify(r, nil, at)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("at %s: %s", at, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const (
		good = "AWS4-HMAC-SHA256 Credential=K/20260301/r/s/aws4_request, SignedHeaders=host, Signature=0"
		date = "20260301T120000Z"
	)
	for _, c := range []struct {
		auth, date, query string
		kind              Kind
		message           string
	}{
		{"", "", "", KindMissingToken, "Request is missing Authentication Token"},
		{"Bearer x", date, "", KindMissingToken, "Request is missing Authentication Token"},
		{"AWS AKIA:sig", date, "", KindMissingToken, "Request is missing Authentication Token"},
		{"AWS4-HMAC-SHA256", "", "", KindIncomplete, "Authorization header requires 'Credential' parameter. " +
			"Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. " +
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) Authorization=" + hashed("AWS4-HMAC-SHA256")},
		{"AWS4-HMAC-SHA256 Credential=a,SignedHeaders=host", date, "", KindIncomplete,
			"Authorization header requires 'Signature' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=" +
				hashed("AWS4-HMAC-SHA256 Credential=a,SignedHeaders=host")},
		{"AWS4-HMAC-SHA256 Credential Signature=b", date, "", KindIncomplete, "Invalid key=value pair (missing equal-sign) in " +
			"Authorization header (hashed with SHA-256 and encoded with Base64): '" + hashed("AWS4-HMAC-SHA256 Credential Signature=b") + "'."},
		{good, "201", "", KindIncomplete, "Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{strings.Replace(good, "256", "257", 1), date, "", KindIncomplete, "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA257' (only AWS4-HMAC-SHA256 for now). "},
		{strings.Replace(good, "/s/", "/", 1), date, "", KindIncomplete, "Credential must have exactly 5 slash-delimited elements, " +
			"e.g. keyid/date/region/service/term, got 'K/20260301/r/aws4_request'"},
		{strings.Replace(strings.Replace(good, "20260301", "20260228", 1), "aws4", "aws5", 1), date, "", KindBadScope,
			"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. " +
				"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260228' != '20260301', from '20260301T120000Z'."},
		{strings.Replace(good, "host", "date", 1), date, "", KindUnsigned, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{good, date, "", KindUnknownKey, "The security token included in the request is invalid."},
		{strings.Replace(good, "K/", "ASIAEXPIRED/", 1), date, "", KindExpiredToken, "The security token included in the request is expired"},
		{good, date, "X-Amz-Algorithm=x", KindAmbiguous, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=" + date, KindIncomplete, "AWS query-string parameters must include 'X-Amz-Credential'. " +
			"AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the query-string parameters."},
		{"", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=" + date + "&X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=host&X-Amz-Expires=604801",
			KindBadExpires, "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"},
		{strings.Replace(good, "K/", "AKIAEXAMPLE/", 1), date, "", KindMismatch, mismatchMessage(
			"GET\n/\n\nhost:example.com\n\nhost\n"+emptyHash,
			"AWS4-HMAC-SHA256\n20260301T120000Z\n20260301/r/s/aws4_request\n"+hexHash("GET\n/\n\nhost:example.com\n\nhost\n"+emptyHash))},
	} {
		r := httptest.NewRequest("GET", "/?"+c.query, nil)
		if c.auth != "" {
			r.Header.Set("Authorization", c.auth)
		}
		if c.date != "" {
			r.Header.Set("X-Amz-Date", c.date)
		}
		id, err := verifier().Verify(r, nil, now)
		if kind(err) != c.kind || err.Error() != c.message || id.Signed {
			t.Errorf("%s %s:\n got %v\nwant %s", c.auth, c.query, err, c.message)
		}
		if c.kind == KindUnknownKey && (id.AccessKeyID != "K" || id.Region != "r") {
			t.Errorf("the identity of an unknown key is missing: %+v", id)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind   Kind
		family Family
		want   Description
	}{
		{KindMissingToken, JSON, Description{"MissingAuthenticationTokenException", 400, "m"}},
		{KindMissingToken, REST, Description{"MissingAuthenticationTokenException", 403, "Missing Authentication Token"}},
		{KindUnknownKey, JSON, Description{"UnrecognizedClientException", 400, "m"}},
		{KindUnknownKey, Query, Description{"InvalidClientTokenId", 403, "m"}},
		{KindUnknownKey, S3, Description{"InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."}},
		{KindMismatch, REST, Description{"InvalidSignatureException", 403, "m"}},
		{KindMismatch, Query, Description{"SignatureDoesNotMatch", 403, "m"}},
		{KindIncomplete, Query, Description{"IncompleteSignature", 400, "m"}},
		{KindIncomplete, S3, Description{"AuthorizationHeaderMalformed", 400, "The authorization header is malformed; m"}},
		{KindBadExpires, S3, Description{"AuthorizationQueryParametersError", 400, "m"}},
	} {
		if got := (&Error{Kind: c.kind, Message: "m"}).Describe(c.family); got != c.want {
			t.Errorf("%d: %+v", c.kind, got)
		}
	}
	for k := range wireCodes {
		if c := wireCodes[k]; c.exception == "" || c.query == "" || c.s3 == "" || c.s3Status == 0 || c.queryStatus == 0 {
			t.Errorf("kind %d has no codes", k)
		}
	}
}

// A Date header is as good as X-Amz-Date.
func TestDateHeader(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Date", now.Format(http.TimeFormat))
	s := &Signature{
		Scope: Scope{AccessKeyID: creds.AccessKeyID, Date: "20260301", Region: "r", Service: "s"},
		date:  "20260301T120000Z", signedHeaders: "date;host",
	}
	text := s.appendStringToSign(nil, sha256.Sum256(appendCanonicalRequest(nil, r, s, "/", "", emptyHash)))
	signature := deriveKey(creds.SecretAccessKey, s.Scope).sign(text)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260301/r/s/aws4_request,SignedHeaders=date;host,Signature="+
		string(signature[:]))
	if _, err := verifier().Verify(r, nil, now); err != nil {
		t.Error(err)
	}
}

// TestRandomRequests signs random requests with the SDK and verifies them.
func TestRandomRequests(t *testing.T) {
	t.Parallel()
	v := verifier()
	text := rapid.StringOfN(rapid.SampledFrom([]rune("ab /?&=+%~é€;,'\"\\")), 0, 8, -1)
	rapid.Check(t, func(rt *rapid.T) {
		service := rapid.SampledFrom([]string{"lambda", "s3", "execute-api"}).Draw(rt, "service")
		u := url.URL{Scheme: "http", Host: "h:1", Path: "/" + strings.ReplaceAll(text.Draw(rt, "path"), "?", "")}
		q := url.Values{}
		for range rapid.IntRange(0, 3).Draw(rt, "n") {
			q.Add(text.Draw(rt, "name"), text.Draw(rt, "value"))
		}
		u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
		body := text.Draw(rt, "body")
		r := signed(t, "PUT", u.String(), body, service, creds)
		if _, err := v.Verify(r, []byte(body), now); err != nil {
			rt.Fatalf("%s: %v", u.String(), err)
		}
	})
}

// The key cache must stay bounded and correct when it starts again.
func TestKeyCache(t *testing.T) {
	t.Parallel()
	var c keyCache
	first := Scope{Date: "20260301", Region: "r", Service: "s0"}
	want := c.get("x", first)
	for i := range maxKeys + 10 {
		c.get("x", Scope{Date: "20260301", Region: "r", Service: "t" + time.Duration(i).String()})
		if len(c.keys) > maxKeys {
			t.Fatal("the cache is not bounded")
		}
	}
	if got := c.get("x", first); !bytes.Equal(got.key, want.key) {
		t.Error("another key after a restart")
	}
	if got := c.get("y", first); bytes.Equal(got.key, want.key) {
		t.Error("secrets are mixed up")
	}
}

func BenchmarkVerify(b *testing.B) {
	v := verifier()
	body := []byte(strings.Repeat("x", 500))
	r := signed(b, "POST", "http://localhost:4566/", string(body), "dynamodb", temp)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r, body, now); err != nil {
			b.Fatal(err)
		}
	}
}

// TestBasicDates holds parseBasic to time.Parse.
func TestBasicDates(t *testing.T) {
	t.Parallel()
	digit := rapid.SampledFrom([]rune("0000111223456789TZ-x"))
	parts := []string{"2026", "03", "29", "T", "12", "59", "59", "Z"}
	rapid.Check(t, func(rt *rapid.T) {
		text := ""
		for _, part := range parts {
			if rapid.IntRange(0, 3).Draw(rt, "change") == 0 {
				part = rapid.StringOfN(digit, len(part), len(part), -1).Draw(rt, "part")
			}
			text += part
		}
		want, err := time.Parse(basicFormat, text)
		if got, ok := parseBasic(text); ok != (err == nil) || ok && !got.Equal(want) {
			rt.Errorf("%q is %v %t, want %v %v", text, got, ok, want, err)
		}
	})
}
