package tracing

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Mask hides the secrets of one request: what its credentials headers and
// cookies hold, wherever that turns up again (a proxy event repeats all
// headers), and the values of members whose name says that they are secret.
type Mask struct {
	known *strings.Replacer
}

// hidden stands where a secret was.
const hidden = "****"

// shortSecret is the length in bytes up to which a value is masked in its own
// header alone: replacing "1" everywhere would garble texts.
const shortSecret = 5

// NewMask learns the secrets of a request and of its answer.
func NewMask(headers ...map[string][]string) *Mask {
	var pairs []string
	learn := func(secret string) {
		if len(secret) <= shortSecret {
			return
		}
		pairs = append(pairs, secret, hidden)
		if quoted, err := json.Marshal(secret); err == nil && string(quoted[1:len(quoted)-1]) != secret {
			pairs = append(pairs, string(quoted[1:len(quoted)-1]), hidden)
		}
	}
	for _, h := range headers {
		for name, values := range h {
			for _, v := range values {
				for _, secret := range secretsOf(name, v) {
					learn(secret)
				}
			}
		}
	}
	return &Mask{strings.NewReplacer(pairs...)}
}

// secretsOf returns the secret parts of a header's value.
func secretsOf(name, value string) []string {
	switch strings.ToLower(name) {
	case "cookie":
		var out []string
		for pair := range strings.SplitSeq(value, ";") {
			if _, v, ok := strings.Cut(pair, "="); ok {
				out = append(out, strings.TrimSpace(v))
			}
		}
		return out
	case "set-cookie":
		pair, _, _ := strings.Cut(value, ";")
		_, v, _ := strings.Cut(pair, "=")
		return []string{v}
	}
	if !secretName.MatchString(name) {
		return nil
	}
	if scheme, rest, ok := strings.Cut(value, " "); ok && strings.EqualFold(name, "authorization") {
		// What stands behind "Bearer" is a secret without the scheme too.
		return []string{value, scheme + " " + rest, rest}
	}
	return []string{value}
}

// secretName matches names of headers, parameters and JSON members that hold
// secrets.
var secretName = regexp.MustCompile(`(?i)(authorization|api[-_]?key|token|secret|passw(or)?d|credential|signature|session-?_?id)`)

// secretMember finds such members with a text value in JSON, even in JSON that
// is text in other JSON, and parameters in query strings and forms.
var (
	secretMember = regexp.MustCompile(`(?i)(\\*"[\w.-]*(?:authorization|api[-_]?key|token|secret|passw(?:or)?d|credential|cookie)[\w.-]*\\*"\s*:\s*\[?\s*\\*")([^"\\]+)`)
	secretParam  = regexp.MustCompile(`(?i)((?:^|[?&;])[\w.%-]*(?:authorization|api[-_]?key|token|secret|passw(?:or)?d|credential|signature)[\w.%-]*=)([^&;\s"]+)`)
)

// Text hides secrets in a body or another text.
func (m *Mask) Text(s string) string {
	if s == "" {
		return s
	}
	s = m.known.Replace(s)
	s = secretMember.ReplaceAllString(s, "${1}"+hidden)
	return secretParam.ReplaceAllString(s, "${1}"+hidden)
}

// Header returns a copy of h without secrets. Cookies keep their names.
func (m *Mask) Header(h map[string][]string) map[string][]string {
	if len(h) == 0 {
		return nil
	}
	out := make(map[string][]string, len(h))
	for name, values := range h {
		masked := make([]string, len(values))
		for i, v := range values {
			masked[i] = m.headerValue(name, v)
		}
		out[name] = masked
	}
	return out
}

func (m *Mask) headerValue(name, value string) string {
	switch strings.ToLower(name) {
	case "cookie", "set-cookie":
		for _, secret := range secretsOf(name, value) {
			if secret != "" {
				value = strings.ReplaceAll(value, "="+secret, "="+hidden)
			}
		}
		return value
	case "authorization":
		if scheme, _, ok := strings.Cut(value, " "); ok {
			return scheme + " " + hidden
		}
	}
	if secretName.MatchString(name) {
		return hidden
	}
	return m.Text(value)
}
