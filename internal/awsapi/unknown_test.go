package awsapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/clock"
)

// TestServicesThatArentServed has AWS's own Python client call services of
// every protocol that butai doesn't have: each reads which one it is.
func TestServicesThatArentServed(t *testing.T) {
	t.Parallel()
	handler, err := New(Config{Log: slog.New(slog.DiscardHandler), Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	const script = `
import botocore.session, botocore.config, json, sys
calls = {"cloudformation": "ListStacks", "ec2": "DescribeVpcs", "stepfunctions": "ListStateMachines", "ssm": "DescribeParameters",
         "cloudfront": "ListDistributions", "xray": "GetGroups", "cognito-idp": "ListUserPools"}
answers = {}
for name, operation in calls.items():
    client = botocore.session.get_session().create_client(name, region_name="us-east-1", endpoint_url=sys.argv[1],
        aws_access_key_id="000000000000", aws_secret_access_key="x")
    try:
        client._make_api_call(operation, {"MaxResults": 1} if name == "cognito-idp" else {})
    except client.exceptions.ClientError as e:
        answers[name] = [e.response["Error"]["Code"], e.response["Error"]["Message"], e.response["ResponseMetadata"]["HTTPStatusCode"]]
print(json.dumps(answers))
`
	out, err := exec.CommandContext(context.Background(), python(t), "-c", script, server.URL).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var answers map[string][]any
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	signed := map[string]string{"stepfunctions": "states"}
	for _, name := range []string{"cloudformation", "ec2", "stepfunctions", "ssm", "cloudfront", "xray", "cognito-idp"} {
		want := `butai doesn't do this yet: service "` + name + `"`
		if s := signed[name]; s != "" {
			want = `butai doesn't do this yet: service "` + s + `"`
		}
		a := answers[name]
		if len(a) != 3 || a[0] != "NotImplemented" || a[2] != 501. || !strings.HasPrefix(a[1].(string), want) {
			t.Errorf("%s: %v, want NotImplemented, %s…, 501", name, a, want)
		}
	}
}

// TestSignatureVersion2 refuses it in the words of AWS's younger regions.
func TestSignatureVersion2(t *testing.T) {
	t.Parallel()
	handler, err := New(Config{Log: slog.New(slog.DiscardHandler), Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/b/k?AWSAccessKeyId=000000000000&Signature=x&Expires=1", nil))
	if body := w.Body.String(); w.Code != 400 || !strings.Contains(body, "<Error><Code>InvalidRequest</Code>") || !strings.Contains(body, "AWS4-HMAC-SHA256") {
		t.Errorf("%d %s", w.Code, body)
	}
}
