package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// GetObject returns an object or a range of it.
func (s *Service) GetObject(ctx context.Context, in *s3api.GetObjectRequest) (*s3api.GetObjectOutput, error) {
	var out s3api.GetObjectOutput
	err := s.withObject(func() error {
		b, o, err := s.find(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		if err := (readConditions{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince}).check(o); err != nil {
			return err
		}
		span, err := o.choose(in.Range, in.PartNumber)
		if err != nil {
			return err
		}
		if err := s.open(ctx, b, o); err != nil {
			return err
		}
		data, err := s.blobs.read(o.Blobs, span.from, span.length)
		if err != nil {
			return err
		}
		head := o.describe(b, span, in.ChecksumMode)
		overrides{in.ResponseCacheControl, in.ResponseContentDisposition, in.ResponseContentEncoding, in.ResponseContentLanguage, in.ResponseContentType}.apply(head)
		out = s3api.GetObjectOutput{Body: data}
		copyMembers(&out, head)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// withObject runs a read again when the object's file has gone since its
// record was read: then there is a newer record.
func (s *Service) withObject(read func() error) error {
	err := read()
	for tries := 0; errors.Is(err, fs.ErrNotExist) && tries < 3; tries++ {
		err = read()
	}
	return err
}

// ReadObject returns the bytes of an object on behalf of an account; an empty
// version is the newest. The context's caller must be allowed its key. It fails with *s3api.NoSuchBucket, *s3api.NoSuchKey,
// *s3api.AccessDenied or a *wire.Error of code NoSuchVersion.
func (s *Service) ReadObject(ctx context.Context, account, bucketName, key, version string) (data []byte, err error) {
	var wanted *string
	if version != "" {
		wanted = &version
	}
	err = s.withObject(func() error {
		var b *bucket
		var o *object
		err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
			b, err = getBucket(r, account, bucketName, &account)
			if err != nil {
				return err
			}
			o, err = getObject(r, b, key, wanted)
			return err
		})
		if err == nil {
			err = s.open(ctx, b, o)
		}
		if err != nil {
			return err
		}
		data, err = s.blobs.read(o.Blobs, 0, o.Size)
		return err
	})
	return data, err
}

// HeadObject is GetObject without the bytes.
func (s *Service) HeadObject(ctx context.Context, in *s3api.HeadObjectRequest) (*s3api.HeadObjectOutput, error) {
	b, o, err := s.find(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := (readConditions{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince}).check(o); err != nil {
		return nil, err
	}
	span, err := o.choose(in.Range, in.PartNumber)
	if err == nil && wire.Val(in.ChecksumMode) == s3api.ChecksumModeENABLED {
		err = s.open(ctx, b, o) // S3 keeps checksums encrypted, too
	}
	if err != nil {
		return nil, err
	}
	out := o.describe(b, span, in.ChecksumMode)
	overrides{in.ResponseCacheControl, in.ResponseContentDisposition, in.ResponseContentEncoding, in.ResponseContentLanguage, in.ResponseContentType}.apply(out)
	return out, nil
}

// span is the part of an object that is asked for.
type span struct {
	from, length int64
	partial      bool
}

// choose finds what a range or a part number asks for.
func (o *object) choose(header *string, part *int64) (span, error) {
	whole := span{length: o.Size}
	if part != nil {
		switch {
		case header != nil:
			return span{}, failure(http.StatusBadRequest, "InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
		case *part > int64(max(o.Parts, 1)):
			return span{}, failure(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable")
		case o.Parts == 0:
			whole.partial = o.Size > 0
			return whole, nil
		}
		out := span{partial: true, length: o.Blobs[*part-1].Size}
		for _, b := range o.Blobs[:*part-1] {
			out.from += b.Size
		}
		return out, nil
	}
	if header == nil {
		return whole, nil
	}
	from, to, ok := parseRange(*header, o.Size)
	switch {
	case !ok:
		return whole, nil // RFC 9110: what can't be read is ignored
	case from > to:
		return span{}, failure(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	}
	return span{from, to - from + 1, true}, nil
}

// parseRange reads a single byte range; from > to if it lies outside.
func parseRange(header string, size int64) (from, to int64, ok bool) {
	text, found := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(text, "-")
	if !found || !dash {
		return 0, 0, false
	}
	if first == "" { // the last bytes
		n, err := strconv.ParseInt(last, 10, 64)
		if n == 0 {
			return 1, 0, err == nil
		}
		return max(size-n, 0), size - 1, err == nil && n > 0
	}
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil || from < 0 {
		return 0, 0, false
	}
	to = size - 1
	if last != "" {
		end, err := strconv.ParseInt(last, 10, 64)
		if err != nil || end < from {
			return 0, 0, false
		}
		to = min(end, to)
	}
	return from, to, true
}

// describe is what HeadObject and GetObject say about an object.
func (o *object) describe(b *bucket, part span, checksumMode *string) *s3api.HeadObjectOutput {
	out := &s3api.HeadObjectOutput{
		AcceptRanges: wire.Ptr("bytes"), LastModified: &o.Modified, ContentLength: &part.length, ETag: o.etag(),
		VersionId: o.versionID(b), CacheControl: o.CacheControl, ContentDisposition: o.ContentDisposition,
		ContentEncoding: o.ContentEncoding, ContentLanguage: o.ContentLanguage, ContentType: o.ContentType,
		Expires: o.Expires, ServerSideEncryption: o.Sealed.algorithm(), SSEKMSKeyId: o.Sealed.key(), BucketKeyEnabled: o.Sealed.bucketKey(),
		Metadata: o.Metadata, TagCount: tagCount(o),
	}
	if out.ContentType == nil {
		out.ContentType = wire.Ptr("binary/octet-stream")
	}
	if o.StorageClass != "" {
		out.StorageClass = &o.StorageClass
	}
	if o.Parts > 0 && part.partial {
		out.PartsCount = wire.Ptr(int64(o.Parts))
	}
	if part.partial {
		out.ContentRange = wire.Ptr(fmt.Sprintf("bytes %d-%d/%d", part.from, part.from+part.length-1, o.Size))
	} else if wire.Val(checksumMode) == s3api.ChecksumModeENABLED {
		sum := o.Checksum.sums()
		out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME, out.ChecksumSHA1 = sum.crc32, sum.crc32c, sum.crc64nvme, sum.sha1
		out.ChecksumSHA256, out.ChecksumSHA512, out.ChecksumMD5 = sum.sha256, sum.sha512, sum.md5
		out.ChecksumType = o.Checksum.kind()
	}
	return out
}

// copyMembers sets the members of dst that src has under the same name.
func copyMembers(dst, src any) {
	to, from := reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem()
	for i := range from.NumField() {
		if f := to.FieldByName(from.Type().Field(i).Name); f.IsValid() && !from.Field(i).IsNil() {
			f.Set(from.Field(i))
		}
	}
}

// overrides are the response-… parameters by which a reader chooses headers
// of the answer.
type overrides struct {
	cacheControl, contentDisposition, contentEncoding, contentLanguage, contentType *string
}

func (v overrides) apply(out *s3api.HeadObjectOutput) {
	out.CacheControl = cmp.Or(v.cacheControl, out.CacheControl)
	out.ContentDisposition = cmp.Or(v.contentDisposition, out.ContentDisposition)
	out.ContentEncoding = cmp.Or(v.contentEncoding, out.ContentEncoding)
	out.ContentLanguage = cmp.Or(v.contentLanguage, out.ContentLanguage)
	out.ContentType = cmp.Or(v.contentType, out.ContentType)
}
