package dynamodb_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestItems(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	s.gives("PutItem", `{"TableName":"one","Item":{"id":{"S":"a"},"n":{"N":"01.50"}}}`, `{}`)
	s.gives("GetItem", `{"TableName":"one","Key":{"id":{"S":"a"}}}`, `{"Item":{"id":{"S":"a"},"n":{"N":"1.5"}}}`)
	s.gives("GetItem", `{"TableName":"arn:aws:dynamodb:eu-west-1:111122223333:table/one","Key":{"id":{"S":"a"}},"ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":"n"}}`, `{"Item":{"n":{"N":"1.5"}}}`)
	s.gives("GetItem", `{"TableName":"one","Key":{"id":{"S":"a"}},"ProjectionExpression":"nope"}`, `{"Item":{}}`)
	s.gives("GetItem", `{"TableName":"one","Key":{"id":{"S":"b"}},"ReturnConsumedCapacity":"TOTAL"}`, `{"ConsumedCapacity":{"TableName":"one","CapacityUnits":0.5}}`)
	s.gives("GetItem", `{"TableName":"one","Key":{"id":{"S":"a"}},"AttributesToGet":["n"],"ConsistentRead":true,"ReturnConsumedCapacity":"INDEXES"}`,
		`{"Item":{"n":{"N":"1.5"}},"ConsumedCapacity":{"TableName":"one","CapacityUnits":1,"Table":{"CapacityUnits":1}}}`)
	s.gives("UpdateItem", `{"TableName":"one","Key":{"id":{"S":"a"}},"UpdateExpression":"SET n = n + :one REMOVE gone","ExpressionAttributeValues":{":one":{"N":"1"}},"ReturnValues":"UPDATED_NEW"}`,
		`{"Attributes":{"n":{"N":"2.5"}}}`)
	s.gives("UpdateItem", `{"TableName":"one","Key":{"id":{"S":"new"}},"ReturnValues":"ALL_NEW"}`, `{"Attributes":{"id":{"S":"new"}}}`)
	// As Terraform's aws_dynamodb_table_item sends it.
	s.gives("UpdateItem", `{"TableName":"one","Key":{"id":{"S":"new"}},"AttributeUpdates":{"v":{"Action":"PUT","Value":{"S":"x"}},"w":{"Action":"DELETE"}},"ReturnValues":"ALL_NEW"}`,
		`{"Attributes":{"id":{"S":"new"},"v":{"S":"x"}}}`)
	s.gives("PutItem", `{"TableName":"one","Item":{"id":{"S":"a"}},"ReturnValues":"ALL_OLD"}`, `{"Attributes":{"id":{"S":"a"},"n":{"N":"2.5"}}}`)
	s.gives("DeleteItem", `{"TableName":"one","Key":{"id":{"S":"a"}},"ReturnValues":"ALL_OLD","ConditionExpression":"attribute_not_exists(n)"}`, `{"Attributes":{"id":{"S":"a"}}}`)
	s.gives("DeleteItem", `{"TableName":"one","Key":{"id":{"S":"a"}}}`, `{}`)
	s.gives("GetItem", `{"TableName":"one","Key":{"id":{"S":"a"}}}`, `{}`)
}

func TestConditions(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	s.ok("PutItem", `{"TableName":"one","Item":{"id":{"S":"a"},"v":{"N":"1"}},"ConditionExpression":"attribute_not_exists(id)"}`)
	const failed = "The conditional request failed"
	s.fails("PutItem", `{"TableName":"one","Item":{"id":{"S":"a"}},"ConditionExpression":"attribute_not_exists(id)"}`, "ConditionalCheckFailedException", failed)
	s.fails("DeleteItem", `{"TableName":"one","Key":{"id":{"S":"a"}},"Expected":{"v":{"Value":{"N":"2"}}}}`, "ConditionalCheckFailedException", failed)
	s.fails("UpdateItem", `{"TableName":"one","Key":{"id":{"S":"b"}},"UpdateExpression":"SET x = :v","ConditionExpression":"v = :v","ExpressionAttributeValues":{":v":{"N":"1"}}}`, "ConditionalCheckFailedException", failed)
	s.gives("GetItem", `{"TableName":"one","Key":{"id":{"S":"b"}}}`, `{}`)
	_, out := s.call("PutItem", `{"TableName":"one","Item":{"id":{"S":"a"}},"ConditionExpression":"attribute_not_exists(id)","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`)
	if !sameJSON(t, out, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed","Item":{"id":{"S":"a"},"v":{"N":"1"}}}`) {
		t.Error(out)
	}
}

func TestItemErrors(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	const one = "1 validation error detected: "
	const invalid = "One or more parameter values were invalid: "
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, tc := range []struct{ op, body, message string }{
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}}}`, invalid + "Missing the key sk in the item"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"S":"1"}}}`, invalid + "Type mismatch for key sk expected: N actual: S"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":""},"sk":{"N":"1"}}}`, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"` + long(2049) + `"},"sk":{"N":"1"}}}`, invalid + "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"N":"1"}}}`, invalid + "Type mismatch for Index Key g Expected: S Actual: N IndexName: gsi"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"l":{"S":"` + long(1025) + `"}}}`, invalid + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"N":"abc"}}}`, one + "The parameter cannot be converted to a numeric value: abc"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"SS":[]}}}`, one + invalid + "An string set  may not be empty"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"S":"` + long(400<<10) + `"}}}`, "Item size has exceeded the maximum allowed size"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"N":"1"}},"ReturnValues":"ALL_NEW"}`, "ReturnValues can only be ALL_OLD or NONE"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}},"Expected":{"pk":{"Exists":false}},"ConditionExpression":"attribute_not_exists(pk)"}`,
			one + "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}},"ExpressionAttributeValues":{":v":{"S":"x"}}}`, one + "ExpressionAttributeValues can only be specified when using expressions"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}},"ExpressionAttributeNames":{"#v":"x"}}`, one + "ExpressionAttributeNames can only be specified when using expressions"},
		{"PutItem", `{"Item":{"pk":{"S":"a"}}}`, one + "Value null at 'tableName' failed to satisfy constraint: Member must not be null"},
		{"PutItem", `{"TableName":"bad table!@#","Item":{"pk":{"S":"a"}}}`, one + "Value 'bad table!@#' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		{"PutItem", `{"TableName":"` + long(256) + `","Item":{"pk":{"S":"a"}}}`, one + "Value '" + long(256) + "' at 'tableName' failed to satisfy constraint: Member must have length less than or equal to 255"},
		{"GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}}}`, "The provided key element does not match the schema"},
		{"GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"N":"1"}}}`, "The provided key element does not match the schema"},
		{"GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":""}}}`, "The parameter cannot be converted to a numeric value: "},
		{"UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET sk = :v","ExpressionAttributeValues":{":v":{"N":"2"}}}`, invalid + "Cannot update attribute sk. This attribute is part of the key"},
		{"UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"INVALID SYNTAX HERE"}`, one + `Invalid UpdateExpression: Syntax error; token: "INVALID", near: "INVALID SYNTAX"`},
		{"UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET a.b = :v","ExpressionAttributeValues":{":v":{"N":"2"}}}`, "The document path provided in the update expression is invalid for update"},
		{"UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET g = :v","ExpressionAttributeValues":{":v":{"N":"2"}}}`, invalid + "Type mismatch for Index Key g Expected: S Actual: N IndexName: gsi"},
		{"UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET a = :v","ExpressionAttributeValues":{":v":{"S":"` + long(400<<10) + `"}}}`, "Item size to update has exceeded the maximum allowed size"},
		{"UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET b = :w","ConditionExpression":"a = :v","ExpressionAttributeValues":{":w":{"S":"x"}}}`,
			one + "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :v"},
		{"BatchWriteItem", `{"RequestItems":{"tab":[{"PutRequest":{"Item":{"pk":{"S":"a"},"sk":{"N":""}}}}]}}`, "The parameter cannot be converted to a numeric value"},
	} {
		s.fails(tc.op, tc.body, "ValidationException", tc.message)
	}
	s.fails("GetItem", `{"TableName":"nope","Key":{"pk":{"S":"a"}}}`, "ResourceNotFoundException", "Requested resource not found")
}

func TestBatches(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	s.table()
	s.gives("BatchWriteItem", `{"RequestItems":{"one":[{"PutRequest":{"Item":{"id":{"S":"a"},"v":{"N":"1"}}}},{"DeleteRequest":{"Key":{"id":{"S":"b"}}}}],
		"tab":[{"PutRequest":{"Item":{"pk":{"S":"p"},"sk":{"N":"1"}}}}]},"ReturnConsumedCapacity":"TOTAL"}`,
		`{"UnprocessedItems":{},"ConsumedCapacity":[{"TableName":"one","CapacityUnits":2},{"TableName":"tab","CapacityUnits":1}]}`)
	s.gives("BatchGetItem", `{"RequestItems":{"one":{"Keys":[{"id":{"S":"a"}},{"id":{"S":"zz"}}],"ProjectionExpression":"v"},"tab":{"Keys":[{"pk":{"S":"p"},"sk":{"N":"1.0"}}],"ConsistentRead":true}},"ReturnConsumedCapacity":"TOTAL"}`,
		`{"Responses":{"one":[{"v":{"N":"1"}}],"tab":[{"pk":{"S":"p"},"sk":{"N":"1"}}]},"UnprocessedKeys":{},"ConsumedCapacity":[{"TableName":"one","CapacityUnits":1},{"TableName":"tab","CapacityUnits":1}]}`)
	s.fails("BatchGetItem", `{"RequestItems":{"one":{"Keys":[{"id":{"S":"a"}},{"id":{"S":"a"}}]}}}`, "ValidationException", "Provided list of item keys contains duplicates")
	s.fails("BatchWriteItem", `{"RequestItems":{"one":[{"PutRequest":{"Item":{"id":{"S":"a"}}}},{"DeleteRequest":{"Key":{"id":{"S":"a"}}}}]}}`, "ValidationException", "Provided list of item keys contains duplicates")
	s.fails("BatchWriteItem", `{"RequestItems":{"gone":[{"DeleteRequest":{"Key":{"id":{"S":"a"}}}}]}}`, "ResourceNotFoundException", "Requested resource not found")
}

func TestBatchGetStopsAt16MB(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	big := strings.Repeat("x", 399<<10)
	var keys []string
	for i := range 45 {
		key := fmt.Sprintf(`{"id":{"S":"%02d"}}`, i)
		keys = append(keys, key)
		s.ok("PutItem", fmt.Sprintf(`{"TableName":"one","Item":{"id":{"S":"%02d"},"big":{"S":"%s"}}}`, i, big))
	}
	out := s.ok("BatchGetItem", `{"RequestItems":{"one":{"Keys":[`+strings.Join(keys, ",")+`]}}}`)
	if n := strings.Count(out, `"big"`); n != 41 || !strings.Contains(out, `"UnprocessedKeys":{"one":{"Keys":[{"id":{"S":"41"}}`) {
		t.Errorf("%d items, tail %.200s", n, out[len(out)-200:])
	}
}
