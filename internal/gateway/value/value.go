// Package value is the data that mapping templates and JSONPath expressions
// work on: JSON with its key order kept, plus the way Java prints it, because
// API Gateway's templates see Java objects. It does no I/O, and only the
// gateway's rooms use it.
package value

import "math/big"

// Value is one of
//
//	nil       JSON null, or no value at all
//	bool
//	int64     any integer that fits (Java's Integer and Long)
//	*big.Int  a larger integer
//	float64   a number with a fraction or an exponent (Java's Double)
//	string
//	*Map
//	*List
//
// or a type of the template engine that implements Appender.
type Value any

// Appender is implemented by values from outside this package that know how
// to print themselves into a template's output.
type Appender interface {
	AppendJava(dst []byte) []byte
}

// IsNumber reports whether v is one of the three numeric types.
func IsNumber(v Value) bool {
	switch v.(type) {
	case int64, float64, *big.Int:
		return true
	}
	return false
}

// NormBig returns n as an int64 when it fits, so that equal integers have
// one form.
func NormBig(n *big.Int) Value {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}
