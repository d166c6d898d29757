package pattern

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// operator reads the argument of an operator.
func (r *reader) operator(name string) (rule, error) {
	switch name {
	case "exists":
		return r.exists()
	case "prefix", "suffix":
		return r.affix(name)
	case "equals-ignore-case", "wildcard", "cidr":
		t, err := r.next()
		if err != nil {
			return nil, err
		}
		return r.textual(name, name, t)
	case "anything-but":
		return r.but()
	case "numeric":
		return r.numeric()
	}
	return nil, r.invalid("Unrecognized match type %s", name)
}

func (r *reader) exists() (rule, error) {
	t, err := r.next()
	if err != nil {
		return nil, err
	}
	if t.Kind() != 't' && t.Kind() != 'f' {
		return nil, r.invalid("exists match pattern must be either true or false.")
	}
	want := t.Bool()
	// Only leaves exist (EventBridge User Guide: "exists matching").
	return func(v any, present bool) bool {
		_, object := v.(map[string]any)
		return (present && !object) == want
	}, nil
}

// affix reads the argument of prefix or suffix: a text, or {"equals-ignore-case":
// text}.
func (r *reader) affix(name string) (rule, error) {
	t, err := r.next()
	if err != nil {
		return nil, err
	}
	if t.Kind() != '{' {
		return r.textual(name, name, t)
	}
	if t, err = r.next(); err != nil {
		return nil, err
	}
	if t.Kind() != '"' || t.String() != "equals-ignore-case" {
		return nil, r.invalid("Unsupported %s pattern: %s", name, t.String())
	}
	if t, err = r.next(); err != nil {
		return nil, err
	}
	if t.Kind() != '"' {
		return nil, r.invalid("equals-ignore-case match pattern must be a string")
	}
	r.whole()
	text := strings.ToLower(t.String())
	has := strings.HasPrefix
	if name == "suffix" {
		has = strings.HasSuffix
	}
	return onText(func(v string) bool { return has(strings.ToLower(v), text) }), r.close()
}

// textual is the rule of an operator whose argument is a text; called is what
// its errors call it.
func (r *reader) textual(name, called string, t jsontext.Token) (rule, error) {
	if t.Kind() != '"' {
		if name == "cidr" {
			called = "prefix" // so says AWS's matcher
		}
		return nil, r.invalid("%s match pattern must be a string", called)
	}
	r.whole()
	text := t.String()
	switch name {
	case "prefix":
		return onText(func(v string) bool { return strings.HasPrefix(v, text) }), nil
	case "suffix":
		return onText(func(v string) bool { return strings.HasSuffix(v, text) }), nil
	case "equals-ignore-case":
		return onText(func(v string) bool { return strings.EqualFold(v, text) }), nil
	case "wildcard":
		return r.wildcard(text)
	}
	return cidr(text)
}

func onText(match func(string) bool) rule {
	return func(v any, _ bool) bool {
		text, isText := v.(string)
		return isText && match(text)
	}
}

// cidr is the rule of a block of addresses. What is wrong with one has no place
// in AWS's words.
func cidr(text string) (rule, error) {
	reason := ""
	parts := strings.Split(text, "/")
	var block netip.Prefix
	if len(parts) != 2 {
		reason = "Malformed CIDR, one '/' required"
	} else {
		bits, err := strconv.Atoi(parts[1])
		address, notOne := netip.ParseAddr(parts[0])
		switch {
		case err != nil:
			reason = "Malformed CIDR, mask bits must be an integer"
		case bits < 0:
			reason = "Malformed CIDR, mask bits must not be negative"
		case notOne != nil:
			reason = "Nonstandard IP address: " + parts[0]
		case address.Is4() && bits > 32:
			reason = "IPv4 mask bits must be < 32"
		case bits > address.BitLen():
			reason = "IPv6 mask bits must be < 128"
		}
		block = netip.PrefixFrom(address, bits)
	}
	if reason != "" {
		return nil, &invalidError{reason: reason}
	}
	return onText(func(v string) bool {
		a, err := netip.ParseAddr(v)
		return err == nil && block.Contains(a)
	}), nil
}

// wildcard compiles a text in which "*" is any number of characters; "\*" and
// "\\" are these two.
func (r *reader) wildcard(text string) (rule, error) {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && (i+1 == len(text) || text[i+1] != '*' && text[i+1] != '\\'):
			return nil, r.invalid("Invalid escape character at pos %d", i+1) // of the text with its quotes
		case c == '\\':
			i++
			part.WriteByte(text[i])
		case c == '*' && i+1 < len(text) && text[i+1] == '*':
			return nil, r.invalid("Consecutive wildcard characters at pos %d", i+1)
		case c == '*':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(c)
		}
	}
	parts = append(parts, part.String())
	return onText(func(v string) bool { return wild(parts, v) }), nil
}

// wild reports whether a text is the parts with anything between them.
func wild(parts []string, text string) bool {
	if len(parts) == 1 {
		return parts[0] == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, last)
}

// numeric reads comparisons: one, or a range from below to above.
func (r *reader) numeric() (rule, error) {
	t, err := r.next()
	if err == nil && t.Kind() != '[' {
		err = r.invalid("Value of numeric must be an array.")
	}
	if err != nil {
		return nil, err
	}
	if t, err = r.next(); err != nil {
		return nil, err
	}
	if t.Kind() != '"' {
		return nil, r.invalid("Invalid member in numeric match: %s", t.String())
	}
	r.whole()
	sign := t.String()
	first, err := r.comparison(sign, "Unrecognized numeric range operator: ")
	if err != nil {
		return nil, err
	}
	if t, err = r.next(); err != nil {
		return nil, err
	}
	switch {
	case t.Kind() == ']':
		return onNumber(first), nil
	case sign == "=":
		return nil, r.invalid("Too many elements in numeric expression")
	case sign[0] == '<':
		return nil, r.invalid("Only one key allowed in match expression")
	case t.Kind() != '"':
		return nil, r.invalid("Bad value in numeric range: %s", t.String())
	}
	r.whole()
	if !strings.HasPrefix(t.String(), "<") {
		return nil, r.invalid("Bad numeric range operator: %s", t.String())
	}
	second, err := r.comparison(t.String(), "Bad numeric range operator: ")
	if err != nil {
		return nil, err
	}
	if t, err = r.next(); err == nil && t.Kind() != ']' {
		err = r.invalid("Too many terms in numeric range expression")
	}
	return onNumber(func(n float64) bool { return first(n) && second(n) }), err
}

// comparison reads the number behind a sign; unknown is what is said of a sign
// that isn't one.
func (r *reader) comparison(sign, unknown string) (func(float64) bool, error) {
	compare := map[string]func(n, limit float64) bool{
		"=": func(n, limit float64) bool { return n == limit },
		"<": func(n, limit float64) bool { return n < limit }, "<=": func(n, limit float64) bool { return n <= limit },
		">": func(n, limit float64) bool { return n > limit }, ">=": func(n, limit float64) bool { return n >= limit },
	}[sign]
	if compare == nil {
		return nil, r.invalid("%s%s", unknown, sign)
	}
	t, err := r.next()
	if err != nil {
		return nil, err
	}
	if t.Kind() != '0' {
		if sign == "=" {
			sign = "equals"
		}
		return nil, r.invalid("Value of %s must be numeric", sign)
	}
	limit, _ := t.Float() // beyond the range it is infinite
	return func(n float64) bool { return compare(n, limit) }, nil
}

func onNumber(match func(float64) bool) rule {
	return func(v any, _ bool) bool {
		n, isNumber := v.(float64)
		return isNumber && match(n)
	}
}
