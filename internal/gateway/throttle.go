package gateway

import (
	"time"

	"golang.org/x/time/rate"
)

// limiter is a method's token bucket.
type limiter struct {
	bucket *rate.Limiter
}

// newLimiter returns the bucket for a method setting, or nil if it sets no
// limit: Terraform writes -1 for a limit that it leaves alone.
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

func (l *limiter) allow(now time.Time) bool { return l == nil || l.bucket.AllowN(now, 1) }
