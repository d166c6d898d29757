package lambda_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	functionRuntimes = "[nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java17, nodejs16.x, java25, dotnet8, python3.10, java11, python3.11, dotnet6, java21, nodejs18.x, provided.al2, ruby3.3, ruby3.4, java8.al2, ruby3.2, python3.8, python3.9]"
	layerRuntimes    = "[ruby3.5, ruby2.6, dotnetcore1.0, python3.7, nodejs8.10, nasa, ruby2.7, python2.7-greengrass, dotnetcore2.0, python3.8, java21, dotnet6, dotnetcore2.1, python3.9, java11, nodejs6.10, provided, dotnetcore3.1, dotnet8, java25, java17, nodejs, nodejs4.3, java8.al2, go1.x, dotnet10, nodejs20.x, go1.9, byol, nodejs10.x, provided.al2023, nodejs22.x, python3.10, java8, nodejs12.x, python3.11, nodejs24.x, nodejs8.x, python3.12, nodejs14.x, nodejs8.9, nodejs26.x, python3.13, python3.14, nodejs16.x, python3.15, provided.al2, nodejs4.3-edge, nodejs18.x, ruby3.2, python3.4, ruby3.3, ruby3.4, ruby2.5, python3.6, python2.7]"
)

var zipped = `"` + base64.StdEncoding.EncodeToString(code("one")) + `"`

// creation is a CreateFunction body with members in front of the usual ones: a
// later one of the same name would count.
func creation(members string) string {
	body := map[string]string{
		"FunctionName": `"new"`, "Role": `"` + role + `"`, "Handler": `"handler.main"`, "Runtime": `"python3.12"`, "Code": `{"ZipFile":` + zipped + `}`,
	}
	out := members
	for _, name := range []string{"FunctionName", "Role", "Handler", "Runtime", "Code"} {
		if !strings.Contains(members, `"`+name+`":`) {
			out += `,"` + name + `":` + body[name]
		}
	}
	return "{" + strings.TrimPrefix(out, ",") + "}"
}

// TestLambdaFunction::test_create_lambda_exceptions, test_update_lambda_exceptions;
// TestLambdaSizeLimits.
var recordedCreation = []recorded{
	{"role", "POST 2015-03-31/functions", creation(`"Role":"r1"`), violated(`Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`)},
	{"runtime", "POST 2015-03-31/functions", creation(`"Runtime":"non-existent-runtime"`), invalid("Value non-existent-runtime at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: " + functionRuntimes + " or be a valid ARN")},
	{"runtime in capitals", "POST 2015-03-31/functions", creation(`"Runtime":"PYTHON3.9"`), invalid("Value PYTHON3.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: " + functionRuntimes + " or be a valid ARN")},
	{"retired runtime", "POST 2015-03-31/functions", creation(`"Runtime":"java8"`), invalid("The runtime parameter of java8 is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.")},
	{"two architectures", "POST 2015-03-31/functions", creation(`"Architectures":["x86_64","arm64"]`), violated("Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1")},
	{"architecture in capitals", "POST 2015-03-31/functions", creation(`"Architectures":["X86_64"]`), violated("Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]")},
	{"no zip", "POST 2015-03-31/functions", creation(`"Code":{"ZipFile":"dGhpcyBpcyBub3QgYSB6aXBmaWxlLCBqdXN0IGEgcmFuZG9tIHN0cmluZw=="}`), invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")},
	{"absent object", "POST 2015-03-31/functions", creation(`"Code":{"S3Bucket":"code","S3Key":"none"}`), invalid("Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")},
	{"exists", "POST 2015-03-31/functions", creation(`"FunctionName":"example"`), conflicts("Function already exist: example")},
	{"reserved key", "POST 2015-03-31/functions", creation(`"Environment":{"Variables":{"AWS_REGION":"x"}}`),
		invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION")},
	{"large environment, in the recorded order", "POST 2015-03-31/functions", creation(`"Environment":{"Variables":{"SMALL_VAR":"ok","LARGE_VAR":"` + strings.Repeat("x", 4064) + `"}}`),
		invalid(`Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {"SMALL_VAR":"ok","LARGE_VAR":"` + strings.Repeat("x", 4064) + `"}`)},
	{"environment of just 4096 bytes", "POST 2015-03-31/functions", creation(`"FunctionName":"fits","Environment":{"Variables":{"LARGE_VAR":"` + strings.Repeat("x", 4096-len(`{"LARGE_VAR":""}`)) + `"}}`), "201 *"},
	{"update: role", "PUT 2015-03-31/functions/example/configuration", `{"Role":"r1"}`, violated(`Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`)},
	{"update: runtime", "PUT 2015-03-31/functions/example/configuration", `{"Runtime":"non-existent-runtime"}`, invalid("Value non-existent-runtime at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: " + functionRuntimes + " or be a valid ARN")},
	{"SnapStart", "POST 2015-03-31/functions", creation(`"SnapStart":{"ApplyOn":"invalidOption"}`), violated("Value 'invalidOption' at 'snapStart.applyOn' failed to satisfy constraint: Member must satisfy enum value set: [PublishedVersions, None]")},
	{"update: stale revision", "PUT 2015-03-31/functions/example/configuration", `{"RevisionId":"` + stray + `","Timeout":5}`, stale("GetFunction/GetAlias")},
	{"update: an image for a function from a zip", "PUT 2015-03-31/functions/example/code", `{"ImageUri":"123456789012.dkr.ecr.eu-west-1.amazonaws.com/x:latest"}`, invalid("Please don't provide ImageUri when updating a function with packageType Zip.")},
	{"publish: code hash", "POST 2015-03-31/functions/example/versions", `{"CodeSha256":"somenonexistentsha256"}`,
		invalid("CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST (HASH). Please try again with the CodeSHA256 in $LATEST.")},
	{"publish: stale revision", "POST 2015-03-31/functions/example/versions", `{"RevisionId":"` + stray + `"}`, stale("GetFunction/GetAlias")},
	{"publish: absent function", "POST 2015-03-31/functions/none/versions", `{}`, notFound("Function not found: FN:none")},
}

// TestLambdaLayer::test_layer_exceptions, test_layer_function_exceptions,
// test_layer_policy_exceptions, test_layer_policy_lifecycle, test_layer_lifecycle.
var recordedLayers = []recorded{
	{"publish", "POST 2018-10-31/layers/tools/versions", `{"CompatibleRuntimes":["python3.12"],"CompatibleArchitectures":["x86_64"],"LicenseInfo":"MIT","Content":{"ZipFile":` + zipped + `}}`,
		`201 {"Content":{"Location":…,"CodeSha256":…,"CodeSize":…},"LayerArn":"LAYER:tools","LayerVersionArn":"LAYER:tools:1","Description":"","CreatedDate":"2025-11-25T02:26:54.123+0000","Version":1,"CompatibleRuntimes":["python3.12"],"LicenseInfo":"MIT","CompatibleArchitectures":["x86_64"]}`},
	{"publish with empty lists", "POST 2018-10-31/layers/bare/versions", `{"CompatibleRuntimes":[],"CompatibleArchitectures":[],"Content":{"ZipFile":` + zipped + `}}`,
		`201 {"Content":{"Location":…,"CodeSha256":…,"CodeSize":…},"LayerArn":"LAYER:bare","LayerVersionArn":"LAYER:bare:1","Description":"","CreatedDate":"2025-11-25T02:26:54.123+0000","Version":1,"CompatibleRuntimes":[],"CompatibleArchitectures":[]}`},
	{"publish without lists", "POST 2018-10-31/layers/bare/versions", `{"Content":{"ZipFile":` + zipped + `}}`,
		`201 {"Content":{"Location":…,"CodeSha256":…,"CodeSize":…},"LayerArn":"LAYER:bare","LayerVersionArn":"LAYER:bare:2","Description":"","CreatedDate":"2025-11-25T02:26:54.123+0000","Version":2}`},
	{"list's runtime", "GET 2018-10-31/layers?CompatibleRuntime=runtimedoesnotexist", "", violated("Value 'runtimedoesnotexist' at 'compatibleRuntime' failed to satisfy constraint: Member must satisfy enum value set: " + layerRuntimes)},
	{"list's architecture", "GET 2018-10-31/layers?CompatibleArchitecture=archdoesnotexist", "", violated("Value 'archdoesnotexist' at 'compatibleArchitecture' failed to satisfy constraint: Member must satisfy enum value set: [x86_64, arm64]")},
	{"versions of an absent layer", "GET 2018-10-31/layers/none/versions", "", `200 {"LayerVersions":[]}`},
	{"get, absent layer", "GET 2018-10-31/layers/none/versions/1", "", notFound(gone)},
	{"get, negative version", "GET 2018-10-31/layers/tools/versions/-1", "", invalid("Layer Version Cannot be less than 1")},
	{"get, version zero", "GET 2018-10-31/layers/tools/versions/0", "", invalid("Layer Version Cannot be less than 1")},
	{"get, absent version", "GET 2018-10-31/layers/tools/versions/2", "", notFound(gone)},
	{"get by ARN, absent version", "GET 2018-10-31/layers?find=LayerVersion&Arn=LAYER:tools:2", "", notFound(gone)},
	{"delete, absent layer", "DELETE 2018-10-31/layers/none/versions/1", "", "204"},
	{"delete, absent version", "DELETE 2018-10-31/layers/tools/versions/2", "", "204"},
	{"delete, negative version", "DELETE 2018-10-31/layers/tools/versions/-1", "", invalid("Layer Version Cannot be less than 1")},
	{"publish for what doesn't exist", "POST 2018-10-31/layers/tools/versions", `{"CompatibleRuntimes":["invalidruntime"],"CompatibleArchitectures":["invalidarch"],"Content":{"ZipFile":` + zipped + `}}`,
		failure(400, "ValidationException", "2 validation errors detected: Value '[invalidruntime]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: "+functionRuntimes+
			"; Value '[invalidarch]' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]")},
	{"publish for what exists in part", "POST 2018-10-31/layers/tools/versions", `{"CompatibleRuntimes":["invalidruntime","nodejs20.x"],"CompatibleArchitectures":["invalidarch","x86_64"],"Content":{"ZipFile":` + zipped + `}}`,
		failure(400, "ValidationException", "2 validation errors detected: Value '[invalidruntime, nodejs20.x]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: "+functionRuntimes+
			"; Value '[invalidarch, x86_64]' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]")},

	{"function: one layer twice", "PUT 2015-03-31/functions/example/configuration", `{"Layers":["LAYER:tools:1","LAYER:tools:1"]}`,
		invalid("Two different versions of the same layer are not allowed to be referenced in the same function. LAYER:tools:1 and LAYER:tools:1 are versions of the same layer.")},
	{"function: two versions", "PUT 2015-03-31/functions/example/configuration", `{"Layers":["LAYER:bare:1","LAYER:bare:2"]}`,
		invalid("Two different versions of the same layer are not allowed to be referenced in the same function. LAYER:bare:1 and LAYER:bare:2 are versions of the same layer.")},
	{"function: absent layer", "PUT 2015-03-31/functions/example/configuration", `{"Layers":["LAYER:none:1"]}`, invalid("Layer version LAYER:none:1 does not exist.")},
	{"function: absent version", "PUT 2015-03-31/functions/example/configuration", `{"Layers":["LAYER:tools:9"]}`, invalid("Layer version LAYER:tools:9 does not exist.")},
	{"function: no version (the pattern is the model's, newer than the recording)", "PUT 2015-03-31/functions/example/configuration", `{"Layers":["LAYER:tools"]}`,
		violated(`Value '[LAYER:tools]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 140, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+, Member must not be null]`)},
	{"function: another region", "POST 2015-03-31/functions", creation(`"Layers":["arn:aws:lambda:us-west-2:123456789012:layer:tools:1"]`), invalid("Layers are not in the same region as the function. Layers are expected to be in region eu-west-1.")},
	{"function: six", "PUT 2015-03-31/functions/example/configuration", `{"Layers":["LAYER:a:1","LAYER:b:1","LAYER:c:1","LAYER:d:1","LAYER:e:1","LAYER:f:1"]}`, invalid("Cannot reference more than 5 layers.")},

	{"policy: none", "GET 2018-10-31/layers/tools/versions/1/policy", "", notFound("No policy is associated with the given resource.")},
	{"policy: action", "POST 2018-10-31/layers/tools/versions/1/policy", `{"Action":"*","Principal":"*","StatementId":"s"}`, violated("Value '*' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: lambda:GetLayerVersion")},
	{"policy: add", "POST 2018-10-31/layers/tools/versions/1/policy", `{"Action":"lambda:GetLayerVersion","Principal":"*","StatementId":"s1"}`,
		`201 {"Statement":"{\"Sid\":\"s1\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"lambda:GetLayerVersion\",\"Resource\":\"LAYER:tools:1\"}","RevisionId":…}`},
	{"policy: duplicate", "POST 2018-10-31/layers/tools/versions/1/policy", `{"Action":"lambda:GetLayerVersion","Principal":"*","StatementId":"s1"}`, conflicts("The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing statement.")},
	{"policy: stale revision", "POST 2018-10-31/layers/tools/versions/1/policy?RevisionId=" + stray, `{"Action":"lambda:GetLayerVersion","Principal":"*","StatementId":"s2"}`, stale("GetLayerPolicy")},
	{"policy: get", "GET 2018-10-31/layers/tools/versions/1/policy", "",
		`200 {"Policy":"{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[{\"Sid\":\"s1\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"lambda:GetLayerVersion\",\"Resource\":\"LAYER:tools:1\"}]}","RevisionId":…}`},
	{"policy: add, absent layer", "POST 2018-10-31/layers/none/versions/1/policy", `{"Action":"lambda:GetLayerVersion","Principal":"*","StatementId":"s1"}`, notFound("Layer version LAYER:none:1 does not exist.")},
	{"policy: get, absent layer", "GET 2018-10-31/layers/none/versions/1/policy", "", notFound("Layer version LAYER:none:1 does not exist.")},
	{"policy: remove, absent version", "DELETE 2018-10-31/layers/tools/versions/2/policy/s1", "", notFound("Layer version LAYER:tools:2 does not exist.")},
	{"policy: remove, absent statement", "DELETE 2018-10-31/layers/tools/versions/1/policy/none", "", notFound("Statement none is not found in resource policy.")},
	{"policy: remove, stale revision", "DELETE 2018-10-31/layers/tools/versions/1/policy/s1?RevisionId=" + stray, "", stale("GetLayerPolicy")},
	{"policy: remove", "DELETE 2018-10-31/layers/tools/versions/1/policy/s1", "", "204"},

	{"numbers aren't given again: delete", "DELETE 2018-10-31/layers/bare/versions/2", "", "204"},
	{"numbers aren't given again: publish", "POST 2018-10-31/layers/bare/versions", `{"Content":{"ZipFile":` + zipped + `}}`, "201 *"},
	{"newest first", "GET 2018-10-31/layers/bare/versions", "",
		`200 {"LayerVersions":[{"LayerVersionArn":"LAYER:bare:3","Version":3,"Description":"","CreatedDate":"2025-11-25T02:26:54.123+0000"},{"LayerVersionArn":"LAYER:bare:1","Version":1,"Description":"","CreatedDate":"2025-11-25T02:26:54.123+0000","CompatibleRuntimes":[],"CompatibleArchitectures":[]}]}`},
}

// TestRecordedCreation compares butai's answers with AWS's.
func TestRecordedCreation(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.furnish(t)
	hash := must(f.GetFunctionConfiguration(as(t), &lambdaapi.GetFunctionConfigurationRequest{FunctionName: wire.Ptr("example")}))(t).CodeSha256
	for i := range recordedCreation {
		recordedCreation[i].want = strings.Replace(recordedCreation[i].want, "HASH", *hash, 1)
	}
	f.check(t, recordedCreation)
	f.check(t, recordedLayers)
}
