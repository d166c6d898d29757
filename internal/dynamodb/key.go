package dynamodb

import (
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
)

// The sizes of key values, in bytes.
const (
	maxHashSize  = 2048
	maxRangeSize = 1024
)

// checkKey checks a Key parameter against the table's schema.
func (t *table) checkKey(key attr.Item) error {
	if err := t.checkKeyKinds(key); err != nil {
		return err
	}
	return t.checkKeyValues(key)
}

// checkKeyKinds checks the attributes and types of a Key parameter.
func (t *table) checkKeyKinds(key attr.Item) error {
	n := 0
	for a := range t.schema.each {
		if key[a.Name].Kind() != a.Kind {
			return validation("The provided key element does not match the schema")
		}
		n++
	}
	if len(key) != n {
		return validation("The provided key element does not match the schema")
	}
	return nil
}

// checkKeyValues checks the content of key attributes of the right types.
func (t *table) checkKeyValues(it attr.Item) error {
	for a := range t.schema.each {
		v := it[a.Name]
		if a.Kind == attr.N {
			continue
		}
		switch {
		case v.Text() == "":
			return refusal(expr.EmptyKey(a))
		case a == t.schema.hash && len(v.Text()) > maxHashSize:
			return invalidValue("Size of hashkey has exceeded the maximum size limit of2048 bytes")
		case a != t.schema.hash && len(v.Text()) > maxRangeSize:
			return invalidValue("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
		}
	}
	return nil
}

// checkItem checks the table's key attributes of an item to be put.
func (t *table) checkItem(it attr.Item) error {
	if err := t.checkItemKinds(it); err != nil {
		return err
	}
	if err := t.checkKeyValues(it); err != nil {
		return err
	}
	return t.checkIndexKeys(nil, it)
}

// checkItemKinds checks that an item has the key attributes, of their types.
func (t *table) checkItemKinds(it attr.Item) error {
	for a := range t.schema.each {
		switch v := it[a.Name]; {
		case v.IsZero():
			return invalidValue("Missing the key %s in the item", a.Name)
		case v.Kind() != a.Kind:
			return invalidValue("Type mismatch for key %s expected: %s actual: %s", a.Name, a.Kind, v.Kind())
		}
	}
	return nil
}

// checkIndexKeys checks the attributes of an item that are keys of indexes.
// Those that are as in old were checked when they were written.
func (t *table) checkIndexKeys(old, it attr.Item) error {
	for _, x := range t.indexes {
		for a := range x.schema.each {
			v := it[a.Name]
			if v.IsZero() || t.schema.has(a.Name) || old != nil && attr.Equal(old[a.Name], v) {
				continue
			}
			if err := x.checkKeyValue(a, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *index) checkKeyValue(a expr.KeyAttribute, v attr.Value) error {
	switch {
	case v.Kind() != a.Kind:
		return invalidValue("Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", a.Name, a.Kind, v.Kind(), x.name)
	case a.Kind == attr.N:
		return nil
	case v.Text() == "":
		kind := "string"
		if a.Kind == attr.B {
			kind = "binary"
		}
		return validation("One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
			"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", kind, x.name, a.Name)
	case a == x.schema.hash && len(v.Text()) > maxHashSize:
		return invalidValue("Size of hashkey has exceeded the maximum size limit of2048 bytes")
	case a != x.schema.hash && len(v.Text()) > maxRangeSize:
		return invalidValue("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return nil
}
