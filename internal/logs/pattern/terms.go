package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// terms is a pattern for unstructured events. Any is only kept when nothing
// else is: with other terms beside them, optional ones have no say.
type terms struct {
	all, none, any []term
}

// term is text to find or, if re is set, an expression to match.
type term struct {
	text string
	re   *regexp.Regexp
}

func (t term) in(message string) bool {
	if t.re != nil {
		return t.re.MatchString(message)
	}
	return strings.Contains(message, t.text)
}

func (t *terms) match(message string) bool {
	for _, x := range t.all {
		if !x.in(message) {
			return false
		}
	}
	for _, x := range t.none {
		if x.in(message) {
			return false
		}
	}
	for _, x := range t.any {
		if x.in(message) {
			return true
		}
	}
	return len(t.any) == 0
}

func parseTerms(text string) (*terms, error) {
	var t terms
	for {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		if text == "" {
			break
		}
		into := &t.all
		switch text[0] {
		case '-':
			into, text = &t.none, text[1:]
		case '?':
			into, text = &t.any, text[1:]
		}
		x, rest, err := parseTerm(text)
		if err != nil {
			return nil, err
		}
		*into, text = append(*into, x), rest
	}
	if len(t.all)+len(t.none) > 0 {
		t.any = nil
	}
	return &t, nil
}

// parseTerm reads a quoted phrase, a %regular expression% or a word.
func parseTerm(text string) (x term, rest string, err error) {
	switch {
	case strings.HasPrefix(text, `"`):
		x.text, rest, err = quoted(text)
	case strings.HasPrefix(text, "%"):
		x.re, rest, err = expression(text)
	default:
		end := strings.IndexFunc(text, unicode.IsSpace)
		if end < 0 {
			end = len(text)
		}
		x.text, rest = text[:end], text[end:]
		for _, r := range x.text {
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
				return x, "", fmt.Errorf("terms with other characters than letters, digits and _ need double quotes: %s", x.text)
			}
		}
		if x.text == "" {
			err = errors.New("a sign without a term")
		}
	}
	return x, rest, err
}

// quoted reads a string in double quotes, in which a backslash escapes.
func quoted(text string) (value, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case c == '"':
			return b.String(), text[i+1:], nil
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errors.New("a double quote isn't closed")
}

// expressionForm is what an expression may be made of (User Guide, "Supported
// regular expressions (regex) syntax"): no groups, no multi-byte characters.
var expressionForm = regexp.MustCompile(`^(?:[A-Za-z0-9_#=@/;,:\- ^$?\[\]{}|*+.]|\\[ -~])+$`)

// expression reads a regular expression between percent signs.
func expression(text string) (re *regexp.Regexp, rest string, err error) {
	end := strings.Index(text[1:], "%")
	if end < 0 {
		return nil, "", errors.New("a percent sign isn't closed")
	}
	source := text[1 : 1+end]
	if !expressionForm.MatchString(source) {
		return nil, "", fmt.Errorf("unsupported characters in the regular expression %s", source)
	}
	re, err = regexp.Compile(source)
	return re, text[end+2:], err
}
