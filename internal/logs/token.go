package logs

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/butai-dev/butai/internal/paging"
)

// readToken returns where a listing goes on.
func readToken(token *string) (string, error) {
	after, err := paging.After(token)
	if err != nil {
		return "", errToken()
	}
	return after, nil
}

func errToken() error { return invalid("The specified nextToken is invalid.") }

func limitOr(limit *int64, otherwise int) int {
	if limit == nil {
		return otherwise
	}
	return int(*limit)
}

// position is where an event stands in its group: events are ordered by
// time, those of one millisecond by ingestion.
type position struct {
	ts    int64  // ms
	batch uint64 // its sequence number
	index int    // in the batch
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.ts, q.ts), cmp.Compare(p.batch, q.batch), cmp.Compare(p.index, q.index))
}

// String prints the position as 56 digits, as AWS's event ids are.
func (p position) String() string { return fmt.Sprintf("3%019d%020d%016d", p.ts, p.batch, p.index) }

func parsePosition(text string) (p position, err error) {
	if len(text) != 56 || text[0] != '3' {
		return p, errToken()
	}
	var errs [3]error
	p.ts, errs[0] = strconv.ParseInt(text[1:20], 10, 64)
	p.batch, errs[1] = strconv.ParseUint(text[20:40], 10, 64)
	p.index, errs[2] = strconv.Atoi(text[40:])
	if cmp.Or(errs[0], errs[1], errs[2]) != nil || p.ts < 0 || p.index < 0 {
		return p, errToken()
	}
	return p, nil
}
