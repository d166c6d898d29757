"""One function behind one API with two stages, deployed and used through boto3.

Each script beside this one imports it, asserts, and prints "ok" at its end.
"""

import io
import json
import os
import sys
import time
import urllib.error
import urllib.request
import zipfile

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
from botocore.exceptions import ClientError

REGION = "us-east-1"
ACCOUNT = "000000000000"
STAGES = ["staging", "production"]
RUNTIME = "python3.%d" % sys.version_info.minor  # this one has boto3

HANDLER = """
import boto3
tables = boto3.resource("dynamodb")
def handler(event, context):
    table = tables.Table("users-" + event["stage"])
    if "name" in event:
        table.put_item(Item={"id": event["id"], "name": event["name"]})
    user = table.get_item(Key={"id": event["id"]}).get("Item")
    if user is None:
        raise Exception("400: no user " + event["id"])
    return user
"""

acm = boto3.client("acm")
apigateway = boto3.client("apigateway")
dynamodb = boto3.client("dynamodb")
iam = boto3.client("iam")
lambda_ = boto3.client("lambda")
logs = boto3.client("logs")
route53 = boto3.client("route53")


def wait(client, name, **arguments):
    """Runs a waiter of boto3's, but asks every second."""
    client.get_waiter(name).wait(WaiterConfig={"Delay": 1}, **arguments)


def trust(*services):
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": list(services)}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(effect, actions, resources="*"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": actions, "Resource": resources}]})


def role(name, service="lambda.amazonaws.com"):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]


def zipped(source):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        info = zipfile.ZipInfo("main.py")
        info.external_attr = 0o644 << 16  # functions run as somebody else
        z.writestr(info, source)
    return out.getvalue()


def function(name, source, role_arn, **more):
    made = lambda_.create_function(
        FunctionName=name, Role=role_arn, Handler="main.handler", Runtime=RUNTIME,
        Code={"ZipFile": zipped(source)}, **({"Timeout": 20, "MemorySize": 256} | more))
    wait(lambda_, "function_active_v2", FunctionName=name)
    return made["FunctionArn"]


def invoke(name, event=None, **more):
    """Returns the answer and its payload, decoded."""
    answer = lambda_.invoke(FunctionName=name, Payload=json.dumps(event), **more)
    payload = answer["Payload"].read()
    return answer, json.loads(payload) if payload else None


def user_table(name):
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
    wait(dynamodb, "table_exists", TableName=name)


def permit(stage):
    lambda_.add_permission(
        FunctionName="users", Qualifier=stage, StatementId="gateway-" + stage,
        Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com")


def deploy():
    """Deploys it all and returns the API's id."""
    for stage in STAGES:
        user_table("users-" + stage)
    arn = role("users")
    iam.put_role_policy(
        RoleName="users", PolicyName="tables",
        PolicyDocument=policy("Allow", ["dynamodb:GetItem", "dynamodb:PutItem"], "arn:aws:dynamodb:*:*:table/users-*"))
    iam.attach_role_policy(RoleName="users", PolicyArn="arn:aws:iam::aws:policy/AWSLambdaExecute")
    arn = function("users", HANDLER, arn)
    for stage in STAGES:
        lambda_.create_alias(FunctionName="users", Name=stage, FunctionVersion="$LATEST")
        permit(stage)
    api = apigateway.create_rest_api(name="users")
    resource = apigateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="{id}")
    for method, template in {
        "GET": """{"id": "$input.params('id')", "stage": "$stageVariables.stage"}""",
        "POST": """{"id": "$input.params('id')", "stage": "$stageVariables.stage", "name": "$input.path('$.name')"}""",
    }.items():
        at = {"restApiId": api["id"], "resourceId": resource["id"], "httpMethod": method}
        apigateway.put_method(authorizationType="NONE", **at)
        apigateway.put_integration(
            type="AWS", integrationHttpMethod="POST", requestTemplates={"application/json": template},
            uri="arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/%s:${stageVariables.stage}/invocations" % (REGION, arn), **at)
        for status, pattern in {"200": None, "400": "400: .*"}.items():
            apigateway.put_method_response(statusCode=status, **at)
            apigateway.put_integration_response(statusCode=status, **({"selectionPattern": pattern} if pattern else {}), **at)
    for stage in STAGES:
        apigateway.create_deployment(restApiId=api["id"], stageName=stage, variables={"stage": stage})
    return api["id"]


def issued(parent):
    """Makes a hosted zone and a certificate for the names below it, and waits until that is issued."""
    zone = route53.create_hosted_zone(Name=parent, CallerReference=parent)["HostedZone"]["Id"]
    certificate = acm.request_certificate(DomainName="*." + parent, ValidationMethod="DNS")["CertificateArn"]
    while "ResourceRecord" not in (option := acm.describe_certificate(CertificateArn=certificate)["Certificate"]["DomainValidationOptions"][0]):
        time.sleep(0.2)
    proof = option["ResourceRecord"]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
        "Name": proof["Name"], "Type": proof["Type"], "TTL": 60, "ResourceRecords": [{"Value": proof["Value"]}]}}]})
    wait(acm, "certificate_validated", CertificateArn=certificate)
    return certificate


def request(api, stage, path, name=None):
    """Gets a user, or posts one with a name; returns status and body."""
    url = "%s/_aws/execute-api/%s/%s%s" % (os.environ["AWS_ENDPOINT_URL"], api, stage, path)
    body = json.dumps({"name": name}).encode() if name else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"})) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def signature(key, url, verb="GET", body=None, service="execute-api", region=REGION):
    """Returns the headers of a request that botocore has signed with a key as IAM and STS answer it."""
    unsigned = botocore.awsrequest.AWSRequest(verb, url, data=body)
    credentials = botocore.credentials.Credentials(key["AccessKeyId"], key["SecretAccessKey"], key.get("SessionToken"))
    botocore.auth.SigV4Auth(credentials, service, region).add_auth(unsigned)
    return dict(unsigned.headers)


def fetch(url, verb="GET", body=None, headers=None):
    """Calls an API and returns status, error type and body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}, method=verb)) as answer:
            return answer.status, None, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers["x-amzn-ErrorType"], answer.read().decode()


def refused(call, **arguments):
    """Expects an error of AWS's and returns its code and message."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("it was not refused: %s %s" % (call, arguments))


def logged(group, text, seconds=20):
    """Waits until a line of the log group holds the text and returns its message."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
                for event in page["events"]:
                    if text in event["message"]:
                        return event["message"]
        except logs.exceptions.ResourceNotFoundException:
            pass
        assert time.monotonic() < deadline, "%s does not hold %r" % (group, text)
        time.sleep(0.1)


def equal(got, want):
    assert got == want, "\n got: %r\nwant: %r" % (got, want)
