package s3

import (
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/iam/policy"
)

// The actions that a bucket's policy may be about (Service Authorization
// Reference: Amazon S3), by what they act on. No model lists them.
var (
	bucketActions = []string{
		"CreateBucket", "DeleteBucket", "DeleteBucketPolicy", "DeleteBucketWebsite", "GetAccelerateConfiguration", "GetAnalyticsConfiguration",
		"GetBucketAcl", "GetBucketCORS", "GetBucketLocation", "GetBucketLogging", "GetBucketNotification", "GetBucketObjectLockConfiguration",
		"GetBucketOwnershipControls", "GetBucketPolicy", "GetBucketPolicyStatus", "GetBucketPublicAccessBlock", "GetBucketRequestPayment",
		"GetBucketTagging", "GetBucketVersioning", "GetBucketWebsite", "GetEncryptionConfiguration", "GetIntelligentTieringConfiguration",
		"GetInventoryConfiguration", "GetLifecycleConfiguration", "GetMetricsConfiguration", "GetReplicationConfiguration", "ListBucket",
		"ListBucketMultipartUploads", "ListBucketVersions", "PutAccelerateConfiguration", "PutAnalyticsConfiguration", "PutBucketAcl",
		"PutBucketCORS", "PutBucketLogging", "PutBucketNotification", "PutBucketObjectLockConfiguration", "PutBucketOwnershipControls",
		"PutBucketPolicy", "PutBucketPublicAccessBlock", "PutBucketRequestPayment", "PutBucketTagging", "PutBucketVersioning", "PutBucketWebsite",
		"PutEncryptionConfiguration", "PutIntelligentTieringConfiguration", "PutInventoryConfiguration", "PutLifecycleConfiguration",
		"PutMetricsConfiguration", "PutReplicationConfiguration",
	}
	objectActions = []string{
		"AbortMultipartUpload", "BypassGovernanceRetention", "DeleteObject", "DeleteObjectTagging", "DeleteObjectVersion",
		"DeleteObjectVersionTagging", "GetObject", "GetObjectAcl", "GetObjectAttributes", "GetObjectLegalHold", "GetObjectRetention",
		"GetObjectTagging", "GetObjectTorrent", "GetObjectVersion", "GetObjectVersionAcl", "GetObjectVersionAttributes",
		"GetObjectVersionForReplication", "GetObjectVersionTagging", "GetObjectVersionTorrent", "InitiateReplication",
		"ListMultipartUploadParts", "ObjectOwnerOverrideToBucketOwner", "PutObject", "PutObjectAcl", "PutObjectLegalHold",
		"PutObjectRetention", "PutObjectTagging", "PutObjectVersionAcl", "PutObjectVersionTagging", "ReplicateDelete", "ReplicateObject",
		"ReplicateTags", "RestoreObject",
	}
)

// reach is on what a pattern of actions, or of resources, bears.
type reach struct{ bucket, objects bool }

func (r reach) meets(o reach) bool { return r.bucket && o.bucket || r.objects && o.objects }

// actionReach tells on what the actions of a pattern act; nothing is no action
// of S3's.
func actionReach(pattern string) reach {
	if pattern == "*" {
		return reach{true, true}
	}
	name, ok := strings.CutPrefix(strings.ToLower(pattern), "s3:")
	among := func(actions []string) bool {
		return ok && slices.ContainsFunc(actions, func(action string) bool { return policy.Matches(name, strings.ToLower(action)) })
	}
	return reach{among(bucketActions), among(objectActions)}
}

// resourceReach tells what a resource of a bucket's policy stands for; nothing
// is nothing of the bucket.
func resourceReach(bucket, resource string) reach {
	if resource == "*" {
		return reach{true, true}
	}
	path, ok := strings.CutPrefix(resource, bucketARN(""))
	name, _, objects := strings.Cut(path, "/")
	switch {
	case !ok || !policy.Matches(name, bucket):
		return reach{}
	case strings.HasSuffix(name, "*"):
		return reach{!objects, true}
	}
	return reach{!objects, objects}
}
