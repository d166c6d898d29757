package iam_test

import (
	"testing"

	"github.com/butai-dev/butai/internal/wire"
)

// TestRootOfAnotherAccount needs a grant like anybody else of that account:
// being root counts at home only.
func TestRootOfAnotherAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const grant = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sqs:*","Resource":"*"}]}`
	for _, tt := range []struct {
		name, account, resource, policy string
		allowed                         bool
	}{
		{"at home", "000000000000", "arn:aws:sqs:us-east-1:000000000000:q", "", true},
		{"at home, of nothing in particular", "111111111111", "*", "", true},
		{"AWS's own policies are everybody's", "111111111111", basic, "", true},
		{"buckets don't tell their account", "111111111111", "arn:aws:s3:::bucket/key", "", true},
		{"abroad", "111111111111", "arn:aws:sqs:us-east-1:000000000000:q", "", false},
		{"abroad, granted", "111111111111", "arn:aws:sqs:us-east-1:000000000000:q", grant, true},
		{"abroad, granted to others", "222222222222", "arn:aws:sqs:us-east-1:000000000000:q", grant, false},
	} {
		caller := &wire.Caller{Account: tt.account, ARN: "arn:aws:iam::" + tt.account + ":root", UserID: tt.account}
		denial := w.Authorize(t.Context(), caller, wire.IAMTarget{Action: "sqs:SendMessage", Resource: tt.resource, Policy: tt.policy})
		if (denial == "") != tt.allowed {
			t.Errorf("%s: refused with %q", tt.name, denial)
		}
	}
}
