// Package ident makes the random identifiers that AWS hands out: request ids,
// resource ids, access keys. It is the only room that reads randomness.
package ident

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"

	"github.com/google/uuid"
)

const (
	lowerAlnum = "abcdefghijklmnopqrstuvwxyz0123456789"
	upperAlnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	mixedAlnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// UUID returns a random (version 4) UUID in its 36-character form.
func UUID() string {
	var id uuid.UUID
	reserve{}.Read(id[:])
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // RFC 9562's variant
	return id.String()
}

// Lower returns n characters of [a-z0-9], as API Gateway uses for ids.
func Lower(n int) string { return pick(lowerAlnum, n) }

// Upper returns n characters of [A-Z2-7], as IAM uses behind id prefixes.
func Upper(n int) string { return pick(upperAlnum, n) }

// Mixed returns n characters of [A-Za-z0-9], as IAM uses for secret keys.
func Mixed(n int) string { return pick(mixedAlnum, n) }

// Hex returns n random bytes as 2n lower-case hexadecimal digits.
func Hex(n int) string {
	return hex.EncodeToString(reserved(n))
}

// AppendHex appends what Hex returns, of 16 bytes at most.
func AppendHex(b []byte, n int) []byte {
	var space [16]byte
	reserve{}.Read(space[:n])
	return hex.AppendEncode(b, space[:n])
}

// Base64 returns n random bytes in standard, padded base64.
func Base64(n int) string { return base64.StdEncoding.EncodeToString(reserved(n)) }

// Bytes returns n random bytes.
func Bytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails since Go 1.24
	return b
}

// Float64 returns a uniform random number in [0, 1).
func Float64() float64 {
	b := reserved(8)
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return float64(v>>11) / (1 << 53)
}

func pick(alphabet string, n int) string {
	b := Bytes(n)
	for i, c := range b {
		b[i] = alphabet[int(c)%len(alphabet)]
	}
	return string(b)
}
