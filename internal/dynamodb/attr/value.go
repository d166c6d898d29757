// Package attr is DynamoDB's value model: the ten data types, numbers of 38
// decimal digits, item sizes, order-preserving key bytes, the JSON form that
// travels on the wire and the compact binary form that is stored.
//
// Values are immutable once made and may be shared freely between items and
// goroutines. The package does no I/O and knows nothing of tables.
package attr

import (
	"slices"
)

// Kind is the data type of a Value.
type Kind uint8

// The data types, and None for the zero Value ("absent").
const (
	None Kind = iota
	S
	N
	B
	SS
	NS
	BS
	M
	L
	NULL
	BOOL
	// faulty marks a value that arrived in a shape that DynamoDB refuses;
	// Validate tells why. It never reaches an item.
	faulty
)

var kindNames = [...]string{
	None: "", S: "S", N: "N", B: "B", SS: "SS", NS: "NS", BS: "BS",
	M: "M", L: "L", NULL: "NULL", BOOL: "BOOL", faulty: "?",
}

// String returns the type's wire name, such as "NS"; "" for None.
func (k Kind) String() string { return kindNames[k] }

// ParseKind returns the type with the given wire name, or None.
func ParseKind(name string) Kind {
	for k := S; k <= BOOL; k++ {
		if kindNames[k] == name {
			return k
		}
	}
	return None
}

// Value is one attribute value. The zero Value stands for "absent".
//
// Numbers, alone and in sets, are held in canonical text (see ParseNumber);
// binary values as raw bytes in a string.
type Value struct {
	kind Kind
	yes  bool
	text string
	deep *deep
}

// deep holds the parts of the types that have members, apart from Value so
// that the common scalar stays small.
type deep struct {
	set  []string
	list []Value
	m    Item
	// older is the wording of a fault in DynamoDB's older validation layer.
	older string
}

// Item is a set of named attributes.
type Item map[string]Value

// String returns a value of type S.
func String(s string) Value { return Value{kind: S, text: s} }

// Binary returns a value of type B; b holds the raw bytes.
func Binary(b string) Value { return Value{kind: B, text: b} }

// Bool returns a value of type BOOL.
func Bool(b bool) Value { return Value{kind: BOOL, yes: b} }

// Null returns a value of type NULL.
func Null() Value { return Value{kind: NULL} }

// Map returns a value of type M. It keeps m, which must not change afterwards.
func Map(m Item) Value { return Value{kind: M, deep: &deep{m: m}} }

// List returns a value of type L. It keeps l, which must not change afterwards.
func List(l []Value) Value { return Value{kind: L, deep: &deep{list: l}} }

// StringSet returns a value of type SS. The members must be distinct.
func StringSet(members ...string) Value { return newSet(SS, members) }

// BinarySet returns a value of type BS. The members must be distinct.
func BinarySet(members ...string) Value { return newSet(BS, members) }

// Set returns a set of the given kind (SS, NS or BS) with members that are
// distinct and, for NS, already canonical: those of other sets of that kind.
func Set(kind Kind, members []string) Value { return newSet(kind, members) }

func newSet(kind Kind, members []string) Value {
	return Value{kind: kind, deep: &deep{set: members}}
}

// Number returns a value of type N from any text that DynamoDB accepts as a
// number, or the *ValidationError that it answers.
func Number(text string) (Value, error) {
	n, err := ParseNumber(text)
	if err != nil {
		return Value{}, err
	}
	return Value{kind: N, text: n}, nil
}

// Kind returns the value's type, None for the zero Value.
func (v Value) Kind() Kind {
	if v.kind == faulty {
		return None
	}
	return v.kind
}

// IsZero reports whether v stands for "absent".
func (v Value) IsZero() bool { return v.kind == None }

// Text returns the text of an S, the canonical text of an N or the raw bytes
// of a B, and "" for other types.
func (v Value) Text() string {
	if v.kind == faulty {
		return ""
	}
	return v.text
}

// Truth returns the value of a BOOL.
func (v Value) Truth() bool { return v.yes }

// Members returns the members of a set in stored order; the caller must not
// change the slice.
func (v Value) Members() []string {
	if v.deep == nil {
		return nil
	}
	return v.deep.set
}

// Elements returns the elements of a list; the caller must not change it.
func (v Value) Elements() []Value {
	if v.deep == nil {
		return nil
	}
	return v.deep.list
}

// Fields returns the attributes of a map; the caller must not change it.
func (v Value) Fields() Item {
	if v.deep == nil {
		return nil
	}
	return v.deep.m
}

// IsSet reports whether v is of type SS, NS or BS.
func (v Value) IsSet() bool { return v.kind == SS || v.kind == NS || v.kind == BS }

// Clone returns a deep copy of v.
func (v Value) Clone() Value {
	if v.deep == nil {
		return v
	}
	d := &deep{set: slices.Clone(v.deep.set), older: v.deep.older}
	if v.deep.m != nil {
		d.m = v.deep.m.Clone()
	}
	if v.deep.list != nil {
		d.list = make([]Value, len(v.deep.list))
		for i, e := range v.deep.list {
			d.list[i] = e.Clone()
		}
	}
	v.deep = d
	return v
}

// Clone returns a deep copy of it.
func (it Item) Clone() Item {
	c := make(Item, len(it))
	for name, v := range it {
		c[name] = v.Clone()
	}
	return c
}

// Equal reports whether a and b are the same value. Numbers compare by value,
// sets without regard to order.
func Equal(a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case S, N, B:
		return a.text == b.text
	case BOOL:
		return a.yes == b.yes
	case SS, NS, BS:
		return equalSets(a.Members(), b.Members())
	case L:
		return slices.EqualFunc(a.Elements(), b.Elements(), Equal)
	case M:
		return EqualItems(a.Fields(), b.Fields())
	}
	return true
}

// EqualItems reports whether a and b hold the same attributes.
func EqualItems(a, b Item) bool {
	if len(a) != len(b) {
		return false
	}
	for name, v := range a {
		w, ok := b[name]
		if !ok || !Equal(v, w) {
			return false
		}
	}
	return true
}

func equalSets(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	if slices.Equal(a, b) {
		return true
	}
	in := make(map[string]struct{}, len(a))
	for _, m := range a {
		in[m] = struct{}{}
	}
	for _, m := range b {
		if _, ok := in[m]; !ok {
			return false
		}
	}
	return true
}

// Compare orders two values of the same scalar type S, N or B: negative,
// zero or positive as a sorts before, with or behind b. ok is false when the
// types differ or have no order.
func Compare(a, b Value) (order int, ok bool) {
	if a.kind != b.kind {
		return 0, false
	}
	switch a.kind {
	case S, B:
		return compareText(a.text, b.text), true
	case N:
		return CompareNumbers(a.text, b.text), true
	}
	return 0, false
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
