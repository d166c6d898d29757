package s3

import (
	"context"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// deletion is what deleting a key or a version did.
type deletion struct {
	version *string
	marker  *bool // a delete marker was made or deleted
	garbage []blob
}

// erase deletes a version for good, or a key as the bucket's versioning wants
// it: for good, or behind a delete marker. Deleting what isn't there succeeds.
func (s *Service) erase(tx store.Tx, b *bucket, key string, version *string, markerID string) (d deletion, err error) {
	if version != nil {
		old, err := findVersion(tx, b, key, *version)
		if err != nil {
			return d, err
		}
		d.version = version
		if old == nil {
			return d, nil
		}
		if old.Marker {
			d.marker = wire.Ptr(true)
		}
		d.garbage = old.Blobs
		return d, versions.Delete(tx, old.id(b)...)
	}
	if b.Versioning == "" {
		d.garbage, err = removeVersion(tx, b, key, nullVersion)
		return d, err
	}
	marker := &object{Key: key, Version: markerID, Marker: true, Modified: s.now()}
	d.garbage, err = s.insert(tx, b, marker, condition{})
	d.version, d.marker = &marker.Version, wire.Ptr(true)
	return d, err
}

// DeleteObject deletes an object or a version of it.
func (s *Service) DeleteObject(ctx context.Context, in *s3api.DeleteObjectRequest) (*s3api.DeleteObjectOutput, error) {
	var d deletion
	markerID := newVersionID()
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		b, err := getBucket(tx, account(ctx), *in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		if in.IfMatch != nil {
			current, err := newest(tx, b, *in.Key)
			if err == nil {
				err = condition{ifMatch: in.IfMatch}.check(*in.Key, current)
			}
			if err != nil {
				return err
			}
		}
		d, err = s.erase(tx, b, *in.Key, in.VersionId, markerID)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.blobs.remove(d.garbage)
	return &s3api.DeleteObjectOutput{DeleteMarker: d.marker, VersionId: d.version}, nil
}

// maxDelete is how many keys one DeleteObjects takes.
const maxDelete = 1000

// DeleteObjects deletes many objects in one transaction.
func (s *Service) DeleteObjects(ctx context.Context, in *s3api.DeleteObjectsRequest) (*s3api.DeleteObjectsOutput, error) {
	_ = in.ChecksumAlgorithm // names the algorithm of a header that the model doesn't carry
	items := in.Delete.Objects
	if len(items) == 0 || len(items) > maxDelete {
		return nil, malformedXML()
	}
	markerIDs := make([]string, len(items))
	for i := range markerIDs {
		markerIDs[i] = newVersionID()
	}
	var garbage []blob
	out := &s3api.DeleteObjectsOutput{}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		garbage, out.Deleted = nil, nil
		b, err := getBucket(tx, account(ctx), *in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		for i, item := range items {
			d, err := s.erase(tx, b, *item.Key, item.VersionId, markerIDs[i])
			if err != nil {
				return err
			}
			garbage = append(garbage, d.garbage...)
			deleted := s3api.DeletedObject{Key: item.Key, VersionId: item.VersionId, DeleteMarker: d.marker}
			if d.marker != nil {
				deleted.DeleteMarkerVersionId = d.version
			}
			out.Deleted = append(out.Deleted, deleted)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.blobs.remove(garbage)
	if wire.Val(in.Delete.Quiet) {
		out.Deleted = nil // only failures are listed, and there are none
	}
	return out, nil
}
