package dynamodb_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/dynamodb"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

// TestAgainstModel runs random operations on the service and on a map, which
// must agree after each of them.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	s := dynamodb.New(dynamodb.Config{Store: st, Clock: clock.NewFake(time.Unix(1e9, 0)), Log: slog.New(slog.DiscardHandler)})
	ctx := wire.WithCaller(t.Context(), &wire.Caller{Account: "000000000000", Region: "us-east-1", ARN: "arn:aws:iam::000000000000:root"})
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		m := &model{ctx: ctx, s: s, table: fmt.Sprintf("model-%d", n), items: map[string]attr.Item{}}
		m.create(t)
		t.Repeat(map[string]func(*rapid.T){
			"put": m.put, "update": m.update, "delete": m.delete, "get": m.get, "query": m.query, "index": m.queryIndex,
			"scan": m.scan, "transact": m.transact,
		})
	})
}

type model struct {
	ctx   context.Context
	s     *dynamodb.Service
	table string
	items map[string]attr.Item // by pk and sk
}

func number(n int) attr.Value {
	v, err := attr.Number(fmt.Sprint(n))
	if err != nil {
		panic(err)
	}
	return v
}

func (m *model) create(t *rapid.T) {
	define := func(name, kind string) dynamodbapi.AttributeDefinition {
		return dynamodbapi.AttributeDefinition{AttributeName: &name, AttributeType: &kind}
	}
	key := func(hash, ranged string) []dynamodbapi.KeySchemaElement {
		return []dynamodbapi.KeySchemaElement{
			{AttributeName: &hash, KeyType: wire.Ptr("HASH")}, {AttributeName: &ranged, KeyType: wire.Ptr("RANGE")}}
	}
	_, err := m.s.CreateTable(m.ctx, &dynamodbapi.CreateTableInput{
		TableName: &m.table, BillingMode: wire.Ptr("PAY_PER_REQUEST"),
		AttributeDefinitions: []dynamodbapi.AttributeDefinition{define("pk", "S"), define("sk", "N"), define("g", "S"), define("r", "B")},
		KeySchema:            key("pk", "sk"),
		GlobalSecondaryIndexes: []dynamodbapi.GlobalSecondaryIndex{
			{IndexName: wire.Ptr("gsi"), KeySchema: key("g", "r"), Projection: &dynamodbapi.Projection{ProjectionType: wire.Ptr("ALL")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func key(it attr.Item) string { return it["pk"].Text() + "/" + it["sk"].Text() }

func drawKey(t *rapid.T) attr.Item {
	return attr.Item{"pk": attr.String(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "pk")), "sk": number(rapid.IntRange(-3, 4).Draw(t, "sk"))}
}

func drawBytes(t *rapid.T) attr.Value {
	return attr.Binary(string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0xFF}), 1, 3).Draw(t, "r")))
}

func drawItem(t *rapid.T) attr.Item {
	it := drawKey(t)
	if rapid.Bool().Draw(t, "has g") {
		it["g"] = attr.String(rapid.SampledFrom([]string{"x", "y"}).Draw(t, "g"))
	}
	if rapid.Bool().Draw(t, "has r") {
		it["r"] = drawBytes(t)
	}
	it["v"] = number(rapid.IntRange(0, 9).Draw(t, "v"))
	return it
}

// want fails unless err is a failed condition exactly if holds is false.
func want(t *rapid.T, err error, holds bool) bool {
	var failed *dynamodbapi.ConditionalCheckFailedException
	if errors.As(err, &failed) == holds || err != nil && failed == nil {
		t.Fatalf("condition holds: %v, error: %v", holds, err)
	}
	return holds
}

func (m *model) put(t *rapid.T) {
	it := drawItem(t)
	in := &dynamodbapi.PutItemInput{TableName: &m.table, Item: it}
	holds := true
	if rapid.Bool().Draw(t, "if new") {
		in.ConditionExpression = wire.Ptr("attribute_not_exists(pk)")
		holds = m.items[key(it)] == nil
	}
	if _, err := m.s.PutItem(m.ctx, in); want(t, err, holds) {
		m.items[key(it)] = it
	}
}

func (m *model) update(t *rapid.T) {
	k := drawKey(t)
	now := k.Clone()
	maps.Copy(now, m.items[key(k)])
	in := &dynamodbapi.UpdateItemInput{TableName: &m.table, Key: k, ReturnValues: wire.Ptr("ALL_NEW")}
	switch rapid.IntRange(0, 2).Draw(t, "kind of update") {
	case 0:
		now["r"] = drawBytes(t)
		in.UpdateExpression = wire.Ptr("SET r = :r")
		in.ExpressionAttributeValues = attr.Item{":r": now["r"]}
	case 1:
		delete(now, "g")
		in.UpdateExpression = wire.Ptr("REMOVE g")
	case 2:
		sum, err := attr.AddNumbers(cmp.Or(now["v"].Text(), "0"), "1")
		if err != nil {
			t.Fatal(err)
		}
		now["v"], _ = attr.Number(sum)
		in.UpdateExpression = wire.Ptr("ADD v :one")
		in.ExpressionAttributeValues = attr.Item{":one": number(1)}
	}
	out, err := m.s.UpdateItem(m.ctx, in)
	if err != nil || !attr.EqualItems(out.Attributes, now) {
		t.Fatalf("%v: %v, want %v", err, out, now)
	}
	m.items[key(k)] = now
}

func (m *model) delete(t *rapid.T) {
	k := drawKey(t)
	out, err := m.s.DeleteItem(m.ctx, &dynamodbapi.DeleteItemInput{TableName: &m.table, Key: k, ReturnValues: wire.Ptr("ALL_OLD")})
	if err != nil || !attr.EqualItems(out.Attributes, m.items[key(k)]) {
		t.Fatalf("%v: %v, want %v", err, out, m.items[key(k)])
	}
	delete(m.items, key(k))
}

func (m *model) get(t *rapid.T) {
	k := drawKey(t)
	out, err := m.s.GetItem(m.ctx, &dynamodbapi.GetItemInput{TableName: &m.table, Key: k})
	if err != nil || !attr.EqualItems(out.Item, m.items[key(k)]) {
		t.Fatalf("%v: %v, want %v", err, out, m.items[key(k)])
	}
}

func (m *model) transact(t *rapid.T) {
	put, check := drawItem(t), drawKey(t)
	if key(put) == key(check) {
		t.Skip("one item")
	}
	holds := m.items[key(check)] != nil
	_, err := m.s.TransactWriteItems(m.ctx, &dynamodbapi.TransactWriteItemsInput{TransactItems: []dynamodbapi.TransactWriteItem{
		{Put: &dynamodbapi.Put{TableName: &m.table, Item: put}},
		{Delete: &dynamodbapi.Delete{TableName: &m.table, Key: check, ConditionExpression: wire.Ptr("attribute_exists(pk)")}},
	}})
	var cancelled *dynamodbapi.TransactionCanceledException
	if errors.As(err, &cancelled) == holds || err != nil && cancelled == nil {
		t.Fatalf("condition holds: %v, error: %v", holds, err)
	}
	if holds {
		m.items[key(put)] = put
		delete(m.items, key(check))
	}
}

// matching returns the model's items that pass a test, ordered.
func (m *model) matching(pass func(attr.Item) bool, order func(a, b attr.Item) int) []attr.Item {
	var out []attr.Item
	for _, it := range m.items {
		if pass(it) {
			out = append(out, it)
		}
	}
	slices.SortFunc(out, order)
	return out
}

func bySort(a, b attr.Item) int { return attr.CompareNumbers(a["sk"].Text(), b["sk"].Text()) }

func (m *model) query(t *rapid.T) {
	pk, bound := attr.String("a"), number(rapid.IntRange(-4, 5).Draw(t, "bound"))
	op := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "="}).Draw(t, "operator")
	backwards := rapid.Bool().Draw(t, "backwards")
	wanted := m.matching(func(it attr.Item) bool {
		c := attr.CompareNumbers(it["sk"].Text(), bound.Text())
		return it["pk"].Text() == "a" && (strings.Contains(op, "=") && c == 0 || strings.Contains(op, "<") && c < 0 || strings.Contains(op, ">") && c > 0)
	}, bySort)
	if backwards {
		slices.Reverse(wanted)
	}
	m.compare(t, wanted, &dynamodbapi.QueryInput{TableName: &m.table, KeyConditionExpression: wire.Ptr("pk = :p AND sk " + op + " :b"),
		ExpressionAttributeValues: attr.Item{":p": pk, ":b": bound}, ScanIndexForward: wire.Ptr(!backwards)})
}

func (m *model) queryIndex(t *rapid.T) {
	prefix := rapid.SampledFrom([]string{"\x00", "\xff", "\xff\x00"}).Draw(t, "prefix")
	wanted := m.matching(func(it attr.Item) bool {
		return it["g"].Text() == "x" && !it["r"].IsZero() && strings.HasPrefix(it["r"].Text(), prefix)
	}, func(a, b attr.Item) int {
		return cmp.Or(strings.Compare(a["r"].Text(), b["r"].Text()), strings.Compare(key(a), key(b)))
	})
	m.compare(t, wanted, &dynamodbapi.QueryInput{TableName: &m.table, IndexName: wire.Ptr("gsi"), KeyConditionExpression: wire.Ptr("g = :g AND begins_with(r, :r)"),
		ExpressionAttributeValues: attr.Item{":g": attr.String("x"), ":r": attr.Binary(prefix)}})
}

// compare runs a query in pages and compares; among equal sort keys of an
// index the order is nobody's business.
func (m *model) compare(t *rapid.T, wanted []attr.Item, in *dynamodbapi.QueryInput) {
	in.Limit = wire.Ptr(int64(rapid.IntRange(1, 4).Draw(t, "limit")))
	var got []attr.Item
	for {
		out, err := m.s.Query(m.ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range out.Items {
			got = append(got, it)
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; out.LastEvaluatedKey == nil {
			break
		}
	}
	if in.IndexName != nil {
		if !slices.IsSortedFunc(got, func(a, b attr.Item) int { return strings.Compare(a["r"].Text(), b["r"].Text()) }) {
			t.Fatalf("not in order: %v", got)
		}
		slices.SortStableFunc(got, func(a, b attr.Item) int {
			return cmp.Or(strings.Compare(a["r"].Text(), b["r"].Text()), strings.Compare(key(a), key(b)))
		})
	}
	if !slices.EqualFunc(got, wanted, attr.EqualItems) {
		t.Fatalf("got %v\nwant %v", got, wanted)
	}
}

func (m *model) scan(t *rapid.T) {
	got := map[string]attr.Item{}
	total := int64(rapid.IntRange(1, 3).Draw(t, "segments"))
	for segment := range total {
		in := &dynamodbapi.ScanInput{TableName: &m.table, Segment: &segment, TotalSegments: &total, Limit: wire.Ptr(int64(3))}
		for {
			out, err := m.s.Scan(m.ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range out.Items {
				if got[key(it)] != nil {
					t.Fatalf("met twice: %v", it)
				}
				got[key(it)] = it
			}
			if in.ExclusiveStartKey = out.LastEvaluatedKey; out.LastEvaluatedKey == nil {
				break
			}
		}
	}
	if len(got) != len(m.items) {
		t.Fatalf("%d items, want %d", len(got), len(m.items))
	}
	for k, it := range m.items {
		if !attr.EqualItems(got[k], it) {
			t.Fatalf("%s: got %v, want %v", k, got[k], it)
		}
	}
}
