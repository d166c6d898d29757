package s3

import (
	"context"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// UploadPart stores one part, in place of an earlier one of its number.
func (s *Service) UploadPart(ctx context.Context, in *s3api.UploadPartRequest) (*s3api.UploadPartOutput, error) {
	_ = in.ContentLength // the body is here already
	if *in.PartNumber < 1 || *in.PartNumber > maxParts {
		return nil, invalidArgument("Part number must be an integer between 1 and 10000, inclusive")
	}
	var b *bucket
	find := func(r store.ReadTx) (_ *upload, err error) {
		b, err = getBucket(r, account(ctx), *in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return nil, err
		}
		return getUpload(r, b, *in.Key, *in.UploadId)
	}
	var u *upload
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		u, err = find(r)
		return err
	})
	if err == nil && u.Sealed != nil {
		_, err = s.use(ctx, b, u.Key, u.Sealed.Key, u.Sealed, "GenerateDataKey")
	}
	if err != nil {
		return nil, err
	}
	p := &uploaded{Number: *in.PartNumber, Modified: s.now()}
	if p.Checksum, err = u.verify(in); err != nil {
		return nil, err
	}
	p.ETag = u.Sealed.etag(in.Body)
	files, err := s.blobs.write(in.Body)
	if err != nil {
		return nil, err
	}
	if len(files) > 0 {
		p.Blob = files[0]
	}
	if err := s.replacePart(ctx, p, find); err != nil {
		return nil, err
	}
	out := &s3api.UploadPartOutput{
		ETag: wire.Ptr(`"` + p.ETag + `"`), ServerSideEncryption: u.Sealed.algorithm(), SSEKMSKeyId: u.Sealed.key(), BucketKeyEnabled: u.Sealed.bucketKey(),
	}
	sum := p.Checksum.sums()
	out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME, out.ChecksumSHA1 = sum.crc32, sum.crc32c, sum.crc64nvme, sum.sha1
	out.ChecksumSHA256, out.ChecksumSHA512, out.ChecksumMD5 = sum.sha256, sum.sha512, sum.md5
	return out, nil
}

// verify checks a part's body; its checksum is of the upload's algorithm if
// the client chose one.
func (u *upload) verify(in *s3api.UploadPartRequest) (checksum, error) {
	wanted := in.ChecksumAlgorithm
	if wanted == nil {
		wanted = &u.Algorithm
	}
	client := sums{in.ChecksumCRC32, in.ChecksumCRC32C, in.ChecksumCRC64NVME, in.ChecksumSHA1, in.ChecksumSHA256, in.ChecksumSHA512, in.ChecksumMD5}
	sum, err := verify(client, in.Body, in.ContentMD5, wanted)
	if err == nil && u.Asked && sum.Algorithm != u.Algorithm {
		err = failure(http.StatusBadRequest, "InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: "+
			strings.ToLower(u.Algorithm)+", actual checksum Type: "+strings.ToLower(sum.Algorithm))
	}
	return sum, err
}

// replacePart records a part whose bytes are written, and removes the file of
// the part that it replaces, or its own if the upload has gone.
func (s *Service) replacePart(ctx context.Context, p *uploaded, find func(store.ReadTx) (*upload, error)) error {
	var garbage []blob
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		garbage = nil
		u, err := find(tx)
		if err != nil {
			return err
		}
		old, err := parts.Get(tx, u.ID, partID(p.Number))
		if err != nil {
			return err
		}
		if old != nil {
			garbage = []blob{old.Blob}
		}
		return parts.Put(tx, p, u.ID, partID(p.Number))
	})
	if err != nil {
		garbage = []blob{p.Blob}
	}
	s.blobs.remove(garbage)
	return err
}

// ListParts lists the parts of an upload.
func (s *Service) ListParts(ctx context.Context, in *s3api.ListPartsRequest) (*s3api.ListPartsOutput, error) {
	l, err := newListing(nil, nil, in.MaxParts)
	if err != nil {
		return nil, err
	}
	marker := wire.Val(in.PartNumberMarker)
	out := &s3api.ListPartsOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, MaxParts: wire.Ptr(int64(l.limit)), PartNumberMarker: &marker,
		Owner: owner(account(ctx)), Initiator: &s3api.Initiator{ID: wire.Ptr(canonicalID(account(ctx)))},
	}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		b, err := getBucket(r, account(ctx), *in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		u, err := getUpload(r, b, *in.Key, *in.UploadId)
		if err != nil {
			return err
		}
		out.StorageClass = (&object{about: u.about}).class()
		out.ChecksumAlgorithm, out.ChecksumType = &u.Algorithm, &u.Type
		out.Parts, out.IsTruncated = nil, wire.Ptr(false)
		for p, err := range parts.After(r, partID(marker), u.ID) {
			if err != nil {
				return err
			}
			if len(out.Parts) == l.limit {
				out.IsTruncated = wire.Ptr(true)
				return nil
			}
			item := s3api.Part{PartNumber: &p.Number, LastModified: &p.Modified, ETag: wire.Ptr(`"` + p.ETag + `"`), Size: &p.Blob.Size}
			sum := p.Checksum.sums()
			item.ChecksumCRC32, item.ChecksumCRC32C, item.ChecksumCRC64NVME, item.ChecksumSHA1 = sum.crc32, sum.crc32c, sum.crc64nvme, sum.sha1
			item.ChecksumSHA256, item.ChecksumSHA512, item.ChecksumMD5 = sum.sha256, sum.sha512, sum.md5
			out.Parts, out.NextPartNumberMarker = append(out.Parts, item), &p.Number
		}
		return nil
	})
	return out, err
}
