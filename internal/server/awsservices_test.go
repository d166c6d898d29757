package server

import (
	"testing"

	"github.com/butai-dev/butai/internal/api/s3api"
)

// TestActionAddress gives the action form of a REST service its address.
func TestActionAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ action, query, path, rest string }{
		{"GetObject", "Action=GetObject&Bucket=b&Key=a%2Fc%20d", "/b/a/c%20d", ""},
		{"GetObject", "Action=GetObject&Bucket=b&Key=k&versionId=v", "/b/k", "versionId=v"},
		{"GetBucketLocation", "Action=GetBucketLocation&Bucket=b", "/b", "location="},
	} {
		path, rest := actionAddress(s3api.Service.Operation(tt.action), tt.query)
		if path != tt.path || rest != tt.rest {
			t.Errorf("%s %s: got %s ? %s, want %s ? %s", tt.action, tt.query, path, rest, tt.path, tt.rest)
		}
	}
}
