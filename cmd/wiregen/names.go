package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func exported(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// fieldName is the Go name of a member. An error's fields must leave the
// method name Error free and spell its message the same everywhere.
func fieldName(member string, isError bool) string {
	name := exported(camelIfNeeded(member))
	if isError && name == "Error" {
		return "ErrorMember"
	}
	return name
}

func camelIfNeeded(s string) string {
	if strings.ContainsAny(s, "-_.:") {
		return camel(s)
	}
	return s
}

// camel joins the letters and digits of an enumeration value to an identifier.
func camel(s string) string {
	var b strings.Builder
	up := true
	for _, r := range s {
		switch {
		case r == '*':
			b.WriteString("All")
			up = true
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			up = true
		case up:
			b.WriteRune(unicode.ToUpper(r))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return "Empty"
	}
	return b.String()
}
