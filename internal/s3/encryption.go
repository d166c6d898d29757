package s3

import (
	"context"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
)

// GetBucketEncryption answers S3's default, which no bucket is without.
func (s *Service) GetBucketEncryption(ctx context.Context, in *s3api.GetBucketEncryptionRequest) (*s3api.GetBucketEncryptionOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	rule := s3api.ServerSideEncryptionRule{
		ApplyServerSideEncryptionByDefault: &s3api.ServerSideEncryptionByDefault{SSEAlgorithm: wire.Ptr(s3api.ServerSideEncryptionAES256)},
		BucketKeyEnabled:                   &b.BucketKey,
	}
	return &s3api.GetBucketEncryptionOutput{
		ServerSideEncryptionConfiguration: &s3api.ServerSideEncryptionConfiguration{Rules: []s3api.ServerSideEncryptionRule{rule}},
	}, nil
}

// PutBucketEncryption takes S3's own keys, the default, and says of others that
// there are none.
func (s *Service) PutBucketEncryption(ctx context.Context, in *s3api.PutBucketEncryptionRequest) error {
	_, _ = in.ContentMD5, in.ChecksumAlgorithm // of a body that the signature covers
	rules := in.ServerSideEncryptionConfiguration.Rules
	if len(rules) != 1 || rules[0].ApplyServerSideEncryptionByDefault == nil {
		return malformedXML()
	}
	byDefault := rules[0].ApplyServerSideEncryptionByDefault
	switch {
	case *byDefault.SSEAlgorithm != s3api.ServerSideEncryptionAES256:
		return wire.NotBuilt("encryption of a bucket by %s", *byDefault.SSEAlgorithm)
	case byDefault.KMSMasterKeyID != nil:
		return invalidArgument("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
	}
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.BucketKey = wire.Val(rules[0].BucketKeyEnabled)
		return nil
	})
}

// DeleteBucketEncryption returns a bucket to the default.
func (s *Service) DeleteBucketEncryption(ctx context.Context, in *s3api.DeleteBucketEncryptionRequest) error {
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.BucketKey = false
		return nil
	})
}
