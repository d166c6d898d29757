package s3_test

import (
	"testing"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
)

// TestBucketSettings sets what nearly every Terraform module sets on a bucket.
func TestBucketSettings(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	name := wire.Ptr("code")
	must[*s3api.CreateBucketOutput](t)(r.CreateBucket(r.ctx, &s3api.CreateBucketRequest{Bucket: name}))
	block := func() (*s3api.PublicAccessBlockConfiguration, error) {
		out, err := r.GetPublicAccessBlock(r.ctx, &s3api.GetPublicAccessBlockRequest{Bucket: name})
		if err != nil {
			return nil, err
		}
		return out.PublicAccessBlockConfiguration, nil
	}
	if c, err := block(); err != nil || !*c.BlockPublicPolicy || !*c.RestrictPublicBuckets {
		t.Errorf("a new bucket's block: %+v, %v", c, err)
	}
	check(t, "", r.PutPublicAccessBlock(r.ctx, &s3api.PutPublicAccessBlockRequest{Bucket: name,
		PublicAccessBlockConfiguration: &s3api.PublicAccessBlockConfiguration{BlockPublicAcls: wire.Ptr(true)}}))
	if c, err := block(); err != nil || !*c.BlockPublicAcls || *c.BlockPublicPolicy {
		t.Errorf("the block that was put: %+v, %v", c, err)
	}
	check(t, "", r.DeletePublicAccessBlock(r.ctx, &s3api.DeletePublicAccessBlockRequest{Bucket: name}))
	_, err := block()
	check(t, "NoSuchPublicAccessBlockConfiguration", err)

	acl := func(acl string) error {
		return r.PutBucketAcl(r.ctx, &s3api.PutBucketAclRequest{Bucket: name, ACL: &acl})
	}
	check(t, "AccessControlListNotSupported", acl("private"))
	check(t, "", r.PutBucketOwnershipControls(r.ctx, &s3api.PutBucketOwnershipControlsRequest{Bucket: name, OwnershipControls: &s3api.OwnershipControls{
		Rules: []s3api.OwnershipControlsRule{{ObjectOwnership: wire.Ptr(s3api.ObjectOwnershipBucketOwnerPreferred)}}}}))
	check(t, "", acl("private"))
	check(t, "NotImplemented", acl("public-read"))
	controls := must[*s3api.GetBucketOwnershipControlsOutput](t)(r.GetBucketOwnershipControls(r.ctx, &s3api.GetBucketOwnershipControlsRequest{Bucket: name}))
	if got := *controls.OwnershipControls.Rules[0].ObjectOwnership; got != s3api.ObjectOwnershipBucketOwnerPreferred {
		t.Errorf("the controls that were put: %s", got)
	}
	check(t, "", r.DeleteBucketOwnershipControls(r.ctx, &s3api.DeleteBucketOwnershipControlsRequest{Bucket: name}))
	_, err = r.GetBucketOwnershipControls(r.ctx, &s3api.GetBucketOwnershipControlsRequest{Bucket: name})
	check(t, "OwnershipControlsNotFoundError", err)

	encrypt := func(algorithm string) error {
		return r.PutBucketEncryption(r.ctx, &s3api.PutBucketEncryptionRequest{Bucket: name, ServerSideEncryptionConfiguration: &s3api.ServerSideEncryptionConfiguration{
			Rules: []s3api.ServerSideEncryptionRule{{BucketKeyEnabled: wire.Ptr(true),
				ApplyServerSideEncryptionByDefault: &s3api.ServerSideEncryptionByDefault{SSEAlgorithm: &algorithm}}}}})
	}
	check(t, "", encrypt(s3api.ServerSideEncryptionAwsKms))
	check(t, "", encrypt(s3api.ServerSideEncryptionAES256))
	encryption := must[*s3api.GetBucketEncryptionOutput](t)(r.GetBucketEncryption(r.ctx, &s3api.GetBucketEncryptionRequest{Bucket: name}))
	if rule := encryption.ServerSideEncryptionConfiguration.Rules[0]; !*rule.BucketKeyEnabled {
		t.Errorf("the encryption that was put: %+v", rule)
	}
	check(t, "", r.DeleteBucketEncryption(r.ctx, &s3api.DeleteBucketEncryptionRequest{Bucket: name}))
}

// check wants an error of a code, or none.
func check(t *testing.T, code string, err error) {
	t.Helper()
	got := ""
	if err != nil {
		got, _, _, _ = wire.ErrorFacts(err)
	}
	if got != code {
		t.Errorf("%v, want %q", err, code)
	}
}
