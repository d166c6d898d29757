package s3

import (
	"cmp"
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
	made    []*notice
}

// erase deletes a version for good, or a key as the bucket's versioning wants
// it: for good, or behind a delete marker. Deleting what isn't there succeeds,
// and nobody is told of it.
func (s *Service) erase(ctx context.Context, tx store.Tx, b *bucket, key string, version *string, markerID string) (d deletion, err error) {
	if version == nil && b.Versioning != "" {
		marker := &object{Key: key, Version: markerID, Marker: true, Modified: s.now()}
		if d.garbage, err = s.insert(tx, b, marker, condition{}); err != nil {
			return d, err
		}
		d.version, d.marker = &marker.Version, wire.Ptr(true)
		d.made, err = s.tell(ctx, tx, b, &eventMarker, marker)
		return d, err
	}
	d.version = version
	old, err := findVersion(tx, b, key, cmp.Or(wire.Val(version), nullVersion))
	if err != nil || old == nil {
		return d, err
	}
	if old.Marker {
		d.marker = wire.Ptr(true)
	}
	d.garbage = old.Blobs
	if err := versions.Delete(tx, old.id(b)...); err != nil {
		return d, err
	}
	old.Sequence = max(uint64(s.Clock.Now().UnixNano()), old.Sequence+1)
	d.made, err = s.tell(ctx, tx, b, &eventDelete, old)
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
		d, err = s.erase(ctx, tx, b, *in.Key, in.VersionId, markerID)
		return err
	})
	s.enqueue(err, d.made)
	if err != nil {
		return nil, err
	}
	s.blobs.remove(d.garbage)
	return &s3api.DeleteObjectOutput{DeleteMarker: d.marker, VersionId: d.version}, nil
}

// maxDelete is how many keys one DeleteObjects takes.
const maxDelete = 1000

// DeleteObjects deletes many objects in one transaction, those that the caller
// may delete.
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
	out := &s3api.DeleteObjectsOutput{}
	items, out.Errors = s.deletable(ctx, *in.Bucket, items)
	var garbage []blob
	var made []*notice
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		garbage, made, out.Deleted = nil, nil, nil
		b, err := getBucket(tx, account(ctx), *in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		for i, item := range items {
			d, err := s.erase(ctx, tx, b, *item.Key, item.VersionId, markerIDs[i])
			if err != nil {
				return err
			}
			garbage, made = append(garbage, d.garbage...), append(made, d.made...)
			deleted := s3api.DeletedObject{Key: item.Key, VersionId: item.VersionId, DeleteMarker: d.marker}
			if d.marker != nil {
				deleted.DeleteMarkerVersionId = d.version
			}
			out.Deleted = append(out.Deleted, deleted)
		}
		return nil
	})
	s.enqueue(err, made)
	if err != nil {
		return nil, err
	}
	s.blobs.remove(garbage)
	if wire.Val(in.Delete.Quiet) {
		out.Deleted = nil // only failures are listed
	}
	return out, nil
}

// deletable parts what the caller may delete from what they may not. Of a
// bucket that isn't there, it lets everything pass.
func (s *Service) deletable(ctx context.Context, name string, items []s3api.ObjectIdentifier) (may []s3api.ObjectIdentifier, refused []s3api.Error) {
	b := s.seek(ctx, name)
	if b == nil {
		return items, nil
	}
	op := s3api.Service.Operation("DeleteObjects")
	for _, item := range items {
		denial := s.denial(ctx, b, op, objectTarget(nil, "DeleteObject", name, *item.Key, item.VersionId))
		if denial == "" {
			may = append(may, item)
			continue
		}
		refused = append(refused, s3api.Error{Key: item.Key, VersionId: item.VersionId, Code: wire.Ptr("AccessDenied"), Message: &denial})
	}
	return may, refused
}
