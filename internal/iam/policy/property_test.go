package policy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawStatement makes a statement from a small vocabulary, so that random
// ones meet often.
func drawStatement(t *rapid.T, effect string) string {
	action := rapid.SampledFrom([]string{"*", "s3:*", "s3:GetObject", "s3:Put*", "iam:*"}).Draw(t, "action")
	key := rapid.SampledFrom([]string{"Action", "NotAction"}).Draw(t, "key")
	resource := rapid.SampledFrom([]string{"*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::${aws:username}/*"}).Draw(t, "resource")
	condition := rapid.SampledFrom([]string{
		"", `,"Condition":{"StringEquals":{"k":"v"}}`, `,"Condition":{"StringNotEquals":{"k":"v"}}`, `,"Condition":{"Null":{"k":"true"}}`,
	}).Draw(t, "condition")
	return `{"Effect":"` + effect + `","` + key + `":"` + action + `","Resource":"` + resource + `"` + condition + `}`
}

func drawPolicy(t *rapid.T, extra ...string) Policy {
	list := extra
	for range rapid.IntRange(0, 4).Draw(t, "statements") {
		list = append(list, drawStatement(t, rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect")))
	}
	if len(list) == 0 {
		list = []string{drawStatement(t, "Allow")}
	}
	d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(list, ",")+`]}`), Managed)
	if err != nil {
		t.Fatal(err)
	}
	return Policy{Doc: d}
}

func drawRequest(t *rapid.T) *Request {
	r := &Request{
		Principal: bob(),
		Action:    rapid.SampledFrom([]string{"s3:GetObject", "s3:PutObject", "iam:GetUser"}).Draw(t, "call"),
		Resource:  rapid.SampledFrom([]string{"arn:aws:s3:::b/k", "arn:aws:s3:::bob/k", "*"}).Draw(t, "on"),
		Context:   Context{"aws:username": {"bob"}},
		Identity:  []Policy{drawPolicy(t)},
	}
	if rapid.Bool().Draw(t, "has key") {
		r.Context.Set("k", rapid.SampledFrom([]string{"v", "w"}).Draw(t, "value"))
	}
	if rapid.Bool().Draw(t, "bounded") {
		r.Boundary = drawPolicy(t)
	}
	if rapid.Bool().Draw(t, "narrowed") {
		r.Session = []Policy{drawPolicy(t)}
	}
	return r
}

func TestProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := drawRequest(t)
		before := Evaluate(r)
		if before.Explicit && before.Allowed {
			t.Fatal("an explicit deny allowed")
		}

		more := *r
		more.Identity = append([]Policy{drawPolicyOf(t, "Allow")}, r.Identity...)
		if after := Evaluate(&more); before.Allowed && !after.Allowed {
			t.Fatalf("one more Allow took access away: %+v", after)
		}

		less := *r
		less.Identity = append([]Policy{drawPolicyOf(t, "Deny")}, r.Identity...)
		if after := Evaluate(&less); !before.Allowed && after.Allowed {
			t.Fatalf("one more Deny gave access: %+v", after)
		}

		refused := *r
		everything := stmt(`"Effect":"Deny","Action":"*","Resource":"*"`)
		d, _ := Parse([]byte(everything), Managed)
		refused.Session = append([]Policy{{Doc: d}}, r.Session...)
		if after := Evaluate(&refused); after.Allowed || !after.Explicit {
			t.Fatalf("a matching Deny did not win: %+v", after)
		}

		open := *r
		open.Boundary, open.Session = Policy{}, nil
		if after := Evaluate(&open); before.Allowed && !after.Allowed {
			t.Fatalf("without boundary and session policy less is allowed: %+v", after)
		}
	})
}

func drawPolicyOf(t *rapid.T, effect string) Policy {
	d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":`+drawStatement(t, effect)+`}`), Managed)
	if err != nil {
		t.Fatal(err)
	}
	return Policy{Doc: d}
}

func BenchmarkEvaluate(b *testing.B) {
	doc := stmt(`"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query"],"Resource":"arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/app, 'users'}*",
		"Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}`)
	r := &Request{
		Principal: session(), Action: "dynamodb:PutItem", Resource: table,
		Context:  Context{"aws:requestedregion": {"us-east-1"}},
		Identity: []Policy{inline(b, allowGet), inline(b, doc), inline(b, stmt(`"Effect":"Deny","Action":"iam:*","Resource":"*"`))},
	}
	if !Evaluate(r).Allowed {
		b.Fatal("not allowed")
	}
	b.ReportAllocs()
	for b.Loop() {
		Evaluate(r)
	}
}
