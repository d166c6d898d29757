package s3

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
)

// eventTypes are what a bucket may be asked to tell of. Nothing here restores,
// replicates, moves or loses objects, so that of those nobody will hear.
var eventTypes = []string{
	s3api.EventS3ReducedRedundancyLostObject,
	s3api.EventS3ObjectCreatedAll, s3api.EventS3ObjectCreatedPut, s3api.EventS3ObjectCreatedPost, s3api.EventS3ObjectCreatedCopy,
	s3api.EventS3ObjectCreatedCompleteMultipartUpload,
	s3api.EventS3ObjectRemovedAll, s3api.EventS3ObjectRemovedDelete, s3api.EventS3ObjectRemovedDeleteMarkerCreated,
	s3api.EventS3ObjectRestoreAll, s3api.EventS3ObjectRestorePost, s3api.EventS3ObjectRestoreCompleted, s3api.EventS3ObjectRestoreDelete,
	s3api.EventS3ReplicationAll, s3api.EventS3ReplicationOperationFailedReplication, s3api.EventS3ReplicationOperationNotTracked,
	s3api.EventS3ReplicationOperationMissedThreshold, s3api.EventS3ReplicationOperationReplicatedAfterThreshold,
	s3api.EventS3LifecycleTransition, s3api.EventS3IntelligentTiering, s3api.EventS3ObjectAclPut,
	s3api.EventS3LifecycleExpirationAll, s3api.EventS3LifecycleExpirationDelete, s3api.EventS3LifecycleExpirationDeleteMarkerCreated,
	s3api.EventS3ObjectTaggingAll, s3api.EventS3ObjectTaggingPut, s3api.EventS3ObjectTaggingDelete,
}

// kind is a kind of event as both forms of it call it.
type kind struct {
	event      string // of notifications
	version    string // of their form
	detailType string // of EventBridge
	reason     string
	deletion   string // the type of a deletion
}

// The events that there are (S3 User Guide: "Event message structure" and
// "EventBridge event structure").
var (
	eventPut       = kind{s3api.EventS3ObjectCreatedPut, "2.1", "Object Created", "PutObject", ""}
	eventCopy      = kind{s3api.EventS3ObjectCreatedCopy, "2.1", "Object Created", "CopyObject", ""}
	eventMultipart = kind{s3api.EventS3ObjectCreatedCompleteMultipartUpload, "2.1", "Object Created", "CompleteMultipartUpload", ""}
	eventDelete    = kind{s3api.EventS3ObjectRemovedDelete, "2.1", "Object Deleted", "DeleteObject", "Permanently Deleted"}
	eventMarker    = kind{s3api.EventS3ObjectRemovedDeleteMarkerCreated, "2.1", "Object Deleted", "DeleteObject", "Delete Marker Created"}
	eventTagged    = kind{s3api.EventS3ObjectTaggingPut, "2.3", "Object Tags Added", "", ""}
	eventUntagged  = kind{s3api.EventS3ObjectTaggingDelete, "2.3", "Object Tags Deleted", "", ""}
)

// emptyETag is the ETag of no bytes, which delete markers are said to have.
const emptyETag = "d41d8cd98f00b204e9800998ecf8427e"

// subject is what an event says of its object, as recorded: of what was made
// all, of a deletion no size, of tags no sequencer.
type subject struct {
	size      *int64
	etag      string
	version   *string
	sequencer string
}

func (k *kind) subject(b *bucket, o *object) subject {
	out := subject{etag: o.ETag, version: o.versionID(b)}
	switch k.detailType {
	case "Object Created":
		out.size, out.sequencer = &o.Size, sequencer(o.Sequence)
	case "Object Deleted":
		out.etag, out.sequencer = "", sequencer(o.Sequence)
		if k.event == eventMarker.event {
			out.etag = emptyETag
		}
	}
	return out
}

// sequencer orders the events of a key: of two, the later has the greater text.
func sequencer(n uint64) string { return fmt.Sprintf("%018X", n) }

const messageTime = "2006-01-02T15:04:05.000Z"

// eventDocument is an event as functions, queues and topics get it; the order
// of its members is S3's.
type eventDocument struct {
	Records []eventRecord
}

type principal struct {
	ID string `json:"principalId"`
}

type eventRecord struct {
	Version           string            `json:"eventVersion"`
	Source            string            `json:"eventSource"`
	Region            string            `json:"awsRegion"`
	Time              string            `json:"eventTime"`
	Name              string            `json:"eventName"`
	User              principal         `json:"userIdentity"`
	RequestParameters requestParameters `json:"requestParameters"`
	ResponseElements  responseElements  `json:"responseElements"`
	S3                eventSubject      `json:"s3"`
}

type requestParameters struct {
	SourceIP string `json:"sourceIPAddress"`
}

type responseElements struct {
	RequestID string `json:"x-amz-request-id"`
	HostID    string `json:"x-amz-id-2"`
}

type eventSubject struct {
	SchemaVersion   string      `json:"s3SchemaVersion"`
	ConfigurationID string      `json:"configurationId"`
	Bucket          eventBucket `json:"bucket"`
	Object          eventObject `json:"object"`
}

type eventBucket struct {
	Name  string    `json:"name"`
	Owner principal `json:"ownerIdentity"`
	ARN   string    `json:"arn"`
}

type eventObject struct {
	Key       string  `json:"key"` // as in a query string
	Size      *int64  `json:"size,omitzero"`
	ETag      string  `json:"eTag,omitzero"`
	Version   *string `json:"versionId,omitzero"`
	Sequencer string  `json:"sequencer,omitzero"`
}

// document is an event of an object as the configuration of an id tells of it.
func (k *kind) document(c *wire.Caller, b *bucket, o *object, configuration string, at time.Time) ([]byte, error) {
	s := k.subject(b, o)
	return json.Marshal(&eventDocument{Records: []eventRecord{{
		Version: k.version, Source: "aws:s3", Region: b.Region, Time: at.UTC().Format(messageTime), Name: strings.TrimPrefix(k.event, "s3:"),
		User: principal{principalID(c)}, RequestParameters: requestParameters{c.SourceIP},
		ResponseElements: responseElements{c.RequestID, wire.HostID(c.RequestID)},
		S3: eventSubject{
			"1.0", configuration, eventBucket{b.Name, principal{customerID(b.Account)}, bucketARN(b.Name)},
			eventObject{strings.ReplaceAll(url.QueryEscape(o.Key), "%2F", "/"), s.size, s.etag, s.version, s.sequencer},
		},
	}}})
}

// eventDetail is the detail of an event on EventBridge's bus.
type eventDetail struct {
	Version  string       `json:"version"`
	Bucket   detailBucket `json:"bucket"`
	Object   detailObject `json:"object"`
	Request  string       `json:"request-id"`
	Account  string       `json:"requester"`
	SourceIP string       `json:"source-ip-address"`
	Reason   string       `json:"reason,omitzero"`
	Deletion string       `json:"deletion-type,omitzero"`
}

type detailBucket struct {
	Name string `json:"name"`
}

type detailObject struct {
	Key       string  `json:"key"`
	Size      *int64  `json:"size,omitzero"`
	ETag      string  `json:"etag,omitzero"`
	Version   *string `json:"version-id,omitzero"`
	Sequencer string  `json:"sequencer,omitzero"`
}

// detail is an event of an object as EventBridge gets it.
func (k *kind) detail(c *wire.Caller, b *bucket, o *object) ([]byte, error) {
	s := k.subject(b, o)
	return json.Marshal(&eventDetail{
		"0", detailBucket{b.Name}, detailObject{o.Key, s.size, s.etag, s.version, s.sequencer}, c.RequestID, c.Account, c.SourceIP, k.reason, k.deletion,
	})
}

// testEvent is what queues and topics get when a bucket begins to notify them.
type testEvent struct {
	Service   string
	Event     string
	Time      string
	Bucket    string
	RequestID string `json:"RequestId"`
	HostID    string `json:"HostId"`
}

// principalID is what events call a caller: users and sessions by their unique
// ids, an account by its customer id.
func principalID(c *wire.Caller) string {
	switch {
	case c.Anonymous():
		return "Anonymous"
	case strings.HasSuffix(c.ARN, ":root"):
		return customerID(c.Account)
	}
	return "AWS:" + c.UserID
}

// customerID is an account's id as a customer of Amazon's: an A and 13 of
// [A-Z2-7].
func customerID(account string) string {
	sum := sha256.Sum256([]byte("customer " + account))
	return "A" + base32.StdEncoding.EncodeToString(sum[:])[:13]
}
