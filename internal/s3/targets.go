package s3

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/wire"
)

// actions are the IAM actions of operations that aren't called like them
// (Service Authorization Reference: Amazon S3).
var actions = map[string]string{
	"HeadBucket": "ListBucket", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket",
	"ListObjectVersions": "ListBucketVersions", "ListBuckets": "ListAllMyBuckets",
	"HeadObject": "GetObject", "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject", "CompleteMultipartUpload": "PutObject",
	"ListParts": "ListMultipartUploadParts", "DeleteBucketTagging": "PutBucketTagging",
	"GetBucketEncryption": "GetEncryptionConfiguration", "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
	"GetBucketReplication": "GetReplicationConfiguration", "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
	"GetBucketAccelerateConfiguration": "GetAccelerateConfiguration", "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
	"PutBucketEncryption": "PutEncryptionConfiguration", "DeleteBucketEncryption": "PutEncryptionConfiguration",
	"PutPublicAccessBlock": "PutBucketPublicAccessBlock", "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
	"DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
	"GetBucketCors":                 "GetBucketCORS", "PutBucketCors": "PutBucketCORS", "DeleteBucketCors": "PutBucketCORS",
	"GetBucketNotificationConfiguration": "GetBucketNotification", "PutBucketNotificationConfiguration": "PutBucketNotification",
}

// versioned are the actions that are called otherwise on a given version.
var versioned = map[string]string{
	"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion", "GetObjectAcl": "GetObjectVersionAcl",
	"GetObjectTagging": "GetObjectVersionTagging", "PutObjectTagging": "PutObjectVersionTagging", "DeleteObjectTagging": "DeleteObjectVersionTagging",
}

// IAMTargets names the bucket or the objects that a call is about, each with
// the policy and the owner of its bucket.
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	out := targets(op, in)
	if op.Name == "CreateBucket" {
		return out // of which it tells that it is somebody's
	}
	var last string
	var b *bucket
	for i := range out {
		path, ok := strings.CutPrefix(out[i].Resource, bucketARN(""))
		if name, _, _ := strings.Cut(path, "/"); !ok {
			continue
		} else if name != last {
			last, b = name, s.seek(ctx, name)
		}
		if b != nil {
			b.guard(wire.CallerFrom(ctx), op, &out[i])
		}
	}
	return out
}

func targets(op *wire.Operation, in any) []wire.IAMTarget {
	switch in := in.(type) {
	case *s3api.DeleteObjectsRequest:
		return nil // it is decided key by key (delete.go)
	case *s3api.CopyObjectRequest:
		out := []wire.IAMTarget{objectTarget(in, "PutObject", *in.Bucket, *in.Key, nil)}
		if src, err := parseCopySource(*in.CopySource); err == nil {
			out = append(out, objectTarget(nil, "GetObject", src.bucket, src.key, src.version))
		}
		return out
	}
	action := op.Name
	if other, ok := actions[action]; ok {
		action = other
	}
	bucket, key := member(in, "Bucket"), member(in, "Key")
	switch {
	case bucket == nil:
		return []wire.IAMTarget{{Action: "s3:" + action, Resource: "*", Context: map[string][]string{}}}
	case key != nil:
		return []wire.IAMTarget{objectTarget(in, action, *bucket, *key, member(in, "VersionId"))}
	}
	return []wire.IAMTarget{{Action: "s3:" + action, Resource: bucketARN(*bucket), Context: conditions(in)}}
}

func bucketARN(name string) string { return arn.New("s3", "", "", name).String() }

// objectTarget is an action on an object; in may be nil.
func objectTarget(in any, action, bucket, key string, version *string) wire.IAMTarget {
	if other, ok := versioned[action]; ok && version != nil {
		action = other
	}
	target := wire.IAMTarget{Action: "s3:" + action, Resource: bucketARN(bucket + "/" + key), Context: conditions(in)}
	if version != nil {
		target.Context["s3:VersionId"] = []string{*version}
	}
	return target
}
