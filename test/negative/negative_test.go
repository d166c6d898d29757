package negative

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/api/dynamodbstreamsapi"
	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/api/stsapi"
	"github.com/butai-dev/butai/internal/server"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/test/harness"
)

var models = map[string]*wire.ServiceModel{
	"acm": &acmapi.Service, "apigateway": &apigatewayapi.Service, "apigatewayv2": &apigatewayv2api.Service,
	"cloudwatch": inJSON(cloudwatchapi.Service), "dynamodb": &dynamodbapi.Service,
	"dynamodbstreams": &dynamodbstreamsapi.Service, "ecr": &ecrapi.Service, "events": &eventsapi.Service,
	"iam": &iamapi.Service, "kms": &kmsapi.Service, "lambda": &lambdaapi.Service, "logs": &logsapi.Service,
	"route53": &route53api.Service, "s3": &s3api.Service, "secretsmanager": &secretsmanagerapi.Service, "sns": &snsapi.Service, "sqs": &sqsapi.Service, "ssm": &ssmapi.Service, "sts": &stsapi.Service,
}

// inJSON is a service in the second of the protocols that it speaks: the
// first, CBOR, is no text that could be malformed in as many ways.
func inJSON(m wire.ServiceModel) *wire.ServiceModel {
	m.Protocol = "json"
	return &m
}

// inputFaults are the codes with which AWS answers input that breaks the
// model, by service.
var inputFaults = map[string][]string{
	"acm":        {"ValidationException", "SerializationException", "InvalidParameterException", "InvalidTagException", "InvalidArnException"},
	"apigateway": {"BadRequestException", "ValidationException", "SerializationException"},

	"apigatewayv2": {"BadRequestException", "SerializationException"},

	"cloudwatch": {"ValidationError", "SerializationException", "InvalidParameterValueException", "InvalidParameterCombinationException", "MissingRequiredParameterException", "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter"},
	"dynamodb":   {"ValidationException", "SerializationException"},

	"dynamodbstreams": {"ValidationException", "SerializationException"},
	"ecr":             {"InvalidParameterException", "SerializationException", "InvalidTagParameterException"},
	"events":          {"ValidationException", "SerializationException", "InvalidEventPatternException"},
	"iam":             {"ValidationError", "MalformedInput", "InvalidInput", "MalformedQueryString"},
	"kms":             {"ValidationException", "SerializationException"},
	"lambda":          {"ValidationException", "SerializationException", "InvalidParameterValueException", "InvalidRequestContentException"},
	"logs":            {"InvalidParameterException", "SerializationException", "ValidationException"},
	"route53":         {"InvalidInput", "MalformedXML", "InvalidDomainName"},
	"s3":              {"InvalidArgument", "MalformedXML", "InvalidBucketName", "InvalidRequest", "InvalidTag", "MalformedPolicy"},
	"secretsmanager":  {"ValidationException", "SerializationException", "InvalidParameterException"},
	"sns":             {"ValidationError", "InvalidParameter", "MalformedInput", "NotFound", "ParameterValueInvalid", "InvalidBatchEntryId", "MalformedQueryString"},
	"sqs":             {"MissingParameter", "InvalidParameterValue", "SerializationException", "InvalidAttributeName", "InvalidAttributeValue", "QueueDoesNotExist"},
	"ssm":             {"ValidationException", "SerializationException"},
	"sts":             {"ValidationError", "MalformedInput", "MalformedQueryString"},
}

// laterFaults are answered by what the service finds out first.
var laterFaults = map[string]string{
	"UpdateFunctionConfiguration with Runtime not in the enumeration": "ResourceNotFoundException",
}

// TestBadInput sends every built operation every kind of input that its model
// rules out, and looks whether anything came of it.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	before := inventory(t, s.URL)
	t.Run("services", func(t *testing.T) {
		for _, coverage := range server.Coverage() {
			t.Run(coverage.Name, func(t *testing.T) {
				t.Parallel()
				m := models[coverage.Name]
				tried := 0
				for _, name := range coverage.Built {
					op := m.Operation(name)
					for _, bad := range badInputs(m, op, refused(&coverage, name)) {
						tried++
						checkRefused(t, m, op.Name+" with "+bad.name, encode(m, op, bad.in).send(t, s.URL, m, root))
					}
				}
				t.Logf("%d broken requests to %d operations", tried, len(coverage.Built))
				if tried < len(coverage.Built) {
					t.Errorf("only %d broken requests to %d operations: the generator is broken", tried, len(coverage.Built))
				}
			})
		}
	})
	if after := inventory(t, s.URL); after != before {
		t.Errorf("refused requests changed something:\n%s\nbefore:\n%s", after, before)
	}
}

// refused tells the members that are answered with 501 whatever they hold, and
// the one header that belongs to HTTP.
func refused(c *server.ServiceCoverage, operation string) func(*wire.Member) bool {
	return func(m *wire.Member) bool {
		return m.Wire == "Content-Length" || slices.ContainsFunc(c.Parameters, func(p string) bool {
			path, _, _ := strings.Cut(p, ":")
			return strings.HasPrefix(path+".", operation+"."+m.Name+".") || strings.HasPrefix(path+".", "."+m.Name+".")
		})
	}
}

func checkRefused(t *testing.T, m *wire.ServiceModel, what string, a answer) {
	t.Helper()
	switch {
	case a.status < 400 || a.status >= 500:
		t.Errorf("%s: HTTP status %d\n%.300s", what, a.status, a.body)
	case m.Operation(strings.Fields(what)[0]).Method == http.MethodHead: // its answers have no body
	case laterFaults[what] == a.code:
	case !slices.Contains(inputFaults[m.Name], a.code):
		t.Errorf("%s: error %s: %s", what, a.code, a.message)
	case a.message == "" && a.code != "SerializationException":
		t.Errorf("%s: error %s without a message", what, a.code)
	}
}

// TestMalformedBodies sends bodies that aren't JSON, XML or a form at all.
func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	for _, coverage := range server.Coverage() {
		t.Run(coverage.Name, func(t *testing.T) {
			t.Parallel()
			m := models[coverage.Name]
			for _, name := range coverage.Built {
				op := m.Operation(name)
				if op.Input < 0 {
					continue
				}
				msg := encode(m, op, valid(m.Schema, op.Input, 0).(tree))
				for _, body := range malformed(m, op, len(msg.body) > 0) {
					msg.body = []byte(body)
					checkRefused(t, m, fmt.Sprintf("%s with body %.20q", name, body), msg.send(t, s.URL, m, root))
				}
			}
		})
	}
}

func malformed(m *wire.ServiceModel, op *wire.Operation, hasBody bool) []string {
	shape := m.Schema.Shape(op.Input)
	if !hasBody || shape.Payload >= 0 && m.Schema.Shape(shape.Members[shape.Payload].Shape).Kind != wire.Structure {
		return nil
	}
	switch m.Protocol {
	case "rest-xml":
		return []string{"<a><b></a>", "no markup", "<a>", "<a/><b/>"}
	case "query":
		return []string{"Action=" + op.Name + "&Version=" + m.Version + "&%zz=1"}
	}
	return []string{`{"a":`, `[]`, `"text"`, `{} {}`, `{"a":1,}`, "\xff\xfe"}
}

// unknown names, for operations whose required members don't say enough, what
// isn't there.
var unknown = map[string]tree{
	"apigateway GetExport": {"exportType": "oas30"},
	"apigateway GetUsage":  {"startDate": "2026-01-01", "endDate": "2026-01-02"},

	"apigateway CreateDomainNameAccessAssociation": {"domainNameArn": absentDomain, "accessAssociationSource": "vpce-1"},
	"apigateway DeleteDomainNameAccessAssociation": {"domainNameAccessAssociationArn": absentAssociation},
	"apigateway RejectDomainNameAccessAssociation": {"domainNameAccessAssociationArn": absentAssociation, "domainNameArn": absentDomain},

	"apigatewayv2 CreateRoutingRule": {"Conditions": []any{}},
	"apigatewayv2 PutRoutingRule":    {"Conditions": []any{}},
	"apigatewayv2 GetTags":           {"ResourceArn": absentDomainV2},
	"apigatewayv2 TagResource":       {"ResourceArn": absentDomainV2},
	"apigatewayv2 UntagResource":     {"ResourceArn": absentDomainV2},

	"dynamodbstreams DescribeStream":   {"StreamArn": absentStream},
	"dynamodbstreams GetShardIterator": {"StreamArn": absentStream, "ShardIteratorType": "LATEST"},

	"sns GetSubscriptionAttributes": {"SubscriptionArn": absentTopic + ":" + "0c1dd3ee-0000-0000-0000-000000000000"},
	"sns SetSubscriptionAttributes": {"SubscriptionArn": absentTopic + ":" + "0c1dd3ee-0000-0000-0000-000000000000"},
	"sns GetTopicAttributes":        {"TopicArn": absentTopic},
	"sns ListSubscriptionsByTopic":  {"TopicArn": absentTopic},
	"sns ListTagsForResource":       {"ResourceArn": absentTopic},
	"sns TagResource":               {"ResourceArn": absentTopic},
	"sns UntagResource":             {"ResourceArn": absentTopic},

	"lambda GetLayerVersionByArn":            {"Arn": absentLayer},
	"lambda PutFunctionEventInvokeConfig":    {"MaximumRetryAttempts": 0},
	"lambda UpdateFunctionEventInvokeConfig": {"MaximumRetryAttempts": 0},

	"logs PutMetricFilter": {"logGroupName": "absent", "metricTransformations": []any{
		tree{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}}},
	"logs PutSubscriptionFilter": {"logGroupName": "absent", "destinationArn": "arn:aws:lambda:us-east-1:000000000000:function:absent"},
	"logs DescribeLogStreams":    {"logGroupName": "absent"},
	"logs GetLogEvents":          {"logGroupName": "absent"},
	"logs AssociateKmsKey":       {"logGroupName": "absent"},
	"logs DisassociateKmsKey":    {"logGroupName": "absent"},
	"logs ListTagsForResource":   {"resourceArn": "arn:aws:logs:us-east-1:000000000000:log-group:absent"},
	"logs TagResource":           {"resourceArn": "arn:aws:logs:us-east-1:000000000000:log-group:absent"},
	"logs UntagResource":         {"resourceArn": "arn:aws:logs:us-east-1:000000000000:log-group:absent"},

	"iam DeleteAccessKey":        {"UserName": "absent"},
	"iam ListAccessKeys":         {"UserName": "absent"},
	"iam UpdateAccessKey":        {"UserName": "absent"},
	"iam GetUser":                {"UserName": "absent"},
	"iam DeletePolicy":           {"PolicyArn": absentPolicy},
	"iam DeletePolicyVersion":    {"PolicyArn": absentPolicy},
	"iam GetPolicy":              {"PolicyArn": absentPolicy},
	"iam GetPolicyVersion":       {"PolicyArn": absentPolicy},
	"iam ListEntitiesForPolicy":  {"PolicyArn": absentPolicy},
	"iam ListPolicyTags":         {"PolicyArn": absentPolicy},
	"iam ListPolicyVersions":     {"PolicyArn": absentPolicy},
	"iam TagPolicy":              {"PolicyArn": absentPolicy},
	"iam UntagPolicy":            {"PolicyArn": absentPolicy},
	"iam UpdateAssumeRolePolicy": {"PolicyDocument": trustPolicy},

	"dynamodb BatchExecuteStatement":     {"Statements": []any{tree{"Statement": "DELETE FROM absent WHERE k = 'v'"}}},
	"dynamodb ExecuteStatement":          {"Statement": "DELETE FROM absent WHERE k = 'v'"},
	"dynamodb ExecuteTransaction":        {"TransactStatements": []any{tree{"Statement": "DELETE FROM absent WHERE k = 'v'"}}},
	"dynamodb DeleteBackup":              {"BackupArn": absentBackup},
	"dynamodb DescribeBackup":            {"BackupArn": absentBackup},
	"dynamodb RestoreTableFromBackup":    {"BackupArn": absentBackup},
	"dynamodb RestoreTableToPointInTime": {"SourceTableName": "absent", "UseLatestRestorableTime": true},
	"dynamodb ListTagsOfResource":        {"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/absent"},
	"dynamodb TagResource":               {"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/absent"},
	"dynamodb UntagResource":             {"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/absent"},
	"dynamodb UpdateTable":               {"BillingMode": "PAY_PER_REQUEST"},

	"apigateway GetTags":       {"resourceArn": "arn:aws:apigateway:us-east-1::/restapis/absent"},
	"apigateway TagResource":   {"resourceArn": "arn:aws:apigateway:us-east-1::/restapis/absent"},
	"apigateway UntagResource": {"resourceArn": "arn:aws:apigateway:us-east-1::/restapis/absent"},

	"ecr ListTagsForResource":    {"resourceArn": absentRepository},
	"ecr TagResource":            {"resourceArn": absentRepository},
	"ecr UntagResource":          {"resourceArn": absentRepository},
	"ecr GetDownloadUrlForLayer": {"layerDigest": "sha256:00"},

	"events DescribeEventBus":    {"Name": "absent"},
	"events UpdateEventBus":      {"Name": "absent"},
	"events PutPermission":       {"EventBusName": "absent", "Action": "events:PutEvents", "Principal": "*", "StatementId": "s"},
	"events PutRule":             {"EventBusName": "absent", "EventPattern": `{"source":["a"]}`},
	"events PutTargets":          {"Targets": []any{tree{"Id": "t", "Arn": "arn:aws:sqs:us-east-1:000000000000:absent"}}},
	"events ListRules":           {"EventBusName": "absent"},
	"events ListTagsForResource": {"ResourceARN": absentRule},
	"events TagResource":         {"ResourceARN": absentRule},
	"events UntagResource":       {"ResourceARN": absentRule},

	"s3 PutBucketVersioning":           {"VersioningConfiguration": tree{"Status": "Enabled"}},
	"s3 PutBucketEncryption":           {"ServerSideEncryptionConfiguration": tree{"Rules": []any{tree{"ApplyServerSideEncryptionByDefault": tree{"SSEAlgorithm": "AES256"}}}}},
	"s3 PutBucketPolicy":               {"Policy": `{}`},
	"s3 PutBucketCors":                 {"CORSConfiguration": tree{"CORSRules": []any{tree{"AllowedMethods": []any{"GET"}, "AllowedOrigins": []any{"*"}}}}},
	"kms DeleteAlias":                  {"AliasName": "alias/absent"},
	"kms UpdateAlias":                  {"AliasName": "alias/absent"},
	"secretsmanager PutResourcePolicy": {"ResourcePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`},
	"secretsmanager PutSecretValue":    {"ClientRequestToken": "12345678-1234-1234-1234-123456789012", "SecretString": "x"},
	"secretsmanager UpdateSecret":      {"ClientRequestToken": "12345678-1234-1234-1234-123456789012", "SecretString": "x"},
	"ssm ListTagsForResource":          {"ResourceType": "Parameter"},
}

const (
	absentDomainV2    = "arn:aws:apigateway:us-east-1::/domainnames/absent.example"
	absentDomain      = "arn:aws:apigateway:us-east-1:000000000000:/domainnames/absent.example+a1b2c3"
	absentAssociation = "arn:aws:apigateway:us-east-1:000000000000:/domainnameaccessassociations/domainname/absent.example+a1b2c3/vpcesource/vpce-1"

	absentRepository = "arn:aws:ecr:us-east-1:000000000000:repository/absent"

	absentRule = "arn:aws:events:us-east-1:000000000000:rule/absent"

	absentPolicy = "arn:aws:iam::000000000000:policy/absent"
	absentStream = "arn:aws:dynamodb:us-east-1:000000000000:table/absent/stream/2026-01-01T00:00:00.000"
	absentBackup = "arn:aws:dynamodb:us-east-1:000000000000:table/absent/backup/01767225600000-0a1b2c3d"
	absentTopic  = "arn:aws:sns:us-east-1:000000000000:absent"
	absentLayer  = "arn:aws:lambda:us-east-1:000000000000:layer:absent:1"
	trustPolicy  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

// always are the operations that need nothing to exist.
var always = map[string][]string{
	"acm":        {"ListCertificates"},
	"cloudwatch": {"DescribeAlarmHistory", "DescribeAlarms", "DescribeAlarmsForMetric", "GetMetricData", "GetMetricStatistics", "ListDashboards", "ListMetrics", "PutDashboard", "PutMetricAlarm", "PutMetricData"},
	"apigateway": {"GetAccount", "GetApiKeys", "GetClientCertificates", "GetDomainNameAccessAssociations", "GetDomainNames", "GetRestApis",
		"GetSdkTypes", "GetUsagePlanKeys", "GetUsagePlans", "GetVpcLinks", "UpdateAccount",
		"PutRestApi", // its document is read first
	},
	"dynamodb": {"DescribeEndpoints", "DescribeLimits", "ListBackups", "ListTables"}, "dynamodbstreams": {"ListStreams", "GetRecords"}, // an iterator names no stream that isn't there
	"iam":     {"ListGroups", "ListPolicies", "ListRoles", "ListUsers"},
	"lambda":  {"DeleteLayerVersion", "GetAccountSettings", "ListEventSourceMappings", "ListFunctions", "ListLayers", "ListLayerVersions", "ListCodeSigningConfigs"},
	"logs":    {"DescribeLogGroups", "DescribeMetricFilters", "DescribeResourcePolicies", "PutResourcePolicy"},
	"route53": {"GetHostedZoneCount", "ListHostedZones", "ListHostedZonesByName"}, "s3": {"ListBuckets"}, "sqs": {"ListQueues"}, "sns": {"ListTopics", "ListSubscriptions", "DeleteTopic"},
	"apigatewayv2": {"GetDomainNames", "GetVpcLinks"},
	"ecr": {"DescribeRegistry", "DescribeRepositories", "GetAuthorizationToken", "GetRegistryScanningConfiguration", "PutRegistryPolicy",
		"PutRegistryScanningConfiguration", "PutReplicationConfiguration", "PutImage", "PutLifecyclePolicy"}, // manifest and policy are read first
	"kms":            {"ListAliases", "ListKeys", "ListRetirableGrants"},
	"secretsmanager": {"GetRandomPassword", "ListSecrets"},
	"ssm": {"DeleteParameters", "DescribeParameters", "GetParameters", "GetParametersByPath",
		"PutParameter"}, // its type is asked for first
	"events": {"DeleteEventBus", "DeleteRule", "ListEventBuses", "ListRuleNamesByTarget", "PutEvents"},
	"sts":    {"GetCallerIdentity", "GetSessionToken", "GetAccessKeyInfo"},
}

// TestUnknownResources asks every built operation that reads, changes or
// deletes something for what isn't there.
func TestUnknownResources(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	for _, coverage := range server.Coverage() {
		t.Run(coverage.Name, func(t *testing.T) {
			t.Parallel()
			m := models[coverage.Name]
			for _, name := range coverage.Built {
				op := m.Operation(name)
				if !addresses(name) || op.Input < 0 || slices.Contains(always[m.Name], name) {
					continue
				}
				in := valid(m.Schema, op.Input, 0).(tree)
				maps.Copy(in, unknown[m.Name+" "+name])
				a := encode(m, op, in).send(t, s.URL, m, root)
				if !saysMissing(name, a) {
					t.Errorf("%s of nothing: %d %s %s", name, a.status, a.code, a.message)
				}
			}
		})
	}
}

func saysMissing(operation string, a answer) bool {
	if operation == "GetAccessKeyLastUsed" { // IAM doesn't tell whether a foreign key exists
		return a.status == http.StatusForbidden && a.code == "AccessDenied"
	}
	return a.status == http.StatusNotFound ||
		a.status == http.StatusBadRequest && (strings.Contains(a.code, "NotFound") || a.code == "QueueDoesNotExist" || a.code == "InvalidResourceId")
}

// addresses reports whether an operation is about something that exists.
func addresses(operation string) bool {
	verbs := []string{"Get", "Describe", "Delete", "Update", "Put", "Tag", "Untag", "Attach", "Detach", "Head", "List"}
	return slices.ContainsFunc(verbs, func(verb string) bool { return strings.HasPrefix(operation, verb) })
}

// inventory lists what there is, by the answers of the services' own lists.
func inventory(t *testing.T, url string) string {
	t.Helper()
	var out strings.Builder
	for _, list := range []struct{ service, operation string }{
		{"acm", "ListCertificates"}, {"apigateway", "GetRestApis"}, {"apigateway", "GetDomainNames"}, {"dynamodb", "ListTables"},
		{"iam", "ListRoles"}, {"iam", "ListUsers"}, {"lambda", "ListFunctions"}, {"logs", "DescribeLogGroups"},
		{"route53", "ListHostedZones"}, {"s3", "ListBuckets"}, {"sns", "ListTopics"}, {"sns", "ListSubscriptions"},
	} {
		m := models[list.service]
		a := encode(m, m.Operation(list.operation), tree{}).send(t, url, m, root)
		if a.status != http.StatusOK {
			t.Fatalf("%s: %d %s %s", list.operation, a.status, a.code, a.body)
		}
		fmt.Fprintf(&out, "%s: %s\n", list.operation, stable(a.body))
	}
	return out.String()
}

// stable drops the request id, the one part of an empty list that changes.
func stable(body string) string {
	before, after, ok := strings.Cut(body, "<RequestId>")
	if !ok {
		return body
	}
	_, after, _ = strings.Cut(after, "</RequestId>")
	return before + after
}
