package postgres

import (
	"fmt"

	"github.com/butai-dev/butai/internal/store"
)

// pageBytes is where a page of a scan stops short, to bound memory.
const pageBytes = 1 << 20

// pageQuery reads a page: at most r.Limit pairs, and none behind the one that
// brings the values to pageBytes. The server does the cutting, so that it does
// not send what is not wanted; it knows a value's length without loading it.
func pageQuery(r store.Range) (string, []any) {
	order := "ORDER BY head, tail"
	if r.Reverse {
		order = "ORDER BY head DESC, tail DESC"
	}
	loHead, loTail := split(r.Lo)
	where, args := "(head, tail) >= ($2, $3)", []any{r.Limit, loHead, loTail}
	if r.Hi != nil {
		hiHead, hiTail := split(r.Hi)
		where, args = where+" AND (head, tail) < ($4, $5)", append(args, hiHead, hiTail)
	}
	return fmt.Sprintf(`SELECT head, tail, v FROM (
		SELECT head, tail, v, sum(length(v)) OVER (%[1]s ROWS UNBOUNDED PRECEDING) - length(v) AS before
		FROM (SELECT head, tail, v FROM kv WHERE %[2]s %[1]s LIMIT $1) page
	) sized WHERE before < %[3]d %[1]s`, order, where, pageBytes), args
}
