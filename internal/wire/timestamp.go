package wire

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Timestamp formats of the models.
const (
	UnixTimestamp = "unixTimestamp"
	ISO8601       = "iso8601"
	RFC822        = "rfc822"
)

// FormatTime prints t in one of the model's formats. Fractions of a second
// are printed to the millisecond, and only when there are any.
func FormatTime(t time.Time, format string) string {
	t = t.UTC()
	switch format {
	case RFC822:
		return t.Format(http.TimeFormat)
	case ISO8601:
		if t.Nanosecond()/1e6 != 0 {
			return t.Format("2006-01-02T15:04:05.000Z")
		}
		return t.Format("2006-01-02T15:04:05Z")
	}
	if ms := t.Nanosecond() / 1e6; ms != 0 {
		return fmt.Sprintf("%d.%03d", t.Unix(), ms)
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// maxUnix is the year 10000, which no format can spell.
const maxUnix = 253402300800

// ParseTime reads a timestamp in any of the formats, as AWS's front ends do.
func ParseTime(s string) (time.Time, error) {
	if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) < maxUnix {
		sec, frac := math.Modf(f)
		return time.Unix(int64(sec), int64(math.Round(frac*1e3))*1e6).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02", http.TimeFormat, time.RFC1123Z} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("wire: %q is no timestamp", s)
}
