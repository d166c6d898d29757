package s3

import (
	"context"
	"errors"
	"strings"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// What a bucket adds to the decision of who may do what: whose it is, and its
// policy. The decision itself is IAM's.

// seek returns a bucket, or nil if there is none.
func (s *Service) seek(ctx context.Context, name string) (b *bucket) {
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		b, err = buckets.Get(r, name)
		return err
	})
	if err != nil {
		s.Log.Error("read a bucket", "bucket", name, "error", err)
		return nil
	}
	return b
}

// guard adds to what a caller wants to do with the bucket what it says to that.
func (b *bucket) guard(c *wire.Caller, op *wire.Operation, target *wire.IAMTarget) {
	target.Account, target.Policy = b.Account, b.policyFor(c, op)
	target.Context["s3:ResourceAccount"] = []string{b.Account}
	target.Context["aws:ResourceAccount"] = []string{b.Account}
	if c.TLSVersion != "" {
		target.Context["s3:TlsVersion"] = []string{c.TLSVersion}
	}
}

// policyFor is the bucket's policy as far as it has a say in what a caller does.
// Public access may be restricted to the bucket's own account, and the account's
// root user can't be kept from the policy itself.
func (b *bucket) policyFor(c *wire.Caller, op *wire.Operation) string {
	own := c.Account == b.Account
	if own && strings.HasSuffix(c.ARN, ":root") && strings.HasSuffix(op.Name, "BucketPolicy") {
		return ""
	}
	if !own && b.Policy != "" && wire.Val(b.accessBlock().RestrictPublicBuckets) {
		if doc, err := policy.Parse([]byte(b.Policy), policy.Resource); err != nil || doc.Public() {
			return ""
		}
	}
	return b.Policy
}

// denial is why a caller may not do something with the bucket, beside what its
// operation was allowed for; "" if they may.
func (s *Service) denial(ctx context.Context, b *bucket, op *wire.Operation, target wire.IAMTarget) string {
	c := wire.CallerFrom(ctx)
	b.guard(c, op, &target)
	return s.IAM.Authorize(ctx, c, target)
}

// veil hides from who may not list the bucket that it doesn't have an object
// (API Reference, GetObject: 403 in the place of 404).
func (s *Service) veil(ctx context.Context, b *bucket, err error) error {
	if _, missing := errors.AsType[*s3api.NoSuchKey](err); !missing {
		return err
	}
	list := wire.IAMTarget{Action: "s3:ListBucket", Resource: bucketARN(b.Name), Context: map[string][]string{}}
	if denial := s.denial(ctx, b, s3api.Service.Operation("ListObjectsV2"), list); denial != "" {
		return &s3api.AccessDenied{Message: &denial}
	}
	return err
}

// Missing implements wire.Revealer: that a bucket isn't there, S3 tells everybody.
func (s *Service) Missing(ctx context.Context, op *wire.Operation, in any) error {
	name := member(in, "Bucket")
	if op.Name == "CreateBucket" || name == nil || s.seek(ctx, *name) != nil {
		return nil
	}
	return noSuchBucket(*name)
}
