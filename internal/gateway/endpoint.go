package gateway

import (
	"net/url"
	"strconv"
	"strings"
)

// uriTemplate is an HTTP address, or the path of an AWS service, with {name}
// in places. Only integration.request.path.name mappings and overrides fill
// those; a path variable of the same name does not (developer guide, "Set up
// an HTTP integration").
type uriTemplate []uriPart

// uriPart is literal text and the name behind it, "" at the end.
type uriPart struct{ text, name string }

// parseURI cuts uri at its {names}; stage variables must be resolved before.
func parseURI(uri string) uriTemplate {
	var t uriTemplate
	for {
		before, after, found := strings.Cut(uri, "{")
		name, rest, closed := strings.Cut(after, "}")
		if !found || !closed {
			return append(t, uriPart{text: uri})
		}
		t = append(t, uriPart{before, strings.TrimSuffix(name, "+")})
		uri = rest
	}
}

// fill puts the mapped values in. A name without value stays as it was
// written, which makes no valid address.
func (t uriTemplate) fill(values fields) string {
	if len(t) == 1 {
		return t[0].text
	}
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.text)
		if p.name == "" {
			continue
		}
		if v := values.exact(p.name); v != nil {
			b.WriteString(escapePath(v[len(v)-1]))
		} else {
			b.WriteString("{" + p.name + "}")
		}
	}
	return b.String()
}

// parseEndpoint reads a filled-in address. The failure's cause is worded as
// the execution log of API Gateway does.
func parseEndpoint(address string) (*url.URL, *failure) {
	if i := strings.IndexAny(address, "{} \"<>\\^`|"); i >= 0 {
		return nil, configurationError("Illegal character in path at index " + strconv.Itoa(i) + ": " + address)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, configurationError("Invalid endpoint address")
	}
	return u, nil
}

// escapePath escapes what cannot stand in a path. What came from a client's
// path is escaped already, and stays as it is; so do slashes, which greedy
// variables have.
func escapePath(s string) string {
	return escape(s, func(i int) bool {
		c := s[i]
		return isUnreserved(c) || strings.IndexByte("/:@!$&'()*+,;=", c) >= 0 ||
			c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2])
	})
}

// escapeQuery escapes a name or value of a query string.
func escapeQuery(s string) string {
	return escape(s, func(i int) bool { return isUnreserved(s[i]) })
}

func escape(s string, stays func(i int) bool) string {
	const digits = "0123456789ABCDEF"
	var b []byte
	for i := 0; i < len(s); i++ {
		if stays(i) {
			if b != nil {
				b = append(b, s[i])
			}
			continue
		}
		if b == nil {
			b = append(make([]byte, 0, len(s)+8), s[:i]...)
		}
		b = append(b, '%', digits[s[i]>>4], digits[s[i]&15])
	}
	if b == nil {
		return s
	}
	return string(b)
}

func isUnreserved(c byte) bool { return isNameByte(c) || c == '-' || c == '.' || c == '~' }

// encodeQuery joins a query string that an address has already with
// parameters.
func encodeQuery(raw string, params ...fields) string {
	var b strings.Builder
	b.WriteString(raw)
	for _, f := range params {
		for _, p := range f {
			for _, v := range p.values {
				if b.Len() > 0 {
					b.WriteByte('&')
				}
				b.WriteString(escapeQuery(p.name) + "=" + escapeQuery(v))
			}
		}
	}
	return b.String()
}
