package lambda

import (
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/wire"
)

// maxPage is the most that Lambda puts into one page, whatever MaxItems says
// (API Reference: ListFunctions, ListVersionsByFunction, ListAliases).
const maxPage = 50

// page cuts a listing.
func page[T any](items []T, marker *string, maxItems *int64) (out []T, next *string, err error) {
	limit := maxPage
	if n := wire.Val(maxItems); n > 0 && n < maxPage {
		limit = int(n)
	}
	out, next, err = paging.Cut(items, marker, limit)
	if err != nil {
		return nil, nil, invalid("Invalid Marker: %s", *marker)
	}
	return out, next, nil
}
