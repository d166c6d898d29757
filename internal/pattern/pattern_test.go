package pattern_test

import (
	"testing"

	"github.com/butai-dev/butai/internal/pattern"
)

const event = `{"eventName":"INSERT","dynamodb":{"NewImage":{"kind":{"S":"order"},"n":{"N":"7"}},"Keys":{"id":{"S":"a"}}},
	"price":12.5,"tags":["red","blue"],"ip":"10.0.0.7","none":null,"list":[{"a":1},{"a":2}],
	"empty":[],"star":"a*\\\\b","dotted.name":1}`

func TestPatterns(t *testing.T) {
	t.Parallel()
	decoded, err := pattern.Decode([]byte(event))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		`{}`:                                true,
		`{"eventName":["INSERT","MODIFY"]}`: true,
		`{"eventName":["REMOVE"]}`:          false,
		`{"dynamodb":{"NewImage":{"kind":{"S":["order"]}}}}`:               true,
		`{"dynamodb":{"NewImage":{"kind":{"S":[{"prefix":"or"}]}}}}`:       true,
		`{"dynamodb":{"NewImage":{"kind":{"S":[{"suffix":"x"}]}}}}`:        false,
		`{"dynamodb":{"OldImage":{"kind":{"S":[{"exists":false}]}}}}`:      true,
		`{"dynamodb":{"NewImage":{"kind":{"S":[{"exists":true}]}}}}`:       true,
		`{"dynamodb":{"NewImage":[{"exists":true}]}}`:                      false,
		`{"price":[{"numeric":[">",10,"<=",12.5]}]}`:                       true,
		`{"price":[{"numeric":["=",12]}]}`:                                 false,
		`{"eventName":[{"anything-but":["REMOVE"]}]}`:                      true,
		`{"eventName":[{"anything-but":{"prefix":"IN"}}]}`:                 false,
		`{"eventName":[{"equals-ignore-case":"insert"}]}`:                  true,
		`{"eventName":[{"wildcard":"I*E*T"}]}`:                             true,
		`{"eventName":[{"wildcard":"I*X"}]}`:                               false,
		`{"ip":[{"cidr":"10.0.0.0/24"}]}`:                                  true,
		`{"tags":["blue"]}`:                                                true,
		`{"none":[null]}`:                                                  true,
		`{"missing":[null]}`:                                               false,
		`{"list":{"a":[2]}}`:                                               true,
		`{"$or":[{"price":[1]},{"eventName":["INSERT"]}],"tags":["red"]}`:  true,
		`{"$or":[{"price":[1]},{"eventName":["REMOVE"]}]}`:                 false,
		`{"empty":[null]}`:                                                 false,
		`{"empty":[{"exists":true}]}`:                                      false,
		`{"empty":[{"exists":false}]}`:                                     true,
		`{"eventName":[{"prefix":{"equals-ignore-case":"ins"}}]}`:          true,
		`{"eventName":[{"suffix":{"equals-ignore-case":"ERT"}}]}`:          true,
		`{"eventName":[{"anything-but":{"prefix":["X","INS"]}}]}`:          false,
		`{"eventName":[{"anything-but":{"suffix":["X","INS"]}}]}`:          true,
		`{"eventName":[{"anything-but":{"wildcard":"*S*"}}]}`:              false,
		`{"eventName":[{"anything-but":{"equals-ignore-case":"insert"}}]}`: false,
		`{"missing":[{"anything-but":"x"}]}`:                               false,
		`{"none":[{"anything-but":"x"}]}`:                                  true,
		`{"price":[{"anything-but":{"prefix":"1"}}]}`:                      true,
		`{"star":[{"wildcard":"a\\*\\\\*"}]}`:                              true,
		`{"star":[{"wildcard":"b\\*"}]}`:                                   false,
		`{"dynamodb.Keys":{"id.S":["a"]}}`:                                 true,
		`{"dotted":{"name":[1]}}`:                                          true,
		`{"dotted.name":[1]}`:                                              true,
		`{"dotted":{"other":[1]}}`:                                         false,
		`{"price":[12.50]}`:                                                true,
	} {
		p, err := pattern.Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := p.Matches(decoded); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestInvalidPatterns(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `[]`, `{"a":"b"}`, `{"a":[]}`, `{"a":[{"b":1}]}`, `{"a":[{"prefix":1}]}`, `{"a":[{"numeric":[">"]}]}`,
		`{"a":[{"numeric":["!",1]}]}`, `{"a":[[1]]}`, `{"$or":{}}`, `{"a":[{"prefix":"x","suffix":"y"}]}`} {
		if _, err := pattern.Compile(text); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}
