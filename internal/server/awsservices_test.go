package server

import (
	"net/http"
	"testing"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/wire"
)

// TestServiceTargets names the operation of the action form to the services
// that look for it in a header.
func TestServiceTargets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		model          *wire.ServiceModel
		action, target string
	}{
		{&dynamodbapi.Service, "PutItem", "DynamoDB_20120810.PutItem"},
		{&dynamodbapi.Service, "", "mapped"},
		{&sqsapi.Service, "SendMessage", "mapped"},
	} {
		r, err := serviceRequest(t.Context(), tt.model, &gateway.ServiceCall{
			Host: "service.us-east-1.amazonaws.com", Verb: "POST", Path: "/", Action: tt.action,
			Header: http.Header{"x-amz-target": {"mapped"}, "authorization": {"mapped"}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Header.Get("X-Amz-Target"); got != tt.target || r.Header.Get("Authorization") != "" {
			t.Errorf("%s %s: target %q, authorization %q", tt.model.Name, tt.action, got, r.Header.Get("Authorization"))
		}
	}
}

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
