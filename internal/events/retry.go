package events

import (
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/wire"
)

// How often and how long EventBridge tries if a target doesn't say (User Guide:
// "How EventBridge retries delivering events").
const (
	defaultRetries = 185
	defaultAge     = 24 * time.Hour
)

// The waits double from the first to the longest, so that the default retries
// take about the default age. AWS adds jitter, which targets in the same process
// don't need.
const (
	firstWait = time.Second
	maxWait   = 8 * time.Minute
)

// Conditions that end retries.
const (
	byAttempts = "MaximumRetryAttempts"
	byAge      = "MaximumEventAgeInSeconds"
)

// retry counts a failed attempt and sets d.Due to the next one; it returns the
// condition that rules it out, "" for none.
func (d *deliveryRecord) retry(now time.Time) (exhausted string) {
	retries, age := int64(defaultRetries), defaultAge
	if p := d.Target.RetryPolicy; p != nil {
		if p.MaximumRetryAttempts != nil {
			retries = *p.MaximumRetryAttempts
		}
		if p.MaximumEventAgeInSeconds != nil {
			age = time.Duration(*p.MaximumEventAgeInSeconds) * time.Second
		}
	}
	wait := maxWait
	const doublings = 9 // beyond it is more than maxWait
	if d.Attempts < doublings {
		wait = min(firstWait<<d.Attempts, maxWait)
	}
	switch {
	case int64(d.Attempts) >= retries:
		return byAttempts
	case now.Add(wait).Sub(d.Created) > age:
		return byAge
	}
	d.Attempts++
	d.Due = now.Add(wait)
	return ""
}

// deadLetter is why an event couldn't be delivered.
type deadLetter struct {
	Code, Message string
	Exhausted     string // the condition that ended the retries, "" if there were none to end
	Retries       int
}

// attributes are those of the message to the dead-letter queue.
func (l *deadLetter) attributes(d *deliveryRecord) map[string]string {
	out := map[string]string{
		"RULE_ARN": d.Rule.arn(), "TARGET_ARN": wire.Val(d.Target.Arn), "ERROR_CODE": l.Code, "ERROR_MESSAGE": l.Message,
		"RETRY_ATTEMPTS": strconv.Itoa(l.Retries),
	}
	if l.Exhausted != "" {
		out["EXHAUSTED_RETRY_CONDITION"] = l.Exhausted
	}
	return out
}
