package s3

import (
	"context"
	"net/http"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
)

// Beside a bucket's account, its policy alone can let anybody in (policy.go):
// there is no ACL but the private one.

// accessBlock is which public access is blocked: all at first, as for every
// bucket made since April 2023.
func (b *bucket) accessBlock() *s3api.PublicAccessBlockConfiguration {
	switch {
	case b.AccessUnblocked:
		return &s3api.PublicAccessBlockConfiguration{}
	case b.AccessBlock != nil:
		return b.AccessBlock
	}
	yes := wire.Ptr(true)
	return &s3api.PublicAccessBlockConfiguration{BlockPublicAcls: yes, IgnorePublicAcls: yes, BlockPublicPolicy: yes, RestrictPublicBuckets: yes}
}

// GetPublicAccessBlock returns which public access is blocked.
func (s *Service) GetPublicAccessBlock(ctx context.Context, in *s3api.GetPublicAccessBlockRequest) (*s3api.GetPublicAccessBlockOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	switch {
	case err != nil:
		return nil, err
	case b.AccessUnblocked:
		return nil, b.lacks("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	}
	return &s3api.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: b.accessBlock()}, nil
}

// PutPublicAccessBlock sets which public access is blocked; what isn't named
// is not.
func (s *Service) PutPublicAccessBlock(ctx context.Context, in *s3api.PutPublicAccessBlockRequest) error {
	_, _ = in.ContentMD5, in.ChecksumAlgorithm // of a body that the signature covers
	said := func(b *bool) *bool { return wire.Ptr(wire.Val(b)) }
	c := in.PublicAccessBlockConfiguration
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.AccessUnblocked, b.AccessBlock = false, &s3api.PublicAccessBlockConfiguration{
			BlockPublicAcls: said(c.BlockPublicAcls), IgnorePublicAcls: said(c.IgnorePublicAcls),
			BlockPublicPolicy: said(c.BlockPublicPolicy), RestrictPublicBuckets: said(c.RestrictPublicBuckets),
		}
		return nil
	})
}

// DeletePublicAccessBlock forgets which public access is blocked.
func (s *Service) DeletePublicAccessBlock(ctx context.Context, in *s3api.DeletePublicAccessBlockRequest) error {
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.AccessUnblocked, b.AccessBlock = true, nil
		return nil
	})
}

// GetBucketOwnershipControls returns who owns objects, and whether ACLs count.
func (s *Service) GetBucketOwnershipControls(ctx context.Context, in *s3api.GetBucketOwnershipControlsRequest) (*s3api.GetBucketOwnershipControlsOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	switch {
	case err != nil:
		return nil, err
	case b.Ownership == "":
		return nil, b.lacks("OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	}
	return &s3api.GetBucketOwnershipControlsOutput{OwnershipControls: &s3api.OwnershipControls{
		Rules: []s3api.OwnershipControlsRule{{ObjectOwnership: &b.Ownership}},
	}}, nil
}

// PutBucketOwnershipControls sets who owns objects.
func (s *Service) PutBucketOwnershipControls(ctx context.Context, in *s3api.PutBucketOwnershipControlsRequest) error {
	_, _ = in.ContentMD5, in.ChecksumAlgorithm // of a body that the signature covers
	rules := in.OwnershipControls.Rules
	if len(rules) != 1 {
		return malformedXML()
	}
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Ownership = *rules[0].ObjectOwnership
		return nil
	})
}

// DeleteBucketOwnershipControls leaves objects to their writers, as before
// there were controls.
func (s *Service) DeleteBucketOwnershipControls(ctx context.Context, in *s3api.DeleteBucketOwnershipControlsRequest) error {
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Ownership = ""
		return nil
	})
}

// GetBucketAcl answers that the owner has full control.
func (s *Service) GetBucketAcl(ctx context.Context, in *s3api.GetBucketAclRequest) (*s3api.GetBucketAclOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3api.GetBucketAclOutput{Owner: owner(b.Account), Grants: grants(b.Account)}, nil
}

// PutBucketAcl takes the private ACL, which every bucket has, where ACLs
// count.
func (s *Service) PutBucketAcl(ctx context.Context, in *s3api.PutBucketAclRequest) error {
	_, _ = in.ContentMD5, in.ChecksumAlgorithm // of a body that the signature covers
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return err
	}
	if b.Ownership == s3api.ObjectOwnershipBucketOwnerEnforced {
		return failure(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
	}
	switch acl := wire.Val(in.ACL); {
	case acl == "" && in.AccessControlPolicy == nil:
		return failure(http.StatusBadRequest, "MissingSecurityHeader", "Your request was missing a required header")
	case acl != "" && in.AccessControlPolicy != nil:
		return failure(http.StatusBadRequest, "UnexpectedContent", "This request does not support content")
	case acl != "" && acl != s3api.BucketCannedACLPrivate:
		return wire.NotBuilt("bucket ACL %s", acl)
	case acl == "" && !grantsNobody(in.AccessControlPolicy, b.Account):
		return wire.NotBuilt("ACLs of a bucket that grant anything to others than its owner")
	}
	return nil
}

// grantsNobody reports whether a policy says what the private ACL says. Names
// to display are ignored, as S3 has ignored them since November 2025.
func grantsNobody(p *s3api.AccessControlPolicy, account string) bool {
	if len(p.Grants) != 1 || p.Grants[0].Grantee == nil {
		return false
	}
	if o := p.Owner; o != nil {
		if _ = o.DisplayName; wire.Val(o.ID) != canonicalID(account) {
			return false
		}
	}
	who := p.Grants[0].Grantee
	_ = who.DisplayName
	return wire.Val(who.Type) == s3api.TypeCanonicalUser && wire.Val(who.ID) == canonicalID(account) && who.EmailAddress == nil && who.URI == nil &&
		wire.Val(p.Grants[0].Permission) == s3api.PermissionFULLCONTROL
}

// GetObjectAcl answers that the bucket's owner has full control.
func (s *Service) GetObjectAcl(ctx context.Context, in *s3api.GetObjectAclRequest) (*s3api.GetObjectAclOutput, error) {
	b, _, err := s.find(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3api.GetObjectAclOutput{Owner: owner(b.Account), Grants: grants(b.Account)}, nil
}

// grants is the ACL of everything here: the owner may do everything.
func grants(account string) []s3api.Grant {
	return []s3api.Grant{{
		Grantee:    &s3api.Grantee{ID: wire.Ptr(canonicalID(account)), Type: wire.Ptr(s3api.TypeCanonicalUser)},
		Permission: wire.Ptr(s3api.PermissionFULLCONTROL),
	}}
}
