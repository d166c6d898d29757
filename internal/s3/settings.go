package s3

import (
	"context"
	"net/http"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
)

// What can't be set on a bucket here is answered as S3 answers for a bucket
// that nobody configured (API Reference, each operation's errors). What can be
// set about who may reach it is in access.go.

// unset checks the bucket and says that it has no such setting.
func (s *Service) unset(ctx context.Context, name, expectedOwner *string, code, message string) error {
	b, err := s.bucket(ctx, name, expectedOwner)
	if err != nil {
		return err
	}
	return b.lacks(code, message)
}

// lacks is the answer to who asks for a setting that the bucket doesn't have.
func (b *bucket) lacks(code, message string) error {
	return &wire.About{Member: "BucketName", Value: b.Name, Err: failure(http.StatusNotFound, code, message)}
}

// GetBucketWebsite answers that the bucket is no website.
func (s *Service) GetBucketWebsite(ctx context.Context, in *s3api.GetBucketWebsiteRequest) (*s3api.GetBucketWebsiteOutput, error) {
	return nil, s.unset(ctx, in.Bucket, in.ExpectedBucketOwner, "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")
}

// GetBucketLifecycleConfiguration answers that there is none.
func (s *Service) GetBucketLifecycleConfiguration(ctx context.Context, in *s3api.GetBucketLifecycleConfigurationRequest) (*s3api.GetBucketLifecycleConfigurationOutput, error) {
	return nil, s.unset(ctx, in.Bucket, in.ExpectedBucketOwner, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
}

// GetBucketReplication answers that there is none.
func (s *Service) GetBucketReplication(ctx context.Context, in *s3api.GetBucketReplicationRequest) (*s3api.GetBucketReplicationOutput, error) {
	return nil, s.unset(ctx, in.Bucket, in.ExpectedBucketOwner, "ReplicationConfigurationNotFoundError", "The replication configuration was not found")
}

// GetObjectLockConfiguration answers that there is none.
func (s *Service) GetObjectLockConfiguration(ctx context.Context, in *s3api.GetObjectLockConfigurationRequest) (*s3api.GetObjectLockConfigurationOutput, error) {
	return nil, s.unset(ctx, in.Bucket, in.ExpectedBucketOwner, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
}

// GetBucketLogging answers that access isn't logged.
func (s *Service) GetBucketLogging(ctx context.Context, in *s3api.GetBucketLoggingRequest) (*s3api.GetBucketLoggingOutput, error) {
	_, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	return &s3api.GetBucketLoggingOutput{}, err
}

// GetBucketAccelerateConfiguration answers that transfers aren't accelerated.
func (s *Service) GetBucketAccelerateConfiguration(ctx context.Context, in *s3api.GetBucketAccelerateConfigurationRequest) (*s3api.GetBucketAccelerateConfigurationOutput, error) {
	_, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	return &s3api.GetBucketAccelerateConfigurationOutput{}, err
}

// GetBucketRequestPayment answers that the owner pays.
func (s *Service) GetBucketRequestPayment(ctx context.Context, in *s3api.GetBucketRequestPaymentRequest) (*s3api.GetBucketRequestPaymentOutput, error) {
	_, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	return &s3api.GetBucketRequestPaymentOutput{Payer: wire.Ptr(s3api.PayerBucketOwner)}, err
}

// GetBucketVersioning returns the versioning state; a bucket that never had
// versions has none.
func (s *Service) GetBucketVersioning(ctx context.Context, in *s3api.GetBucketVersioningRequest) (*s3api.GetBucketVersioningOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil || b.Versioning == "" {
		return &s3api.GetBucketVersioningOutput{}, err
	}
	return &s3api.GetBucketVersioningOutput{Status: &b.Versioning}, nil
}

// PutBucketVersioning turns versioning on or suspends it.
func (s *Service) PutBucketVersioning(ctx context.Context, in *s3api.PutBucketVersioningRequest) error {
	_, _ = in.ContentMD5, in.ChecksumAlgorithm // of a body that the signature covers
	status := in.VersioningConfiguration.Status
	if status == nil {
		return failure(http.StatusBadRequest, "IllegalVersioningConfigurationException", "The Versioning element must be specified")
	}
	if wire.Val(in.VersioningConfiguration.MFADelete) == s3api.MFADeleteEnabled {
		return wire.NotBuilt("MFA delete")
	}
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Versioning = *status
		return nil
	})
}
