package s3

import (
	"context"
	"fmt"
	"net/http"
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
		u.Tags, err = headerTags(in.Tagging)
	}
	if err == nil {
		err = u.chooseChecksum(in.ChecksumAlgorithm, in.ChecksumType)
	}
	if err != nil {
		return nil, err
	}
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err == nil {
		header := sealing{in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled}
		u.Sealed, err = s.seal(ctx, b, u.Key, header, "GenerateDataKey", "Decrypt")
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
		Bucket: in.Bucket, Key: in.Key, UploadId: &u.ID, ServerSideEncryption: u.Sealed.algorithm(), SSEKMSKeyId: u.Sealed.key(),
		SSEKMSEncryptionContext: u.Sealed.context(), BucketKeyEnabled: u.Sealed.bucketKey(),
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
