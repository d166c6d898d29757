// Package pattern matches log events with CloudWatch Logs' filter patterns
// (CloudWatch Logs User Guide, "Filter pattern syntax for metric filters,
// subscription filters, filter log events, and Live Tail"): terms, phrases,
// regular expressions, JSON selectors and space-delimited fields. It does no I/O.
package pattern

import "strings"

// Pattern is a compiled filter pattern. It is immutable.
type Pattern struct {
	terms     *terms
	json      node
	delimited *delimited
}

// Parse compiles a filter pattern; an empty one matches every event.
func Parse(text string) (*Pattern, error) {
	text = strings.TrimSpace(text)
	var p Pattern
	var err error
	switch {
	case strings.HasPrefix(text, "["):
		p.delimited, err = parseDelimited(text)
	case strings.HasPrefix(text, "{"):
		p.json, err = parseJSON(text)
	default:
		p.terms, err = parseTerms(text)
	}
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Matches reports whether the pattern selects an event.
func (p *Pattern) Matches(message string) bool {
	switch {
	case p.terms != nil:
		return p.terms.match(message)
	case p.delimited != nil:
		return p.delimited.values(message) != nil
	}
	return matchJSON(p.json, message)
}
