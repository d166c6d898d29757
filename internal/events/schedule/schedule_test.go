package schedule

import (
	"testing"
	"time"
)

// TestNext follows expressions of AWS's documentation from a Saturday on.
func TestNext(t *testing.T) {
	t.Parallel()
	const form = "2006-01-02 15:04:05"
	from := time.Date(2026, time.November, 28, 17, 55, 30, 0, time.UTC)
	for text, want := range map[string][]string{
		"rate(1 minute)":                     {"2026-11-28 17:56:30", "2026-11-28 17:57:30"},
		"rate(5 minutes)":                    {"2026-11-28 18:00:30"},
		"rate(1 hour)":                       {"2026-11-28 18:55:30"},
		"rate(2 days)":                       {"2026-11-30 17:55:30"},
		"cron(0 10 * * ? *)":                 {"2026-11-29 10:00:00", "2026-11-30 10:00:00"},
		"cron(15 12 * * ? *)":                {"2026-11-29 12:15:00"},
		"cron(0 18 ? * MON-FRI *)":           {"2026-11-30 18:00:00", "2026-12-01 18:00:00"},
		"cron(0 8 1 * ? *)":                  {"2026-12-01 08:00:00", "2027-01-01 08:00:00"},
		"cron(0/15 * * * ? *)":               {"2026-11-28 18:00:00", "2026-11-28 18:15:00"},
		"cron(0/5 8-17 ? * mon-FRI *)":       {"2026-11-30 08:00:00", "2026-11-30 08:05:00"},
		"cron(0/30 20-23,0-2 ? * MON-FRI *)": {"2026-11-30 00:00:00", "2026-11-30 00:30:00"},
		"cron(0 0 L * ? *)":                  {"2026-11-30 00:00:00", "2026-12-31 00:00:00"},
		"cron(0 0 LW * ? *)":                 {"2026-11-30 00:00:00", "2026-12-31 00:00:00", "2027-01-29 00:00:00"},
		"cron(0 0 1W * ? *)":                 {"2026-12-01 00:00:00", "2027-01-01 00:00:00", "2027-02-01 00:00:00", "2027-03-01 00:00:00", "2027-04-01 00:00:00", "2027-05-03 00:00:00"},
		"cron(0 0 ? * 6L *)":                 {"2026-12-25 00:00:00"},
		"cron(0 0 ? * 3#1 *)":                {"2026-12-01 00:00:00", "2027-01-05 00:00:00"},
		"cron(0 0 29 2 ? *)":                 {"2028-02-29 00:00:00"},
		"cron(0 0 ? JAN,FEB 1 2027)":         {"2027-01-03 00:00:00"},
		"cron(59 23 31 12 ? 2026)":           {"2026-12-31 23:59:00", ""},
		"cron(0 12 * * ? 2020)":              {""},
		"cron(0 12 31 2 ? *)":                {""},
	} {
		s, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		at := from
		for _, due := range want {
			at = s.Next(at)
			got := ""
			if !at.IsZero() {
				got = at.Format(form)
			}
			if got != due {
				t.Errorf("%s is due %q, want %q", text, got, due)
				break
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "rate(1 minutes)", "rate(2 minute)", "rate(0 minutes)", "rate(-1 minutes)", "rate(5 seconds)", "rate(1  day)", "rate( 5 minutes)", "rate(5minutes)",
		"rate(10 weeks)", "Rate(1 day)", "cron(* * * * *)", "cron(0 10 * * * *)", "cron(0 10 ? * ? *)", "cron(60 10 * * ? *)", "cron(0 24 * * ? *)",
		"cron(0 0 0 * ? *)", "cron(0 0 ? * 8 *)", "cron(0 0 ? * 2#6 *)", "cron(0 0 * 13 ? *)", "cron(0 0 * * ? 1969)", "cron(5-1 0 * * ? *)",
		"cron(0/0 0 * * ? *)", "cron(a 0 * * ? *)", "cron(0 10 * * ? * *)", "at(2026-11-28T18:00:00)", "0 10 * * ? *",
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
