package policy

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// stringMatcher is StringEquals and its relatives: the pattern has variables
// but no wildcards.
type stringMatcher struct {
	pattern glob
	fold    bool
}

func compileString(text string, vars bool) (matcher, bool) {
	g, ok := compileGlob(text, false, vars)
	return &stringMatcher{pattern: g}, ok
}

func compileStringFold(text string, vars bool) (matcher, bool) {
	g, ok := compileGlob(text, false, vars)
	return &stringMatcher{pattern: g, fold: true}, ok
}

func (m *stringMatcher) match(value string, ctx Context) bool {
	want, ok := m.pattern.plain(ctx)
	if !ok {
		return false
	}
	if m.fold {
		return strings.EqualFold(want, value)
	}
	return want == value
}

// likeMatcher is StringLike.
type likeMatcher struct{ pattern glob }

func compileStringLike(text string, vars bool) (matcher, bool) {
	g, ok := compileGlob(text, true, vars)
	return &likeMatcher{pattern: g}, ok
}

func (m *likeMatcher) match(value string, ctx Context) bool { return m.pattern.match(value, ctx) }

// ordering accepts the result of comparing the request's value with the
// policy's.
type ordering func(int) bool

func equal(c int) bool        { return c == 0 }
func less(c int) bool         { return c < 0 }
func lessEqual(c int) bool    { return c <= 0 }
func greater(c int) bool      { return c > 0 }
func greaterEqual(c int) bool { return c >= 0 }

// orderMatcher compares numbers or dates, both read into a float64 or a
// time. The policy's value is read at match time only if it has variables.
type orderMatcher[T any] struct {
	pattern glob
	fixed   T
	isFixed bool
	accept  ordering
	parse   func(string) (T, bool)
	compare func(a, b T) int
}

func (m *orderMatcher[T]) match(value string, ctx Context) bool {
	want := m.fixed
	if !m.isFixed {
		text, ok := m.pattern.plain(ctx)
		if !ok {
			return false
		}
		if want, ok = m.parse(text); !ok {
			return false
		}
	}
	got, ok := m.parse(value)
	return ok && m.accept(m.compare(got, want))
}

func compileOrder[T any](text string, vars bool, m orderMatcher[T]) (matcher, bool) {
	g, ok := compileGlob(text, false, vars)
	m.pattern = g
	if ok && !g.hasVars {
		m.fixed, m.isFixed = m.parse(text)
	}
	return &m, ok
}

func numericOp(accept ordering) func(string, bool) (matcher, bool) {
	return func(text string, vars bool) (matcher, bool) {
		return compileOrder(text, vars, orderMatcher[float64]{
			accept: accept, parse: parseNumber, compare: cmp.Compare[float64],
		})
	}
}

func dateOp(accept ordering) func(string, bool) (matcher, bool) {
	return func(text string, vars bool) (matcher, bool) {
		return compileOrder(text, vars, orderMatcher[time.Time]{
			accept: accept, parse: parseDate, compare: time.Time.Compare,
		})
	}
}

func parseNumber(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// dateLayouts are the W3C forms of ISO 8601 that IAM takes. Go reads a
// fraction of a second behind "05" by itself.
var dateLayouts = []string{
	time.RFC3339,
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02",
	"2006-01",
}

// parseDate reads an ISO 8601 date or seconds since 1970.
func parseDate(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(n, 0), true
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, strings.ToUpper(s)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// binaryMatcher compares bytes, both sides given in base64.
type binaryMatcher struct{ want []byte }

func compileBinary(text string, _ bool) (matcher, bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, false
	}
	return &binaryMatcher{want: b}, true
}

func (m *binaryMatcher) match(value string, _ Context) bool {
	b, err := base64.StdEncoding.DecodeString(value)
	return err == nil && bytes.Equal(b, m.want)
}

// ipMatcher tests an address against an address or a CIDR range.
type ipMatcher struct {
	pattern glob
	fixed   netip.Prefix
	isFixed bool
}

func compileIP(text string, vars bool) (matcher, bool) {
	g, ok := compileGlob(text, false, vars)
	m := &ipMatcher{pattern: g}
	if ok && !g.hasVars {
		m.fixed, m.isFixed = parsePrefix(text)
	}
	return m, ok
}

func (m *ipMatcher) match(value string, ctx Context) bool {
	want := m.fixed
	if !m.isFixed {
		text, ok := m.pattern.plain(ctx)
		if !ok {
			return false
		}
		if want, ok = parsePrefix(text); !ok {
			return false
		}
	}
	addr, err := netip.ParseAddr(value)
	return err == nil && want.Contains(addr.Unmap())
}

func parsePrefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), true
}

// arnMatcher compares ARNs part by part: a wildcard never reaches over one of
// the first five colons. ArnEquals and ArnLike behave the same.
type arnMatcher struct{ parts [6]glob }

func compileARN(text string, vars bool) (matcher, bool) {
	pieces := splitARN(text, vars)
	m := &arnMatcher{}
	if len(pieces) == 1 && text == "*" {
		pieces = []string{"*", "*", "*", "*", "*", "*"}
	}
	if len(pieces) != 6 {
		return neverMatcher{}, true // IAM stores such values; no ARN is like them
	}
	for i, piece := range pieces {
		g, ok := compileGlob(piece, true, vars)
		if !ok {
			return nil, false
		}
		m.parts[i] = g
	}
	return m, true
}

// splitARN cuts at the first five colons that are not inside ${…}.
func splitARN(s string, vars bool) []string {
	var out []string
	start := 0
	for i := 0; i < len(s) && len(out) < 5; i++ {
		if vars && strings.HasPrefix(s[i:], "${") {
			if end := variableEnd(s[i:]); end > 0 {
				i += end
				continue
			}
		}
		if s[i] == ':' {
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

func (m *arnMatcher) match(value string, ctx Context) bool {
	for i := range m.parts {
		part := value
		if i < 5 {
			var found bool
			if part, value, found = strings.Cut(value, ":"); !found {
				return false
			}
		}
		if !m.parts[i].match(part, ctx) {
			return false
		}
	}
	return true
}

type neverMatcher struct{}

func (neverMatcher) match(string, Context) bool { return false }
