package s3

import (
	"context"
	"reflect"
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
	"GetBucketCors":                 "GetBucketCORS", "GetBucketNotificationConfiguration": "GetBucketNotification", "PutBucketNotificationConfiguration": "PutBucketNotification",
}

// versioned are the actions that are called otherwise on a given version.
var versioned = map[string]string{
	"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion", "GetObjectAcl": "GetObjectVersionAcl",
	"GetObjectTagging": "GetObjectVersionTagging", "PutObjectTagging": "PutObjectVersionTagging", "DeleteObjectTagging": "DeleteObjectVersionTagging",
}

// IAMTargets names the bucket or the objects that a call is about.
func (s *Service) IAMTargets(_ context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	switch in := in.(type) {
	case *s3api.DeleteObjectsRequest:
		var out []wire.IAMTarget
		for _, o := range in.Delete.Objects {
			out = append(out, objectTarget("DeleteObject", *in.Bucket, wire.Val(o.Key), o.VersionId))
		}
		return out
	case *s3api.CopyObjectRequest:
		out := []wire.IAMTarget{objectTarget("PutObject", *in.Bucket, *in.Key, nil)}
		if src, err := parseCopySource(*in.CopySource); err == nil {
			out = append(out, objectTarget("GetObject", src.bucket, src.key, src.version))
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
		return []wire.IAMTarget{{Action: "s3:" + action, Resource: "*"}}
	case key != nil:
		return []wire.IAMTarget{objectTarget(action, *bucket, *key, member(in, "VersionId"))}
	}
	target := wire.IAMTarget{Action: "s3:" + action, Resource: bucketARN(*bucket)}
	if strings.HasPrefix(action, "ListBucket") {
		target.Context = map[string][]string{}
		for condition, name := range map[string]string{"s3:prefix": "Prefix", "s3:delimiter": "Delimiter"} {
			if value := member(in, name); value != nil {
				target.Context[condition] = []string{*value}
			}
		}
	}
	return []wire.IAMTarget{target}
}

// member returns a string member of an input, or nil if it has none.
func member(in any, name string) *string {
	f := reflect.ValueOf(in).Elem().FieldByName(name)
	if !f.IsValid() {
		return nil
	}
	value, _ := f.Interface().(*string)
	return value
}

func bucketARN(name string) string { return arn.New("s3", "", "", name).String() }

func objectTarget(action, bucket, key string, version *string) wire.IAMTarget {
	if other, ok := versioned[action]; ok && version != nil {
		action = other
	}
	return wire.IAMTarget{Action: "s3:" + action, Resource: bucketARN(bucket + "/" + key)}
}
