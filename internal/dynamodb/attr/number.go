package attr

import (
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// The range of a number (Developer Guide, "Supported data types and naming
// rules"): 38 significant digits, scientific exponent -130 to 125.
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
)

const (
	msgNotNumeric = "The parameter cannot be converted to a numeric value"
	msgOverflow   = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	msgUnderflow  = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	msgTooPrecise = "Attempting to store more than 38 significant digits in a Number"
)

// decimal is a number taken apart: 0.digits x 10^point. digits has neither
// leading nor trailing zeros; it is empty for zero.
type decimal struct {
	negative bool
	digits   string
	point    int
}

// ParseNumber checks text as DynamoDB does and returns its canonical form:
// plain decimal notation without superfluous zeros, "0" for every zero. Two
// texts are numerically equal exactly if their canonical forms are.
func ParseNumber(text string) (string, error) {
	if isCanonicalInt(text) {
		return text, nil
	}
	d, err := parseDecimal(text)
	if err != nil {
		return "", err
	}
	return d.canonical(), nil
}

// isCanonicalInt recognises the common case, a short whole number already in
// canonical form, so that it costs no allocation.
func isCanonicalInt(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || len(digits) > maxDigits || digits[0] == '0' {
		return text == "0"
	}
	return allDigits(digits)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func parseDecimal(text string) (decimal, error) {
	mantissa, exponent, ok := splitExponent(text)
	if !ok {
		return decimal{}, notNumeric(text)
	}
	var d decimal
	switch {
	case strings.HasPrefix(mantissa, "-"):
		d.negative, mantissa = true, mantissa[1:]
	case strings.HasPrefix(mantissa, "+"):
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole+fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return decimal{}, notNumeric(text)
	}
	digits := whole + fraction
	trimmed := strings.TrimLeft(digits, "0")
	if trimmed == "" {
		// A zero is range-checked by the exponent it is written with.
		if err := checkRange(exponent); err != nil {
			return decimal{}, err
		}
		return decimal{}, nil
	}
	point := exponent + int64(len(whole)) - int64(len(digits)-len(trimmed))
	if err := checkRange(point - 1); err != nil {
		return decimal{}, err
	}
	d.point = int(point)
	d.digits = strings.TrimRight(trimmed, "0")
	if len(d.digits) > maxDigits {
		return decimal{}, &ValidationError{Message: msgTooPrecise}
	}
	return d, nil
}

// splitExponent cuts text at its e. An exponent that does not fit 64 bits
// makes the text no number at all; that is DynamoDB's own line.
func splitExponent(text string) (mantissa string, exponent int64, ok bool) {
	i := strings.IndexAny(text, "eE")
	if i < 0 {
		return text, 0, true
	}
	digits := text[i+1:]
	if digits != "" && (digits[0] == '+' || digits[0] == '-') {
		digits = digits[1:]
	}
	if digits == "" || !allDigits(digits) {
		return "", 0, false
	}
	exponent, err := strconv.ParseInt(text[i+1:], 10, 64)
	if err != nil {
		return "", 0, false
	}
	// Far beyond any range already; keeps later sums from overflowing.
	const far = 1 << 40
	return text[:i], min(max(exponent, -far), far), true
}

func checkRange(exponent int64) error {
	switch {
	case exponent > maxExponent:
		return &ValidationError{Message: msgOverflow}
	case exponent < minExponent:
		return &ValidationError{Message: msgUnderflow}
	}
	return nil
}

func notNumeric(text string) error {
	e := &ValidationError{Message: msgNotNumeric + ": " + text}
	if text == "" {
		e.Older = msgNotNumeric
	}
	return e
}

func (d decimal) canonical() string {
	if d.digits == "" {
		return "0"
	}
	var b strings.Builder
	if d.negative {
		b.WriteByte('-')
	}
	switch {
	case d.point <= 0:
		b.WriteString("0.")
		writeZeros(&b, -d.point)
		b.WriteString(d.digits)
	case d.point >= len(d.digits):
		b.WriteString(d.digits)
		writeZeros(&b, d.point-len(d.digits))
	default:
		b.WriteString(d.digits[:d.point])
		b.WriteByte('.')
		b.WriteString(d.digits[d.point:])
	}
	return b.String()
}

func writeZeros(b *strings.Builder, n int) {
	for range n {
		b.WriteByte('0')
	}
}

// takeApart splits canonical text, which needs no checks.
func takeApart(canonical string) decimal {
	if canonical == "0" {
		return decimal{}
	}
	var d decimal
	if canonical[0] == '-' {
		d.negative, canonical = true, canonical[1:]
	}
	whole, fraction, _ := strings.Cut(canonical, ".")
	if whole == "0" {
		d.digits = strings.TrimLeft(fraction, "0")
		d.point = len(d.digits) - len(fraction)
		return d
	}
	d.point = len(whole)
	d.digits = whole
	if fraction != "" {
		d.digits = whole + fraction
		return d
	}
	d.digits = strings.TrimRight(whole, "0")
	return d
}

// CompareNumbers orders two numbers in canonical text.
func CompareNumbers(a, b string) int {
	x, y := takeApart(a), takeApart(b)
	if sx, sy := x.sign(), y.sign(); sx != sy || sx == 0 {
		return sx - sy
	}
	order := x.point - y.point
	if order == 0 {
		order = compareText(x.digits, y.digits)
	}
	if x.negative {
		return -order
	}
	return order
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// AddNumbers returns a+b of two canonical numbers. A sum outside the range,
// or one that needs more than 38 digits, is DynamoDB's overflow error.
func AddNumbers(a, b string) (string, error) {
	return arithmetic(a, b, (*apd.Context).Add)
}

// SubtractNumbers returns a-b under the rules of AddNumbers.
func SubtractNumbers(a, b string) (string, error) {
	return arithmetic(a, b, (*apd.Context).Sub)
}

func arithmetic(a, b string, op func(*apd.Context, *apd.Decimal, *apd.Decimal, *apd.Decimal) (apd.Condition, error)) (string, error) {
	// Precision 0 computes exactly; both operands span at most 300 digits.
	exact := apd.BaseContext.WithPrecision(0)
	var x, y, sum apd.Decimal
	if _, _, err := x.SetString(a); err != nil {
		return "", err
	}
	if _, _, err := y.SetString(b); err != nil {
		return "", err
	}
	if _, err := op(exact, &sum, &x, &y); err != nil {
		return "", err
	}
	n, err := ParseNumber(sum.Text('f'))
	if err != nil {
		return "", &ValidationError{Message: msgOverflow}
	}
	return n, nil
}
