package vtl

import (
	"time"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// pattern returns the regular expression in args[0], compiled with the
// template if it was a literal.
func (c callee) pattern(arg Value) (*pattern, error) {
	if err := c.st.spend(10 + len(c.str())/16); err != nil {
		return nil, err
	}
	if c.step.pattern != nil {
		return c.step.pattern, nil
	}
	expr, ok, err := textArg(arg)
	if !ok {
		return nil, err
	}
	return compilePattern(expr)
}

// match runs fn, which matches p, and accounts for its time: no count of
// steps tells how long a regular expression takes.
func (c callee) match(p *pattern, fn func() error) error {
	if p.plain {
		return fn()
	}
	start := time.Now()
	err := fn()
	if c.st.matching += time.Since(start); err == nil && c.st.matching > maxMatching {
		return errRegex
	}
	return err
}

func stringReplaceRegex(c callee, args []Value, first bool) (Value, error) {
	with, ok, err := textArg(args[1])
	if !ok {
		return nil, err
	}
	p, err := c.pattern(args[0])
	if err != nil || p == nil {
		return nil, err
	}
	var s string
	err = c.match(p, func() (err error) {
		s, err = p.replace(c.str(), with, first)
		return err
	})
	return s, err
}

func stringSplit(c callee, args []Value) (Value, error) {
	limit, ok := intArg(args, 1, 0)
	if !ok {
		return nil, nil
	}
	p, err := c.pattern(args[0])
	if err != nil || p == nil {
		return nil, err
	}
	var parts []string
	err = c.match(p, func() (err error) {
		parts, err = p.split(c.str(), limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	items := make([]Value, len(parts))
	for i, part := range parts {
		items[i] = part
	}
	return value.NewList(items...), c.st.spend(len(parts))
}

func stringMatches(c callee, args []Value) (Value, error) {
	p, err := c.pattern(args[0])
	if err != nil || p == nil {
		return nil, err
	}
	var all bool
	err = c.match(p, func() (err error) {
		all, err = p.matchesAll(c.str())
		return err
	})
	return all, err
}
