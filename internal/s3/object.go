package s3

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// nullVersion is the version of objects that were put without versioning.
const nullVersion = "null"

// object is one version of an object, or a delete marker.
type object struct {
	Key      string
	Version  string
	Sequence uint64 // of the versions of a key, the newest has the highest
	Marker   bool   `json:",omitzero"`
	Modified time.Time
	Blobs    []blob `json:",omitzero"`
	Size     int64
	ETag     string // without its quotes
	Parts    int    `json:",omitzero"` // of a multipart upload: one blob each
	Checksum checksum
	Tags     []s3api.Tag `json:",omitzero"`
	about
}

// about is what the uploader says of an object and a reader gets back.
type about struct {
	ContentType        *string           `json:",omitzero"`
	CacheControl       *string           `json:",omitzero"`
	ContentDisposition *string           `json:",omitzero"`
	ContentEncoding    *string           `json:",omitzero"`
	ContentLanguage    *string           `json:",omitzero"`
	Expires            *string           `json:",omitzero"`
	Metadata           map[string]string `json:",omitzero"`
	StorageClass       string            `json:",omitzero"` // "" is STANDARD
	Sealed             *sealed           `json:",omitzero"` // nil: by S3's own key
}

const (
	maxKeyBytes      = 1024
	maxMetadataBytes = 2048
)

// check refuses what S3 refuses, and storage classes that would need a
// restore before they can be read.
func (a *about) check(key string) error {
	size := 0
	for name, value := range a.Metadata {
		size += len(name) + len(value)
	}
	switch {
	case len(key) > maxKeyBytes:
		return failure(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	case size > maxMetadataBytes:
		return failure(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	switch a.StorageClass {
	case "", s3api.StorageClassREDUCEDREDUNDANCY, s3api.StorageClassSTANDARDIA, s3api.StorageClassONEZONEIA,
		s3api.StorageClassINTELLIGENTTIERING, s3api.StorageClassGLACIERIR:
	case s3api.StorageClassSTANDARD:
		a.StorageClass = ""
	default:
		return wire.NotBuilt("storage class %s", a.StorageClass)
	}
	return nil
}

// realEncoding is a Content-Encoding without aws-chunked, which belongs to
// the transfer and not to the object.
func realEncoding(header *string) *string {
	var kept []string
	for item := range strings.SplitSeq(wire.Val(header), ",") {
		if item = strings.TrimSpace(item); item != "" && !strings.EqualFold(item, "aws-chunked") {
			kept = append(kept, item)
		}
	}
	if kept == nil {
		return nil
	}
	return wire.Ptr(strings.Join(kept, ","))
}

// etag is the ETag as S3 writes it.
func (o *object) etag() *string { return wire.Ptr(`"` + o.ETag + `"`) }

// versionID is the version id in answers; a bucket that never had versions
// shows none.
func (o *object) versionID(b *bucket) *string {
	if b.Versioning == "" {
		return nil
	}
	return &o.Version
}

func (o *object) id(b *bucket) []string {
	return []string{b.ID, o.Key, fmt.Sprintf("%016x", ^o.Sequence)} // newest first
}

func (o *object) put(tx store.Tx, b *bucket) error { return versions.Put(tx, o, o.id(b)...) }

// newest returns the newest version of a key, which may be a delete marker,
// or nil if there is none.
func newest(r store.ReadTx, b *bucket, key string) (*object, error) {
	for o, err := range versions.All(r, b.ID, key) {
		return o, err
	}
	return nil, nil
}

// findVersion returns a version of a key, or nil if there is none.
func findVersion(r store.ReadTx, b *bucket, key, version string) (*object, error) {
	for o, err := range versions.All(r, b.ID, key) {
		if err != nil || o.Version == version {
			return o, err
		}
	}
	return nil, nil
}

// getObject finds the version to read: the given one, or the newest. Delete
// markers can't be read.
func getObject(r store.ReadTx, b *bucket, key string, version *string) (*object, error) {
	if version == nil {
		o, err := newest(r, b, key)
		if err == nil && (o == nil || o.Marker) {
			err = noSuchKey(key)
		}
		return o, err
	}
	o, err := findVersion(r, b, key, *version)
	switch {
	case err != nil:
		return nil, err
	case o == nil:
		return nil, noSuchVersion()
	case o.Marker:
		return nil, failure(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
	return o, nil
}

// find reads a bucket and an object in it.
func (s *Service) find(ctx context.Context, name, key, version, expectedOwner *string) (b *bucket, o *object, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		if b, err = getBucket(r, account(ctx), *name, expectedOwner); err != nil {
			return err
		}
		o, err = getObject(r, b, *key, version)
		return err
	})
	if err != nil && b != nil {
		err = s.veil(ctx, b, err)
	}
	return b, o, err
}

// condition is what must hold of a key's newest version for a write (S3 User
// Guide, "conditional writes").
type condition struct {
	ifMatch, ifNoneMatch *string
}

func (c condition) check(key string, current *object) error {
	exists := current != nil && !current.Marker
	if c.ifNoneMatch != nil {
		if *c.ifNoneMatch != "*" {
			return failure(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
		}
		if exists {
			return preconditionFailed()
		}
	}
	if c.ifMatch != nil {
		if !exists {
			return noSuchKey(key)
		}
		if !sameETag(*c.ifMatch, current.ETag) {
			return preconditionFailed()
		}
	}
	return nil
}

func sameETag(header, etag string) bool {
	return header == "*" || strings.Trim(strings.TrimPrefix(header, "W/"), `"`) == etag
}

// insert makes o the newest version of its key, as the bucket's versioning
// wants it, and returns the files that nothing refers to any more.
func (s *Service) insert(tx store.Tx, b *bucket, o *object, when condition) (garbage []blob, err error) {
	current, err := newest(tx, b, o.Key)
	if err != nil {
		return nil, err
	}
	if err := when.check(o.Key, current); err != nil {
		return nil, err
	}
	o.Sequence = uint64(s.Clock.Now().UnixNano())
	if current != nil {
		o.Sequence = max(o.Sequence, current.Sequence+1)
	}
	if b.Versioning != s3api.BucketVersioningStatusEnabled {
		o.Version = nullVersion
		if garbage, err = removeVersion(tx, b, o.Key, nullVersion); err != nil {
			return nil, err
		}
	}
	return garbage, o.put(tx, b)
}

// removeVersion deletes one version for good, if it exists.
func removeVersion(tx store.Tx, b *bucket, key, version string) (garbage []blob, err error) {
	old, err := findVersion(tx, b, key, version)
	if err != nil || old == nil {
		return nil, err
	}
	return old.Blobs, versions.Delete(tx, old.id(b)...)
}

// newVersionID looks like one of S3's.
func newVersionID() string { return ident.Mixed(32) }
