package dynamodb

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/partiql"
	"github.com/butai-dev/butai/internal/wire"
)

// BatchExecuteStatement runs statements one by one, all reads or all writes;
// each has an error of its own.
func (s *Service) BatchExecuteStatement(ctx context.Context, in *dynamodbapi.BatchExecuteStatementInput) (*dynamodbapi.BatchExecuteStatementOutput, error) {
	statements := make([]*partiql.Statement, len(in.Statements))
	failures := make([]error, len(in.Statements))
	reads, writes := 0, 0
	for i := range in.Statements {
		q := &in.Statements[i]
		if statements[i], failures[i] = parseStatement(q.Statement, q.Parameters); failures[i] != nil {
			continue
		}
		if statements[i].Kind.Reads() {
			reads++
		} else {
			writes++
		}
	}
	if reads > 0 && writes > 0 {
		return nil, validation("BatchExecuteStatement API does not support both read and write operations in the same request.")
	}
	out := &dynamodbapi.BatchExecuteStatementOutput{Responses: make([]dynamodbapi.BatchStatementResponse, len(statements))}
	for i, st := range statements {
		r, err := &out.Responses[i], failures[i]
		if err == nil {
			r.TableName = &st.Table
			var used *dynamodbapi.ConsumedCapacity
			r.Item, used, err = s.batchStatement(ctx, st, &in.Statements[i], in.ReturnConsumedCapacity)
			if used != nil {
				out.ConsumedCapacity = append(out.ConsumedCapacity, *used)
			}
		}
		if err == nil {
			continue
		}
		if r.Error = statementError(err); r.Error == nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Service) batchStatement(ctx context.Context, st *partiql.Statement, q *dynamodbapi.BatchStatementRequest, capacity *string) (attr.Item, *dynamodbapi.ConsumedCapacity, error) {
	switch st.Kind {
	case partiql.Exists:
		return nil, nil, validation("EXISTS can only be used in ExecuteTransaction write requests.")
	case partiql.Select:
		get, filter, err := s.get(ctx, st, "Select statements within BatchExecuteStatement must specify the primary key in the where clause.")
		if err != nil {
			return nil, nil, err
		}
		out, err := s.GetItem(ctx, &dynamodbapi.GetItemInput{TableName: get.TableName, Key: get.Key, ConsistentRead: q.ConsistentRead, ReturnConsumedCapacity: capacity})
		if err != nil {
			return nil, nil, err
		}
		return columns(st, matching(out.Item, filter)), out.ConsumedCapacity, nil
	}
	return s.writeStatement(ctx, st, q.ReturnValuesOnConditionCheckFailure, capacity)
}

// statementErrors are the codes that errors have in a batch.
var statementErrors = map[string]string{
	"ValidationException":             dynamodbapi.BatchStatementErrorCodeEnumValidationError,
	"ConditionalCheckFailedException": dynamodbapi.BatchStatementErrorCodeEnumConditionalCheckFailed,
	"ResourceNotFoundException":       dynamodbapi.BatchStatementErrorCodeEnumResourceNotFound,
	"DuplicateItemException":          dynamodbapi.BatchStatementErrorCodeEnumDuplicateItem,
	"AccessDeniedException":           dynamodbapi.BatchStatementErrorCodeEnumAccessDenied,
}

// statementError is an error of a batch's statement; nil for those that are
// ours.
func statementError(err error) *dynamodbapi.BatchStatementError {
	code, _, _, message := wire.ErrorFacts(err)
	name, ok := statementErrors[code]
	if !ok {
		return nil
	}
	e := &dynamodbapi.BatchStatementError{Code: &name, Message: &message}
	var failed *dynamodbapi.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		e.Item = failed.Item
	}
	return e
}
