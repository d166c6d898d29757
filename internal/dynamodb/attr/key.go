package attr

import "strings"

// Key bytes sort, compared bytewise, as the values of one key attribute do in
// DynamoDB: strings and binary by their bytes, numbers by value. The encoding
// is self-delimiting, so further key parts may follow.
//
// S and B: the bytes with 0x00 written as 0x00 0xFF, ended by 0x00 0x01.
// N: a sign byte; unless zero, a biased exponent byte, then two digits a byte
// (1-100), ended by 0x00. All but the sign byte is complemented in negatives,
// so that larger magnitudes sort first.
const (
	escape    = 0x00
	escaped   = 0xFF
	terminal  = 0x01
	signMinus = 0x01
	signZero  = 0x02
	signPlus  = 0x03
	// pointBias lifts the smallest decimal point (-129) above zero.
	pointBias = 130
)

// AppendKey appends the key bytes of v, which must be an S, N or B.
func AppendKey(dst []byte, v Value) []byte {
	if v.kind == N {
		return appendNumberKey(dst, v.text)
	}
	return append(AppendKeyPrefix(dst, v.text), escape, terminal)
}

// AppendKeyPrefix appends what the key bytes of every string or binary that
// begins with text begin with.
func AppendKeyPrefix(dst []byte, text string) []byte {
	for {
		i := strings.IndexByte(text, escape)
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:i]...), escape, escaped)
		text = text[i+1:]
	}
}

func appendNumberKey(dst []byte, canonical string) []byte {
	d := takeApart(canonical)
	if d.digits == "" {
		return append(dst, signZero)
	}
	if !d.negative {
		dst = append(dst, signPlus)
	} else {
		dst = append(dst, signMinus)
	}
	start := len(dst)
	dst = append(dst, byte(d.point+pointBias))
	for i := 0; i < len(d.digits); i += 2 {
		pair := (d.digits[i] - '0') * 10
		if i+1 < len(d.digits) {
			pair += d.digits[i+1] - '0'
		}
		dst = append(dst, pair+1)
	}
	dst = append(dst, 0)
	if d.negative {
		for i := start; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
	}
	return dst
}
