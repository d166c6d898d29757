package s3

import "github.com/butai-dev/butai/internal/api/s3api"

// The operations that Service offers; a method with another signature would
// count as not built.
var _ interface {
	s3api.AbortMultipartUploadAPI
	s3api.CompleteMultipartUploadAPI
	s3api.CopyObjectAPI
	s3api.CreateBucketAPI
	s3api.CreateMultipartUploadAPI
	s3api.DeleteBucketAPI
	s3api.DeleteBucketCorsAPI
	s3api.DeleteBucketEncryptionAPI
	s3api.DeleteBucketOwnershipControlsAPI
	s3api.DeleteBucketPolicyAPI
	s3api.DeleteBucketTaggingAPI
	s3api.DeleteObjectAPI
	s3api.DeleteObjectTaggingAPI
	s3api.DeleteObjectsAPI
	s3api.DeletePublicAccessBlockAPI
	s3api.GetBucketAccelerateConfigurationAPI
	s3api.GetBucketAclAPI
	s3api.GetBucketCorsAPI
	s3api.GetBucketEncryptionAPI
	s3api.GetBucketLifecycleConfigurationAPI
	s3api.GetBucketLocationAPI
	s3api.GetBucketLoggingAPI
	s3api.GetBucketNotificationConfigurationAPI
	s3api.GetBucketOwnershipControlsAPI
	s3api.GetBucketPolicyAPI
	s3api.GetBucketPolicyStatusAPI
	s3api.GetBucketReplicationAPI
	s3api.GetBucketRequestPaymentAPI
	s3api.GetBucketTaggingAPI
	s3api.GetBucketVersioningAPI
	s3api.GetBucketWebsiteAPI
	s3api.GetObjectAPI
	s3api.GetObjectAclAPI
	s3api.GetObjectLockConfigurationAPI
	s3api.GetObjectTaggingAPI
	s3api.GetPublicAccessBlockAPI
	s3api.HeadBucketAPI
	s3api.HeadObjectAPI
	s3api.ListBucketsAPI
	s3api.ListObjectVersionsAPI
	s3api.ListObjectsAPI
	s3api.ListObjectsV2API
	s3api.ListPartsAPI
	s3api.PutBucketAclAPI
	s3api.PutBucketCorsAPI
	s3api.PutBucketEncryptionAPI
	s3api.PutBucketNotificationConfigurationAPI
	s3api.PutBucketOwnershipControlsAPI
	s3api.PutBucketPolicyAPI
	s3api.PutBucketTaggingAPI
	s3api.PutBucketVersioningAPI
	s3api.PutObjectAPI
	s3api.PutObjectTaggingAPI
	s3api.PutPublicAccessBlockAPI
	s3api.UploadPartAPI
} = (*Service)(nil)
