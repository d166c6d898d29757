package restxml_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/restxml"
)

// TestS3Error has the members of a recorded answer for a key that isn't there.
func TestS3Error(t *testing.T) {
	t.Parallel()
	err := &wire.About{Err: &s3api.NoSuchKey{Message: wire.Ptr("The specified key does not exist.")}, Member: "Key", Value: "a&b.json"}
	res := restxml.Protocol{S3: true}.EncodeError(&s3api.Service, err, "REQUEST")
	want := regexp.MustCompile(`^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>` +
		`<Key>a&amp;b.json</Key><RequestId>REQUEST</RequestId><HostId>([A-Za-z0-9+/]{64})</HostId></Error>$`)
	match := want.FindStringSubmatch(string(res.Body))
	if res.Status != 404 || match == nil {
		t.Fatalf("%d %s", res.Status, res.Body)
	}
	if id := res.Header["x-amz-id-2"]; len(id) != 1 || id[0] != match[1] {
		t.Errorf("x-amz-id-2 is %v, HostId %s", id, match[1])
	}
}

// TestTimestamps holds S3 to its milliseconds, which the CLI shows as they are
// on the wire, and others to their seconds.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	at := wire.Ptr(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC))
	for _, tt := range []struct {
		protocol restxml.Protocol
		model    *wire.ServiceModel
		op       string
		out      any
		want     string
	}{
		{restxml.Protocol{S3: true}, &s3api.Service, "ListBuckets", &s3api.ListBucketsOutput{Buckets: []s3api.Bucket{{CreationDate: at}}},
			"<CreationDate>2026-11-28T12:00:00.000Z</CreationDate>"},
		{restxml.Protocol{}, &route53api.Service, "GetChange", &route53api.GetChangeResponse{ChangeInfo: &route53api.ChangeInfo{SubmittedAt: at}},
			"<SubmittedAt>2026-11-28T12:00:00Z</SubmittedAt>"},
	} {
		res, err := tt.protocol.Encode(tt.model, tt.model.Operation(tt.op), tt.out, "id")
		if err != nil || !strings.Contains(string(res.Body), tt.want) {
			t.Errorf("%s: %v, %s, want %s", tt.op, err, res.Body, tt.want)
		}
	}
}

// TestLasting: what a target refuses isn't sent to it again.
func TestLasting(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{&wire.Error{Code: "AccessDenied", Status: 403}, true},
		{&s3api.NoSuchKey{}, true},
		{&wire.About{Err: &s3api.NoSuchKey{}}, true},
		{&wire.Error{Code: "InternalFailure", Status: 500}, false},
		{errors.New("connection refused"), false},
	} {
		if got := wire.Lasting(tt.err); got != tt.want {
			t.Errorf("Lasting(%v) = %t", tt.err, got)
		}
	}
}
