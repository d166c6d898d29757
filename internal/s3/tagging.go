package s3

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Quotas of tags (S3 User Guide).
const (
	maxBucketTags = 50
	maxObjectTags = 10
)

func invalidTag(message string) error { return failure(http.StatusBadRequest, "InvalidTag", message) }

// checkTags returns the tags sorted by key.
func checkTags(tags []s3api.Tag, limit int) ([]s3api.Tag, error) {
	out := slices.SortedFunc(slices.Values(tags), func(a, b s3api.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	if len(out) > limit {
		if limit == maxObjectTags {
			return nil, failure(http.StatusBadRequest, "BadRequest", "Object tags cannot be greater than 10")
		}
		return nil, failure(http.StatusBadRequest, "BadRequest", "Bucket tag count cannot be greater than 50")
	}
	for i, t := range out {
		switch {
		case i > 0 && *t.Key == *out[i-1].Key:
			return nil, invalidTag("Cannot provide multiple Tags with the same key")
		case strings.HasPrefix(strings.ToLower(*t.Key), "aws:"):
			return nil, invalidTag("System tags cannot be added/updated by requester")
		case *t.Key == "" || len([]rune(*t.Key)) > 128:
			return nil, invalidTag("The TagKey you have provided is invalid")
		case len([]rune(*t.Value)) > 256:
			return nil, invalidTag("The TagValue you have provided is invalid")
		}
	}
	return out, nil
}

// headerTags reads the x-amz-tagging header: tags as a query string.
func headerTags(header *string) ([]s3api.Tag, error) {
	if header == nil {
		return nil, nil
	}
	values, err := url.ParseQuery(*header)
	if err != nil {
		return nil, invalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	var tags []s3api.Tag
	for key, list := range values {
		for _, value := range list {
			tags = append(tags, s3api.Tag{Key: &key, Value: &value})
		}
	}
	return checkTags(tags, maxObjectTags)
}

func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// PutObjectTagging replaces a version's tags.
func (s *Service) PutObjectTagging(ctx context.Context, in *s3api.PutObjectTaggingRequest) (*s3api.PutObjectTaggingOutput, error) {
	_, _ = in.ContentMD5, in.ChecksumAlgorithm // of a body that the signature covers
	tags, err := checkTags(in.Tagging.TagSet, maxObjectTags)
	if err != nil {
		return nil, err
	}
	version, err := s.setTags(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, tags, &eventTagged)
	return &s3api.PutObjectTaggingOutput{VersionId: version}, err
}

// DeleteObjectTagging removes a version's tags.
func (s *Service) DeleteObjectTagging(ctx context.Context, in *s3api.DeleteObjectTaggingRequest) (*s3api.DeleteObjectTaggingOutput, error) {
	version, err := s.setTags(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, nil, &eventUntagged)
	return &s3api.DeleteObjectTaggingOutput{VersionId: version}, err
}

func (s *Service) setTags(ctx context.Context, bucketName, key, version, expectedOwner *string, tags []s3api.Tag, k *kind) (id *string, err error) {
	var made []*notice
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		b, err := getBucket(tx, account(ctx), *bucketName, expectedOwner)
		if err != nil {
			return err
		}
		o, err := getObject(tx, b, *key, version)
		if err != nil {
			return err
		}
		o.Tags, id = tags, o.versionID(b)
		if err := o.put(tx, b); err != nil {
			return err
		}
		made, err = s.tell(ctx, tx, b, k, o)
		return err
	})
	s.enqueue(err, made)
	return id, err
}

// GetObjectTagging returns a version's tags.
func (s *Service) GetObjectTagging(ctx context.Context, in *s3api.GetObjectTaggingRequest) (*s3api.GetObjectTaggingOutput, error) {
	b, o, err := s.find(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3api.GetObjectTaggingOutput{VersionId: o.versionID(b), TagSet: list(o.Tags)}, nil
}

// GetBucketTagging returns a bucket's tags; having none is an error in S3.
func (s *Service) GetBucketTagging(ctx context.Context, in *s3api.GetBucketTaggingRequest) (*s3api.GetBucketTaggingOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err == nil && len(b.Tags) == 0 {
		err = b.lacks("NoSuchTagSet", "The TagSet does not exist")
	}
	if err != nil {
		return nil, err
	}
	return &s3api.GetBucketTaggingOutput{TagSet: b.Tags}, nil
}

// PutBucketTagging replaces a bucket's tags.
func (s *Service) PutBucketTagging(ctx context.Context, in *s3api.PutBucketTaggingRequest) error {
	_, _ = in.ContentMD5, in.ChecksumAlgorithm // of a body that the signature covers
	tags, err := checkTags(in.Tagging.TagSet, maxBucketTags)
	if err != nil {
		return err
	}
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Tags = tags
		return nil
	})
}

// DeleteBucketTagging removes a bucket's tags.
func (s *Service) DeleteBucketTagging(ctx context.Context, in *s3api.DeleteBucketTaggingRequest) error {
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Tags = nil
		return nil
	})
}

// tagCount is the x-amz-tagging-count of an answer, which is left out at 0.
func tagCount(o *object) *int64 {
	if len(o.Tags) == 0 {
		return nil
	}
	return wire.Ptr(int64(len(o.Tags)))
}
