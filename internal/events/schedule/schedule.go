// Package schedule reads EventBridge's schedule expressions, rate(…) and
// cron(…), and tells when they are due (User Guide: "Creating an EventBridge
// rule that runs on a schedule"). Times are UTC. It is pure.
package schedule

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrInvalid says that a text is no schedule expression.
var ErrInvalid = errors.New("schedule: invalid expression")

// Schedule is a compiled expression. It is immutable.
type Schedule struct {
	period time.Duration // of a rate; 0 for cron
	cron   *cron
}

var (
	rateForm = regexp.MustCompile(`^rate\((\d+) (minutes?|hours?|days?)\)$`)
	cronForm = regexp.MustCompile(`^cron\((.*)\)$`)
)

// maxRate keeps periods within time.Duration.
const maxRate = 100_000

// Parse compiles an expression.
func Parse(text string) (*Schedule, error) {
	if m := rateForm.FindStringSubmatch(text); m != nil {
		return parseRate(m[1], m[2])
	}
	if m := cronForm.FindStringSubmatch(text); m != nil {
		c, err := parseCron(strings.Fields(m[1]))
		if err != nil {
			return nil, err
		}
		return &Schedule{cron: c}, nil
	}
	return nil, ErrInvalid
}

// parseRate reads a rate's number and unit, which is in the singular for 1 and
// only then.
func parseRate(number, unit string) (*Schedule, error) {
	n, err := strconv.Atoi(number)
	singular, plural := strings.CutSuffix(unit, "s")
	if err != nil || n < 1 || n > maxRate || plural != (n > 1) {
		return nil, ErrInvalid
	}
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	return &Schedule{period: time.Duration(n) * units[singular]}, nil
}

// Next is the first time after last at which the schedule is due; last is when
// it was due before, or when it was made. The zero time says never.
func (s *Schedule) Next(last time.Time) time.Time {
	if s.period > 0 {
		return last.Add(s.period)
	}
	return s.cron.next(last.UTC())
}
