package dynamodb

import (
	"context"
	"errors"
	"strings"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxTransaction bounds the items of one transaction together.
const maxTransaction = 4 << 20

// transactional is how much more a read or write costs in a transaction.
const transactional = 2

// intent is one action of a TransactWriteItems, in the common form of its
// four kinds.
type intent struct {
	kind      writeKind
	table     *string
	key, item attr.Item
	params    parameters
	onFailure *string
	parsed    expressions
}

// newIntent returns the action of a TransactWriteItem.
func newIntent(in dynamodbapi.TransactWriteItem) (*intent, error) {
	var all []*intent
	if p := in.Put; p != nil {
		all = append(all, &intent{kind: writePut, table: p.TableName, key: p.Item, item: p.Item, onFailure: p.ReturnValuesOnConditionCheckFailure,
			params: parameters{condition: p.ConditionExpression, names: p.ExpressionAttributeNames, values: p.ExpressionAttributeValues}})
	}
	if u := in.Update; u != nil {
		all = append(all, &intent{kind: writeUpdate, table: u.TableName, key: u.Key, onFailure: u.ReturnValuesOnConditionCheckFailure,
			params: parameters{update: u.UpdateExpression, condition: u.ConditionExpression, names: u.ExpressionAttributeNames, values: u.ExpressionAttributeValues}})
	}
	if d := in.Delete; d != nil {
		all = append(all, &intent{kind: writeDelete, table: d.TableName, key: d.Key, onFailure: d.ReturnValuesOnConditionCheckFailure,
			params: parameters{condition: d.ConditionExpression, names: d.ExpressionAttributeNames, values: d.ExpressionAttributeValues}})
	}
	if c := in.ConditionCheck; c != nil {
		all = append(all, &intent{kind: writeCheck, table: c.TableName, key: c.Key, onFailure: c.ReturnValuesOnConditionCheckFailure,
			params: parameters{condition: c.ConditionExpression, names: c.ExpressionAttributeNames, values: c.ExpressionAttributeValues}})
	}
	if len(all) != 1 {
		return nil, validation("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	return all[0], all[0].parse()
}

// parse checks what needs no table. Its complaints fail the request as a
// whole.
func (n *intent) parse() error {
	if err := n.key.Validate(); err != nil {
		return refusal(err)
	}
	if n.item.Size() > attr.MaxItemSize {
		return validation("Item size has exceeded the maximum allowed size")
	}
	var err error
	n.parsed, err = n.params.parse()
	return refusal(err)
}

// write fits the action to its table. cancel is a complaint that cancels the
// transaction; err is one that fails the request as a whole.
func (n *intent) write(t *table) (w *write, cancel, err error) {
	w = &write{kind: n.kind, table: t, key: n.key, item: n.item, update: n.parsed.update, condition: n.parsed.condition}
	if n.kind == writePut {
		cancel = t.checkItemKinds(n.item)
	} else {
		cancel = t.checkKeyKinds(n.key)
	}
	if cancel != nil {
		return w, cancel, nil
	}
	if err := t.checkKeyValues(n.key); err != nil {
		return nil, nil, err
	}
	switch n.kind {
	case writePut:
		cancel = t.checkIndexKeys(nil, n.item)
	case writeUpdate:
		cancel = t.checkUpdate(n.parsed.update)
	}
	return w, cancel, nil
}

// TransactWriteItems does up to 100 writes on distinct items, all or none.
func (s *Service) TransactWriteItems(ctx context.Context, in *dynamodbapi.TransactWriteItemsInput) (*dynamodbapi.TransactWriteItemsOutput, error) {
	intents := make([]*intent, len(in.TransactItems))
	size := 0
	for i, item := range in.TransactItems {
		var err error
		if intents[i], err = newIntent(item); err != nil {
			return nil, err
		}
		size += intents[i].key.Size()
	}
	if size > maxTransaction {
		return nil, validation("Collection size of the transaction exceeds the 4 MB limit")
	}
	return fresh(s, func() (*dynamodbapi.TransactWriteItemsOutput, error) {
		writes, err := s.transactWrites(ctx, intents)
		if err != nil {
			return nil, err
		}
		return s.transact(ctx, in, intents, writes)
	})
}

// transactWrites fits the actions to their tables.
func (s *Service) transactWrites(ctx context.Context, intents []*intent) ([]*write, error) {
	writes := make([]*write, len(intents))
	cancels := make([]error, len(intents))
	cancelled := false
	seen := map[string]bool{}
	for i, n := range intents {
		t, err := s.table(ctx, n.table)
		if err != nil {
			return nil, err
		}
		if writes[i], cancels[i], err = n.write(t); err != nil {
			return nil, err
		}
		if cancels[i] != nil {
			cancelled = true
			continue
		}
		at := string(t.itemKey(n.key))
		if seen[at] {
			return nil, validation("Transaction request cannot include multiple operations on one item")
		}
		seen[at] = true
	}
	if cancelled {
		return nil, cancellation(intents, cancels)
	}
	return writes, nil
}

// transact runs the writes and reports.
func (s *Service) transact(ctx context.Context, in *dynamodbapi.TransactWriteItemsInput, intents []*intent, writes []*write) (*dynamodbapi.TransactWriteItemsOutput, error) {
	out := &dynamodbapi.TransactWriteItemsOutput{}
	done, err := s.once(ctx, in, writes, intents)
	if errors.Is(err, errReplayed) {
		out.ConsumedCapacity, err = s.replayUsage(ctx, in.ReturnConsumedCapacity, writes)
		return out, err
	}
	if err != nil {
		return nil, err
	}
	used := usages{transaction: "write"}
	for i, w := range writes {
		used.of(w.table).writes(done[i], transactional)
		if w.kind == writeCheck {
			continue
		}
		m, err := s.collectionMetrics(ctx, in.ReturnItemCollectionMetrics, w)
		if err != nil {
			return nil, err
		}
		out.ItemCollectionMetrics = addMetrics(out.ItemCollectionMetrics, *intents[i].table, m)
	}
	out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
	return out, nil
}

// once runs the writes unless the request's token says that they ran before.
func (s *Service) once(ctx context.Context, in *dynamodbapi.TransactWriteItemsInput, writes []*write, intents []*intent) ([]*written, error) {
	var before func(store.Tx) error
	if token := wire.Val(in.ClientRequestToken); token != "" {
		before = s.claim(ctx, token, digest(intents))
	}
	// Every condition is tried, so that all reasons can be reported.
	reasons := make([]error, len(writes))
	done, err := s.all(ctx, writes, func(tx store.Tx) error {
		if before != nil {
			if err := before(tx); err != nil {
				return err
			}
		}
		return tryConditions(tx, writes, reasons)
	})
	var one *indexedError
	switch {
	case errors.Is(err, errCancelled):
		return nil, cancellation(intents, reasons)
	case errors.As(err, &one):
		reasons[one.index] = one.err
		return nil, cancellation(intents, reasons)
	}
	return done, err
}

var errCancelled = errors.New("dynamodb: transaction cancelled")

// tryConditions fills in which of the conditions fail.
func tryConditions(tx store.Tx, writes []*write, reasons []error) error {
	failed := false
	for i, w := range writes {
		reasons[i] = nil
		if w.condition == nil {
			continue
		}
		if err := w.table.current(tx); err != nil {
			return err
		}
		it, err := read(tx, w.table.itemKey(w.key))
		if err != nil {
			return err
		}
		if !w.condition.Matches(it) {
			reasons[i], failed = &failedCondition{it}, true
		}
	}
	if failed {
		return errCancelled
	}
	return nil
}

// cancellation returns the TransactionCanceledException for the reasons, by
// action; or an error of ours that is among them.
func cancellation(intents []*intent, reasons []error) error {
	var all []dynamodbapi.CancellationReason
	for i, err := range reasons {
		reason := dynamodbapi.CancellationReason{Code: wire.Ptr("None")}
		var failed *failedCondition
		var refused *wire.Error
		switch {
		case err == nil:
		case errors.As(err, &failed):
			reason.Code, reason.Message = wire.Ptr(conditionReason), wire.Ptr(conditionFailed)
			if wire.Val(intents[i].onFailure) == dynamodbapi.ReturnValuesOnConditionCheckFailureALLOLD {
				reason.Item = failed.item
			}
		case errors.As(refusal(err), &refused):
			reason.Code, reason.Message = wire.Ptr("ValidationError"), &refused.Message
		default:
			return err
		}
		all = append(all, reason)
	}
	return cancelledFor(all)
}

// conditionReason is the code of an action whose condition failed.
const conditionReason = "ConditionalCheckFailed"

func cancelledFor(reasons []dynamodbapi.CancellationReason) *dynamodbapi.TransactionCanceledException {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = *r.Code
	}
	return &dynamodbapi.TransactionCanceledException{
		CancellationReasons: reasons,
		Message:             wire.Ptr("Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]"),
	}
}

// TransactGetItems reads up to 100 items as they are at one moment.
func (s *Service) TransactGetItems(ctx context.Context, in *dynamodbapi.TransactGetItemsInput) (*dynamodbapi.TransactGetItemsOutput, error) {
	parsed := make([]expressions, len(in.TransactItems))
	for i, item := range in.TransactItems {
		p := parameters{projection: item.Get.ProjectionExpression, names: item.Get.ExpressionAttributeNames}
		var err error
		if err = attr.Item(item.Get.Key).Validate(); err != nil {
			return nil, refusal(err)
		}
		if parsed[i], err = p.parse(); err != nil {
			return nil, refusal(err)
		}
	}
	return fresh(s, func() (*dynamodbapi.TransactGetItemsOutput, error) {
		wants, err := s.transactWants(ctx, in, parsed)
		if err != nil {
			return nil, err
		}
		return s.transactRead(ctx, in, wants)
	})
}

func (s *Service) transactWants(ctx context.Context, in *dynamodbapi.TransactGetItemsInput, parsed []expressions) ([]wanted, error) {
	wants := make([]wanted, len(parsed))
	cancels := make([]error, len(parsed))
	cancelled := false
	seen := map[string]bool{}
	for i, item := range in.TransactItems {
		t, err := s.table(ctx, item.Get.TableName)
		if err != nil {
			return nil, err
		}
		wants[i] = wanted{table: t, key: item.Get.Key, projection: parsed[i].projection, consistent: true}
		if cancels[i] = t.checkKeyKinds(item.Get.Key); cancels[i] != nil {
			cancelled = true
			continue
		}
		if err := t.checkKeyValues(item.Get.Key); err != nil {
			return nil, err
		}
		at := string(t.itemKey(item.Get.Key))
		if seen[at] {
			return nil, validation("Transaction request cannot include multiple operations on one item")
		}
		seen[at] = true
	}
	if cancelled {
		return nil, cancellation(make([]*intent, len(parsed)), cancels)
	}
	return wants, nil
}

func (s *Service) transactRead(ctx context.Context, in *dynamodbapi.TransactGetItemsInput, wants []wanted) (*dynamodbapi.TransactGetItemsOutput, error) {
	out := &dynamodbapi.TransactGetItemsOutput{Responses: make([]dynamodbapi.ItemResponse, len(wants))}
	used := usages{transaction: "read"}
	total := 0
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		for i := range wants {
			it, err := wants[i].read(tx)
			if err != nil {
				return err
			}
			if total += it.Size(); total > maxTransaction {
				return validation("Collection size of the transaction exceeds the 4 MB limit")
			}
			out.Responses[i].Item = wants[i].shown(it)
			used.of(wants[i].table).on(nil, transactional*readUnits(it.Size(), true))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
	return out, nil
}
