package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
)

func (s *server) describe(name string) (d struct {
	Table struct {
		TableStatus, TableId, TableArn string
		ItemCount, TableSizeBytes      int
		AttributeDefinitions           []any
		BillingModeSummary             *struct{ BillingMode string }
		ProvisionedThroughput          struct{ ReadCapacityUnits int }
		DeletionProtectionEnabled      bool
		GlobalSecondaryIndexes         []struct {
			IndexName, IndexStatus, IndexArn string
			ItemCount                        int
		}
	}
}) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.ok("DescribeTable", `{"TableName":"`+name+`"}`)), &d); err != nil {
		s.t.Fatal(err)
	}
	return d
}

func TestTableLife(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	fill(s)
	d := s.describe("tab").Table
	if d.TableStatus != "ACTIVE" || d.ItemCount != 7 || d.TableSizeBytes == 0 || len(d.GlobalSecondaryIndexes) != 1 ||
		d.GlobalSecondaryIndexes[0].ItemCount != 5 || d.TableArn != "arn:aws:dynamodb:eu-west-1:111122223333:table/tab" {
		t.Errorf("%+v", d)
	}
	s.fails("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`,
		"ResourceInUseException", "Table already exists: tab")
	s.ok("UpdateTable", `{"TableName":"tab","DeletionProtectionEnabled":true}`)
	s.fails("DeleteTable", `{"TableName":"tab"}`, "ValidationException", "1 validation error detected: Table 'tab' can't be deleted while DeletionProtectionEnabled is set to True")
	s.ok("UpdateTable", `{"TableName":"tab","DeletionProtectionEnabled":false}`)
	s.ok("DeleteTable", `{"TableName":"tab"}`)
	s.fails("DescribeTable", `{"TableName":"tab"}`, "ResourceNotFoundException", "Requested resource not found: Table: tab not found")
	s.fails("GetItem", `{"TableName":"tab","Key":{"pk":{"S":"p"},"sk":{"N":"0"}}}`, "ResourceNotFoundException", "Requested resource not found")
	s.table()
	if again := s.describe("tab").Table; again.ItemCount != 0 || again.TableId == d.TableId {
		t.Errorf("new table of an old name: %+v", again)
	}
	if got := s.keys("Scan", `{"TableName":"tab"}`); got != "" {
		t.Errorf("new table holds %s", got)
	}
}

func TestListTables(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 5 {
		s.ok("CreateTable", fmt.Sprintf(`{"TableName":"t-%d","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`, i))
	}
	s.gives("ListTables", `{"Limit":2}`, `{"TableNames":["t-0","t-1"],"LastEvaluatedTableName":"t-1"}`)
	s.gives("ListTables", `{"ExclusiveStartTableName":"t-1"}`, `{"TableNames":["t-2","t-3","t-4"]}`)
	s.gives("ListTables", `{"ExclusiveStartTableName":"t-1","Limit":3}`, `{"TableNames":["t-2","t-3","t-4"]}`)
}

func TestCreateTableErrors(t *testing.T) {
	t.Parallel()
	s := start(t)
	const invalid = "One or more parameter values were invalid: "
	def := func(names ...string) string {
		for i, n := range names {
			names[i] = `{"AttributeName":"` + n + `","AttributeType":"S"}`
		}
		return `"AttributeDefinitions":[` + strings.Join(names, ",") + `]`
	}
	key := func(names ...string) string {
		for i, n := range names {
			names[i] = `{"AttributeName":"` + n + `","KeyType":"` + []string{"HASH", "RANGE"}[i] + `"}`
		}
		return `"KeySchema":[` + strings.Join(names, ",") + `]`
	}
	const demand = `"BillingMode":"PAY_PER_REQUEST"`
	all := `"Projection":{"ProjectionType":"ALL"}`
	for rest, want := range map[string]string{
		def("a") + `,` + key("a"): invalid + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
		def("a") + `,` + key("a") + `,` + demand + `,"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}`: invalid + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
		def("a") + `,` + key("b") + `,` + demand:                                                                                                                                          invalid + "Some index key attributes are not defined in AttributeDefinitions. Keys: [b], AttributeDefinitions: [a]",
		def("a", "b") + `,` + key("a") + `,` + demand:                                                                                                                                     invalid + "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
		def("a") + `,` + key("a", "a") + `,` + demand:                                                                                                                                     "Both the Hash Key and the Range Key element in the KeySchema have the same name",
		def("a") + `,"KeySchema":[{"AttributeName":"a","KeyType":"RANGE"}],` + demand:                                                                                                     "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
		def("a") + `,` + key("a") + `,` + demand + `,"GlobalSecondaryIndexes":[]`:                                                                                                         invalid + "List of GlobalSecondaryIndexes is empty",
		def("a", "b") + `,` + key("a") + `,` + demand + `,"LocalSecondaryIndexes":[{"IndexName":"idx",` + key("a", "b") + `,` + all + `}]`:                                                invalid + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
		def("a", "b", "c") + `,` + key("a") + `,` + demand + `,"GlobalSecondaryIndexes":[{"IndexName":"idx",` + key("b") + `,` + all + `}]`:                                               invalid + "Some AttributeDefinitions are not used. AttributeDefinitions: [a, b, c], keys used: [a, b]",
		def("a", "b") + `,` + key("a") + `,` + demand + `,"GlobalSecondaryIndexes":[{"IndexName":"idx",` + key("b") + `,"Projection":{}}]`:                                                invalid + "Unknown ProjectionType: null",
		def("a", "b") + `,` + key("a") + `,` + demand + `,"GlobalSecondaryIndexes":[{"IndexName":"idx",` + key("b") + `,"Projection":{"ProjectionType":"ALL","NonKeyAttributes":["x"]}}]`: invalid + "ProjectionType is ALL, but NonKeyAttributes is specified",
		def("a", "b") + `,` + key("a") + `,` + demand + `,"GlobalSecondaryIndexes":[{"IndexName":"idx",` + key("b") + `,` + all + `},{"IndexName":"idx",` + key("b") + `,` + all + `}]`:   invalid + "Duplicate index name: idx",
	} {
		s.fails("CreateTable", `{"TableName":"bad",`+rest+`}`, "ValidationException", want)
	}
	s.gives("ListTables", `{}`, `{"TableNames":[]}`)
	status, out := s.call("CreateTable", `{"TableName":"bad",`+def("a")+`,`+key("a")+`,`+demand+`,"ResourcePolicy":"{}"}`)
	if status != http.StatusNotImplemented || !strings.Contains(out, "parameter ResourcePolicy of") {
		t.Errorf("%d %s", status, out)
	}
}

func TestUpdateTableBilling(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	s.fails("UpdateTable", `{"TableName":"one","BillingMode":"PROVISIONED"}`, "ValidationException",
		"One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	s.ok("UpdateTable", `{"TableName":"one","BillingMode":"PROVISIONED","ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":4}}`)
	if d := s.describe("one").Table; d.BillingModeSummary.BillingMode != "PROVISIONED" || d.ProvisionedThroughput.ReadCapacityUnits != 3 {
		t.Errorf("%+v", d)
	}
	if status, out := s.call("UpdateTable", `{"TableName":"one","ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":4}}`); status != 400 || !strings.Contains(out, "The provisioned throughput for the table will not change.") {
		t.Errorf("%d %s", status, out)
	}
	s.ok("UpdateTable", `{"TableName":"one","BillingMode":"PAY_PER_REQUEST"}`)
	if d := s.describe("one").Table; d.BillingModeSummary.BillingMode != "PAY_PER_REQUEST" || d.ProvisionedThroughput.ReadCapacityUnits != 0 {
		t.Errorf("%+v", d)
	}
	s.fails("UpdateTable", `{"TableName":"gone","DeletionProtectionEnabled":true}`, "ResourceNotFoundException", "Requested resource not found: Table: gone not found")
}

// eventually waits for a condition that the background work brings about.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what + " did not happen")
		}
	}
}

func TestAddAndRemoveIndex(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	for i := range 450 {
		s.ok("PutItem", fmt.Sprintf(`{"TableName":"one","Item":{"id":{"S":"i%d"},"sk":{"N":"%d"},"h":{"S":"h%d"}}}`, i, i, i%2))
	}
	s.ok("PutItem", `{"TableName":"one","Item":{"id":{"S":"odd"},"h":{"N":"1"}}}`)
	s.ok("UpdateTable", `{"TableName":"one","AttributeDefinitions":[{"AttributeName":"h","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],
		"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"late","KeySchema":[{"AttributeName":"h","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}}]}`)
	if st := s.describe("one").Table.GlobalSecondaryIndexes[0].IndexStatus; st != "CREATING" {
		t.Errorf("status %s before the index is filled", st)
	}
	const query = `{"TableName":"one","IndexName":"late","KeyConditionExpression":"h = :h","ExpressionAttributeValues":{":h":{"S":"h1"}}}`
	s.fails("Query", query, "ValidationException", "Cannot read from backfilling global secondary index: late")
	// Written while the index is not ready: must be in it all the same.
	s.ok("PutItem", `{"TableName":"one","Item":{"id":{"S":"x"},"sk":{"N":"-1"},"h":{"S":"h1"}}}`)
	s.run()
	eventually(t, "ACTIVE index", func() bool { return s.describe("one").Table.GlobalSecondaryIndexes[0].IndexStatus == "ACTIVE" })
	got := strings.Fields(s.keys("Query", query))
	if len(got) != 226 || got[0] != "-1" || got[1] != "1" || got[225] != "449" {
		t.Errorf("%d entries: %v", len(got), got)
	}
	s.ok("UpdateTable", `{"TableName":"one","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"late"}}]}`)
	if d := s.describe("one").Table; len(d.GlobalSecondaryIndexes) != 0 || len(d.AttributeDefinitions) != 1 {
		t.Errorf("%+v", d)
	}
	s.fails("Query", query, "ValidationException", "The table does not have the specified index: late")
	s.fails("UpdateTable", `{"TableName":"one","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"a-1"}},{"Delete":{"IndexName":"b-1"}}]}`, "LimitExceededException",
		"Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
}

func TestTags(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	const arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/one"
	s.ok("TagResource", `{"ResourceArn":"`+arn+`","Tags":[{"Key":"b","Value":"2"},{"Key":"a","Value":"1"}]}`)
	s.ok("TagResource", `{"ResourceArn":"`+arn+`","Tags":[{"Key":"b","Value":"3"}]}`)
	s.gives("ListTagsOfResource", `{"ResourceArn":"`+arn+`"}`, `{"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"3"}]}`)
	s.ok("UntagResource", `{"ResourceArn":"`+arn+`","TagKeys":["a","zz"]}`)
	s.gives("ListTagsOfResource", `{"ResourceArn":"`+arn+`"}`, `{"Tags":[{"Key":"b","Value":"3"}]}`)
	s.fails("ListTagsOfResource", `{"ResourceArn":"`+arn+`2"}`, "ResourceNotFoundException", "Requested resource not found: ResourcArn: "+arn+"2 not found")
	s.fails("ListTagsOfResource", `{"ResourceArn":"one"}`, "ValidationException", "Invalid TableArn: Invalid ResourceArn provided as input one")
	s.fails("GetItem", `{"TableName":"arn:aws:dynamodb:eu-west-1:999999999999:table/one","Key":{"id":{"S":"a"}}}`, "AccessDeniedException",
		"User: arn:aws:iam::111122223333:root is not authorized to access resource: arn:aws:dynamodb:eu-west-1:999999999999:table/one because no resource-based policy allows it")
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	now := s.clock.Now().Unix()
	put := func(sk, expires int64) {
		s.ok("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"p"},"sk":{"N":"%d"},"g":{"S":"x"},"ttl":{"N":"%d"}}}`, sk, expires))
	}
	s.gives("DescribeTimeToLive", `{"TableName":"tab"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}`)
	put(1, now-10)          // before the setting
	put(2, now+1000)        // later
	put(3, now-6*365*86400) // too long ago to count
	s.ok("UpdateTimeToLive", `{"TableName":"tab","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ttl"}}`)
	s.gives("DescribeTimeToLive", `{"TableName":"tab"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLING","AttributeName":"ttl"}}`)
	s.fails("UpdateTimeToLive", `{"TableName":"tab","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ttl"}}`, "ValidationException", "TimeToLive is already enabled")
	put(4, now-5)
	put(5, now-5)
	put(5, now+5000) // saved by an update
	s.run()
	eventually(t, "expiry", func() bool { return s.keys("Scan", `{"TableName":"tab"}`) == "2 3 5" })
	s.gives("DescribeTimeToLive", `{"TableName":"tab"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"ttl"}}`)
	if got := s.keys("Query", `{"TableName":"tab","IndexName":"gsi","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"x"}}}`); got != "2 3 5" {
		t.Errorf("index holds %s", got)
	}
	s.clock.Advance(1001 * time.Second)
	eventually(t, "expiry", func() bool { return s.keys("Scan", `{"TableName":"tab"}`) == "3 5" })
	s.ok("UpdateTimeToLive", `{"TableName":"tab","TimeToLiveSpecification":{"Enabled":false,"AttributeName":"ttl"}}`)
	s.gives("DescribeTimeToLive", `{"TableName":"tab"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}`)
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	fill(s)
	var asked []string
	s.allow = func(target wire.IAMTarget) bool {
		asked = append(asked, fmt.Sprint(target.Action, " ", strings.TrimPrefix(target.Resource, "arn:aws:dynamodb:eu-west-1:111122223333:"), " ", target.Context["dynamodb:LeadingKeys"]))
		return target.Action != "dynamodb:DeleteItem"
	}
	user := sigv4.Credentials{AccessKeyID: "AKIAUSER", SecretAccessKey: "secret"}
	for _, tc := range []struct {
		op, body string
		want     []string
	}{
		{"GetItem", `{"TableName":"tab","Key":{"pk":{"S":"p"},"sk":{"N":"1"}}}`, []string{"dynamodb:GetItem table/tab [p]"}},
		{"Query", `{"TableName":"tab","IndexName":"gsi","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"x"}}}`, []string{"dynamodb:Query table/tab/index/gsi [x]"}},
		{"Scan", `{"TableName":"tab"}`, []string{"dynamodb:Scan table/tab []"}},
		{"ListTables", `{}`, []string{"dynamodb:ListTables * []"}},
		{"BatchWriteItem", `{"RequestItems":{"tab":[{"DeleteRequest":{"Key":{"pk":{"S":"p"},"sk":{"N":"99"}}}},{"PutRequest":{"Item":{"pk":{"S":"z"},"sk":{"N":"1"}}}}]}}`, []string{"dynamodb:BatchWriteItem table/tab [p z]"}},
		{"TransactWriteItems", `{"TransactItems":[{"ConditionCheck":{"TableName":"tab","Key":{"pk":{"S":"p"},"sk":{"N":"0"}},"ConditionExpression":"attribute_exists(pk)"}},{"Delete":{"TableName":"tab","Key":{"pk":{"S":"p"},"sk":{"N":"5"}}}}]}`,
			[]string{"dynamodb:ConditionCheckItem table/tab [p]", "dynamodb:DeleteItem table/tab [p]"}},
	} {
		asked = nil
		status, out := s.callAs(user, tc.op, tc.body)
		if !slices.Equal(asked, tc.want) {
			t.Errorf("%s asked for %q, want %q", tc.op, asked, tc.want)
		}
		if denied := tc.op == "TransactWriteItems"; denied != strings.Contains(out, "AccessDeniedException") || denied != (status == 400) {
			t.Errorf("%s: %d %s", tc.op, status, out)
		}
	}
	s.allow = nil
	if got := s.keys("Query", `{"TableName":"tab","KeyConditionExpression":"pk = :p AND sk = :s","ExpressionAttributeValues":{":p":{"S":"p"},":s":{"N":"5"}}}`); got != "5" {
		t.Error("a denied delete has deleted")
	}
}
