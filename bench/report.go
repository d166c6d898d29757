package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/sys/unix"
)

// report is what a run found out.
type report struct {
	Date    string   `json:"date"`
	Machine machine  `json:"machine"`
	Notes   []string `json:"notes,omitempty"` // what wasn't measured and why
	Rows    []row    `json:"rows"`
}

// row is one figure. Baseline and Ratio are against Against; Ask is the bar
// that the project has set itself, in words.
type row struct {
	Name     string   `json:"name"`
	Unit     string   `json:"unit"`
	Median   float64  `json:"median"`
	Min      float64  `json:"min"`
	Max      float64  `json:"max"`
	Against  string   `json:"against,omitempty"`
	Baseline *float64 `json:"baseline"`
	Ratio    *float64 `json:"ratio"`
	Ask      string   `json:"ask,omitempty"`
	Held     *bool    `json:"held,omitempty"`
}

type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	Python string `json:"python"`
	// Load averages of the minutes before the run and at its end: with more
	// than cores, other work had a part in the figures.
	LoadBefore float64 `json:"loadBefore"`
	LoadAfter  float64 `json:"loadAfter"`
}

func describeMachine() (machine, error) {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), CPU: runtime.GOARCH}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return m, err
	}
	m.Kernel = unix.ByteSliceToString(name.Release[:])
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	var err error
	if m.LoadBefore, err = loadAverage(); err != nil {
		return m, err
	}
	if out, err := exec.Command(floorPython, "--version").Output(); err == nil {
		m.Python = strings.TrimSpace(strings.TrimPrefix(string(out), "Python "))
	}
	return m, nil
}

// loadAverage is the last minute's.
func loadAverage() (load float64, err error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		_, err = fmt.Sscan(string(text), &load)
	}
	return load, err
}

// series are the figures of one subject, round by round.
type series []float64

func (s series) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// per divides round by round.
func (s series) per(base series) series {
	out := make(series, 0, len(s))
	for i := range min(len(s), len(base)) {
		if base[i] != 0 {
			out = append(out, s[i]/base[i])
		}
	}
	return out
}

// bar is what is asked of a row: a limit on its figure or on its ratio.
type bar struct {
	zero                              bool
	atMost, ratioAtLeast, ratioAtMost float64
}

func (b bar) judge(r *row) {
	var held bool
	switch {
	case b.atMost != 0:
		r.Ask, held = fmt.Sprintf("≤ %g", b.atMost), r.Median <= b.atMost
	case b.zero:
		r.Ask, held = "none", r.Median == 0
	case b.ratioAtMost != 0:
		r.Ask, held = fmt.Sprintf("ratio ≤ %g", b.ratioAtMost), r.Ratio != nil && *r.Ratio <= b.ratioAtMost
	case b.ratioAtLeast != 0:
		r.Ask, held = fmt.Sprintf("ratio ≥ %g", b.ratioAtLeast), r.Ratio != nil && *r.Ratio >= b.ratioAtLeast
	default:
		return
	}
	r.Held = &held
}

// add puts a row into the report; against may be "" for none.
func (r *report) add(name, unit string, s series, against string, base series, ask bar) {
	out := row{Name: name, Unit: unit, Median: s.median(), Min: slices.Min(s), Max: slices.Max(s)}
	if against != "" && len(base) > 0 {
		baseline, ratio := base.median(), s.per(base).median()
		out.Against, out.Baseline, out.Ratio = against, &baseline, &ratio
	}
	ask.judge(&out)
	r.Rows = append(r.Rows, out)
}

func (r *report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

func (r *report) print(to io.Writer) {
	m := r.Machine
	fmt.Fprintf(to, "%s\n%s, %d cores, Linux %s, %s, Python %s, load %.1f before, %.1f after\n\n", r.Date, m.CPU, m.Cores, m.Kernel, m.Go, m.Python, m.LoadBefore, m.LoadAfter)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tunit\tmedian\tmin\tmax\tbaseline\tratio\task")
	for i := range r.Rows {
		row := &r.Rows[i]
		base, ratio := "", ""
		if row.Baseline != nil {
			base, ratio = figure(*row.Baseline)+" "+row.Against, fmt.Sprintf("%.2f", *row.Ratio)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			row.Name, row.Unit, figure(row.Median), figure(row.Min), figure(row.Max), base, ratio, row.verdict())
	}
	w.Flush()
	for _, note := range r.Notes {
		fmt.Fprintln(to, "note:", note)
	}
}

func (r *row) verdict() string {
	switch {
	case r.Held == nil:
		return ""
	case *r.Held:
		return r.Ask + " held"
	}
	return r.Ask + " MISSED"
}

func figure(v float64) string {
	switch {
	case v == float64(int64(v)), v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

func (r *report) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
