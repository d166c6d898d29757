package apigateway

import (
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	defaultPage = 25 // API Reference: limit defaults to 25 and ends at 500
	maxPage     = 500
)

// page reads the records below prefix that follow position, at most limit of
// them, and the position of the next page if there is one. last is the part of
// a record's id behind prefix.
func page[T any](r store.ReadTx, c record.Collection[T], position *string, limit *int64, last func(*T) string, prefix []string) (items []*T, next *string, err error) {
	return pageWhere(r, c, position, limit, func(*T) bool { return true }, last, prefix)
}

// pageWhere is page of the records that wanted holds for.
func pageWhere[T any](r store.ReadTx, c record.Collection[T], position *string, limit *int64, wanted func(*T) bool, last func(*T) string,
	prefix []string) (items []*T, next *string, err error) {
	size := pageSize(limit)
	all := c.All(r, prefix...)
	after, err := readPosition(position)
	if err != nil {
		return nil, nil, err
	}
	if after != "" {
		all = c.After(r, after, prefix...)
	}
	items = []*T{}
	for v, err := range all {
		if err != nil {
			return nil, nil, err
		}
		if !wanted(v) {
			continue
		}
		if len(items) == size {
			next = paging.Token(last(items[size-1]))
			break
		}
		items = append(items, v)
	}
	return items, next, nil
}

// pageSize is how many items a page has at most.
func pageSize(limit *int64) int {
	size := int(wire.Val(limit))
	if size <= 0 {
		size = defaultPage
	}
	return min(size, maxPage)
}

// pageOf is the part of a list made for one call that follows position, and
// the position of the next part.
func pageOf[T any](all []*T, position *string, limit *int64) (items []*T, next *string, err error) {
	items, next, err = paging.Cut(all, position, pageSize(limit))
	if err != nil {
		return nil, nil, errPosition()
	}
	return items, next, nil
}

// readPosition returns where a listing goes on.
func readPosition(position *string) (after string, err error) {
	if after, err = paging.After(position); err != nil {
		return "", errPosition()
	}
	return after, nil
}

func errPosition() error { return badRequest("Invalid position parameter specified") }
