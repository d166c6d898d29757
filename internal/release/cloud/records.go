package cloud

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/butai-dev/butai/internal/release"
	"github.com/butai-dev/butai/internal/release/journal"
)

// Records keeps one API's records in a DynamoDB table: the partition key is
// the API's id, the sort key says what an item is.
//
//	entry#00000042        a line of the journal
//	definition#SHA256#00  a part of an exported API, compressed
//	lease#STAGE           who releases a stage, and until when
type Records struct {
	client     *dynamodb.Client
	table, api string
}

var _ release.Records = (*Records)(nil)

// NewRecords is an API's records in a table.
func NewRecords(cfg aws.Config, table, api string) *Records {
	return &Records{client: dynamodb.NewFromConfig(cfg), table: table, api: api}
}

const (
	partitionKey = "api"
	sortKey      = "item"
	entryPrefix  = "entry#"
	conflictCode = "ConditionalCheckFailedException"
	// partSize keeps an item below DynamoDB's 400 KB.
	partSize = 350 << 10
	// tableWait is how long a new table may take to become active.
	tableWait = 2 * time.Minute
)

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func (r *Records) key(sort string) item { return item{partitionKey: text(r.api), sortKey: text(sort)} }

func textOf(i item, name string) string {
	if s, ok := i[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// Create implements release.Records.
func (r *Records) Create(ctx context.Context) error {
	_, err := r.client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &r.table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(partitionKey), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(sortKey), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(partitionKey), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sortKey), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil && !is(err, "ResourceInUseException") {
		return err
	}
	return dynamodb.NewTableExistsWaiter(r.client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = time.Second }).
		Wait(ctx, &dynamodb.DescribeTableInput{TableName: &r.table}, tableWait)
}

func entryKey(seq int) string { return fmt.Sprintf("%s%08d", entryPrefix, seq) }

// Append implements release.Records.
func (r *Records) Append(ctx context.Context, e *journal.Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	put := r.key(entryKey(e.Seq))
	put["line"] = text(string(line))
	_, err = r.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &r.table, Item: put, ConditionExpression: aws.String("attribute_not_exists(#k)"),
		ExpressionAttributeNames: map[string]string{"#k": sortKey},
	})
	if !is(err, conflictCode) {
		return err
	}
	// A retry of ours may have met what the first try stored.
	have, err := r.get(ctx, entryKey(e.Seq))
	if err == nil && textOf(have, "line") != string(line) {
		err = release.ErrTaken
	}
	return err
}

func (r *Records) get(ctx context.Context, sort string) (item, error) {
	out, err := r.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &r.table, Key: r.key(sort), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

// Entries implements release.Records.
func (r *Records) Entries(ctx context.Context, after int) ([]journal.Entry, error) {
	pages := dynamodb.NewQueryPaginator(r.client, &dynamodb.QueryInput{
		TableName: &r.table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:   aws.String("#p = :api AND #s BETWEEN :from AND :to"),
		ExpressionAttributeNames: map[string]string{"#p": partitionKey, "#s": sortKey},
		ExpressionAttributeValues: item{
			":api": text(r.api), ":from": text(entryKey(after + 1)), ":to": text(entryPrefix + "~"),
		},
	})
	var out []journal.Entry
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, i := range page.Items {
			var e journal.Entry
			if err := json.Unmarshal([]byte(textOf(i, "line")), &e); err != nil {
				return nil, fmt.Errorf("record %s of table %s: %w", textOf(i, sortKey), r.table, err)
			}
			out = append(out, e)
		}
	}
	return out, nil
}

func definitionKey(sum string, part int) string { return fmt.Sprintf("definition#%s#%02d", sum, part) }

// PutDefinition implements release.Records.
func (r *Records) PutDefinition(ctx context.Context, sum string, definition []byte) error {
	all, err := pack(definition)
	if err != nil {
		return err
	}
	packed := bytes.NewBuffer(all)
	for part := 0; ; part++ {
		put := r.key(definitionKey(sum, part))
		put["data"] = &types.AttributeValueMemberB{Value: bytes.Clone(packed.Next(partSize))}
		put["last"] = &types.AttributeValueMemberBOOL{Value: packed.Len() == 0}
		if _, err := r.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &r.table, Item: put}); err != nil || packed.Len() == 0 {
			return err
		}
	}
}

// Definition implements release.Records.
func (r *Records) Definition(ctx context.Context, sum string) ([]byte, error) {
	var packed bytes.Buffer
	for part, last := 0, false; !last; part++ {
		i, err := r.get(ctx, definitionKey(sum, part))
		if err != nil || i == nil {
			return nil, err
		}
		data, ok := i["data"].(*types.AttributeValueMemberB)
		if !ok {
			return nil, errors.New("a definition of table " + r.table + " has no data")
		}
		packed.Write(data.Value)
		flag, ok := i["last"].(*types.AttributeValueMemberBOOL)
		last = !ok || flag.Value
	}
	return unpack(packed.Bytes())
}

// pack compresses a definition.
func pack(definition []byte) ([]byte, error) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(definition)
	err = errors.Join(err, z.Close())
	return packed.Bytes(), err
}

func unpack(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func leaseKey(stage string) string { return "lease#" + stage }

// Lease implements release.Records.
func (r *Records) Lease(ctx context.Context, stage, owner string, now, until time.Time) error {
	put := r.key(leaseKey(stage))
	put["owner"], put["until"] = text(owner), number(until.UnixMilli())
	_, err := r.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &r.table, Item: put,
		ConditionExpression:       aws.String("attribute_not_exists(#o) OR #o = :me OR #u < :now"),
		ExpressionAttributeNames:  map[string]string{"#o": "owner", "#u": "until"},
		ExpressionAttributeValues: item{":me": text(owner), ":now": number(now.UnixMilli())},
	})
	if !is(err, conflictCode) {
		return err
	}
	have, err := r.get(ctx, leaseKey(stage))
	if err != nil {
		return err
	}
	expires := time.Time{}
	if n, ok := have["until"].(*types.AttributeValueMemberN); ok {
		if ms, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			expires = time.UnixMilli(ms)
		}
	}
	return &release.LeaseError{Stage: stage, Owner: textOf(have, "owner"), Until: expires}
}

// Unlease implements release.Records.
func (r *Records) Unlease(ctx context.Context, stage, owner string) error {
	_, err := r.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &r.table, Key: r.key(leaseKey(stage)), ConditionExpression: aws.String("#o = :me"),
		ExpressionAttributeNames: map[string]string{"#o": "owner"}, ExpressionAttributeValues: item{":me": text(owner)},
	})
	if is(err, conflictCode) {
		return nil
	}
	return err
}
