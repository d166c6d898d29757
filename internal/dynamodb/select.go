package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
	"github.com/butai-dev/butai/internal/dynamodb/partiql"
	"github.com/butai-dev/butai/internal/wire"
)

// filter is what a statement asks of an item beside its key; nil for nothing.
type filter = *expr.Condition

// get says which item a SELECT with a whole key reads, and what else it asks
// for; without a whole key, missing is the complaint.
func (s *Service) get(ctx context.Context, st *partiql.Statement, missing string) (*dynamodbapi.Get, filter, error) {
	t, err := s.table(ctx, &st.Table)
	if err != nil {
		return nil, nil, err
	}
	key, rest, err := t.statementKey(st.Where)
	if err != nil || st.Index != "" {
		if err == nil || err == errNoKey {
			err = validation("%s", missing)
		}
		return nil, nil, err
	}
	get := &dynamodbapi.Get{TableName: &st.Table, Key: key}
	if len(rest) == 0 {
		return get, nil, nil
	}
	var r partiql.Renderer
	text := r.Condition(partiql.All(rest))
	e, err := (&parameters{filter: &text, names: r.Names, values: r.Values}).parse()
	return get, e.filter, refusal(err)
}

// matching is the item, or nil if the filter doesn't let it through.
func matching(it attr.Item, f filter) attr.Item {
	if it == nil || f != nil && !f.Matches(it) {
		return nil
	}
	return it
}

// columns is an item as the statement shows it: what a path leads to is called
// by the path's last name (recorded). A path's list index isn't part of that.
func columns(st *partiql.Statement, it attr.Item) attr.Item {
	if st.Columns == nil || it == nil {
		return it
	}
	out := attr.Item{}
	for _, path := range st.Columns {
		if v := path.Lookup(it); !v.IsZero() {
			name := ""
			for _, step := range path {
				if !step.IsIndex {
					name = step.Name
				}
			}
			out[name] = v
		}
	}
	return out
}

// place is where a SELECT goes on. Clients see it as opaque text.
type place struct {
	Statement string // digest
	Partition int
	Key       []byte // in stored form; nothing for a partition's beginning
}

func statementDigest(in *dynamodbapi.ExecuteStatementInput) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s", len(*in.Statement), *in.Statement)
	for _, v := range in.Parameters {
		h.Write(attr.AppendItem(nil, attr.Item{"": v}))
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func (p place) token() (*string, error) {
	text, err := json.Marshal(p)
	return wire.Ptr(base64.StdEncoding.EncodeToString(text)), err
}

func (p place) key() (attr.Item, error) {
	if len(p.Key) == 0 {
		return nil, nil
	}
	it, err := attr.DecodeItem(p.Key)
	if err != nil {
		return nil, validation("Invalid NextToken")
	}
	return it, nil
}

func readPlace(in *dynamodbapi.ExecuteStatementInput) (at place, err error) {
	digest := statementDigest(in)
	if in.NextToken == nil {
		return place{Statement: digest}, nil
	}
	text, err := base64.StdEncoding.DecodeString(*in.NextToken)
	if err != nil || json.Unmarshal(text, &at) != nil || at.Partition < 0 {
		return at, validation("Invalid NextToken")
	}
	if at.Statement != digest {
		return at, validation("NextToken does not match request")
	}
	return at, nil
}

// selected is what one Query or Scan of a SELECT found.
type selected struct {
	items   []map[string]attr.Value
	scanned int64
	last    map[string]attr.Value
	used    *dynamodbapi.ConsumedCapacity
}

// selectItems runs a SELECT: a Query for each partition that it names, or a
// Scan.
func (s *Service) selectItems(ctx context.Context, st *partiql.Statement, in *dynamodbapi.ExecuteStatementInput) (*dynamodbapi.ExecuteStatementOutput, error) {
	p, err := s.plan(ctx, st)
	if err != nil {
		return nil, err
	}
	at, err := readPlace(in)
	if err != nil {
		return nil, err
	}
	out := &dynamodbapi.ExecuteStatementOutput{Items: []map[string]attr.Value{}}
	left := in.Limit
	for {
		from, err := at.key()
		if err != nil {
			return nil, err
		}
		found, err := s.selectPage(ctx, p, at.Partition, from, in, left)
		if err != nil {
			return nil, err
		}
		for _, it := range found.items {
			out.Items = append(out.Items, columns(st, it))
		}
		out.ConsumedCapacity = sumCapacity(out.ConsumedCapacity, found.used)
		if left != nil {
			left = wire.Ptr(*left - found.scanned)
		}
		at.Key = nil
		switch {
		case found.last != nil:
			at.Key = attr.AppendItem(nil, found.last)
		case at.Partition+1 < len(p.partitions):
			at.Partition++
			if left == nil || *left > 0 {
				continue
			}
		default:
			return out, nil
		}
		out.LastEvaluatedKey = found.last
		out.NextToken, err = at.token()
		return out, err
	}
}

func (s *Service) selectPage(ctx context.Context, p *plan, partition int, from attr.Item, in *dynamodbapi.ExecuteStatementInput, limit *int64) (*selected, error) {
	var r partiql.Renderer
	var index, projection, filter *string
	if p.statement.Index != "" {
		index = &p.statement.Index
	}
	if tops := p.topColumns(&r); tops != "" {
		projection = &tops
	}
	if p.partitions == nil {
		if c := partiql.All(p.rest); c != nil {
			filter = wire.Ptr(r.Condition(c))
		}
		out, err := s.Scan(ctx, &dynamodbapi.ScanInput{TableName: &p.statement.Table, IndexName: index, ConsistentRead: in.ConsistentRead, Limit: limit,
			ProjectionExpression: projection, FilterExpression: filter, ExpressionAttributeNames: r.Names, ExpressionAttributeValues: r.Values,
			ExclusiveStartKey: from, ReturnConsumedCapacity: in.ReturnConsumedCapacity})
		if err != nil {
			return nil, err
		}
		return &selected{out.Items, *out.ScannedCount, out.LastEvaluatedKey, out.ConsumedCapacity}, nil
	}
	if partition >= len(p.partitions) {
		return nil, validation("Invalid NextToken")
	}
	key, rest := p.keyCondition(p.partitions[partition])
	keyText := r.Condition(key)
	if c := partiql.All(rest); c != nil {
		filter = wire.Ptr(r.Condition(c))
	}
	out, err := s.query(ctx, &dynamodbapi.QueryInput{TableName: &p.statement.Table, IndexName: index, ConsistentRead: in.ConsistentRead, Limit: limit,
		ProjectionExpression: projection, KeyConditionExpression: &keyText, FilterExpression: filter, ScanIndexForward: wire.Ptr(!p.down),
		ExpressionAttributeNames: r.Names, ExpressionAttributeValues: r.Values, ExclusiveStartKey: from, ReturnConsumedCapacity: in.ReturnConsumedCapacity}, true)
	if err != nil {
		return nil, err
	}
	return &selected{out.Items, *out.ScannedCount, out.LastEvaluatedKey, out.ConsumedCapacity}, nil
}

// sumCapacity adds up what the parts of a statement consumed of one table.
func sumCapacity(a, b *dynamodbapi.ConsumedCapacity) *dynamodbapi.ConsumedCapacity {
	if a == nil || b == nil {
		return b
	}
	sum := *b
	sum.CapacityUnits = wire.Ptr(*a.CapacityUnits + *b.CapacityUnits)
	if a.Table != nil && b.Table != nil {
		sum.Table = &dynamodbapi.Capacity{CapacityUnits: wire.Ptr(*a.Table.CapacityUnits + *b.Table.CapacityUnits)}
	}
	return &sum
}
