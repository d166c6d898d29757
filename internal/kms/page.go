package kms

import (
	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/wire"
)

// page cuts a page out of a listing.
func page[T any](list []T, marker *string, limit *int64, usual int) (part []T, next *string, more *bool, err error) {
	size := usual
	if limit != nil {
		size = int(*limit)
	}
	part, next, err = paging.Cut(list, marker, size)
	if err != nil {
		return nil, nil, nil, &kmsapi.InvalidMarkerException{Message: wire.Ptr("Could not deserialize marker '" + *marker + "'")}
	}
	return part, next, wire.Ptr(next != nil), nil
}
