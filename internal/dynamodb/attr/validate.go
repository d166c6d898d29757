package attr

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// MaxNesting is how deep a document may nest, counting the attribute itself:
// a scalar inside 31 maps is at level 32 and is the deepest accepted.
const MaxNesting = 32

// SerializationError is a JSON shape that cannot be read as an attribute
// value; its text is that of DynamoDB's SerializationException.
type SerializationError struct{ Message string }

func (e *SerializationError) Error() string { return e.Message }

// SerializationText tells the wire layer, which doesn't know this package,
// what to answer.
func (e *SerializationError) SerializationText() string { return e.Message }

// ValidationError is a value that DynamoDB's ValidationException refuses.
type ValidationError struct {
	// Message is the wording of the validation layer that most operations
	// run since 2026.
	Message string
	// Older is the wording of the layer that BatchWriteItem and Scan still
	// run, or "" where it is the same.
	Older string
}

func (e *ValidationError) Error() string { return e.Message }

// OlderText returns the older layer's wording.
func (e *ValidationError) OlderText() string {
	if e.Older != "" {
		return e.Older
	}
	return e.Message
}

const (
	msgEmptyValue  = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	msgManyKinds   = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
	msgInvalid     = "One or more parameter values were invalid: "
	msgNullTrue    = msgInvalid + "Null attribute value types must have the value of true"
	msgEmptySS     = msgInvalid + "An string set  may not be empty"
	msgEmptyNS     = msgInvalid + "An number set  may not be empty"
	msgEmptyBS     = msgInvalid + "Binary sets should not be empty"
	msgNullInSS    = msgInvalid + "An string set may not have a null string as a member"
	msgNesting     = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	msgDuplicates  = "Input collection contains duplicates"
	msgDuplicated  = "Input collection "
	msgDuplicateSS = " contains duplicates."
	msgDuplicateBS = "of type BS contains duplicates."
)

// Validate returns the *ValidationError of a value that was decoded from an
// unacceptable shape, or nil. An absent value counts as an empty one.
func (v Value) Validate() error {
	if e := v.fault(1); e != nil {
		return e
	}
	return nil
}

// Validate returns the first fault among the attributes, in the order of
// their names so that the answer does not depend on map order.
func (it Item) Validate() error {
	if e := it.fault(1); e != nil {
		return e
	}
	return nil
}

// fault looks at every value once: looking twice at each level would double
// the work with every nesting.
func (it Item) fault(level int) *ValidationError {
	var first *ValidationError
	var at string
	for name, v := range it {
		if first != nil && name > at {
			continue
		}
		if e := v.fault(level); e != nil {
			first, at = e, name
		}
	}
	return first
}

func (v Value) fault(level int) *ValidationError {
	if level > MaxNesting {
		return &ValidationError{Message: msgNesting}
	}
	switch v.kind {
	case None:
		return &ValidationError{Message: msgEmptyValue}
	case faulty:
		return &ValidationError{Message: v.text, Older: v.deep.older}
	case L:
		for _, e := range v.deep.list {
			if f := e.fault(level + 1); f != nil {
				return f
			}
		}
	case M:
		return v.deep.m.fault(level + 1)
	}
	return nil
}

// faultValue returns a Value that Validate refuses with e.
func faultValue(e *ValidationError) Value {
	return Value{kind: faulty, text: e.Message, deep: &deep{older: e.Older}}
}

// checkSet returns the set, or a faulty value if it is empty or has
// duplicates. Members of a number set are made canonical.
func checkSet(kind Kind, members []string) Value {
	if len(members) == 0 {
		return faultValue(&ValidationError{Message: map[Kind]string{SS: msgEmptySS, NS: msgEmptyNS, BS: msgEmptyBS}[kind]})
	}
	if kind == NS {
		for i, text := range members {
			n, err := ParseNumber(text)
			if err != nil {
				return faultValue(err.(*ValidationError))
			}
			members[i] = n
		}
	}
	if i := firstRepeat(members); i >= 0 {
		return faultValue(duplicates(kind, members, i))
	}
	return newSet(kind, members)
}

// firstRepeat returns the index of the first member seen before, or -1.
func firstRepeat(members []string) int {
	const few = 8
	if len(members) <= few {
		for i := range members {
			if slices.Contains(members[:i], members[i]) {
				return i
			}
		}
		return -1
	}
	seen := make(map[string]struct{}, len(members))
	for i, m := range members {
		if _, ok := seen[m]; ok {
			return i
		}
		seen[m] = struct{}{}
	}
	return -1
}

// duplicates words the refusal of a set. The current layer lists the members
// before the first repeat in byte order, then the rest as sent.
func duplicates(kind Kind, members []string, repeat int) *ValidationError {
	if kind == NS {
		return &ValidationError{Message: msgInvalid + msgDuplicates + ".", Older: msgDuplicates}
	}
	sorted := slices.Clone(members)
	slices.Sort(sorted[:repeat])
	tail, sep := msgDuplicateSS, ", "
	asSent := slices.Clone(members)
	if kind == BS {
		tail, sep = msgDuplicateBS, ","
		for i := range members {
			sorted[i] = base64.StdEncoding.EncodeToString([]byte(sorted[i]))
			asSent[i] = base64.StdEncoding.EncodeToString([]byte(asSent[i]))
		}
	}
	for i := range sorted {
		sorted[i] = strconv.Quote(sorted[i])
	}
	return &ValidationError{
		Message: msgInvalid + msgDuplicated + "[" + strings.Join(sorted, sep) + "]" + tail,
		Older:   msgInvalid + msgDuplicated + "[" + strings.Join(asSent, ", ") + "]" + tail,
	}
}
