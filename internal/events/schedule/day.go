package schedule

import (
	"strconv"
	"strings"
	"time"
)

// dayRule tells whether a schedule is due on a day.
type dayRule func(time.Time) bool

// parseDays reads the two fields that choose days, of the month and of the
// week. One of them must be "?".
func parseDays(ofMonth, ofWeek string) (dayRule, error) {
	switch {
	case ofWeek == "?" && ofMonth != "?":
		return parseMonthDay(ofMonth)
	case ofMonth == "?" && ofWeek != "?":
		return parseWeekday(ofWeek)
	}
	return nil, ErrInvalid
}

func lastOf(t time.Time) int {
	return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// parseMonthDay reads days of the month: "L" is the last one, "3W" the working
// day that is nearest to the third, "LW" the last working day.
func parseMonthDay(text string) (dayRule, error) {
	if text == "L" {
		return func(t time.Time) bool { return t.Day() == lastOf(t) }, nil
	}
	if text == "LW" {
		return func(t time.Time) bool { return t.Day() == workday(t, lastOf(t)) }, nil
	}
	if day, ok := strings.CutSuffix(text, "W"); ok {
		n, err := dayField.value(day)
		if err != nil {
			return nil, err
		}
		return func(t time.Time) bool { return n <= lastOf(t) && t.Day() == workday(t, n) }, nil
	}
	days, err := dayField.parse(text)
	if err != nil {
		return nil, err
	}
	return func(t time.Time) bool { return days[t.Day()] }, nil
}

// workday is the working day nearest to day, in the same month.
func workday(t time.Time, day int) int {
	switch time.Date(t.Year(), t.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return day + 2
		}
		return day - 1
	case time.Sunday:
		if day == lastOf(t) {
			return day - 2
		}
		return day + 1
	}
	return day
}

const week = 7

// parseWeekday reads days of the week, of which Sunday is 1: "3#2" is the
// second Tuesday of the month, "5L" its last Thursday, "L" a Saturday.
func parseWeekday(text string) (dayRule, error) {
	if text == "L" {
		return func(t time.Time) bool { return t.Weekday() == time.Saturday }, nil
	}
	if day, ok := strings.CutSuffix(text, "L"); ok {
		n, err := weekdayField.value(day)
		if err != nil {
			return nil, err
		}
		return func(t time.Time) bool { return weekday(t) == n && t.Day()+week > lastOf(t) }, nil
	}
	if day, which, ok := strings.Cut(text, "#"); ok {
		n, err := weekdayField.value(day)
		if err != nil {
			return nil, err
		}
		nth, err := strconv.Atoi(which)
		if err != nil || nth < 1 || nth > 5 {
			return nil, ErrInvalid
		}
		return func(t time.Time) bool { return weekday(t) == n && (t.Day()-1)/week+1 == nth }, nil
	}
	days, err := weekdayField.parse(text)
	if err != nil {
		return nil, err
	}
	return func(t time.Time) bool { return days[weekday(t)] }, nil
}

func weekday(t time.Time) int { return int(t.Weekday()) + 1 }
