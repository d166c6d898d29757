package value

import (
	"encoding/binary"
	"math/bits"
)

// stringEnd returns the offset of the quote that ends the string whose text
// begins at i, and whether there are escapes before it; or -1 if the string
// does not end or has an escape that JSON has not.
func stringEnd(src []byte, i int) (end int, escaped bool) {
	for {
		i = quoteOrBackslash(src, i)
		if i >= len(src) {
			return -1, escaped
		}
		if src[i] == '"' {
			return i, escaped
		}
		escaped = true
		n := escapeLen(src[i+1:])
		if n == 0 {
			return -1, true
		}
		i += 1 + n
	}
}

// escapeLen is the length of the escape that s begins with, behind its
// backslash; 0 for what is none.
func escapeLen(s []byte) int {
	if len(s) == 0 {
		return 0
	}
	if escapedByte(s[0]) != 0 {
		return 1
	}
	for i := 1; i < 5; i++ {
		if s[0] != 'u' || i == len(s) || !isHex(s[i]) {
			return 0
		}
	}
	return 5
}

// escapedByte is what JSON's escapes of one letter stand for; 0 for others.
func escapedByte(letter byte) byte {
	switch letter {
	case '"', '\\', '/':
		return letter
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// ones and highs are eight bytes of a word.
const ones, highs = 0x0101010101010101, 0x8080808080808080

// quoteOrBackslash returns the offset of the first of the two from i on, or
// some offset behind src's end. It looks at eight bytes at a time.
func quoteOrBackslash(src []byte, i int) int {
	for ; i+8 <= len(src); i += 8 {
		w := binary.LittleEndian.Uint64(src[i:])
		q, b := w^'"'*ones, w^'\\'*ones
		// The lowest high bit is that of the first byte that became zero.
		if found := ((q-ones)&^q | (b-ones)&^b) & highs; found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
	}
	for i < len(src) && src[i] != '"' && src[i] != '\\' {
		i++
	}
	return i
}

// bareEnd returns the offset behind the number or literal at i, or -1.
func bareEnd(src []byte, i int) int {
	switch c := src[i]; {
	case c == '-' || c >= '0' && c <= '9':
		for i < len(src) && isNumeric[src[i]] {
			i++
		}
		return i
	case c == 't' && literal(src[i:], "true"), c == 'n' && literal(src[i:], "null"):
		return i + 4
	case c == 'f' && literal(src[i:], "false"):
		return i + 5
	}
	return -1
}

func literal(s []byte, word string) bool { return len(s) >= len(word) && string(s[:len(word)]) == word }

// isNumeric tells the bytes that numbers are written with.
var isNumeric = func() (is [256]bool) {
	for _, c := range "0123456789+-.eE" {
		is[c] = true
	}
	return is
}()

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
