package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// testConfig asks a server, patiently but not slowly.
func testConfig(url string) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: &url,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret", SessionToken: "token"}, nil
		}),
		Retryer: func() aws.Retryer {
			r := retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 4, time.Millisecond })
			return retry.AddWithErrorCodes(r, "ConditionalRequestConflict")
		},
	}
}

// TestBucketWaits: what S3 says is for later is asked again, and nothing else.
func TestBucketWaits(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]struct{ status, tries int }{
		"SlowDown": {503, 3}, "InternalError": {500, 3}, "ConditionalRequestConflict": {409, 3}, "PreconditionFailed": {412, 1}, "AccessDenied": {403, 1},
	} {
		tries := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			signed := r.Header.Get("Authorization")
			if !strings.Contains(signed, "/eu-west-1/s3/aws4_request") || !strings.Contains(signed, "if-match") || r.Header.Get("X-Amz-Security-Token") != "token" {
				t.Errorf("%s isn't signed as S3 wants it: %s", r.URL, signed)
			}
			if tries++; tries < 3 {
				w.WriteHeader(want.status)
				fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
			}
		}))
		b := newBucket(testConfig(server.URL), "releases")
		err := b.put(t.Context(), "a/b.json", []byte("{}"), ifStill(&object{etag: `"1"`}))
		server.Close()
		if tries != want.tries || (err == nil) != (want.tries == 3) || err != nil && !is(err, code) {
			t.Errorf("%s: %d tries, %v; want %d", code, tries, err, want.tries)
		}
	}
}

func TestBucketGivesUp(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer server.Close()
	b := newBucket(testConfig(server.URL), "releases")
	if _, err := b.get(t.Context(), "a"); !is(err, "ServiceUnavailable") {
		t.Errorf("%v, want 503's own name", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.get(cancelled, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
}

func TestBucketAddress(t *testing.T) {
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_API_GATEWAY"} {
		t.Setenv(name, "")
	}
	for want, in := range map[string][2]string{
		"https://releases.s3.eu-west-1.amazonaws.com/":     {"eu-west-1", "releases"},
		"https://s3.eu-west-1.amazonaws.com/my.releases/":  {"eu-west-1", "my.releases"},
		"https://releases.s3.cn-north-1.amazonaws.com.cn/": {"cn-north-1", "releases"},
	} {
		if got := bucketAddress(aws.Config{Region: in[0]}, in[1]); got != want {
			t.Errorf("%v: %s, want %s", in, got, want)
		}
	}
}
