package s3

import (
	"context"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
)

// GetBucketEncryption answers what was put, or S3's default, which no bucket is
// without.
func (s *Service) GetBucketEncryption(ctx context.Context, in *s3api.GetBucketEncryptionRequest) (*s3api.GetBucketEncryptionOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	byDefault := b.Encryption
	if byDefault == nil {
		byDefault = &s3api.ServerSideEncryptionByDefault{SSEAlgorithm: wire.Ptr(s3api.ServerSideEncryptionAES256)}
	}
	rule := s3api.ServerSideEncryptionRule{ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled: &b.BucketKey}
	return &s3api.GetBucketEncryptionOutput{
		ServerSideEncryptionConfiguration: &s3api.ServerSideEncryptionConfiguration{Rules: []s3api.ServerSideEncryptionRule{rule}},
	}, nil
}

// PutBucketEncryption sets what new objects are encrypted with if their uploader
// says nothing of it. Like S3, it doesn't look whether there is such a key.
func (s *Service) PutBucketEncryption(ctx context.Context, in *s3api.PutBucketEncryptionRequest) error {
	_, _ = in.ContentMD5, in.ChecksumAlgorithm // of a body that the signature covers
	rules := in.ServerSideEncryptionConfiguration.Rules
	if len(rules) != 1 || rules[0].ApplyServerSideEncryptionByDefault == nil {
		return malformedXML()
	}
	byDefault := rules[0].ApplyServerSideEncryptionByDefault
	switch algorithm := *byDefault.SSEAlgorithm; algorithm {
	case s3api.ServerSideEncryptionAES256:
		if byDefault.KMSMasterKeyID != nil {
			return invalidArgument("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
		}
		byDefault = nil
	case s3api.ServerSideEncryptionAwsKms, s3api.ServerSideEncryptionAwsKmsDsse:
	default:
		return wire.NotBuilt("encryption of a bucket by %s", algorithm)
	}
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Encryption, b.BucketKey = byDefault, wire.Val(rules[0].BucketKeyEnabled)
		return nil
	})
}

// DeleteBucketEncryption returns a bucket to the default.
func (s *Service) DeleteBucketEncryption(ctx context.Context, in *s3api.DeleteBucketEncryptionRequest) error {
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Encryption, b.BucketKey = nil, false
		return nil
	})
}
