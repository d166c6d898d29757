"""Custom domains that choose a stage by routing rules, set up with the AWS CLI as AWS's guide says."""

import subprocess

from system import *

HOST = "shop.sample.example"


def aws(*words):
    """Runs the AWS CLI and returns its answer, or the last line of its complaint."""
    ran = subprocess.run(["aws", *words], capture_output=True, text=True)
    return json.loads(ran.stdout or "null") if ran.returncode == 0 else ran.stderr.strip().splitlines()[-1]


def ask(path, host=HOST, **headers):
    status, _, body = fetch(os.environ["AWS_ENDPOINT_URL"] + path, headers={"Host": host, **{k.replace("_", "-"): v for k, v in headers.items()}})
    return status, body


def mock(name, stages):
    """An API whose every path answers with its name, its stage and what was asked for."""
    api = apigateway.create_rest_api(name=name)
    proxy = apigateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="{proxy+}")["id"]
    for resource in (api["rootResourceId"], proxy):
        at = {"restApiId": api["id"], "resourceId": resource, "httpMethod": "GET"}
        apigateway.put_method(authorizationType="NONE", **at)
        apigateway.put_integration(type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}, **at)
        apigateway.put_method_response(statusCode="200", **at)
        apigateway.put_integration_response(
            statusCode="200", responseTemplates={"application/json": name + " $context.stage $context.path /$input.params('proxy')"}, **at)
    for stage in stages:
        apigateway.create_deployment(restApiId=api["id"], stageName=stage)
    return api["id"]


def rule(priority, conditions, api, stage, verb=("create-routing-rule",), **action):
    return aws("apigatewayv2", *verb, "--domain-name", HOST, "--priority", str(priority), "--conditions", json.dumps(conditions),
               "--actions", json.dumps([{"InvokeApi": {"ApiId": api, "Stage": stage, **action}}]))


shop, pets = mock("shop", ["live", "dark"]), mock("pets", ["live"])
apigateway.create_domain_name(
    domainName=HOST, regionalCertificateArn=issued("sample.example"), endpointConfiguration={"types": ["REGIONAL"]})
aws("apigateway", "create-base-path-mapping", "--domain-name", HOST, "--rest-api-id", shop, "--stage", "live")
equal(ask("/a"), (200, "shop live /a /a"))

# A domain has routing rules once its mode says so.
DARK = [{"MatchHeaders": {"AnyOf": [{"Header": "X-Release", "ValueGlob": "dark*"}]}}]
complaint = rule(10, DARK, shop, "dark")
assert "(BadRequestException) when calling the CreateRoutingRule operation" in complaint, complaint
updated = aws("apigatewayv2", "update-domain-name", "--domain-name", HOST, "--routing-mode", "ROUTING_RULE_THEN_API_MAPPING")
equal((updated["RoutingMode"], updated["DomainNameConfigurations"][0]["EndpointType"]), ("ROUTING_RULE_THEN_API_MAPPING", "REGIONAL"))
equal(apigateway.get_domain_name(domainName=HOST)["routingMode"], "ROUTING_RULE_THEN_BASE_PATH_MAPPING")
dark = rule(10, DARK, shop, "dark")
equal(dark["RoutingRuleArn"], "arn:aws:apigateway:%s:%s:/domainnames/%s/routingrules/%s" % (REGION, ACCOUNT, HOST, dark["RoutingRuleId"]))
equal(dark["Actions"], [{"InvokeApi": {"ApiId": shop, "Stage": "dark", "StripBasePath": False}}])
stripped = rule(20, [{"MatchBasePaths": {"AnyOf": ["pets/v1"]}}], pets, "live", StripBasePath=True)
equal(ask("/a"), (200, "shop live /a /a"))
equal(ask("/a", X_Release="dark-7"), (200, "shop dark /a /a"))
equal(ask("/a", x_release="light"), (200, "shop live /a /a"))
equal(ask("/pets/v1/tom"), (200, "pets live /pets/v1/tom /tom"))
equal(ask("/pets/v1"), (200, "pets live /pets/v1 /"))
equal(ask("/pets/v1/tom", x_release="dark"), (200, "shop dark /pets/v1/tom /pets/v1/tom"))

# Rules change at once; two have never one priority.
assert "(ConflictException)" in rule(20, [], pets, "live"), "two rules of one priority"
moved = rule(30, DARK, shop, "dark", verb=("put-routing-rule", "--routing-rule-id", dark["RoutingRuleId"]))
equal(moved["Priority"], 30)
equal(ask("/pets/v1/tom", x_release="dark"), (200, "pets live /pets/v1/tom /tom"))
listed = aws("apigatewayv2", "list-routing-rules", "--domain-name", HOST)["RoutingRules"]
equal([r["Priority"] for r in listed], [20, 30])
equal(aws("apigatewayv2", "get-routing-rule", "--domain-name", HOST, "--routing-rule-id", dark["RoutingRuleId"]), moved)

# Where only rules count, mappings lead nowhere.
apigateway.update_domain_name(domainName=HOST, patchOperations=[{"op": "replace", "path": "/routingMode", "value": "ROUTING_RULE_ONLY"}])
equal(ask("/a"), (403, '{"message":"Forbidden"}'))
equal(ask("/pets/v1"), (200, "pets live /pets/v1 /"))
equal(aws("apigatewayv2", "delete-routing-rule", "--domain-name", HOST, "--routing-rule-id", stripped["RoutingRuleId"]), None)
equal(ask("/pets/v1"), (403, '{"message":"Forbidden"}'))

# The rest of that API makes APIs of other kinds, which is said.
complaint = aws("apigatewayv2", "get-apis")
assert "(NotImplemented)" in complaint and "butai serves REST APIs" in complaint, complaint
print("ok")
