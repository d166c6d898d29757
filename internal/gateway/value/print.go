package value

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting that is printed or compared. Documents deeper
// than this are not parsed, so only a list or map that was put into itself
// gets here; what lies below is printed as "...".
const maxDepth = 256

// AppendJava appends v as Java's toString prints it: maps as {a=b, c=d}, lists
// of a template as [a, b], lists of a JSON document as JSON, null as "null"
// (recorded from API Gateway for objects and lists of $input.path). That JSON
// has its slashes escaped, as json-smart's JSONArray.toString has them.
//
// It stops, with part of the text, soon after dst has grown past limit bytes;
// the caller compares the length.
func AppendJava(dst []byte, v Value, limit int) []byte {
	p := printer{out: dst, limit: limit, slash: true}
	p.java(v, 0)
	return p.out
}

// AppendJSON appends v as compact JSON text in source key order. Slashes stay
// as they are. The limit is that of AppendJava.
func AppendJSON(dst []byte, v Value, limit int) []byte {
	p := printer{out: dst, limit: limit}
	p.json(v, 0)
	return p.out
}

// String returns what AppendJava prints, without a limit.
func String(v Value) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(AppendJava(nil, v, math.MaxInt))
}

// AppendScalar appends the printed form of v if it is a string, number or
// bool, which need no limit of their own.
func AppendScalar(dst []byte, v Value) ([]byte, bool) {
	switch v := v.(type) {
	case string:
		return append(dst, v...), true
	case int64:
		return strconv.AppendInt(dst, v, 10), true
	case bool:
		return strconv.AppendBool(dst, v), true
	case float64:
		return AppendDouble(dst, v), true
	case *big.Int:
		return v.Append(dst, 10), true
	}
	return dst, false
}

type printer struct {
	out   []byte
	limit int
	slash bool // write / as \/ in JSON
}

func (p *printer) full(depth int) bool {
	if depth > maxDepth {
		p.out = append(p.out, "..."...)
		return true
	}
	return len(p.out) > p.limit
}

func (p *printer) java(v Value, depth int) {
	var ok bool
	if p.out, ok = AppendScalar(p.out, v); ok || p.full(depth) {
		return
	}
	switch v := v.(type) {
	case nil:
		p.out = append(p.out, "null"...)
	case *Map:
		if v.doc != nil {
			p.javaMap(v.doc, v.at, depth)
			return
		}
		p.out = append(p.out, '{')
		for i, e := range v.members {
			if i > 0 {
				p.out = append(p.out, ", "...)
			}
			p.out = append(append(p.out, e.Key...), '=')
			if e.Value == Value(v) {
				p.out = append(p.out, "(this Map)"...)
			} else {
				p.java(e.Value, depth+1)
			}
		}
		p.out = append(p.out, '}')
	case *List:
		if v.JSON {
			p.json(v, depth)
			return
		}
		p.out = append(p.out, '[')
		for i, item := range v.items {
			if i > 0 {
				p.out = append(p.out, ", "...)
			}
			if item == Value(v) {
				p.out = append(p.out, "(this Collection)"...)
				continue
			}
			p.java(item, depth+1)
		}
		p.out = append(p.out, ']')
	case Appender:
		p.out = v.AppendJava(p.out)
	}
}

func (p *printer) json(v Value, depth int) {
	if p.full(depth) {
		return
	}
	switch v := v.(type) {
	case nil:
		p.out = append(p.out, "null"...)
	case string:
		p.out = appendQuoted(p.out, v, p.slash)
	case float64:
		// JSON has no text for these; json-smart, which Jayway prints with,
		// writes null for an infinity.
		if math.IsInf(v, 0) || math.IsNaN(v) {
			p.out = append(p.out, "null"...)
			return
		}
		p.out = AppendDouble(p.out, v)
	case *Map:
		if v.doc != nil {
			p.jsonMap(v.doc, v.at, depth)
			return
		}
		p.out = append(p.out, '{')
		for i, e := range v.members {
			if i > 0 {
				p.out = append(p.out, ',')
			}
			p.out = append(appendQuoted(p.out, e.Key, p.slash), ':')
			p.json(e.Value, depth+1)
		}
		p.out = append(p.out, '}')
	case *List:
		if v.doc != nil {
			p.jsonList(v.doc, v.at, depth)
			return
		}
		p.out = append(p.out, '[')
		for i, item := range v.items {
			if i > 0 {
				p.out = append(p.out, ',')
			}
			p.json(item, depth+1)
		}
		p.out = append(p.out, ']')
	case Appender:
		p.out = appendQuoted(p.out, string(v.AppendJava(nil)), p.slash)
	default:
		p.out, _ = AppendScalar(p.out, v)
	}
}

// AppendQuoted appends s as a JSON string. Only quotes, backslashes and
// control characters are escaped, the latter as json-smart does.
func AppendQuoted(dst []byte, s string) []byte { return appendQuoted(dst, s, false) }

func appendQuoted[T string | []byte](dst []byte, s T, slash bool) []byte {
	const hex = "0123456789ABCDEF"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < 0x7f && (c != '/' || !slash) {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		esc := jsonEscape(r)
		if r == '/' {
			esc = '/'
		}
		if esc == 0 && !javaControl(r) {
			i += size
			continue
		}
		dst = append(dst, s[start:i]...)
		if esc != 0 {
			dst = append(dst, '\\', esc)
		} else {
			dst = append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		}
		i += size
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// jsonEscape returns the letter of r's two-character escape, or 0.
func jsonEscape(r rune) byte {
	switch r {
	case '"', '\\':
		return byte(r)
	case '\b':
		return 'b'
	case '\f':
		return 'f'
	case '\n':
		return 'n'
	case '\r':
		return 'r'
	case '\t':
		return 't'
	}
	return 0
}

// javaControl tells the characters that json-smart writes as \uXXXX.
func javaControl(r rune) bool {
	return r < 0x20 || r >= 0x7f && r <= 0x9f || r >= 0x2000 && r <= 0x20ff
}

// AppendDouble appends f as Java's Double.toString: always with a fraction,
// in scientific form outside 1e-3 … 1e7.
func AppendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-3 || abs >= 1e7) {
		s := strconv.FormatFloat(f, 'E', -1, 64)
		mantissa, exp, _ := strings.Cut(s, "E")
		dst = append(dst, mantissa...)
		if !strings.Contains(mantissa, ".") {
			dst = append(dst, ".0"...)
		}
		n, _ := strconv.Atoi(exp)
		return strconv.AppendInt(append(dst, 'E'), int64(n), 10)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}
