package gateway

import (
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// limiter is a token bucket.
type limiter struct {
	bucket *rate.Limiter
}

// newLimiter returns a full bucket, or nil if the settings set no limit:
// Terraform writes -1 for a limit that it leaves alone.
func newLimiter(perSecond *float64, burst *int64) *limiter {
	if perSecond == nil || *perSecond < 0 {
		return nil
	}
	size := int(*perSecond)
	if burst != nil && *burst >= 0 {
		size = int(*burst)
	}
	return &limiter{rate.NewLimiter(rate.Limit(*perSecond), size)}
}

// allow takes a token. A nil limiter has plenty.
func (l *limiter) allow(now time.Time) bool { return l == nil || l.bucket.AllowN(now, 1) }

// same reports whether l limits as other does.
func (l *limiter) same(other *limiter) bool {
	return l.bucket.Limit() == other.bucket.Limit() && l.bucket.Burst() == other.bucket.Burst()
}

// text tells the limit as the execution log does.
func (l *limiter) text() string {
	return fmt.Sprintf("Limit: %.2f Burst: %d", float64(l.bucket.Limit()), l.bucket.Burst())
}

// limiters are a stage's token buckets by method, which its canary shares.
type limiters map[string]*limiter

// share returns the bucket of a method: the one there is, or l from now on.
func (all limiters) share(method string, l *limiter) *limiter {
	if l == nil {
		return nil
	}
	if have, ok := all[method]; ok {
		return have
	}
	all[method] = l
	return l
}

// goOn takes over the buckets of before that have the same limits, so that an
// edit of the stage refills none.
func (all limiters) goOn(before limiters) {
	for method, l := range all {
		if old := before[method]; old != nil && old.same(l) {
			l.bucket = old.bucket
		}
	}
}
