package s3

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// CompleteMultipartUpload makes an object of the parts.
func (s *Service) CompleteMultipartUpload(ctx context.Context, in *s3api.CompleteMultipartUploadRequest) (*s3api.CompleteMultipartUploadOutput, error) {
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return nil, failure(http.StatusBadRequest, "InvalidRequest", "You must specify at least one part")
	}
	// The parts are read for the checksum outside the transaction that makes
	// them an object, which then finds them unchanged or fails.
	var b *bucket
	var o *object
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		found, u, chosen, err := s.completion(ctx, r, in)
		if err == nil {
			b = found
			o, err = s.join(u, chosen, in)
		}
		return err
	})
	if err == nil {
		err = s.open(ctx, b, o)
	}
	if err != nil {
		return nil, err
	}
	var garbage []blob
	var made []*notice
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		var u *upload
		var chosen []*uploaded
		if b, u, chosen, err = s.completion(ctx, tx, in); err != nil {
			return err
		}
		if !slices.Equal(filesOf(chosen), o.Blobs) {
			return invalidPart()
		}
		if garbage, err = s.insert(tx, b, o, condition{in.IfMatch, in.IfNoneMatch}); err != nil {
			return err
		}
		if made, err = s.tell(ctx, tx, b, &eventMultipart, o); err != nil {
			return err
		}
		files, err := u.remove(tx, b)
		garbage = append(garbage, without(files, o.Blobs)...)
		return err
	})
	s.enqueue(err, made)
	if err != nil {
		return nil, err
	}
	s.blobs.remove(garbage)
	out := &s3api.CompleteMultipartUploadOutput{
		Location: wire.Ptr(wire.CallerFrom(ctx).Endpoint + "/" + b.Name + "/" + o.Key), Bucket: in.Bucket, Key: in.Key, ETag: o.etag(),
		VersionId: o.versionID(b), ServerSideEncryption: o.Sealed.algorithm(), SSEKMSKeyId: o.Sealed.key(), BucketKeyEnabled: o.Sealed.bucketKey(),
	}
	sum := o.Checksum.sums()
	out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME, out.ChecksumSHA1 = sum.crc32, sum.crc32c, sum.crc64nvme, sum.sha1
	out.ChecksumSHA256, out.ChecksumSHA512, out.ChecksumMD5 = sum.sha256, sum.sha512, sum.md5
	out.ChecksumType = o.Checksum.kind()
	return out, nil
}

// completion finds what CompleteMultipartUpload is about.
func (s *Service) completion(ctx context.Context, r store.ReadTx, in *s3api.CompleteMultipartUploadRequest) (*bucket, *upload, []*uploaded, error) {
	b, err := getBucket(r, account(ctx), *in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, nil, nil, err
	}
	u, err := getUpload(r, b, *in.Key, *in.UploadId)
	if err != nil {
		return nil, nil, nil, err
	}
	chosen, err := u.choose(r, in.MultipartUpload.Parts)
	return b, u, chosen, err
}

// filesOf returns the files of parts; an empty part has none.
func filesOf(chosen []*uploaded) (out []blob) {
	for _, p := range chosen {
		if p.Blob.Name != "" {
			out = append(out, p.Blob)
		}
	}
	return out
}

func invalidPart() error {
	return failure(http.StatusBadRequest, "InvalidPart",
		"One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
}

// choose finds the parts that the client lists.
func (u *upload) choose(r store.ReadTx, listed []s3api.CompletedPart) ([]*uploaded, error) {
	if !slices.IsSortedFunc(listed, func(a, b s3api.CompletedPart) int {
		return cmp.Or(cmp.Compare(wire.Val(a.PartNumber), wire.Val(b.PartNumber)), -1) // none may come twice
	}) {
		return nil, failure(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
	}
	var out []*uploaded
	for i, want := range listed {
		p, err := parts.Get(r, u.ID, partID(wire.Val(want.PartNumber)))
		if err != nil {
			return nil, err
		}
		a, value := sums{want.ChecksumCRC32, want.ChecksumCRC32C, want.ChecksumCRC64NVME, want.ChecksumSHA1, want.ChecksumSHA256, want.ChecksumSHA512, want.ChecksumMD5}.given()
		if p == nil || !sameETag(wire.Val(want.ETag), p.ETag) || value != "" && (a.name != p.Checksum.Algorithm || value != p.Checksum.Value) {
			return nil, invalidPart()
		}
		if i < len(listed)-1 && p.Blob.Size < minPartSize {
			return nil, failure(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		out = append(out, p)
	}
	return out, nil
}

// join makes the object of an upload from its parts.
func (s *Service) join(u *upload, chosen []*uploaded, in *s3api.CompleteMultipartUploadRequest) (*object, error) {
	o := &object{Key: u.Key, Version: newVersionID(), Modified: s.now(), Blobs: filesOf(chosen), Tags: u.Tags, about: u.about}
	o.Parts = len(o.Blobs)
	digest := md5.New()
	var values []string
	for _, p := range chosen {
		raw, err := hex.DecodeString(p.ETag)
		if err != nil {
			return nil, err
		}
		digest.Write(raw)
		values = append(values, p.Checksum.Value)
		o.Size += p.Blob.Size
	}
	o.ETag = hex.EncodeToString(digest.Sum(nil)) + "-" + strconv.Itoa(len(chosen))
	if in.MpuObjectSize != nil && *in.MpuObjectSize != o.Size {
		return nil, failure(http.StatusBadRequest, "InvalidRequest", "The provided 'x-amz-mp-object-size' header value "+
			strconv.FormatInt(*in.MpuObjectSize, 10)+" does not match what was computed: "+strconv.FormatInt(o.Size, 10))
	}
	a, err := findAlgorithm(u.Algorithm)
	if err != nil {
		return nil, err
	}
	if u.Type == s3api.ChecksumTypeCOMPOSITE {
		o.Checksum, err = compose(a, values)
	} else {
		o.Checksum, err = s.sumOf(a, o.Blobs)
	}
	if err != nil {
		return nil, err
	}
	if kind := wire.Val(in.ChecksumType); kind != "" && kind != u.Type {
		return nil, failure(http.StatusBadRequest, "InvalidRequest", "The upload was created using the "+u.Type+" checksum mode. The complete request must use the same checksum mode.")
	}
	if _, value := (sums{in.ChecksumCRC32, in.ChecksumCRC32C, in.ChecksumCRC64NVME, in.ChecksumSHA1, in.ChecksumSHA256, in.ChecksumSHA512, in.ChecksumMD5}).given(); value != "" && value != o.Checksum.Value {
		return nil, failure(http.StatusBadRequest, "BadDigest", "The "+a.name+" you specified did not match the calculated checksum.")
	}
	return o, nil
}

// sumOf is the checksum over all bytes of the files in a row.
func (s *Service) sumOf(a algorithm, files []blob) (checksum, error) {
	h := a.hash()
	for _, f := range files {
		data, err := s.blobs.read([]blob{f}, 0, f.Size)
		if err != nil {
			return checksum{}, err
		}
		h.Write(data)
	}
	return checksum{a.name, encodeSum(h), s3api.ChecksumTypeFULLOBJECT}, nil
}

// without returns the files of list that aren't kept.
func without(list, kept []blob) (out []blob) {
	keep := make(map[string]bool, len(kept))
	for _, b := range kept {
		keep[b.Name] = true
	}
	for _, b := range list {
		if !keep[b.Name] {
			out = append(out, b)
		}
	}
	return out
}
