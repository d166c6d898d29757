// Package metric is what CloudWatch metrics are made of: names with
// dimensions, what is known about the values of one period, and meters that
// gather values on hot paths. It is pure.
package metric

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Dimension is one name and value that tells metrics of one name apart.
type Dimension struct {
	Name, Value string
}

// ID is a metric within an account and region. Dimensions are sorted by name;
// see Sorted.
type ID struct {
	Namespace, Name string
	Dimensions      []Dimension
}

// Sorted returns dimensions in the order of their names, in which they are one
// metric's, however they were given.
func Sorted(dimensions []Dimension) []Dimension {
	out := slices.Clone(dimensions)
	slices.SortStableFunc(out, func(a, b Dimension) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Key spells the dimensions so that two metrics of one name have the same key
// only if they are the same.
func (id *ID) Key() string {
	var b strings.Builder
	for _, d := range id.Dimensions {
		b.WriteString(d.Name + "\x00" + d.Value + "\x00")
	}
	return b.String()
}

// Sample is what is known about a metric's values in one period.
type Sample struct {
	ID   ID
	Unit string    // "None" if it has none
	Time time.Time // start of the period
	// Fine marks samples of a second; others are of a minute.
	Fine bool
	Set  Set
}

// Sink takes samples. Put must not block on I/O, and leaves the samples as they
// are: several may share the values of one Set.
type Sink interface {
	Put(account, region string, samples []Sample)
}

// Units of the metrics that AWS's services measure.
const (
	Count        = "Count"
	Milliseconds = "Milliseconds"
	None         = "None"
)
