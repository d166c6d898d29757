package lambda

import (
	"encoding/base64"
	"strconv"

	"github.com/butai-dev/butai/internal/wire"
)

// maxPage is the most that Lambda puts into one page, whatever MaxItems says
// (API Reference: ListFunctions, ListVersionsByFunction, ListAliases).
const maxPage = 50

// page cuts a listing. A marker is the number of items before the page.
func page[T any](items []T, marker *string, maxItems *int64) (out []T, next *string, err error) {
	from := 0
	if m := wire.Val(marker); m != "" {
		text, decodeErr := base64.RawURLEncoding.DecodeString(m)
		from, err = strconv.Atoi(string(text))
		if decodeErr != nil || err != nil || from < 0 {
			return nil, nil, invalid("Invalid Marker: %s", m)
		}
	}
	limit := maxPage
	if n := wire.Val(maxItems); n > 0 && n < maxPage {
		limit = int(n)
	}
	items = items[min(from, len(items)):]
	if len(items) > limit {
		items = items[:limit]
		next = wire.Ptr(base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(from + limit))))
	}
	if items == nil {
		items = []T{} // an empty list is shown
	}
	return items, next, nil
}
