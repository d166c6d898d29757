package value

import "unicode/utf8"

// AppendCompact appends what AppendJSON prints of the document that Parse
// reads from src, without making the document. It tells false, with dst as it
// was, for documents that it leaves to those two: such as are not plain JSON,
// print with other escapes or digits than they have, or might repeat a key.
func AppendCompact(dst, src []byte) ([]byte, bool) {
	c := compactor{src: src, out: dst}
	i := c.space(0)
	if i == len(src) || src[i] != '{' && src[i] != '[' {
		return dst, false
	}
	if i = c.value(i, 0); i < 0 || c.space(i) != len(src) {
		return dst, false
	}
	return append(c.out, src[c.from:]...), true
}

// maxKeys is how many members an object may have for its keys to be compared
// with each other.
const maxKeys = 32

// compactor checks a document and copies it, except for the space in it. Its
// methods go on at offset i and return the offset behind what they are named
// for, or -1 if that is not there or not plain.
type compactor struct {
	src, out []byte
	from     int // what follows is still to be copied
	// keys are those of the objects being read, of which there are so many.
	keys  [2 * maxKeys]extent
	known int
}

// extent is where a key begins and ends.
type extent struct{ start, end int32 }

// space passes over space, which must not follow other space.
func (c *compactor) space(i int) int {
	if i == len(c.src) || c.src[i] > ' ' {
		return i
	}
	c.out = append(c.out, c.src[c.from:i]...)
	for i < len(c.src) && (c.src[i] == ' ' || c.src[i] == '\n' || c.src[i] == '\t' || c.src[i] == '\r') {
		i++
	}
	c.from = i
	return i
}

// past is the byte b and the space behind it.
func (c *compactor) past(i int, b byte) int {
	if i >= len(c.src) || c.src[i] != b {
		return -1
	}
	if i++; i < len(c.src) && c.src[i] <= ' ' {
		return c.space(i)
	}
	return i
}

func (c *compactor) value(i, depth int) int {
	if i >= len(c.src) || depth >= maxDepth {
		return -1
	}
	switch c.src[i] {
	case '"':
		return c.text(i)
	case '{':
		return c.object(i, depth+1)
	case '[':
		return c.array(i, depth+1)
	}
	return c.word(i)
}

// member is a value and the space behind it, but not the end of the text.
func (c *compactor) member(i, depth int) int {
	start := i
	if i >= len(c.src) || c.src[i] != '"' {
		i = c.value(i, depth)
	} else if i = plainEnd(c.src, i+1); i < len(c.src) && c.src[i] == '"' { // as most are
		i++
	} else {
		i = c.text(start)
	}
	if i < 0 {
		return -1
	}
	if i < len(c.src) && c.src[i] <= ' ' {
		i = c.space(i)
	}
	if i == len(c.src) {
		return -1
	}
	return i
}

func (c *compactor) object(i, depth int) int {
	if i = c.past(i, '{'); i < len(c.src) && c.src[i] == '}' {
		return i + 1
	}
	base := c.known
	var seen uint64 // which sums of keys there were
	for c.known < len(c.keys) && i < len(c.src) && c.src[i] == '"' {
		start := i
		if i = plainEnd(c.src, i+1); i < len(c.src) && c.src[i] == '"' { // as most are
			i++
		} else if i = c.text(start); i < 0 {
			return -1
		}
		key := c.src[start:i]
		bit := uint64(1) << keySum(key[1:len(key)-1])
		if seen&bit != 0 && c.repeats(base, key) {
			return -1
		}
		seen |= bit
		c.keys[c.known] = extent{int32(start), int32(i)}
		c.known++
		if i+1 < len(c.src) && c.src[i] == ':' && c.src[i+1] > ' ' { // as most are
			i++
		} else if i = c.past(c.space(i), ':'); i < 0 {
			return -1
		}
		if i = c.member(i, depth); i < 0 {
			return -1
		}
		if c.src[i] == '}' {
			c.known = base
			return i + 1
		}
		if i = c.past(i, ','); i < 0 {
			return -1
		}
	}
	return -1
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

func (c *compactor) array(i, depth int) int {
	if i = c.past(i, '['); i < len(c.src) && c.src[i] == ']' {
		return i + 1
	}
	for i >= 0 {
		if i = c.member(i, depth); i < 0 {
			return -1
		}
		if c.src[i] == ']' {
			return i + 1
		}
		i = c.past(i, ',')
	}
	return -1
}

// text is a string whose escapes, if any, are those that it prints with.
func (c *compactor) text(i int) int {
	for i = plainEnd(c.src, i+1); i < len(c.src); i = plainEnd(c.src, i) {
		switch b := c.src[i]; {
		case b == '"':
			return i + 1
		case b == '\\':
			if i+1 == len(c.src) || !isPrintedEscape[c.src[i+1]] {
				return -1
			}
			i += 2
		case b < utf8.RuneSelf: // a control character
			return -1
		default:
			r, size := utf8.DecodeRune(c.src[i:])
			if javaControl(r) {
				return -1
			}
			i += size
		}
	}
	return -1
}

// isPrintedEscape tells the letters of escapes that AppendJSON writes.
var isPrintedEscape = [256]bool{'"': true, '\\': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// word is a literal or a number that prints as it is written.
func (c *compactor) word(i int) int {
	end := bareEnd(c.src, i)
	if end < 0 || c.src[i] <= '9' && !plainNumber(c.src[i:end]) {
		return -1
	}
	return end
}
