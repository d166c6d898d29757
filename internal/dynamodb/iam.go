package dynamodb

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/partiql"
	"github.com/butai-dev/butai/internal/wire"
)

var _ wire.IAMNamer = (*Service)(nil)

// leadingKeys is the condition key that holds the partition keys a request
// touches (Service Authorization Reference, "Condition keys for Amazon
// DynamoDB").
const leadingKeys = "dynamodb:LeadingKeys"

// IAMTargets implements wire.IAMNamer: every table or index that the request
// touches, under the action of its kind.
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	n := namer{s: s, ctx: ctx, caller: wire.CallerFrom(ctx)}
	action := "dynamodb:" + op.Name
	switch in := in.(type) {
	case *dynamodbapi.GetItemInput:
		n.add(action, in.TableName, nil, in.Key)
	case *dynamodbapi.PutItemInput:
		n.add(action, in.TableName, nil, in.Item)
	case *dynamodbapi.UpdateItemInput:
		n.add(action, in.TableName, nil, in.Key)
	case *dynamodbapi.DeleteItemInput:
		n.add(action, in.TableName, nil, in.Key)
	case *dynamodbapi.QueryInput:
		n.add(action, in.TableName, in.IndexName)
		n.query(in)
	case *dynamodbapi.ScanInput:
		n.add(action, in.TableName, in.IndexName)
	case *dynamodbapi.BatchGetItemInput:
		for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
			n.add(action, &name, nil, in.RequestItems[name].Keys...)
		}
	case *dynamodbapi.BatchWriteItemInput:
		for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
			n.add(action, &name, nil, writeKeys(in.RequestItems[name])...)
		}
	case *dynamodbapi.TransactGetItemsInput:
		for _, item := range in.TransactItems {
			n.add("dynamodb:GetItem", item.Get.TableName, nil, item.Get.Key)
		}
	case *dynamodbapi.TransactWriteItemsInput:
		for _, item := range in.TransactItems {
			n.transact(item)
		}
	default:
		n.control(action, in)
	}
	return n.targets
}

// namer collects targets.
type namer struct {
	s       *Service
	ctx     context.Context
	caller  *wire.Caller
	targets []wire.IAMTarget
}

func (n *namer) add(action string, tableName, index *string, items ...map[string]attr.Value) {
	t := wire.IAMTarget{Action: action, Resource: n.arn(wire.Val(tableName))}
	if index != nil {
		t.Resource += "/index/" + *index
	}
	if len(items) > 0 && n.bound() {
		t.Context = n.leading(tableName, items)
	}
	n.targets = append(n.targets, t)
}

// bound reports whether policies bind the caller; they do not bind an
// account's root user, who makes up most traffic of a local server.
func (n *namer) bound() bool { return !strings.HasSuffix(n.caller.ARN, ":root") }

func (n *namer) arn(nameOrARN string) string {
	if strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN
	}
	return tableKey{n.caller.Account, n.caller.Region, nameOrARN}.arn()
}

func (n *namer) leading(tableName *string, items []map[string]attr.Value) map[string][]string {
	t, err := n.s.named(n.ctx, tableName)
	if err != nil {
		return nil // there is no such table, and so nothing to protect
	}
	var values []string
	for _, it := range items {
		values = append(values, it[t.schema.hash.Name].Text())
	}
	return map[string][]string{leadingKeys: values}
}

// query adds the partition that a Query reads. A condition that cannot be
// read names none; the query itself then fails the same way.
func (n *namer) query(in *dynamodbapi.QueryInput) {
	if !n.bound() {
		return
	}
	t, err := n.s.named(n.ctx, in.TableName)
	if err != nil {
		return
	}
	schema := &t.schema
	if in.IndexName != nil {
		x := t.index(*in.IndexName)
		if x == nil {
			return
		}
		schema = &x.schema
	}
	key, _, err := parseQuery(in)
	if err != nil {
		return
	}
	hash, _, err := key.Bind(schema.hash, schema.ranged)
	if err != nil {
		return
	}
	n.targets[len(n.targets)-1].Context = map[string][]string{leadingKeys: {hash.Text()}}
}

func writeKeys(requests []dynamodbapi.WriteRequest) []map[string]attr.Value {
	var items []map[string]attr.Value
	for _, r := range requests {
		if r.PutRequest != nil {
			items = append(items, r.PutRequest.Item)
		}
		if r.DeleteRequest != nil {
			items = append(items, r.DeleteRequest.Key)
		}
	}
	return items
}

func (n *namer) transact(item dynamodbapi.TransactWriteItem) {
	if p := item.Put; p != nil {
		n.add("dynamodb:PutItem", p.TableName, nil, p.Item)
	}
	if u := item.Update; u != nil {
		n.add("dynamodb:UpdateItem", u.TableName, nil, u.Key)
	}
	if d := item.Delete; d != nil {
		n.add("dynamodb:DeleteItem", d.TableName, nil, d.Key)
	}
	if c := item.ConditionCheck; c != nil {
		n.add("dynamodb:ConditionCheckItem", c.TableName, nil, c.Key)
	}
}

// control adds the target of a control plane operation.
func (n *namer) control(action string, in any) {
	switch in := in.(type) {
	case *dynamodbapi.CreateTableInput:
		n.add(action, in.TableName, nil)
		if len(in.Tags) > 0 {
			n.add("dynamodb:TagResource", in.TableName, nil)
		}
	case *dynamodbapi.UpdateTableInput:
		n.add(action, in.TableName, nil)
	case *dynamodbapi.DeleteTableInput:
		n.add(action, in.TableName, nil)
	case *dynamodbapi.DescribeTableInput:
		n.add(action, in.TableName, nil)
	case *dynamodbapi.DescribeTimeToLiveInput:
		n.add(action, in.TableName, nil)
	case *dynamodbapi.UpdateTimeToLiveInput:
		n.add(action, in.TableName, nil)
	case *dynamodbapi.DescribeContinuousBackupsInput:
		n.add(action, in.TableName, nil)
	case *dynamodbapi.UpdateContinuousBackupsInput:
		n.add(action, in.TableName, nil)
	case *dynamodbapi.ExecuteStatementInput:
		n.statement(in.Statement, in.Parameters)
	case *dynamodbapi.BatchExecuteStatementInput:
		for i := range in.Statements {
			n.statement(in.Statements[i].Statement, in.Statements[i].Parameters)
		}
	case *dynamodbapi.ExecuteTransactionInput:
		for i := range in.TransactStatements {
			n.statement(in.TransactStatements[i].Statement, in.TransactStatements[i].Parameters)
		}
	case *dynamodbapi.CreateBackupInput:
		n.add(action, in.TableName, nil)
	case *dynamodbapi.DescribeBackupInput:
		n.add(action, in.BackupArn, nil)
	case *dynamodbapi.DeleteBackupInput:
		n.add(action, in.BackupArn, nil)
	case *dynamodbapi.RestoreTableFromBackupInput:
		n.add(action, in.BackupArn, nil)
		n.restore(action, in.TargetTableName)
	case *dynamodbapi.RestoreTableToPointInTimeInput:
		if in.SourceTableName != nil {
			n.add(action, in.SourceTableName, nil)
		} else {
			n.add(action, in.SourceTableArn, nil)
		}
		n.restore(action, in.TargetTableName)
	case *dynamodbapi.TagResourceInput:
		n.add(action, in.ResourceArn, nil)
	case *dynamodbapi.UntagResourceInput:
		n.add(action, in.ResourceArn, nil)
	case *dynamodbapi.ListTagsOfResourceInput:
		n.add(action, in.ResourceArn, nil)
	default:
		n.targets = append(n.targets, wire.IAMTarget{Action: action, Resource: "*"})
	}
}

// restore adds what restoring takes on the new table (Developer Guide, "Using
// IAM with DynamoDB backup and restore").
func (n *namer) restore(action string, target *string) {
	for _, a := range []string{action, "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"} {
		n.add(a, target, nil)
	}
}

// fullTableScan is the condition key that says whether a SELECT reads all of a
// table (Developer Guide, "IAM security policies with PartiQL for DynamoDB").
const fullTableScan = "dynamodb:FullTableScan"

var statementActions = map[partiql.Kind]string{
	partiql.Select: "dynamodb:PartiQLSelect", partiql.Insert: "dynamodb:PartiQLInsert", partiql.Update: "dynamodb:PartiQLUpdate",
	partiql.Delete: "dynamodb:PartiQLDelete", partiql.Exists: "dynamodb:PartiQLSelect",
}

// statement adds the target of a PartiQL statement. One that can't be read
// needs to be allowed to read, and then fails as it would anyway.
func (n *namer) statement(text *string, parameters []attr.Value) {
	st, err := parseStatement(text, parameters)
	if err != nil {
		n.targets = append(n.targets, wire.IAMTarget{Action: statementActions[partiql.Select], Resource: "*"})
		return
	}
	var index *string
	if st.Index != "" {
		index = &st.Index
	}
	n.add(statementActions[st.Kind], &st.Table, index)
	if !n.bound() {
		return
	}
	p, err := n.s.plan(n.ctx, st)
	if err != nil {
		return
	}
	target := &n.targets[len(n.targets)-1]
	target.Context = map[string][]string{}
	for _, v := range p.partitions {
		target.Context[leadingKeys] = append(target.Context[leadingKeys], v.Text())
	}
	switch st.Kind {
	case partiql.Insert:
		target.Context[leadingKeys] = []string{st.Item[p.schema.hash.Name].Text()}
	case partiql.Select:
		target.Context[fullTableScan] = []string{strconv.FormatBool(p.partitions == nil)}
	}
}
