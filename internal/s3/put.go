package s3

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// PutObject stores an object. It is durable when the answer leaves.
func (s *Service) PutObject(ctx context.Context, in *s3api.PutObjectRequest) (*s3api.PutObjectOutput, error) {
	_ = in.ContentLength // the body is here already
	o := &object{Key: *in.Key, Version: newVersionID(), Modified: s.now(), Size: int64(len(in.Body)), about: about{
		ContentType: in.ContentType, CacheControl: in.CacheControl, ContentDisposition: in.ContentDisposition,
		ContentEncoding: realEncoding(in.ContentEncoding), ContentLanguage: in.ContentLanguage, Expires: in.Expires,
		Metadata: in.Metadata, StorageClass: wire.Val(in.StorageClass),
	}}
	err := o.check(o.Key)
	if err == nil {
		o.Tags, err = headerTags(in.Tagging)
	}
	if err == nil {
		o.Checksum, err = verify(sums{in.ChecksumCRC32, in.ChecksumCRC32C, in.ChecksumCRC64NVME, in.ChecksumSHA1, in.ChecksumSHA256, in.ChecksumSHA512, in.ChecksumMD5},
			in.Body, in.ContentMD5, in.ChecksumAlgorithm)
	}
	if err != nil {
		return nil, err
	}
	// Fail before the bytes are written where that is likely.
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err == nil {
		err = b.checkACL(in.ACL)
	}
	if err == nil {
		o.Sealed, err = s.seal(ctx, b, o.Key, sealing{in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled}, "GenerateDataKey")
	}
	if err != nil {
		return nil, err
	}
	o.ETag = o.Sealed.etag(in.Body)
	if o.Blobs, err = s.blobs.write(in.Body); err != nil {
		return nil, err
	}
	if b, err = s.commit(ctx, in.Bucket, in.ExpectedBucketOwner, o, condition{in.IfMatch, in.IfNoneMatch}, &eventPut); err != nil {
		return nil, err
	}
	out := &s3api.PutObjectOutput{
		ETag: o.etag(), VersionId: o.versionID(b), ServerSideEncryption: o.Sealed.algorithm(), SSEKMSKeyId: o.Sealed.key(),
		SSEKMSEncryptionContext: o.Sealed.context(), BucketKeyEnabled: o.Sealed.bucketKey(),
	}
	sum := o.Checksum.sums()
	out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME, out.ChecksumSHA1 = sum.crc32, sum.crc32c, sum.crc64nvme, sum.sha1
	out.ChecksumSHA256, out.ChecksumSHA512, out.ChecksumMD5 = sum.sha256, sum.sha512, sum.md5
	out.ChecksumType = o.Checksum.kind()
	return out, nil
}

// commit makes o, whose bytes are written, the newest version of its key, tells
// of that, and removes the files of whichever version lost.
func (s *Service) commit(ctx context.Context, name, expectedOwner *string, o *object, when condition, k *kind) (b *bucket, err error) {
	var garbage []blob
	var made []*notice
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		if b, err = getBucket(tx, account(ctx), *name, expectedOwner); err != nil {
			return err
		}
		if garbage, err = s.insert(tx, b, o, when); err != nil {
			return err
		}
		made, err = s.tell(ctx, tx, b, k, o)
		return err
	})
	s.enqueue(err, made)
	if err != nil {
		garbage = o.Blobs
	}
	s.blobs.remove(garbage)
	return b, err
}

// checkACL accepts ACLs that give nothing to others.
func (b *bucket) checkACL(acl *string) error {
	enforced := b.Ownership == s3api.ObjectOwnershipBucketOwnerEnforced
	switch {
	case acl == nil || *acl == s3api.ObjectCannedACLBucketOwnerFullControl, !enforced && *acl == s3api.ObjectCannedACLPrivate:
		return nil
	case enforced:
		return failure(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
	}
	return wire.NotBuilt("object ACL %s", *acl)
}

// copySource is what the x-amz-copy-source header names.
type copySource struct {
	bucket, key string
	version     *string
}

func parseCopySource(header string) (src copySource, err error) {
	path, query, _ := strings.Cut(header, "?")
	path, err = url.PathUnescape(strings.TrimPrefix(path, "/"))
	if err != nil {
		return src, invalidArgument("Invalid copy source encoding.")
	}
	var ok bool
	if src.bucket, src.key, ok = strings.Cut(path, "/"); !ok || src.key == "" {
		return src, invalidArgument("Invalid copy source object key")
	}
	if version, ok := strings.CutPrefix(query, "versionId="); ok {
		src.version = &version
	}
	return src, nil
}

// CopyObject copies an object under a new key or with new metadata.
func (s *Service) CopyObject(ctx context.Context, in *s3api.CopyObjectRequest) (*s3api.CopyObjectOutput, error) {
	src, err := parseCopySource(*in.CopySource)
	if err != nil {
		return nil, err
	}
	from, old, err := s.find(ctx, &src.bucket, &src.key, src.version, in.ExpectedSourceBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := copyable(in, old); err != nil {
		return nil, err
	}
	o, err := s.copyOf(in, old)
	if err != nil {
		return nil, err
	}
	if src.bucket == *in.Bucket && src.key == *in.Key && src.version == nil && sameObject(in, o, old) {
		return nil, failure(http.StatusBadRequest, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	if err := s.open(ctx, from, old); err != nil {
		return nil, err
	}
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err == nil {
		err = b.checkACL(in.ACL)
	}
	if err == nil {
		o.Sealed, err = s.seal(ctx, b, o.Key, sealing{in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled}, "GenerateDataKey")
	}
	if err == nil {
		o.Blobs, err = s.blobs.clone(old.Blobs)
	}
	if err == nil {
		b, err = s.commit(ctx, in.Bucket, in.ExpectedBucketOwner, o, condition{in.IfMatch, in.IfNoneMatch}, &eventCopy)
	}
	if err != nil {
		return nil, err
	}
	result := &s3api.CopyObjectResult{ETag: o.etag(), LastModified: &o.Modified}
	sum := o.Checksum.sums()
	result.ChecksumCRC32, result.ChecksumCRC32C, result.ChecksumCRC64NVME, result.ChecksumSHA1 = sum.crc32, sum.crc32c, sum.crc64nvme, sum.sha1
	result.ChecksumSHA256, result.ChecksumSHA512, result.ChecksumMD5 = sum.sha256, sum.sha512, sum.md5
	result.ChecksumType = o.Checksum.kind()
	return &s3api.CopyObjectOutput{
		CopyObjectResult: result, VersionId: o.versionID(b), CopySourceVersionId: old.versionID(from),
		ServerSideEncryption: o.Sealed.algorithm(), SSEKMSKeyId: o.Sealed.key(), SSEKMSEncryptionContext: o.Sealed.context(), BucketKeyEnabled: o.Sealed.bucketKey(),
	}, nil
}

// copyable checks the conditions on the source; failing any is a 412.
func copyable(in *s3api.CopyObjectRequest, old *object) error {
	err := readConditions{in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince}.check(old)
	if err != nil {
		return preconditionFailed()
	}
	return nil
}

// copyOf is the new object without its bytes.
func (s *Service) copyOf(in *s3api.CopyObjectRequest, old *object) (*object, error) {
	o := &object{
		Key: *in.Key, Version: newVersionID(), Modified: s.now(), Size: old.Size, ETag: old.ETag, Parts: old.Parts,
		Checksum: old.Checksum, Tags: old.Tags, about: old.about,
	}
	o.StorageClass = wire.Val(in.StorageClass) // which isn't copied
	if in.ChecksumAlgorithm != nil && *in.ChecksumAlgorithm != old.Checksum.Algorithm {
		a, err := findAlgorithm(*in.ChecksumAlgorithm)
		if err != nil {
			return nil, err
		}
		data, err := s.blobs.read(old.Blobs, 0, old.Size)
		if err != nil {
			return nil, err
		}
		o.Checksum = checksum{a.name, a.sum(data), s3api.ChecksumTypeFULLOBJECT}
	}
	if wire.Val(in.MetadataDirective) == s3api.MetadataDirectiveREPLACE {
		o.about = about{
			ContentType: in.ContentType, CacheControl: in.CacheControl, ContentDisposition: in.ContentDisposition,
			ContentEncoding: realEncoding(in.ContentEncoding), ContentLanguage: in.ContentLanguage, Expires: in.Expires,
			Metadata: in.Metadata, StorageClass: o.StorageClass,
		}
	}
	if wire.Val(in.TaggingDirective) == s3api.TaggingDirectiveREPLACE {
		var err error
		if o.Tags, err = headerTags(in.Tagging); err != nil {
			return nil, err
		}
	}
	return o, o.check(o.Key)
}

func sameObject(in *s3api.CopyObjectRequest, o, old *object) bool {
	return wire.Val(in.MetadataDirective) != s3api.MetadataDirectiveREPLACE && o.StorageClass == old.StorageClass && in.ServerSideEncryption == nil
}

// readConditions are the conditions of a read (RFC 9110).
type readConditions struct {
	ifMatch, ifNoneMatch               *string
	ifModifiedSince, ifUnmodifiedSince *time.Time
}

// check returns nil, PreconditionFailed or NotModified. A condition on the
// ETag outranks the one on the time that asks the same.
func (c readConditions) check(o *object) error {
	switch {
	case c.ifMatch != nil && !sameETag(*c.ifMatch, o.ETag),
		c.ifMatch == nil && c.ifUnmodifiedSince != nil && o.Modified.After(*c.ifUnmodifiedSince):
		return preconditionFailed()
	case c.ifNoneMatch != nil && sameETag(*c.ifNoneMatch, o.ETag),
		c.ifNoneMatch == nil && c.ifModifiedSince != nil && !o.Modified.After(*c.ifModifiedSince):
		return failure(http.StatusNotModified, "NotModified", "Not Modified")
	}
	return nil
}
