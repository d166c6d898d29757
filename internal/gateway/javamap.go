package gateway

import (
	"slices"
	"strings"
)

// The execution log prints maps as Java does, in the order of a HashMap's
// buckets: that is how API Gateway's own lines come (measured with lines of
// several APIs; what shares a bucket keeps its order).
const (
	javaCapacity = 16 // of a new HashMap
	// sentCapacity is that of the map of an integration request's headers,
	// which has held more of them than the log shows.
	sentCapacity = 32
)

// inBuckets returns f in the order of a HashMap that began with capacity, a
// power of two.
func (f fields) inBuckets(capacity int) fields {
	for len(f)*4 > capacity*3 { // more than its load factor makes it grow
		capacity *= 2
	}
	out := slices.Clone(f)
	slices.SortStableFunc(out, func(a, b field) int {
		return int(javaHash(a.name)&uint32(capacity-1)) - int(javaHash(b.name)&uint32(capacity-1))
	})
	return out
}

// javaHash is what a HashMap makes of String.hashCode. Names are ASCII.
func javaHash(name string) uint32 {
	var h uint32
	for i := range len(name) {
		h = 31*h + uint32(name[i])
	}
	return h ^ h>>16
}

// java prints fields as Java prints a map, secrets masked.
func (f fields) java() string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range f {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f[i].name + "=" + mask(f[i].name, strings.Join(f[i].values, ",")))
	}
	b.WriteByte('}')
	return b.String()
}

// mask hides all but the tail of credentials.
func mask(name, value string) string {
	switch strings.ToLower(name) {
	case "authorization", "x-api-key", "x-amz-security-token":
		return maskSecret(value)
	}
	return value
}
