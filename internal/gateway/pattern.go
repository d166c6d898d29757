package gateway

import (
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// patternTimeout bounds a match of a pattern that needs backtracking.
const patternTimeout = 100 * time.Millisecond

// pattern is an integration response's selection pattern: a Java regular
// expression that must cover the whole text (developer guide, "Set up an
// integration response using the API Gateway console"; java.util.regex.Matcher.matches).
type pattern struct {
	linear *regexp.Regexp  // where Go's engine can run it
	full   *regexp2.Regexp // where it needs look-around, back-references and the like
}

// compilePattern translates expr. Java's dot stops at more line ends than the
// dot of both engines here, so it is spelled out.
func compilePattern(expr string) (*pattern, error) {
	whole := `\A(?:` + javaDots(expr) + `)\z`
	if re, err := regexp.Compile(whole); err == nil {
		return &pattern{linear: re}, nil
	}
	re, err := regexp2.Compile(whole)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = patternTimeout
	return &pattern{full: re}, nil
}

// match reports whether the pattern covers text. A match that takes too long
// counts as none.
func (p *pattern) match(text string) bool {
	if p.linear != nil {
		return p.linear.MatchString(text)
	}
	ok, err := p.full.MatchString(text)
	return ok && err == nil
}

// javaDot is a class of what Java's dot matches, in characters that both
// engines read alike.
const javaDot = "[^\n\r\u0085\u2028\u2029]"

// dotFlags finds (?s), (?d) and the like.
var dotFlags = regexp.MustCompile(`\(\?[a-zA-Z]*[sd]`)

// javaDots replaces each dot outside of classes, escapes and \Q…\E, unless
// the expression sets flags, which may change the dot's meaning.
func javaDots(expr string) string {
	if dotFlags.MatchString(expr) {
		return expr
	}
	var b strings.Builder
	class := 0
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; {
		case c == '\\' && strings.HasPrefix(expr[i:], `\Q`):
			end := strings.Index(expr[i:], `\E`)
			if end < 0 {
				end = len(expr[i:]) - 2
			}
			b.WriteString(expr[i : i+end+2])
			i += end + 1
		case c == '\\' && i+1 < len(expr):
			b.WriteString(expr[i : i+2])
			i++
		case c == '.' && class == 0:
			b.WriteString(javaDot)
		default:
			if c == '[' {
				class++
			} else if c == ']' && class > 0 {
				class--
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}
