"""Leaves a key behind for a server that takes no others, or uses it there."""

from system import *

ORDER = sys.argv[1]


def leave():
    api = deploy()
    resource = apigateway.create_resource(restApiId=api, parentId=apigateway.get_rest_api(restApiId=api)["rootResourceId"], pathPart="signed")
    at = {"restApiId": api, "resourceId": resource["id"], "httpMethod": "GET"}
    apigateway.put_method(authorizationType="AWS_IAM", **at)
    apigateway.put_integration(type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}, **at)
    apigateway.put_method_response(statusCode="200", **at)
    apigateway.put_integration_response(statusCode="200", **at)
    apigateway.create_deployment(restApiId=api, stageName="staging")
    iam.create_user(UserName="admin")
    iam.attach_user_policy(UserName="admin", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName="admin")["AccessKey"]
    print(json.dumps({"api": api, "key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}), end="")


def use(left):
    refusal = ("UnrecognizedClientException", "The security token included in the request is invalid.")
    equal(refused(dynamodb.list_tables), refusal)
    equal(refused(lambda_.list_functions), refusal)
    equal(refused(iam.list_users)[0], "InvalidClientTokenId")
    admin = boto3.Session(left["key"], left["secret"], region_name=REGION)
    equal(admin.client("dynamodb").list_tables()["TableNames"], ["users-production", "users-staging"])
    url = "%s/_aws/execute-api/%s/staging/signed" % (os.environ["AWS_ENDPOINT_URL"], left["api"])
    equal(fetch(url, headers=signature({"AccessKeyId": "test", "SecretAccessKey": "test"}, url))[:2], (403, refusal[0]))
    equal(fetch(url, headers=signature({"AccessKeyId": left["key"], "SecretAccessKey": left["secret"]}, url))[0], 200)
    # The function's own keys are issued by the server, and go on working.
    equal(request(left["api"], "staging", "/ada", "Ada")[0], 200)
    equal(admin.client("dynamodb").scan(TableName="users-staging")["Count"], 1)


if ORDER == "leave":
    leave()
else:
    use(json.loads(sys.argv[2]))
print("ok")
