package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/butai-dev/butai/internal/release"
	"github.com/butai-dev/butai/internal/release/plan"
)

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// progress shows a release as it happens. On a terminal the last line moves;
// elsewhere each thing is a line of its own.
type progress struct {
	out   io.Writer
	json  bool
	live  bool
	drawn bool // a moving line stands on the terminal
	width int  // of the terminal, in columns
	// latencies and errors feed the sparklines while requests shift: of the
	// checks, or of the new versions where metrics are compared.
	latencies, errors []float64
	function          string            // whose metrics were compared last
	numbers           []release.Numbers // and what they were: old, new
}

func (a *app) progress(o *releaseOptions) *progress {
	p := &progress{out: a.out, json: o.json}
	if f, ok := a.out.(*os.File); ok && !o.json {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			p.live, p.width = true, columns
		}
	}
	return p
}

// ANSI: back to the start of the line and clear it.
const eraseLine = "\r\x1b[K"

func (p *progress) line(format string, args ...any) {
	if p.drawn {
		fmt.Fprint(p.out, eraseLine)
		p.drawn = false
	}
	fmt.Fprintf(p.out, format+"\n", args...)
}

func (p *progress) moving(format string, args ...any) {
	if p.live {
		text := []rune(fmt.Sprintf(format, args...)) // a line that wraps couldn't be erased
		fmt.Fprint(p.out, eraseLine+string(text[:min(len(text), max(0, p.width-1))]))
		p.drawn = true
	}
}

func (p *progress) end() {
	if p.drawn {
		fmt.Fprintln(p.out)
		p.drawn = false
	}
}

const barWidth = 20

func bar(part, whole int) string {
	n := 0
	if whole > 0 {
		n = part * barWidth / whole
	}
	return strings.Repeat("█", n) + strings.Repeat("░", barWidth-n)
}

// sparks draws numbers as a line of small bars.
func sparks(values []float64) string {
	const levels = "▁▂▃▄▅▆▇█"
	steps := []rune(levels)
	top := slices.Max(append([]float64{0}, values...))
	var b strings.Builder
	for _, v := range values {
		i := 0
		if top > 0 {
			i = int(v / top * float64(len(steps)-1))
		}
		b.WriteRune(steps[i])
	}
	return b.String()
}

// sparkLength is how many rounds the sparkline remembers.
const sparkLength = 30

func (p *progress) tell(e release.Progress) {
	if p.json {
		_ = json.NewEncoder(p.out).Encode(e)
		return
	}
	p.remember(&e)
	switch e.Event {
	case "begin":
		p.moving("release %d of %s  %s %d/%d  %s", e.Release, e.Stage, bar(e.Step, e.Steps), e.Step, e.Steps, e.Name)
	case "wait":
		p.moving("release %d of %s  %s %d/%d  %s, %s left  %s", e.Release, e.Stage, bar(e.Step, e.Steps), e.Step, e.Steps,
			e.Name, e.Left.Round(time.Second), p.trend())
	case "done":
		if len(p.numbers) > 0 && p.live {
			p.metrics()
		}
		p.latencies, p.errors, p.numbers = nil, nil, nil
		text := e.Text
		if n := len(e.Results); n > 0 {
			text = strings.TrimSpace(fmt.Sprintf("%s %d of %d checks passed", text, passed(e.Results), n))
		}
		p.line("  %-14s %8s  %s", e.Name, e.Took.Round(time.Millisecond), text)
	case "metrics":
		if !p.live {
			p.metrics()
		}
	case "restoring":
		p.line("  bringing %s back: %s", e.Stage, e.Text)
	case "ended":
		p.line("release %d of stage %s: %s", e.Release, e.Stage, e.Text)
	}
}

// remember takes what the sparklines show.
func (p *progress) remember(e *release.Progress) {
	if e.Event == "metrics" {
		if len(p.numbers) == 0 {
			p.latencies = nil // those of the checks
		}
		p.function, p.numbers = e.Name, e.Numbers
		p.latencies, p.errors = append(p.latencies, e.Numbers[1].P99), append(p.errors, e.Numbers[1].Rate())
	}
	for _, r := range e.Results {
		if r.Seconds > 0 && len(p.numbers) == 0 {
			p.latencies = append(p.latencies, r.Seconds)
		}
	}
	p.latencies = p.latencies[max(0, len(p.latencies)-sparkLength):]
	p.errors = p.errors[max(0, len(p.errors)-sparkLength):]
}

// trend is how latency and errors went while requests shifted.
func (p *progress) trend() string {
	if len(p.numbers) == 0 {
		return sparks(p.latencies)
	}
	before, after := &p.numbers[0], &p.numbers[1]
	const percent = 100
	return fmt.Sprintf("p99 %.0f → %.0f ms %s  errors %.2f → %.2f%% %s", before.P99, after.P99, sparks(p.latencies),
		before.Rate()*percent, after.Rate()*percent, sparks(p.errors))
}

// metrics prints what was compared last.
func (p *progress) metrics() {
	p.line("  metrics of %s: old %s; new %s", p.function, &p.numbers[0], &p.numbers[1])
}

func passed(results []plan.Result) int {
	n := 0
	for _, r := range results {
		if r.Verdict == plan.Passed {
			n++
		}
	}
	return n
}
