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
	// latencies and errors feed the sparkline while requests shift.
	latencies []float64
}

func (a *app) progress(o *releaseOptions) *progress {
	p := &progress{out: a.out, json: o.json}
	if f, ok := a.out.(*os.File); ok && !o.json {
		p.live = term.IsTerminal(int(f.Fd()))
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
		fmt.Fprintf(p.out, eraseLine+format, args...)
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
	for _, r := range e.Results {
		if r.Seconds > 0 {
			p.latencies = append(p.latencies, r.Seconds)
		}
	}
	p.latencies = p.latencies[max(0, len(p.latencies)-sparkLength):]
	switch e.Event {
	case "begin":
		p.moving("release %d of %s  %s %d/%d  %s", e.Release, e.Stage, bar(e.Step, e.Steps), e.Step, e.Steps, e.Name)
	case "wait":
		p.moving("release %d of %s  %s %d/%d  %s, %s left  %s", e.Release, e.Stage, bar(e.Step, e.Steps), e.Step, e.Steps,
			e.Name, e.Left.Round(time.Second), sparks(p.latencies))
	case "done":
		text := e.Text
		if n := len(e.Results); n > 0 {
			text = strings.TrimSpace(fmt.Sprintf("%s %d of %d checks passed", text, passed(e.Results), n))
		}
		p.line("  %-14s %8s  %s", e.Name, e.Took.Round(time.Millisecond), text)
	case "metrics":
		p.line("  metrics of %s: old %s; new %s", e.Name, &e.Numbers[0], &e.Numbers[1])
	case "restoring":
		p.line("  bringing %s back: %s", e.Stage, e.Text)
	case "ended":
		p.line("release %d of stage %s: %s", e.Release, e.Stage, e.Text)
	}
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
