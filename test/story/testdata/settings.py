"""Secrets and parameters through boto3: KMS's keys, IAM, rotation by a function that reads its settings."""

import base64

from system import *

secrets, ssm, kms = boto3.client("secretsmanager"), boto3.client("ssm"), boto3.client("kms")
VAULT = "arn:aws:secretsmanager:%s:%s:secret:" % (REGION, ACCOUNT)


def stages(name):
    """Which staging labels the versions of a secret have, the oldest version first."""
    return [v["VersionStages"] for v in secrets.list_secret_version_ids(SecretId=name)["Versions"]]


# Names, ARNs, partial ARNs.
arn = secrets.create_secret(Name="app/db", SecretString="one", Description="A database")["ARN"]
equal((arn[:-6], len(arn)), (VAULT + "app/db-", len(VAULT + "app/db-") + 6))
for name in ("app/db", arn, arn[:-7]):
    equal(secrets.get_secret_value(SecretId=name)["SecretString"], "one")
secrets.create_secret(Name="bin", SecretBinary=b"\0\xff")
equal(secrets.get_secret_value(SecretId="bin")["SecretBinary"], b"\0\xff")

# Errors as they were recorded.
missing = "Secrets Manager can't find the specified secret"
equal(refused(secrets.get_secret_value, SecretId="nobody"), ("ResourceNotFoundException", missing + "."))
equal(refused(secrets.get_secret_value, SecretId="app/db", VersionStage="AWSPENDING"),
      ("ResourceNotFoundException", missing + " value for staging label: AWSPENDING"))
equal(refused(secrets.create_secret, Name="app/db", SecretString="two"),
      ("ResourceExistsException", "The operation failed because the secret app/db already exists."))
equal(refused(secrets.create_secret, Name="no name"),
      ("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"))
equal(refused(secrets.replicate_secret_to_regions, SecretId="app/db", AddReplicaRegions=[{"Region": "eu-west-1"}])[0], "NotImplemented")

# A function reads its settings through its SDK, and rotates the secret.
FUNCTION = '''
import boto3
secrets, ssm = boto3.client("secretsmanager"), boto3.client("ssm")
def handler(event, context):
    if "Step" not in event:
        return {"secret": secrets.get_secret_value(SecretId="app/db")["SecretString"],
                "parameter": ssm.get_parameter(Name="/app/mode", WithDecryption=True)["Parameter"]["Value"]}
    id, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    if step == "createSecret":
        before = secrets.get_secret_value(SecretId=id)["SecretString"]
        secrets.put_secret_value(SecretId=id, ClientRequestToken=token, SecretString=before + "+1", VersionStages=["AWSPENDING"])
    elif step == "testSecret":
        secrets.get_secret_value(SecretId=id, VersionId=token, VersionStage="AWSPENDING")
    elif step == "finishSecret":
        held = [v for v, s in secrets.describe_secret(SecretId=id)["VersionIdsToStages"].items() if "AWSCURRENT" in s]
        secrets.update_secret_version_stage(SecretId=id, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=held[0])
'''
ssm.put_parameter(Name="/app/mode", Value="quick", Type="SecureString")
reader = role("reader")
allow = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": VAULT + "app/db-??????"},
    {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "arn:aws:ssm:%s:%s:parameter/app/*" % (REGION, ACCOUNT)},
    {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:CreateLogGroup"], "Resource": "*"}]}
iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=json.dumps(allow))
rotator = function("rotator", FUNCTION, reader)


def run():
    return invoke("rotator", {})[1]


equal(run(), {"secret": "one", "parameter": "quick"})
equal(refused(secrets.rotate_secret, SecretId="app/db"), ("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret."))
equal(refused(secrets.rotate_secret, SecretId="app/db", RotationLambdaARN=rotator, RotationRules={"AutomaticallyAfterDays": 1}),
      ("AccessDeniedException", "Secrets Manager cannot invoke the specified Lambda function. "
       "Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com."))
equal("RotationEnabled" in secrets.describe_secret(SecretId="app/db"), False)
lambda_.add_permission(FunctionName="rotator", StatementId="rotate", Action="lambda:InvokeFunction", Principal="secretsmanager.amazonaws.com", SourceArn=arn)
version = secrets.rotate_secret(SecretId="app/db", RotationLambdaARN=rotator, RotationRules={"AutomaticallyAfterDays": 1})["VersionId"]
for _ in range(300):
    told = secrets.describe_secret(SecretId="app/db")
    if "LastRotatedDate" in told:
        break
    time.sleep(0.1)
equal(stages("app/db"), [["AWSPREVIOUS"], ["AWSCURRENT", "AWSPENDING"]])
equal((told["VersionIdsToStages"][version], told["RotationEnabled"], told["RotationLambdaARN"], told["RotationRules"]),
      (["AWSCURRENT", "AWSPENDING"], True, rotator, {"AutomaticallyAfterDays": 1}))
equal(told["NextRotationDate"] > told["LastRotatedDate"], True)
equal(secrets.get_secret_value(SecretId="app/db")["SecretString"], "one+1")
equal(run()["secret"], "one+1")
secrets.cancel_rotate_secret(SecretId="app/db")

# A denial of the key is felt by who may read the secret, and who may read the parameter.
key = kms.create_key()["KeyMetadata"]["Arn"]
secrets.update_secret(SecretId="app/db", KmsKeyId=key)
ssm.put_parameter(Name="/app/mode", Value="slow", Overwrite=True, KeyId=key)
equal(ssm.get_parameter(Name="/app/mode")["Parameter"]["Value"] in ("slow", "quick"), False)
equal(kms.decrypt(CiphertextBlob=base64.b64decode(ssm.get_parameter(Name="/app/mode")["Parameter"]["Value"]),
                  EncryptionContext={"PARAMETER_ARN": "arn:aws:ssm:%s:%s:parameter/app/mode" % (REGION, ACCOUNT)})["Plaintext"], b"slow")
equal("Access to KMS is not allowed" in run()["errorMessage"], True)
allow["Statement"].append({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key,
                           "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.%s.amazonaws.com" % REGION}}})
iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=json.dumps(allow))
equal("kms:Decrypt" in run()["errorMessage"], True)  # of the parameter
allow["Statement"][-1].pop("Condition")
iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=json.dumps(allow))
equal(run(), {"secret": "one+1", "parameter": "slow"})

# A user gets in by the secret's policy, and one of several secrets of a batch may be denied.
iam.create_user(UserName="ada")
keys = iam.create_access_key(UserName="ada")["AccessKey"]
ada = boto3.client("secretsmanager", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"])
code, message = refused(ada.get_secret_value, SecretId="bin")
equal((code, "is not authorized to perform: secretsmanager:GetSecretValue on resource: " + VAULT + "bin-" in message), ("AccessDeniedException", True))
policy = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::%s:user/ada" % ACCOUNT}, "Action": "secretsmanager:GetSecretValue", "Resource": "*",
    "Condition": {"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}}}]})
secrets.put_resource_policy(SecretId="bin", ResourcePolicy=policy, BlockPublicPolicy=True)
equal(secrets.get_resource_policy(SecretId="bin")["ResourcePolicy"], policy)
equal(ada.get_secret_value(SecretId="bin", VersionStage="AWSCURRENT")["SecretBinary"], b"\0\xff")
equal(refused(ada.get_secret_value, SecretId="bin", VersionStage="AWSPREVIOUS")[0], "AccessDeniedException")
equal(refused(secrets.put_resource_policy, SecretId="bin", BlockPublicPolicy=True, ResourcePolicy=policy.replace("arn:aws:iam::%s:user/ada" % ACCOUNT, "*").split(', "Condition"')[0] + "}]}")[0],
      "PublicPolicyException")
iam.put_user_policy(UserName="ada", PolicyName="batch", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "secretsmanager:BatchGetSecretValue", "Resource": "*"}]}))
batch = ada.batch_get_secret_value(SecretIdList=["bin", "app/db", "nobody"])
equal([e["ErrorCode"] for e in batch["Errors"]], ["AccessDeniedException", "AccessDeniedException", "AccessDeniedException"])

# Parameters that refer to secrets; what only AWS has.
told = ssm.get_parameter(Name="/aws/reference/secretsmanager/app/db", WithDecryption=True)["Parameter"]
equal((told["Value"], json.loads(told["SourceResult"])["ARN"]), ("one+1", arn))
equal(refused(ssm.get_parameter, Name="/aws/service/ami", WithDecryption=True)[0], "NotImplemented")
equal(refused(ssm.get_parameter, Name="/nobody"), ("ParameterNotFound", ""))
equal(refused(ssm.describe_instance_information)[0], "NotImplemented")

print("ok")
