package pattern_test

import (
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/pattern"
)

// TestExplain compares what is said of patterns that won't do with what was
// recorded from AWS.
func TestExplain(t *testing.T) {
	t.Parallel()
	if _, err := pattern.CompileRule("{}"); err == nil || pattern.Explain(err) != "Empty objects are not allowed\n at [Source: (String)\"{}\"; line: 1, column: 3]" {
		t.Errorf("a rule for nothing: %v", err)
	}
	for text, want := range map[string]string{
		`{"int": 42}`:                                                                              `"int" must be an object or an array at 11`,
		`{"string": "my-value"}`:                                                                   `"string" must be an object or an array at 13`,
		`{"resources": []}`:                                                                        "Empty arrays are not allowed at 17",
		`{"my_key": [{"EXISTS": true}]}`:                                                           "Unrecognized match type EXISTS at 28",
		`{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}`:                                           "Unrecognized match type NUMERIC at 36",
		`{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}`:                                 "Bad numeric range operator: > at 49",
		`{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}`:                                    "Value of < must be numeric at 50",
		`{"time": [{"prefix": 123}]}`:                                                              "prefix match pattern must be a string at 25",
		`{"time": [{"prefix": ["2022-07-13"]}]}`:                                                   "prefix match pattern must be a string at 23",
		`{"FileName": [{"suffix": 123}]}`:                                                          "suffix match pattern must be a string at 29",
		`{"FileName": [{"suffix": [".png"]}]}`:                                                     "suffix match pattern must be a string at 27",
		`{"EventBusArn": [{"wildcard": 123}]}`:                                                     "wildcard match pattern must be a string at 34",
		`{"detail-type": [{"equals-ignore-case": ["ec2"]}]}`:                                       "equals-ignore-case match pattern must be a string at 42",
		`{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}`:                                "prefix match pattern must be a string at 43",
		`{"detail": {"sourceIPAddress": [{"cidr": "xx.11.xx/8"}]}}`:                                "Nonstandard IP address: xx.11.xx",
		`{"detail": {"sourceIPAddress": [{"cidr": "10.0.0.0"}]}}`:                                  "Malformed CIDR, one '/' required",
		`{"detail": {"sourceIPAddress": [{"cidr": "10.0.0.0/xx"}]}}`:                               "Malformed CIDR, mask bits must be an integer",
		`{"detail": {"state": [{"anything-but": {"prefix": 123}}]}}`:                               "prefix/suffix match pattern must be a string at 54",
		`{"detail": {"FileName": [{"anything-but": {"suffix": 123}}]}}`:                            "prefix/suffix match pattern must be a string at 57",
		`{"detail": {"FilePath": [{"anything-but": {"wildcard": 123}}]}}`:                          "wildcard match pattern must be a string at 59",
		`{"detail": {"state": [{"anything-but": {"prefix": [123, "test"]}}]}}`:                     "prefix/suffix match pattern must be a string at 55 at 55",
		`{"detail": {"state": [{"anything-but": {"wildcard": [123, "*/dir/*"]}}]}}`:                "wildcard match pattern must be a string at 57 at 57",
		`{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}`:                   "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported. at 66",
		`{"detail": {"state": [{"anything-but": {"equals-ignore-case": [123, 456]}}]}}`:            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported. at 67 at 67",
		`{"detail": {"FileName": [{"anything-but": {"prefix": {"equals-ignore-case": "file"}}}]}}`: notBut + " at 55",
		`{"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:**:event-bus/*"}]}`:               "Consecutive wildcard characters at pos 26 at 72",
		`this is valid json but not a dict`:                                                        "Unrecognized token 'this': " + value + " at 5",
		`{'bad': 'quotation'}`:                                                                     "Unexpected character (''' (code 39)): was expecting double-quote to start field name at 2",
		`{"not": closed mark"`:                                                                     "Unrecognized token 'closed': " + value + " at 15",
		`["not", "a", "dict", "but valid json"]`:                                                   "Filter is not an object at 2",
	} {
		_, err := pattern.Compile(text)
		if err == nil {
			t.Errorf("%s was taken", text)
			continue
		}
		got := pattern.Explain(err)
		got = strings.ReplaceAll(strings.ReplaceAll(got, "\n at [Source: (String)\""+text+"\"; line: 1, column: ", " at "), "]", "")
		if got != strings.ReplaceAll(want, "]", "") {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

const (
	notBut = "Value of anything-but must be an array or single string/number value."
	value  = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
)
