package gateway

import "strings"

// substitution is a text with variables in it: an access log's format or a
// gateway response's template. Neither is VTL; variables are replaced by
// their text and that is all (developer guide, "Gateway responses in API Gateway").
type substitution []textPart

// textPart is literal text and the variable behind it.
type textPart struct {
	text     string
	group    string // one of variableGroups, or "" for text alone
	variable string // the dotted name in the group
}

const (
	contextGroup = "$context."
	stageGroup   = "$stageVariables."
	methodGroup  = "$method.request."
)

var variableGroups = [...]string{contextGroup, stageGroup, methodGroup}

func parseSubstitution(source string) substitution {
	var s substitution
	start := 0
	for i := 0; i < len(source); i++ {
		if source[i] != '$' {
			continue
		}
		for _, group := range variableGroups {
			if !strings.HasPrefix(source[i:], group) {
				continue
			}
			name := dottedName(source[i+len(group):])
			s = append(s, textPart{source[start:i], group, name})
			start = i + len(group) + len(name)
			i = start - 1
			break
		}
	}
	return append(s, textPart{text: source[start:]})
}

// dottedName is the name that s begins with; a dot ends it unless a name
// follows.
func dottedName(s string) string {
	n := 0
	for n < len(s) && (isNameByte(s[n]) || s[n] == '.' && n+1 < len(s) && isNameByte(s[n+1])) {
		n++
	}
	return s[:n]
}

func isNameByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= lower(c) && lower(c) <= 'z'
}

// expand returns the text with each variable's value; lookup gives "" for one
// that has none, which prints as missing.
func (s substitution) expand(missing string, lookup func(group, name string) string) string {
	var b strings.Builder
	for _, p := range s {
		b.WriteString(p.text)
		if p.group == "" {
			continue
		}
		if v := lookup(p.group, p.variable); v != "" {
			b.WriteString(v)
		} else {
			b.WriteString(missing)
		}
	}
	return b.String()
}
