package events

import (
	"encoding/base64"
	"iter"
	"strings"

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
	after, err := readToken(token)
	if err != nil {
		return nil, nil, err
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
			return out, writeToken(last), nil
		}
		out, last = append(out, answer(r)), name(r)
	}
	return out, nil, nil
}

func writeToken(last string) *string {
	return wire.Ptr(base64.StdEncoding.EncodeToString([]byte(last)))
}

func readToken(token *string) (after string, err error) {
	text, err := base64.StdEncoding.DecodeString(wire.Val(token))
	if err != nil {
		return "", invalid("Parameter NextToken is not valid.")
	}
	return string(text), nil
}
