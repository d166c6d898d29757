package schema

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// decoderOf reads what encoding/json reads, of which the values are.
func decoderOf(text []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// member is a member of a JSON object.
type member struct {
	name  string
	value []byte
}

// members are those of an object, in its order; none for anything else.
func members(object []byte) []member {
	d := decoderOf(object)
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return nil
	}
	var out []member
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return out
		}
		m := member{name: name.String()}
		value, err := d.ReadValue()
		if err != nil {
			return out
		}
		m.value = bytes.Clone(value)
		out = append(out, m)
	}
	return out
}

// find is the value of the last member of a name, or nil.
func find(members []member, name string) []byte {
	var value []byte
	for _, m := range members {
		if m.name == name {
			value = m.value
		}
	}
	return value
}

// items are the elements of an array; none for anything else.
func items(array []byte) [][]byte {
	d := decoderOf(array)
	if token, err := d.ReadToken(); err != nil || token.Kind() != '[' {
		return nil
	}
	var out [][]byte
	for d.PeekKind() != ']' {
		value, err := d.ReadValue()
		if err != nil {
			return out
		}
		out = append(out, bytes.Clone(value))
	}
	return out
}
