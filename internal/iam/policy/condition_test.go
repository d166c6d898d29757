package policy

import "testing"

// TestConditions evaluates one condition block against a fixed context.
func TestConditions(t *testing.T) {
	t.Parallel()
	ctx := Context{}
	ctx.Set("S", "Alpha")
	ctx.Set("multi", "a", "b")
	ctx.Set("none")
	ctx.Set("n", "10")
	ctx.Set("word", "ten")
	ctx.Set("date", "2026-03-01T12:00:00Z")
	ctx.Set("epoch", "1772366400") // 2026-03-01T12:00:00Z
	ctx.Set("bool", "true")
	ctx.Set("bin", "aGVsbG8=")
	ctx.Set("ip", "10.1.2.3")
	ctx.Set("ip6", "2001:db8::1")
	ctx.Set("arn", "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/user/x:y")
	ctx.Set("aws:username", "bob")
	ctx.Set("tag/owner", "bob")
	for _, c := range []struct {
		block string
		want  bool
	}{
		{`"StringEquals":{"s":"Alpha"}`, true},
		{`"StringEquals":{"S":"alpha"}`, false},
		{`"StringEquals":{"s":["x","Alpha"]}`, true},
		{`"StringEquals":{"s":"A*"}`, false},
		{`"StringEquals":{"s":[]}`, false},
		{`"StringEquals":{"missing":"x"}`, false},
		{`"StringEqualsIfExists":{"missing":"x"}`, true},
		{`"StringEqualsIfExists":{"s":"x"}`, false},
		{`"StringEquals":{"none":"x"}`, false},
		{`"StringEquals":{"tag/owner":"${aws:username}"}`, true},
		{`"StringEquals":{"tag/owner":"${aws:missing}"}`, false},
		{`"StringNotEquals":{"tag/owner":"${aws:missing}"}`, true},
		{`"StringNotEquals":{"s":"x"}`, true},
		{`"StringNotEquals":{"s":["x","Alpha"]}`, false},
		{`"StringNotEquals":{"missing":"x"}`, true},
		{`"StringEqualsIgnoreCase":{"s":"aLPHA"}`, true},
		{`"StringNotEqualsIgnoreCase":{"s":"aLPHA"}`, false},
		{`"StringLike":{"s":"A?ph*"}`, true},
		{`"StringLike":{"s":"a*"}`, false},
		{`"StringNotLike":{"s":"A*"}`, false},
		{`"StringEquals":{"s":"Alpha","n":"11"}`, false},
		{`"StringEquals":{"s":"Alpha"},"NumericEquals":{"n":"10.0"}`, true},

		{`"NumericEquals":{"n":10}`, true},
		{`"NumericNotEquals":{"n":"10"}`, false},
		{`"NumericLessThan":{"n":"10"}`, false},
		{`"NumericLessThanEquals":{"n":"10"}`, true},
		{`"NumericGreaterThan":{"n":"9.5"}`, true},
		{`"NumericGreaterThanEquals":{"n":"11"}`, false},
		{`"NumericLessThan":{"word":"100"}`, false},
		{`"NumericLessThan":{"n":"many"}`, false},

		{`"DateEquals":{"date":"2026-03-01T13:00:00+01:00"}`, true},
		{`"DateEquals":{"epoch":"2026-03-01T12:00:00Z"}`, true},
		{`"DateLessThan":{"date":"2026-04"}`, true},
		{`"DateLessThan":{"date":"2026-03-01"}`, false},
		{`"DateGreaterThan":{"date":"2026-03-01"}`, true},
		{`"DateGreaterThanEquals":{"date":"1772366401"}`, false},
		{`"DateNotEquals":{"date":"2026-03-01"}`, true},
		{`"DateLessThanEquals":{"missing":"2026-03-01"}`, false},

		{`"Bool":{"bool":"true"}`, true},
		{`"Bool":{"bool":true}`, true},
		{`"Bool":{"bool":"TRUE"}`, true},
		{`"Bool":{"bool":"false"}`, false},
		{`"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}`, true},
		{`"BinaryEquals":{"bin":"aGVsbG8="}`, true},
		{`"BinaryEquals":{"bin":"aGVsbA=="}`, false},

		{`"IpAddress":{"ip":"10.0.0.0/8"}`, true},
		{`"IpAddress":{"ip":"10.1.2.3"}`, true},
		{`"IpAddress":{"ip":["192.168.0.0/16","10.1.2.4"]}`, false},
		{`"NotIpAddress":{"ip":"10.0.0.0/8"}`, false},
		{`"NotIpAddress":{"ip":["192.168.0.0/16"]}`, true},
		{`"IpAddress":{"ip6":"2001:db8::/32"}`, true},
		{`"IpAddress":{"s":"0.0.0.0/0"}`, false},

		{`"ArnLike":{"arn":"arn:aws:execute-api:us-east-1:123456789012:abc/*/GET/user/*"}`, true},
		{`"ArnEquals":{"arn":"arn:aws:execute-api:*:123456789012:abc/*"}`, true},
		{`"ArnLike":{"arn":"arn:aws:execute-api:*:abc/*"}`, false},
		{`"ArnLike":{"arn":"*"}`, true},
		{`"ArnLike":{"s":"*"}`, false},
		{`"ArnNotLike":{"arn":"arn:aws:execute-api:*:*:abc/*"}`, false},
		{`"ArnNotEquals":{"arn":"arn:aws:lambda:*:*:*"}`, true},
		{`"ArnLike":{"arn":"arn:aws:execute-api:*:${acct, '123456789012'}:abc/*"}`, true},

		{`"Null":{"missing":"true"}`, true},
		{`"Null":{"missing":"false"}`, false},
		{`"Null":{"s":false}`, true},
		{`"Null":{"s":"true"}`, false},
		{`"Null":{"none":"true"}`, true},

		{`"ForAllValues:StringEquals":{"multi":["a","b","c"]}`, true},
		{`"ForAllValues:StringEquals":{"multi":["a"]}`, false},
		{`"ForAllValues:StringEquals":{"missing":["a"]}`, true},
		{`"ForAllValues:StringNotEquals":{"multi":["c"]}`, true},
		{`"ForAllValues:StringNotEquals":{"multi":["b"]}`, false},
		{`"ForAnyValue:StringEquals":{"multi":["b","z"]}`, true},
		{`"ForAnyValue:StringEquals":{"multi":["z"]}`, false},
		{`"ForAnyValue:StringEquals":{"missing":["z"]}`, false},
		{`"ForAnyValue:StringNotEquals":{"multi":["a"]}`, true},
		{`"ForAnyValue:StringNotEquals":{"multi":["a","b"]}`, false},
		{`"ForAnyValue:StringEqualsIfExists":{"missing":["z"]}`, true},
		{`"Unknown":{}`, true},
	} {
		doc := stmt(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{` + c.block + `}`)
		r := &Request{Principal: bob(), Action: "a:b", Resource: "*", Context: ctx, Identity: []Policy{inline(t, doc)}}
		if got := Evaluate(r).Allowed; got != c.want {
			t.Errorf("%s: %v", c.block, got)
		}
	}
}

// The wildcard walk must agree with the obvious recursive definition.
func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "aXXbYc")
	f.Add("**a*ab", "aaab")
	f.Add("?*é", "xé")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 12 || len(s) > 12 {
			return
		}
		g, ok := compileGlob(pattern, true, false)
		if !ok {
			t.Fatal("a pattern without variables always compiles")
		}
		if got, want := g.match(s, nil), slowMatch([]rune(pattern), []rune(s)); got != want && validText(pattern) && validText(s) {
			t.Errorf("%q ~ %q: %v", pattern, s, got)
		}
	})
}

func slowMatch(p, s []rune) bool {
	switch {
	case len(p) == 0:
		return len(s) == 0
	case p[0] == '*':
		return slowMatch(p[1:], s) || len(s) > 0 && slowMatch(p, s[1:])
	case len(s) == 0:
		return false
	}
	return (p[0] == '?' || p[0] == s[0]) && slowMatch(p[1:], s[1:])
}

func validText(s string) bool { return string([]rune(s)) == s }
