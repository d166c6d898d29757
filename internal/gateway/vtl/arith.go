package vtl

import (
	"cmp"
	"math"
	"math/big"

	"github.com/butai-dev/butai/internal/gateway/jsonpath"
	"github.com/butai-dev/butai/internal/gateway/value"
)

// arithExpr is a op b for + - * / %.
type arithExpr struct {
	untrue
	op   byte
	a, b expr
}

func (e *arithExpr) eval(st *state) (Value, error) {
	a, err := e.a.eval(st)
	if err != nil {
		return nil, err
	}
	b, err := e.b.eval(st)
	if err != nil {
		return nil, err
	}
	if e.op == '+' && (isString(a) || isString(b)) {
		return e.concat(st, a, b)
	}
	return arith(e.op, a, b), st.spend(1)
}

func isString(v Value) bool {
	_, ok := v.(string)
	return ok
}

// concat joins two values as text. Velocity puts the source of a null operand
// in its place.
func (e *arithExpr) concat(st *state, a, b Value) (Value, error) {
	if r, ok := e.a.(*ref); ok && a == nil {
		a = r.source
	}
	if r, ok := e.b.(*ref); ok && b == nil {
		b = r.source
	}
	s, err := st.text(a)
	if err != nil {
		return nil, err
	}
	t, err := st.text(b)
	if err != nil {
		return nil, err
	}
	if len(s)+len(t) > MaxOutput {
		return nil, errOutput
	}
	return s + t, st.spend(1 + (len(s)+len(t))/64)
}

// arith gives nil for operands that are not numbers and for a division by
// zero, as Velocity does outside its strict mode.
func arith(op byte, a, b Value) Value {
	x, okX := a.(int64)
	y, okY := b.(int64)
	switch {
	case okX && okY:
		return arithInt(op, x, y)
	case !value.IsNumber(a) || !value.IsNumber(b):
		return nil
	}
	if i, j := toBig(a), toBig(b); i != nil && j != nil {
		return arithBig(op, i, j)
	}
	return arithFloat(op, toFloat(a), toFloat(b))
}

func arithInt(op byte, x, y int64) Value {
	switch op {
	case '+':
		if sum := x + y; (sum > x) == (y > 0) {
			return sum
		}
	case '-':
		if diff := x - y; (diff < x) == (y > 0) {
			return diff
		}
	case '*':
		if x == 0 || y == 0 {
			return int64(0)
		}
		if p := x * y; p/y == x && !(x == -1 && y == math.MinInt64) && !(y == -1 && x == math.MinInt64) {
			return p
		}
	}
	return arithBig(op, big.NewInt(x), big.NewInt(y))
}

// maxBits bounds integers that a template multiplies up.
const maxBits = 1 << 12

func arithBig(op byte, x, y *big.Int) Value {
	if x.BitLen()+y.BitLen() > maxBits {
		return nil
	}
	z := new(big.Int)
	switch op {
	case '+':
		z.Add(x, y)
	case '-':
		z.Sub(x, y)
	case '*':
		z.Mul(x, y)
	case '/':
		if y.Sign() == 0 {
			return nil
		}
		z.Quo(x, y)
	case '%':
		if y.Sign() == 0 {
			return nil
		}
		z.Rem(x, y)
	}
	return value.NormBig(z)
}

func arithFloat(op byte, x, y float64) Value {
	switch op {
	case '+':
		return x + y
	case '-':
		return x - y
	case '*':
		return x * y
	}
	if y == 0 {
		return nil
	}
	if op == '/' {
		return x / y
	}
	return math.Mod(x, y)
}

func toBig(v Value) *big.Int {
	switch v := v.(type) {
	case int64:
		return big.NewInt(v)
	case *big.Int:
		return v
	}
	return nil
}

func toFloat(v Value) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f
	}
	return 0
}

// compareNumbers orders two numbers; false if one is not a number.
func compareNumbers(a, b Value) (int, bool) {
	x, okX := a.(int64)
	y, okY := b.(int64)
	switch {
	case okX && okY:
		return cmp.Compare(x, y), true
	case !value.IsNumber(a) || !value.IsNumber(b):
		return 0, false
	}
	if i, j := toBig(a), toBig(b); i != nil && j != nil {
		return i.Cmp(j), true
	}
	return cmp.Compare(toFloat(a), toFloat(b)), true
}

// compareExpr is a op b for the six comparisons; op is written as a symbol.
type compareExpr struct {
	op   string
	a, b expr
}

func (e *compareExpr) eval(st *state) (Value, error) {
	ok, err := e.truth(st)
	return ok, err
}

func (e *compareExpr) truth(st *state) (bool, error) {
	a, err := e.a.eval(st)
	if err != nil {
		return false, err
	}
	b, err := e.b.eval(st)
	if err != nil {
		return false, err
	}
	switch e.op {
	case "==", "!=":
		same, err := st.equal(a, b)
		return same == (e.op == "=="), err
	}
	// Only numbers have an order; anything else is false.
	n, ok := compareNumbers(a, b)
	if !ok {
		return false, nil
	}
	switch e.op {
	case "<":
		return n < 0, nil
	case "<=":
		return n <= 0, nil
	case ">":
		return n > 0, nil
	}
	return n >= 0, nil
}

// equal is ==. Values of one kind compare as Java's equals, different kinds
// by their text, so 1 == "1". API Gateway's null also equals the empty string
// (recorded: a missing $input.path is == $null and == "").
func (st *state) equal(a, b Value) (bool, error) {
	if a == nil || b == nil {
		return (a == nil || a == "") && (b == nil || b == ""), nil
	}
	if n, ok := compareNumbers(a, b); ok {
		return n == 0, nil
	}
	if sameKind(a, b) {
		return javaEquals(a, b), nil
	}
	s, err := st.text(a)
	if err != nil {
		return false, err
	}
	t, err := st.text(b)
	return s == t, err
}

func sameKind(a, b Value) bool {
	switch a.(type) {
	case string:
		return isString(b)
	case bool:
		_, ok := b.(bool)
		return ok
	case *value.Map:
		_, ok := b.(*value.Map)
		return ok
	case *value.List:
		_, ok := b.(*value.List)
		return ok
	}
	return false
}

// javaEquals is Java's a.equals(b).
func javaEquals(a, b Value) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case string, bool:
		return a == b
	case int64, float64, *big.Int:
		_, fa := a.(float64)
		_, fb := b.(float64)
		n, ok := compareNumbers(a, b)
		return ok && n == 0 && fa == fb
	case *value.List:
		y, ok := b.(*value.List)
		return ok && (x == y || jsonpath.Equal(x, y))
	case *value.Map:
		y, ok := b.(*value.Map)
		return ok && (x == y || jsonpath.Equal(x, y))
	}
	return false
}
