package dynamodb

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// GetItem returns one item.
func (s *Service) GetItem(ctx context.Context, in *dynamodbapi.GetItemInput) (*dynamodbapi.GetItemOutput, error) {
	params := parameters{projection: in.ProjectionExpression, names: in.ExpressionAttributeNames,
		legacy: legacyNames(have("AttributesToGet", in.AttributesToGet != nil))}
	e, err := params.parse()
	if err != nil {
		return nil, refusal(err)
	}
	if e.projection == nil {
		if e.projection, err = projection(in.AttributesToGet); err != nil {
			return nil, refusal(err)
		}
	}
	if err := attr.Item(in.Key).Validate(); err != nil {
		return nil, refusal(err)
	}
	return fresh(s, func() (*dynamodbapi.GetItemOutput, error) {
		t, err := s.table(ctx, in.TableName)
		if err != nil {
			return nil, err
		}
		if err := t.checkKey(in.Key); err != nil {
			return nil, err
		}
		var it attr.Item
		err = s.store.View(ctx, func(tx store.ReadTx) error {
			if err := t.current(tx); err != nil {
				return err
			}
			it, err = read(tx, t.itemKey(in.Key))
			return err
		})
		if err != nil {
			return nil, err
		}
		u := usage{table: t, units: readUnits(it.Size(), wire.Val(in.ConsistentRead))}
		out := &dynamodbapi.GetItemOutput{Item: it, ConsumedCapacity: u.report(in.ReturnConsumedCapacity)}
		if it != nil && e.projection != nil {
			out.Item = e.projection.Of(it)
		}
		return out, nil
	})
}

// conditions is what PutItem, UpdateItem and DeleteItem have in common.
type conditions struct {
	table    *string
	params   parameters
	expected map[string]dynamodbapi.ExpectedAttributeValue
	operator *string
	// onFailure is ReturnValuesOnConditionCheckFailure.
	onFailure *string
	capacity  *string
	metrics   *string
}

// parse reads the expressions and the legacy condition.
func (c *conditions) parse() (expressions, error) {
	c.params.legacy = append(c.params.legacy, legacyNames(have("Expected", c.expected != nil), have("ConditionalOperator", c.operator != nil))...)
	e, err := c.params.parse()
	if err != nil {
		return e, err
	}
	if e.condition == nil {
		e.condition, err = expected(c.expected, c.operator)
	}
	return e, err
}

// run resolves the table, lets prepare fill in the write, and does it.
func (s *Service) run(ctx context.Context, c *conditions, prepare func(t *table) (*write, error)) (*write, *written, error) {
	type done struct {
		w   *write
		out *written
	}
	d, err := fresh(s, func() (done, error) {
		t, err := s.table(ctx, c.table)
		if err != nil {
			return done{}, err
		}
		w, err := prepare(t)
		if err != nil {
			return done{}, err
		}
		w.blind = w.blind && wire.Val(c.capacity) == ""
		out, err := s.one(ctx, w)
		return done{w, out}, err
	})
	var failed *failedCondition
	if errors.As(err, &failed) {
		return nil, nil, failed.exception(c.onFailure)
	}
	return d.w, d.out, refusal(err)
}

// report returns what the request asked to know beside the item.
func (s *Service) report(ctx context.Context, c *conditions, w *write, out *written) (*dynamodbapi.ConsumedCapacity, *dynamodbapi.ItemCollectionMetrics, error) {
	u := usage{table: w.table}
	u.writes(out, 1)
	metrics, err := s.collectionMetrics(ctx, c.metrics, w)
	return u.report(c.capacity), metrics, err
}

// PutItem stores an item in place of the one with its key.
func (s *Service) PutItem(ctx context.Context, in *dynamodbapi.PutItemInput) (*dynamodbapi.PutItemOutput, error) {
	c := conditions{table: in.TableName, expected: in.Expected, operator: in.ConditionalOperator,
		onFailure: in.ReturnValuesOnConditionCheckFailure, capacity: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
		params: parameters{condition: in.ConditionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues}}
	if err := onlyAllOld(in.ReturnValues); err != nil {
		return nil, err
	}
	if err := attr.Item(in.Item).Validate(); err != nil {
		return nil, enveloped(err)
	}
	e, err := c.parse()
	if err != nil {
		return nil, enveloped(err)
	}
	if attr.Item(in.Item).Size() > attr.MaxItemSize {
		return nil, validation("Item size has exceeded the maximum allowed size")
	}
	w, done, err := s.run(ctx, &c, func(t *table) (*write, error) {
		return &write{kind: writePut, table: t, key: in.Item, item: in.Item, condition: e.condition,
			blind: !asksOld(in.ReturnValues)}, t.checkItem(in.Item)
	})
	if err != nil {
		return nil, err
	}
	out := &dynamodbapi.PutItemOutput{}
	if asksOld(in.ReturnValues) {
		out.Attributes = done.old
	}
	out.ConsumedCapacity, out.ItemCollectionMetrics, err = s.report(ctx, &c, w, done)
	return out, err
}

// DeleteItem deletes the item with a key, if there is one.
func (s *Service) DeleteItem(ctx context.Context, in *dynamodbapi.DeleteItemInput) (*dynamodbapi.DeleteItemOutput, error) {
	c := conditions{table: in.TableName, expected: in.Expected, operator: in.ConditionalOperator,
		onFailure: in.ReturnValuesOnConditionCheckFailure, capacity: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
		params: parameters{condition: in.ConditionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues}}
	if err := onlyAllOld(in.ReturnValues); err != nil {
		return nil, err
	}
	if err := attr.Item(in.Key).Validate(); err != nil {
		return nil, enveloped(err)
	}
	e, err := c.parse()
	if err != nil {
		return nil, enveloped(err)
	}
	w, done, err := s.run(ctx, &c, func(t *table) (*write, error) {
		return &write{kind: writeDelete, table: t, key: in.Key, condition: e.condition, blind: !asksOld(in.ReturnValues)}, t.checkKey(in.Key)
	})
	if err != nil {
		return nil, err
	}
	out := &dynamodbapi.DeleteItemOutput{}
	if asksOld(in.ReturnValues) {
		out.Attributes = done.old
	}
	out.ConsumedCapacity, out.ItemCollectionMetrics, err = s.report(ctx, &c, w, done)
	return out, err
}

// UpdateItem changes an item, which it creates if there is none.
func (s *Service) UpdateItem(ctx context.Context, in *dynamodbapi.UpdateItemInput) (*dynamodbapi.UpdateItemOutput, error) {
	c := conditions{table: in.TableName, expected: in.Expected, operator: in.ConditionalOperator,
		onFailure: in.ReturnValuesOnConditionCheckFailure, capacity: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
		params: parameters{update: in.UpdateExpression, condition: in.ConditionExpression, names: in.ExpressionAttributeNames,
			values: in.ExpressionAttributeValues, legacy: legacyNames(have("AttributeUpdates", in.AttributeUpdates != nil))}}
	if err := attr.Item(in.Key).Validate(); err != nil {
		return nil, enveloped(err)
	}
	e, err := c.parse()
	if err != nil {
		return nil, enveloped(err)
	}
	if e.update == nil {
		if e.update, err = updates(in.AttributeUpdates); err != nil {
			return nil, enveloped(err)
		}
	}
	w, done, err := s.run(ctx, &c, func(t *table) (*write, error) {
		if err := t.checkKey(in.Key); err != nil {
			return nil, err
		}
		return &write{kind: writeUpdate, table: t, key: in.Key, update: e.update, condition: e.condition}, t.checkUpdate(e.update)
	})
	if err != nil {
		return nil, err
	}
	out := &dynamodbapi.UpdateItemOutput{Attributes: returned(in.ReturnValues, done)}
	out.ConsumedCapacity, out.ItemCollectionMetrics, err = s.report(ctx, &c, w, done)
	return out, err
}

// returned is what ReturnValues of an update asks for; nil if that is nothing.
func returned(asked *string, done *written) attr.Item {
	var it attr.Item
	switch wire.Val(asked) {
	case dynamodbapi.ReturnValueALLOLD:
		it = done.old
	case dynamodbapi.ReturnValueALLNEW:
		it = done.now
	case dynamodbapi.ReturnValueUPDATEDOLD:
		it = done.result.Old()
	case dynamodbapi.ReturnValueUPDATEDNEW:
		it = done.result.New()
	}
	if len(it) == 0 {
		return nil
	}
	return it
}

func asksOld(returnValues *string) bool {
	return wire.Val(returnValues) == dynamodbapi.ReturnValueALLOLD
}

// onlyAllOld refuses the ReturnValues that PutItem and DeleteItem do not have.
func onlyAllOld(returnValues *string) error {
	switch wire.Val(returnValues) {
	case "", dynamodbapi.ReturnValueNONE, dynamodbapi.ReturnValueALLOLD:
		return nil
	}
	return validation("ReturnValues can only be ALL_OLD or NONE")
}
