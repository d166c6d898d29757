package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// fill puts six items into partition p of table tab, and one elsewhere.
func fill(s *server) {
	s.t.Helper()
	for i, extra := range []string{
		`"g":{"S":"x"},"l":{"S":"c"},"v":{"S":"v0"},"w":{"S":"w0"}`,
		`"g":{"S":"x"},"l":{"S":"a"},"v":{"S":"v1"}`,
		`"g":{"S":"y"},"l":{"S":"b"}`,
		`"v":{"S":"v3"}`,
		`"g":{"S":"x"},"l":{"S":"a"}`,
		`"l":{"S":"ab"}`,
	} {
		s.ok("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"p"},"sk":{"N":"%d"},%s}}`, (i-2)*5, extra))
	}
	s.ok("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"q"},"sk":{"N":"7"},"g":{"S":"x"}}}`)
}

// keys runs a Query or Scan to its end and returns the sort keys it met.
func (s *server) keys(op, body string) string {
	s.t.Helper()
	var all []string
	start := ""
	for range 50 {
		var out struct {
			Items            []map[string]map[string]any
			Count            int
			LastEvaluatedKey json.RawMessage
		}
		if err := json.Unmarshal([]byte(s.ok(op, strings.TrimSuffix(body, "}")+start+"}")), &out); err != nil {
			s.t.Fatal(err)
		}
		if out.Count != len(out.Items) {
			s.t.Errorf("Count %d of %d items", out.Count, len(out.Items))
		}
		for _, it := range out.Items {
			all = append(all, fmt.Sprint(it["sk"]["N"]))
		}
		if out.LastEvaluatedKey == nil {
			return strings.Join(all, " ")
		}
		start = `,"ExclusiveStartKey":` + string(out.LastEvaluatedKey)
	}
	s.t.Fatalf("%s does not end", body)
	return ""
}

func TestQueryOrders(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	fill(s)
	for _, limit := range []string{``, `,"Limit":1`, `,"Limit":2`} {
		for _, tc := range []struct{ where, values, want string }{
			{`"KeyConditionExpression":"pk = :p"`, ``, "-10 -5 0 5 10 15"},
			{`"KeyConditionExpression":"pk = :p","ScanIndexForward":false`, ``, "15 10 5 0 -5 -10"},
			{`"KeyConditionExpression":"pk = :p AND sk < :a"`, `,":a":{"N":"5"}`, "-10 -5 0"},
			{`"KeyConditionExpression":"pk = :p AND sk <= :a","ScanIndexForward":false`, `,":a":{"N":"0.0"}`, "0 -5 -10"},
			{`"KeyConditionExpression":"pk = :p AND sk > :a"`, `,":a":{"N":"-5"}`, "0 5 10 15"},
			{`"KeyConditionExpression":"pk = :p AND sk >= :a"`, `,":a":{"N":"9.99"}`, "10 15"},
			{`"KeyConditionExpression":"pk = :p AND sk BETWEEN :a AND :b"`, `,":a":{"N":"-5"},":b":{"N":"5"}`, "-5 0 5"},
			{`"KeyConditionExpression":"pk = :p AND sk = :a"`, `,":a":{"N":"5"}`, "5"},
			{`"KeyConditionExpression":"pk = :p","FilterExpression":"attribute_exists(v)"`, ``, "-10 -5 5"},
			{`"KeyConditionExpression":"pk = :p","IndexName":"lsi"`, ``, "-5 10 15 0 -10"},
			{`"KeyConditionExpression":"pk = :p AND begins_with(l, :a)","IndexName":"lsi","ScanIndexForward":false`, `,":a":{"S":"a"}`, "15 10 -5"},
			{`"KeyConditionExpression":"g = :a","IndexName":"gsi"`, ``, "-10 -5 7 10"},
			{`"KeyConditionExpression":"g = :a AND sk > :b","IndexName":"gsi","ScanIndexForward":false`, `,":b":{"N":"-6"}`, "10 7 -5"},
		} {
			values := `":p":{"S":"p"}` + tc.values
			if strings.Contains(tc.where, "gsi") {
				values = `":a":{"S":"x"}` + tc.values
			}
			body := fmt.Sprintf(`{"TableName":"tab",%s,"ExpressionAttributeValues":{%s}%s}`, tc.where, values, limit)
			if got := s.keys("Query", body); got != tc.want {
				t.Errorf("%s\n got %s\nwant %s", body, got, tc.want)
			}
		}
		body := `{"TableName":"tab","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"p"}]},"sk":{"ComparisonOperator":"GT","AttributeValueList":[{"N":"0"}]}},"QueryFilter":{"l":{"ComparisonOperator":"NOT_NULL"}}` + limit + `}`
		if got := s.keys("Query", body); got != "10 15" {
			t.Errorf("legacy: %s", got)
		}
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	fill(s)
	q := func(rest string) string {
		return `{"TableName":"tab","KeyConditionExpression":"pk = :p AND l = :l","IndexName":"lsi","ExpressionAttributeValues":{":p":{"S":"p"},":l":{"S":"c"}}` + rest + `}`
	}
	s.gives("Query", q(``), `{"Items":[{"pk":{"S":"p"},"sk":{"N":"-10"},"l":{"S":"c"}}],"Count":1,"ScannedCount":1}`)
	s.gives("Query", q(`,"Select":"COUNT"`), `{"Count":1,"ScannedCount":1}`)
	s.gives("Query", q(`,"Select":"ALL_ATTRIBUTES","ReturnConsumedCapacity":"INDEXES"`),
		`{"Items":[{"pk":{"S":"p"},"sk":{"N":"-10"},"g":{"S":"x"},"l":{"S":"c"},"v":{"S":"v0"},"w":{"S":"w0"}}],"Count":1,"ScannedCount":1,
		"ConsumedCapacity":{"TableName":"tab","CapacityUnits":1,"Table":{"CapacityUnits":0.5},"LocalSecondaryIndexes":{"lsi":{"CapacityUnits":0.5}}}}`)
	s.gives("Query", q(`,"ProjectionExpression":"w"`), `{"Items":[{"w":{"S":"w0"}}],"Count":1,"ScannedCount":1}`)
	g := func(rest string) string {
		return `{"TableName":"tab","KeyConditionExpression":"g = :g","IndexName":"gsi","ExpressionAttributeValues":{":g":{"S":"y"}}` + rest + `}`
	}
	s.gives("Query", g(`,"ReturnConsumedCapacity":"INDEXES"`), `{"Items":[{"pk":{"S":"p"},"sk":{"N":"0"},"g":{"S":"y"}}],"Count":1,"ScannedCount":1,
		"ConsumedCapacity":{"TableName":"tab","CapacityUnits":0.5,"Table":{"CapacityUnits":0},"GlobalSecondaryIndexes":{"gsi":{"CapacityUnits":0.5}}}}`)
	const invalid = "One or more parameter values were invalid: "
	for body, want := range map[string]string{
		g(`,"ConsistentRead":true`):                                             "Consistent reads are not supported on global secondary indexes",
		g(`,"Select":"ALL_ATTRIBUTES"`):                                         invalid + "Select type ALL_ATTRIBUTES is not supported for global secondary index gsi because its projection type is not ALL",
		g(`,"ProjectionExpression":"w"`):                                        invalid + "Global secondary index gsi does not project [w]",
		g(`,"Select":"SPECIFIC_ATTRIBUTES"`):                                    "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
		g(`,"Select":"COUNT","ProjectionExpression":"v"`):                       "Cannot specify the ProjectionExpression when choosing to get only the Count",
		g(`,"FilterExpression":"g = :g"`):                                       "Filter Expression can only contain non-primary key attributes: Primary key attribute: g",
		g(`,"ExclusiveStartKey":{"g":{"S":"y"}}`):                               "The provided starting key is invalid",
		g(`,"ExclusiveStartKey":{"g":{"S":"x"},"pk":{"S":"p"},"sk":{"N":"0"}}`): "The provided starting key is outside query boundaries based on provided conditions",
		strings.Replace(g(``), `"gsi"`, `"nope"`, 1):                            "The table does not have the specified index: nope",
		strings.Replace(g(``), `g = :g`, `pk = :g`, 1):                          "Query condition missed key schema element: g",
		`{"TableName":"tab"}`:                                                   "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
		`{"TableName":"tab","Select":"ALL_PROJECTED_ATTRIBUTES","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p"}}}`:                                            invalid + "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
		`{"TableName":"tab","ExclusiveStartKey":{"pk":{"S":"p"},"sk":{"N":"9"}},"KeyConditionExpression":"pk = :p AND sk < :a","ExpressionAttributeValues":{":p":{"S":"p"},":a":{"N":"5"}}}`: "The provided starting key does not match the range key predicate",
	} {
		s.fails("Query", body, "ValidationException", want)
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	want := map[string]bool{}
	for i := range 60 {
		s.ok("PutItem", fmt.Sprintf(`{"TableName":"one","Item":{"id":{"S":"i%d"},"sk":{"N":"%d"}}}`, i, i))
		want[fmt.Sprint(i)] = true
	}
	whole := s.keys("Scan", `{"TableName":"one"}`)
	paged := s.keys("Scan", `{"TableName":"one","Limit":7}`)
	if whole != paged || len(strings.Fields(whole)) != len(want) {
		t.Errorf("whole %s\npaged %s", whole, paged)
	}
	var parts []string
	for segment := range 4 {
		part := s.keys("Scan", fmt.Sprintf(`{"TableName":"one","TotalSegments":4,"Segment":%d,"Limit":5}`, segment))
		if part == "" {
			t.Errorf("segment %d is empty", segment)
		}
		parts = append(parts, part)
	}
	if got := strings.Join(parts, " "); got != whole {
		t.Errorf("segments %s\nwhole %s", got, whole)
	}
	if got := s.keys("Scan", `{"TableName":"one","FilterExpression":"sk < :n","ExpressionAttributeValues":{":n":{"N":"3"}}}`); len(strings.Fields(got)) != 3 {
		t.Errorf("filtered: %s", got)
	}
	if got := s.keys("Scan", `{"TableName":"one","ScanFilter":{"sk":{"ComparisonOperator":"IN","AttributeValueList":[{"N":"3"},{"N":"5"}]}}}`); len(strings.Fields(got)) != 2 {
		t.Errorf("legacy filter: %s", got)
	}
	s.fails("Scan", `{"TableName":"one","TotalSegments":1,"Segment":1}`, "ValidationException", "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 1 is not less than TotalSegments: 1")
}

func TestPagesEndAt1MB(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	big := strings.Repeat("x", 300<<10)
	for i := range 5 {
		s.ok("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"p"},"sk":{"N":"%d"},"big":{"S":"%s"}}}`, i, big))
	}
	out := s.ok("Query", `{"TableName":"tab","Select":"COUNT","KeyConditionExpression":"pk = :p","FilterExpression":"sk2 = :p","ExpressionAttributeValues":{":p":{"S":"p"}},"ReturnConsumedCapacity":"TOTAL"}`)
	if !sameJSON(t, out, `{"Count":0,"ScannedCount":4,"LastEvaluatedKey":{"pk":{"S":"p"},"sk":{"N":"3"}},"ConsumedCapacity":{"TableName":"tab","CapacityUnits":150.5}}`) {
		t.Error(out)
	}
	if got := s.keys("Query", `{"TableName":"tab","ProjectionExpression":"sk","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p"}}}`); got != "0 1 2 3 4" {
		t.Error(got)
	}
}
