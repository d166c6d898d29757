package events

import (
	"iter"
	"strings"

	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/wire"
)

// pageSize is how long a listing is if the caller doesn't say.
const pageSize = 100

// records are those of a collection, in the order of their names.
type records[R any] = iter.Seq2[*R, error]

// page makes one page of a listing: of the records behind those that the token
// tells of, those whose names begin with prefix.
func page[R, A any](
	token *string, limit *int64, prefix *string, from func(after string) records[R], name func(*R) string, answer func(*R) A,
) (out []A, next *string, err error) {
	after, err := paging.After(token)
	if err != nil {
		return nil, nil, invalid("Parameter NextToken is not valid.")
	}
	most := pageSize
	if limit != nil {
		most = int(*limit)
	}
	out = []A{}
	last := ""
	for r, err := range from(after) {
		switch {
		case err != nil:
			return nil, nil, err
		case !strings.HasPrefix(name(r), wire.Val(prefix)):
			continue
		case len(out) == most:
			return out, paging.Token(last), nil
		}
		out, last = append(out, answer(r)), name(r)
	}
	return out, nil, nil
}
