package attr

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	msgStructure  = "Start of structure or map found where not expected"
	msgPayload    = "Unexpected value type in payload"
	msgField      = "Unexpected field type"
	msgToken      = "Unexpected token received from parser"
	msgCollection = "Unrecognized collection type "
	msgBase64     = "only base-64-encoded strings are convertible to bytes"
	msgBase64Len  = "Base64 encoded length is expected a multiple of 4 bytes but found: "
	msgBase64Char = "Invalid last non-pad Base64 character dectected"

	classValue  = "class com.amazonaws.dynamodb.v20120810.AttributeValue"
	classMap    = "java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"
	classString = "class java.lang.String"
	classBool   = "class java.lang.Boolean"
	classBytes  = "class java.nio.ByteBuffer"
)

func unserializable(format string, args ...any) error {
	return &SerializationError{Message: fmt.Sprintf(format, args...)}
}

// UnmarshalJSONFrom reads the wire form, such as {"S":"x"}; a JSON null gives
// the absent value. Shapes that cannot be read at all are a
// *SerializationError at once; what DynamoDB refuses later, such as an empty
// set, is kept in the value for Validate to report. Errors of dec itself
// (malformed JSON) are returned as they are.
func (v *Value) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var err error
	*v, err = decodeValue(dec, 1)
	return err
}

func decodeValue(dec *jsontext.Decoder, level int) (Value, error) {
	switch dec.PeekKind() {
	case '{':
	case 'n':
		_, err := dec.ReadToken()
		return Value{}, err
	case '[':
		return Value{}, unserializable(msgCollection + classValue)
	case '"', '0', 't', 'f':
		return Value{}, unserializable(msgPayload)
	}
	if level > MaxNesting {
		return faultValue(&ValidationError{Message: msgNesting}), dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return Value{}, err
	}
	return decodeMembers(dec, level)
}

// decodeMembers reads the members of one value up to and including its
// closing brace. The first fault wins over the complaint about two types.
func decodeMembers(dec *jsontext.Decoder, level int) (Value, error) {
	var v Value
	many := false
	for dec.PeekKind() == '"' {
		kind, err := readKind(dec)
		if err != nil {
			return Value{}, err
		}
		if kind == None || dec.PeekKind() == 'n' {
			// Unknown members are ignored; null means not given.
			if err := dec.SkipValue(); err != nil {
				return Value{}, err
			}
			continue
		}
		next, err := decodeBody(dec, kind, level)
		if err != nil {
			return Value{}, err
		}
		many = many || (!v.IsZero() && v.kind != kind)
		if v.kind != faulty {
			v = next
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return Value{}, err
	}
	switch {
	case v.IsZero():
		v = faultValue(&ValidationError{Message: msgEmptyValue})
	case many && v.kind != faulty:
		v = faultValue(&ValidationError{Message: msgManyKinds})
	}
	return v, nil
}

// readKind reads a member name; names of no data type give None.
func readKind(dec *jsontext.Decoder) (Kind, error) {
	raw, err := dec.ReadValue()
	if err != nil {
		return None, err
	}
	if bytes.IndexByte(raw, '\\') >= 0 {
		if raw, err = jsontext.AppendUnquote(nil, raw); err != nil {
			return None, err
		}
	} else {
		raw = raw[1 : len(raw)-1]
	}
	for k := S; k <= BOOL; k++ {
		if string(raw) == kindNames[k] {
			return k, nil
		}
	}
	return None, nil
}

func decodeBody(dec *jsontext.Decoder, kind Kind, level int) (Value, error) {
	switch kind {
	case S:
		s, err := decodeString(dec)
		return String(s), err
	case N:
		s, err := decodeString(dec)
		if err != nil {
			return Value{}, err
		}
		n, err := ParseNumber(s)
		if err != nil {
			return faultValue(err.(*ValidationError)), nil
		}
		return Value{kind: N, text: n}, nil
	case B:
		b, err := decodeBinary(dec)
		return Binary(b), err
	case SS, NS:
		return decodeSet(dec, kind, decodeString)
	case BS:
		return decodeSet(dec, kind, decodeBinary)
	case M:
		return decodeMap(dec, level)
	case L:
		return decodeList(dec, level)
	}
	yes, err := decodeBool(dec)
	if err != nil || kind == BOOL {
		return Bool(yes), err
	}
	if !yes {
		return faultValue(&ValidationError{Message: msgNullTrue}), nil
	}
	return Null(), nil
}

func decodeString(dec *jsontext.Decoder) (string, error) {
	switch dec.PeekKind() {
	case '{':
		return "", unserializable(msgStructure)
	case '[':
		return "", unserializable(msgCollection + classString)
	}
	tok, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	if tok.Kind() != '"' {
		return "", unserializable("%s cannot be converted to String", tokenName(tok))
	}
	return tok.String(), nil
}

// tokenName names a scalar token as the service's JSON parser does.
func tokenName(tok jsontext.Token) string {
	switch tok.Kind() {
	case '"':
		return "STRING_VALUE"
	case 't':
		return "TRUE_VALUE"
	case 'f':
		return "FALSE_VALUE"
	case 'n':
		return "NULL_VALUE"
	}
	if strings.ContainsAny(tok.String(), ".eE") {
		return "DECIMAL_VALUE"
	}
	return "NUMBER_VALUE"
}

func decodeBinary(dec *jsontext.Decoder) (string, error) {
	switch dec.PeekKind() {
	case '{':
		return "", unserializable(msgStructure)
	case '[':
		return "", unserializable(msgCollection + classBytes)
	}
	tok, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	if tok.Kind() != '"' {
		return "", unserializable(msgBase64)
	}
	text := tok.String()
	if len(text)%4 != 0 {
		return "", unserializable(msgBase64Len+"%d", len(text))
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", unserializable(msgBase64Char)
	}
	return string(raw), nil
}

func decodeBool(dec *jsontext.Decoder) (bool, error) {
	switch dec.PeekKind() {
	case '{':
		return false, unserializable(msgStructure)
	case '[':
		return false, unserializable(msgCollection + classBool)
	}
	tok, err := dec.ReadToken()
	if err != nil {
		return false, err
	}
	switch tok.Kind() {
	case 't', 'f':
		return tok.Bool(), nil
	case '"':
		// The service reads the words in any case, but no other text.
		yes, err := strconv.ParseBool(strings.ToLower(tok.String()))
		if err != nil || len(tok.String()) < len("true") {
			return false, unserializable(msgToken)
		}
		return yes, nil
	}
	return false, unserializable("%s cannot be converted to Boolean", tokenName(tok))
}

// openList reads the '[' of a set or list.
func openList(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '{':
		return unserializable(msgStructure)
	case '"', '0', 't', 'f':
		return unserializable(msgField)
	}
	_, err := dec.ReadToken()
	return err
}

func decodeSet(dec *jsontext.Decoder, kind Kind, member func(*jsontext.Decoder) (string, error)) (Value, error) {
	if err := openList(dec); err != nil {
		return Value{}, err
	}
	var members []string
	null := false
	for {
		switch dec.PeekKind() {
		case ']':
			if _, err := dec.ReadToken(); err != nil {
				return Value{}, err
			}
			if null {
				return faultValue(&ValidationError{Message: msgNullInSS}), nil
			}
			return checkSet(kind, members), nil
		case 'n':
			null = true
			if err := dec.SkipValue(); err != nil {
				return Value{}, err
			}
		default:
			m, err := member(dec)
			if err != nil {
				return Value{}, err
			}
			members = append(members, m)
		}
	}
}

func decodeList(dec *jsontext.Decoder, level int) (Value, error) {
	if err := openList(dec); err != nil {
		return Value{}, err
	}
	list := []Value{}
	for {
		if dec.PeekKind() == ']' {
			_, err := dec.ReadToken()
			return List(list), err
		}
		v, err := decodeValue(dec, level+1)
		if err != nil {
			return Value{}, err
		}
		list = append(list, v)
	}
}

func decodeMap(dec *jsontext.Decoder, level int) (Value, error) {
	switch dec.PeekKind() {
	case '[':
		return Value{}, unserializable(msgCollection + classMap)
	case '"', '0', 't', 'f':
		return Value{}, unserializable(msgField)
	}
	if _, err := dec.ReadToken(); err != nil {
		return Value{}, err
	}
	m := Item{}
	for {
		tok, err := dec.ReadToken()
		if err != nil || tok.Kind() == '}' {
			return Map(m), err
		}
		name := tok.String()
		if m[name], err = decodeValue(dec, level+1); err != nil {
			return Value{}, err
		}
	}
}
