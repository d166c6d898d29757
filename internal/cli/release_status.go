package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/release"
	"github.com/butai-dev/butai/internal/release/config"
)

// releaseStatusCommand shows the stages side by side.
func (a *app) releaseStatusCommand(o *releaseOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the stages side by side",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			all, err := e.Status(cmd.Context())
			if err != nil {
				return err
			}
			if o.json {
				return a.printJSON(all)
			}
			return a.showStatus(e, all)
		},
	}
}

func stageNames(stages []config.Stage) string {
	var names []string
	for _, s := range stages {
		names = append(names, s.Name)
	}
	return strings.Join(names, " → ")
}

// fact is a row of the table of stages: a name, and what is so in each stage.
// A row that is empty for all of them isn't printed.
type fact struct {
	name string
	of   func(s *release.StageStatus) string
}

// showStatus prints a row a fact and a column a stage.
func (a *app) showStatus(e *release.Engine, all []release.StageStatus) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', 0)
	for _, f := range facts(e.Config, e.Clock.Now()) {
		cells := []string{f.name}
		empty := true
		for i := range all {
			c := f.of(&all[i])
			empty = empty && c == ""
			cells = append(cells, c)
		}
		if !empty {
			fmt.Fprintln(w, strings.Join(cells, "\t"))
		}
	}
	return w.Flush()
}

// facts lists the rows of the table.
func facts(c *config.File, now time.Time) []fact {
	rows := []fact{
		{"API " + c.API, func(s *release.StageStatus) string { return strings.ToUpper(s.Stage) }},
		{"deployment", func(s *release.StageStatus) string {
			if s.Missing {
				return "(no such stage)"
			}
			return s.Pair.Deployment + ", " + age(now, s.Deployed)
		}},
	}
	for _, fn := range c.Functions {
		rows = append(rows,
			fact{fn, func(s *release.StageStatus) string { return versionCell(s, fn) }},
			fact{"  code", func(s *release.StageStatus) string { return short(s.Pair.Code[fn]) }},
			fact{"  made", func(s *release.StageStatus) string { return made(now, s.Modified[fn]) }})
	}
	return append(rows,
		fact{"variables", func(s *release.StageStatus) string { return variables(s.Pair.Variables) }},
		fact{"canary", canaryCell},
		fact{"release", func(s *release.StageStatus) string { return releaseCell(s, now) }},
		fact{"frozen", func(s *release.StageStatus) string {
			if s.Frozen == nil {
				return ""
			}
			return s.Frozen.Reason + " (" + s.Frozen.Who + ")"
		}},
		fact{"last 15 min", func(s *release.StageStatus) string {
			if s.Numbers == nil {
				return "unknown"
			}
			return count(s.Numbers.Requests, "request") + ", " + count(s.Numbers.Errors, "error")
		}},
		fact{"p50, p99", func(s *release.StageStatus) string {
			if s.Numbers == nil || s.Numbers.Requests == 0 {
				return ""
			}
			return fmt.Sprintf("%.0f ms, %.0f ms", s.Numbers.P50, s.Numbers.P99)
		}},
		fact{"url", func(s *release.StageStatus) string { return s.URL }})
}

func versionCell(s *release.StageStatus, fn string) string {
	text := s.Alias + " → " + orDash(s.Pair.Versions[fn])
	if w := s.Weights[fn]; w != "" {
		text += " (" + w + ")"
	}
	return text
}

func canaryCell(s *release.StageStatus) string {
	if s.Canary == nil {
		return ""
	}
	return fmt.Sprintf("%g%% on %s %s", s.Canary.Percent, s.Canary.Deployment, variables(s.Canary.Overrides))
}

func releaseCell(s *release.StageStatus, now time.Time) string {
	switch {
	case s.Open != nil:
		return strings.TrimSuffix(fmt.Sprintf("%d, %s: %s", s.Open.Number, s.Open.Status, s.Open.Reason), ": ")
	case s.Last != nil:
		return fmt.Sprintf("%d, %s", s.Last.Number, age(now, s.Last.Ended))
	}
	return "none"
}

// count is a number of things in words.
func count(n float64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%.0f %ss", n, thing)
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// shortHash is how much of a CodeSha256 is shown.
const shortHash = 12

func short(hash string) string { return hash[:min(shortHash, len(hash))] }

func variables(m map[string]string) string {
	var parts []string
	for _, name := range sortedNames(m) {
		parts = append(parts, name+"="+m[name])
	}
	return strings.Join(parts, " ")
}

// made reads the time of Lambda's LastModified.
func made(now time.Time, text string) string {
	t, err := time.Parse("2006-01-02T15:04:05.000-0700", text)
	if err != nil {
		return text
	}
	return age(now, t)
}

const day = 24 * time.Hour

func age(now, t time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return "at an unknown time"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 2*day:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d/day))
	}
}
