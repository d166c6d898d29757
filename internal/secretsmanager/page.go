package secretsmanager

import (
	"time"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/wire"
)

// defaultPage is how many results a page has if nobody says.
const defaultPage = 100

// page cuts a page out of a listing.
func page[T any](list []T, token *string, limit *int64) (part []T, next *string, err error) {
	size := defaultPage
	if limit != nil {
		size = int(*limit)
	}
	part, next, err = paging.Cut(list, token, size)
	if err != nil {
		return nil, nil, &secretsmanagerapi.InvalidNextTokenException{Message: wire.Ptr("Invalid token")}
	}
	return part, next, nil
}

// orNil is a time as an optional member.
func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
