package policy

import (
	"regexp"
	"strconv"
	"strings"
)

var legacyISO = regexp.MustCompile(`^(-?\d+)(?:-(\d+))?(?:-(\d+))?(?:t(?:(\d+)(?::(\d+))?(?::(\d+)(?:\.(\d+))?)?(z|[+-]\d\d(?::\d\d)?)?)?)?$`)

// legacyDate is IAM's lenient check of a date in a policy, when it is stored:
// seconds that fit in 63 bits, or an ISO 8601 form down to a bare year.
// Whether such a date compares with anything is decided by parseDate.
func legacyDate(s string) bool {
	s = strings.ToLower(s)
	if !strings.ContainsAny(s, "t-") {
		_, err := strconv.ParseInt(s, 10, 64)
		return err == nil
	}
	m := legacyISO.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	limits := []struct {
		group    int
		min, max int64
	}{
		{1, -292275054, 292278993}, {2, 1, 12}, {3, 1, 31},
		{4, 0, 23}, {5, 0, 59}, {6, 0, 59}, {7, 0, 999999999},
	}
	for _, l := range limits {
		if m[l.group] == "" {
			continue
		}
		n, err := strconv.ParseInt(m[l.group], 10, 64)
		if err != nil || n < l.min || n > l.max {
			return false
		}
	}
	return legacyZone(m[8])
}

// legacyZone checks +HH or +HH:MM.
func legacyZone(zone string) bool {
	if len(zone) < 3 {
		return true
	}
	hours, minutes, _ := strings.Cut(zone[1:], ":")
	h, _ := strconv.Atoi(hours)
	m, _ := strconv.Atoi(minutes)
	return h <= 23 && m <= 59
}
