package dynamodb

import (
	"context"
	"errors"
	"strings"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
	"github.com/butai-dev/butai/internal/dynamodb/partiql"
	"github.com/butai-dev/butai/internal/wire"
)

// parseStatement reads a PartiQL statement.
func parseStatement(text *string, parameters []attr.Value) (*partiql.Statement, error) {
	for _, v := range parameters {
		if err := v.Validate(); err != nil {
			return nil, refusal(err)
		}
	}
	st, err := partiql.Parse(*text, parameters)
	var bad *partiql.Error
	if errors.As(err, &bad) {
		return nil, validation("%s", bad.Message)
	}
	return st, refusal(err)
}

// ExecuteStatement runs one PartiQL statement. It does what the classic
// operation of the same purpose does.
func (s *Service) ExecuteStatement(ctx context.Context, in *dynamodbapi.ExecuteStatementInput) (*dynamodbapi.ExecuteStatementOutput, error) {
	st, err := parseStatement(in.Statement, in.Parameters)
	if err != nil {
		return nil, err
	}
	switch st.Kind {
	case partiql.Exists:
		return nil, validation("EXISTS can only be used in ExecuteTransaction write requests.")
	case partiql.Select:
		return s.selectItems(ctx, st, in)
	}
	it, used, err := s.writeStatement(ctx, st, in.ReturnValuesOnConditionCheckFailure, in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	out := &dynamodbapi.ExecuteStatementOutput{Items: []map[string]attr.Value{}, ConsumedCapacity: used}
	if len(it) > 0 {
		out.Items = append(out.Items, it)
	}
	return out, nil
}

// writeStatement runs an INSERT, UPDATE or DELETE, and returns the item that
// its RETURNING asks for.
func (s *Service) writeStatement(ctx context.Context, st *partiql.Statement, onFailure, capacity *string) (attr.Item, *dynamodbapi.ConsumedCapacity, error) {
	action, err := s.action(ctx, st)
	if err != nil {
		return nil, nil, err
	}
	returning, changed, err := returns(st)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case action.Put != nil:
		p := action.Put
		out, err := s.PutItem(ctx, &dynamodbapi.PutItemInput{TableName: p.TableName, Item: p.Item, ReturnConsumedCapacity: capacity,
			ConditionExpression: p.ConditionExpression, ExpressionAttributeNames: p.ExpressionAttributeNames})
		if errors.As(err, new(*dynamodbapi.ConditionalCheckFailedException)) {
			return nil, nil, &dynamodbapi.DuplicateItemException{Message: wire.Ptr(duplicate)}
		}
		if err != nil {
			return nil, nil, err
		}
		return nil, out.ConsumedCapacity, nil
	case action.Update != nil:
		u := action.Update
		out, err := s.UpdateItem(ctx, &dynamodbapi.UpdateItemInput{TableName: u.TableName, Key: u.Key, UpdateExpression: u.UpdateExpression,
			ConditionExpression: u.ConditionExpression, ExpressionAttributeNames: u.ExpressionAttributeNames, ExpressionAttributeValues: u.ExpressionAttributeValues,
			ReturnValues: returning, ReturnConsumedCapacity: capacity, ReturnValuesOnConditionCheckFailure: onFailure})
		if err != nil {
			return nil, nil, err
		}
		it := attr.Item(out.Attributes)
		if changed != nil {
			it = changed.Of(it)
		}
		return it, out.ConsumedCapacity, nil
	}
	d := action.Delete
	out, err := s.DeleteItem(ctx, &dynamodbapi.DeleteItemInput{TableName: d.TableName, Key: d.Key, ConditionExpression: d.ConditionExpression,
		ExpressionAttributeNames: d.ExpressionAttributeNames, ExpressionAttributeValues: d.ExpressionAttributeValues,
		ReturnValues: returning, ReturnConsumedCapacity: capacity, ReturnValuesOnConditionCheckFailure: onFailure})
	if err != nil {
		return nil, nil, err
	}
	return out.Attributes, out.ConsumedCapacity, nil
}

// returns says which item a write returns whole, and what of it is shown; nil
// for all. MODIFIED shows what the statement's paths lead to in that item, be it
// what they led to before or not (recorded).
func returns(st *partiql.Statement) (*string, *expr.Projection, error) {
	whole := map[string]string{
		dynamodbapi.ReturnValueUPDATEDOLD: dynamodbapi.ReturnValueALLOLD, dynamodbapi.ReturnValueUPDATEDNEW: dynamodbapi.ReturnValueALLNEW,
	}[st.Returning]
	switch {
	case st.Returning == "":
		return nil, nil, nil
	case whole == "":
		return &st.Returning, nil, nil
	}
	var r partiql.Renderer
	var paths []string
	for _, a := range st.Set {
		paths = append(paths, r.Path(a.Path))
	}
	for _, path := range st.Remove {
		paths = append(paths, r.Path(path))
	}
	e, err := (&parameters{projection: wire.Ptr(strings.Join(paths, ", ")), names: r.Names}).parse()
	return &whole, e.projection, refusal(err)
}

// duplicate is said of an INSERT of an item that is there.
const duplicate = "Duplicate primary key exists in table"

// action says what a statement does to one item as an action of
// TransactWriteItems does.
func (s *Service) action(ctx context.Context, st *partiql.Statement) (*dynamodbapi.TransactWriteItem, error) {
	t, err := s.table(ctx, &st.Table)
	if err != nil {
		return nil, err
	}
	var r partiql.Renderer
	hash := expr.TopPath(t.schema.hash.Name)
	if st.Kind == partiql.Insert {
		if err := t.checkStatementKey(st.Item); err != nil {
			return nil, err
		}
		absent := r.Condition(partiql.Call{Function: "attribute_not_exists", Path: hash})
		return &dynamodbapi.TransactWriteItem{Put: &dynamodbapi.Put{
			TableName: &st.Table, Item: st.Item, ConditionExpression: &absent, ExpressionAttributeNames: r.Names}}, nil
	}
	key, rest, err := t.statementKey(st.Where)
	if err != nil {
		return nil, err
	}
	condition := partiql.All(rest)
	switch st.Kind {
	case partiql.Update:
		// An UPDATE makes no item (Developer Guide, "PartiQL update statements").
		var whole partiql.Condition = partiql.Call{Function: "attribute_exists", Path: hash}
		if condition != nil {
			whole = partiql.And{Left: whole, Right: condition}
		}
		text, update := r.Condition(whole), r.Update(st)
		return &dynamodbapi.TransactWriteItem{Update: &dynamodbapi.Update{TableName: &st.Table, Key: key, UpdateExpression: &update,
			ConditionExpression: &text, ExpressionAttributeNames: r.Names, ExpressionAttributeValues: r.Values}}, nil
	case partiql.Delete:
		d := &dynamodbapi.Delete{TableName: &st.Table, Key: key}
		if condition != nil {
			// A DELETE of nothing succeeds, whatever else is asked for.
			text := r.Condition(partiql.Or{Left: partiql.Call{Function: "attribute_not_exists", Path: hash}, Right: condition})
			d.ConditionExpression, d.ExpressionAttributeNames, d.ExpressionAttributeValues = &text, r.Names, r.Values
		}
		return &dynamodbapi.TransactWriteItem{Delete: d}, nil
	}
	if condition == nil {
		return nil, validation("EXISTS() must contain a single item read with additional condition")
	}
	text := r.Condition(condition)
	return &dynamodbapi.TransactWriteItem{ConditionCheck: &dynamodbapi.ConditionCheck{TableName: &st.Table, Key: key,
		ConditionExpression: &text, ExpressionAttributeNames: r.Names, ExpressionAttributeValues: r.Values}}, nil
}

// errNoKey says that a WHERE leaves open which item is meant.
var errNoKey = validation("Where clause does not contain a mandatory equality on all key attributes")

// statementKey takes the key of one item out of a WHERE.
func (t *table) statementKey(where partiql.Condition) (key attr.Item, rest []partiql.Condition, err error) {
	key = attr.Item{}
	for _, term := range partiql.Terms(where) {
		name, v, ok := partiql.Equal(term)
		switch {
		case !ok || !t.schema.has(name):
			rest = append(rest, term)
		case !key[name].IsZero():
			return nil, nil, validation("Multiple conditions on same key %s. Only single item Update/Insert/Delete are supported", name)
		default:
			key[name] = v
		}
	}
	for a := range t.schema.each {
		if key[a.Name].IsZero() {
			return nil, nil, errNoKey
		}
	}
	return key, rest, t.checkStatementKey(key)
}

// checkStatementKey checks the key attributes of an item in PartiQL's words.
func (t *table) checkStatementKey(it attr.Item) error {
	for a := range t.schema.each {
		switch v := it[a.Name]; {
		case v.IsZero():
			return validation("Key attribute should be present in the item: Key %s", a.Name)
		case v.Kind() != a.Kind:
			return validation("Key attribute's data type should match its data type in table's schema: Key %s", a.Name)
		}
	}
	return nil
}

var _ interface {
	dynamodbapi.BatchExecuteStatementAPI
	dynamodbapi.ExecuteStatementAPI
	dynamodbapi.ExecuteTransactionAPI
} = (*Service)(nil)
