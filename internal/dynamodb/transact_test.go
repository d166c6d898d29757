package dynamodb_test

import (
	"testing"
	"time"
)

func TestTransactWrite(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	s.ok("PutItem", `{"TableName":"one","Item":{"id":{"S":"check"},"v":{"N":"1"}}}`)
	s.ok("PutItem", `{"TableName":"one","Item":{"id":{"S":"del"}}}`)
	s.gives("TransactWriteItems", `{"ReturnConsumedCapacity":"TOTAL","TransactItems":[
		{"Put":{"TableName":"one","Item":{"id":{"S":"put"}},"ConditionExpression":"attribute_not_exists(id)"}},
		{"Update":{"TableName":"one","Key":{"id":{"S":"upd"}},"UpdateExpression":"ADD n :n","ExpressionAttributeValues":{":n":{"N":"2"}}}},
		{"Delete":{"TableName":"one","Key":{"id":{"S":"del"}}}},
		{"ConditionCheck":{"TableName":"one","Key":{"id":{"S":"check"}},"ConditionExpression":"v = :v","ExpressionAttributeValues":{":v":{"N":"1"}}}}]}`,
		`{"ConsumedCapacity":[{"TableName":"one","CapacityUnits":8,"WriteCapacityUnits":8}]}`)
	s.gives("TransactGetItems", `{"ReturnConsumedCapacity":"TOTAL","TransactItems":[{"Get":{"TableName":"one","Key":{"id":{"S":"put"}}}},{"Get":{"TableName":"one","Key":{"id":{"S":"upd"}},"ProjectionExpression":"n"}},{"Get":{"TableName":"one","Key":{"id":{"S":"del"}}}}]}`,
		`{"Responses":[{"Item":{"id":{"S":"put"}}},{"Item":{"n":{"N":"2"}}},{}],"ConsumedCapacity":[{"TableName":"one","CapacityUnits":6,"ReadCapacityUnits":6}]}`)
}

func TestTransactCancelled(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	s.ok("PutItem", `{"TableName":"one","Item":{"id":{"S":"a"},"v":{"N":"1"}}}`)
	_, out := s.call("TransactWriteItems", `{"TransactItems":[
		{"Put":{"TableName":"one","Item":{"id":{"S":"b"}}}},
		{"Delete":{"TableName":"one","Key":{"id":{"S":"a"}},"ConditionExpression":"attribute_not_exists(id)","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}},
		{"ConditionCheck":{"TableName":"one","Key":{"id":{"S":"c"}},"ConditionExpression":"attribute_exists(id)"}}]}`)
	if !sameJSON(t, out, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed, ConditionalCheckFailed]",
		"CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed","Message":"The conditional request failed","Item":{"id":{"S":"a"},"v":{"N":"1"}}},{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"}]}`) {
		t.Error(out)
	}
	_, out = s.call("TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"one","Item":{"id":{"S":"b"}}}},{"Update":{"TableName":"one","Key":{"id":{"S":"a"}},"UpdateExpression":"SET v = v + nope"}},{"Put":{"TableName":"one","Item":{"id":{"N":"1"}}}}]}`)
	if !sameJSON(t, out, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [None, None, ValidationError]",
		"CancellationReasons":[{"Code":"None"},{"Code":"None"},{"Code":"ValidationError","Message":"One or more parameter values were invalid: Type mismatch for key id expected: S actual: N"}]}`) {
		t.Error(out)
	}
	_, out = s.call("TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"one","Item":{"id":{"S":"b"}}}},{"Update":{"TableName":"one","Key":{"id":{"S":"a"}},"UpdateExpression":"SET v = v + nope"}}]}`)
	if !sameJSON(t, out, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError]",
		"CancellationReasons":[{"Code":"None"},{"Code":"ValidationError","Message":"The provided expression refers to an attribute that does not exist in the item"}]}`) {
		t.Error(out)
	}
	s.gives("GetItem", `{"TableName":"one","Key":{"id":{"S":"b"}}}`, `{}`)
	for body, want := range map[string]string{
		`{"TransactItems":[{"Put":{"TableName":"one","Item":{"id":{"S":"b"}}}},{"Delete":{"TableName":"one","Key":{"id":{"S":"b"}}}}]}`: "Transaction request cannot include multiple operations on one item",
		`{"TransactItems":[{"Put":{"TableName":"one","Item":{"id":{"S":"b"}}},"Delete":{"TableName":"one","Key":{"id":{"S":"b"}}}}]}`:   "TransactItems can only contain one of Check, Put, Update or Delete",
		`{"TransactItems":[{"Put":{"TableName":"one","Item":{"id":{"S":""}}}}]}`:                                                        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id",
	} {
		s.fails("TransactWriteItems", body, "ValidationException", want)
	}
}

func TestTransactTokens(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	body := func(n string) string {
		return `{"ClientRequestToken":"tok","ReturnConsumedCapacity":"TOTAL","TransactItems":[{"Update":{"TableName":"one","Key":{"id":{"S":"a"}},"UpdateExpression":"ADD n :n","ExpressionAttributeValues":{":n":{"N":"` + n + `"}}}}]}`
	}
	count := func(want string) {
		t.Helper()
		s.gives("GetItem", `{"TableName":"one","Key":{"id":{"S":"a"}},"ProjectionExpression":"n"}`, `{"Item":{"n":{"N":"`+want+`"}}}`)
	}
	s.gives("TransactWriteItems", body("1"), `{"ConsumedCapacity":[{"TableName":"one","CapacityUnits":2,"WriteCapacityUnits":2}]}`)
	s.gives("TransactWriteItems", body("1"), `{"ConsumedCapacity":[{"TableName":"one","CapacityUnits":2,"ReadCapacityUnits":2}]}`)
	count("1")
	if status, out := s.call("TransactWriteItems", body("2")); status != 400 || !sameJSON(t, out, `{"__type":"com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException","Message":"Tokens with same value, but different request parameters are not supported"}`) {
		t.Error(out)
	}
	s.clock.Advance(11 * time.Minute)
	s.ok("TransactWriteItems", body("2"))
	count("3")
}
