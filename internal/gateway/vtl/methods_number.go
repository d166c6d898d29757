package vtl

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// numberMethods are those of Integer, Long and Double. Static ones are reached
// through any number, as in the published idiom #set($Integer = 0) followed by
// $Integer.parseInt($s).
var numberMethods = map[string]*methodDef{
	"intValue":       {0, 0, func(c callee, _ []Value) (Value, error) { return int64(toInt32(c.recv)), nil }},
	"longValue":      {0, 0, func(c callee, _ []Value) (Value, error) { return toInt(c.recv), nil }},
	"doubleValue":    {0, 0, func(c callee, _ []Value) (Value, error) { return toFloat(c.recv), nil }},
	"floatValue":     {0, 0, func(c callee, _ []Value) (Value, error) { return toFloat(c.recv), nil }},
	"hashCode":       {0, 0, numberHash},
	"compareTo":      {1, 1, numberCompare},
	"parseInt":       {1, 2, parseInt(32)},
	"parseLong":      {1, 2, parseInt(64)},
	"parseDouble":    {1, 1, parseDouble},
	"parseFloat":     {1, 1, parseDouble},
	"valueOf":        {1, 1, numberValueOf},
	"toString":       {0, 1, numberToString},
	"toHexString":    {1, 1, intFormat(16)},
	"toOctalString":  {1, 1, intFormat(8)},
	"toBinaryString": {1, 1, intFormat(2)},
	"max":            {2, 2, func(_ callee, args []Value) (Value, error) { return extreme(args, 1), nil }},
	"min":            {2, 2, func(_ callee, args []Value) (Value, error) { return extreme(args, -1), nil }},
	"isNaN": {0, 0, func(c callee, _ []Value) (Value, error) {
		f, ok := c.recv.(float64)
		if !ok {
			return nil, nil
		}
		return math.IsNaN(f), nil
	}},
}

// toInt is Java's conversion of a number to a long.
func toInt(v Value) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		switch {
		case v != v:
			return 0
		case v >= math.MaxInt64:
			return math.MaxInt64
		case v <= math.MinInt64:
			return math.MinInt64
		}
		return int64(v)
	}
	return 0
}

// toInt32 is Java's conversion of a number to an int: doubles saturate, longs
// lose their upper half.
func toInt32(v Value) int32 {
	n := toInt(v)
	if _, ok := v.(float64); ok {
		n = max(math.MinInt32, min(n, math.MaxInt32))
	}
	return int32(n)
}

func numberHash(c callee, _ []Value) (Value, error) {
	var bits uint64
	switch v := c.recv.(type) {
	case int64:
		if v == int64(int32(v)) {
			return v, nil
		}
		bits = uint64(v)
	case float64:
		bits = math.Float64bits(v)
	}
	return int64(int32(bits ^ bits>>32)), nil
}

func numberCompare(c callee, args []Value) (Value, error) {
	n, ok := compareNumbers(c.recv, args[0])
	if !ok {
		return nil, nil
	}
	return int64(n), nil
}

// parseInt is Integer.parseInt or Long.parseLong, by the number of bits.
func parseInt(bits int) func(callee, []Value) (Value, error) {
	return func(_ callee, args []Value) (Value, error) {
		s, ok := args[0].(string)
		radix, okRadix := intArg(args, 1, 10)
		if !ok || !okRadix {
			return nil, nil
		}
		if radix < 2 || radix > 36 {
			return nil, fmt.Errorf("radix %d is outside 2 to 36", radix)
		}
		n, err := strconv.ParseInt(s, radix, bits)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number", s)
		}
		return n, nil
	}
}

func parseDouble(_ callee, args []Value) (Value, error) {
	s, ok := args[0].(string)
	if !ok {
		return nil, nil
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, fmt.Errorf("%q is not a number", s)
	}
	return f, nil
}

// numberValueOf is valueOf of the receiver's class.
func numberValueOf(c callee, args []Value) (Value, error) {
	if value.IsNumber(args[0]) {
		return args[0], nil
	}
	if _, ok := c.recv.(float64); ok {
		return parseDouble(c, args)
	}
	return parseInt(64)(c, args)
}

// numberToString is toString(), or the static toString(n).
func numberToString(c callee, args []Value) (Value, error) {
	v := c.recv
	if len(args) == 1 {
		v = args[0]
	}
	if !value.IsNumber(v) {
		return nil, nil
	}
	return value.String(v), nil
}

// intFormat is toHexString and its like, which take an int as unsigned.
func intFormat(base int) func(callee, []Value) (Value, error) {
	return func(_ callee, args []Value) (Value, error) {
		n, ok := args[0].(int64)
		if !ok {
			return nil, nil
		}
		u := uint64(n)
		if n == int64(int32(n)) {
			u = uint64(uint32(n))
		}
		return strconv.FormatUint(u, base), nil
	}
}

// extreme is max or min by the sign.
func extreme(args []Value, sign int) Value {
	n, ok := compareNumbers(args[0], args[1])
	switch {
	case !ok:
		return nil
	case n*sign >= 0:
		return args[0]
	}
	return args[1]
}
