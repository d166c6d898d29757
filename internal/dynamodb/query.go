package dynamodb

import (
	"bytes"
	"context"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
	"github.com/butai-dev/butai/internal/store"
)

// Query returns the items of one partition in the order of their sort keys.
func (s *Service) Query(ctx context.Context, in *dynamodbapi.QueryInput) (*dynamodbapi.QueryOutput, error) {
	return s.query(ctx, in, false)
}

// query is Query; keysInFilter allows the filter to be about key attributes.
func (s *Service) query(ctx context.Context, in *dynamodbapi.QueryInput, keysInFilter bool) (*dynamodbapi.QueryOutput, error) {
	key, sel, err := parseQuery(in)
	if err != nil {
		return nil, refusal(err)
	}
	if err := sel.checkSelect(); err != nil {
		return nil, err
	}
	return fresh(s, func() (*dynamodbapi.QueryOutput, error) {
		t, err := s.table(ctx, in.TableName)
		if err != nil {
			return nil, err
		}
		r, err := sel.reader(t)
		if err != nil {
			return nil, err
		}
		if !keysInFilter {
			if err := r.checkFilter(key); err != nil {
				return nil, err
			}
		}
		rng, err := r.queryRange(key, sel.start, in.ScanIndexForward != nil && !*in.ScanIndexForward)
		if err != nil {
			return nil, err
		}
		if err := s.page(ctx, r, rng); err != nil {
			return nil, err
		}
		return &dynamodbapi.QueryOutput{Items: r.items, Count: &r.count, ScannedCount: &r.scanned,
			LastEvaluatedKey: r.last, ConsumedCapacity: r.usage().report(in.ReturnConsumedCapacity)}, nil
	})
}

// parseQuery reads everything of a Query that needs no table.
func parseQuery(in *dynamodbapi.QueryInput) (*expr.KeyCondition, *selection, error) {
	p := parameters{key: in.KeyConditionExpression, filter: in.FilterExpression, projection: in.ProjectionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		legacy: legacyNames(have("AttributesToGet", in.AttributesToGet != nil), have("QueryFilter", in.QueryFilter != nil),
			have("ConditionalOperator", in.ConditionalOperator != nil),
			have("KeyConditions", in.KeyConditions != nil && in.KeyConditionExpression != nil))}
	if err := attr.Item(in.ExclusiveStartKey).Validate(); err != nil {
		return nil, nil, err
	}
	e, err := p.parse()
	if err != nil {
		return nil, nil, err
	}
	if in.KeyConditionExpression == nil {
		if in.KeyConditions == nil {
			return nil, nil, complaint("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
		}
		m, err := tests(in.KeyConditions)
		if err != nil {
			return nil, nil, err
		}
		if e.key, err = expr.LegacyKeyCondition(m); err != nil {
			return nil, nil, err
		}
	}
	sel := &selection{table: in.TableName, index: in.IndexName, choice: in.Select, attributes: in.AttributesToGet,
		projection: e.projection, filter: e.filter, limit: in.Limit, consistent: in.ConsistentRead,
		start: in.ExclusiveStartKey, capacity: in.ReturnConsumedCapacity}
	return e.key, sel, sel.legacy(in.QueryFilter, in.ConditionalOperator)
}

// legacy fills in the legacy forms of the filter and the projection.
func (sel *selection) legacy(filter map[string]dynamodbapi.Condition, operator *string) error {
	var err error
	if sel.filter == nil {
		if sel.filter, err = filters(filter, operator); err != nil {
			return err
		}
	}
	if sel.projection == nil {
		sel.projection, err = projection(sel.attributes)
	}
	return err
}

// queryRange returns the store range that a key condition selects.
func (r *reader) queryRange(key *expr.KeyCondition, start attr.Item, reverse bool) (store.Range, error) {
	schema := r.schema()
	hash, test, err := key.Bind(schema.hash, schema.ranged)
	if err != nil {
		return store.Range{}, refusal(err)
	}
	partition := appendPartition(r.table.root(r.index), hash)
	rng := store.Range{Lo: partition, Hi: above(partition), Reverse: reverse}
	if test != nil {
		rng.Lo, rng.Hi = testRange(partition, test)
	}
	if start == nil {
		return rng, nil
	}
	at, err := r.position(start)
	if err != nil {
		return rng, err
	}
	if !attr.Equal(start[schema.hash.Name], hash) {
		return rng, validation("The provided starting key is outside query boundaries based on provided conditions")
	}
	if test != nil && !test.Matches(start[test.Name]) {
		return rng, validation("The provided starting key does not match the range key predicate")
	}
	return behind(rng, at), nil
}

// checkFilter refuses filters on the attributes of the key that is queried,
// unless the key condition is to be refused anyway.
func (r *reader) checkFilter(key *expr.KeyCondition) error {
	if _, _, err := key.Bind(r.schema().hash, r.schema().ranged); r.filter == nil || err != nil {
		return nil
	}
	for name := range r.filter.TopNames {
		if r.schema().has(name) {
			return validation("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", name)
		}
	}
	return nil
}

// testRange returns the bounds of the sort keys that pass test.
func testRange(partition []byte, test *expr.KeyTest) (lo, hi []byte) {
	at := func(v attr.Value) []byte { return attr.AppendKey(bytes.Clone(partition), v) }
	v := test.Values[0]
	switch test.Op {
	case "=":
		return at(v), above(at(v))
	case "<":
		return partition, at(v)
	case "<=":
		return partition, above(at(v))
	case ">":
		return above(at(v)), above(partition)
	case ">=":
		return at(v), above(partition)
	case "BETWEEN":
		return at(v), above(at(test.Values[1]))
	}
	prefix := attr.AppendKeyPrefix(bytes.Clone(partition), v.Text())
	return prefix, above(prefix)
}

// Scan returns all items, a page at a time, in an order of no meaning.
func (s *Service) Scan(ctx context.Context, in *dynamodbapi.ScanInput) (*dynamodbapi.ScanOutput, error) {
	sel, err := parseScan(in)
	if err != nil {
		return nil, older(err)
	}
	if err := sel.checkSelect(); err != nil {
		return nil, err
	}
	segment, total, err := segments(in)
	if err != nil {
		return nil, err
	}
	return fresh(s, func() (*dynamodbapi.ScanOutput, error) {
		t, err := s.table(ctx, in.TableName)
		if err != nil {
			return nil, err
		}
		r, err := sel.reader(t)
		if err != nil {
			return nil, err
		}
		rng, err := r.scanRange(segment, total, sel.start)
		if err != nil {
			return nil, err
		}
		if err := s.page(ctx, r, rng); err != nil {
			return nil, err
		}
		return &dynamodbapi.ScanOutput{Items: r.items, Count: &r.count, ScannedCount: &r.scanned,
			LastEvaluatedKey: r.last, ConsumedCapacity: r.usage().report(in.ReturnConsumedCapacity)}, nil
	})
}

func parseScan(in *dynamodbapi.ScanInput) (*selection, error) {
	p := parameters{filter: in.FilterExpression, projection: in.ProjectionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		legacy: legacyNames(have("AttributesToGet", in.AttributesToGet != nil), have("ScanFilter", in.ScanFilter != nil),
			have("ConditionalOperator", in.ConditionalOperator != nil))}
	if err := attr.Item(in.ExclusiveStartKey).Validate(); err != nil {
		return nil, err
	}
	e, err := p.parse()
	if err != nil {
		return nil, err
	}
	sel := &selection{table: in.TableName, index: in.IndexName, choice: in.Select, attributes: in.AttributesToGet,
		projection: e.projection, filter: e.filter, limit: in.Limit, consistent: in.ConsistentRead,
		start: in.ExclusiveStartKey, capacity: in.ReturnConsumedCapacity}
	return sel, sel.legacy(in.ScanFilter, in.ConditionalOperator)
}

// segments checks the parameters of a parallel scan.
func segments(in *dynamodbapi.ScanInput) (segment, total uint64, err error) {
	switch {
	case in.Segment == nil && in.TotalSegments == nil:
		return 0, 1, nil
	case in.Segment == nil:
		return 0, 0, validation("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case in.TotalSegments == nil:
		return 0, 0, validation("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case *in.Segment >= *in.TotalSegments:
		return 0, 0, validation("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *in.Segment, *in.TotalSegments)
	}
	return uint64(*in.Segment), uint64(*in.TotalSegments), nil
}

// scanRange returns the store range of one segment of the key space.
func (r *reader) scanRange(segment, total uint64, start attr.Item) (store.Range, error) {
	root := r.table.root(r.index)
	rng := store.Range{Lo: root, Hi: above(root)}
	if segment > 0 {
		rng.Lo = cut(root, segment, total)
	}
	if segment+1 < total {
		rng.Hi = cut(root, segment+1, total)
	}
	if start == nil {
		return rng, nil
	}
	at, err := r.position(start)
	if err != nil {
		return rng, err
	}
	if bytes.Compare(at, rng.Lo) < 0 || bytes.Compare(at, rng.Hi) >= 0 {
		return rng, validation("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", total, segment)
	}
	return behind(rng, at), nil
}

// cut returns the key at which the given segment begins. Segments are equal
// parts of the first 32 bits of the partition.
func cut(root []byte, segment, total uint64) []byte {
	at := segment << 32 / total
	return append(bytes.Clone(root), byte(at>>24), byte(at>>16), byte(at>>8), byte(at))
}

// wanted is a read of one item within a batch or transaction.
type wanted struct {
	table      *table
	key        attr.Item
	projection *expr.Projection
	consistent bool
}

// read returns the item whole; nil if there is none.
func (w *wanted) read(tx store.ReadTx) (attr.Item, error) {
	if err := w.table.current(tx); err != nil {
		return nil, err
	}
	return read(tx, w.table.itemKey(w.key))
}

// shown returns the part of an item that was asked for.
func (w *wanted) shown(it attr.Item) attr.Item {
	if it == nil || w.projection == nil {
		return it
	}
	return w.projection.Of(it)
}
