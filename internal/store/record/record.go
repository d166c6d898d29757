// Package record is the typed layer over package store that service rooms use
// for their control-plane records: one Collection per kind of record, values
// in JSON, ids as key tuples (package keys).
package record

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/keys"
)

// Collection is the place of one kind of record in the key space. Make it
// once with New; it is immutable and holds no connection.
//
// A record is found by its id, one or more parts in order from the widest to
// the narrowest, such as account, region, name. Records are ordered by id.
type Collection[T any] struct {
	name []string
	base []byte
}

// New returns the collection of the given name. Collections of different
// names never share keys, even if one name starts with the other. It panics
// on a name that is empty or has an empty part, as that is a programming
// error.
func New[T any](name ...string) Collection[T] {
	if len(name) == 0 || slices.Contains(name, "") {
		panic("record: a collection needs a name without empty parts")
	}
	// The empty part closes the name: no name has one.
	return Collection[T]{name: slices.Clone(name), base: keys.Append(keys.Make(name...), "")}
}

// Key returns the store key of id, for callers that scan or count themselves.
func (c Collection[T]) Key(id ...string) []byte {
	return keys.Append(slices.Clip(c.base), id...)
}

// Get returns the record of id, or nil without an error if there is none.
func (c Collection[T]) Get(r store.ReadTx, id ...string) (*T, error) {
	value, err := r.Get(c.Key(id...))
	if value == nil || err != nil {
		return nil, err
	}
	return c.decode(value, id)
}

// Put stores v as the record of id, in place of an earlier one.
func (c Collection[T]) Put(tx store.Tx, v *T, id ...string) error {
	value, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %q record %q: %w", c.name, id, err)
	}
	return tx.Put(c.Key(id...), value)
}

// Delete removes the record of id; a missing record is no error.
func (c Collection[T]) Delete(tx store.Tx, id ...string) error {
	return tx.Delete(c.Key(id...))
}

// DeleteAll removes every record whose id starts with prefix; without a
// prefix, the whole collection.
func (c Collection[T]) DeleteAll(tx store.Tx, prefix ...string) error {
	return tx.DeleteRange(keys.PrefixOf(c.Key(prefix...)))
}

// All yields the records whose id starts with prefix, in id order, and ends
// at the first error. Without a prefix it yields the whole collection.
func (c Collection[T]) All(r store.ReadTx, prefix ...string) iter.Seq2[*T, error] {
	lo, hi := keys.PrefixOf(c.Key(prefix...))
	return c.scan(r, store.Range{Lo: lo, Hi: hi})
}

// After is All without the records up to and including the id of prefix
// followed by after, which need not exist. It continues a listing that a
// page token cut.
func (c Collection[T]) After(r store.ReadTx, after string, prefix ...string) iter.Seq2[*T, error] {
	_, hi := keys.PrefixOf(c.Key(prefix...))
	_, lo := keys.PrefixOf(c.Key(append(slices.Clip(prefix), after)...))
	return c.scan(r, store.Range{Lo: lo, Hi: hi})
}

// List is All as a slice, which is nil if there are no records.
func (c Collection[T]) List(r store.ReadTx, prefix ...string) ([]*T, error) {
	var out []*T
	for v, err := range c.All(r, prefix...) {
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (c Collection[T]) scan(r store.ReadTx, rng store.Range) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for kv, err := range r.Scan(rng) {
			var v *T
			if err == nil {
				v, err = c.decodePair(kv)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

func (c Collection[T]) decodePair(kv store.KV) (*T, error) {
	id, err := keys.Parse(kv.Key[len(c.base):])
	if err != nil {
		return nil, fmt.Errorf("read %q record: %w", c.name, err)
	}
	return c.decode(kv.Value, id)
}

func (c Collection[T]) decode(value []byte, id []string) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(value, v); err != nil {
		return nil, fmt.Errorf("decode %q record %q: %w", c.name, id, err)
	}
	return v, nil
}
