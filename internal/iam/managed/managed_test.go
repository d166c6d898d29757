package managed_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/iam/managed"
	"github.com/butai-dev/butai/internal/iam/policy"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	for arn, path := range map[string]string{
		"arn:aws:iam::aws:policy/AWSLambdaExecute":                         "/",
		"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole": "/service-role/",
		"arn:aws:iam::aws:policy/AWSLambda_FullAccess":                     "/",
		"arn:aws:iam::aws:policy/AWSLambdaInvocation-DynamoDB":             "/",
		"arn:aws:iam::aws:policy/ReadOnlyAccess":                           "/",
		"arn:aws:iam::aws:policy/job-function/ViewOnlyAccess":              "/job-function/",
		"arn:aws:iam::aws:policy/AmazonRoute53FullAccess":                  "/",
	} {
		p, ok := managed.Lookup(arn)
		if !ok || p.ARN != arn || p.Path != path {
			t.Errorf("Lookup(%s) = %+v, %v", arn, p, ok)
		}
	}
	for _, arn := range []string{
		"", "AWSLambdaExecute", "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole",
		"arn:aws:iam::123456789012:policy/AWSLambdaExecute", "arn:aws:iam::aws:policy/NoSuchPolicy",
	} {
		if p, ok := managed.Lookup(arn); ok {
			t.Errorf("Lookup(%q) found %s", arn, p.ARN)
		}
	}
}

func TestArticlePolicy(t *testing.T) {
	t.Parallel()
	p, ok := managed.Lookup("arn:aws:iam::aws:policy/AWSLambdaExecute")
	if !ok || p.ID != "ANPAJE5FX7FQZSU5XAKGO" || p.VersionID != "v1" {
		t.Fatalf("got %+v, %v", p, ok)
	}
	if got := p.CreateDate.Format("2006-01-02T15:04:05Z"); got != "2015-02-06T18:40:46Z" {
		t.Errorf("create date %s", got)
	}
	want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:*"],"Resource":"arn:aws:logs:*:*:*"},` +
		`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::*"}]}`
	if got := p.Document(); got != want {
		t.Errorf("document %s", got)
	}
}

// Every AWS-managed policy must pass our own parser: they are the largest set
// of documents that IAM is known to accept.
func TestAllParse(t *testing.T) {
	t.Parallel()
	all := managed.All()
	if len(all) < 1000 {
		t.Fatalf("only %d policies", len(all))
	}
	if !slices.IsSortedFunc(all, func(a, b managed.Policy) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not in order of name")
	}
	ids := map[string]string{}
	for _, p := range all {
		if other, dup := ids[p.ID]; dup || len(p.ID) != 21 || !strings.HasPrefix(p.ID, "ANPA") {
			t.Errorf("%s: id %s, also of %q", p.Name, p.ID, other)
		}
		ids[p.ID] = p.Name
		if p.CreateDate.IsZero() || p.UpdateDate.Before(p.CreateDate) || !strings.HasPrefix(p.VersionID, "v") {
			t.Errorf("%s: %+v", p.Name, p)
		}
		if _, err := policy.Parse([]byte(p.Document()), policy.Managed); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}
