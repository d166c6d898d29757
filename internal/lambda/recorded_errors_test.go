package lambda_test

import "testing"

const (
	mismatch = "The derived qualifier from the function name does not match the specified qualifier."
	gone     = "The resource you requested does not exist."

	fns    = "2015-03-31/functions"
	stray  = "00000000-0000-4000-8000-000000000000"
	noCSC  = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
	urlBad = "' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"
)

// Names: test_ops_on_nonexisting_fn, …_version, test_ops_with_arn_qualifier_mismatch,
// test_get_function_wrong_region, test_delete_on_nonexisting_version.
var recordedNames = []recorded{
	{"get", "GET 2015-03-31/functions/none", "", notFound("Function not found: FN:none")},
	{"configuration", "GET 2015-03-31/functions/none/configuration", "", notFound("Function not found: FN:none")},
	{"URL", "GET 2021-10-31/functions/none/url", "", notFound(gone)},
	{"code signing", "GET 2020-06-30/functions/none/code-signing-config", "", notFound("Function not found: FN:none")},
	{"event invoke config", "GET 2019-09-25/functions/none/event-invoke-config", "", notFound("The function FN:none:$LATEST doesn't have an EventInvokeConfig")},
	{"concurrency", "GET 2019-09-30/functions/none/concurrency", "", notFound("Function not found: FN:none")},
	{"delete", "DELETE 2015-03-31/functions/none", "", notFound("Function not found: FN:none")},
	{"delete of a version", "DELETE 2015-03-31/functions/none?Qualifier=7", "", notFound("Function not found: FN:none")},
	{"invoke says $LATEST", "POST 2015-03-31/functions/none/invocations", "{}", notFound("Function not found: FN:none:$LATEST")},
	{"get of a version", "GET 2015-03-31/functions/example?Qualifier=1221", "", notFound("Function not found: FN:example:1221")},
	{"configuration of a version", "GET 2015-03-31/functions/example/configuration?Qualifier=1221", "", notFound("Function not found: FN:example:1221")},
	{"event invoke config of a version", "GET 2019-09-25/functions/example/event-invoke-config?Qualifier=1221", "", notFound("The function FN:example:1221 doesn't have an EventInvokeConfig")},
	{"get of an alias", "GET 2015-03-31/functions/example?Qualifier=none", "", notFound("Function not found: FN:example:none")},
	{"get of an alias by ARN", "GET 2015-03-31/functions/FN:example:none", "", notFound("Function not found: FN:example:none")},
	{"an absent version can be deleted", "DELETE 2015-03-31/functions/example?Qualifier=1221", "", "204"},
	{"mismatch: delete", "DELETE 2015-03-31/functions/FN:some:$LATEST?Qualifier=1", "", invalid(mismatch)},
	{"mismatch: get", "GET 2015-03-31/functions/FN:some:$LATEST?Qualifier=1", "", invalid(mismatch)},
	{"mismatch: configuration", "GET 2015-03-31/functions/FN:some:$LATEST/configuration?Qualifier=1", "", invalid(mismatch)},
	{"match: delete", "DELETE 2015-03-31/functions/FN:example:$LATEST?Qualifier=$LATEST", "", invalid("$LATEST version cannot be deleted without deleting the function.")},
	{"match: get", "GET 2015-03-31/functions/FN:some:$LATEST?Qualifier=$LATEST", "", notFound("Function not found: FN:some:$LATEST")},
	{"aliases aren't deleted as versions", "DELETE 2015-03-31/functions/example?Qualifier=live", "", invalid("Deletion of aliases is not currently supported.")},
	{"a version in use", "DELETE 2015-03-31/functions/example?Qualifier=1", "", conflicts("Unable to delete version because the following aliases reference it: [live]")},
	{"another region", "GET 2015-03-31/functions/arn:aws:lambda:us-west-2:123456789012:function:example", "", notFound("Functions from 'us-west-2' are not reachable in this region ('eu-west-1')")},
	{"another region: URL", "GET 2021-10-31/functions/arn:aws:lambda:us-west-2:123456789012:function:example/url", "", notFound("Functions from 'us-west-2' are not reachable in this region ('eu-west-1')")},
	{"another region: invoke", "POST 2015-03-31/functions/arn:aws:lambda:us-west-2:123456789012:function:example/invocations", "{}", notFound("Functions from 'us-west-2' are not reachable in this region ('eu-west-1')")},
	{"a name of the wrong form", "POST 2015-03-31/functions/arn:aws:lambda:eu-west-1:123400000000@function:myfn/invocations", "BLOB",
		violated(`Value 'arn:aws:lambda:eu-west-1:123400000000@function:myfn' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`)},
	{"list's FunctionVersion", "GET 2015-03-31/functions/?FunctionVersion=invalid", "", violated("Value 'invalid' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]")},
}

// TestLambdaAlias::test_notfound_and_invalid_routingconfigs.
var recordedAliases = []recorded{
	{"two weights", "POST 2015-03-31/functions/example/aliases", `{"Name":"a","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"1":0.8,"2":0.2}}}`,
		invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")},
	{"weight too high", "POST 2015-03-31/functions/example/aliases", `{"Name":"a","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":2.0}}}`,
		violated("Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]")},
	{"weight below zero", "POST 2015-03-31/functions/example/aliases", `{"Name":"a","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":-1.0}}}`,
		violated("Value '{2=-1.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]")},
	{"weight of the version itself", "POST 2015-03-31/functions/example/aliases", `{"Name":"a","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"1":0.5}}}`,
		invalid("Invalid function version 1. Function version 1 is already included in routing configuration.")},
	{"absent version", "POST 2015-03-31/functions/example/aliases", `{"Name":"a","FunctionVersion":"10","RoutingConfig":{"AdditionalVersionWeights":{"2":0.5}}}`,
		notFound("Function not found: FN:example:10")},
	{"absent second version", "POST 2015-03-31/functions/example/aliases", `{"Name":"a","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"10":0.5}}}`,
		notFound("Function not found: FN:example:10")},
	{"$LATEST with weights", "POST 2015-03-31/functions/example/aliases", `{"Name":"a","FunctionVersion":"$LATEST","RoutingConfig":{"AdditionalVersionWeights":{"1":0.5}}}`,
		`400 InvalidParameterValueException {"message":"$LATEST is not supported for an alias pointing to more than 1 version"}`},
	{"weight of $LATEST", "POST 2015-03-31/functions/example/aliases", `{"Name":"a","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"$LATEST":0.5}}}`,
		violated("Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]")},
	{"absent function", "POST 2015-03-31/functions/none/aliases", `{"Name":"a","FunctionVersion":"1"}`, notFound("Function not found: FN:none:1")},
	{"$LATEST alone", "POST 2015-03-31/functions/example/aliases", `{"Name":"latest","FunctionVersion":"$LATEST"}`,
		`201 {"AliasArn":"FN:example:latest","Name":"latest","FunctionVersion":"$LATEST","Description":"","RevisionId":…}`},
	{"empty routing is none", "POST 2015-03-31/functions/example/aliases", `{"Name":"empty","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{}}}`,
		`201 {"AliasArn":"FN:example:empty","Name":"empty","FunctionVersion":"1","Description":"","RevisionId":…}`},
	{"weights", "POST 2015-03-31/functions/example/aliases", `{"Name":"both","FunctionVersion":"1","Description":"d","RoutingConfig":{"AdditionalVersionWeights":{"2":0.2}}}`,
		`201 {"AliasArn":"FN:example:both","Name":"both","FunctionVersion":"1","Description":"d","RoutingConfig":{"AdditionalVersionWeights":{"2":0.2}},"RevisionId":…}`},
	{"update to empty routing", "PUT 2015-03-31/functions/example/aliases/both", `{"RoutingConfig":{"AdditionalVersionWeights":{}}}`,
		`200 {"AliasArn":"FN:example:both","Name":"both","FunctionVersion":"1","Description":"d","RevisionId":…}`},
	{"duplicate", "POST 2015-03-31/functions/example/aliases", `{"Name":"both","FunctionVersion":"1"}`, conflicts("Alias already exists: FN:example:both")},
	{"get of an absent one", "GET 2015-03-31/functions/example/aliases/none", "", notFound("Cannot find alias arn: FN:example:none")},
	{"update of an absent one", "PUT 2015-03-31/functions/example/aliases/none", `{"FunctionVersion":"1"}`, notFound("Alias not found: FN:example:none")},
	{"update with a stale revision", "PUT 2015-03-31/functions/example/aliases/both", `{"RevisionId":"` + stray + `"}`, stale("GetFunction/GetAlias")},
	{"a number for a name", "POST 2015-03-31/functions/example/aliases", `{"Name":"2024","FunctionVersion":"1"}`,
		violated("Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")},
	{"a date for a name", "POST 2015-03-31/functions/example/aliases", `{"Name":"2024-01-02","FunctionVersion":"2"}`,
		`201 {"AliasArn":"FN:example:2024-01-02","Name":"2024-01-02","FunctionVersion":"2","Description":"","RevisionId":…}`},
	{"invoke by it", "POST 2015-03-31/functions/example:2024-01-02/invocations", "{}", `200 "2"`},
	{"delete of an absent one", "DELETE 2015-03-31/functions/example/aliases/none", "", "204"},
	{"delete", "DELETE 2015-03-31/functions/example/aliases/both", "", "204"},
	{"list", "GET 2015-03-31/functions/example/aliases?FunctionVersion=1", "",
		`200 {"Aliases":[{"AliasArn":"FN:example:empty","Name":"empty","FunctionVersion":"1","Description":"","RevisionId":…},{"AliasArn":"FN:example:live","Name":"live","FunctionVersion":"1","Description":"","RevisionId":…}]}`},
}

// TestLambdaEventInvokeConfig::test_lambda_eventinvokeconfig_exceptions and …_lifecycle.
var recordedEventConfigs = []recorded{
	{"absent function", "PUT 2019-09-25/functions/none/event-invoke-config", `{"MaximumRetryAttempts":1}`, notFound("The function doesn't exist.")},
	{"absent function by ARN", "PUT 2019-09-25/functions/FN:none/event-invoke-config", `{"MaximumRetryAttempts":1}`, notFound("The function doesn't exist.")},
	{"absent alias", "PUT 2019-09-25/functions/example/event-invoke-config?Qualifier=none", `{"MaximumRetryAttempts":1}`, notFound("The function doesn't exist.")},
	{"nothing to set", "PUT 2019-09-25/functions/example/event-invoke-config", `{}`, invalid("You must specify at least one of error handling or destination setting.")},
	{"absent destination", "PUT 2019-09-25/functions/example/event-invoke-config", `{"DestinationConfig":{"OnSuccess":{"Destination":"FN:missing"}}}`, invalid("The destination ARN FN:missing is invalid.")},
	{"itself", "PUT 2019-09-25/functions/example/event-invoke-config", `{"DestinationConfig":{"OnSuccess":{"Destination":"FN:example"}}}`, invalid("You can't specify the function as a destination for itself.")},
	{"another function", "PUT 2019-09-25/functions/example/event-invoke-config", `{"DestinationConfig":{"OnSuccess":{"Destination":"FN:other"}}}`,
		`200 {"LastModified":1764037614.123,"FunctionArn":"FN:example:$LATEST","DestinationConfig":{"OnSuccess":{"Destination":"FN:other"},"OnFailure":{}}}`},
	{"a service that can't be one", "PUT 2019-09-25/functions/example/event-invoke-config", `{"DestinationConfig":{"OnSuccess":{"Destination":"arn:aws:iam:eu-west-1:123456789012:function:example"}}}`,
		invalid("The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:iam:eu-west-1:123456789012:function:example), onFailure=null) is invalid.")},
	{"success without ARN", "PUT 2019-09-25/functions/example/event-invoke-config", `{"DestinationConfig":{"OnSuccess":{}}}`,
		`200 {"LastModified":1764037614.123,"FunctionArn":"FN:example:$LATEST","DestinationConfig":{"OnSuccess":{},"OnFailure":{}}}`},
	{"failure without ARN", "PUT 2019-09-25/functions/example/event-invoke-config", `{"DestinationConfig":{"OnFailure":{}}}`,
		`200 {"LastModified":1764037614.123,"FunctionArn":"FN:example:$LATEST","DestinationConfig":{"OnSuccess":{},"OnFailure":{}}}`},
	{"put of retries forgets the rest", "PUT 2019-09-25/functions/example/event-invoke-config", `{"MaximumRetryAttempts":1}`,
		`200 {"LastModified":1764037614.123,"FunctionArn":"FN:example:$LATEST","MaximumRetryAttempts":1,"DestinationConfig":{"OnSuccess":{},"OnFailure":{}}}`},
	{"version", "PUT 2019-09-25/functions/example:1/event-invoke-config?Qualifier=1", `{"MaximumRetryAttempts":1}`,
		`200 {"LastModified":1764037614.123,"FunctionArn":"FN:example:1","MaximumRetryAttempts":1,"DestinationConfig":{"OnSuccess":{},"OnFailure":{}}}`},
	{"alias by ARN", "PUT 2019-09-25/functions/FN:example:live/event-invoke-config", `{"MaximumRetryAttempts":1}`,
		`200 {"LastModified":1764037614.123,"FunctionArn":"FN:example:live","MaximumRetryAttempts":1,"DestinationConfig":{"OnSuccess":{},"OnFailure":{}}}`},
	{"mismatch", "PUT 2019-09-25/functions/example:1/event-invoke-config?Qualifier=$LATEST", `{"MaximumRetryAttempts":1}`, invalid(mismatch)},
	{"list is by qualifier", "GET 2019-09-25/functions/example/event-invoke-config/list", "",
		`200 {"FunctionEventInvokeConfigs":[{"LastModified":1764037614.123,"FunctionArn":"FN:example:$LATEST","MaximumRetryAttempts":1,"DestinationConfig":{"OnSuccess":{},"OnFailure":{}}},` +
			`{"LastModified":1764037614.123,"FunctionArn":"FN:example:1","MaximumRetryAttempts":1,"DestinationConfig":{"OnSuccess":{},"OnFailure":{}}},` +
			`{"LastModified":1764037614.123,"FunctionArn":"FN:example:live","MaximumRetryAttempts":1,"DestinationConfig":{"OnSuccess":{},"OnFailure":{}}}]}`},
	{"update keeps the rest", "POST 2019-09-25/functions/example/event-invoke-config", `{"MaximumEventAgeInSeconds":60}`,
		`200 {"LastModified":1764037614.123,"FunctionArn":"FN:example:$LATEST","MaximumRetryAttempts":1,"MaximumEventAgeInSeconds":60,"DestinationConfig":{"OnSuccess":{},"OnFailure":{}}}`},
	{"delete", "DELETE 2019-09-25/functions/example/event-invoke-config", "", "204"},
	{"delete of an absent one", "DELETE 2019-09-25/functions/example/event-invoke-config", "", notFound("The function FN:example:$LATEST doesn't have an EventInvokeConfig")},
	{"delete, absent function", "DELETE 2019-09-25/functions/none/event-invoke-config", "", notFound("The function FN:none:$LATEST doesn't have an EventInvokeConfig")},
	{"list, absent function", "GET 2019-09-25/functions/none/event-invoke-config/list", "", notFound("The function doesn't exist.")},
	{"update, absent function", "POST 2019-09-25/functions/none/event-invoke-config", `{"MaximumRetryAttempts":0}`, notFound("The function doesn't exist.")},
	{"update of an absent one", "POST 2019-09-25/functions/example/event-invoke-config", `{"MaximumRetryAttempts":0}`, notFound("The function FN:example:$LATEST doesn't have an EventInvokeConfig")},
	{"get of an absent alias", "GET 2019-09-25/functions/example/event-invoke-config?Qualifier=none", "", notFound("The function FN:example:none doesn't have an EventInvokeConfig")},
}

// TestLambdaReservedConcurrency and TestLambdaProvisionedConcurrency.
var recordedConcurrency = []recorded{
	{"absent function", "PUT 2017-10-31/functions/none/concurrency", `{"ReservedConcurrentExecutions":1}`, notFound("Function not found: FN:none:$LATEST")},
	{"absent function, and too much", "PUT 2017-10-31/functions/none/concurrency", `{"ReservedConcurrentExecutions":1000}`, notFound("Function not found: FN:none:$LATEST")},
	{"qualified", "PUT 2017-10-31/functions/FN:example:1/concurrency", `{"ReservedConcurrentExecutions":1}`, invalid("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")},
	{"none", "GET 2019-09-30/functions/example/concurrency", "", "200 {}"},
	{"zero", "PUT 2017-10-31/functions/example/concurrency", `{"ReservedConcurrentExecutions":0}`, `200 {"ReservedConcurrentExecutions":0}`},
	{"one", "PUT 2017-10-31/functions/example/concurrency", `{"ReservedConcurrentExecutions":1}`, `200 {"ReservedConcurrentExecutions":1}`},
	{"get", "GET 2019-09-30/functions/example/concurrency", "", `200 {"ReservedConcurrentExecutions":1}`},
	{"delete", "DELETE 2017-10-31/functions/example/concurrency", "", "204"},

	{"provisioned: none", "GET 2019-09-30/functions/example/provisioned-concurrency?Qualifier=1", "", failure(404, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function")},
	{"provisioned: absent function", "GET 2019-09-30/functions/none/provisioned-concurrency?Qualifier=noalias", "", notFound("Cannot find alias arn: FN:none:noalias")},
	{"provisioned: absent alias", "GET 2019-09-30/functions/example/provisioned-concurrency?Qualifier=noalias", "", notFound("Cannot find alias arn: FN:example:noalias")},
	{"provisioned: absent version", "GET 2019-09-30/functions/example/provisioned-concurrency?Qualifier=10", "", notFound("Function not found: FN:example:10")},
	{"provisioned: $LATEST", "GET 2019-09-30/functions/example/provisioned-concurrency?Qualifier=$LATEST", "", invalid("The function resource provided must be an alias or a published version.")},
	{"provisioned: list of none", "GET 2019-09-30/functions/example/provisioned-concurrency?List=ALL", "", `200 {"ProvisionedConcurrencyConfigs":[]}`},
	{"provisioned: list, absent function", "GET 2019-09-30/functions/none/provisioned-concurrency?List=ALL", "", notFound("Function not found: FN:none")},
	{"provisioned: delete, absent function", "DELETE 2019-09-30/functions/none/provisioned-concurrency?Qualifier=1", "", notFound("Function not found: FN:none:1")},
	{"provisioned: delete, absent alias", "DELETE 2019-09-30/functions/example/provisioned-concurrency?Qualifier=noalias", "", notFound("Cannot find alias arn: FN:example:noalias")},
	{"provisioned: delete, absent version", "DELETE 2019-09-30/functions/example/provisioned-concurrency?Qualifier=10", "", notFound("Function not found: FN:example:10")},
	{"provisioned: delete, $LATEST", "DELETE 2019-09-30/functions/example/provisioned-concurrency?Qualifier=$LATEST", "", invalid("The function resource provided must be an alias or a published version.")},
	{"provisioned: delete of none", "DELETE 2019-09-30/functions/example/provisioned-concurrency?Qualifier=1", "", "204"},
	{"provisioned: zero", "PUT 2019-09-30/functions/example/provisioned-concurrency?Qualifier=1", `{"ProvisionedConcurrentExecutions":0}`, violated("Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1")},
	{"provisioned: put, absent function and alias", "PUT 2019-09-30/functions/none/provisioned-concurrency?Qualifier=noalias", `{"ProvisionedConcurrentExecutions":1}`, notFound("Cannot find alias arn: FN:none:noalias")},
	{"provisioned: put, absent function and version", "PUT 2019-09-30/functions/none/provisioned-concurrency?Qualifier=1", `{"ProvisionedConcurrentExecutions":1}`, notFound("Function not found: FN:none:1")},
	{"provisioned: put, absent alias", "PUT 2019-09-30/functions/example/provisioned-concurrency?Qualifier=noalias", `{"ProvisionedConcurrentExecutions":1}`, notFound("Cannot find alias arn: FN:example:noalias")},
	{"provisioned: put, absent version", "PUT 2019-09-30/functions/example/provisioned-concurrency?Qualifier=10", `{"ProvisionedConcurrentExecutions":1}`, notFound("Function not found: FN:example:10")},
	{"provisioned: put, $LATEST", "PUT 2019-09-30/functions/example/provisioned-concurrency?Qualifier=$LATEST", `{"ProvisionedConcurrentExecutions":1}`, invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")},
	{"provisioned: put", "PUT 2019-09-30/functions/example/provisioned-concurrency?Qualifier=1", `{"ProvisionedConcurrentExecutions":1}`,
		`202 {"RequestedProvisionedConcurrentExecutions":1,"AvailableProvisionedConcurrentExecutions":0,"AllocatedProvisionedConcurrentExecutions":0,"Status":"IN_PROGRESS","LastModified":"2025-11-25T02:26:54.123+0000"}`},
	{"provisioned: alias of a provisioned version", "PUT 2019-09-30/functions/example/provisioned-concurrency?Qualifier=live", `{"ProvisionedConcurrentExecutions":1}`, conflicts("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")},
	{"provisioned: delete", "DELETE 2019-09-30/functions/example/provisioned-concurrency?Qualifier=1", "", "204"},
	{"provisioned: on the alias", "PUT 2019-09-30/functions/example/provisioned-concurrency?Qualifier=live", `{"ProvisionedConcurrentExecutions":1}`,
		`202 {"RequestedProvisionedConcurrentExecutions":1,"AvailableProvisionedConcurrentExecutions":0,"AllocatedProvisionedConcurrentExecutions":0,"Status":"IN_PROGRESS","LastModified":"2025-11-25T02:26:54.123+0000"}`},
	{"provisioned: version of a provisioned alias", "PUT 2019-09-30/functions/example/provisioned-concurrency?Qualifier=1", `{"ProvisionedConcurrentExecutions":1}`, conflicts("Version is pointed by a Provisioned Concurrency alias")},
	{"provisioned: the alias goes", "DELETE 2015-03-31/functions/example/aliases/live", "", "204"},
	{"provisioned: and with it what it had", "GET 2019-09-30/functions/example/provisioned-concurrency?Qualifier=live", "", notFound("Cannot find alias arn: FN:example:live")},
	{"provisioned: list afterwards", "GET 2019-09-30/functions/example/provisioned-concurrency?List=ALL", "", `200 {"ProvisionedConcurrencyConfigs":[]}`},
}

// TestLambdaUrl::test_url_config_exceptions, …_lifecycle, …_list_paging.
var recordedURLs = []recorded{
	{"create, absent function", "POST 2021-10-31/functions/none/url", `{"AuthType":"NONE"}`, notFound("Function does not exist")},
	{"create, absent function by ARN", "POST 2021-10-31/functions/FN:none/url", `{"AuthType":"NONE"}`, notFound("Function does not exist")},
	{"create, version", "POST 2021-10-31/functions/example/url?Qualifier=1", `{"AuthType":"NONE"}`, violated("Value '1" + urlBad)},
	{"create, $LATEST", "POST 2021-10-31/functions/example/url?Qualifier=$LATEST", `{"AuthType":"NONE"}`, violated("Value '$LATEST" + urlBad)},
	{"create, absent alias", "POST 2021-10-31/functions/example/url?Qualifier=none", `{"AuthType":"NONE"}`, notFound("Function does not exist")},
	{"create, mismatch", "POST 2021-10-31/functions/example:live/url?Qualifier=other", `{"AuthType":"NONE"}`, invalid(mismatch)},
	{"get, absent function", "GET 2021-10-31/functions/none/url", "", notFound(gone)},
	{"get, version", "GET 2021-10-31/functions/example/url?Qualifier=1", "", violated("Value '1" + urlBad)},
	{"get, absent alias", "GET 2021-10-31/functions/example/url?Qualifier=none", "", notFound(gone)},
	{"get, mismatch", "GET 2021-10-31/functions/example:live/url?Qualifier=other", "", invalid(mismatch)},
	{"get, none", "GET 2021-10-31/functions/example/url", "", notFound(gone)},
	{"delete, absent function", "DELETE 2021-10-31/functions/none/url", "", notFound(gone)},
	{"delete, version", "DELETE 2021-10-31/functions/example/url?Qualifier=2", "", violated("Value '2" + urlBad)},
	{"delete, absent alias", "DELETE 2021-10-31/functions/example/url?Qualifier=none", "", notFound(gone)},
	{"delete, none", "DELETE 2021-10-31/functions/example/url", "", notFound(gone)},
	{"update, absent function", "PUT 2021-10-31/functions/none/url", `{"AuthType":"NONE"}`, notFound("Function does not exist")},
	{"update, absent alias", "PUT 2021-10-31/functions/example/url?Qualifier=none", `{"AuthType":"NONE"}`, notFound("Function does not exist")},
	{"update, mismatch", "PUT 2021-10-31/functions/example:live/url?Qualifier=other", `{"AuthType":"NONE"}`, invalid(mismatch)},
	{"update, $LATEST", "PUT 2021-10-31/functions/example/url?Qualifier=$LATEST", `{"AuthType":"NONE"}`, violated("Value '$LATEST" + urlBad)},
	{"update, none", "PUT 2021-10-31/functions/example/url", `{"AuthType":"NONE"}`, notFound(gone)},
	{"list, absent function", "GET 2021-10-31/functions/none/urls", "", notFound("Function does not exist")},
	{"list of none", "GET 2021-10-31/functions/example/urls", "", `200 {"FunctionUrlConfigs":[]}`},
	{"create shows no mode that wasn't asked for", "POST 2021-10-31/functions/example/url", `{"AuthType":"NONE"}`,
		`201 {"FunctionUrl":…,"FunctionArn":"FN:example","AuthType":"NONE","CreationTime":"2025-11-25T02:26:54.123000Z"}`},
	{"duplicate", "POST 2021-10-31/functions/example/url", `{"AuthType":"NONE"}`, conflicts("Failed to create function url config for [functionArn = FN:example]. Error message:  FunctionUrlConfig exists for this Lambda function")},
	{"get", "GET 2021-10-31/functions/example/url", "",
		`200 {"FunctionUrl":…,"FunctionArn":"FN:example","AuthType":"NONE","CreationTime":"2025-11-25T02:26:54.123000Z","LastModifiedTime":"2025-11-25T02:26:54.123000Z","InvokeMode":"BUFFERED"}`},
	{"update shows no mode either", "PUT 2021-10-31/functions/example/url", `{"AuthType":"AWS_IAM"}`,
		`200 {"FunctionUrl":…,"FunctionArn":"FN:example","AuthType":"AWS_IAM","CreationTime":"2025-11-25T02:26:54.123000Z","LastModifiedTime":"2025-11-25T02:26:54.123000Z"}`},
	{"alias", "POST 2021-10-31/functions/example/url?Qualifier=live", `{"AuthType":"NONE","InvokeMode":"RESPONSE_STREAM"}`,
		`201 {"FunctionUrl":…,"FunctionArn":"FN:example:live","AuthType":"NONE","CreationTime":"2025-11-25T02:26:54.123000Z","InvokeMode":"RESPONSE_STREAM"}`},
	{"list", "GET 2021-10-31/functions/example/urls?MaxItems=1", "",
		`200 {"FunctionUrlConfigs":[{"FunctionUrl":…,"FunctionArn":"FN:example","CreationTime":"2025-11-25T02:26:54.123000Z","LastModifiedTime":"2025-11-25T02:26:54.123000Z","AuthType":"AWS_IAM","InvokeMode":"BUFFERED"}],"NextMarker":"djEgMQ"}`},
	{"delete", "DELETE 2021-10-31/functions/example/url", "", "204"},
}

// TestLambdaPermissions::test_permission_exceptions, test_remove_multi_permissions.
var recordedPermissions = []recorded{
	{"statement id", "POST 2015-03-31/functions/example/policy", `{"Action":"lambda:InvokeFunction","StatementId":"example.com","Principal":"s3.amazonaws.com"}`,
		violated("Value 'example.com' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)")},
	{"mismatch", "POST 2015-03-31/functions/example:alias-not-42/policy?Qualifier=42", `{"Action":"lambda:InvokeFunction","StatementId":"s3","Principal":"s3.amazonaws.com"}`, invalid(mismatch)},
	{"$LATEST", "POST 2015-03-31/functions/example/policy?Qualifier=$LATEST", `{"Action":"lambda:InvokeFunction","StatementId":"s3","Principal":"s3.amazonaws.com"}`, invalid("We currently do not support adding policies for $LATEST.")},
	{"principal", "POST 2015-03-31/functions/example/policy", `{"Action":"lambda:InvokeFunction","StatementId":"lambda","Principal":"invalid.nonaws.com"}`, invalid("The provided principal was invalid. Please check the principal and try again.")},
	{"get, absent function", "GET 2015-03-31/functions/none/policy", "", notFound("Function not found: FN:none")},
	{"get, absent version", "GET 2015-03-31/functions/example/policy?Qualifier=42", "", notFound(gone)},
	{"add, absent function", "POST 2015-03-31/functions/none/policy", `{"Action":"lambda:InvokeFunction","StatementId":"lambda","Principal":"lambda.amazonaws.com"}`, notFound("Function not found: FN:none")},
	{"remove, no policy", "DELETE 2015-03-31/functions/example/policy/s3", "", notFound("No policy is associated with the given resource.")},
	{"add, absent alias", "POST 2015-03-31/functions/FN:example:none/policy", `{"Action":"lambda:InvokeFunction","StatementId":"s3","Principal":"s3.amazonaws.com"}`, notFound("Cannot find alias arn: FN:example:none")},
	{"add, absent version", "POST 2015-03-31/functions/example/policy?Qualifier=42", `{"Action":"lambda:InvokeFunction","StatementId":"s3","Principal":"s3.amazonaws.com"}`, notFound("Function not found: FN:example:42")},
	{"add, neither alias nor version", "POST 2015-03-31/functions/example/policy?Qualifier=valid-with-$-but-absent", `{"Action":"lambda:InvokeFunction","StatementId":"s3","Principal":"s3.amazonaws.com"}`, notFound("Function not found: FN:example:valid-with-$-but-absent")},
	{"add", "POST 2015-03-31/functions/example/policy", `{"Action":"lambda:InvokeFunction","StatementId":"s3","Principal":"s3.amazonaws.com","SourceArn":"arn:aws:s3:::b"}`,
		`201 {"Statement":"{\"Sid\":\"s3\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},\"Action\":\"lambda:InvokeFunction\",\"Resource\":\"FN:example\",\"Condition\":{\"ArnLike\":{\"AWS:SourceArn\":\"arn:aws:s3:::b\"}}}"}`},
	{"duplicate", "POST 2015-03-31/functions/example/policy", `{"Action":"lambda:InvokeFunction","StatementId":"s3","Principal":"s3.amazonaws.com"}`, conflicts("The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.")},
	{"stale revision", "POST 2015-03-31/functions/example/policy", `{"Action":"lambda:InvokeFunction","StatementId":"s4","Principal":"s3.amazonaws.com","RevisionId":"` + stray + `"}`, stale("GetPolicy")},
	{"get", "GET 2015-03-31/functions/example/policy", "",
		`200 {"Policy":"{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[{\"Sid\":\"s3\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},\"Action\":\"lambda:InvokeFunction\",\"Resource\":\"FN:example\",\"Condition\":{\"ArnLike\":{\"AWS:SourceArn\":\"arn:aws:s3:::b\"}}}]}","RevisionId":…}`},
	{"remove, absent function", "DELETE 2015-03-31/functions/none/policy/s3", "", notFound("No policy found for: FN:none")},
	{"remove, absent alias", "DELETE 2015-03-31/functions/example/policy/s3?Qualifier=none", "", notFound("Cannot find alias arn: FN:example:none")},
	{"remove, absent statement", "DELETE 2015-03-31/functions/example/policy/non-existent", "", notFound("Statement non-existent is not found in resource policy.")},
	{"remove", "DELETE 2015-03-31/functions/example/policy/s3", "", "204"},
	{"get after the last went", "GET 2015-03-31/functions/example/policy", "", notFound(gone)},
}

// TestCodeSigningConfig.
var recordedSigning = []recorded{
	{"put, neither function nor configuration", "PUT 2020-06-30/functions/none/code-signing-config", `{"CodeSigningConfigArn":"` + noCSC + `"}`,
		failure(404, "CodeSigningConfigNotFoundException", "The code signing configuration cannot be found. Check that the provided configuration is not deleted: "+noCSC+".")},
	{"put, no configuration", "PUT 2020-06-30/functions/example/code-signing-config", `{"CodeSigningConfigArn":"` + noCSC + `"}`,
		failure(404, "CodeSigningConfigNotFoundException", "The code signing configuration cannot be found. Check that the provided configuration is not deleted: "+noCSC+".")},
	{"update", "PUT 2020-04-22/code-signing-configs/" + noCSC, `{"Description":"new"}`, `404 ResourceNotFoundException {"Message":"The Lambda code signing configuration ` + noCSC + ` can not be found."}`},
	{"get", "GET 2020-04-22/code-signing-configs/" + noCSC, "", `404 ResourceNotFoundException {"Message":"The Lambda code signing configuration ` + noCSC + ` can not be found."}`},
	{"list functions", "GET 2020-04-22/code-signing-configs/" + noCSC + "/functions", "", `404 ResourceNotFoundException {"Message":"The Lambda code signing configuration ` + noCSC + ` can not be found."}`},
	{"function without", "GET 2020-06-30/functions/example/code-signing-config", "", "200 {}"},
	{"absent function", "GET 2020-06-30/functions/none/code-signing-config", "", notFound("Function not found: FN:none")},
}

// TestLambdaTags and TestLambdaTag.
var recordedTags = []recorded{
	{"none", "GET 2017-03-31/tags/FN:example", "", `200 {"Tags":{}}`},
	{"absent function", "POST 2017-03-31/tags/FN:none", `{"Tags":{"A":"B"}}`, notFound("Function not found: FN:none")},
	{"absent function: list", "GET 2017-03-31/tags/FN:none", "", notFound("Function not found: FN:none")},
	{"absent function: untag", "DELETE 2017-03-31/tags/FN:none?tagKeys=A", "", notFound("Function not found: FN:none")},
	{"version", "POST 2017-03-31/tags/FN:example:v1", `{"Tags":{"A":"B"}}`, invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")},
	{"$LATEST", "POST 2017-03-31/tags/FN:example:$LATEST", `{"Tags":{"A":"B"}}`, invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")},
	{"untag without match", "DELETE 2017-03-31/tags/FN:example?tagKeys=A", "", "204"},
	{"untag of nothing", "DELETE 2017-03-31/tags/FN:example", "", violated("Value null at 'tagKeys' failed to satisfy constraint: Member must not be null")},
	{"tag with nothing", "POST 2017-03-31/tags/FN:example", `{"Tags":{}}`, invalid("An error occurred and the request cannot be processed.")},
	{"tag", "POST 2017-03-31/tags/FN:example", `{"Tags":{"A":"B"}}`, "204"},
	{"list", "GET 2017-03-31/tags/FN:example", "", `200 {"Tags":{"A":"B"}}`},
}

// TestLambdaEventSourceMappings::test_event_source_mapping_exceptions.
var recordedMappings = []recorded{
	{"get", "GET 2015-03-31/event-source-mappings/" + stray, "", notFound(gone)},
	{"delete", "DELETE 2015-03-31/event-source-mappings/" + stray, "", notFound(gone)},
	{"update", "PUT 2015-03-31/event-source-mappings/" + stray, `{"Enabled":false}`, notFound(gone)},
	{"no source", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"doesnotexist"}`, invalid("Unrecognized event source.")},
	{"absent function", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"doesnotexist","EventSourceArn":"arn:aws:sqs:eu-west-1:123456789012:work"}`, invalid("Function does not exist")},
	{"stream: position", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"example","EventSourceArn":"` + itemsFeed + `","StartingPosition":"0"}`,
		violated("Value '0' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]")},
	{"stream: no position", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"example","EventSourceArn":"` + itemsFeed + `"}`,
		invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")},
	{"stream: time without AT_TIMESTAMP", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"example","EventSourceArn":"` + itemsFeed + `","StartingPosition":"LATEST","StartingPositionTimestamp":1741010802}`,
		invalid("Timestamp only valid with StartingPosition AT_TIMESTAMP")},
	{"stream: AT_TIMESTAMP", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"example","EventSourceArn":"` + itemsFeed + `","StartingPosition":"AT_TIMESTAMP","StartingPositionTimestamp":-1}`,
		invalid("Unsupported starting position for arn type: " + itemsFeed)},
	{"queue: position", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"example","EventSourceArn":"` + workQueue + `","StartingPosition":"LATEST","StartingPositionTimestamp":1741010802}`,
		invalid("StartingPosition is not valid for SQS event sources.")},
	{"queue: filter", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"example","EventSourceArn":"` + workQueue + `","FilterCriteria":{"Filters":[{"Pattern":"[]"}]}}`,
		invalid("Invalid filter pattern definition.")},
	{"queue: batch without window", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"example","EventSourceArn":"` + workQueue + `","BatchSize":11}`,
		invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")},
	{"queue", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"example","EventSourceArn":"` + workQueue + `","Enabled":false}`,
		`202 {"UUID":…,"BatchSize":10,"MaximumBatchingWindowInSeconds":0,"EventSourceArn":"` + workQueue + `","FunctionArn":"FN:example","LastModified":1764037614.123,"State":"Creating","StateTransitionReason":"USER_INITIATED","FunctionResponseTypes":[],"EventSourceMappingArn":…}`},
	{"queue twice", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"example","EventSourceArn":"` + workQueue + `"}`,
		conflicts(`An event source mapping with SQS arn (" ` + workQueue + ` ") and function (" example ") provided mapping already exists. Please update or delete the existing mapping with UUID UUID`)},
	{"stream", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"example","EventSourceArn":"` + itemsFeed + `","StartingPosition":"TRIM_HORIZON","BatchSize":1,"MaximumBatchingWindowInSeconds":1,"MaximumRetryAttempts":1,"Enabled":false}`,
		`202 {"UUID":…,"StartingPosition":"TRIM_HORIZON","BatchSize":1,"MaximumBatchingWindowInSeconds":1,"ParallelizationFactor":1,"EventSourceArn":"` + itemsFeed + `","FunctionArn":"FN:example","LastModified":1764037614.123,"LastProcessingResult":"No records processed","State":"Creating","StateTransitionReason":"User action","DestinationConfig":{"OnFailure":{}},"MaximumRecordAgeInSeconds":-1,"BisectBatchOnFunctionError":false,"MaximumRetryAttempts":1,"TumblingWindowInSeconds":0,"FunctionResponseTypes":[],"EventSourceMappingArn":…}`},
	{"stream twice", "POST 2015-03-31/event-source-mappings", `{"FunctionName":"FN:example","EventSourceArn":"` + itemsFeed + `","StartingPosition":"LATEST"}`,
		conflicts(`The event source arn (" ` + itemsFeed + ` ") and function (" example ") provided mapping already exists. Please update or delete the existing mapping with UUID UUID`)},
}

// TestRecordedErrors compares butai's answers with AWS's.
func TestRecordedErrors(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]recorded{
		"names": recordedNames, "event configs": recordedEventConfigs, "concurrency": recordedConcurrency, "URLs": recordedURLs,
		"permissions": recordedPermissions, "signing": recordedSigning, "tags": recordedTags, "mappings": recordedMappings,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t)
			f.furnish(t)
			f.check(t, rows)
		})
	}
	t.Run("aliases", func(t *testing.T) {
		t.Parallel()
		f := newFront(t)
		f.furnish(t)
		f.updateCode(t, "two")
		f.publish(t)
		f.check(t, recordedAliases)
	})
}
