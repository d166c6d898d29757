"""Buckets: notifications of functions, queues, topics and EventBridge.

buckets.py leave   uploads to a bucket that notifies a queue, up to a kill
buckets.py find    finds that the queue was told of every upload
buckets.py         everything else
"""

import concurrent.futures
import urllib.parse

from system import *

s3, sqs, sns, events = [boto3.client(name) for name in ["s3", "sqs", "sns", "events"]]


def from_bucket(action, resource, bucket):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": action, "Resource": resource,
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::" + bucket}, "StringEquals": {"aws:SourceAccount": ACCOUNT}}}]})


def new_queue(name, bucket=None):
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = "arn:aws:sqs:%s:%s:%s" % (REGION, ACCOUNT, name)
    if bucket:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": from_bucket("sqs:SendMessage", arn, bucket)})
    return url, arn


def receive(url, seconds=20):
    """Returns the next message's body, decoded, or None."""
    for m in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=seconds).get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
        return json.loads(m["Body"])


def notify(bucket, **configurations):
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configurations)


if sys.argv[1:] == ["leave"]:
    s3.create_bucket(Bucket="left")
    url, arn = new_queue("left", "left")
    notify("left", QueueConfigurations=[{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: s3.put_object(Bucket="left", Key="k%d" % i, Body=b"x"), range(80)))
    print("ok")
    sys.exit()
if sys.argv[1:] == ["find"]:
    url, missing = sqs.get_queue_url(QueueName="left")["QueueUrl"], {"k%d" % i for i in range(80)}
    while missing:
        event = receive(url)
        assert event, "nobody was told of %s" % missing
        missing -= {record["s3"]["object"]["key"] for record in event.get("Records", [])}
    print("ok")
    sys.exit()

# An upload runs a function, once it permits the bucket to call it.
s3.create_bucket(Bucket="uploads")
thumbs = function("thumbs", """
import boto3, json, urllib.parse
s3 = boto3.client("s3")
def handler(event, context):
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.put_object(Bucket=bucket, Key="thumbs/" + key, Body=body[:3], Metadata={"event": json.dumps(record)})
""", role("thumbs"))
iam.put_role_policy(RoleName="thumbs", PolicyName="files", PolicyDocument=policy("Allow", ["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::uploads/*"))
into = {"Id": "in", "LambdaFunctionArn": thumbs, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}}
try:
    notify("uploads", LambdaFunctionConfigurations=[into])
    raise AssertionError("a function was subscribed that doesn't permit it")
except ClientError as error:
    equal(error.response["Error"], {
        "Code": "InvalidArgument", "Message": "Unable to validate the following destination configurations",
        "ArgumentName1": thumbs + ", null", "ArgumentValue1": "Not authorized to invoke function [%s]" % thumbs})
lambda_.add_permission(FunctionName="thumbs", StatementId="uploads", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
                       SourceArn="arn:aws:s3:::uploads", SourceAccount=ACCOUNT)
notify("uploads", LambdaFunctionConfigurations=[into])
equal(s3.get_bucket_notification_configuration(Bucket="uploads")["LambdaFunctionConfigurations"],
      [into | {"Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "in/"}]}}}])
put = s3.put_object(Bucket="uploads", Key="in/a cat@home.txt", Body=b"picture")
s3.get_waiter("object_exists").wait(Bucket="uploads", Key="thumbs/in/a cat@home.txt", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
made = s3.get_object(Bucket="uploads", Key="thumbs/in/a cat@home.txt")
equal(made["Body"].read(), b"pic")
record = json.loads(made["Metadata"]["event"])
headers = put["ResponseMetadata"]["HTTPHeaders"]
owner, sequencer = record["s3"]["bucket"]["ownerIdentity"]["principalId"], record["s3"]["object"]["sequencer"]
equal(record, {
    "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": REGION, "eventTime": record["eventTime"], "eventName": "ObjectCreated:Put",
    "userIdentity": {"principalId": owner}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
    "responseElements": {"x-amz-request-id": headers["x-amz-request-id"], "x-amz-id-2": headers["x-amz-id-2"]},
    "s3": {"s3SchemaVersion": "1.0", "configurationId": "in",
           "bucket": {"name": "uploads", "ownerIdentity": {"principalId": owner}, "arn": "arn:aws:s3:::uploads"},
           "object": {"key": "in/a+cat%40home.txt", "size": 7, "eTag": put["ETag"].strip('"'), "sequencer": sequencer}}})

# Queues and topics are asked for their policies, and get a test event first.
queue, queue_arn = new_queue("told")
topic = sns.create_topic(Name="told")["TopicArn"]
hearing, hearing_arn = new_queue("hearing")
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=hearing_arn)
sqs.set_queue_attributes(QueueUrl=hearing, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}, "Action": "sqs:SendMessage", "Resource": hearing_arn}]})})
wanted = {
    "QueueConfigurations": [{"QueueArn": queue_arn, "Events": ["s3:ObjectRemoved:*", "s3:ObjectTagging:*"]}],
    "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:Copy"]}], "EventBridgeConfiguration": {}}
try:
    notify("uploads", **wanted)
    raise AssertionError("targets were subscribed that don't permit it")
except ClientError as error:
    equal(list(error.response["Error"].values())[2:], [
        topic, "Permissions on the destination topic do not allow S3 to publish notifications from this bucket",
        queue_arn, "Permissions on the destination queue do not allow S3 to publish notifications from this bucket"])
equal(refused(notify, bucket="uploads", QueueConfigurations=[{"QueueArn": queue_arn + "x", "Events": ["s3:ObjectCreated:*"]}]),
      ("InvalidArgument", "Unable to validate the following destination configurations"))
sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": from_bucket("sqs:SendMessage", queue_arn, "uploads")})
sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=from_bucket("sns:Publish", topic, "uploads"))
notify("uploads", **wanted)
test = receive(queue)
equal((test["Service"], test["Event"], test["Bucket"], list(test)), ("Amazon S3", "s3:TestEvent", "uploads", ["Service", "Event", "Time", "Bucket", "RequestId", "HostId"]))
message = receive(hearing)
equal((message["Subject"], json.loads(message["Message"])["Event"]), ("Amazon S3 Notification", "s3:TestEvent"))

s3.copy_object(Bucket="uploads", Key="copy", CopySource="uploads/in/a cat@home.txt")
record = json.loads(receive(hearing)["Message"])["Records"][0]
equal((record["eventName"], record["s3"]["object"]["key"], record["s3"]["object"]["size"]), ("ObjectCreated:Copy", "copy", 7))
before = record["s3"]["object"]["sequencer"]
s3.put_object_tagging(Bucket="uploads", Key="copy", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
record = receive(queue)["Records"][0]
equal((record["eventVersion"], record["eventName"], record["s3"]["object"]), ("2.3", "ObjectTagging:Put", {"key": "copy", "eTag": put["ETag"].strip('"')}))
s3.delete_objects(Bucket="uploads", Delete={"Objects": [{"Key": "copy"}, {"Key": "none"}]})
record = receive(queue)["Records"][0]
equal((record["eventName"], list(record["s3"]["object"])), ("ObjectRemoved:Delete", ["key", "sequencer"]))
assert record["s3"]["object"]["sequencer"] > before, record
equal(receive(queue, 0), None)

# EventBridge hears of everything.
events.put_rule(Name="uploads", EventPattern=json.dumps({"source": ["aws.s3"], "detail": {"bucket": {"name": ["uploads"]}, "object": {"key": [{"prefix": "e"}]}}}))
events.put_targets(Rule="uploads", Targets=[{"Id": "1", "Arn": hearing_arn}])
s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
version = s3.put_object(Bucket="uploads", Key="e f", Body=b"four")["VersionId"]
event = receive(hearing)
equal((event["source"], event["detail-type"], event["account"], event["region"], event["resources"]), ("aws.s3", "Object Created", ACCOUNT, REGION, ["arn:aws:s3:::uploads"]))
detail = event["detail"]
equal(detail, {"version": "0", "bucket": {"name": "uploads"},
               "object": {"key": "e f", "size": 4, "etag": "8cbad96aced40b3838dd9f07f6ef5772", "version-id": version, "sequencer": detail["object"]["sequencer"]},
               "request-id": detail["request-id"], "requester": ACCOUNT, "source-ip-address": "127.0.0.1", "reason": "PutObject"})
marker = s3.delete_object(Bucket="uploads", Key="e f")["VersionId"]
detail = receive(hearing)["detail"]
equal((detail["deletion-type"], detail["reason"], detail["object"]["version-id"]), ("Delete Marker Created", "DeleteObject", marker))
record = receive(queue)["Records"][0]
equal((record["eventName"], record["s3"]["object"]["versionId"]), ("ObjectRemoved:DeleteMarkerCreated", marker))
s3.delete_object(Bucket="uploads", Key="e f", VersionId=version)
equal(receive(hearing)["detail"]["deletion-type"], "Permanently Deleted")

notify("uploads")
equal([name for name in s3.get_bucket_notification_configuration(Bucket="uploads") if name != "ResponseMetadata"], [])
print("ok")
