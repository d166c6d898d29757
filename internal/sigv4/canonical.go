package sigv4

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// appendCanonicalRequest appends the text whose hash is signed, around a path
// that has been made canonical already.
func appendCanonicalRequest(b []byte, r *http.Request, s *Signature, path, query, payloadHash string) []byte {
	b = append(append(b, r.Method...), '\n')
	b = append(append(b, path...), '\n')
	b = append(append(b, query...), '\n')
	for name := range strings.SplitSeq(s.signedHeaders, ";") {
		b = append(append(b, name...), ':')
		b = append(appendHeader(b, r, name), '\n')
	}
	b = append(b, '\n')
	b = append(append(b, s.signedHeaders...), '\n')
	return append(b, payloadHash...)
}

// appendHeader appends a header's values joined with commas, each trimmed and
// with runs of spaces made one. Go's server keeps some headers outside of the
// header map.
func appendHeader(b []byte, r *http.Request, name string) []byte {
	values := r.Header[headerKey(name)]
	if len(values) == 0 {
		switch name {
		case "host":
			return appendSqueezed(b, r.Host)
		case "content-length":
			if r.ContentLength >= 0 {
				return strconv.AppendInt(b, r.ContentLength, 10)
			}
		case "transfer-encoding":
			values = r.TransferEncoding
		}
	}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSqueezed(b, v)
	}
	return b
}

// headerKey is http.CanonicalHeaderKey, quick for the names that clients sign.
func headerKey(name string) string {
	switch name {
	case "host":
		return "Host"
	case "content-type":
		return "Content-Type"
	case "content-length":
		return "Content-Length"
	case "x-amz-date":
		return "X-Amz-Date"
	case "x-amz-content-sha256":
		return "X-Amz-Content-Sha256"
	case "x-amz-security-token":
		return "X-Amz-Security-Token"
	case "x-amz-target":
		return "X-Amz-Target"
	}
	return http.CanonicalHeaderKey(name)
}

func appendSqueezed(b []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	if !strings.Contains(v, "  ") {
		return append(b, v...)
	}
	for i := range len(v) {
		if v[i] != ' ' || v[i-1] != ' ' {
			b = append(b, v[i])
		}
	}
	return b
}

// canonicalQuery decodes and encodes every parameter, and sorts them by the
// encoded name, then value. The signature itself is left out.
func canonicalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	var params []string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		if key = encode(decode(key, true), false); key == "X-Amz-Signature" {
			continue
		}
		params = append(params, key+"="+encode(decode(value, true), false))
	}
	// "=" sorts behind "-", "." and the digits, which may go on a name, so
	// names are compared first.
	slices.SortFunc(params, func(a, b string) int {
		aKey, aValue, _ := strings.Cut(a, "=")
		bKey, bValue, _ := strings.Cut(b, "=")
		if c := strings.Compare(aKey, bKey); c != 0 {
			return c
		}
		return strings.Compare(aValue, bValue)
	})
	return strings.Join(params, "&")
}

// canonicalPaths lists the paths that a right client may have signed, most
// likely first. S3 signs the path as sent. The others encode it once more;
// botocore, as the specification says, removes dot segments and empty ones
// before that, the Go SDK does not.
func canonicalPaths(raw, service string) []string {
	if raw == "" {
		raw = "/"
	}
	if service == "s3" || service == "s3-object-lambda" || service == "s3-outposts" {
		if again := encode(decode(raw, false), true); again != raw {
			return []string{raw, again}
		}
		return []string{raw}
	}
	paths := []string{encode(raw, true)}
	if strings.Contains(raw, "//") || strings.Contains(raw, "/.") {
		paths = append(paths, encode(normalise(raw), true))
	}
	return paths
}

// rawPath returns the path as it stood in the request line.
func rawPath(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		return path
	}
	return r.URL.EscapedPath()
}

// normalise removes ".", ".." and empty segments and keeps a last slash.
func normalise(path string) string {
	var out []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
		default:
			out = append(out, segment)
		}
	}
	joined := "/" + strings.Join(out, "/")
	if len(out) > 0 && strings.HasSuffix(path, "/") {
		joined += "/"
	}
	return joined
}

const upperHex = "0123456789ABCDEF"

// encode escapes everything but RFC 3986's unreserved characters, and "/" if
// asked to.
func encode(s string, keepSlash bool) string {
	escapes := 0
	for i := range len(s) {
		if !plain(s[i], keepSlash) {
			escapes++
		}
	}
	if escapes == 0 {
		return s
	}
	b := make([]byte, 0, len(s)+2*escapes)
	for i := range len(s) {
		if c := s[i]; plain(c, keepSlash) {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(b)
}

func plain(c byte, keepSlash bool) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~' || keepSlash && c == '/'
}

// decode undoes percent escapes, and "+" for a space in a query; a "%" that
// starts no escape stays.
func decode(s string, query bool) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
		case c == '+' && query:
			c = ' '
		}
		b = append(b, c)
	}
	return string(b)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
