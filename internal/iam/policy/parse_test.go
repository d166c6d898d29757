package policy

import (
	"errors"
	"strings"
	"testing"
)

// stmt wraps one statement's members into a 2012-10-17 document.
func stmt(members string) string {
	return `{"Version":"2012-10-17","Statement":{` + members + `}}`
}

const allowS3 = `"Effect":"Allow","Action":"s3:ListBucket",`

// The messages are IAM's answers to CreatePolicy.
func TestParseManagedRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ doc, want string }{
		{`{not json`, msgSyntax},
		{`null`, msgSyntax},
		{`[]`, msgSyntax},
		{`"Version"`, msgSyntax},
		{`{}`, msgSyntax},
		{`{"Version":"2012-10-17","Statement":[]}`, msgSyntax},
		{`{"Version":"2012-10-17","Statement":"x"}`, msgSyntax},
		{`{"Version":"2012-10-17","Statement":null}`, msgSyntax},
		{`{"Version":"2020-01-01","Statement":[{` + allowS3 + `"Resource":"*"}]}`, msgSyntax},
		{`{"Version":"2012-10-17","Extra":1,"Statement":[{` + allowS3 + `"Resource":"*"}]}`, msgSyntax},
		{`{"Version":"2012-10-17","Id":{},"Statement":[{` + allowS3 + `"Resource":"*"}]}`, msgSyntax},
		{`{"Version":"2012-10-17","Version":"2012-10-17","Statement":[{` + allowS3 + `"Resource":"*"}]}`, msgSyntax},
		{stmt(allowS3 + `"Resource":"*","Unknown":1`), msgSyntax},
		{stmt(`"Action":"s3:ListBucket","Resource":"*"`), msgSyntax},
		{stmt(`"Effect":"Maybe","Action":"s3:ListBucket","Resource":"*"`), msgSyntax},
		{stmt(allowS3 + `"Resource":{"a":"b"}`), msgSyntax},
		{stmt(allowS3 + `"Resource":["adfdf",{}]`), msgSyntax},
		{stmt(allowS3 + `"Resource":"*","NotResource":[]`), msgSyntax},
		{stmt(allowS3 + `"NotAction":[],"Resource":"*"`), msgSyntax},
		{stmt(`"Effect":"Allow","Action":[[]],"Resource":"*"`), msgSyntax},
		{stmt(`"Effect":"Allow","Action":5,"Resource":"*"`), msgSyntax},
		{stmt(allowS3 + `"Resource":"*","Sid":{}`), msgSyntax},
		{stmt(allowS3 + `"Resource":"*","Condition":[]`), msgSyntax},
		{stmt(allowS3 + `"Resource":"*","Condition":{"a":"b"}`), msgSyntax},
		{stmt(allowS3 + `"Resource":"*","Condition":{"x":{"a":"1"}}`), msgSyntax},
		{stmt(allowS3 + `"Resource":"*","Condition":{"DateGreaterThan":{"a":{}}}`), msgSyntax},
		{stmt(allowS3 + `"Resource":"*","Condition":{"ForAnyValue::StringEqualsIfExists":{"a":"b"}}`), msgSyntax},
		{stmt(allowS3 + `"Resource":"*","Condition":{"NullIfExists":{"a":"true"}}`), msgSyntax},

		{`{"Statement":[{` + allowS3 + `"Resource":"*"}]}`, msgVersion},
		{`{"Version":"2008-10-17","Statement":[{` + allowS3 + `"Resource":"*"}]}`, msgVersion},
		{`{"Statement":{"Effect":"denY","Action":"s3:ListBucket","Resource":"*"}}`, msgVersion},

		{stmt(`"Effect":"denY","Action":"s3:ListBucket","Resource":"*"`), msgLegacy},
		{stmt(allowS3 + `"Resource":"*","Condition":{"DateGreaterThan":{"a":"sdfdsf"}}`), msgLegacy},
		{stmt(allowS3 + `"Resource":"*","Condition":{"DateLessThanEquals":{"a":"234-13"}}`), msgLegacy},
		{stmt(allowS3 + `"Resource":"*","Condition":{"DateLessThan":{"a":"9223372036854775808"}}`), msgLegacy},
		{stmt(allowS3 + `"Resource":"*","Condition":{"DateLessThanEquals":{"a":"2016-12-13t2:00:00.593194+1"}}`), msgLegacy},
		{stmt(allowS3 + `"Resource":"*","Condition":{"DateLessThanEquals":{"a":"2016-12-13t2:00:00.1999999999+10:59"}}`), msgLegacy},
		{stmt(allowS3 + `"Resource":"arn:aws:s3::example_bucket"`), msgLegacy},
		{stmt(allowS3 + `"NotResource":"arn:aws:s3::example_bucket"`), msgLegacy},
		{stmt(`"Effect":"Allow","Resource":"arn:aws:s3::example_bucket"`), msgLegacy},
		{stmt(`"Effect":"Allow","NotAction":"s3:ListBucket","Resource":"arn:aws::::example_bucket"`), msgLegacy},
		{stmt(allowS3 + `"Resource":"arn:aws::fdsasf"`), msgLegacy},
		{stmt(allowS3 + `"Resource":"arn:aws:iam::${aws:PrincipalAccount}:role/x"`), msgLegacy},
		{stmt(allowS3 + `"Resource":"arn:aws:s3:::b/${aws:username"`), msgLegacy},

		{`{"Version":"2012-10-17","Statement":[{"Sid":"a",` + allowS3 + `"Resource":"*"},{"Sid":"a","Effect":"Allow"}]}`, msgSidUnique},
		{stmt(`"Sid":"a b",` + allowS3 + `"Resource":"*"`), msgSidForm},
		{stmt(`"Effect":"Allow"`), msgNoActions},
		{stmt(`"Effect":"Allow","Action":[],"Resource":"*"`), msgNoActions},
		{stmt(`"Effect":"Allow","Action":"invalid"`), msgNoResources},
		{stmt(allowS3 + `"Resource":[]`), msgNoResources},
		{stmt(allowS3 + `"Resource":"*","Principal":"*"`), msgPrincipal},

		{stmt(allowS3 + `"Resource":"invalid"`), `Resource invalid must be in ARN format or "*".`},
		{stmt(allowS3 + `"Resource":"arn:aws"`), "Resource vendor must be fully qualified and cannot contain regexes."},
		{stmt(allowS3 + `"Resource":"a:b:c:d:e:f:g:h"`), `Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".`},
		{stmt(allowS3 + `"Resource":"aws:s3:::example_bucket"`), `Partition "s3" is not valid for resource "arn:s3:::example_bucket:*".`},
		{stmt(allowS3 + `"Resource":"s3::example-bucket/*"`), `Partition "" is not valid for resource "arn::example-bucket/*:*:*:*".`},
		{
			stmt(allowS3 + `"Resource":["arn:error:s3::example_bucket","arn:error:s3:::example_bucket"]`),
			`Partition "error" is not valid for resource "arn:error:s3:::example_bucket".`,
		},
		{
			stmt(allowS3 + `"Resource":"arn:aws:iam:us-east-1::example_bucket"`),
			"IAM resource arn:aws:iam:us-east-1::example_bucket cannot contain region information.",
		},
		{
			stmt(allowS3 + `"Resource":"arn:aws:s3:us-east-1::example_bucket"`),
			"Resource arn:aws:s3:us-east-1::example_bucket can not contain region information.",
		},
		{
			stmt(allowS3 + `"Resource":"arn:aws:iam:::example_bucket"`),
			`IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, ` +
				"instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.",
		},
		{
			stmt(`"Effect":"Allow","Action":"GetObject","Resource":"*"`),
			"Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
		},
		{stmt(`"Effect":"Allow","Action":"a:b:c","Resource":"*"`), "Actions/Condition can contain only one colon."},
		{stmt(`"Effect":"Allow","Action":":GetObject","Resource":"*"`), "Vendor  is not valid"},
		{stmt(`"Effect":"Allow","NotAction":"iam :Get","Resource":"*"`), "Vendor iam  is not valid"},
	} {
		_, err := Parse([]byte(c.doc), Managed)
		var malformed *Error
		if !errors.As(err, &malformed) || malformed.Message != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.doc, err, c.want)
		}
	}
}

func TestParseManagedAccepts(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		stmt(allowS3 + `"Resource":["arn:aws:s3:::example_bucket","*"]`),
		stmt(allowS3 + `"Resource":[null,"arn:aws:s3:::b"]`),
		stmt(allowS3 + `"Resource":"arn:aws:fdsasf"`),
		stmt(allowS3 + `"Resource":"arn:aws:invalid-service:us-east-1::x"`),
		stmt(allowS3 + `"Resource":"arn:aws:s3:*:*:access-grants/default/*"`),
		stmt(allowS3 + `"Resource":"arn:aws:iam::*:user/${aws:username}"`),
		stmt(allowS3 + `"Resource":"arn:aws:ec2:region:account-id:instance/*"`),
		stmt(`"Effect":"Allow","Action":"iam: asdf safdsf af ","Resource":"*"`),
		stmt(`"Effect":"Allow","Action":"*","Resource":"*"`),
		stmt(`"Effect":"Deny","NotAction":["s3-s:ListBucket","s3.s:x"],"NotResource":"*"`),
		stmt(allowS3 + `"Resource":"*","Condition":{}`),
		stmt(allowS3 + `"Resource":"*","Condition":{"x":{},"DateGreaterThan":{"a":[]}}`),
		stmt(allowS3 + `"Resource":"*","Condition":{"DateGreaterThan":{"a":"01T"}}`),
		stmt(allowS3 + `"Resource":"*","Condition":{"DateLessThan":{"a":"-292275054"}}`),
		stmt(allowS3 + `"Resource":"*","Condition":{"DateLessThanEquals":{"a":"2016-12-13t2:00:00.593194+23"}}`),
		stmt(allowS3 + `"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true},"NumericEquals":{"s3:max-keys":10}}`),
		`{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"",` + allowS3 + `"Resource":"*"},{"Sid":"",` + allowS3 + `"Resource":"*"}]}`,
	} {
		if _, err := Parse([]byte(doc), Managed); err != nil {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

// Inline policies may be in the old language version.
func TestParseInlineVersion(t *testing.T) {
	t.Parallel()
	d, err := Parse([]byte(`{"Statement":[{"Sid":"one",`+allowS3+`"Resource":"*"}]}`), Inline)
	if err != nil {
		t.Fatal(err)
	}
	if d.Version() != Version2008 || len(d.Sids()) != 1 || d.Sids()[0] != "one" {
		t.Errorf("got version %s, sids %v", d.Version(), d.Sids())
	}
}

func TestParseTrust(t *testing.T) {
	t.Parallel()
	const lambda = `"Principal":{"Service":"lambda.amazonaws.com"},`
	for _, c := range []struct{ doc, want string }{
		{stmt(`"Effect":"Allow",` + lambda + `"Action":"sts:AssumeRole"`), ""},
		{`{"Statement":[{"Effect":"Allow",` + lambda + `"Action":"sts:AssumeRole","Sid":""}]}`, ""},
		{stmt(`"Effect":"Allow","Principal":{"AWS":["123456789012","arn:aws:iam::123456789012:role/a/b"]},"Action":["sts:AssumeRole","sts:TagSession"]`), ""},
		{stmt(`"Effect":"Allow","Principal":{"Federated":"accounts.google.com"},"Action":"sts:AssumeRoleWithWebIdentity"`), ""},
		{`{`, "This policy contains invalid Json"},
		{`{"Version":"2012-10-17"}`, "Could not parse the policy: Statement is empty!"},
		{`{"Version":"2011-10-17","Statement":[]}`, "The policy must contain a valid version string"},
		{stmt(lambda + `"Action":"sts:AssumeRole"`), "Missing required field Effect"},
		{stmt(`"Effect":"allow",` + lambda + `"Action":"sts:AssumeRole"`), "Invalid effect: allow"},
		{stmt(`"Effect":"Allow","Action":"sts:AssumeRole"`), "Missing required field Principal"},
		{stmt(`"Effect":"Allow","Principal":{},"Action":"sts:AssumeRole"`), "Missing required field Principal cannot be empty!"},
		{stmt(`"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"`), "Principal must be a JSON object."},
		{stmt(`"Effect":"Allow","NotPrincipal":{"AWS":"*"},"Action":"sts:AssumeRole"`), "Allow with NotPrincipal is not allowed."},
		{stmt(`"Effect":"Deny","NotPrincipal":{"AWS":"*"},"Action":"sts:AssumeRole"`), "AssumeRole policy must not contain NotPrincipal field."},
		{stmt(`"Effect":"Allow",` + lambda[:len(lambda)-1]), "Missing required field Action"},
		{stmt(`"Effect":"Allow",` + lambda + `"Action":"s3:GetObject"`), "AssumeRole policy may only specify STS AssumeRole actions."},
		{stmt(`"Effect":"Allow",` + lambda + `"Action":"sts:AssumeRole","Resource":"*"`), "Has prohibited field Resource"},
		{stmt(`"Effect":"Allow",` + lambda + `"Action":"sts:AssumeRole","NotResource":"*"`), "AssumeRole policy must not contain resources."},
		{stmt(`"Effect":"Allow","Principal":{"Service":"lambda"},"Action":"sts:AssumeRole"`), `Invalid principal in policy: "SERVICE":"lambda"`},
		{
			stmt(`"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::123456789012:assumed-role/r/*"},"Action":"sts:AssumeRole"`),
			`Invalid principal in policy: "AWS":"arn:aws:sts::123456789012:assumed-role/r/*"`,
		},
		{
			`{"Statement":[{"Sid":"a","Effect":"Allow",` + lambda + `"Action":"sts:AssumeRole"},{"Sid":"a","Effect":"Allow",` + lambda + `"Action":"sts:AssumeRole"}]}`,
			"The Statement Ids in the policy are not unique",
		},
	} {
		_, err := Parse([]byte(c.doc), Trust)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.doc, got, c.want)
		}
	}
}

// API Gateway's resource policies name resources in a short form, and may
// lack a version.
func TestParseResource(t *testing.T) {
	t.Parallel()
	ok := `{"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},"Action":"execute-api:Invoke","Resource":"execute-api:/*"}]}`
	if _, err := Parse([]byte(ok), Resource); err != nil {
		t.Error(err)
	}
	for doc, want := range map[string]string{
		stmt(allowS3 + `"Resource":"*"`):                         "Missing required field Principal",
		stmt(allowS3 + `"Principal":"*"`):                        "Missing required field Resource",
		stmt(allowS3 + `"Principal":"x","Resource":"*"`):         msgSyntax,
		stmt(allowS3 + `"Principal":{"Dog":"x"},"Resource":"*"`): `Invalid principal in policy: "Dog":"x"`,
	} {
		if _, err := Parse([]byte(doc), Resource); err == nil || err.Error() != want {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

func TestPrincipals(t *testing.T) {
	t.Parallel()
	doc := `{"Statement":[{"Effect":"Allow","Principal":{"AWS":["a","b"]},"Action":"x"},{"Principal":"*"}]}`
	var got []string
	for _, ref := range Principals([]byte(doc)) {
		got = append(got, ref.Type+"="+ref.Value)
	}
	if s := strings.Join(got, " "); s != "AWS=a AWS=b *=*" {
		t.Errorf("got %s", s)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(stmt(allowS3+`"Resource":"arn:aws:s3:::b/${aws:username, 'x'}/*","Condition":{"ArnLike":{"aws:SourceArn":"arn:*"}}`)), 0)
	f.Add([]byte(stmt(`"Effect":"Deny","NotPrincipal":{"AWS":"*"},"NotAction":"*","NotResource":"a?b"`)), 2)
	f.Add([]byte(stmt(`"Effect":"Allow","Principal":{"Service":"a.b"},"Action":"sts:*"`)), 3)
	f.Add([]byte(`{"Statement":[{"Condition":{"ForAllValues:DateLessThan":{"":["9-1t"]}}}]}`), 1)
	f.Fuzz(func(t *testing.T, doc []byte, kind int) {
		d, err := Parse(doc, Kind(kind&3))
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Message == "" {
				t.Fatalf("error without a message: %#v", err)
			}
			return
		}
		// Whatever is accepted must evaluate.
		r := Request{
			Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Principal: Principal{Kind: User, Account: "123456789012"},
			Context: Context{"aws:username": {"bob"}, "": {"2020-01-01T00:00:00Z"}},
		}
		if kind&3 < 2 {
			r.Identity = []Policy{{Doc: d}}
		} else {
			r.ResourcePolicy = d
		}
		if got := Evaluate(&r); got.Allowed && got.Explicit {
			t.Fatalf("allowed and denied: %+v", got)
		}
	})
}

func TestReadsContext(t *testing.T) {
	t.Parallel()
	for statement, want := range map[string]bool{
		`{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}`:                                                                       false,
		`{"Effect": "Allow", "Action": "s3:*", "Resource": ["*", "arn:aws:s3:::${aws:username}"]}`:                                     true,
		`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": "a"}}}`:                 true,
		`[{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}, {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a"}]`: false,
	} {
		doc, err := Parse([]byte(`{"Version": "2012-10-17", "Statement": `+statement+`}`), Inline)
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.ReadsContext(); got != want {
			t.Errorf("%s: %t", statement, got)
		}
	}
}
