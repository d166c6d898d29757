"""API keys, usage plans and request validation.

plans.py leave   uses some of a quota
plans.py find    finds it used by the next server
plans.py         everything else
"""

import datetime

from system import *


def mock(name, **method):
    """An API whose GET and POST / answer with the caller's key, served by the stage live."""
    api = apigateway.create_rest_api(name=name)
    for verb in ["GET", "POST"]:
        at = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": verb}
        more = {key: value(api["id"]) if callable(value) else value for key, value in method.items()}
        apigateway.put_method(**at, **({"authorizationType": "NONE"} | more))
        apigateway.put_integration(type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}, **at)
        apigateway.put_method_response(statusCode="200", **at)
        apigateway.put_integration_response(
            statusCode="200", responseTemplates={"application/json": "$context.identity.apiKeyId"}, **at)
    apigateway.create_deployment(restApiId=api["id"], stageName="live")
    return api["id"]


def call(api, key=None, body=None, headers={}):
    url = "%s/_aws/execute-api/%s/live/" % (os.environ["AWS_ENDPOINT_URL"], api)
    headers = {"Content-Type": "application/json"} | headers | ({"X-API-Key": key} if key else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def customer(name, **plan):
    """A key in a plan of its own; returns the ids of both and the key's value."""
    key = apigateway.create_api_key(name=name, enabled=True)
    plan = apigateway.create_usage_plan(name=name, **plan)
    apigateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    return plan["id"], key["id"], key["value"]


def used(plan, key):
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return apigateway.get_usage(usagePlanId=plan, keyId=key, startDate=today, endDate=today)["items"][key][0]


FORBIDDEN = (403, '{"message":"Forbidden"}')
LIMIT_EXCEEDED = (429, '{"message":"Limit Exceeded"}')
TOO_MANY = (429, '{"message":"Too Many Requests"}')


def keys():
    api = mock("keys", apiKeyRequired=True)
    stage = [{"apiId": api, "stage": "live"}]
    plan, key, value = customer("keys", apiStages=stage)
    equal(call(api), FORBIDDEN)
    equal(call(api, "0" * 20), FORBIDDEN)
    equal(call(api, value), (200, key))
    apigateway.update_api_key(apiKey=key, patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}])
    equal(call(api, value), FORBIDDEN)
    apigateway.update_api_key(apiKey=key, patchOperations=[{"op": "replace", "path": "/enabled", "value": "true"}])
    equal(call(api, value)[0], 200)
    change = {"path": "/apiStages", "value": api + ":live"}
    apigateway.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "remove"} | change])
    equal(call(api, value), FORBIDDEN)
    apigateway.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "add"} | change])
    apigateway.delete_usage_plan_key(usagePlanId=plan, keyId=key)
    equal(call(api, value), FORBIDDEN)
    # A key file: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-key-file-format.html
    file = "name,key,enabled,usageplanIds\nimported,apikey1234abcdefghij0123456789,true," + plan
    ids = apigateway.import_api_keys(body=file.encode(), format="csv")["ids"]
    equal(call(api, "apikey1234abcdefghij0123456789"), (200, ids[0]))
    equal([k["name"] for k in apigateway.get_api_keys(nameQuery="impo", includeValues=True)["items"]], ["imported"])
    code, text = refused(apigateway.delete_usage_plan, usagePlanId=plan)
    equal((code, text.split(" because ")[1]), ("BadRequestException", "there are API Stages associated with it, including %s:live" % api))


def limits():
    api = mock("limits", apiKeyRequired=True)
    stage = [{"apiId": api, "stage": "live", "throttle": {"//POST": {"rateLimit": 0.001, "burstLimit": 1}}}]
    plan, key, value = customer("limits", apiStages=stage, quota={"limit": 3, "period": "DAY"})
    equal([call(api, value, b"{}")[0] for _ in range(3)], [200, 429, 429])
    equal(call(api, value, b"{}"), TOO_MANY)
    equal([call(api, value)[0] for _ in range(3)], [200, 200, 429])
    equal(call(api, value), LIMIT_EXCEEDED)
    equal(used(plan, key), [3, 0])
    more = apigateway.update_usage(usagePlanId=plan, keyId=key, patchOperations=[{"op": "replace", "path": "/remaining", "value": "1"}])
    equal(more["items"][key], [[3, 1]])
    equal([call(api, value)[0] for _ in range(2)], [200, 429])
    apigateway.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "replace", "path": "/throttle/rateLimit", "value": "0.001"},
                                                                    {"op": "replace", "path": "/throttle/burstLimit", "value": "1"},
                                                                    {"op": "remove", "path": "/quota"}])
    equal([call(api, value)[0] for _ in range(3)], [200, 429, 429])


def authorizer():
    """The key that an authorizer names is the caller's, whatever the header says."""
    plan, key, value = customer("authorizer")
    arn = function("authorizer", """
def handler(event, context):
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    return {"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": [allow]}, "usageIdentifierKey": event["authorizationToken"]}
""", role("authorizer"))
    lambda_.add_permission(FunctionName="authorizer", StatementId="gateway", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com")
    authorizers = {}

    def made(api):
        if api not in authorizers:
            authorizers[api] = apigateway.create_authorizer(
                restApiId=api, name="a", type="TOKEN", identitySource="method.request.header.Authorization",
                authorizerUri="arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations" % (REGION, arn))["id"]
        return authorizers[api]

    api = mock("authorizer", apiKeyRequired=True, authorizationType="CUSTOM", authorizerId=made)
    apigateway.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "add", "path": "/apiStages", "value": api + ":live"}])
    apigateway.update_rest_api(restApiId=api, patchOperations=[{"op": "replace", "path": "/apiKeySource", "value": "AUTHORIZER"}])
    equal(call(api, value, headers={"Authorization": "x" * 20})[0], 200)  # not deployed yet: the header counts
    apigateway.create_deployment(restApiId=api, stageName="live")
    equal(call(api, value, headers={"Authorization": "x" * 20}), FORBIDDEN)
    equal(call(api, headers={"Authorization": value}), (200, key))


def validation():
    schema = {"title": "Sum", "type": "object", "required": ["a", "b"], "properties": {"a": {"type": "number"}, "b": {"type": "number"}}}

    def validator(api):
        apigateway.create_model(restApiId=api, name="Sum", contentType="application/json", schema=json.dumps(schema))
        return apigateway.create_request_validator(restApiId=api, name="both", validateRequestBody=True, validateRequestParameters=True)["id"]

    validators = {}
    api = mock("validation", requestValidatorId=lambda api: validators.setdefault(api, validators.get(api) or validator(api)),
               requestParameters={"method.request.header.X-Who": True}, requestModels={"application/json": "Sum"})
    who = {"X-Who": "me"}
    equal(call(api), (400, '{"message": "Missing required request parameters: [X-Who]"}'))
    equal(call(api, headers=who), (400, '{"message": "Invalid request body"}'))
    equal(call(api, body=b'{"a": 1}', headers=who), (400, '{"message": "Invalid request body"}'))
    equal(call(api, body=b'{"a": 1, "b": 2}', headers=who)[0], 200)
    apigateway.put_gateway_response(restApiId=api, responseType="BAD_REQUEST_BODY", statusCode="422",
                                    responseTemplates={"application/json": "$context.error.validationErrorString"})
    apigateway.create_deployment(restApiId=api, stageName="live")
    equal(call(api, body=b'{"a": "1", "b": 2}', headers=who),
          (422, '[instance type (string) does not match any allowed primitive type (allowed: ["integer","number"])]'))
    equal(refused(apigateway.delete_model, restApiId=api, modelName="Sum"),
          ("ConflictException", "Cannot delete model 'Sum', is referenced in method request: //GET"))
    equal(apigateway.get_model_template(restApiId=api, modelName="Sum")["value"], "#set($inputRoot = $input.path('$'))\n{\n  \"a\" : 42,\n  \"b\" : 42\n}")
    apigateway.create_usage_plan(name="of validation", apiStages=[{"apiId": api, "stage": "live"}])
    apigateway.delete_rest_api(restApiId=api)


def forms():
    """What examples/forms does with Terraform."""
    example = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "forms")
    with open(os.path.join(example, "main.py")) as source, open(os.path.join(example, "form.vtl")) as template:
        source, template = source.read(), template.read()
    arn = function("form", source, role("form"))
    lambda_.add_permission(FunctionName="form", StatementId="gateway", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com")
    api = apigateway.create_rest_api(name="form")
    at = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "POST"}
    apigateway.put_method(authorizationType="NONE", **at)
    apigateway.put_integration(
        type="AWS", integrationHttpMethod="POST", passthroughBehavior="NEVER", requestTemplates={"application/x-www-form-urlencoded": template},
        uri="arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations" % (REGION, arn), **at)
    apigateway.put_method_response(statusCode="200", **at)
    apigateway.put_integration_response(statusCode="200", **at)
    apigateway.create_deployment(restApiId=api["id"], stageName="live")
    status, body = call(api["id"], body=b"name=Ada+Lovelace&note=1%2B1%3D2&quote=it%27s+%22x%22&empty=&%C3%A4=%E2%82%AC",
                        headers={"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"})
    equal((status, json.loads(body)), (200, {"hello": "Ada Lovelace", "fields": {
        "name": "Ada Lovelace", "note": "1+1=2", "quote": "it's \"x\"", "empty": "", "\u00e4": "\u20ac"}}))
    equal(call(api["id"], body=b"{}"), (415, '{"message": "Unsupported Media Type"}'))


def leave():
    api = mock("left", apiKeyRequired=True)
    plan, key, value = customer("left", apiStages=[{"apiId": api, "stage": "live"}], quota={"limit": 5, "period": "MONTH"})
    equal([call(api, value)[0] for _ in range(3)], [200] * 3)
    equal(used(plan, key), [3, 2])


def find():
    plan = apigateway.get_usage_plans()["items"][0]
    key = apigateway.get_usage_plan_keys(usagePlanId=plan["id"])["items"][0]
    equal(used(plan["id"], key["id"])[1], 2)
    equal([call(plan["apiStages"][0]["apiId"], key["value"])[0] for _ in range(3)], [200, 200, 429])


if sys.argv[1:]:
    {"leave": leave, "find": find}[sys.argv[1]]()
else:
    for part in keys, limits, authorizer, validation, forms:
        part()
print("ok")
