"""Leaves a whole system behind ("leave"), or finds it again ("find")."""

import http.client
import socket
import ssl
import urllib.parse

from system import *

ORDER, SECURE, CA = sys.argv[1:4]
HOST = "users.sample.example"


def leave():
    api = deploy()
    for stage in STAGES:
        equal(request(api, stage, "/ada", "Ada of " + stage)[0], 200)
    lambda_.publish_version(FunctionName="users")
    lambda_.update_alias(FunctionName="users", Name="production", FunctionVersion="1")
    lambda_.update_function_code(FunctionName="users", ZipFile=zipped(HANDLER.replace("return user", 'return {**user, "new": True}')))
    wait(lambda_, "function_updated_v2", FunctionName="users")
    iam.create_user(UserName="ada")
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=policy("Allow", "dynamodb:Scan"))
    domain(api)
    print(json.dumps({"api": api, "key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}), end="")


def domain(api):
    certificate = issued("sample.example")
    apigateway.create_domain_name(
        domainName=HOST, regionalCertificateArn=certificate, endpointConfiguration={"types": ["REGIONAL"]})
    apigateway.create_base_path_mapping(domainName=HOST, basePath="v1", restApiId=api, stage="production")


def by_name(path):
    """Asks the domain over HTTPS, trusting butai's authority alone."""
    secure = urllib.parse.urlsplit(SECURE)
    trusted = ssl.create_default_context(cafile=CA)
    with socket.create_connection((secure.hostname, secure.port)) as plain, trusted.wrap_socket(plain, server_hostname=HOST) as tls:
        connection = http.client.HTTPConnection(HOST)
        connection.sock = tls
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def find(left):
    api = left["api"]
    status, body = request(api, "staging", "/ada")
    equal((status, json.loads(body)), (200, {"id": "ada", "name": "Ada of staging", "new": True}))
    production = (200, {"id": "ada", "name": "Ada of production"})
    status, body = request(api, "production", "/ada")
    equal((status, json.loads(body)), production)
    equal(by_name("/v1/ada"), production)
    hers = boto3.client("dynamodb", aws_access_key_id=left["key"], aws_secret_access_key=left["secret"])
    equal(hers.scan(TableName="users-staging")["Count"], 1)
    equal(refused(hers.put_item, TableName="users-staging", Item={"id": {"S": "x"}})[0], "AccessDeniedException")
    return api


def find_again(left):
    api = find(left)
    # Log lines from before: this process made one call of each stage, the
    # other one two.
    lines = [e["message"] for e in logs.filter_log_events(logGroupName="/aws/lambda/users")["events"]]
    assert sum(line.startswith("START ") for line in lines) >= 4, lines
    # Numbers go on where they were, and everything can still be changed.
    equal(lambda_.publish_version(FunctionName="users")["Version"], "2")
    equal(request(api, "staging", "/eve", "Eve")[0], 200)
    resource = next(r for r in apigateway.get_resources(restApiId=api)["items"] if r["path"] == "/{id}")
    apigateway.delete_method(restApiId=api, resourceId=resource["id"], httpMethod="POST")
    equal(request(api, "staging", "/eve", "Eve")[0], 200)
    apigateway.create_deployment(restApiId=api, stageName="staging")
    equal(request(api, "staging", "/eve", "Eve")[0], 403)
    equal(request(api, "production", "/eve", "Eve")[0], 200)


if ORDER == "leave":
    leave()
else:
    find_again(json.loads(sys.argv[4]))
print("ok")
