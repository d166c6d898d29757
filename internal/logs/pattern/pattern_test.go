package pattern_test

import (
	"testing"

	"github.com/butai-dev/butai/internal/logs/pattern"
)

// The examples of the User Guide's pages on filter patterns, and their edges.
func TestMatches(t *testing.T) {
	t.Parallel()
	const cloud = `{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],` +
		`"objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"ThisFlag":true,"off":false,"status":404,"size":0.5,"user":{"e-mail":"x@y"},"a b":1}`
	for _, c := range []struct {
		pattern, event string
		want           bool
	}{
		{"", "anything", true},
		{"ERROR", "[ERROR 400] BAD REQUEST", true},
		{"ERROR", "[error 400]", false},
		{"ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", true},
		{"ERROR ARGUMENTS", "[ERROR 400] BAD REQUEST", false},
		{`"INTERNAL SERVER ERROR"`, "[ERROR 500] INTERNAL SERVER ERROR", true},
		{`"INTERNAL SERVER ERROR"`, "SERVER INTERNAL ERROR", false},
		{`"say \"hi\""`, `to say "hi" is nice`, true},
		{"ERROR -ARGUMENTS", "[ERROR 400] BAD REQUEST", true},
		{"ERROR -ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", false},
		{`-"a b"`, "a b", false},
		{"-x", "y", true},
		{"?ERROR ?WARN", "WARN: disk", true},
		{"?ERROR ?WARN", "INFO: disk", false},
		{`?"a b" ?%^W%`, "Wow", true},
		{"INFO ?ERROR", "INFO: fine", true},
		{"%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", true},
		{`%\d{3}%`, "code 404", true},
		{`%^[hc]at%`, "the hat", false},

		{`{ $.eventType = "UpdateTrail" }`, cloud, true},
		{`{$.eventType=UpdateTrail}`, cloud, true},
		{`{ $.eventType = "Update*" }`, cloud, true},
		{`{ $.eventType = "update*" }`, cloud, false},
		{`{ $.sourceIPAddress != "123.123.*" }`, cloud, true},
		{`{ $.sourceIPAddress != "111.*" }`, cloud, false},
		{`{ $.sourceIPAddress = %^111\.% }`, cloud, true},
		{`{ $.missing != "x" }`, cloud, false},
		{`{ $.missing NOT EXISTS }`, cloud, true},
		{`{ $.SomeObject NOT EXISTS }`, cloud, false},
		{`{ $.SomeObject IS NULL }`, cloud, true},
		{`{ $.missing IS NULL }`, cloud, false},
		{`{ $.ThisFlag IS TRUE }`, cloud, true},
		{`{ $.off IS FALSE }`, cloud, true},
		{`{ $.missing IS FALSE }`, cloud, false},
		{`{ $.arrayKey[0] = "value" }`, cloud, true},
		{`{ $.arrayKey[7] = "value" }`, cloud, false},
		{`{ $.objectList[1].id = 2 }`, cloud, true},
		{`{ $.status > 400 && $.size < 1e0 }`, cloud, true},
		{`{ $.status >= 405 }`, cloud, false},
		{`{ $.status = 4* }`, cloud, true},
		{`{ $.status != 404 }`, cloud, false},
		{`{ $.user.e-mail = "*@y" }`, cloud, true},
		{`{ $['a b'] = 1 }`, cloud, true},
		{`{ $.eventType = "x" || $.status = 404 && $.off IS FALSE }`, cloud, true},
		{`{ ($.eventType = "x" || $.status = 404) && $.off IS TRUE }`, cloud, false},
		{`{ $.eventType = "UpdateTrail" }`, "not JSON", false},
		{`{ $.a = "x*y*z" }`, `{"a":"xyz"}`, true},
		{`{ $.a = "xy*yz" }`, `{"a":"xyz"}`, false},
	} {
		p, err := pattern.Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := p.Matches(c.event); got != c.want {
			t.Errorf("%s on %s: %v, want %v", c.pattern, c.event, got, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`"open`, `%open`, `a-b`, `-`, `%(a)%`, `%é%`,
		`{`, `{}`, `{ $ = 1 }`, `{ $.a }`, `{ $.a = }`, `{ $.a = 1`, `{ $.a = 1 } x`, `{ $.a < "x" }`, `{ ($.a = 1 }`,
		`{ $.a IS MAYBE }`, `{ $.a NOT }`, `{ $.a[x] = 1 }`, `{ a = 1 }`, `{ $.a = 1 && }`,
	} {
		if _, err := pattern.Parse(text); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{ ($.a = "x*" || $.b[0] > 1) && $.c IS NULL }`, `{"a":"xy"}`)
	f.Add(`?"a b" -c %d%`, "a b")
	f.Fuzz(func(t *testing.T, text, event string) {
		if p, err := pattern.Parse(text); err == nil {
			p.Matches(event)
		}
	})
}
