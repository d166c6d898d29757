"""Functions and people can do what their policies allow, and nothing else."""

from system import *

SOURCE = """
import os
import boto3
from botocore.exceptions import ClientError
def handler(event, context):
    keys = {name: os.environ.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN")}
    try:
        boto3.client("dynamodb").put_item(TableName="plain", Item={"id": {"S": event}})
        return {"error": None, "who": boto3.client("sts").get_caller_identity()["Arn"], **keys}
    except ClientError as error:
        return {"error": [error.response["Error"]["Code"], error.response["Error"]["Message"],
                          error.response["ResponseMetadata"]["HTTPStatusCode"]], **keys}
"""

user_table("plain")
function("writer", SOURCE, role("writer-role"))
ARN = "arn:aws:dynamodb:%s:%s:table/plain" % (REGION, ACCOUNT)
WHO = "arn:aws:sts::%s:assumed-role/writer-role/writer" % ACCOUNT
DENIED = "User: %s is not authorized to perform: dynamodb:PutItem on resource: %s " % (WHO, ARN)

# No policy, then one for another action: refused, and nothing is written.
for actions in [None, ["dynamodb:GetItem"]]:
    if actions:
        iam.put_role_policy(RoleName="writer-role", PolicyName="p", PolicyDocument=policy("Allow", actions, ARN))
    _, got = invoke("writer", "one")
    equal(got["error"], ["AccessDeniedException", DENIED + "because no identity-based policy allows the dynamodb:PutItem action", 400])
    equal(dynamodb.scan(TableName="plain")["Count"], 0)
assert got["AWS_ACCESS_KEY_ID"].startswith("ASIA") and got["AWS_SESSION_TOKEN"], got

iam.put_role_policy(RoleName="writer-role", PolicyName="p", PolicyDocument=policy("Allow", ["dynamodb:PutItem"], ARN))
_, got = invoke("writer", "two")
equal((got["error"], got["who"]), (None, WHO))
equal([i["id"]["S"] for i in dynamodb.scan(TableName="plain")["Items"]], ["two"])

iam.put_role_policy(RoleName="writer-role", PolicyName="deny", PolicyDocument=policy("Deny", "dynamodb:*", ARN))
_, got = invoke("writer", "three")
equal(got["error"][:2], ["AccessDeniedException", DENIED + "with an explicit deny in an identity-based policy"])
equal(dynamodb.scan(TableName="plain")["Count"], 1)

# A person's key.
iam.create_user(UserName="ada")
key = iam.create_access_key(UserName="ada")["AccessKey"]
assert key["AccessKeyId"].startswith("AKIA"), key


def of_ada(service, secret=key["SecretAccessKey"]):
    return boto3.client(service, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=secret)


hers = of_ada("dynamodb")
equal(of_ada("sts").get_caller_identity()["Arn"], "arn:aws:iam::%s:user/ada" % ACCOUNT)
equal(refused(hers.get_item, TableName="plain", Key={"id": {"S": "two"}})[0], "AccessDeniedException")
iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=policy("Allow", "dynamodb:GetItem", ARN))
equal(hers.get_item(TableName="plain", Key={"id": {"S": "two"}})["Item"], {"id": {"S": "two"}})
equal(refused(hers.delete_item, TableName="plain", Key={"id": {"S": "two"}}), (
    "AccessDeniedException",
    "User: arn:aws:iam::%s:user/ada is not authorized to perform: dynamodb:DeleteItem on resource: %s "
    "because no identity-based policy allows the dynamodb:DeleteItem action" % (ACCOUNT, ARN)))
equal(dynamodb.scan(TableName="plain")["Count"], 1)
equal(refused(of_ada("lambda").invoke, FunctionName="writer")[0], "AccessDeniedException")
equal(refused(of_ada("iam").create_user, UserName="eve")[0], "AccessDenied")

# A role that she may take.
iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::%s:user/ada" % ACCOUNT}}]}))
iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=policy("Allow", "dynamodb:Scan", ARN))
session = of_ada("sts").assume_role(RoleArn="arn:aws:iam::%s:role/reader" % ACCOUNT, RoleSessionName="reading")["Credentials"]
reader = boto3.client(
    "dynamodb", aws_access_key_id=session["AccessKeyId"], aws_secret_access_key=session["SecretAccessKey"],
    aws_session_token=session["SessionToken"])
equal(reader.scan(TableName="plain")["Count"], 1)
equal(refused(reader.get_item, TableName="plain", Key={"id": {"S": "two"}})[0], "AccessDeniedException")

# Wrong, inactive and deleted keys.
equal(refused(of_ada("dynamodb", "wrong").list_tables)[0], "InvalidSignatureException")
iam.update_access_key(UserName="ada", AccessKeyId=key["AccessKeyId"], Status="Inactive")
equal(refused(hers.get_item, TableName="plain", Key={"id": {"S": "two"}})[0], "UnrecognizedClientException")
iam.update_access_key(UserName="ada", AccessKeyId=key["AccessKeyId"], Status="Active")
equal(hers.get_item(TableName="plain", Key={"id": {"S": "two"}})["Item"], {"id": {"S": "two"}})
iam.delete_access_key(UserName="ada", AccessKeyId=key["AccessKeyId"])
equal(refused(hers.get_item, TableName="plain", Key={"id": {"S": "two"}}),
      ("UnrecognizedClientException", "The security token included in the request is invalid."))
equal(refused(of_ada("sts").get_caller_identity)[0], "InvalidClientTokenId")
print("ok")
