package dynamodb_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/dynamodb"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

// BenchmarkItems measures the service alone, without HTTP, over a durable
// store, with 16 callers.
func BenchmarkItems(b *testing.B) {
	st, err := sqlite.Open(b.Context(), b.TempDir(), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	s := dynamodb.New(dynamodb.Config{Store: st, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)})
	ctx := wire.WithCaller(b.Context(), &wire.Caller{Account: "000000000000", Region: "us-east-1"})
	name := wire.Ptr("bench")
	if _, err := s.CreateTable(ctx, &dynamodbapi.CreateTableInput{
		TableName: name, BillingMode: wire.Ptr("PAY_PER_REQUEST"),
		AttributeDefinitions: []dynamodbapi.AttributeDefinition{{AttributeName: wire.Ptr("pk"), AttributeType: wire.Ptr("S")}, {AttributeName: wire.Ptr("sk"), AttributeType: wire.Ptr("N")}},
		KeySchema:            []dynamodbapi.KeySchemaElement{{AttributeName: wire.Ptr("pk"), KeyType: wire.Ptr("HASH")}, {AttributeName: wire.Ptr("sk"), KeyType: wire.Ptr("RANGE")}},
	}); err != nil {
		b.Fatal(err)
	}
	payload := attr.String(strings.Repeat("x", 400))
	id := func(i int) attr.Item {
		return attr.Item{"pk": attr.String(fmt.Sprintf("p%d", i%100)), "sk": number(i % 2000)}
	}
	for i := range 2000 {
		it := id(i)
		it["payload"] = payload
		if _, err := s.PutItem(ctx, &dynamodbapi.PutItemInput{TableName: name, Item: it}); err != nil {
			b.Fatal(err)
		}
	}
	for _, bench := range []struct {
		name string
		run  func(context.Context, int) error
	}{
		{"Put", func(ctx context.Context, i int) error {
			it := id(i)
			it["payload"] = payload
			_, err := s.PutItem(ctx, &dynamodbapi.PutItemInput{TableName: name, Item: it})
			return err
		}},
		{"Get", func(ctx context.Context, i int) error {
			_, err := s.GetItem(ctx, &dynamodbapi.GetItemInput{TableName: name, Key: id(i)})
			return err
		}},
		{"Update", func(ctx context.Context, i int) error {
			_, err := s.UpdateItem(ctx, &dynamodbapi.UpdateItemInput{TableName: name, Key: id(i), UpdateExpression: wire.Ptr("ADD n :n"),
				ConditionExpression: wire.Ptr("attribute_exists(pk)"), ExpressionAttributeValues: attr.Item{":n": number(1)}})
			return err
		}},
		{"Query20", func(ctx context.Context, i int) error {
			_, err := s.Query(ctx, &dynamodbapi.QueryInput{TableName: name, KeyConditionExpression: wire.Ptr("pk = :p"),
				ExpressionAttributeValues: attr.Item{":p": attr.String(fmt.Sprintf("p%d", i%100))}})
			return err
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					if err := bench.run(ctx, i); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
