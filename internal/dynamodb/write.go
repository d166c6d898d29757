package dynamodb

import (
	"context"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// writeKind is what a write does.
type writeKind uint8

const (
	writePut writeKind = iota
	writeUpdate
	writeDelete
	writeCheck // only its condition counts
)

// write is one write, checked as far as it can be without the store.
type write struct {
	kind      writeKind
	table     *table
	key       attr.Item // the key attributes
	item      attr.Item // to put
	update    *expr.Update
	condition *expr.Condition
	// blind says that nobody wants to know the item before.
	blind bool
}

// written is what a write did. Items are nil where there is none.
type written struct {
	old, now attr.Item
	result   *expr.Result       // of an update
	indexes  map[*index]float64 // write units consumed
}

// failedCondition says that a condition does not hold for the item.
type failedCondition struct{ item attr.Item }

func (*failedCondition) Error() string { return conditionFailed }

// exception returns the modelled error, with the item if asked for
// (ReturnValuesOnConditionCheckFailure).
func (f *failedCondition) exception(asked *string) error {
	e := &dynamodbapi.ConditionalCheckFailedException{Message: wire.Ptr(conditionFailed)}
	if wire.Val(asked) == dynamodbapi.ReturnValuesOnConditionCheckFailureALLOLD {
		e.Item = f.item
	}
	return e
}

// sightless reports whether the write can do without the item before.
func (w *write) sightless() bool {
	return w.blind && w.condition == nil && w.update == nil && len(w.table.indexes) == 0 && w.table.ttl == "" && w.table.stream == nil && w.table.history == ""
}

// run does the write. Errors are *failedCondition, *attr.ValidationError for
// an update that does not fit the item, or a *wire.Error.
func (w *write) run(tx store.Tx) (*written, error) {
	key := w.table.itemKey(w.key)
	out := &written{}
	if !w.sightless() {
		var err error
		if out.old, err = read(tx, key); err != nil {
			return nil, err
		}
	}
	if w.condition != nil && !w.condition.Matches(out.old) {
		return nil, &failedCondition{out.old}
	}
	switch w.kind {
	case writeCheck:
		out.now = out.old
		return out, nil
	case writePut:
		out.now = w.item
	case writeUpdate:
		if err := w.apply(out); err != nil {
			return nil, err
		}
	}
	var err error
	out.indexes, err = w.table.store(tx, key, out.old, out.now, false)
	return out, err
}

func (w *write) apply(out *written) error {
	from := out.old
	if from == nil {
		from = w.key
	}
	res, err := w.update.Apply(from)
	if err != nil {
		return err
	}
	if err := res.Item.Validate(); err != nil {
		return err
	}
	if res.Item.Size() > attr.MaxItemSize {
		return complaint("Item size to update has exceeded the maximum allowed size")
	}
	out.result, out.now = res, res.Item
	return w.table.checkIndexKeys(out.old, res.Item)
}

// read returns the item at key; nil if there is none.
func read(tx store.ReadTx, key []byte) (attr.Item, error) {
	b, err := tx.Get(key)
	if b == nil || err != nil {
		return nil, err
	}
	return attr.DecodeItem(b)
}

// checkUpdate refuses updates of key attributes.
func (t *table) checkUpdate(u *expr.Update) error {
	for _, name := range u.TopNames() {
		if t.schema.has(name) {
			return invalidValue("Cannot update attribute %s. This attribute is part of the key", name)
		}
	}
	return nil
}

// one runs a single write in a transaction of its own.
func (s *Service) one(ctx context.Context, w *write) (*written, error) {
	var out *written
	err := s.store.Update(ctx, func(tx store.Tx) error {
		if err := w.table.current(tx); err != nil {
			return err
		}
		var err error
		out, err = w.run(tx)
		return err
	})
	if err == nil {
		s.touched(w.table)
	}
	return out, err
}
