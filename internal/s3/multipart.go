package s3

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// upload is a multipart upload that goes on.
type upload struct {
	ID        string
	Key       string
	Initiated time.Time
	Algorithm string
	Asked     bool        // for the algorithm, which parts then must use
	Type      string      // of the checksum of the object it becomes
	Tags      []s3api.Tag `json:",omitzero"`
	about
}

// uploaded is a part of one. Parts are never empty but for a sole one.
type uploaded struct {
	Number   int64
	Modified time.Time
	Blob     blob
	ETag     string // without its quotes
	Checksum checksum
}

// Limits of multipart uploads (S3 User Guide).
const (
	maxParts    = 10_000
	minPartSize = 5 << 20 // but for the last
)

func (u *upload) put(tx store.Tx, b *bucket) error { return uploads.Put(tx, u, b.ID, u.Key, u.ID) }

// remove deletes an upload and its parts, and returns the parts' files.
func (u *upload) remove(tx store.Tx, b *bucket) (files []blob, err error) {
	all, err := parts.List(tx, u.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		files = append(files, p.Blob)
	}
	if err := parts.DeleteAll(tx, u.ID); err != nil {
		return nil, err
	}
	return files, uploads.Delete(tx, b.ID, u.Key, u.ID)
}

func partID(number int64) string { return fmt.Sprintf("%05d", number) }

func getUpload(r store.ReadTx, b *bucket, key, id string) (*upload, error) {
	u, err := uploads.Get(r, b.ID, key, id)
	if err == nil && u == nil {
		err = &s3api.NoSuchUpload{Message: wire.Ptr("The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")}
	}
	return u, err
}

// CreateMultipartUpload begins an upload in parts.
func (s *Service) CreateMultipartUpload(ctx context.Context, in *s3api.CreateMultipartUploadRequest) (*s3api.CreateMultipartUploadOutput, error) {
	u := &upload{ID: newVersionID(), Key: *in.Key, Initiated: s.now(), about: about{
		ContentType: in.ContentType, CacheControl: in.CacheControl, ContentDisposition: in.ContentDisposition,
		ContentEncoding: realEncoding(in.ContentEncoding), ContentLanguage: in.ContentLanguage, Expires: in.Expires,
		Metadata: in.Metadata, StorageClass: wire.Val(in.StorageClass),
	}}
	err := u.check(u.Key)
	if err == nil {
		err = checkEncryption(in.ServerSideEncryption)
	}
	if err == nil {
		u.Tags, err = headerTags(in.Tagging)
	}
	if err == nil {
		err = u.chooseChecksum(in.ChecksumAlgorithm, in.ChecksumType)
	}
	if err != nil {
		return nil, err
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		b, err := getBucket(tx, account(ctx), *in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		if err := b.checkACL(in.ACL); err != nil {
			return err
		}
		return u.put(tx, b)
	})
	if err != nil {
		return nil, err
	}
	out := &s3api.CreateMultipartUploadOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: &u.ID, ServerSideEncryption: wire.Ptr(s3api.ServerSideEncryptionAES256),
	}
	if in.ChecksumAlgorithm != nil {
		out.ChecksumAlgorithm, out.ChecksumType = &u.Algorithm, &u.Type
	}
	return out, nil
}

func (u *upload) chooseChecksum(name, kind *string) error {
	u.Algorithm, u.Type = defaultAlgorithm, s3api.ChecksumTypeFULLOBJECT
	if name == nil {
		if kind != nil {
			return failure(http.StatusBadRequest, "InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return nil
	}
	a, err := findAlgorithm(*name)
	if err != nil {
		return err
	}
	u.Algorithm, u.Asked = a.name, true
	if a.composite {
		u.Type = s3api.ChecksumTypeCOMPOSITE
	}
	if kind != nil {
		u.Type = *kind
	}
	if u.Type == s3api.ChecksumTypeCOMPOSITE && !a.composite || u.Type == s3api.ChecksumTypeFULLOBJECT && !a.full {
		return failure(http.StatusBadRequest, "InvalidRequest", "The "+u.Type+" checksum type cannot be used with the "+strings.ToLower(a.name)+" checksum algorithm.")
	}
	return nil
}

// CompleteMultipartUpload makes an object of the parts.
func (s *Service) CompleteMultipartUpload(ctx context.Context, in *s3api.CompleteMultipartUploadRequest) (*s3api.CompleteMultipartUploadOutput, error) {
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return nil, failure(http.StatusBadRequest, "InvalidRequest", "You must specify at least one part")
	}
	// The parts are read for the checksum outside the transaction that makes
	// them an object, which then finds them unchanged or fails.
	var o *object
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		_, u, chosen, err := s.completion(ctx, r, in)
		if err == nil {
			o, err = s.join(u, chosen, in)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var b *bucket
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
		VersionId: o.versionID(b), ServerSideEncryption: wire.Ptr(s3api.ServerSideEncryptionAES256),
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

// AbortMultipartUpload deletes an upload and its parts.
func (s *Service) AbortMultipartUpload(ctx context.Context, in *s3api.AbortMultipartUploadRequest) (*s3api.AbortMultipartUploadOutput, error) {
	var files []blob
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		b, err := getBucket(tx, account(ctx), *in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		u, err := getUpload(tx, b, *in.Key, *in.UploadId)
		if err != nil {
			return err
		}
		files, err = u.remove(tx, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.blobs.remove(files)
	return &s3api.AbortMultipartUploadOutput{}, nil
}
