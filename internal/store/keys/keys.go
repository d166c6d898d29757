// Package keys encodes tuples of strings as store keys, so that the bytewise
// order of the keys is the order of the tuples: part by part, each part
// bytewise, and a tuple before every longer tuple that starts with it.
//
// Each part is written with 0x00 as 0x00 0xFF and closed with 0x00 0x01. The
// closing mark sorts before every continuation of a part, and no part can
// contain it, so ("a", "bc") and ("ab", "c") never meet and the range of a
// prefix holds exactly the tuples that start with it.
//
// Every room that keeps records in the store may use it. It does no I/O.
package keys

import (
	"bytes"
	"errors"
)

const (
	mark    = 0x00 // opens an escape inside a part
	escaped = 0xFF // mark escaped: a 0x00 of the part itself
	end     = 0x01 // mark end: the part is over
	pastEnd = 0x02 // sorts behind every tuple that goes on after mark end
)

// ErrMalformed is returned by Parse for bytes that no tuple encodes to.
var ErrMalformed = errors.New("keys: malformed key")

// Make returns the key of a tuple. No parts make an empty key.
func Make(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += len(p) + 2
	}
	return Append(make([]byte, 0, n), parts...)
}

// Append extends the key dst by more parts; Append(Make(a), b) is Make(a, b).
func Append(dst []byte, parts ...string) []byte {
	for _, p := range parts {
		dst = appendPart(dst, p)
	}
	return dst
}

func appendPart(dst []byte, part string) []byte {
	for i := range len(part) {
		dst = append(dst, part[i])
		if part[i] == mark {
			dst = append(dst, escaped)
		}
	}
	return append(dst, mark, end)
}

// Prefix returns the range lo <= key < hi of the tuples that start with parts,
// the tuple of parts itself included. Without parts it is every key, with
// both bounds nil.
func Prefix(parts ...string) (lo, hi []byte) {
	if len(parts) == 0 {
		return nil, nil
	}
	return PrefixOf(Make(parts...))
}

// PrefixOf is Prefix for a key already encoded. The key must not be empty.
func PrefixOf(key []byte) (lo, hi []byte) {
	hi = bytes.Clone(key)
	hi[len(hi)-1] = pastEnd
	return key, hi
}

// Parse returns the parts of a key made by this package.
func Parse(key []byte) ([]string, error) {
	var parts []string
	var part []byte
	for len(key) > 0 {
		i := bytes.IndexByte(key, mark)
		if i < 0 || i+1 == len(key) {
			return nil, ErrMalformed
		}
		part = append(part, key[:i]...)
		switch key[i+1] {
		case escaped:
			part = append(part, mark)
		case end:
			parts = append(parts, string(part))
			part = part[:0]
		default:
			return nil, ErrMalformed
		}
		key = key[i+2:]
	}
	if len(part) > 0 {
		return nil, ErrMalformed
	}
	return parts, nil
}
