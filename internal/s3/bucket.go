package s3

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/keys"
	"github.com/butai-dev/butai/internal/wire"
)

// bucket is a bucket as it is stored.
type bucket struct {
	ID         string
	Name       string
	Account    string
	Region     string
	Created    time.Time
	Ownership  string                               // "" once the controls were deleted
	Versioning string                               `json:",omitzero"` // "", Enabled or Suspended
	Tags       []s3api.Tag                          `json:",omitzero"`
	BucketKey  bool                                 `json:",omitzero"` // of its encryption
	Encryption *s3api.ServerSideEncryptionByDefault `json:",omitzero"` // nil: by S3's own key

	Policy string           `json:",omitzero"` // compact JSON
	CORS   []s3api.CORSRule `json:",omitzero"`

	Notification    *s3api.NotificationConfiguration      `json:",omitzero"` // nil: nobody was ever notified
	AccessBlock     *s3api.PublicAccessBlockConfiguration `json:",omitzero"` // nil: all is blocked
	AccessUnblocked bool                                  `json:",omitzero"` // the block was deleted
}

const homeRegion = "us-east-1" // it has no location constraint

// getBucket finds a bucket that an account may reach: its own, or one whose
// policy lets others in. Whether it lets in just this caller was decided before
// (targets.go); without a policy nobody can have been let in.
func getBucket(r store.ReadTx, account, name string, expectedOwner *string) (*bucket, error) {
	b, err := buckets.Get(r, name)
	switch {
	case err != nil:
		return nil, err
	case b == nil:
		return nil, noSuchBucket(name)
	case b.Account != account && b.Policy == "", expectedOwner != nil && *expectedOwner != b.Account:
		return nil, accessDenied()
	}
	return b, nil
}

// bucket reads a bucket that the caller may reach.
func (s *Service) bucket(ctx context.Context, name, expectedOwner *string) (b *bucket, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		b, err = getBucket(r, account(ctx), *name, expectedOwner)
		return err
	})
	return b, err
}

// editBucket changes a bucket in place.
func (s *Service) editBucket(ctx context.Context, name, expectedOwner *string, fn func(*bucket) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error {
		b, err := getBucket(tx, account(ctx), *name, expectedOwner)
		if err != nil {
			return err
		}
		if err := fn(b); err != nil {
			return err
		}
		return buckets.Put(tx, b, b.Name)
	})
}

// The rules for names of general purpose buckets (S3 User Guide).
var (
	bucketName   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	likeAddress  = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+$`)
	reservedName = regexp.MustCompile(`\.\.|^xn--|^sthree-|^amzn-s3-demo-|-s3alias$|--ol-s3$|\.mrap$|--x-s3$|--table-s3$`)
)

// CreateBucket makes a bucket.
func (s *Service) CreateBucket(ctx context.Context, in *s3api.CreateBucketRequest) (*s3api.CreateBucketOutput, error) {
	name := *in.Bucket
	if !bucketName.MatchString(name) || likeAddress.MatchString(name) || reservedName.MatchString(name) {
		return nil, failure(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
	}
	caller := wire.CallerFrom(ctx)
	config := wire.Val(in.CreateBucketConfiguration)
	region, err := placement(caller.Region, config.LocationConstraint)
	if err != nil {
		return nil, err
	}
	ownership := wire.Val(in.ObjectOwnership)
	if ownership == "" {
		ownership = s3api.ObjectOwnershipBucketOwnerEnforced
	}
	if acl := wire.Val(in.ACL); acl != "" && acl != s3api.BucketCannedACLPrivate {
		if ownership == s3api.ObjectOwnershipBucketOwnerEnforced {
			return nil, failure(http.StatusBadRequest, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
		}
		return nil, wire.NotBuilt("bucket ACL %s", acl)
	}
	tags, err := checkTags(config.Tags, maxBucketTags)
	if err != nil {
		return nil, err
	}
	b := &bucket{ID: ident.Hex(8), Name: name, Account: caller.Account, Region: region, Created: s.now(), Ownership: ownership, Tags: tags}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := buckets.Get(tx, name)
		switch {
		case err != nil:
			return err
		case have == nil:
			return buckets.Put(tx, b, name)
		case have.Account != caller.Account:
			return &s3api.BucketAlreadyExists{Message: wire.Ptr("The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")}
		case have.Region == homeRegion && region == homeRegion:
			return nil // only there S3 lets an owner create twice
		}
		return &s3api.BucketAlreadyOwnedByYou{Message: wire.Ptr("Your previous request to create the named bucket succeeded and you already own it.")}
	})
	if err != nil {
		return nil, err
	}
	location := "/" + name
	if region != homeRegion {
		location = "http://" + name + ".s3.amazonaws.com/"
	}
	return &s3api.CreateBucketOutput{Location: &location}, nil
}

// placement is the region of a new bucket.
func placement(endpoint string, constraint *string) (string, error) {
	switch want := wire.Val(constraint); {
	case want == homeRegion:
		return "", failure(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid")
	case want == "" && endpoint != homeRegion:
		return "", failure(http.StatusBadRequest, "IllegalLocationConstraintException",
			"The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
	case want == "":
		return homeRegion, nil
	case want == endpoint, endpoint == homeRegion: // whose endpoint is the global one
		return want, nil
	default:
		return "", failure(http.StatusBadRequest, "IllegalLocationConstraintException",
			"The "+want+" location constraint is incompatible for the region specific endpoint this request was sent to.")
	}
}

// HeadBucket tells whether a bucket exists.
func (s *Service) HeadBucket(ctx context.Context, in *s3api.HeadBucketRequest) (*s3api.HeadBucketOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3api.HeadBucketOutput{BucketRegion: &b.Region, AccessPointAlias: wire.Ptr(false)}, nil
}

// GetBucketLocation returns a bucket's region; us-east-1 is an empty one.
func (s *Service) GetBucketLocation(ctx context.Context, in *s3api.GetBucketLocationRequest) (*s3api.GetBucketLocationOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	constraint := b.Region
	if constraint == homeRegion {
		constraint = ""
	}
	return &s3api.GetBucketLocationOutput{LocationConstraint: &constraint}, nil
}

// DeleteBucket deletes an empty bucket; its unfinished uploads go with it.
func (s *Service) DeleteBucket(ctx context.Context, in *s3api.DeleteBucketRequest) error {
	var garbage []blob
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		garbage = nil
		b, err := getBucket(tx, account(ctx), *in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		lo, hi := keys.PrefixOf(versions.Key(b.ID))
		for _, err := range tx.Scan(store.Range{Lo: lo, Hi: hi, Limit: 1}) {
			if err != nil {
				return err
			}
			return failure(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
		}
		all, err := uploads.List(tx, b.ID)
		if err != nil {
			return err
		}
		for _, u := range all {
			removed, err := u.remove(tx, b)
			if err != nil {
				return err
			}
			garbage = append(garbage, removed...)
		}
		return buckets.Delete(tx, b.Name)
	})
	if err == nil {
		s.blobs.remove(garbage)
	}
	return err
}

// ListBuckets lists the account's buckets by name.
func (s *Service) ListBuckets(ctx context.Context, in *s3api.ListBucketsRequest) (*s3api.ListBucketsOutput, error) {
	after, err := readToken(in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	out := &s3api.ListBucketsOutput{Buckets: []s3api.Bucket{}, Owner: owner(account(ctx)), Prefix: in.Prefix}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		out.Buckets, out.ContinuationToken = out.Buckets[:0], nil
		for b, err := range buckets.After(r, after) {
			switch {
			case err != nil:
				return err
			case b.Account != account(ctx) || !strings.HasPrefix(b.Name, wire.Val(in.Prefix)):
			case in.BucketRegion != nil && *in.BucketRegion != b.Region:
			case in.MaxBuckets != nil && len(out.Buckets) == int(*in.MaxBuckets):
				out.ContinuationToken = paging.Token(*out.Buckets[len(out.Buckets)-1].Name)
				return nil
			default:
				item := s3api.Bucket{Name: &b.Name, CreationDate: &b.Created}
				if in.MaxBuckets != nil { // S3 names the region in paginated answers only
					item.BucketRegion = &b.Region
				}
				out.Buckets = append(out.Buckets, item)
			}
		}
		return nil
	})
	return out, err
}
