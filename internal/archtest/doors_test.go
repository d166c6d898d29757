package archtest

import (
	"strings"
	"testing"
)

// door says what one room, or several alike, may import of ours.
type door struct {
	rooms []string
	may   []string
	why   string
}

const (
	pure    = "a pure room does no I/O and knows nothing of AWS's services, so that it can be fuzzed and understood alone"
	codec   = "a protocol is one small package over schemas; it knows no service"
	table   = "a generated package is tables over wire"
	service = "services never import each other: declare a one-method interface and let server hand in the neighbour; " +
		"into the data plane a service has only the door of the room it publishes to"
	plane    = "the data plane serves from what was published to it; it never asks a control plane or the store"
	stock    = "nothing above the store knows its engine, and an engine knows nothing of what it stores"
	front    = "the front door is handed http.Handlers; it knows none of the rooms behind them"
	releaser = "butai release is a client of public AWS APIs, here and on AWS; it knows no service of ours"
	hall     = "only the front hall knows everybody"
)

// common is what every service room may import.
var common = []string{"arn", "clock", "ident", "paging", "wire", "store", "store/record", "store/keys"}

func services(extra ...string) []string { return append(extra, common...) }

// doors lists every room of the house. A new room must be entered here.
var doors = []door{
	{[]string{
		"arn", "clock", "ident", "paging", "iam/policy", "iam/managed", "gateway/value", "gateway/route", "gateway/schema", "gateway/tracing", "metric", "cloudwatch/expr", "dynamodb/attr", "logs/pattern",
		"function/bootstrap", "function/runtimes", "function/sandbox",
	}, nil, pure},
	{[]string{"tlsname"}, nil, pure},
	{[]string{"xray"}, []string{"ident"}, pure},
	{[]string{"gateway/jsonpath"}, []string{"gateway/value"}, pure},
	{[]string{"gateway/vtl"}, []string{"gateway/jsonpath", "gateway/value"}, pure},
	{[]string{"dynamodb/expr"}, []string{"dynamodb/attr"}, pure},
	{[]string{"dynamodb/partiql"}, []string{"dynamodb/attr", "dynamodb/expr"}, pure},

	{[]string{"wire", "sigv4"}, []string{"arn", "clock"}, codec},
	{[]string{"wire/jsonbody", "wire/xmlbody", "wire/cborbody"}, []string{"wire"}, codec},
	{[]string{"wire/rpcv2cbor"}, []string{"wire", "wire/cborbody"}, codec},
	{[]string{"wire/form", "wire/rest"}, []string{"wire", "wire/xmlbody"}, codec},
	{[]string{"wire/awsjson"}, []string{"wire", "wire/jsonbody"}, codec},
	{[]string{"wire/awsquery"}, []string{"wire", "wire/form", "wire/xmlbody", "wire/jsonbody"}, codec},
	{[]string{"wire/eventstream"}, []string{"wire", "wire/jsonbody"}, codec},
	{[]string{"wire/restjson"}, []string{"wire", "wire/rest", "wire/jsonbody", "wire/eventstream"}, codec},
	{[]string{"wire/restxml"}, []string{"wire", "wire/rest", "wire/xmlbody"}, codec},
	{[]string{"wire/client"}, []string{"wire", "wire/form", "wire/jsonbody", "wire/rest", "wire/xmlbody", "sigv4", "clock"},
		"a command of ours reaches a server only as its clients do: signed"},
	{[]string{"awsapi"}, []string{"wire/...", "sigv4", "clock", "ident"},
		"the front end of the AWS APIs is handed its services, keys and authorizer"},

	// DynamoDB's values have a hand-written codec, which its shapes name.
	{[]string{"api/dynamodbapi", "api/dynamodbstreamsapi"}, []string{"wire", "dynamodb/attr"}, table},
	{[]string{"api/..."}, []string{"wire"}, table},

	{[]string{"store"}, []string{"clock"}, stock},
	{[]string{"store/txn", "store/storetest"}, []string{"store"}, stock},
	{[]string{"store/keys", "store/postgres/pgtest"}, nil, stock},
	{[]string{"store/record"}, []string{"store", "store/keys"}, stock},
	{[]string{"store/sqlite", "store/postgres"}, []string{"store", "store/txn"}, stock},

	{[]string{"acm"}, services("api/acmapi", "ca"), service},
	{[]string{"apigateway"}, services("api/apigatewayapi", "api/apigatewayv2api", "apigateway/...", "gateway", "gateway/schema", "iam/policy"),
		service + "; schemas of models are checked by the pure gateway/schema, an API's resource policy by the pure iam/policy"},
	{[]string{"apigateway/openapi"}, []string{"api/apigatewayapi", "wire"}, pure + "; its values are API Gateway's own shapes"},
	{[]string{"cloudwatch"}, services("api/cloudwatchapi", "cloudwatch/...", "metric"), service + "; what rooms measure comes in as samples of metric"},
	{[]string{"dynamodb"}, services("api/dynamodbapi", "api/dynamodbstreamsapi", "dynamodb/..."), service},
	{[]string{"ecr"}, services("api/ecrapi", "due", "gateway/schema", "iam/policy"),
		service + "; a repository's policy is checked by the pure iam/policy, its lifecycle policy by the pure gateway/schema"},
	{[]string{"events"}, services("api/eventsapi", "events/...", "due", "pattern", "metric", "iam/policy"), service + "; a bus's policy is checked by the pure iam/policy"},
	{[]string{"events/schedule"}, nil, pure},
	{[]string{"events/input"}, []string{"gateway/jsonpath", "gateway/value"}, pure + "; targets pick parts of events by the paths that mapping templates have"},
	{[]string{"iam"}, services("api/iamapi", "iam/..."), service},
	{[]string{"kms"}, services("api/kmsapi", "iam/policy"), service + "; a key's policy is checked by the pure iam/policy"},
	{[]string{"lambda"}, services("api/lambdaapi", "lambda/...", "due", "pattern", "function", "function/catalog", "function/runtimes", "functionurl", "iam/policy", "xray"),
		service + "; a function's resource policy is evaluated by the pure iam/policy"},
	{[]string{"pattern"}, nil, pure},
	{[]string{"due"}, []string{"clock"}, "it knows when work is due and nothing of the work"},
	{[]string{"lambda/poll"}, []string{"pattern", "function/catalog", "clock", "ident"}, service},
	{[]string{"lambda/bundle"}, []string{"lambda/durable", "clock", "ident"}, service},
	{[]string{"lambda/image"}, []string{"lambda/durable"}, service},
	{[]string{"lambda/durable"}, nil, "it knows files only"},
	{[]string{"logs"}, services("api/logsapi", "logs/...", "function", "metric", "iam/policy"), service + "; logs takes function's LogEvents, and checks resource policies by the pure iam/policy"},
	{[]string{"route53"}, services("api/route53api"), service},
	{[]string{"s3"}, services("api/s3api", "due", "iam/policy"), service + "; a bucket's policy is checked by the pure iam/policy"},
	{[]string{"secretsmanager"}, services("api/secretsmanagerapi", "due", "events/schedule", "iam/policy"),
		service + "; rotations are due by the pure events/schedule, a secret's policy is checked by the pure iam/policy"},
	{[]string{"sns"}, services("api/snsapi", "due", "pattern", "iam/policy"), service + "; a topic's policy is checked by the pure iam/policy"},
	{[]string{"sqs"}, services("api/sqsapi", "iam/policy"), service + "; a queue's policy is checked by the pure iam/policy"},
	{[]string{"ssm"}, services("api/ssmapi"), service},
	{[]string{"sts"}, services("api/stsapi", "iam"), service + "; sts and iam are two APIs over one set of principals"},
	{[]string{"ca"}, []string{"clock", "ident"}, service},
	{[]string{"userpool"}, []string{"arn", "clock"}, "it knows tokens and where their keys are; the gateway is handed it by server"},

	{[]string{"gateway"}, []string{"gateway/...", "api/apigatewayapi", "api/apigatewayv2api", "iam/policy", "metric", "tlsname", "wire", "xray", "arn", "clock", "ident"},
		plane + "; a deployment is a frozen copy of API Gateway's own shapes, and policies are evaluated by the pure iam/policy"},
	{[]string{"functionurl"}, []string{"function", "function/catalog", "iam/policy", "tlsname", "wire", "xray", "clock", "ident"}, plane},
	{[]string{"function"}, []string{"function/...", "arn", "clock", "ident", "rawio", "xray"}, plane},
	{[]string{"function/fault"}, []string{"function", "ident"}, plane},
	{[]string{"function/runtimeapi"}, []string{"function/bootstrap", "function/telemetry", "ident"}, plane},
	{[]string{"function/telemetry"}, nil, plane},
	{[]string{"function/catalog"}, []string{"function", "metric", "clock", "iam/policy", "arn", "ident", "xray"}, plane},

	{[]string{"release/plan", "release/diff", "release/terraform"}, nil, pure + "; the state machine of a release is proved without an AWS"},
	{[]string{"release/config", "release/journal"}, []string{"release/plan"}, pure},
	{[]string{"release/check"}, []string{"release/config", "release/plan", "gateway/jsonpath", "gateway/value", "clock"}, releaser},
	{[]string{"release"}, []string{"release/check", "release/config", "release/diff", "release/journal", "release/plan", "release/terraform", "iam/policy", "clock", "ident"}, releaser},
	{[]string{"release/cloud"}, []string{"release", "release/config", "release/journal", "release/plan", "clock"}, releaser},

	{[]string{"edge"}, []string{"rawio"}, front},
	{[]string{"rawio"}, nil, "it knows sockets, and nothing of what is said on them"},
	{[]string{"server"}, []string{"..."}, hall},
	{[]string{"cli"}, []string{"server", "demo", "release", "release/...", "gateway/tracing", "clock", "api/...", "wire", "wire/client", "sigv4", "gateway/vtl", "gateway/value"},
		"a command is a client of the AWS APIs like any other; it knows server only for serve, and the template engine to try one out"},
	{[]string{"demo"}, []string{"/examples", "api/...", "wire", "wire/client", "sigv4", "clock"}, "the demo uses the AWS APIs as a person would"},
	{[]string{"/cmd/butai"}, []string{"cli", "function/sandbox"},
		"main does signals and the exit code; the binary also is the sandbox's first process"},
	{[]string{"archtest"}, nil, "it has no code of its own"},
	{[]string{"/..."}, []string{"/..."}, "tools stand beside the house and meet butai as its clients do"},
}

func doorOf(room string) *door {
	for i := range doors {
		if within(room, doors[i].rooms...) {
			return &doors[i]
		}
	}
	return nil
}

// TestDoors checks who imports whom. Tests of a room may import more.
func TestDoors(t *testing.T) {
	t.Parallel()
	for _, p := range theHouse(t).packages {
		d := doorOf(p.room)
		if d == nil {
			t.Errorf("room %s has no door: say in doors_test.go what it may import, and why", p.room)
			continue
		}
		for _, path := range p.Imports {
			if !strings.HasPrefix(path, module) {
				continue
			}
			if other := roomOf(path); !within(other, d.may...) {
				t.Errorf("%s imports %s: %s", p.room, other, d.why)
			}
		}
	}
}

// TestEveryDoorLeadsSomewhere keeps the table free of rooms that are gone.
func TestEveryDoorLeadsSomewhere(t *testing.T) {
	t.Parallel()
	for _, d := range doors {
		for _, pattern := range d.rooms {
			found := false
			for _, p := range theHouse(t).packages {
				found = found || within(p.room, pattern)
			}
			if !found {
				t.Errorf("there is no room %s any more", pattern)
			}
		}
	}
}
