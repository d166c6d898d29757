package policy_test

import (
	"testing"

	"github.com/butai-dev/butai/internal/iam/policy"
)

// TestPublic has the examples of the S3 User Guide's "Blocking public access",
// section "The meaning of public", and their neighbours.
func TestPublic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		statement string // its Effect is Allow unless it says otherwise
		public    bool
	}{
		{`"Principal": "*"`, true},
		{`"Principal": {"AWS": "*"}`, true},
		{`"Principal": {"AWS": ["111122223333", "*"]}`, true},
		{`"Principal": {"AWS": "111122223333"}`, false},
		{`"Principal": {"Service": "cloudfront.amazonaws.com"}`, false},
		{`"NotPrincipal": {"AWS": "111122223333"}`, true},
		{`"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-91237329"}}`, false},
		{`"Principal": "*", "Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}`, true},
		{`"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}`, false},
		{`"Principal": "*", "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}`, true},
		{`"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}`, true},
		{`"Principal": "*", "Condition": {"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-1/r-1/"}}`, true},
		{`"Principal": "*", "Condition": {"StringEquals": {"aws:userid": "${aws:username}"}}`, true},
		{`"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}`, true},
		{`"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}`, false},
		{`"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/1"]}}`, true},
		{`"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}`, false},
		{`"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "::/0"}}`, true},
		{`"Principal": "*", "Condition": {"Null": {"aws:SourceVpc": "false"}}`, true},
	} {
		text := `{"Version": "2012-10-17", "Statement": [
			{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"},
			{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", ` + c.statement + `}]}`
		doc, err := policy.Parse([]byte(text), policy.Resource)
		if err != nil {
			t.Errorf("%s: %v", c.statement, err)
		} else if doc.Public() != c.public {
			t.Errorf("%s: public is %v", c.statement, doc.Public())
		}
	}
}
