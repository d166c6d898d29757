package partiql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/partiql"
)

const (
	malformed = "Statement wasn't well formed, can't be processed: "
	leftOver  = malformed + "Unexpected token after expression"
	overflow  = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	digits    = "Attempting to store more than 38 significant digits in a Number"
)

// TestComplaints holds what AWS says of statements (recorded in October 2026,
// but for those marked).
func TestComplaints(t *testing.T) {
	t.Parallel()
	for statement, want := range map[string]string{
		`SELECT * FROM "t" WHERE pk = 1 foo`:                 leftOver,
		`SELECT * FROM "t" WHERE pk = 1 e5`:                  leftOver,
		`INSERT INTO "t" VALUE {'pk': 1} foo`:                leftOver,
		`UPDATE "t" SET a = 9 WHERE pk = 1 foo`:              leftOver,
		`DELETE FROM "t" WHERE pk = 1 foo`:                   leftOver,
		`SELECT * FROM "t" WHERE pk = 1)`:                    leftOver,
		`DELETE FROM "t" WHERE pk = 1 ORDER BY pk`:           leftOver,
		`SELECT * FROM "t" ORDER BY pk WHERE pk = 1`:         leftOver,
		`SELECT * FROM "t" WHERE pk = 1e2147483648`:          malformed,
		`SELECT * FROM "t" WHERE pk = 1e99999999999`:         malformed,
		`SELECT * FROM "t" WHERE pk = 1 # note`:              malformed,
		`SELECT * FROM "t" WHERE pk = 1 /* note`:             malformed,
		`SELECT * FROM "t" t WHERE pk = 'x'`:                 "Aliasing is not supported",
		`SELECT * FROM "t" AS t WHERE pk = 'x'`:              "Aliasing is not supported",
		`UPDATE "t" t SET a = 3 WHERE pk = 'x'`:              "Aliasing is not supported",
		`DELETE FROM "t" t WHERE pk = 'x'`:                   "Aliasing is not supported",
		`INSERT INTO "t" t VALUE {'pk': 'x'}`:                leftOver,
		`SELECT * FROM "t" WHERE pk = 1e126`:                 overflow + " under root",
		`SELECT * FROM "t" WHERE pk = 1e-131`:                underflow + " under root",
		`INSERT INTO "t" VALUE {'pk': 1e126}`:                overflow + " under root",
		`UPDATE "t" SET a = 1e-131 WHERE pk = 1`:             underflow + " under root",
		`INSERT INTO "t" VALUE {'pk': 1, 'm': {'x': 1e126}}`: overflow + " under root.x",
		`INSERT INTO "t" VALUE {'pk': 1, 'l': [1, 1e126]}`:   overflow + " under root[1]",
		`SELECT * FROM "t" WHERE`:                            malformed + "Unexpected term",
		`SELECT * FROM "t" WHERE;`:                           malformed + "Unexpected term",
		`SELECT pk FROM "t" WHERE`:                           malformed + "Unexpected term",
		`UPDATE "t" SET a = 1 WHERE`:                         malformed + "Unexpected term",
		`DELETE FROM "t" WHERE`:                              malformed + "Unexpected term",
		`SELECT * FROM "t" WHERE NOT`:                        malformed + "Unexpected term",
		`SELECT * FROM "t" WHERE (`:                          malformed + "Unexpected term",
		`SELECT * FROM "t" WHERE pk = 'p1' AND`:              malformed + "Missing right-hand side expression of infix operator",
		`SELECT * FROM "t" WHERE pk = 'p1' OR`:               malformed + "Missing right-hand side expression of infix operator",
		`SELECT * FROM "t" WHERE ORDER BY pk`:                malformed + "Unexpected keyword",
		`SELECT * FROM "t" WHERE pk = 'a' AND x IS FOO`:      malformed + "Expected type name",
		`SELECT * FROM "t" WHERE IS NULL`:                    malformed + "Unexpected operator",
		`SELECT * FROM "t" WHERE pk = LIKE`:                  malformed + "Unexpected operator",
		`DELETE FROM`:                                        malformed + "Expected identifier for simple path",
		`FROM "t" SET c = 1 WHERE pk = 'a'`:                  leftOver,
		`FROM "t" SET c = 1 WHERE pk = 'a' SET d = 2`:        leftOver,
		`DELETE FROM;`:               malformed + "Expected identifier for simple path",
		`DELETE FROM WHERE pk = 'a'`: malformed + "Expected identifier for simple path",
		`SELECT * FROM`:              malformed + "Unexpected term",
		`DELETE FROM "t" WHERE pk = 'a' RETURNING MODIFIED OLD *`:              "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
		`SELECT * FROM "t" WHERE pk = ?`:                                       "Number of parameters in request and statement don't match.",
		`SELECT * FROM "t" WHERE pk = 123456789012345678901234567890123456789`: digits + " under root",
		`INSERT INTO "t" VALUES ('a')`:                                         `Unsupported operation: Inserting multiple items in a single statement is not supported, use "INSERT INTO tableName VALUE item" instead`,
		`INSERT INTO "t" VALUE {'pk': 'a', 'pk': 'b'}`:                         "Duplicate keys in tuple. Key: pk under root",
		`INSERT INTO "t" VALUE {'pk': 'a', 'v': <<>>}`:                         "Empty bags are not supported",
		`SELECT * FROM "t" WHERE a = MISSING`:                                  "MISSING must be compared using IS operator",
		`UPDATE "t" SET a = set_add(b, <<1>>) WHERE pk = 'a'`:                  "The first argument to SET_ADD must equal the assignment value",
		`UPDATE "t" SET a = set_add(a, 1) WHERE pk = 'a'`:                      "The second argument to SET_ADD must be a value with type SET",
	} {
		_, err := partiql.Parse(statement, nil)
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", statement, err, want)
		}
	}
	if _, err := partiql.Parse(`SELECT * FROM t`, []attr.Value{attr.Bool(true)}); err == nil {
		t.Error("a parameter without a place was taken")
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	for where, want := range map[string]string{
		`a.b[1]['c d'] = 'x'`:                                    `#n0.#n1[1].#n2 = :v0`,
		`a = 1 OR b <> -2.5e3 AND NOT c < ?`:                     `(#n0 = :v0 OR (#n1 <> :v1 AND (NOT #n2 < :v2)))`,
		`a BETWEEN 1 AND 2 AND b IN ['x', 'y']`:                  `(#n0 BETWEEN :v0 AND :v1 AND #n1 IN (:v2, :v3))`,
		`a IS MISSING AND b IS NOT MISSING AND c IS STRING`:      `((attribute_not_exists(#n0) AND (NOT attribute_not_exists(#n1))) AND attribute_type(#n2, :v0))`,
		`begins_with(a, 'x') OR contains("b", 1) OR size(c) > 3`: `((begins_with(#n0, :v0) OR contains(#n1, :v1)) OR size(#n2) > :v2)`,
		`a NOT IN (1) -- and a comment`:                          `(NOT #n0 IN (:v0))`,
	} {
		parameters := slices.Repeat([]attr.Value{attr.String("p")}, strings.Count(where, "?"))
		s, err := partiql.Parse("select * from t where "+where, parameters)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		var r partiql.Renderer
		if got := r.Condition(s.Where); got != want {
			t.Errorf("%s\n got %s\nwant %s", where, got, want)
		}
	}
	s, err := partiql.Parse(`UPDATE t SET a = a + 1, b = list_append(b, [1]) REMOVE c.d SET e = set_add(e, <<'x'>>), f = set_delete(f, <<1>>) WHERE pk = 'k' RETURNING MODIFIED NEW *`, nil)
	if err != nil {
		t.Fatal(err)
	}
	var r partiql.Renderer
	if got, want := r.Update(s), `SET #n0 = #n0 + :v0, #n1 = list_append(#n1, :v1) REMOVE #n4.#n5 ADD #n2 :v2 DELETE #n3 :v3`; got != want || s.Returning != "UPDATED_NEW" {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`SELECT a, b.c[1] FROM "t"."i" WHERE a = ? AND b IN [1, 'x'] ORDER BY a DESC`)
	f.Add(`INSERT INTO t VALUE {'a': <<1, 2>>, 'b': {'c': [NULL, true]}}`)
	f.Fuzz(func(t *testing.T, statement string) {
		s, err := partiql.Parse(statement, nil)
		if err != nil {
			return
		}
		var r partiql.Renderer
		if s.Where != nil {
			r.Condition(s.Where)
		}
		r.Update(s)
	})
}
