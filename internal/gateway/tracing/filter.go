package tracing

import (
	"fmt"
	"strconv"
	"strings"
)

// Filter picks traces. Its zero value picks all.
type Filter struct {
	RequestID string
	API       string // id
	Stage     string
	Status    Status
	After     uint64 // only traces with a greater Seq
	Last      int    // at most so many, the newest; 0 means all
}

// Status is a range of HTTP statuses; the zero value is all of them.
type Status struct{ low, high int }

// ParseStatus reads "404", "5xx" or "".
func ParseStatus(s string) (Status, error) {
	if s == "" {
		return Status{}, nil
	}
	lower := strings.ToLower(s)
	if class, ok := strings.CutSuffix(lower, "xx"); ok && len(class) == 1 && class >= "1" && class <= "5" {
		n := int(class[0]-'0') * 100
		return Status{n, n + 99}, nil
	}
	if n, err := strconv.Atoi(s); err == nil && n >= 100 && n <= 599 {
		return Status{n, n}, nil
	}
	return Status{}, fmt.Errorf("%q is no status: give one such as 502, or a class such as 5xx", s)
}

// Has reports whether code is in the range.
func (s Status) Has(code int) bool { return s.high == 0 || s.low <= code && code <= s.high }
