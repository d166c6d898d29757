package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/wire"
)

// statement is the body of an ExecuteStatement.
func statement(text string, parameters ...string) string {
	body, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	if len(parameters) == 0 {
		return fmt.Sprintf(`{"Statement":%s}`, body)
	}
	return fmt.Sprintf(`{"Statement":%s,"Parameters":[%s]}`, body, strings.Join(parameters, ","))
}

// TestStatements runs statements one after the other. What they answer was
// recorded from AWS, but for the functions.
func TestStatements(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	const none = `{"Items":[]}`
	for _, c := range []struct{ text, want string }{
		{`INSERT INTO "one" VALUE {'id': 'a', 'n': 5, 'm': {'in': 'deep', 'sib': 1}, 'l': ['x', 'y', 'z'], 'flag': true, 'none': NULL, 's': <<'p', 'q'>>}`, none},
		{`SELECT n FROM "one" WHERE id = 'a'`, `{"Items":[{"n":{"N":"5"}}]}`},
		{`SELECT m."in", l[1] FROM one WHERE id = 'a'`, `{"Items":[{"in":{"S":"deep"},"l":{"S":"y"}}]}`},
		{`SELECT n FROM one WHERE id = 'absent'`, none},
		{`SELECT id FROM one WHERE id = 'a' AND n > 4 AND NOT begins_with(m."in", 'x') AND flag IS BOOLEAN AND x IS MISSING AND size(l) = 3`, `{"Items":[{"id":{"S":"a"}}]}`},
		{`SELECT id FROM one WHERE id IN ['absent', 'a'] AND n IN [4, 5] AND n BETWEEN 1 AND 5`, `{"Items":[{"id":{"S":"a"}}]}`},
		{`SELECT id FROM one WHERE id = 'b' OR n <> 6`, `{"Items":[{"id":{"S":"a"}}]}`},
		{`UPDATE one SET n = n + 1, l = list_append(l, ['!']) SET s = set_add(s, <<'r'>>) REMOVE flag WHERE id = 'a' AND n = 5`, none},
		{`SELECT n, l, s, flag FROM one WHERE id = 'a'`, `{"Items":[{"n":{"N":"6"},"l":{"L":[{"S":"x"},{"S":"y"},{"S":"z"},{"S":"!"}]},"s":{"SS":["p","q","r"]}}]}`},
		{`UPDATE one SET s = set_delete(s, <<'p', 'q'>>) WHERE id = 'a' RETURNING MODIFIED NEW *`, `{"Items":[{"s":{"SS":["r"]}}]}`},
		{`UPDATE one SET m."in" = 'new' WHERE id = 'a' RETURNING MODIFIED OLD *`, `{"Items":[{"m":{"M":{"in":{"S":"deep"}}}}]}`},
		{`UPDATE one SET l[2] = 'Z', l[0] = 'X' WHERE id = 'a' RETURNING MODIFIED NEW *`, `{"Items":[{"l":{"L":[{"S":"X"},{"S":"Z"}]}}]}`},
		{`FROM one WHERE id = 'a' SET x = 1 REMOVE x2 RETURNING MODIFIED NEW *`, `{"Items":[{"x":{"N":"1"}}]}`},
		{`FROM one WHERE id = 'a' REMOVE x`, none},
		{`UPDATE one SET l[9] = '?' WHERE id = 'a' RETURNING MODIFIED NEW *`, none},
		{`UPDATE one REMOVE n WHERE id = 'a' RETURNING MODIFIED NEW *`, none},
		{`UPDATE one REMOVE m, l, s, none WHERE id = 'a' RETURNING ALL NEW *`, `{"Items":[{"id":{"S":"a"}}]}`},
		{`DELETE FROM one WHERE id = 'absent' AND n = 1`, none},
		{`DELETE FROM one WHERE id = 'absent' RETURNING ALL OLD *`, none},
		{`DELETE FROM one WHERE id = 'a' RETURNING ALL OLD *`, `{"Items":[{"id":{"S":"a"}}]}`},
	} {
		s.gives("ExecuteStatement", statement(c.text), c.want)
	}

	s.gives("ExecuteStatement", statement(`INSERT INTO one VALUE {'id': ?, 'n': ?}`, `{"S":"p"}`, `{"N":"1"}`), none)
	s.gives("ExecuteStatement", statement(`SELECT * FROM one WHERE id = ? AND n < ?`, `{"S":"p"}`, `{"N":"2"}`), `{"Items":[{"id":{"S":"p"},"n":{"N":"1"}}]}`)
	for _, c := range []struct{ text, code, message string }{
		{`INSERT INTO one VALUE {'id': 'p'}`, "DuplicateItemException", "Duplicate primary key exists in table"},
		{`INSERT INTO one VALUE {'n': 1}`, "ValidationException", "Key attribute should be present in the item: Key id"},
		{`SELECT * FROM one WHERE id = 1`, "ValidationException", "Key attribute's data type should match its data type in table's schema: Key id"},
		{`DELETE FROM one WHERE id = 'p' AND n = 2`, "ConditionalCheckFailedException", "The conditional request failed"},
		{`UPDATE one SET n = 9 WHERE id = 'p' AND n = 2`, "ConditionalCheckFailedException", "The conditional request failed"},
		{`UPDATE one SET n = 9 WHERE id = 'absent'`, "ConditionalCheckFailedException", "The conditional request failed"},
		{`FROM one SET c = 1`, "ValidationException", "Where clause does not contain a mandatory equality on all key attributes"},
		{`FROM one WHERE n = 1 SET c = 1`, "ValidationException", "Where clause does not contain a mandatory equality on all key attributes"},
		{`FROM absent WHERE id = 'x' SET c = 1`, "ResourceNotFoundException", "Requested resource not found"},
		{`UPDATE one SET n = 9 WHERE n = 1`, "ValidationException", "Where clause does not contain a mandatory equality on all key attributes"},
		{`UPDATE one SET l[0] = 1 WHERE id = 'p'`, "ValidationException", "The document path provided in the update expression is invalid for update"},
		{`SELECT * FROM absent WHERE id = 'p'`, "ResourceNotFoundException", "Requested resource not found"},
		{`SELECTT`, "ValidationException", "Statement wasn't well formed, can't be processed: Unexpected token after expression"},
		{`EXISTS(SELECT * FROM one WHERE id = 'p' AND n = 1)`, "ValidationException", "EXISTS can only be used in ExecuteTransaction write requests."},
		{`SELECT * FROM one ORDER BY id`, "ValidationException", "Must have WHERE clause in the statement when using ORDER BY clause."},
		{`SELECT * FROM one WHERE n = 1 ORDER BY id`, "ValidationException", "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."},
		{`SELECT * FROM one WHERE id = 'p' ORDER BY n`, "ValidationException", "Variable reference n in ORDER BY clause must be part of the primary key"},
	} {
		s.fails("ExecuteStatement", statement(c.text), c.code, c.message)
	}
	s.gives("ExecuteStatement", statement(`SELECT * FROM one`), `{"Items":[{"id":{"S":"p"},"n":{"N":"1"}}]}`)
}

// selectKeys runs a SELECT, page by page, and returns the sort keys it met.
func (s *server) selectKeys(text string, limit int) string {
	s.t.Helper()
	var all []string
	token := ""
	for range 50 {
		var out struct {
			Items     []struct{ Sk struct{ N string } }
			NextToken string
		}
		body := strings.TrimSuffix(statement(text), "}") + fmt.Sprintf(`,"Limit":%d`, limit)
		if token != "" {
			body += `,"NextToken":"` + token + `"`
		}
		if err := json.Unmarshal([]byte(s.ok("ExecuteStatement", body+"}")), &out); err != nil {
			s.t.Fatal(err)
		}
		if len(out.Items) > limit {
			s.t.Errorf("%d items, asked for %d", len(out.Items), limit)
		}
		for _, it := range out.Items {
			all = append(all, it.Sk.N)
		}
		if token = out.NextToken; token == "" {
			return strings.Join(all, " ")
		}
	}
	s.t.Fatalf("%s does not end", text)
	return ""
}

func TestSelectOrdersAndPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	fill(s)
	for text, want := range map[string]string{
		`SELECT * FROM tab WHERE pk = 'p'`:                                        "-10 -5 0 5 10 15",
		`SELECT * FROM tab WHERE pk = 'p' ORDER BY sk DESC`:                       "15 10 5 0 -5 -10",
		`SELECT * FROM tab WHERE pk = 'p' AND sk >= 0 AND sk <> 5`:                "0 10 15",
		`SELECT * FROM tab WHERE pk = 'p' AND (sk = 0 OR sk = 10)`:                "0 10",
		`SELECT * FROM tab WHERE pk IN ['q', 'p'] AND sk > 5 ORDER BY pk ASC, sk`: "10 15 7",
		`SELECT * FROM tab WHERE pk IN ['q', 'p'] AND sk > 5 ORDER BY pk DESC`:    "7 10 15",
		`SELECT sk FROM "tab"."gsi" WHERE g = 'x' ORDER BY sk DESC`:               "10 7 -5 -10",
	} {
		for _, limit := range []int{1, 2, 100} {
			if got := s.selectKeys(text, limit); got != want {
				t.Errorf("%s by %d: %s, want %s", text, limit, got, want)
			}
		}
	}
	scanned := strings.Fields(s.selectKeys(`SELECT * FROM tab WHERE sk < 8`, 2))
	slices.Sort(scanned)
	if got := strings.Join(scanned, " "); got != "-10 -5 0 5 7" {
		t.Errorf("a scan found %s", got)
	}
	const two = `,"Limit":1,"NextToken":"%s"}`
	var first struct{ NextToken string }
	if err := json.Unmarshal([]byte(s.ok("ExecuteStatement", strings.TrimSuffix(statement(`SELECT * FROM tab WHERE pk = 'p'`), "}")+`,"Limit":1}`)), &first); err != nil {
		t.Fatal(err)
	}
	s.fails("ExecuteStatement", strings.TrimSuffix(statement(`SELECT * FROM tab WHERE pk = 'q'`), "}")+fmt.Sprintf(two, first.NextToken), "ValidationException", "NextToken does not match request")
	s.fails("ExecuteStatement", strings.TrimSuffix(statement(`SELECT * FROM tab WHERE pk = 'q'`), "}")+fmt.Sprintf(two, "bad"), "ValidationException", "Invalid NextToken")
}

func TestBatchOfStatements(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	s.gives("BatchExecuteStatement", `{"Statements":[{"Statement":"INSERT INTO one VALUE {'id': 'a', 'n': 1}"},{"Statement":"INSERT INTO one VALUE {'id': 'a'}"},{"Statement":"SELECT"},
		{"Statement":"DELETE FROM one WHERE id = 'a' AND n = 2","ReturnValuesOnConditionCheckFailure":"ALL_OLD"},{"Statement":"DELETE FROM absent WHERE id = 'a'"}]}`,
		`{"Responses":[{"TableName":"one"},
			{"TableName":"one","Error":{"Code":"DuplicateItem","Message":"Duplicate primary key exists in table"}},
			{"Error":{"Code":"ValidationError","Message":"Statement wasn't well formed, can't be processed: Unexpected term"}},
			{"TableName":"one","Error":{"Code":"ConditionalCheckFailed","Message":"The conditional request failed","Item":{"id":{"S":"a"},"n":{"N":"1"}}}},
			{"TableName":"absent","Error":{"Code":"ResourceNotFound","Message":"Requested resource not found"}}]}`)
	s.gives("BatchExecuteStatement", `{"Statements":[{"Statement":"SELECT n FROM one WHERE id = 'a'"},{"Statement":"SELECT n FROM one WHERE id = 'b'"},{"Statement":"SELECT n FROM one WHERE n = 1"}]}`,
		`{"Responses":[{"TableName":"one","Item":{"n":{"N":"1"}}},{"TableName":"one"},
			{"TableName":"one","Error":{"Code":"ValidationError","Message":"Select statements within BatchExecuteStatement must specify the primary key in the where clause."}}]}`)
	s.fails("BatchExecuteStatement", `{"Statements":[{"Statement":"SELECT n FROM one WHERE id = 'a'"},{"Statement":"DELETE FROM one WHERE id = 'a'"}]}`,
		"ValidationException", "BatchExecuteStatement API does not support both read and write operations in the same request.")
}

func TestTransactionOfStatements(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	s.ok("ExecuteTransaction", `{"TransactStatements":[{"Statement":"INSERT INTO one VALUE {'id': 'a', 'n': 1}"},{"Statement":"INSERT INTO one VALUE {'id': 'b', 'n': 2}"}],"ClientRequestToken":"token"}`)
	s.ok("ExecuteTransaction", `{"TransactStatements":[{"Statement":"INSERT INTO one VALUE {'id': 'a', 'n': 1}"},{"Statement":"INSERT INTO one VALUE {'id': 'b', 'n': 2}"}],"ClientRequestToken":"token"}`)
	s.ok("ExecuteTransaction", `{"TransactStatements":[{"Statement":"EXISTS(SELECT * FROM one WHERE id = 'a' AND n = 1)"},{"Statement":"UPDATE one SET n = 3 WHERE id = 'b'"}]}`)
	s.gives("ExecuteTransaction", `{"TransactStatements":[{"Statement":"SELECT n FROM one WHERE id = 'b'"},{"Statement":"SELECT * FROM one WHERE id = 'absent'"}]}`,
		`{"Responses":[{"Item":{"n":{"N":"3"}}},{}]}`)
	for body, want := range map[string]string{
		`{"TransactStatements":[{"Statement":"SELECT * FROM one WHERE"}]}`:                                                                      "Validation failed in TransactStatements[0]: Statement wasn't well formed, can't be processed: Unexpected term",
		`{"TransactStatements":[{"Statement":"UPDATE one SET n = 1 WHERE id = 'a' RETURNING ALL NEW *"}]}`:                                      "Validation failed in TransactStatements[0]: RETURNING clause is not supported in ExecuteTransaction.",
		`{"TransactStatements":[{"Statement":"SELECT * FROM one WHERE n = 1"}]}`:                                                                "Validation failed in TransactStatements[0]: Select statements within ExecuteTransaction must specify the primary key in the where clause.",
		`{"TransactStatements":[{"Statement":"EXISTS(SELECT * FROM one WHERE id = 'a')"},{"Statement":"UPDATE one SET n = 1 WHERE id = 'b'"}]}`: "Validation failed in TransactStatements[0]: EXISTS() must contain a single item read with additional condition",
		`{"TransactStatements":[{"Statement":"SELECT * FROM one WHERE id = 'a'"},{"Statement":"UPDATE one SET n = 1 WHERE id = 'b'"}]}`:         "ExecuteTransaction API does not support both read and write operations in the same request.",
		`{"TransactStatements":[{"Statement":"UPDATE one SET n = 1 WHERE id = 'b'"},{"Statement":"UPDATE one SET n = 2 WHERE id = 'b'"}]}`:      "Transaction request cannot include multiple operations on one item",
	} {
		s.fails("ExecuteTransaction", body, "ValidationException", want)
	}
	_, out := s.call("ExecuteTransaction", `{"TransactStatements":[{"Statement":"INSERT INTO one VALUE {'id': 'a'}"},{"Statement":"UPDATE one SET n = 9 WHERE id = 'b'"},{"Statement":"EXISTS(SELECT * FROM one WHERE id = 'c' AND n = 1)"}]}`)
	for _, part := range []string{"[DuplicateItem, None, ConditionalCheckFailed]", `{"Code":"DuplicateItem","Message":"Duplicate primary key exists in table"}`} {
		if !strings.Contains(out, part) {
			t.Errorf("%s lacks %s", out, part)
		}
	}
	s.gives("ExecuteStatement", statement(`SELECT n FROM one WHERE id = 'b'`), `{"Items":[{"n":{"N":"3"}}]}`)
}

func TestStatementsAskForPermission(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	fill(s)
	var asked []string
	s.allow = func(target wire.IAMTarget) bool {
		asked = append(asked, fmt.Sprint(target.Action, " ", strings.TrimPrefix(target.Resource, "arn:aws:dynamodb:eu-west-1:111122223333:"), " ",
			target.Context["dynamodb:LeadingKeys"], target.Context["dynamodb:FullTableScan"]))
		return true
	}
	user := root
	user.AccessKeyID, user.SecretAccessKey = "AKIAUSER", "secret"
	for text, want := range map[string]string{
		`SELECT * FROM tab WHERE pk IN ['p', 'q']`:         "dynamodb:PartiQLSelect table/tab [p q] [false]",
		`SELECT * FROM tab WHERE sk = 1`:                   "dynamodb:PartiQLSelect table/tab [] [true]",
		`SELECT * FROM "tab"."gsi" WHERE g = 'x'`:          "dynamodb:PartiQLSelect table/tab/index/gsi [x] [false]",
		`INSERT INTO tab VALUE {'pk': 'i', 'sk': 1}`:       "dynamodb:PartiQLInsert table/tab [i] []",
		`UPDATE tab SET v = 'w' WHERE pk = 'q' AND sk = 7`: "dynamodb:PartiQLUpdate table/tab [q] []",
		`DELETE FROM tab WHERE pk = 'p' AND sk = 0`:        "dynamodb:PartiQLDelete table/tab [p] []",
	} {
		asked = nil
		if status, out := s.callAs(user, "ExecuteStatement", statement(text)); status != 200 || !slices.Equal(asked, []string{want}) {
			t.Errorf("%s\nasked %q\n want %q: %d %s", text, asked, want, status, out)
		}
	}
}
