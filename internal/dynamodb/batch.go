package dynamodb

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Limits of batches (Developer Guide, "Quotas").
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	maxBatchBytes = 16 << 20
)

// BatchGetItem reads items of one or more tables. Keys are unprocessed only
// when the answer would grow past 16 MB.
func (s *Service) BatchGetItem(ctx context.Context, in *dynamodbapi.BatchGetItemInput) (*dynamodbapi.BatchGetItemOutput, error) {
	n := 0
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		n += len(in.RequestItems[name].Keys)
	}
	if n > maxBatchGet {
		return nil, validation("Too many items requested for the BatchGetItem call")
	}
	return fresh(s, func() (*dynamodbapi.BatchGetItemOutput, error) {
		out := &dynamodbapi.BatchGetItemOutput{Responses: map[string][]map[string]attr.Value{}, UnprocessedKeys: map[string]dynamodbapi.KeysAndAttributes{}}
		var used usages
		total := 0
		for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
			wants, err := s.batchWants(ctx, name, in.RequestItems[name])
			if err != nil {
				return nil, err
			}
			out.Responses[name] = []map[string]attr.Value{}
			if total, err = s.batchRead(ctx, name, wants, in.RequestItems[name], out, &used, total); err != nil {
				return nil, err
			}
		}
		out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
		return out, nil
	})
}

// batchWants checks one table's part of a BatchGetItem.
func (s *Service) batchWants(ctx context.Context, name string, part dynamodbapi.KeysAndAttributes) ([]wanted, error) {
	p := parameters{projection: part.ProjectionExpression, names: part.ExpressionAttributeNames,
		legacy: legacyNames(have("AttributesToGet", part.AttributesToGet != nil))}
	e, err := p.parse()
	if err != nil {
		return nil, refusal(err)
	}
	if e.projection == nil {
		if e.projection, err = projection(part.AttributesToGet); err != nil {
			return nil, refusal(err)
		}
	}
	for _, key := range part.Keys {
		if err := attr.Item(key).Validate(); err != nil {
			return nil, refusal(err)
		}
	}
	t, err := s.table(ctx, &name)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	wants := make([]wanted, len(part.Keys))
	for i, key := range part.Keys {
		if err := t.checkKey(key); err != nil {
			return nil, err
		}
		if at := string(t.itemKey(key)); seen[at] {
			return nil, validation("Provided list of item keys contains duplicates")
		} else {
			seen[at] = true
		}
		wants[i] = wanted{table: t, key: key, projection: e.projection, consistent: wire.Val(part.ConsistentRead)}
	}
	return wants, nil
}

// batchRead reads one table's items until total, the bytes answered so far,
// reaches the limit of an answer.
func (s *Service) batchRead(ctx context.Context, name string, wants []wanted, part dynamodbapi.KeysAndAttributes,
	out *dynamodbapi.BatchGetItemOutput, used *usages, total int) (int, error) {
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		for i := range wants {
			it, err := wants[i].read(tx)
			if err != nil {
				return err
			}
			if total+it.Size() > maxBatchBytes {
				rest := part
				rest.Keys = part.Keys[i:]
				out.UnprocessedKeys[name] = rest
				return nil
			}
			total += it.Size()
			used.of(wants[i].table).on(nil, readUnits(it.Size(), wants[i].consistent))
			if it != nil {
				out.Responses[name] = append(out.Responses[name], wants[i].shown(it))
			}
		}
		return nil
	})
	return total, err
}

// BatchWriteItem puts and deletes items of one or more tables. Everything is
// processed, so nothing is ever returned as unprocessed.
func (s *Service) BatchWriteItem(ctx context.Context, in *dynamodbapi.BatchWriteItemInput) (*dynamodbapi.BatchWriteItemOutput, error) {
	if err := checkBatchWrite(in); err != nil {
		return nil, err
	}
	type done struct {
		writes []*write
		out    []*written
		tables []string // as named in the request
	}
	d, err := fresh(s, func() (d done, err error) {
		for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
			writes, err := s.batchWrites(ctx, name, in.RequestItems[name])
			if err != nil {
				return d, err
			}
			for range writes {
				d.tables = append(d.tables, name)
			}
			d.writes = append(d.writes, writes...)
		}
		for _, w := range d.writes {
			w.blind = wire.Val(in.ReturnConsumedCapacity) == ""
		}
		d.out, err = s.all(ctx, d.writes, nil)
		return d, err
	})
	if err != nil {
		return nil, older(err)
	}
	out := &dynamodbapi.BatchWriteItemOutput{UnprocessedItems: map[string][]dynamodbapi.WriteRequest{}}
	var used usages
	for i, w := range d.writes {
		used.of(w.table).writes(d.out[i], 1)
		m, err := s.collectionMetrics(ctx, in.ReturnItemCollectionMetrics, w)
		if err != nil {
			return nil, err
		}
		out.ItemCollectionMetrics = addMetrics(out.ItemCollectionMetrics, d.tables[i], m)
	}
	out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
	return out, nil
}

func addMetrics(all map[string][]dynamodbapi.ItemCollectionMetrics, name string, m *dynamodbapi.ItemCollectionMetrics) map[string][]dynamodbapi.ItemCollectionMetrics {
	if m == nil {
		return all
	}
	if all == nil {
		all = map[string][]dynamodbapi.ItemCollectionMetrics{}
	}
	for _, known := range all[name] {
		if attr.EqualItems(known.ItemCollectionKey, m.ItemCollectionKey) {
			return all
		}
	}
	all[name] = append(all[name], *m)
	return all
}

// checkBatchWrite checks what needs no table.
func checkBatchWrite(in *dynamodbapi.BatchWriteItemInput) error {
	n := 0
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		n += len(in.RequestItems[name])
		for _, r := range in.RequestItems[name] {
			if err := checkWriteRequest(r); err != nil {
				return err
			}
		}
	}
	if n > maxBatchWrite {
		return validation("Too many items requested for the BatchWriteItem call")
	}
	return nil
}

func checkWriteRequest(r dynamodbapi.WriteRequest) error {
	switch {
	case r.PutRequest != nil && r.DeleteRequest != nil:
		return validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	case r.PutRequest == nil && r.DeleteRequest == nil:
		return validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	case r.DeleteRequest != nil:
		return older(attr.Item(r.DeleteRequest.Key).Validate())
	}
	it := attr.Item(r.PutRequest.Item)
	if err := it.Validate(); err != nil {
		return older(err)
	}
	if it.Size() > attr.MaxItemSize {
		return validation("Item size has exceeded the maximum allowed size")
	}
	return nil
}

// batchWrites prepares one table's part of a BatchWriteItem.
func (s *Service) batchWrites(ctx context.Context, name string, requests []dynamodbapi.WriteRequest) ([]*write, error) {
	t, err := s.table(ctx, &name)
	if err != nil {
		return nil, err
	}
	writes := make([]*write, len(requests))
	seen := map[string]bool{}
	for i, r := range requests {
		w := &write{table: t}
		if r.PutRequest != nil {
			w.kind, w.key, w.item = writePut, r.PutRequest.Item, r.PutRequest.Item
			err = t.checkItem(w.item)
		} else {
			w.kind, w.key = writeDelete, r.DeleteRequest.Key
			err = t.checkKey(w.key)
		}
		if err != nil {
			return nil, err
		}
		at := string(t.itemKey(w.key))
		if seen[at] {
			return nil, validation("Provided list of item keys contains duplicates")
		}
		seen[at] = true
		writes[i] = w
	}
	return writes, nil
}

// indexedError is an error of one write of several.
type indexedError struct {
	index int
	err   error
}

func (e *indexedError) Error() string { return fmt.Sprintf("write %d: %v", e.index, e.err) }
func (e *indexedError) Unwrap() error { return e.err }

// all runs writes in one transaction, which before opens if it is not nil.
// The error of a write is an *indexedError.
func (s *Service) all(ctx context.Context, writes []*write, before func(store.Tx) error) ([]*written, error) {
	var out []*written
	err := s.store.Update(ctx, func(tx store.Tx) error {
		out = make([]*written, len(writes))
		if before != nil {
			if err := before(tx); err != nil {
				return err
			}
		}
		for i, w := range writes {
			if err := w.table.current(tx); err != nil {
				return err
			}
			var err error
			if out[i], err = w.run(tx); err != nil {
				return &indexedError{i, err}
			}
		}
		return nil
	})
	if err == nil {
		for _, w := range writes {
			s.touched(w.table)
		}
	}
	return out, err
}
