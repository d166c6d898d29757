package s3

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
)

// Keys are the keys of KMS that objects have.
type Keys interface {
	// Use reports whether the context's caller may do the actions, such as
	// "GenerateDataKey", with a key under an encryption context, and returns the
	// key's ARN. An id or alias means a key of the account. What KMS refuses is a
	// *wire.Error with its code.
	Use(ctx context.Context, account, key string, about map[string]string, actions ...string) (keyARN string, err error)
}

// managedKey is the alias of the key that AWS manages for S3.
const managedKey = "alias/aws/s3"

// sealed says which key of KMS an object is encrypted with; nil stands for
// S3's own. The bytes are in their files as they are: whoever owns the data
// directory holds all keys.
type sealed struct {
	Algorithm string            // aws:kms or aws:kms:dsse
	Key       string            // ARN
	Context   map[string]string `json:",omitzero"` // as the uploader gave it
	BucketKey bool              `json:",omitzero"`
}

// sealing is what the headers of a request say of an object's encryption.
type sealing struct {
	algorithm, key, context *string
	bucketKey               *bool
}

func (h *sealing) check() error {
	switch algorithm := wire.Val(h.algorithm); algorithm {
	case "", s3api.ServerSideEncryptionAES256:
		if h.key != nil || h.context != nil {
			return invalidArgument("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
	case s3api.ServerSideEncryptionAwsKms, s3api.ServerSideEncryptionAwsKmsDsse:
	default:
		return wire.NotBuilt("server-side encryption with %s", algorithm)
	}
	return nil
}

// sealing is what the bucket's default encryption adds to headers.
func (b *bucket) sealing(h sealing) sealing {
	if h.algorithm == nil && b.Encryption != nil {
		h.algorithm, h.key = b.Encryption.SSEAlgorithm, b.Encryption.KMSMasterKeyID
	}
	if h.bucketKey == nil {
		h.bucketKey = &b.BucketKey
	}
	return h
}

// seal finds the key that a new object is encrypted with, which the caller must
// be allowed to use for the actions (User Guide: "Using server-side encryption
// with AWS KMS keys").
func (s *Service) seal(ctx context.Context, b *bucket, key string, h sealing, actions ...string) (*sealed, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	h = b.sealing(h)
	if algorithm := wire.Val(h.algorithm); algorithm == "" || algorithm == s3api.ServerSideEncryptionAES256 {
		return nil, nil
	}
	given, err := readContext(h.context)
	if err != nil {
		return nil, err
	}
	k := &sealed{Algorithm: *h.algorithm, Context: given, BucketKey: *h.bucketKey && *h.algorithm == s3api.ServerSideEncryptionAwsKms}
	name := wire.Val(h.key)
	if name == "" {
		name = managedKey
	}
	k.Key, err = s.use(ctx, b, key, name, k, actions...)
	return k, err
}

// readContext reads an encryption context as its header holds it.
func readContext(header *string) (given map[string]string, err error) {
	if header == nil {
		return nil, nil
	}
	text, err := base64.StdEncoding.DecodeString(*header)
	if err == nil {
		err = json.Unmarshal(text, &given)
	}
	if err != nil {
		return nil, invalidArgument("The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map")
	}
	return given, nil
}

// open reports whether the caller may decrypt an object.
func (s *Service) open(ctx context.Context, b *bucket, o *object) error {
	if o.Sealed == nil {
		return nil
	}
	_, err := s.use(ctx, b, o.Key, o.Sealed.Key, o.Sealed, "Decrypt")
	return err
}

// use asks for an object's key, in the bucket's region.
func (s *Service) use(ctx context.Context, b *bucket, objectKey, name string, k *sealed, actions ...string) (keyARN string, err error) {
	caller := *wire.CallerFrom(ctx)
	if caller.ARN == "" {
		return "", invalidArgument("Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.")
	}
	caller.Region = b.Region
	about := map[string]string{"aws:s3:arn": "arn:aws:s3:::" + b.Name + "/" + objectKey}
	if k.BucketKey {
		about["aws:s3:arn"] = "arn:aws:s3:::" + b.Name
	}
	maps.Copy(about, k.Context)
	keyARN, err = s.Keys.Use(wire.WithCaller(ctx, &caller), b.Account, name, about, actions...)
	return keyARN, keyError(err)
}

// keyError is S3's error for one of KMS's.
func keyError(err error) error {
	refused, ok := errors.AsType[*wire.Error](err)
	switch {
	case !ok:
		return err
	case refused.Code == "AccessDeniedException":
		return &s3api.AccessDenied{Message: &refused.Message}
	}
	return failure(http.StatusBadRequest, "KMS."+refused.Code, refused.Message)
}

// The headers of answers that tell of an object's encryption.

func (k *sealed) algorithm() *string {
	if k == nil {
		return wire.Ptr(s3api.ServerSideEncryptionAES256)
	}
	return &k.Algorithm
}

func (k *sealed) key() *string {
	if k == nil {
		return nil
	}
	return &k.Key
}

func (k *sealed) bucketKey() *bool {
	if k == nil || !k.BucketKey {
		return nil
	}
	return &k.BucketKey
}

// context is the encryption context that the uploader gave.
func (k *sealed) context() *string {
	if k == nil || len(k.Context) == 0 {
		return nil
	}
	text, err := json.Marshal(k.Context, json.Deterministic(true))
	if err != nil {
		return nil // can't happen: it was read from JSON
	}
	return wire.Ptr(base64.StdEncoding.EncodeToString(text))
}

// etag is the ETag of bytes: their MD5, but of those that are encrypted with KMS,
// of which S3 doesn't tell that (API Reference: Object).
func (k *sealed) etag(body []byte) string {
	if k != nil {
		return ident.Hex(md5.Size)
	}
	digest := md5.Sum(body)
	return hex.EncodeToString(digest[:])
}
