// Package pattern matches log events with CloudWatch Logs' filter patterns
// (CloudWatch Logs User Guide, "Filter pattern syntax for metric filters,
// subscription filters, filter log events, and Live Tail"): terms, phrases,
// regular expressions and JSON selectors. It does no I/O.
package pattern

import (
	"errors"
	"strings"
)

// ErrDelimited says that the pattern describes space-delimited fields, which
// aren't built.
var ErrDelimited = errors.New("space-delimited patterns in [ ] aren't supported by butai yet")

// Pattern is a compiled filter pattern. It is immutable.
type Pattern struct {
	terms *terms
	json  node
}

// Parse compiles a filter pattern; an empty one matches every event.
func Parse(text string) (*Pattern, error) {
	text = strings.TrimSpace(text)
	var p Pattern
	var err error
	switch {
	case strings.HasPrefix(text, "["):
		return nil, ErrDelimited
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
	if p.terms != nil {
		return p.terms.match(message)
	}
	return matchJSON(p.json, message)
}
