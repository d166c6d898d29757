"""Each account and each region has a state of its own; IAM is the account's."""

from system import *


def at(service, account=ACCOUNT, region=REGION):
    return boto3.client(service, aws_access_key_id=account, aws_secret_access_key="any", region_name=region)


OTHER = "123456789012"
user_table("here")
equal(at("dynamodb").list_tables()["TableNames"], ["here"])
equal(at("dynamodb", region="ap-northeast-1").list_tables()["TableNames"], [])
equal(at("dynamodb", account=OTHER).list_tables()["TableNames"], [])
equal(at("sts", account=OTHER).get_caller_identity()["Account"], OTHER)
equal(at("sts", account="AKIAIOSFODNN7EXAMPLE").get_caller_identity()["Account"], ACCOUNT)

role("same")
at("iam", region="us-west-2").get_role(RoleName="same")
equal(refused(at("iam", account=OTHER).get_role, RoleName="same")[0], "NoSuchEntity")

# One name, three functions.
SOURCE = "def handler(event, context): return context.invoked_function_arn"
for account, region in [(ACCOUNT, REGION), (ACCOUNT, "ap-northeast-1"), (OTHER, REGION)]:
    if account == OTHER:
        at("iam", account).create_role(RoleName="same", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    client = at("lambda", account, region)
    arn = client.create_function(
        FunctionName="same", Role="arn:aws:iam::%s:role/same" % account, Handler="main.handler", Runtime=RUNTIME,
        Code={"ZipFile": zipped(SOURCE)})["FunctionArn"]
    equal(arn, "arn:aws:lambda:%s:%s:function:same" % (region, account))
    wait(client, "function_active_v2", FunctionName="same")
    equal(json.load(client.invoke(FunctionName="same")["Payload"]), arn)
    equal(len(client.list_functions()["Functions"]), 1)
# The name must be the caller's region's; another account's needs permission.
equal(refused(at("lambda", OTHER).invoke, FunctionName="arn:aws:lambda:%s:%s:function:same" % (REGION, ACCOUNT))[0], "AccessDeniedException")
lambda_.add_permission(FunctionName="same", StatementId="other", Action="lambda:InvokeFunction", Principal=OTHER)
arn = "arn:aws:lambda:%s:%s:function:same" % (REGION, ACCOUNT)
equal(json.load(at("lambda", OTHER).invoke(FunctionName=arn)["Payload"]), arn)
print("ok")
