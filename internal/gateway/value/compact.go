package value

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

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
	return append(c.out, src[c.from:]...), true
}

// maxKeys is how many members an object may have for its keys to be compared
// with each other.
const maxKeys = 32

// compactor checks a document and copies it, except for the space in it.
type compactor struct {
	src, out []byte
	pos      int
	from     int // what lies between here and pos is still to be copied
	// keys are those of the objects around pos, of which there are so many.
	keys  [2 * maxKeys]extent
	known int
}

// extent is where a key begins and ends.
type extent struct{ start, end int32 }

func (c *compactor) space() {
	if c.pos == len(c.src) || c.src[c.pos] > ' ' {
		return
	}
	c.out = append(c.out, c.src[c.from:c.pos]...)
	for c.pos < len(c.src) && (c.src[c.pos] == ' ' || c.src[c.pos] == '\n' || c.src[c.pos] == '\t' || c.src[c.pos] == '\r') {
		c.pos++
	}
	c.from = c.pos
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
	case b == '"':
		return c.text()
	case b == '{':
		return c.object(depth)
	case b == '[':
		return c.array(depth)
	}
	return c.word()
}

func (c *compactor) object(depth int) bool {
	c.pos++
	if c.next('}') {
		return true
	}
	base := c.known
	var seen uint64 // which sums of keys there were
	for c.known < len(c.keys) {
		if c.space(); c.pos == len(c.src) || c.src[c.pos] != '"' {
			return false
		}
		start := c.pos + 1
		if !c.text() {
			return false
		}
		key := c.src[start : c.pos-1]
		bit := uint64(1) << keySum(key)
		if seen&bit != 0 && c.repeats(base, key) {
			return false
		}
		seen |= bit
		c.keys[c.known] = extent{int32(start), int32(c.pos - 1)}
		c.known++
		if !c.next(':') || !c.value(depth+1) {
			return false
		}
		if c.next('}') {
			c.known = base
			return true
		}
		if !c.next(',') {
			return false
		}
	}
	return false
}

// repeats tells whether key is among the keys from base on.
func (c *compactor) repeats(base int, key []byte) bool {
	for _, k := range c.keys[base:c.known] {
		if string(c.src[k.start:k.end]) == string(key) {
			return true
		}
	}
	return false
}

func (c *compactor) array(depth int) bool {
	c.pos++
	if c.next(']') {
		return true
	}
	for c.value(depth + 1) {
		if c.next(']') {
			return true
		}
		if !c.next(',') {
			return false
		}
	}
	return false
}

// text passes over a string whose escapes, if any, are those that it prints
// with.
func (c *compactor) text() bool {
	for c.pos = plainEnd(c.src, c.pos+1); c.pos < len(c.src); c.pos = plainEnd(c.src, c.pos) {
		switch b := c.src[c.pos]; {
		case b == '"':
			c.pos++
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
		case b < utf8.RuneSelf: // a control character
			return false
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

// plainEnd returns the offset, from i on, of the first byte that is no plain
// ASCII character of a string, or src's end. It looks at eight bytes at a time.
func plainEnd(src []byte, i int) int {
	for ; i+8 <= len(src); i += 8 {
		w := binary.LittleEndian.Uint64(src[i:])
		q, b, del := w^'"'*ones, w^'\\'*ones, w^0x7f*ones
		// The lowest high bit is that of the first such byte.
		if found := ((w-0x20*ones)&^w | (q-ones)&^q | (b-ones)&^b | (del-ones)&^del | w) & highs; found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
	}
	for i < len(src) && src[i] >= 0x20 && src[i] < 0x7f && src[i] != '"' && src[i] != '\\' {
		i++
	}
	return i
}

// word passes over a literal or a number that prints as it is written.
func (c *compactor) word() bool {
	start := c.pos
	for c.pos < len(c.src) && c.src[c.pos] != ',' && c.src[c.pos] != '}' && c.src[c.pos] != ']' && c.src[c.pos] > ' ' {
		c.pos++
	}
	switch word := c.src[start:c.pos]; string(word) {
	case "true", "false", "null":
		return true
	default:
		return plainNumber(word)
	}
}

// plainNumber tells the numbers that are written as they print: integers of up
// to 18 digits, and fractions of up to 15 from 0.1 to 9999999, and 0.0.
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
	if s[whole] != '.' || whole > 7 || len(fraction) == 0 || whole+len(fraction) > 15 {
		return false
	}
	if zero && fraction[0] == '0' {
		return len(fraction) == 1 && !minus
	}
	for i := range len(fraction) {
		if d := fraction[i]; d < '0' || d > '9' {
			return false
		}
	}
	return len(fraction) == 1 || fraction[len(fraction)-1] != '0'
}
