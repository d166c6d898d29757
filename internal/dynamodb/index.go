package dynamodb

import (
	"bytes"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store"
)

// store writes an item, or deletes it if now is nil, and everything filed
// from it. old is the item before, nil if there was none. It returns the write
// capacity that each touched index consumes.
func (t *table) store(tx store.Tx, key []byte, old, now attr.Item, expired bool) (map[*index]float64, error) {
	var err error
	if now == nil {
		err = tx.Delete(key)
	} else {
		err = tx.Put(key, attr.AppendItem(nil, now))
	}
	if err != nil {
		return nil, err
	}
	if err := t.append(tx, old, now, expired); err != nil {
		return nil, err
	}
	if t.ttl != "" {
		if err := refile(tx, t.expiryKeyOf(old), t.expiryKeyOf(now), key); err != nil {
			return nil, err
		}
	}
	var units map[*index]float64
	for _, x := range t.indexes {
		n, err := x.store(tx, old, now)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			if units == nil {
				units = make(map[*index]float64, len(t.indexes))
			}
			units[x] = n
		}
	}
	return units, nil
}

func (t *table) expiryKeyOf(it attr.Item) []byte {
	if it == nil {
		return nil
	}
	return t.expiryKey(it)
}

// refile moves an entry from one key to another; nil means none.
func refile(tx store.Tx, from, to, value []byte) error {
	if bytes.Equal(from, to) {
		return nil
	}
	if from != nil {
		if err := tx.Delete(from); err != nil {
			return err
		}
	}
	if to == nil {
		return nil
	}
	return tx.Put(to, value)
}

// store brings the index up to date. It costs one write when a projected
// attribute changes, two when the entry moves, none if nothing changes.
func (x *index) store(tx store.Tx, old, now attr.Item) (float64, error) {
	from, before := x.entry(old)
	to, after := x.entry(now)
	if bytes.Equal(from, to) && bytes.Equal(before, after) {
		return 0, nil
	}
	units := 0.0
	if from != nil && !bytes.Equal(from, to) {
		if err := tx.Delete(from); err != nil {
			return 0, err
		}
		units += writeUnits(x.entryItem(old).Size())
	}
	if to == nil {
		return units, nil
	}
	size := x.entryItem(now).Size()
	if bytes.Equal(from, to) {
		size = max(size, x.entryItem(old).Size())
	}
	return units + writeUnits(size), tx.Put(to, after)
}

// entry returns the key and value of an item's entry, nil if it has none.
func (x *index) entry(it attr.Item) (key, value []byte) {
	if it == nil {
		return nil, nil
	}
	if key = x.entryKey(it); key == nil {
		return nil, nil
	}
	return key, attr.AppendItem(nil, x.entryItem(it))
}
