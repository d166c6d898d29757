"""Who may call an API: signed requests, policies, Lambda authorizers, user pools' tokens.

Its argument is JSON with tokens by name and the ARN of the pool that issued them.
"""

from system import *

GIVEN = json.loads(sys.argv[1])
sts = boto3.client("sts")

AUTHORIZER = """
def handler(event, context):
    token = event.get("authorizationToken") or event["headers"].get("Authorization")
    if token == "unauthorized":
        raise Exception("Unauthorized")
    if token == "broken":
        raise Exception("boom")
    effect = "Deny" if token == "deny" else "Allow"
    return {
        "principalId": "user|" + token,
        "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}]},
        "context": {"call": context.aws_request_id, "number": 123, "flag": True},
        "usageIdentifierKey": "key-of-" + token + "-" * 20,
    }
"""

ECHO = """
import json
def handler(event, context):
    c = event["requestContext"]
    return {"body": json.dumps({"authorizer": c.get("authorizer"), "identity": c["identity"], "headers": event["headers"]})}
"""


def at(path):
    return "%s/_aws/execute-api/%s/live%s" % (os.environ["AWS_ENDPOINT_URL"], api["id"], path)


def call(path, verb="GET", body=None, headers=None):
    return fetch(at(path), verb, body, headers)


def signed(key, path, verb="GET", body=None, **scope):
    return call(path, verb, body, signature(key, at(path), verb, body, **scope))


def message(text):
    return json.dumps({"message": text}, separators=(",", ":"))


def denied(text):
    return 403, "AccessDeniedException", json.dumps({"Message": text}, separators=(",", ":"))


UNMENTIONED = " because no identity-based policy allows the execute-api:Invoke action"
NO_RESOURCE = " because no resource-based policy allows the execute-api:Invoke action"


def may_not(who, verb, path, suffix=UNMENTIONED):
    return denied("User: %s is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:%s:********0000:%s/live/%s%s%s" % (
        who, REGION, api["id"], verb, path, suffix))


def method(path, verb, **more):
    """A method of a resource behind which the function echoes."""
    if path not in paths:
        paths[path] = apigateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart=path[1:])["id"]
    at = {"restApiId": api["id"], "resourceId": paths[path], "httpMethod": verb}
    apigateway.put_method(**at, **more)
    apigateway.put_integration(type="AWS_PROXY", integrationHttpMethod="POST", uri=invocation(echo), **at)


def invocation(arn):
    return "arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations" % (REGION, arn)


def publish():
    apigateway.create_deployment(restApiId=api["id"], stageName="live", variables={"fn": "guard"})


api = apigateway.create_rest_api(name="access")
paths = {"/": api["rootResourceId"]}
exec_role = role("exec")
echo = function("echo", ECHO, exec_role)
guard = function("guard", AUTHORIZER, exec_role)
execute = "arn:aws:execute-api:%s:%s:%s" % (REGION, ACCOUNT, api["id"])
lambda_.add_permission(FunctionName="echo", StatementId="gateway", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com")

method("/open", "GET", authorizationType="NONE")
method("/signed", "ANY", authorizationType="AWS_IAM")
by_token = apigateway.create_authorizer(
    restApiId=api["id"], name="token", type="TOKEN", identitySource="method.request.header.Authorization",
    authorizerUri=invocation(guard.replace(":guard", ":${stageVariables.fn}")), identityValidationExpression="[a-z]+")
method("/token", "GET", authorizationType="CUSTOM", authorizerId=by_token["id"])
method("/token", "POST", authorizationType="CUSTOM", authorizerId=by_token["id"])
by_pool = apigateway.create_authorizer(restApiId=api["id"], name="pool", type="COGNITO_USER_POOLS", providerARNs=[GIVEN["pool"]],
                                       identitySource="method.request.header.Authorization")
method("/pool", "GET", authorizationType="COGNITO_USER_POOLS", authorizerId=by_pool["id"])
method("/scoped", "GET", authorizationType="COGNITO_USER_POOLS", authorizerId=by_pool["id"], authorizationScopes=["pets/read"])
publish()

# Unsigned, and what others take for a signature.
equal(call("/open")[0], 200)
equal(call("/signed"), (403, "MissingAuthenticationTokenException", message("Missing Authentication Token")))
bearer = call("/signed", headers={"Authorization": "Bearer abc"})
equal(bearer[:2], (403, "IncompleteSignatureException"))
assert bearer[2].startswith('{"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256'), bearer
equal(call("/none", headers={"Authorization": "Bearer abc"}), bearer)
equal(call("/none"), (403, "MissingAuthenticationTokenException", message("Missing Authentication Token")))

# A person whose own policies decide.
iam.create_user(UserName="ada")
ada = iam.create_access_key(UserName="ada")["AccessKey"]
WHO = "arn:aws:iam::%s:user/ada" % ACCOUNT
equal(signed(ada, "/signed"), may_not(WHO, "GET", "/signed"))
iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=policy("Allow", "execute-api:Invoke", execute + "/live/GET/signed"))
got = signed(ada, "/signed?b=2&a=%20x")
equal(got[0], 200)
identity = json.loads(got[2])["identity"]
user = iam.get_user(UserName="ada")["User"]
equal({k: identity[k] for k in ("accountId", "caller", "user", "userArn", "accessKey")},
      {"accountId": ACCOUNT, "caller": user["UserId"], "user": user["UserId"], "userArn": WHO, "accessKey": ada["AccessKeyId"]})
assert "Authorization" not in json.loads(got[2])["headers"], got
equal(signed(ada, "/signed", "POST", b"{}"), may_not(WHO, "POST", "/signed"))
iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=policy("Allow", "execute-api:*", execute + "/*"))
equal(signed(ada, "/signed", "POST", b'{"a": "\xc3\xa9"}')[0], 200)
iam.put_user_policy(UserName="ada", PolicyName="deny", PolicyDocument=policy("Deny", "execute-api:Invoke", execute + "/*/DELETE/*"))
equal(signed(ada, "/signed", "DELETE"), may_not(WHO, "DELETE", "/signed", " with an explicit deny in an identity-based policy"))

# An integration that calls as whoever signed: the function's own policy doesn't count, theirs do.
user_table("forwarded")
for path, name, uri in [("/forward", "lambda", invocation(echo)), ("/table", "dynamodb", "arn:aws:apigateway:%s:dynamodb:action/DescribeTable" % REGION)]:
    paths[path] = apigateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart=path[1:])["id"]
    on = {"restApiId": api["id"], "resourceId": paths[path], "httpMethod": "POST"}
    apigateway.put_method(authorizationType="AWS_IAM", **on)
    apigateway.put_integration(
        type="AWS_PROXY" if name == "lambda" else "AWS", integrationHttpMethod="POST", uri=uri, credentials="arn:aws:iam::*:user/*", **on)
    apigateway.put_method_response(statusCode="200", **on)
    apigateway.put_method_response(statusCode="400", **on)
    if name == "dynamodb":
        apigateway.put_integration_response(statusCode="200", **on)
        apigateway.put_integration_response(statusCode="400", selectionPattern="4..", **on)
publish()
TABLE = b'{"TableName": "forwarded"}'
equal(signed(ada, "/forward", "POST", b"{}")[0], 500)
refusal = signed(ada, "/table", "POST", TABLE)
equal(refusal[0], 400)
assert "User: %s is not authorized to perform: dynamodb:DescribeTable" % WHO in refusal[2], refusal
iam.put_user_policy(UserName="ada", PolicyName="behind", PolicyDocument=policy("Allow", ["lambda:InvokeFunction", "dynamodb:DescribeTable"]))
equal(signed(ada, "/forward", "POST", b"{}")[0], 200)
equal(json.loads(signed(ada, "/table", "POST", TABLE)[2])["Table"]["TableName"], "forwarded")
equal(signed({"AccessKeyId": "test", "SecretAccessKey": "test"}, "/table", "POST", TABLE)[0], 200)  # the root user

# Signatures that are wrong.
wrong = signed(dict(ada, SecretAccessKey="x"), "/signed")
equal(wrong[:2], (403, "InvalidSignatureException"))
assert wrong[2].startswith('{"message":"The request signature we calculated does not match the signature you provided. '), wrong
equal(signed(ada, "/signed", service="lambda"), (403, "InvalidSignatureException",
      message("Credential should be scoped to correct service: 'execute-api'. ")))
equal(signed(ada, "/signed", region="eu-west-1"), (403, "InvalidSignatureException", message("Credential should be scoped to a valid region. ")))
iam.update_access_key(UserName="ada", AccessKeyId=ada["AccessKeyId"], Status="Inactive")
equal(signed(ada, "/signed"), (403, "UnrecognizedClientException", message("The security token included in the request is invalid.")))
iam.update_access_key(UserName="ada", AccessKeyId=ada["AccessKeyId"], Status="Active")

# A key that nobody issued is the account's root user; a session is its role's.
stranger = {"AccessKeyId": "test", "SecretAccessKey": "test"}
equal(json.loads(signed(stranger, "/signed")[2])["identity"]["userArn"], "arn:aws:iam::%s:root" % ACCOUNT)
iam.create_role(RoleName="caller", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::%s:root" % ACCOUNT}}]}))
session = sts.assume_role(RoleArn="arn:aws:iam::%s:role/caller" % ACCOUNT, RoleSessionName="session")["Credentials"]
equal(signed(session, "/signed"), may_not("arn:aws:sts::%s:assumed-role/caller/session" % ACCOUNT, "GET", "/signed"))
iam.put_role_policy(RoleName="caller", PolicyName="p", PolicyDocument=policy("Allow", "execute-api:Invoke"))
equal(json.loads(signed(session, "/signed")[2])["identity"]["userArn"], "arn:aws:sts::%s:assumed-role/caller/session" % ACCOUNT)
equal(signed(dict(session, SessionToken="x"), "/signed")[1], "UnrecognizedClientException")

# A Lambda authorizer: without permission, then with.
def token(t, verb="GET"):
    return call("/token", verb, headers={"Authorization": t} if t else {})

misconfigured = (500, "AuthorizerConfigurationException", '{"message":null}')
unauthorized = (401, "UnauthorizedException", message("Unauthorized"))
equal(token("allow"), misconfigured)
lambda_.add_permission(
    FunctionName="guard", StatementId="gateway", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
    SourceArn=execute + "/authorizers/" + by_token["id"])
status, _, body = token("allow")
equal(status, 200)
context = json.loads(body)["authorizer"]
equal({k: context[k] for k in ("principalId", "number", "flag")}, {"principalId": "user|allow", "number": "123", "flag": "true"})
assert context["integrationLatency"] > 0, context
again = json.loads(token("allow")[2])["authorizer"]
equal((again["call"], again["integrationLatency"]), (context["call"], 0))
equal(token("allow", "POST"), denied("User is not authorized to access this resource" + UNMENTIONED))  # the kept policy is for GET
equal(token("deny"), denied("User is not authorized to access this resource with an explicit deny in an identity-based policy"))
for t, want in {None: unauthorized, "NOT THIS": unauthorized, "unauthorized": unauthorized, "broken": misconfigured}.items():
    equal(token(t), want)
apigateway.flush_stage_authorizers_cache(restApiId=api["id"], stageName="live")
assert json.loads(token("allow")[2])["authorizer"]["call"] != context["call"]

# The key that it returns is the caller's API key.
apigateway.update_rest_api(restApiId=api["id"], patchOperations=[{"op": "replace", "path": "/apiKeySource", "value": "AUTHORIZER"}])
method("/metered", "GET", authorizationType="CUSTOM", authorizerId=by_token["id"], apiKeyRequired=True)
publish()
metered = lambda t: call("/metered", headers={"Authorization": t, "x-api-key": "key-of-allow" + "-" * 20})
equal(metered("allow"), (403, "ForbiddenException", message("Forbidden")))
key = apigateway.create_api_key(name="k", value="key-of-allow" + "-" * 20, enabled=True)
plan = apigateway.create_usage_plan(name="p", apiStages=[{"apiId": api["id"], "stage": "live"}])
apigateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
status, _, body = metered("allow")
equal((status, json.loads(body)["identity"]["apiKeyId"]), (200, key["id"]))
equal(metered("other"), (403, "ForbiddenException", message("Forbidden")))  # the header doesn't count

# As a role, which needs no permission of the function's, but one of its own.
guardian = role("guardian", "apigateway.amazonaws.com")
by_role = apigateway.create_authorizer(
    restApiId=api["id"], name="role", type="REQUEST", identitySource="method.request.header.Authorization", authorizerResultTtlInSeconds=0,
    authorizerUri=invocation(guard), authorizerCredentials=guardian)
method("/role", "GET", authorizationType="CUSTOM", authorizerId=by_role["id"])
publish()
equal(call("/role", headers={"Authorization": "allow"}), misconfigured)
iam.put_role_policy(RoleName="guardian", PolicyName="p", PolicyDocument=policy("Allow", "lambda:InvokeFunction", guard))
equal(json.loads(call("/role", headers={"Authorization": "allow"})[2])["authorizer"]["principalId"], "user|allow")

tested = apigateway.test_invoke_authorizer(
    restApiId=api["id"], authorizerId=by_token["id"], headers={"Authorization": "allow"}, stageVariables={"fn": "guard"})
equal((tested["clientStatus"], tested["principalId"]), (200, "user|allow"))
equal(json.loads(tested["policy"])["Statement"][0]["Resource"], execute + "/ESTestInvoke-stage/GET/")
assert tested["log"].startswith("Execution log for request ") and " : Successfully completed authorizer execution\n" in tested["log"], tested
code, text = refused(apigateway.delete_authorizer, restApiId=api["id"], authorizerId=by_token["id"])
equal(code, "ConflictException")
# Two methods have it; which of them is named depends on the ids of their resources.
assert text in ["Cannot delete authorizer 'token', is referenced in method: GET//" + path for path in ("token", "metered")], text

# Tokens of a user pool.
def pool(path, name):
    return call(path, headers={"Authorization": GIVEN["tokens"].get(name, name)})

status, _, body = pool("/pool", "id")
equal(status, 200)
claims = json.loads(body)["authorizer"]["claims"]
equal((claims["sub"], claims["cognito:groups"], claims["exp"]), ("ada", "admins,users", GIVEN["exp"]))
equal(pool("/scoped", "access")[0], 200)
for path, name in [("/pool", "access"), ("/pool", "forged"), ("/pool", "stranger"), ("/pool", "junk"), ("/scoped", "id"), ("/scoped", "unscoped")]:
    equal(pool(path, name), unauthorized)
equal(pool("/pool", "expired"), (401, "UnauthorizedException", message("The incoming token has expired")))

# Resource policies, which act from the next deployment on.
def guard_with(*statements):
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    apigateway.update_rest_api(restApiId=api["id"], patchOperations=[{"op": "replace", "path": "/policy", "value": document}])

ALL = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/live/GET/*"}
guard_with(dict(ALL, Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))
equal(call("/open")[0], 200)
publish()
anonymous = may_not("anonymous", "GET", "/open", NO_RESOURCE)
equal(call("/open"), anonymous)
equal(signed(ada, "/signed")[0], 200)  # her own policy is enough within the account
equal(token("allow")[0], 200)
equal(pool("/pool", "id"), may_not("anonymous", "GET", "/pool", NO_RESOURCE))
guard_with(ALL, dict(ALL, Effect="Deny", Principal={"AWS": WHO}))
publish()
equal(call("/open")[0], 200)
equal(pool("/pool", "id")[0], 200)
equal(signed(ada, "/signed"), may_not(WHO, "GET", "/signed", " with an explicit deny in a resource-based policy"))
equal(signed(session, "/signed")[0], 200)

# Another account needs both sides' permission.
other = {"AccessKeyId": "111111111111", "SecretAccessKey": "x"}
guard_with(dict(ALL, Principal={"AWS": "arn:aws:iam::%s:root" % ACCOUNT}))
publish()
equal(signed(other, "/signed"), may_not("arn:aws:iam::111111111111:root", "GET", "/signed", NO_RESOURCE))
guard_with(dict(ALL, Principal={"AWS": "arn:aws:iam::111111111111:root"}))
publish()
equal(signed(other, "/signed")[0], 200)
equal(call("/open"), anonymous)
equal(refused(apigateway.update_rest_api, restApiId=api["id"], patchOperations=[{"op": "replace", "path": "/policy", "value": '{"Statement": []}'}]), (
    "BadRequestException", "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."))
print("ok")
