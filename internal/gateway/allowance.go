package gateway

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// quota is how many requests a usage plan lets a key make in a period. Periods
// begin at midnight UTC: offset says on which day of the week, counted from
// Sunday, or of the month (API Reference, "QuotaSettings").
type quota struct {
	limit  int64
	period string
	offset int
}

// newQuota returns nil for a plan without a quota.
func newQuota(q *apigatewayapi.QuotaSettings) *quota {
	if q == nil || q.Limit == nil {
		return nil
	}
	return &quota{*q.Limit, wire.Val(q.Period), int(wire.Val(q.Offset))}
}

// begin is when the period began that now is in.
func (q *quota) begin(now time.Time) time.Time {
	now = now.UTC()
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	switch q.period {
	case apigatewayapi.QuotaPeriodTypeWEEK:
		return day.AddDate(0, 0, -(int(day.Weekday())-q.offset+7)%7)
	case apigatewayapi.QuotaPeriodTypeMONTH:
		first := 1 + q.offset
		if day.Day() < first {
			return time.Date(day.Year(), day.Month()-1, first, 0, 0, 0, 0, time.UTC)
		}
		return time.Date(day.Year(), day.Month(), first, 0, 0, 0, 0, time.UTC)
	}
	return day
}

// QuotaPeriod is when the quota's period began that day is in.
func QuotaPeriod(q *apigatewayapi.QuotaSettings, day time.Time) time.Time {
	return newQuota(q).begin(day)
}

// KeyUsage is what a key used of a plan's quota on one day.
type KeyUsage struct {
	Account, Region string
	PlanID, KeyID   string
	Day             string // such as 2026-03-04, in UTC
	Used            int64  // requests on that day
	Remaining       int64  // left of the quota at the end of the day
	Period          time.Time
	UsedInPeriod    int64 // requests since Period, when the quota's period began
	Granted         int64 // what was added to the limit for this period
}

// allowance counts a key's requests under a plan that has a quota.
type allowance struct {
	mu    sync.Mutex
	quota *quota
	now   KeyUsage   // the day that is being counted
	saved KeyUsage   // what of now is saved
	past  []KeyUsage // days that ended and aren't saved
	until time.Time  // end of the day that is being counted; zero before one is
}

// newAllowance begins with what is saved.
func newAllowance(saved KeyUsage, q *quota) *allowance {
	return &allowance{quota: q, now: saved, saved: saved}
}

// set changes the quota. What was used stays used, unless another period
// begins with the change.
func (a *allowance) set(q *quota) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.quota, a.until = q, time.Time{}
}

// roll begins a new day or period if now is in one.
func (a *allowance) roll(now time.Time) {
	if now.Before(a.until) {
		return
	}
	a.until = now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	if day := now.UTC().Format(time.DateOnly); day != a.now.Day {
		if a.now != a.saved {
			a.past = append(a.past, a.now)
		}
		a.now.Day, a.now.Used = day, 0
	}
	if begin := a.quota.begin(now); !begin.Equal(a.now.Period) {
		a.now.Period, a.now.UsedInPeriod, a.now.Granted = begin, 0, 0
	}
	a.now.Remaining = max(0, a.quota.limit+a.now.Granted-a.now.UsedInPeriod)
}

// take counts a request. It is false if nothing is left of the quota.
func (a *allowance) take(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now)
	if a.now.Remaining == 0 {
		return false
	}
	a.now.Used++
	a.now.UsedInPeriod++
	a.now.Remaining--
	return true
}

// grant sets what is left of the current period.
func (a *allowance) grant(now time.Time, remaining int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now)
	a.now.Granted = remaining - (a.quota.limit - a.now.UsedInPeriod)
	a.now.Remaining = remaining
}

// unsaved are the days that changed since they were saved.
func (a *allowance) unsaved() []KeyUsage {
	a.mu.Lock()
	defer a.mu.Unlock()
	days := slices.Clone(a.past)
	if a.now != a.saved {
		days = append(days, a.now)
	}
	return days
}

// confirm notes that a day is saved as it is in day.
func (a *allowance) confirm(day KeyUsage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.past = slices.DeleteFunc(a.past, func(d KeyUsage) bool { return d == day })
	if day.Day == a.now.Day {
		a.saved = day
	}
}

// text tells the quota as the execution log does.
func (a *allowance) text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return "Limit: " + strconv.FormatInt(a.quota.limit, 10) + " Period: " + a.quota.period
}
