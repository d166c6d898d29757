package lambda

import (
	"hash/crc32"
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/ident"
)

// NewTraceID is the X-Ray trace that Lambda begins for a call that brings
// none: functions see it as _X_AMZN_TRACE_ID whether or not they are traced
// (Developer Guide, "Defined runtime environment variables"). The lineage
// marks calls of one function, to detect loops.
func NewTraceID(now time.Time, function string) string {
	return "Root=1-" + eight(uint32(now.Unix())) + "-" + ident.Hex(12) + ";Parent=" + ident.Hex(8) +
		";Sampled=0;Lineage=1:" + eight(crc32.ChecksumIEEE([]byte(function))) + ":0"
}

// eight writes n in eight hexadecimal digits.
func eight(n uint32) string { return strconv.FormatUint(uint64(n)|1<<32, 16)[1:] }
