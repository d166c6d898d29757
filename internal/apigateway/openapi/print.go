package openapi

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// printJSON writes n as API Gateway prints models and exports: objects one
// member a line with a space before the colon, lists on one line.
func printJSON(b *strings.Builder, n *node, indent int) {
	if n == nil {
		b.WriteString("null")
		return
	}
	switch n.kind {
	case object:
		if len(n.keys) == 0 {
			b.WriteString("{ }")
			return
		}
		b.WriteString("{")
		for i, key := range n.keys {
			if i > 0 {
				b.WriteString(",")
			}
			newLine(b, indent+1)
			b.WriteString(quote(key) + " : ")
			printJSON(b, n.items[i], indent+1)
		}
		newLine(b, indent)
		b.WriteString("}")
	case list:
		if len(n.items) == 0 {
			b.WriteString("[ ]")
			return
		}
		b.WriteString("[ ")
		for i, item := range n.items {
			if i > 0 {
				b.WriteString(", ")
			}
			printJSON(b, item, indent)
		}
		b.WriteString(" ]")
	default:
		b.WriteString(n.scalar())
	}
}

func newLine(b *strings.Builder, indent int) {
	b.WriteString("\n" + strings.Repeat("  ", indent))
}

// scalar is a scalar as JSON.
func (n *node) scalar() string {
	switch n.kind {
	case text:
		return quote(n.text)
	case null:
		return "null"
	}
	return n.text
}

func quote(s string) string {
	q, err := jsontext.AppendQuote(nil, s)
	if err != nil { // s is not valid UTF-8
		q, _ = jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return string(q)
}

// compactJSON is n as JSON without white space.
func compactJSON(n *node) string {
	var b strings.Builder
	writeCompact(&b, n)
	return b.String()
}

func writeCompact(b *strings.Builder, n *node) {
	switch {
	case n == nil:
		b.WriteString("null")
	case n.kind == object:
		b.WriteByte('{')
		for i, key := range n.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quote(key) + ":")
			writeCompact(b, n.items[i])
		}
		b.WriteByte('}')
	case n.kind == list:
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			writeCompact(b, item)
		}
		b.WriteByte(']')
	default:
		b.WriteString(n.scalar())
	}
}

// plainKey are the keys that need no quotes in YAML. Others, such as status
// codes, would read as something else.
var (
	plainKey = regexp.MustCompile(`^(/|[A-Za-z_/$][A-Za-z0-9_./{}+$-]*)$`)
	wordKey  = regexp.MustCompile(`^(?i:true|false|null|yes|no|on|off|y|n)$`) // of YAML's own
)

// quoteYAML is quote with the characters escaped that JSON may have as they
// are and YAML may not.
func quoteYAML(s string) string {
	var b strings.Builder
	for _, r := range quote(s) {
		switch {
		case r >= 0x7f && r <= 0x9f && r != 0x85, r == 0xfeff, r == 0xfffe, r == 0xffff, r == 0x2028, r == 0x2029:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// printYAML writes n as YAML: texts quoted, lists as deep as their parent.
func printYAML(b *strings.Builder, n *node, indent int) {
	switch {
	case n.kind == object && len(n.keys) > 0:
		for i, key := range n.keys {
			if i > 0 {
				b.WriteString(strings.Repeat("  ", indent))
			}
			if !plainKey.MatchString(key) || wordKey.MatchString(key) {
				key = quoteYAML(key)
			}
			b.WriteString(key + ":")
			printYAMLMember(b, n.items[i], indent)
		}
	case n.kind == list && len(n.items) > 0:
		for i, item := range n.items {
			if i > 0 {
				b.WriteString(strings.Repeat("  ", indent))
			}
			b.WriteString("- ")
			printYAML(b, item, indent+1)
		}
	case n.kind == object:
		b.WriteString("{}\n")
	case n.kind == list:
		b.WriteString("[]\n")
	case n.kind == text:
		b.WriteString(quoteYAML(n.text) + "\n")
	default:
		b.WriteString(n.scalar() + "\n")
	}
}

func printYAMLMember(b *strings.Builder, v *node, indent int) {
	switch {
	case v.kind == object && len(v.keys) > 0:
		newLine(b, indent+1)
		printYAML(b, v, indent+1)
	case v.kind == list && len(v.items) > 0:
		newLine(b, indent)
		printYAML(b, v, indent)
	default:
		b.WriteByte(' ')
		printYAML(b, v, indent)
	}
}
