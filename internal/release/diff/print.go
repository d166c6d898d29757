package diff

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// signs mark kinds of changes in texts.
var signs = map[string]string{Added: "+", Removed: "-", Changed: "~", Missing: "!"}

// headline is the change in one line.
func (c Change) headline() string {
	text := signs[c.Kind] + " " + c.Name
	switch {
	case len(c.Lines) > 0:
	case c.Before != "" && c.After != "":
		text += ": " + c.Before + " → " + c.After
	case c.Before != "":
		text += ": " + c.Before
	case c.After != "":
		text += ": " + c.After
	}
	if c.Breaking != "" {
		text += "  (breaking: " + c.Breaking + ")"
	}
	return text
}

func (r *Report) title() string {
	return fmt.Sprintf("Stage %s would get %s instead of %s", r.Stage, r.To, r.From)
}

func (r *Report) summary() string {
	switch n, b := len(r.Changes), len(r.Breaking()); {
	case n == 0:
		return "No difference."
	case b == 0:
		return differences(n) + ", none known to break clients."
	default:
		return fmt.Sprintf("%s, of which %d may break clients.", differences(n), b)
	}
}

func differences(n int) string {
	if n == 1 {
		return "1 difference"
	}
	return fmt.Sprintf("%d differences", n)
}

// Text writes the report for a terminal.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", r.title(), r.summary())
	for _, area := range areas {
		first := true
		for _, c := range r.Changes {
			if c.Area != area {
				continue
			}
			if first {
				fmt.Fprintf(&b, "\n%s\n", area)
				first = false
			}
			fmt.Fprintf(&b, "  %s\n", c.headline())
			for _, l := range c.Lines {
				fmt.Fprintf(&b, "      %s\n", l)
			}
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\nnote: %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown writes the report for a pull request.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n%s\n", r.title(), r.summary())
	for _, area := range areas {
		first := true
		for _, c := range r.Changes {
			if c.Area != area {
				continue
			}
			if first {
				fmt.Fprintf(&b, "\n#### %s\n\n", area)
				first = false
			}
			mark := ""
			if c.Breaking != "" {
				mark = "⚠️ "
			}
			fmt.Fprintf(&b, "- %s`%s`\n", mark, strings.ReplaceAll(c.headline(), "`", "'"))
			if len(c.Lines) > 0 {
				text := strings.Join(c.Lines, "\n  ")
				fence := "```"
				for strings.Contains(text, fence) {
					fence += "`"
				}
				fmt.Fprintf(&b, "  %sdiff\n  %s\n  %s\n", fence, text, fence)
			}
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\n> %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const pageHead = `<!doctype html>
<meta charset="utf-8"><title>%[1]s</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}
h1{font-size:1.3em;line-height:1.3}h2{font-size:1em;margin:1.5em 0 .3em;text-transform:uppercase;letter-spacing:.05em;color:#555}
pre{background:#f6f8fa;padding:.6em;overflow:auto;margin:.3em 0 .8em}
.add{color:#116329}.del{color:#a40e26}.breaking{color:#a40e26;font-weight:600}ul{padding-left:0;list-style:none}li{margin:.2em 0}
</style>
<h1>%[1]s</h1><p>%[2]s</p>
`

// lineClasses style the lines of texts by their first character.
var lineClasses = map[byte]string{'+': "add", '-': "del"}

// HTML writes the report as a page that needs nothing else.
func (r *Report) HTML(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, pageHead, html.EscapeString(r.title()), html.EscapeString(r.summary()))
	for _, area := range areas {
		first := true
		for _, c := range r.Changes {
			if c.Area != area {
				continue
			}
			if first {
				fmt.Fprintf(&b, "<h2>%s</h2><ul>", html.EscapeString(area))
				first = false
			}
			c.item(&b)
		}
		if !first {
			b.WriteString("</ul>\n")
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(n))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// item writes the change as an item of an HTML list.
func (c Change) item(b *strings.Builder) {
	class := ""
	if c.Breaking != "" {
		class = ` class="breaking"`
	}
	fmt.Fprintf(b, "<li%s>%s\n", class, html.EscapeString(c.headline()))
	if len(c.Lines) > 0 {
		b.WriteString("<pre>")
		for _, l := range c.Lines {
			fmt.Fprintf(b, "<span class=\"%s\">%s</span>\n", lineClasses[l[0]], html.EscapeString(l))
		}
		b.WriteString("</pre>")
	}
	b.WriteString("</li>")
}
