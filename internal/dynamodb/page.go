package dynamodb

import (
	"bytes"
	"context"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxPage is how much data a Query or Scan reads before it ends the page
// (Developer Guide, "Paginating table query results").
const maxPage = 1 << 20

// reader is a Query or Scan over a table or an index, and what it found.
type reader struct {
	table      *table
	index      *index // nil for the table
	limit      int    // items to look at; 0 for no limit
	filter     *expr.Condition
	projection *expr.Projection
	countOnly  bool
	consistent bool
	// whole says that all attributes are wanted, also those that a local
	// index does not hold.
	whole bool

	items   []map[string]attr.Value
	count   int64
	scanned int64
	size    int // bytes read from the table or index
	fetched float64
	last    attr.Item // key to continue behind; nil at the end
}

// selection is the part of a request that says where to read and what to
// return; Query and Scan have it in common.
type selection struct {
	table, index *string
	choice       *string // Select
	attributes   []string
	projection   *expr.Projection
	filter       *expr.Condition
	limit        *int64
	consistent   *bool
	start        attr.Item // ExclusiveStartKey
	capacity     *string
}

// reader resolves the selection against a table.
func (sel *selection) reader(t *table) (*reader, error) {
	r := &reader{table: t, limit: int(wire.Val(sel.limit)), filter: sel.filter, projection: sel.projection,
		consistent: wire.Val(sel.consistent), items: []map[string]attr.Value{}}
	if sel.index != nil {
		if r.index = t.index(*sel.index); r.index == nil {
			return nil, validation("The table does not have the specified index: %s", *sel.index)
		}
		if r.index.global && r.consistent {
			return nil, validation("Consistent reads are not supported on global secondary indexes")
		}
		if !r.index.active {
			return nil, validation("Cannot read from backfilling global secondary index: %s", r.index.name)
		}
	}
	if err := sel.choose(r); err != nil {
		return nil, err
	}
	return r, r.checkProjected()
}

// choose applies Select.
func (sel *selection) choose(r *reader) error {
	switch choice := wire.Val(sel.choice); choice {
	case "":
		r.whole = r.index == nil
	case dynamodbapi.SelectALLATTRIBUTES:
		if r.index != nil && r.index.global && !r.index.all {
			return invalidValue("Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", r.index.name)
		}
		r.whole = true
	case dynamodbapi.SelectALLPROJECTEDATTRIBUTES:
		if r.index == nil {
			return invalidValue("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
		}
	case dynamodbapi.SelectCOUNT:
		r.countOnly = true
		r.items = nil
	}
	return nil
}

// checkSelect refuses combinations of Select and a projection. It needs no
// table.
func (sel *selection) checkSelect() error {
	choice := wire.Val(sel.choice)
	how := "ProjectionExpression"
	if sel.attributes != nil {
		how = "AttributesToGet"
	}
	switch {
	case choice == dynamodbapi.SelectSPECIFICATTRIBUTES && sel.projection == nil:
		return validation("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case choice != "" && choice != dynamodbapi.SelectSPECIFICATTRIBUTES && sel.projection != nil:
		return validation("Cannot specify the %s when choosing to get %s", how, selectPhrase(choice))
	}
	return nil
}

func selectPhrase(choice string) string {
	if choice == dynamodbapi.SelectCOUNT {
		return "only the Count"
	}
	return choice
}

// checkProjected refuses to project what a global index does not hold, and
// notes that a local index needs the table for it.
func (r *reader) checkProjected() error {
	if r.index == nil || r.projection == nil {
		return nil
	}
	for _, name := range r.projection.TopNames() {
		if r.index.projects(name) {
			continue
		}
		if r.index.global {
			return invalidValue("Global secondary index %s does not project [%s]", r.index.name, name)
		}
		r.whole = true
	}
	return nil
}

// schema returns the key by which the reader's range is ordered.
func (r *reader) schema() *keySchema {
	if r.index != nil {
		return &r.index.schema
	}
	return &r.table.schema
}

// keyOf returns the key that a page ends with: that of the table, and that of
// the index if one is read.
func (r *reader) keyOf(it attr.Item) attr.Item {
	key := r.table.schema.of(it)
	if r.index != nil {
		for a := range r.index.schema.each {
			key[a.Name] = it[a.Name]
		}
	}
	return key
}

// position returns the store key of an ExclusiveStartKey.
func (r *reader) position(start attr.Item) ([]byte, error) {
	bad := validation("The provided starting key is invalid")
	want := 0
	for name, kind := range r.keyKinds() {
		want++
		if start[name].Kind() != kind {
			return nil, bad
		}
	}
	if len(start) != want {
		return nil, bad
	}
	if r.index != nil {
		return r.index.entryKey(start), nil
	}
	return r.table.itemKey(start), nil
}

func (r *reader) keyKinds() map[string]attr.Kind {
	kinds := map[string]attr.Kind{}
	for a := range r.table.schema.each {
		kinds[a.Name] = a.Kind
	}
	for a := range r.schema().each {
		kinds[a.Name] = a.Kind
	}
	return kinds
}

// behind cuts a range down to what comes after the item at key.
func behind(rng store.Range, key []byte) store.Range {
	if rng.Reverse {
		rng.Hi = key
	} else {
		rng.Lo = append(bytes.Clone(key), 0)
	}
	return rng
}

// page reads one page of a range.
func (s *Service) page(ctx context.Context, r *reader, rng store.Range) error {
	return s.store.View(ctx, func(tx store.ReadTx) error {
		if err := r.table.current(tx); err != nil {
			return err
		}
		for kv, err := range tx.Scan(rng) {
			if err != nil {
				return err
			}
			it, err := attr.DecodeItem(kv.Value)
			if err != nil {
				return err
			}
			if err := r.visit(tx, it); err != nil {
				return err
			}
			if r.scanned == int64(r.limit) || r.size >= maxPage {
				r.last = r.keyOf(it)
				return nil
			}
		}
		return nil
	})
}

// visit takes one item or index entry into account.
func (r *reader) visit(tx store.ReadTx, it attr.Item) error {
	r.scanned++
	r.size += it.Size()
	if r.index != nil && !r.index.all && r.whole {
		whole, err := read(tx, r.table.itemKey(it))
		if err != nil {
			return err
		}
		r.fetched += readUnits(whole.Size(), r.consistent)
		it = whole
	}
	if r.filter != nil && !r.filter.Matches(it) {
		return nil
	}
	r.count++
	switch {
	case r.countOnly:
	case r.projection != nil:
		r.items = append(r.items, r.projection.Of(it))
	default:
		r.items = append(r.items, it)
	}
	return nil
}

// usage returns what the page consumed.
func (r *reader) usage() *usage {
	u := &usage{table: r.table, units: r.fetched}
	u.on(r.index, readUnits(r.size, r.consistent))
	return u
}
