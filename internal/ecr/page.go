package ecr

import (
	"encoding/base64"
	"strconv"

	"github.com/butai-dev/butai/internal/wire"
)

// defaultPage is how many results a page has if nobody says.
const defaultPage = 100

// page cuts a page out of a listing; the token is the place of its next one.
func page[T any](list []T, token *string, limit *int64) (part []T, next *string, err error) {
	from, size := 0, defaultPage
	if token != nil {
		text, err := base64.StdEncoding.DecodeString(*token)
		if err == nil {
			from, err = strconv.Atoi(string(text))
		}
		if err != nil || from < 0 || from > len(list) {
			return nil, nil, invalid("Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'")
		}
	}
	if limit != nil {
		size = int(*limit)
	}
	to := min(from+size, len(list))
	if to < len(list) {
		next = wire.Ptr(base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(to))))
	}
	return list[from:to], next, nil
}
