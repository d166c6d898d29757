package restxml_test

import (
	"regexp"
	"testing"

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
