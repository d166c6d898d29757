package dynamodb

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/keys"
)

// Keys of items and index entries:
//
//	item:   space | table | i         | partition | sort key
//	index:  space | table | x | index | partition | sort key | base partition | base sort key
//	expiry: space | table | e         | epoch seconds, 8 bytes | base partition | base sort key
//
// A partition is 16 bytes of the SHA-256 of the partition key's bytes: it
// makes scans visit partitions in an order of no meaning, as AWS does, and
// cuts the key space evenly for parallel scans. Values are stored items; an
// entry holds the attributes that the index projects.

// root returns the prefix of a table's items or of an index's entries.
func (t *table) root(x *index) []byte {
	if x == nil {
		return keys.Make(space, t.id, partItems)
	}
	return keys.Make(space, t.id, partIndex, x.id)
}

// appendPartition appends the partition of a partition key value.
func appendPartition(dst []byte, v attr.Value) []byte {
	var buf [64]byte
	sum := sha256.Sum256(attr.AppendKey(buf[:0], v))
	return append(dst, sum[:partitionLength]...)
}

// appendItem appends what identifies an item within its table. it needs to
// hold the key attributes only.
func (k *keySchema) appendItem(dst []byte, it attr.Item) []byte {
	dst = appendPartition(dst, it[k.hash.Name])
	if k.ranged != nil {
		dst = attr.AppendKey(dst, it[k.ranged.Name])
	}
	return dst
}

// itemKey returns the key of the item with the key attributes of it.
func (t *table) itemKey(it attr.Item) []byte { return t.schema.appendItem(t.root(nil), it) }

// entryKey returns the key of the item's entry in the index; nil if the item
// has no entry, as it lacks an attribute of the index key or has held a value
// since before the index that cannot be a key. it needs to hold the
// attributes of both keys only.
func (x *index) entryKey(it attr.Item) []byte {
	for a := range x.schema.each {
		if v := it[a.Name]; v.IsZero() || x.checkKeyValue(a, v) != nil {
			return nil
		}
	}
	key := x.schema.appendItem(x.table.root(x), it)
	return x.table.appendBase(key, it)
}

// appendBase appends the identity of the base item to a key that may hold
// several items. Two sort keys of the most awkward bytes would not fit the
// store's key length; the second is then represented by its digest.
func (t *table) appendBase(dst []byte, it attr.Item) []byte {
	whole := t.schema.appendItem(dst, it)
	if len(whole) <= store.MaxKey {
		return whole
	}
	sum := sha256.Sum256(whole[len(dst):])
	return append(dst, sum[:]...)
}

// entryItem returns the part of an item that the index holds.
func (x *index) entryItem(it attr.Item) attr.Item {
	if x.all {
		return it
	}
	out := make(attr.Item, len(x.keep))
	for name := range x.keep {
		if v, ok := it[name]; ok {
			out[name] = v
		}
	}
	return out
}

// expiryKey returns the key under which an item is filed by expiry; nil if it
// never expires.
func (t *table) expiryKey(it attr.Item) []byte {
	at, ok := expiry(it[t.ttl])
	if t.ttl == "" || !ok {
		return nil
	}
	key := binary.BigEndian.AppendUint64(keys.Make(space, t.id, partExpiry), uint64(at))
	return t.appendBase(key, it)
}
