"""KMS: who may use a key, by its policy, IAM and grants; and functions and tables that use one."""

from system import *

kms = boto3.client("kms")


def allow(principal, *actions):
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions), "Resource": "*"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ROOT = "arn:aws:iam::000000000000:root"
USER = "arn:aws:iam::000000000000:user/ada"

key = kms.create_key(Description="walk", Tags=[{"TagKey": "team", "TagValue": "shop"}])["KeyMetadata"]
kms.create_alias(AliasName="alias/walk", TargetKeyId=key["KeyId"])
equal(kms.describe_key(KeyId="alias/walk")["KeyMetadata"], key)
equal([a["TargetKeyId"] for a in kms.list_aliases(KeyId=key["KeyId"])["Aliases"]], [key["KeyId"]])
context = {"shop": "one"}
sealed = kms.encrypt(KeyId="alias/walk", Plaintext=b"hello", EncryptionContext=context)["CiphertextBlob"]
equal(kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"], b"hello")

# The default policy hands the key to the account's IAM policies.
iam.create_user(UserName="ada")
pair = iam.create_access_key(UserName="ada")["AccessKey"]
ada = dict(aws_access_key_id=pair["AccessKeyId"], aws_secret_access_key=pair["SecretAccessKey"])
hers = boto3.client("kms", **ada)
denied = "User: %s is not authorized to perform: %s on resource: %s because no %s allows the %s action"
equal(refused(hers.decrypt, CiphertextBlob=sealed, EncryptionContext=context),
      ("AccessDeniedException", denied % (USER, "kms:Decrypt", key["Arn"], "identity-based policy", "kms:Decrypt")))
grant = kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=USER, RetiringPrincipal=USER, Operations=["Decrypt"],
                         Constraints={"EncryptionContextEquals": context})
equal(hers.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"], b"hello")
more = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"more", EncryptionContext=context | {"till": "2"})["CiphertextBlob"]
equal(refused(hers.decrypt, CiphertextBlob=more, EncryptionContext=context | {"till": "2"})[0], "AccessDeniedException")
hers.retire_grant(GrantToken=grant["GrantToken"])
equal(kms.list_grants(KeyId=key["KeyId"])["Grants"], [])
equal(refused(hers.decrypt, CiphertextBlob=sealed, EncryptionContext=context)[0], "AccessDeniedException")
iam.put_user_policy(UserName="ada", PolicyName="all", PolicyDocument=policy("Allow", ["kms:*", "dynamodb:*", "lambda:*"]))
equal(hers.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"], b"hello")

# Without that, IAM's word alone is not enough, not even for the root user.
equal(refused(kms.put_key_policy, KeyId=key["KeyId"], Policy=document(allow(USER, "kms:Encrypt"))),
      ("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future."))
kms.put_key_policy(KeyId=key["KeyId"], Policy=document(allow(ROOT, "kms:PutKeyPolicy"), {
    **allow(USER, "kms:Decrypt"), "Condition": {"StringEquals": {"kms:EncryptionContext:shop": "one"}}}))
equal(hers.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"], b"hello")
equal(refused(hers.encrypt, KeyId=key["KeyId"], Plaintext=b"x"),
      ("AccessDeniedException", denied % (USER, "kms:Encrypt", key["Arn"], "resource-based policy", "kms:Encrypt")))
equal(refused(kms.decrypt, CiphertextBlob=sealed, EncryptionContext=context)[0], "AccessDeniedException")
kms.put_key_policy(KeyId=key["KeyId"], Policy=document(allow(ROOT, "kms:*")))
equal(refused(kms.encrypt, KeyId="alias/aws/lambda", Plaintext=b"x")[0], "AccessDeniedException")  # through Lambda only

# A function's variables are encrypted with the key, and its role opens them by a grant.
role = iam.create_role(RoleName="keys", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
lambda_.create_function(FunctionName="keys", Runtime=RUNTIME, Role=role, Handler="main.handler", KMSKeyArn=key["Arn"],
                        Code={"ZipFile": zipped("import os\ndef handler(event, context): return os.environ['WORD']\n")},
                        Environment={"Variables": {"WORD": "open sesame"}})
equal(lambda_.get_function_configuration(FunctionName="keys")["Environment"], {"Variables": {"WORD": "open sesame"}})
[granted] = kms.list_grants(KeyId=key["KeyId"])["Grants"]
equal((granted["GranteePrincipal"], granted["Operations"]), (role, ["Decrypt", "RetireGrant"]))


def call():
    return json.loads(lambda_.invoke(FunctionName="keys")["Payload"].read())


equal(call(), "open sesame")
kms.put_key_policy(KeyId=key["KeyId"], Policy=document(allow(ROOT, "kms:*"), {**allow(USER, "kms:*"), "Effect": "Deny"}))
shown = boto3.client("lambda", **ada).get_function_configuration(FunctionName="keys")["Environment"]
equal((shown.get("Variables"), shown["Error"]["ErrorCode"]), (None, "AccessDeniedException"))
kms.disable_key(KeyId=key["KeyId"])
lambda_.update_function_configuration(FunctionName="keys", Timeout=9)
code, message = refused(lambda_.invoke, FunctionName="keys")
equal((code, message.endswith(key["Arn"] + " is disabled.")), ("KMSDisabledException", True))
kms.enable_key(KeyId=key["KeyId"])
equal(call(), "open sesame")
kms.revoke_grant(KeyId=key["KeyId"], GrantId=granted["GrantId"])
lambda_.update_function_configuration(FunctionName="keys", Timeout=10)
equal(refused(lambda_.invoke, FunctionName="keys")[0], "KMSAccessDeniedException")
lambda_.update_function_configuration(FunctionName="keys", Environment={"Variables": {"WORD": "again"}})
equal(call(), "again")
lambda_.update_function_configuration(FunctionName="keys", KMSKeyArn="")
equal(call(), "again")

# A table says which key it has: AWS's here. One's own is felt by who uses the items (encryption.py).
table = dict(AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
             BillingMode="PAY_PER_REQUEST")
dynamodb.create_table(TableName="keys", SSESpecification={"Enabled": True}, **table)
managed = kms.describe_key(KeyId="alias/aws/dynamodb")["KeyMetadata"]
equal((managed["KeyManager"], managed["KeyState"]), ("AWS", "Enabled"))
equal(dynamodb.describe_table(TableName="keys")["Table"]["SSEDescription"], {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": managed["Arn"]})
dynamodb.update_table(TableName="keys", SSESpecification={"Enabled": False})
equal("SSEDescription" in dynamodb.describe_table(TableName="keys")["Table"], False)

print("ok")
