"""Leaves a key behind for a server that takes no others, or uses it there."""

from system import *

ORDER = sys.argv[1]


def leave():
    api = deploy()
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
    # The function's own keys are issued by the server, and go on working.
    equal(request(left["api"], "staging", "/ada", "Ada")[0], 200)
    equal(admin.client("dynamodb").scan(TableName="users-staging")["Count"], 1)


if ORDER == "leave":
    leave()
else:
    use(json.loads(sys.argv[2]))
print("ok")
