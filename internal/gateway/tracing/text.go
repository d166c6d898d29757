package tracing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// PrintLine writes the trace in one line, and a second one with what to do
// about a failure.
func (t *Trace) PrintLine(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s  %d  %-6s %s  %s/%s  %s  %s\n", t.Time.Format(time.DateTime), t.Response.Status, t.Request.Method,
		t.Request.Path, t.APIID, t.Stage, duration(t.DurationUS), t.RequestID)
	if err == nil && t.Failure != nil && t.Failure.Fix != "" && t.Response.Status >= 500 {
		_, err = fmt.Fprintf(w, "    → %s\n", t.Failure.Fix)
	}
	return err
}

// Print writes the trace as a person reads it, from the request to the answer.
func (t *Trace) Print(w io.Writer) error {
	p := &page{}
	p.line("%s %s%s %s → %d in %s", t.Request.Method, t.Request.Path, question(t.Request.Query), t.Request.Protocol, t.Response.Status, duration(t.DurationUS))
	p.line("request %s at %s from %s", t.RequestID, t.Time.Format(time.RFC3339Nano), t.Request.SourceIP)
	p.line("api %s, stage %s, deployment %s, trace %s", t.APIID, t.Stage, t.DeploymentID, t.TraceID)
	if f := t.Failure; f != nil {
		p.line("")
		p.line("The gateway answered itself: %s (%s)", f.Message, f.Type)
		for _, cause := range f.Cause {
			p.line("  %s", cause)
		}
		if f.Fix != "" {
			p.line("→ %s", f.Fix)
		}
	}
	p.part("request", t.Request.Header, t.Request.Body)
	if len(t.Stops) > 0 {
		p.line("\nroad")
		for _, s := range t.Stops {
			p.line("  %-13s at %-9s took %s", s.Name, duration(s.AtUS), duration(s.TookUS))
			for _, n := range s.Notes {
				p.line("    %s: %s", n.Key, n.Value)
			}
		}
	}
	if in := t.Integration; in != nil {
		p.part("integration request, "+strings.TrimSpace(in.Type+" "+in.Target), in.RequestHeader, in.Request)
		failed := ""
		if in.FunctionError {
			failed = ", function error"
		}
		p.part(fmt.Sprintf("integration answer, status %d in %s%s", in.Status, duration(in.LatencyUS), failed), nil, in.Answer)
	}
	p.part(fmt.Sprintf("answer, status %d", t.Response.Status), t.Response.Header, t.Response.Body)
	_, err := w.Write(p.Bytes())
	return err
}

// page is what is printed of a trace.
type page struct{ bytes.Buffer }

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.Buffer, format+"\n", args...) }

// part prints headers and a body under a title.
func (p *page) part(title string, header map[string][]string, body *Body) {
	p.line("\n%s", title)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, v := range header[name] {
			p.line("  %s: %s", name, v)
		}
	}
	if body == nil {
		return
	}
	text := body.Text
	if !body.Binary && !body.Truncated {
		text = indented(text)
	}
	for line := range strings.Lines(text) {
		p.line("    %s", strings.TrimRight(line, "\r\n"))
	}
	if body.Binary || body.Truncated {
		p.line("    (%d bytes in all%s)", body.Size, map[bool]string{true: ", in base64"}[body.Binary])
	}
}

// indented lays JSON out; other texts stay as they are.
func indented(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}

func question(query string) string {
	if query == "" {
		return ""
	}
	return "?" + query
}

func duration(us int64) string { return (time.Duration(us) * time.Microsecond).String() }
