// Package xray makes and reads the header X-Amzn-Trace-Id, by which AWS's
// services tell each other which trace a request belongs to (X-Ray Developer
// Guide, "Tracing header"). Nothing here records traces: functions and clients
// see the header as on AWS, and where its facts are printed they are the same.
package xray

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/ident"
)

// Header is what a tracing header says. What it doesn't say is "".
type Header struct {
	Root    string // the trace: 1-{time}-{24 digits}
	Parent  string // the segment that what follows is part of, 16 digits
	Sampled string // "1" or "0"
	Lineage string // see Lineage
}

// Parse reads a header, and passes over what it doesn't know.
func Parse(header string) (h Header) {
	for part := range strings.SplitSeq(header, ";") {
		switch key, v, _ := strings.Cut(strings.TrimSpace(part), "="); key {
		case "Root":
			h.Root = v
		case "Parent":
			h.Parent = v
		case "Sampled":
			h.Sampled = v
		case "Lineage":
			h.Lineage = v
		}
	}
	return h
}

// New is the header of the trace that Lambda begins for a call that brings
// none: functions see it as _X_AMZN_TRACE_ID whether or not they are traced
// (Lambda Developer Guide, "Defined runtime environment variables").
func New(now time.Time, function string) string {
	b := appendRoot(append(make([]byte, 0, newLength), "Root="...), now)
	b = ident.AppendHex(append(b, ";Parent="...), 8)
	b = appendLineage(append(b, ";Sampled=0;Lineage="...), function)
	return string(b)
}

// newLength is the length of what New returns.
const newLength = len("Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0;Lineage=1:00000000:0")

// NewRoot is the id of a trace that begins now.
func NewRoot(now time.Time) string { return string(appendRoot(nil, now)) }

func appendRoot(b []byte, now time.Time) []byte {
	b = appendEight(append(b, "1-"...), uint32(now.Unix()))
	return ident.AppendHex(append(b, '-'), 12)
}

// NewParent is the id of a segment.
func NewParent() string { return ident.Hex(8) }

// Lineage is the mark that loop detection puts on calls of one function: how
// many calls led to it, the function's hash, how often it came back.
func Lineage(function string) string {
	return string(appendLineage(nil, function))
}

func appendLineage(b []byte, function string) []byte {
	b = appendEight(append(b, "1:"...), crc32.ChecksumIEEE([]byte(function)))
	return append(b, ":0"...)
}

// Sample is the header of a call to a function with active tracing. X-Ray's
// default rule samples the first call of each second and a twentieth of the
// others; here it is every call, so that what one call shows doesn't depend on
// others.
func Sample(header string) string { return strings.Replace(header, ";Sampled=0", ";Sampled=1", 1) }

// appendEight appends n in eight hexadecimal digits.
func appendEight(b []byte, n uint32) []byte {
	var space [4]byte
	binary.BigEndian.PutUint32(space[:], n)
	return hex.AppendEncode(b, space[:])
}
