"""Keys of one's own for queues, topics, log groups, buckets and tables: who may use a resource may not, without its key."""

import base64

from system import *

ROOT = "arn:aws:iam::%s:root" % ACCOUNT
kms, sqs, sns, events, s3 = (boto3.client(name) for name in ("kms", "sqs", "sns", "events", "s3"))


def statement(principal, *actions, **condition):
    return {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*"} | ({"Condition": condition} if condition else {})


def admit(key, *statements):
    """Sets a key's policy: the account's own may all, and beside it the statements hold."""
    kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(
        {"Version": "2012-10-17", "Statement": [statement({"AWS": ROOT}, "kms:*"), *statements]}))


def until(ask, wanted):
    """Asks until the answer is the wanted one, for a while."""
    for _ in range(100):
        if (got := ask()) == wanted:
            return
        time.sleep(0.1)
    equal(got, wanted)


def attributes(url, *names):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]


def waiting(url):
    return attributes(url, "ApproximateNumberOfMessages")["ApproximateNumberOfMessages"]


key = kms.create_key()["KeyMetadata"]
kms.create_alias(AliasName="alias/mail", TargetKeyId=key["KeyId"])
iam.create_user(UserName="eve")
pair = iam.create_access_key(UserName="eve")["AccessKey"]
eve = dict(aws_access_key_id=pair["AccessKeyId"], aws_secret_access_key=pair["SecretAccessKey"])
USER = "arn:aws:iam::%s:user/eve" % ACCOUNT
iam.put_user_policy(UserName="eve", PolicyName="mail", PolicyDocument=policy("Allow", ["sqs:*", "sns:*", "s3:*", "dynamodb:*", "logs:*"]))
her_sqs, her_sns = boto3.client("sqs", **eve), boto3.client("sns", **eve)

# Queues keep the key's name as it was given, and have one sort of encryption.
url = sqs.create_queue(QueueName="sealed", Attributes={"KmsMasterKeyId": "alias/mail"})["QueueUrl"]
queue = attributes(url, "QueueArn")["QueueArn"]
sort = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"]
equal(attributes(url, *sort), {"KmsMasterKeyId": "alias/mail", "KmsDataKeyReusePeriodSeconds": "300", "SqsManagedSseEnabled": "false"})
for period in ("59", "86401"):
    equal(refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"KmsDataKeyReusePeriodSeconds": period})[0], "InvalidAttributeValue")
equal(refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/mail", "SqsManagedSseEnabled": "true"}),
      ("InvalidAttributeName", "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."))
sqs.set_queue_attributes(QueueUrl=url, Attributes={"SqsManagedSseEnabled": "true"})
equal(attributes(url, *sort), {"SqsManagedSseEnabled": "true"})
sqs.send_message(QueueUrl=url, MessageBody="plain")
sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key["Arn"], "KmsDataKeyReusePeriodSeconds": "60"})

# Who sends must be allowed to make data keys with it, and who receives to decrypt; what was sent before isn't encrypted.
denied = "User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action (Service: AWSKMS; Status Code: 400; "
code, message = refused(her_sqs.send_message, QueueUrl=url, MessageBody="x")
equal((code, message.split("Error Code")[0]), ("KMS.AccessDeniedException", denied % (USER, "kms:GenerateDataKey", key["Arn"], "kms:GenerateDataKey")))
equal(refused(her_sqs.send_message_batch, QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}])[0], "KMS.AccessDeniedException")
[plain] = her_sqs.receive_message(QueueUrl=url)["Messages"]
equal(plain["Body"], "plain")
sqs.delete_message(QueueUrl=url, ReceiptHandle=plain["ReceiptHandle"])
sqs.send_message(QueueUrl=url, MessageBody="secret")
equal(refused(her_sqs.receive_message, QueueUrl=url)[0], "KMS.AccessDeniedException")
through = {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com", "kms:EncryptionContext:aws:sqs:arn": queue}}
admit(key, statement({"AWS": USER}, "kms:Decrypt", **through))
sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": ""})  # the message keeps its key
[secret] = her_sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
equal((secret["Body"], secret["Attributes"]["ApproximateReceiveCount"]), ("secret", "1"))
sqs.delete_message(QueueUrl=url, ReceiptHandle=secret["ReceiptHandle"])
equal(refused(boto3.client("kms", **eve).generate_data_key, KeyId=key["Arn"], KeySpec="AES_256")[0], "AccessDeniedException")  # through SQS only
sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key["KeyId"]})
equal(refused(her_sqs.send_message, QueueUrl=url, MessageBody="x")[0], "KMS.AccessDeniedException")
admit(key, statement({"AWS": USER}, "kms:Decrypt", "kms:GenerateDataKey", **through))
her_sqs.send_message(QueueUrl=url, MessageBody="hers")

# The key's state counts for everybody.
kms.disable_key(KeyId=key["KeyId"])
code, message = refused(sqs.send_message, QueueUrl=url, MessageBody="x")
equal((code, message.split(" (")[0]), ("KMS.DisabledException", key["Arn"] + " is disabled."))
equal(refused(sqs.receive_message, QueueUrl=url)[0], "KMS.DisabledException")
kms.enable_key(KeyId=key["KeyId"])
other = kms.create_key()["KeyMetadata"]
kms.schedule_key_deletion(KeyId=other["KeyId"], PendingWindowInDays=7)
signs = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
for name, code in {other["Arn"]: "KMS.InvalidStateException", "alias/nobody": "KMS.NotFoundException", signs["KeyId"]: "KMS.InvalidKeyUsageException"}.items():
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": name})  # SQS looks at the key when it needs it
    equal(refused(sqs.send_message, QueueUrl=url, MessageBody="x")[0], code)
equal(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"], "hers")

# AWS's key is made when it is first used, and is anybody's who may use the queue.
aliases = lambda: [a["AliasName"] for a in kms.list_aliases()["Aliases"] if "TargetKeyId" in a]
sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
equal("alias/aws/sqs" in aliases(), False)
her_sqs.send_message(QueueUrl=url, MessageBody="x")
equal("alias/aws/sqs" in aliases(), True)
sqs.purge_queue(QueueUrl=url)

# Topics: who publishes needs the key, and SNS needs that of the queue that it sends to.
topic = sns.create_topic(Name="sealed", Attributes={"KmsMasterKeyId": "alias/mail"})["TopicArn"]
equal(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["KmsMasterKeyId"], "alias/mail")
code, message = refused(her_sns.publish, TopicArn=topic, Message="x")
equal((code, message.split("Error Code")[0]), ("KMSAccessDenied", denied % (USER, "kms:GenerateDataKey", key["Arn"], "kms:GenerateDataKey")))
equal(refused(her_sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=[{"Id": "a", "Message": "x"}])[0], "KMSAccessDenied")
for name, code in {other["Arn"]: "KMSInvalidState", "alias/nobody": "KMSNotFound"}.items():
    sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=name)
    equal(refused(sns.publish, TopicArn=topic, Message="x")[0], code)
sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
her_sns.publish(TopicArn=topic, Message="x")
equal("alias/aws/sns" in aliases(), True)
sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="")
equal("KmsMasterKeyId" in sns.get_topic_attributes(TopicArn=topic)["Attributes"], False)
sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="alias/mail")

lost = sqs.create_queue(QueueName="lost")["QueueUrl"]
anybody = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com"]}, "Action": "sqs:SendMessage", "Resource": "*"}]})
sqs.set_queue_attributes(QueueUrl=lost, Attributes={"Policy": anybody})
sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": anybody, "KmsMasterKeyId": "alias/mail"})
redrive = json.dumps({"deadLetterTargetArn": attributes(lost, "QueueArn")["QueueArn"]})
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RedrivePolicy": redrive, "RawMessageDelivery": "true"})
sns.publish(TopicArn=topic, Message="unsent")
until(lambda: waiting(lost), "1")
for_sns = statement({"Service": "sns.amazonaws.com"}, "kms:GenerateDataKey*", "kms:Decrypt", ArnLike={"aws:SourceArn": topic})
admit(key, for_sns)
sns.publish(TopicArn=topic, Message="by SNS")
until(lambda: waiting(url), "1")

# EventBridge and S3 are other services, and a rule's role is somebody else.
events.put_rule(Name="sealed", EventPattern='{"source": ["shop"]}')
target = {"Id": "1", "Arn": queue, "DeadLetterConfig": {"Arn": attributes(lost, "QueueArn")["QueueArn"]}}
events.put_targets(Rule="sealed", Targets=[target])
event = {"Source": "shop", "DetailType": "sold", "Detail": "{}"}
events.put_events(Entries=[event])
until(lambda: waiting(lost), "2")
letters = [m for _ in range(2) for m in sqs.receive_message(QueueUrl=lost, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages", [])]
equal([m["MessageAttributes"]["ERROR_CODE"]["StringValue"] for m in letters if "MessageAttributes" in m], ["NO_PERMISSIONS"])
s3.create_bucket(Bucket="sealed-notices")
notices = {"QueueConfigurations": [{"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}]}
equal(refused(s3.put_bucket_notification_configuration, Bucket="sealed-notices", NotificationConfiguration=notices)[0], "InvalidArgument")
admit(key, statement({"Service": ["events.amazonaws.com", "s3.amazonaws.com"]}, "kms:GenerateDataKey", "kms:Decrypt",
                     StringEquals={"aws:SourceAccount": ACCOUNT}))
events.put_events(Entries=[event])
until(lambda: waiting(url), "2")
s3.put_bucket_notification_configuration(Bucket="sealed-notices", NotificationConfiguration=notices)
until(lambda: waiting(url), "3")  # its test event
admit(key)
rule_role = role("rule", "events.amazonaws.com")
iam.put_role_policy(RoleName="rule", PolicyName="send", PolicyDocument=policy("Allow", ["sqs:SendMessage", "kms:*"]))
events.put_targets(Rule="sealed", Targets=[target | {"RoleArn": rule_role}])
events.put_events(Entries=[event])
until(lambda: waiting(url), "4")

# A function is given messages if its role may decrypt them.
done = sqs.create_queue(QueueName="done")["QueueUrl"]
reader = role("reader")
READ = ["sqs:*", "logs:*"]
iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=policy("Allow", READ))
function("reader", 'import boto3\ndef handler(event, context):\n    boto3.client("sqs").send_message(QueueUrl="%s", MessageBody="read")\n' % done, reader)
mapping = lambda_.create_event_source_mapping(FunctionName="reader", EventSourceArn=queue, BatchSize=10)["UUID"]
time.sleep(0.5)
equal((waiting(url), waiting(done)), ("4", "0"))
iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=policy("Allow", READ + ["kms:Decrypt"]))
until(lambda: waiting(url), "0")
lambda_.delete_event_source_mapping(UUID=mapping)

# A log group's key must admit CloudWatch Logs, for that group, whoever makes the group.
GROUP = "arn:aws:logs:us-east-1:%s:log-group:sealed" % ACCOUNT
unknown = ("AccessDeniedException", "The specified KMS key does not exist or is not allowed to be used with Arn '%s'" % GROUP)
equal(refused(logs.create_log_group, logGroupName="sealed", kmsKeyId=key["KeyId"]), ("InvalidParameterException", "The specified KMS Key Id could not be found."))
equal(refused(logs.create_log_group, logGroupName="sealed", kmsKeyId=key["Arn"]), unknown)
service = {"Service": "logs.us-east-1.amazonaws.com"}
admit(key, statement(service, "kms:*", ArnEquals={"kms:EncryptionContext:aws:logs:arn": GROUP}))
equal(refused(logs.create_log_group, logGroupName="other", kmsKeyId=key["Arn"])[0], "AccessDeniedException")
logs.create_log_group(logGroupName="sealed", kmsKeyId=key["Arn"])
logs.create_log_stream(logGroupName="sealed", logStreamName="s")


def told():
    return logs.describe_log_groups(logGroupNamePrefix="sealed")["logGroups"][0].get("kmsKeyId")


def log(text):
    logs.put_log_events(logGroupName="sealed", logStreamName="s", logEvents=[{"timestamp": int(time.time() * 1000), "message": text}])


def logged():
    found = logs.filter_log_events(logGroupName="sealed")["events"]
    equal([e["message"] for e in logs.get_log_events(logGroupName="sealed", logStreamName="s", startFromHead=True)["events"]], [e["message"] for e in found])
    return [e["message"] for e in found]


log("one")
equal((told(), logged()), (key["Arn"], ["one"]))
logs.disassociate_kms_key(logGroupName="sealed")
log("two")
equal((told(), logged()), (None, ["one", "two"]))
kms.disable_key(KeyId=key["KeyId"])
equal(refused(logs.filter_log_events, logGroupName="sealed")[0], "InvalidParameterException")  # the first is still encrypted
equal(refused(logs.associate_kms_key, logGroupName="sealed", kmsKeyId=key["Arn"])[0], "InvalidParameterException")
kms.enable_key(KeyId=key["KeyId"])
logs.associate_kms_key(resourceIdentifier=GROUP, kmsKeyId=key["Arn"])
equal(told(), key["Arn"])
admit(key)
equal(refused(logs.get_log_events, logGroupName="sealed", logStreamName="s"), unknown)
equal(refused(logs.associate_kms_key, logGroupName="sealed", kmsKeyId=key["Arn"]), unknown)
admit(key, statement(service, "kms:*"))
equal(logged(), ["one", "two"])

# A table: who makes it lets DynamoDB use the key by a grant, and who uses its items must be allowed to decrypt.
admit(key)
hers = boto3.client("dynamodb", **eve)
TABLE = dict(TableName="sealed", BillingMode="PAY_PER_REQUEST", AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
             KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
SEALED = {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/mail"}}
code, message = refused(hers.create_table, **TABLE, **SEALED)
equal((code, message.split(": ")[0]), ("AccessDeniedException", "KMS key access denied error"))
for name in ("alias/nobody", other["Arn"], signs["KeyId"]):
    equal(refused(dynamodb.create_table, **TABLE, SSESpecification={"Enabled": True, "KMSMasterKeyId": name})[0], "ValidationException")
equal(kms.list_grants(KeyId=key["KeyId"])["Grants"], [])
dynamodb.create_table(**TABLE, **SEALED)
[grant] = kms.list_grants(KeyId=key["KeyId"])["Grants"]
equal((grant["GranteePrincipal"], grant["RetiringPrincipal"], grant["Constraints"]),
      ("dynamodb.us-east-1.amazonaws.com", "dynamodb.us-east-1.amazonaws.com",
       {"EncryptionContextSubset": {"aws:dynamodb:tableName": "sealed", "aws:dynamodb:subscriberId": ACCOUNT}}))
SSE = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key["Arn"]}


def described():
    t = dynamodb.describe_table(TableName="sealed")["Table"]
    return t["TableStatus"], t.get("SSEDescription")


equal(described(), ("ACTIVE", SSE))
ITEM = {"id": {"S": "a"}}
code, message = refused(hers.put_item, TableName="sealed", Item=ITEM)
equal((code, message.split(" (")[0]), ("AccessDeniedException", "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: "
      "User: %s is not authorized to perform: kms:Decrypt on resource: %s because no identity-based policy allows the kms:Decrypt action" % (USER, key["Arn"])))
dynamodb.put_item(TableName="sealed", Item=ITEM)
equal(refused(hers.scan, TableName="sealed")[0], "AccessDeniedException")
equal(refused(hers.batch_get_item, RequestItems={"sealed": {"Keys": [ITEM]}})[0], "AccessDeniedException")
admit(key, statement({"AWS": USER}, "kms:Decrypt", StringEquals={
    "kms:ViaService": "dynamodb.us-east-1.amazonaws.com", "kms:EncryptionContext:aws:dynamodb:tableName": "sealed"}))
equal(hers.get_item(TableName="sealed", Key=ITEM)["Item"], ITEM)
streams = boto3.client("dynamodbstreams")
stream = dynamodb.describe_table(TableName="sealed")["Table"]["LatestStreamArn"]
shard = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
start = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
equal(len(streams.get_records(ShardIterator=start)["Records"]), 1)

kms.disable_key(KeyId=key["KeyId"])
status, sse = described()
equal((status, sse.pop("InaccessibleEncryptionDateTime") is not None, sse), ("INACCESSIBLE_ENCRYPTION_CREDENTIALS", True, SSE))
code, message = refused(dynamodb.get_item, TableName="sealed", Key=ITEM)
equal((code, message.split(" (")[0]), ("AccessDeniedException", "KMS key access denied error: com.amazonaws.services.kms.model.DisabledException: " + key["Arn"] + " is disabled."))
equal(refused(streams.get_records, ShardIterator=start)[0], "AccessDeniedException")
kms.enable_key(KeyId=key["KeyId"])
equal((described(), dynamodb.get_item(TableName="sealed", Key=ITEM)["Item"]), (("ACTIVE", SSE), ITEM))
kms.revoke_grant(KeyId=key["KeyId"], GrantId=grant["GrantId"])
equal((described()[0], refused(dynamodb.get_item, TableName="sealed", Key=ITEM)[0]), ("INACCESSIBLE_ENCRYPTION_CREDENTIALS", "AccessDeniedException"))
dynamodb.update_table(TableName="sealed", **SEALED)  # grants it again
equal((described(), dynamodb.get_item(TableName="sealed", Key=ITEM)["Item"]), (("ACTIVE", SSE), ITEM))
dynamodb.update_table(TableName="sealed", SSESpecification={"Enabled": False})
equal((described(), kms.list_grants(KeyId=key["KeyId"])["Grants"]), (("ACTIVE", None), []))
dynamodb.update_table(TableName="sealed", **SEALED)
dynamodb.delete_table(TableName="sealed")
equal(kms.list_grants(KeyId=key["KeyId"])["Grants"], [])

# Objects: with a key by their headers or by their bucket's default. Readers need it, too.
admit(key)
hers = boto3.client("s3", **eve)
B = {"Bucket": "sealed-objects"}
s3.create_bucket(**B)
WITH = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/mail"}


def shown(answer):
    return tuple(answer.get(name) for name in ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled"))


equal(refused(s3.put_object, **B, Key="a", SSEKMSKeyId=key["KeyId"])[0], "InvalidArgument")
for name, code in {other["Arn"]: "KMS.KMSInvalidStateException", "alias/nobody": "KMS.NotFoundException"}.items():
    equal(refused(s3.put_object, **B, Key="a", **WITH | {"SSEKMSKeyId": name})[0], code)
put = s3.put_object(**B, Key="a", Body=b"secret", **WITH)
equal((shown(put), put["ETag"] == s3.put_object(**B, Key="plain", Body=b"secret")["ETag"]), (("aws:kms", key["Arn"], None), False))
equal((shown(s3.head_object(**B, Key="a")), shown(s3.head_object(**B, Key="plain"))), (shown(put), ("AES256", None, None)))
because = "User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action"
equal(refused(hers.put_object, **B, Key="b", **WITH), ("AccessDenied", because % (USER, "kms:GenerateDataKey", key["Arn"], "kms:GenerateDataKey")))
equal(refused(hers.get_object, **B, Key="a"), ("AccessDenied", because % (USER, "kms:Decrypt", key["Arn"], "kms:Decrypt")))
equal(shown(hers.head_object(**B, Key="a")), shown(put))
equal(refused(hers.copy_object, **B, Key="b", CopySource="sealed-objects/a")[0], "AccessDenied")
admit(key, statement({"AWS": USER}, "kms:Decrypt", StringEquals={
    "kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::sealed-objects/a"}))
equal(hers.get_object(**B, Key="a")["Body"].read(), b"secret")
equal(shown(hers.copy_object(**B, Key="b", CopySource="sealed-objects/a")), ("AES256", None, None))  # which isn't copied

equal(s3.get_bucket_encryption(**B)["ServerSideEncryptionConfiguration"]["Rules"],
      [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}])
rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["KeyId"]}, "BucketKeyEnabled": True}
s3.put_bucket_encryption(**B, ServerSideEncryptionConfiguration={"Rules": [rule]})
equal(s3.get_bucket_encryption(**B)["ServerSideEncryptionConfiguration"]["Rules"], [rule])
equal(shown(s3.put_object(**B, Key="c", Body=b"x")), ("aws:kms", key["Arn"], True))
equal(shown(s3.put_object(**B, Key="d", Body=b"x", ServerSideEncryption="AES256")), ("AES256", None, None))
equal(refused(hers.get_object, **B, Key="c")[0], "AccessDenied")  # its context is the bucket's
upload = s3.create_multipart_upload(**B, Key="e")
part = s3.upload_part(**B, Key="e", UploadId=upload["UploadId"], PartNumber=1, Body=b"part")
done = s3.complete_multipart_upload(**B, Key="e", UploadId=upload["UploadId"], MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
equal([shown(upload), shown(part), shown(done), shown(s3.get_object(**B, Key="e"))], [("aws:kms", key["Arn"], True)] * 4)
kms.disable_key(KeyId=key["KeyId"])
equal(refused(s3.get_object, **B, Key="c"), ("KMS.DisabledException", key["Arn"] + " is disabled."))
equal(refused(s3.put_object, **B, Key="c"), ("KMS.DisabledException", key["Arn"] + " is disabled."))
kms.enable_key(KeyId=key["KeyId"])
s3.delete_bucket_encryption(**B)
managed = hers.put_object(**B, Key="f", Body=b"x", ServerSideEncryption="aws:kms")["SSEKMSKeyId"]
equal((kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"], hers.get_object(**B, Key="f")["Body"].read()), (managed, b"x"))
bound = s3.put_object(**B, Key="g", Body=b"x", SSEKMSEncryptionContext=base64.b64encode(b'{"team": "shop"}').decode(), **WITH)
equal(json.loads(base64.b64decode(bound["SSEKMSEncryptionContext"])), {"team": "shop"})

print("ok")
