package vtl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/dlclark/regexp2/v2"
)

// pattern is a regular expression in Java's dialect.
type pattern struct {
	// literal is set when the expression has no special characters, the
	// common case, and needs no engine.
	literal string
	plain   bool
	re      *regexp2.Regexp
}

// compilePattern translates what Java writes differently and refuses what
// cannot be translated.
func compilePattern(expr string) (*pattern, error) {
	if lit, ok := plainText(expr); ok {
		return &pattern{literal: lit, plain: true}, nil
	}
	translated, err := translatePattern(expr)
	if err != nil {
		return nil, err
	}
	re, err := regexp2.Compile(translated)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", expr, err)
	}
	re.MatchTimeout = maxMatch
	return &pattern{re: re}, nil
}

// plainText undoes the escapes of an expression that stands for one text only.
func plainText(expr string) (string, bool) {
	if expr == "" {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case strings.IndexByte(`.^$|?*+()[]{}`, c) >= 0:
			return "", false
		case c == '\\':
			i++
			if i == len(expr) || !isPunct(expr[i]) {
				return "", false
			}
			c = expr[i]
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

func isPunct(c byte) bool {
	return c < 0x80 && c > ' ' && !isAlpha(c) && (c < '0' || c > '9')
}

// posixClasses are Java's ASCII classes, written \p{Name} there.
var posixClasses = map[string]string{
	"Lower": "a-z", "Upper": "A-Z", "Alpha": "a-zA-Z", "Digit": "0-9",
	"Alnum": "a-zA-Z0-9", "XDigit": "0-9a-fA-F", "Space": ` \t\n\x0B\f\r`,
	"Blank": ` \t`, "Cntrl": `\x00-\x1F\x7F`, "Punct": `!-/:-@\[-` + "`{-~",
	"Graph": "!-~", "Print": " -~", "ASCII": `\x00-\x7F`,
}

const horizontalSpace = ` \t\u00A0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000`

// translatePattern rewrites POSIX classes and \h, and refuses the
// intersection of character classes.
func translatePattern(expr string) (string, error) {
	var b strings.Builder
	inClass := 0
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case c == '\\' && i+1 < len(expr):
			set, n := javaClass(expr[i:])
			if n == 0 {
				b.WriteString(expr[i : i+2])
				i++
				continue
			}
			if inClass == 0 {
				set = "[" + set + "]"
			}
			b.WriteString(set)
			i += n - 1
			continue
		case c == '[':
			inClass++
		case c == ']' && inClass > 0:
			inClass--
		case c == '&' && inClass > 0 && strings.HasPrefix(expr[i:], "&&"):
			return "", fmt.Errorf("regular expression %q: intersection of character classes is not supported", expr)
		}
		b.WriteByte(c)
	}
	return b.String(), nil
}

// javaClass returns the members of the class that s, which begins with a
// backslash, names, and the length of the name; 0 if it is none of Java's own.
func javaClass(s string) (set string, n int) {
	if s[1] == 'h' {
		return horizontalSpace, 2
	}
	if !strings.HasPrefix(s[1:], "p{") {
		return "", 0
	}
	name, _, ok := strings.Cut(s[3:], "}")
	if set = posixClasses[name]; !ok || set == "" {
		return "", 0
	}
	return set, len(name) + 4
}

// matchesAll is Java's String.matches: the whole of s.
func (p *pattern) matchesAll(s string) (bool, error) {
	if p.plain {
		return s == p.literal, nil
	}
	for m, err := p.re.FindStringMatch(s); ; m, err = p.re.FindNextMatch(m) {
		if err != nil || m == nil {
			return false, err
		}
		if at, n := m.ByteRange(); at == 0 && n == len(s) {
			return true, nil
		}
	}
}

// replace is Java's replaceAll, or replaceFirst if first is set.
func (p *pattern) replace(s, with string, first bool) (string, error) {
	if p.plain && !strings.ContainsAny(with, `\$`) {
		n := -1
		if first {
			n = 1
		}
		return p.bounded(s, with, n)
	}
	re, err := p.engine()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	last := 0
	m, err := re.FindStringMatch(s)
	for ; m != nil && err == nil; m, err = re.FindNextMatch(m) {
		at, n := m.ByteRange()
		b.WriteString(s[last:at])
		if err := expand(&b, m, with); err != nil {
			return "", err
		}
		if last = at + n; b.Len() > MaxOutput {
			return "", errOutput
		}
		if first {
			break
		}
	}
	if err != nil {
		return "", err
	}
	b.WriteString(s[last:])
	return b.String(), nil
}

// bounded is strings.Replace unless the outcome is too large.
func (p *pattern) bounded(s, with string, n int) (string, error) {
	if len(with) > len(p.literal) && len(s)+strings.Count(s, p.literal)*(len(with)-len(p.literal)) > MaxOutput {
		return "", errOutput
	}
	return strings.Replace(s, p.literal, with, n), nil
}

// engine returns the matcher, making one for a plain text.
func (p *pattern) engine() (*regexp2.Regexp, error) {
	if p.re != nil {
		return p.re, nil
	}
	return regexp2.Compile(regexp2.Escape(p.literal))
}

var errReplacement = errors.New("illegal group reference in the replacement text")

// expand writes a replacement text: $n and ${name} are groups, a backslash
// takes the next character as it is.
func expand(b *strings.Builder, m *regexp2.Match, with string) error {
	for i := 0; i < len(with); i++ {
		switch c := with[i]; c {
		case '\\':
			if i++; i == len(with) {
				return errReplacement
			}
			b.WriteByte(with[i])
		case '$':
			g, n := groupRef(m, with[i+1:])
			if g == nil {
				return errReplacement
			}
			b.WriteString(g.String())
			i += n
		default:
			b.WriteByte(c)
		}
	}
	return nil
}

// groupRef reads a group's number or name from the start of s and returns the
// group and the length read. As many digits count as still name a group.
func groupRef(m *regexp2.Match, s string) (*regexp2.Group, int) {
	if strings.HasPrefix(s, "{") {
		name, _, ok := strings.Cut(s[1:], "}")
		if !ok {
			return nil, 0
		}
		return m.GroupByName(name), len(name) + 2
	}
	var g *regexp2.Group
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		num, err := strconv.Atoi(s[:n+1])
		if err != nil || num >= m.GroupCount() {
			break
		}
		n++
		g = m.GroupByNumber(num)
	}
	return g, n
}

// split is Java's String.split: at most limit parts if that is positive, and
// without trailing empty ones if it is zero.
func (p *pattern) split(s string, limit int) ([]string, error) {
	var parts []string
	last := 0
	cut := func(at, n int) bool {
		if limit > 0 && len(parts) == limit-1 || len(parts) >= maxItems {
			return false
		}
		// An empty match at the start gives no empty part.
		if at+n > 0 && !(n == 0 && at == 0) && !(n == 0 && at == len(s)) {
			parts = append(parts, s[last:at])
			last = at + n
		}
		return true
	}
	if p.plain {
		for {
			i := strings.Index(s[last:], p.literal)
			if i < 0 || !cut(last+i, len(p.literal)) {
				break
			}
		}
	} else {
		m, err := p.re.FindStringMatch(s)
		for ; m != nil && err == nil && cut(m.ByteRange()); m, err = p.re.FindNextMatch(m) {
		}
		if err != nil {
			return nil, err
		}
	}
	if parts == nil {
		return []string{s}, nil
	}
	parts = append(parts, s[last:])
	for limit == 0 && len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts, nil
}
