"""API Gateway may call an alias only with a permission on that alias."""

from system import *

api = deploy()
role("gateway-logs", "apigateway.amazonaws.com")
iam.attach_role_policy(
    RoleName="gateway-logs", PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")
apigateway.update_account(patchOperations=[
    {"op": "replace", "path": "/cloudwatchRoleArn", "value": "arn:aws:iam::%s:role/gateway-logs" % ACCOUNT}])
for stage in STAGES:
    apigateway.update_stage(restApiId=api, stageName=stage, patchOperations=[
        {"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"},
        {"op": "replace", "path": "/*/*/logging/dataTrace", "value": "true"}])
    equal(request(api, stage, "/ada", "Ada")[0], 200)

logs.create_log_group(logGroupName="access")
access = logs.describe_log_groups(logGroupNamePrefix="access")["logGroups"][0]["logGroupArn"]
apigateway.update_stage(restApiId=api, stageName="staging", patchOperations=[
    {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": access},
    {"op": "replace", "path": "/accessLogSettings/format", "value": "$context.httpMethod $context.resourcePath $context.status"}])

lambda_.remove_permission(FunctionName="users", Qualifier="production", StatementId="gateway-production")
equal(request(api, "production", "/ada"), (500, '{"message": "Internal server error"}'))
status, body = request(api, "staging", "/ada")
equal((status, json.loads(body)), (200, {"id": "ada", "name": "Ada"}))

group = "API-Gateway-Execution-Logs_%s/" % api
line = logged(group + "production", "Invalid permissions on Lambda function")
assert "Execution failed due to configuration error" in line, line
logged(group + "staging", "Method completed with status: 200")
logged(group + "staging", '{"id": "ada", "stage": "staging"}')
equal(logged("access", "GET").strip(), "GET /{id} 200")

# A permission on another alias, or on the function itself, is none on this.
lambda_.add_permission(
    FunctionName="users", StatementId="gateway", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com")
equal(request(api, "production", "/ada")[0], 500)
permit("production")
equal(request(api, "production", "/ada")[0], 200)

# The source ARN must be this API's.
lambda_.remove_permission(FunctionName="users", Qualifier="production", StatementId="gateway-production")
lambda_.add_permission(
    FunctionName="users", Qualifier="production", StatementId="other", Action="lambda:InvokeFunction",
    Principal="apigateway.amazonaws.com", SourceArn="arn:aws:execute-api:%s:%s:%s/*/*" % (REGION, ACCOUNT, "zzzzzzzzzz"))
equal(request(api, "production", "/ada")[0], 500)
lambda_.add_permission(
    FunctionName="users", Qualifier="production", StatementId="this", Action="lambda:InvokeFunction",
    Principal="apigateway.amazonaws.com", SourceArn="arn:aws:execute-api:%s:%s:%s/*/GET/*" % (REGION, ACCOUNT, api))
equal(request(api, "production", "/ada")[0], 200)
equal(request(api, "production", "/ada", "Ada")[0], 500)
print("ok")
