package attr

import (
	"errors"
	"strings"
)

// errKey reports bytes that AppendKey did not write.
var errKey = errors.New("attr: malformed key bytes")

// DecodeKey undoes AppendKey: that it can shows that no two values share their
// bytes, and that the bytes of a value end by themselves. It reads a value of
// the given kind from the front of b and returns what follows.
func DecodeKey(b []byte, kind Kind) (v Value, rest []byte, err error) {
	switch kind {
	case N:
		return decodeNumberKey(b)
	case S, B:
		var text strings.Builder
		for i := 0; i < len(b); i++ {
			if b[i] != escape {
				text.WriteByte(b[i])
				continue
			}
			i++
			if i == len(b) {
				break
			}
			if b[i] == terminal {
				return Value{kind: kind, text: text.String()}, b[i+1:], nil
			}
			text.WriteByte(escape)
		}
	}
	return Value{}, nil, errKey
}

func decodeNumberKey(b []byte) (Value, []byte, error) {
	if len(b) == 0 {
		return Value{}, nil, errKey
	}
	var flip byte
	d := decimal{negative: b[0] == signMinus}
	switch b[0] {
	case signZero:
		return Value{kind: N, text: "0"}, b[1:], nil
	case signMinus:
		flip = 0xFF
	case signPlus:
	default:
		return Value{}, nil, errKey
	}
	if len(b) < 2 {
		return Value{}, nil, errKey
	}
	d.point = int(b[1]^flip) - pointBias
	var digits []byte
	for i, c := range b[2:] {
		c ^= flip
		if c == 0 {
			d.digits = strings.TrimRight(string(digits), "0")
			return Value{kind: N, text: d.canonical()}, b[i+3:], nil
		}
		if c > 100 {
			break
		}
		digits = append(digits, '0'+(c-1)/10, '0'+(c-1)%10)
	}
	return Value{}, nil, errKey
}
