package dynamodb

import (
	"context"
	"errors"
	"slices"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/partiql"
	"github.com/butai-dev/butai/internal/wire"
)

// ExecuteTransaction runs statements together, all reads or all writes.
func (s *Service) ExecuteTransaction(ctx context.Context, in *dynamodbapi.ExecuteTransactionInput) (*dynamodbapi.ExecuteTransactionOutput, error) {
	statements := make([]*partiql.Statement, len(in.TransactStatements))
	reads := 0
	for i := range in.TransactStatements {
		q := &in.TransactStatements[i]
		st, err := parseStatement(q.Statement, q.Parameters)
		switch {
		case err != nil:
		case st.Returning != "":
			err = validation("RETURNING clause is not supported in ExecuteTransaction.")
		case st.Index != "":
			err = validation("Reads on indices are not supported within transactions.")
		case st.Kind.Reads():
			reads++
		}
		if err != nil {
			return nil, inTransaction(i, err)
		}
		statements[i] = st
	}
	switch reads {
	case 0:
		return s.writeTogether(ctx, in, statements)
	case len(statements):
		return s.readTogether(ctx, in, statements)
	}
	return nil, validation("ExecuteTransaction API does not support both read and write operations in the same request.")
}

// inTransaction says which statement of a transaction a complaint is about.
func inTransaction(i int, err error) error {
	var bad *wire.Error
	if errors.As(err, &bad) && bad.Code == "ValidationException" {
		return validation("Validation failed in TransactStatements[%d]: %s", i, bad.Message)
	}
	return err
}

func (s *Service) writeTogether(ctx context.Context, in *dynamodbapi.ExecuteTransactionInput, statements []*partiql.Statement) (*dynamodbapi.ExecuteTransactionOutput, error) {
	items := make([]dynamodbapi.TransactWriteItem, len(statements))
	for i, st := range statements {
		a, err := s.action(ctx, st)
		if err != nil {
			return nil, inTransaction(i, err)
		}
		onFailure := in.TransactStatements[i].ReturnValuesOnConditionCheckFailure
		switch {
		case a.Put != nil:
			a.Put.ReturnValuesOnConditionCheckFailure = onFailure
		case a.Update != nil:
			a.Update.ReturnValuesOnConditionCheckFailure = onFailure
		case a.Delete != nil:
			a.Delete.ReturnValuesOnConditionCheckFailure = onFailure
		default:
			a.ConditionCheck.ReturnValuesOnConditionCheckFailure = onFailure
		}
		items[i] = *a
	}
	out, err := s.TransactWriteItems(ctx, &dynamodbapi.TransactWriteItemsInput{
		TransactItems: items, ClientRequestToken: in.ClientRequestToken, ReturnConsumedCapacity: in.ReturnConsumedCapacity})
	var cancelled *dynamodbapi.TransactionCanceledException
	if errors.As(err, &cancelled) {
		return nil, duplicates(cancelled, statements)
	}
	if err != nil {
		return nil, err
	}
	return &dynamodbapi.ExecuteTransactionOutput{ConsumedCapacity: out.ConsumedCapacity}, nil
}

// duplicates gives the reason of an INSERT that found its item the code that
// PartiQL has for it.
func duplicates(e *dynamodbapi.TransactionCanceledException, statements []*partiql.Statement) error {
	reasons := slices.Clone(e.CancellationReasons)
	for i := range reasons {
		if statements[i].Kind == partiql.Insert && *reasons[i].Code == conditionReason {
			reasons[i].Code, reasons[i].Message = wire.Ptr("DuplicateItem"), wire.Ptr(duplicate)
		}
	}
	return cancelledFor(reasons)
}

func (s *Service) readTogether(ctx context.Context, in *dynamodbapi.ExecuteTransactionInput, statements []*partiql.Statement) (*dynamodbapi.ExecuteTransactionOutput, error) {
	gets := make([]dynamodbapi.TransactGetItem, len(statements))
	filters := make([]filter, len(statements))
	for i, st := range statements {
		get, f, err := s.get(ctx, st, "Select statements within ExecuteTransaction must specify the primary key in the where clause.")
		if err != nil {
			return nil, inTransaction(i, err)
		}
		gets[i].Get, filters[i] = get, f
	}
	found, err := s.TransactGetItems(ctx, &dynamodbapi.TransactGetItemsInput{TransactItems: gets, ReturnConsumedCapacity: in.ReturnConsumedCapacity})
	if err != nil {
		return nil, err
	}
	out := &dynamodbapi.ExecuteTransactionOutput{ConsumedCapacity: found.ConsumedCapacity, Responses: found.Responses}
	for i := range out.Responses {
		out.Responses[i].Item = columns(statements[i], matching(out.Responses[i].Item, filters[i]))
	}
	return out, nil
}
