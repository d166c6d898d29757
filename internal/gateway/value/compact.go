package value

import "unicode/utf8"

// AppendCompact appends what AppendJSON prints of the document that Parse
// reads from src, without making the document. It tells false, with dst as it
// was, for documents that it leaves to those two: such as are not plain JSON,
// print with other escapes or digits than they have, or might repeat a key.
func AppendCompact(dst, src []byte) ([]byte, bool) {
	c := compactor{src: src, out: dst}
	c.space()
	if c.pos == len(src) || src[c.pos] != '{' && src[c.pos] != '[' || !c.value(0) {
		return dst, false
	}
	if c.space(); c.pos != len(src) {
		return dst, false
	}
	return c.out, true
}

// maxKeys is how many members an object may have for its keys to be compared
// with each other.
const maxKeys = 32

type compactor struct {
	src, out []byte
	pos      int
}

func (c *compactor) space() {
	for c.pos < len(c.src) {
		switch c.src[c.pos] {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return
		}
	}
}

// next skips space and takes b if that follows.
func (c *compactor) next(b byte) bool {
	c.space()
	if c.pos < len(c.src) && c.src[c.pos] == b {
		c.pos++
		return true
	}
	return false
}

func (c *compactor) value(depth int) bool {
	if c.space(); c.pos == len(c.src) || depth >= maxDepth {
		return false
	}
	switch b := c.src[c.pos]; {
	case b == '{':
		return c.object(depth)
	case b == '[':
		return c.array(depth)
	case b == '"':
		return c.text()
	}
	return c.word()
}

func (c *compactor) object(depth int) bool {
	var keys [maxKeys][2]int // where each key begins and ends in src
	c.pos++
	c.out = append(c.out, '{')
	if c.next('}') {
		c.out = append(c.out, '}')
		return true
	}
	for n := 0; n < maxKeys; n++ {
		if n > 0 {
			c.out = append(c.out, ',')
		}
		if c.space(); c.pos == len(c.src) || c.src[c.pos] != '"' {
			return false
		}
		start := c.pos
		if !c.text() {
			return false
		}
		keys[n] = [2]int{start, c.pos}
		key := c.src[start:c.pos]
		for _, k := range keys[:n] {
			if string(c.src[k[0]:k[1]]) == string(key) {
				return false
			}
		}
		if !c.next(':') {
			return false
		}
		c.out = append(c.out, ':')
		if !c.value(depth + 1) {
			return false
		}
		if c.next('}') {
			c.out = append(c.out, '}')
			return true
		}
		if !c.next(',') {
			return false
		}
	}
	return false
}

func (c *compactor) array(depth int) bool {
	c.pos++
	c.out = append(c.out, '[')
	if c.next(']') {
		c.out = append(c.out, ']')
		return true
	}
	for {
		if !c.value(depth + 1) {
			return false
		}
		if c.next(']') {
			c.out = append(c.out, ']')
			return true
		}
		if !c.next(',') {
			return false
		}
		c.out = append(c.out, ',')
	}
}

// text copies a string whose escapes, if any, are those that it prints with.
func (c *compactor) text() bool {
	start := c.pos
	for c.pos++; c.pos < len(c.src); {
		switch b := c.src[c.pos]; {
		case b == '"':
			c.pos++
			c.out = append(c.out, c.src[start:c.pos]...)
			return true
		case b == '\\':
			if c.pos+1 == len(c.src) {
				return false
			}
			switch c.src[c.pos+1] {
			case '"', '\\', 'b', 'f', 'n', 'r', 't':
				c.pos += 2
			default:
				return false
			}
		case b < 0x20 || b == 0x7f:
			return false
		case b < utf8.RuneSelf:
			c.pos++
		default:
			r, size := utf8.DecodeRune(c.src[c.pos:])
			if javaControl(r) {
				return false
			}
			c.pos += size
		}
	}
	return false
}

// word copies a literal or a number that prints as it is written.
func (c *compactor) word() bool {
	start := c.pos
	for c.pos < len(c.src) && c.src[c.pos] != ',' && c.src[c.pos] != '}' && c.src[c.pos] != ']' && c.src[c.pos] > ' ' {
		c.pos++
	}
	word := c.src[start:c.pos]
	switch string(word) {
	case "true", "false", "null":
	default:
		if !plainNumber(word) {
			return false
		}
	}
	c.out = append(c.out, word...)
	return true
}

// plainNumber tells the numbers that are written as they print: integers of up
// to 18 digits, and fractions of up to 15 from 0.1 to 9999999.
func plainNumber[T []byte | string](s T) bool {
	minus := len(s) > 0 && s[0] == '-'
	if minus {
		s = s[1:]
	}
	whole := 0
	for whole < len(s) && s[whole] >= '0' && s[whole] <= '9' {
		whole++
	}
	zero := whole > 0 && s[0] == '0'
	if whole == 0 || zero && (whole > 1 || len(s) == 1) {
		return len(s) == 1 && zero && !minus
	}
	if whole == len(s) {
		return whole <= 18
	}
	fraction := s[whole+1:]
	if s[whole] != '.' || whole > 7 || len(fraction) == 0 || whole+len(fraction) > 15 || zero && fraction[0] == '0' {
		return false
	}
	for i := range len(fraction) {
		if d := fraction[i]; d < '0' || d > '9' {
			return false
		}
	}
	return len(fraction) == 1 || fraction[len(fraction)-1] != '0'
}
