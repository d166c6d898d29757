package ecr

import "github.com/butai-dev/butai/internal/paging"

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
		return nil, nil, invalid("Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'")
	}
	return part, next, nil
}
