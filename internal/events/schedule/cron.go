package schedule

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// cron is the six fields of a cron expression.
type cron struct {
	minutes, hours, months, years set
	days                          dayRule
}

// set is the values of a field that match.
type set map[int]bool

// field says what a field may hold.
type field struct {
	least, most int
	names       []string // of the values, from least
}

var (
	minuteField  = field{least: 0, most: 59}
	hourField    = field{least: 0, most: 23}
	dayField     = field{least: 1, most: 31}
	monthField   = field{1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}}
	weekdayField = field{1, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}}
	yearField    = field{least: 1970, most: 2199}
)

const fields = 6

func parseCron(text []string) (*cron, error) {
	if len(text) != fields {
		return nil, ErrInvalid
	}
	c := &cron{}
	for _, part := range []struct {
		field *field
		text  string
		into  *set
	}{{&minuteField, text[0], &c.minutes}, {&hourField, text[1], &c.hours}, {&monthField, text[3], &c.months}, {&yearField, text[5], &c.years}} {
		values, err := part.field.parse(part.text)
		if err != nil {
			return nil, err
		}
		*part.into = values
	}
	var err error
	c.days, err = parseDays(text[2], text[4])
	return c, err
}

// parse reads a list of values, ranges and increments.
func (f *field) parse(text string) (set, error) {
	out := set{}
	for part := range strings.SplitSeq(text, ",") {
		base, step, stepped := strings.Cut(part, "/")
		by := 1
		if stepped {
			var err error
			if by, err = strconv.Atoi(step); err != nil || by < 1 {
				return nil, ErrInvalid
			}
		}
		from, to, err := f.span(base, stepped)
		if err != nil {
			return nil, err
		}
		for v := from; v <= to; v += by {
			out[v] = true
		}
	}
	return out, nil
}

// span reads "*", a value or a range. A value with an increment behind it goes
// on to the field's end.
func (f *field) span(text string, open bool) (from, to int, err error) {
	if text == "*" {
		return f.least, f.most, nil
	}
	low, high, isRange := strings.Cut(text, "-")
	if from, err = f.value(low); err != nil {
		return 0, 0, err
	}
	switch {
	case isRange:
		if to, err = f.value(high); err != nil || to < from {
			return 0, 0, ErrInvalid
		}
	case open:
		to = f.most
	default:
		to = from
	}
	return from, to, nil
}

func (f *field) value(text string) (int, error) {
	if at := slices.Index(f.names, strings.ToUpper(text)); at >= 0 {
		return f.least + at, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.least || n > f.most {
		return 0, ErrInvalid
	}
	return n, nil
}

// next is the first minute after last that matches, or the zero time.
func (c *cron) next(last time.Time) time.Time {
	t := last.Truncate(time.Minute).Add(time.Minute)
	for t.Year() <= yearField.most {
		switch {
		case !c.years[t.Year()]:
			t = time.Date(t.Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC)
		case !c.months[int(t.Month())]:
			t = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		case !c.days(t):
			t = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, time.UTC)
		case !c.hours[t.Hour()]:
			t = t.Truncate(time.Hour).Add(time.Hour)
		case !c.minutes[t.Minute()]:
			t = t.Add(time.Minute)
		default:
			return t
		}
	}
	return time.Time{}
}
