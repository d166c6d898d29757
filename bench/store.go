package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

const (
	tableName  = "bench"
	partitions = 16
	perQuery   = 8 // items of a partition
)

// measureStore measures DynamoDB over HTTP, signed by an IAM user whose
// signature and policies are checked on each call.
func (b *bench) measureStore(ctx context.Context, s *server, _ *deployer) (err error) {
	if err := makeTable(ctx, dynamodb.NewFromConfig(s.sdk())); err != nil {
		return err
	}
	user, err := makeUser(ctx, iam.NewFromConfig(s.sdk()), "dynamodb:*", fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", region, account, tableName))
	if err != nil {
		return err
	}
	ceiling, err := startEcho()
	if err != nil {
		return err
	}
	defer ceiling.stop()
	for _, c := range []int{1, 16} {
		for _, op := range storeOperations {
			if err := b.raceStore(ctx, s, user, ceiling, op, c); err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
		}
	}
	return nil
}

func makeTable(ctx context.Context, db *dynamodb.Client) error {
	if _, err := db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(tableName), BillingMode: dbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dbtypes.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: dbtypes.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: dbtypes.ScalarAttributeTypeN},
		},
		KeySchema: []dbtypes.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: dbtypes.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: dbtypes.KeyTypeRange},
		},
	}); err != nil {
		return err
	}
	for p := range partitions {
		for i := range perQuery {
			if _, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(tableName), Item: map[string]dbtypes.AttributeValue{
				"pk":   &dbtypes.AttributeValueMemberS{Value: partition(p)},
				"sk":   &dbtypes.AttributeValueMemberN{Value: strconv.Itoa(i)},
				"text": &dbtypes.AttributeValueMemberS{Value: strings.Repeat("x", 100)},
			}}); err != nil {
				return err
			}
		}
	}
	return nil
}

func partition(n int) string { return "user#" + strconv.Itoa(n%partitions) }

// makeUser makes an IAM user that may do action to a resource and nothing else.
func makeUser(ctx context.Context, users *iam.Client, action, resource string) (key, error) {
	name := aws.String("bench-user")
	if _, err := users.CreateUser(ctx, &iam.CreateUserInput{UserName: name}); err != nil {
		return key{}, err
	}
	document, err := policy(action, resource, "")
	if err != nil {
		return key{}, err
	}
	if _, err := users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("bench"), PolicyDocument: document}); err != nil {
		return key{}, err
	}
	made, err := users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		return key{}, err
	}
	return key{*made.AccessKey.AccessKeyId, *made.AccessKey.SecretAccessKey}, nil
}

// storeOperation is one kind of call.
type storeOperation struct {
	name string
	body func(n int) string
	want string // part of a right answer
}

var storeOperations = []storeOperation{
	{"GetItem", func(n int) string {
		return fmt.Sprintf(`{"TableName":%q,"Key":{"pk":{"S":%q},"sk":{"N":"%d"}}}`, tableName, partition(n), n%perQuery)
	}, `"text":{"S":"xxx`},
	{"Query", func(n int) string {
		return fmt.Sprintf(`{"TableName":%q,"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":%q}}}`, tableName, partition(n))
	}, `"Count":` + strconv.Itoa(perQuery)},
	{"PutItem", func(n int) string {
		return fmt.Sprintf(`{"TableName":%q,"Item":{"pk":{"S":"put#%d"},"sk":{"N":"%d"},"text":{"S":%q}}}`,
			tableName, n%partitions, n, strings.Repeat("y", 100))
	}, `{}`},
}

// variety is how many different requests of an operation are signed
// beforehand.
const variety = 256

func (b *bench) raceStore(ctx context.Context, s *server, user key, ceiling *echo, op storeOperation, c int) error {
	requests := make([][]byte, variety)
	for n := range requests {
		var err error
		if requests[n], err = s.signed(ctx, user, "dynamodb", "DynamoDB_20120810."+op.name, op.body(n)); err != nil {
			return err
		}
	}
	ours := &endpoint{
		address: s.address, roots: []int{s.pid()},
		request: func(n int) []byte { return requests[n%variety] },
		check: func(status int, body []byte) error {
			if status != 200 || !strings.Contains(string(body), op.want) {
				return fmt.Errorf("got %d %.300q", status, body)
			}
			return nil
		},
	}
	all, err := b.contest(ctx, c, ours, ceiling.as(requests[0], op.body(0)))
	if err != nil {
		return err
	}
	name := op.name + ", c=" + strconv.Itoa(c)
	b.report.add(name, "calls/s", all[0].of(perSecond), "net/http echo", all[1].of(perSecond), bar{})
	b.report.add(name+", p50", "ms", all[0].of(p50), "net/http echo", all[1].of(p50), bar{})
	b.report.add(name+", processor time", "ms/call", all[0].of(cpu), "net/http echo", all[1].of(cpu), bar{})
	return nil
}
