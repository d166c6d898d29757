package vtl

import (
	"cmp"
	"strings"
	"unicode/utf16"
)

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func units(s string) []uint16 { return utf16.Encode([]rune(s)) }

func javaLen(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// offset turns a byte offset in s into one in UTF-16 units.
func offset(s string, i int) Value {
	if i < 0 {
		return int64(-1)
	}
	return int64(javaLen(s[:i]))
}

// slice is s from unit a to unit b; false if Java would throw.
func slice(s string, a, b int) (string, bool) {
	if isASCII(s) {
		if a < 0 || b > len(s) || a > b {
			return "", false
		}
		return s[a:b], true
	}
	u := units(s)
	if a < 0 || b > len(u) || a > b {
		return "", false
	}
	return string(utf16.Decode(u[a:b])), true
}

func equalFold(s, t string) bool { return strings.EqualFold(s, t) }

// javaCompare is String.compareTo: the difference of the first units that
// differ, or of the lengths.
func javaCompare(s, t string) int {
	a, b := units(s), units(t)
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return cmp.Compare(len(a), len(b)) * abs(len(a)-len(b))
}

func abs(n int) int { return max(n, -n) }

// javaHash is String.hashCode.
func javaHash(s string) int32 {
	var h int32
	for _, u := range units(s) {
		h = 31*h + int32(u)
	}
	return h
}
