"""DynamoDB Streams, and event source mappings of streams and queues, through boto3.

mappings.py leave   leaves messages and changes that nobody has processed yet
mappings.py find    finds them processed by the next server
mappings.py         everything else
"""

from system import *

sqs = boto3.client("sqs")
streams = boto3.client("dynamodbstreams")

# The handler writes what it sees into a table, and fails as the event says.
SOURCE = """
import boto3, json
seen = boto3.resource("dynamodb").Table("seen")
def handler(event, context):
    failed = []
    for record in event["Records"]:
        if "body" in record:
            id, text = record["messageId"], record["body"]
        else:
            image = record["dynamodb"].get("NewImage", {})
            id, text = record["dynamodb"]["SequenceNumber"], image.get("text", {}).get("S", record["eventName"])
        if "crash" in text:
            raise ValueError(text)
        if "partial" in text:
            failed.append({"itemIdentifier": id})
            if not "body" in record:
                break
            continue
        seen.put_item(Item={"id": text, "size": len(event["Records"]), "record": json.dumps(record)})
    return {"batchItemFailures": failed}
"""


def table(name, **more):
    made = dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], **more)["TableDescription"]
    wait(dynamodb, "table_exists", TableName=name)
    return made


def queue(name, **attributes):
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], "arn:aws:sqs:%s:%s:%s" % (REGION, ACCOUNT, name)


def put(name, id, text):
    dynamodb.put_item(TableName=name, Item={"id": {"S": id}, "text": {"S": text}})


def saw(text, seconds=30):
    """Waits until the handler has seen a text; returns what it noted."""
    deadline = time.monotonic() + seconds
    while True:
        item = dynamodb.get_item(TableName="seen", Key={"id": {"S": text}}, ConsistentRead=True).get("Item")
        if item:
            return int(item["size"]["N"]), json.loads(item["record"]["S"])
        assert time.monotonic() < deadline, "nobody saw " + text
        time.sleep(0.05)


def receive(url):
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages", [])
    assert got, "no message came to " + url
    return got[0]


COUNT = 40
if sys.argv[1:2] == ["find"]:
    for n in range(COUNT):
        saw("message %d" % n, 60)
        saw("change %d" % n, 60)
    print("ok")
    sys.exit()

table("seen")
role_arn = role("reader")
iam.put_role_policy(RoleName="reader", PolicyName="seen", PolicyDocument=policy("Allow", ["dynamodb:PutItem"]))
function("reader", SOURCE, role_arn, Timeout=5)
work, work_arn = queue("work", VisibilityTimeout="5")
stream = table("items", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})["LatestStreamArn"]

# The role must be allowed to read.
equal(refused(lambda_.create_event_source_mapping, FunctionName="reader", EventSourceArn=work_arn),
      ("InvalidParameterValueException", "The function execution role does not have permissions to call ReceiveMessage on SQS"))
equal(refused(lambda_.create_event_source_mapping, FunctionName="reader", EventSourceArn=stream, StartingPosition="LATEST")[0], "InvalidParameterValueException")
iam.attach_role_policy(RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole")
iam.attach_role_policy(RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole")
made = lambda_.create_event_source_mapping(FunctionName="reader", EventSourceArn=work_arn, FunctionResponseTypes=["ReportBatchItemFailures"])
equal((made["State"], made["StateTransitionReason"], made["BatchSize"], made["MaximumBatchingWindowInSeconds"], made["ResponseMetadata"]["HTTPStatusCode"]),
      ("Creating", "USER_INITIATED", 10, 0, 202))
equal(lambda_.get_event_source_mapping(UUID=made["UUID"])["State"], "Enabled")

if sys.argv[1:2] == ["leave"]:
    lambda_.create_event_source_mapping(FunctionName="reader", EventSourceArn=stream, StartingPosition="LATEST", BatchSize=3)
    for n in range(COUNT):
        sqs.send_message(QueueUrl=work, MessageBody="message %d" % n)
        put("items", str(n), "change %d" % n)
    print("ok")
    sys.exit()

# Messages of a queue.
sqs.send_message(QueueUrl=work, MessageBody="hello", MessageAttributes={"colour": {"DataType": "String", "StringValue": "red"}})
_, record = saw("hello")
equal((record["eventSource"], record["eventSourceARN"], record["awsRegion"], record["attributes"]["ApproximateReceiveCount"]), ("aws:sqs", work_arn, REGION, "1"))
equal(record["messageAttributes"], {"colour": {"stringValue": "red", "stringListValues": [], "binaryListValues": [], "dataType": "String"}})
dead, dead_arn = queue("dead")
sqs.set_queue_attributes(QueueUrl=work, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})})
sqs.send_message_batch(QueueUrl=work, Entries=[{"Id": "a", "MessageBody": "fine"}, {"Id": "b", "MessageBody": "partial"}])
saw("fine")
equal(receive(dead)["Body"], "partial")
lambda_.update_event_source_mapping(UUID=made["UUID"], FilterCriteria={"Filters": [{"Pattern": json.dumps({"body": {"kind": ["order"]}})}]})
sqs.send_message(QueueUrl=work, MessageBody=json.dumps({"kind": "other"}))
sqs.send_message(QueueUrl=work, MessageBody=json.dumps({"kind": "order"}))
saw(json.dumps({"kind": "order"}))
equal(sqs.get_queue_attributes(QueueUrl=work, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"], "0")
equal(refused(lambda_.update_event_source_mapping, UUID=made["UUID"], FilterCriteria={"Filters": [{"Pattern": "{"}]})[1], "Invalid filter pattern definition.")
equal(refused(lambda_.update_event_source_mapping, UUID=made["UUID"], BatchSize=11)[1],
      "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
equal(refused(lambda_.create_event_source_mapping, FunctionName="reader", EventSourceArn=work_arn),
      ("ResourceConflictException", 'An event source mapping with SQS arn (" %s ") and function (" reader ") provided mapping already exists. '
       "Please update or delete the existing mapping with UUID %s" % (work_arn, made["UUID"])))
equal(lambda_.update_event_source_mapping(UUID=made["UUID"], Enabled=False)["State"], "Disabling")
equal(lambda_.get_event_source_mapping(UUID=made["UUID"])["State"], "Disabled")
lambda_.tag_resource(Resource=made["EventSourceMappingArn"], Tags={"a": "b"})
equal(lambda_.list_tags(Resource=made["EventSourceMappingArn"])["Tags"], {"a": "b"})
equal(lambda_.delete_event_source_mapping(UUID=made["UUID"])["State"], "Deleting")
equal(refused(lambda_.get_event_source_mapping, UUID=made["UUID"]), ("ResourceNotFoundException", "The resource you requested does not exist."))

# The stream itself.
put("items", "1", "first")
put("items", "1", "first")  # changes nothing, so it is none
put("items", "1", "second")
dynamodb.delete_item(TableName="items", Key={"id": {"S": "1"}})
description = streams.describe_stream(StreamArn=stream)["StreamDescription"]
equal((description["StreamStatus"], description["StreamViewType"], description["TableName"]), ("ENABLED", "NEW_AND_OLD_IMAGES", "items"))
shard = description["Shards"][0]["ShardId"]
iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
read = streams.get_records(ShardIterator=iterator)
equal([r["eventName"] for r in read["Records"]], ["INSERT", "MODIFY", "REMOVE"])
insert, modify, remove = [r["dynamodb"] for r in read["Records"]]
equal((insert["Keys"], insert["NewImage"], "OldImage" in insert), ({"id": {"S": "1"}}, {"id": {"S": "1"}, "text": {"S": "first"}}, False))
equal((modify["OldImage"]["text"], modify["NewImage"]["text"], "NewImage" in remove), ({"S": "first"}, {"S": "second"}, False))
assert insert["SequenceNumber"] < modify["SequenceNumber"] and len(insert["SequenceNumber"]) == 21
iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=insert["SequenceNumber"])["ShardIterator"]
equal(len(streams.get_records(ShardIterator=iterator, Limit=1)["Records"]), 1)
equal([s["TableName"] for s in streams.list_streams()["Streams"]], ["items"])

# Changes of a table: in order, filtered, given up to a destination.
lost, lost_arn = queue("lost")
iam.put_role_policy(RoleName="reader", PolicyName="lost", PolicyDocument=policy("Allow", ["sqs:SendMessage"]))
made = lambda_.create_event_source_mapping(
    FunctionName="reader", EventSourceArn=stream, StartingPosition="TRIM_HORIZON", BatchSize=10, MaximumRetryAttempts=0, BisectBatchOnFunctionError=True,
    FunctionResponseTypes=["ReportBatchItemFailures"], DestinationConfig={"OnFailure": {"Destination": lost_arn}},
    FilterCriteria={"Filters": [{"Pattern": json.dumps({"eventName": ["INSERT", "REMOVE"]})}]})
equal((made["ParallelizationFactor"], made["MaximumRecordAgeInSeconds"], made["LastProcessingResult"], made["StateTransitionReason"]),
      (1, -1, "No records processed", "User action"))
_, record = saw("first")
equal((record["eventID"], record["eventVersion"], record["eventSource"], record["eventSourceARN"]), (read["Records"][0]["eventID"], "1.1", "aws:dynamodb", stream))
saw("REMOVE")
equal(dynamodb.get_item(TableName="seen", Key={"id": {"S": "second"}}).get("Item"), None)
for id, text in [("2", "good"), ("3", "crash"), ("4", "better")]:
    put("items", id, text)
saw("better")
record = json.loads(receive(lost)["Body"])
equal((record["requestContext"]["condition"], record["responseContext"]["functionError"], record["DDBStreamBatchInfo"]["batchSize"], record["DDBStreamBatchInfo"]["streamArn"]),
      ("RetryAttemptsExhausted", "Unhandled", 1, stream))
put("items", "5", "partial")
record = json.loads(receive(lost)["Body"])
equal((record["responseContext"]["functionError"], record["DDBStreamBatchInfo"]["shardId"]), (None, shard))
deadline = time.monotonic() + 10
while lambda_.get_event_source_mapping(UUID=made["UUID"])["LastProcessingResult"] != "PROBLEM: Function call failed":
    assert time.monotonic() < deadline
    time.sleep(0.05)

# Into a bucket, with the batch; a bus is for asynchronous calls alone.
s3 = boto3.client("s3")
s3.create_bucket(Bucket="batches")
bus = "arn:aws:events:%s:%s:event-bus/default" % (REGION, ACCOUNT)
equal(refused(lambda_.update_event_source_mapping, UUID=made["UUID"], DestinationConfig={"OnFailure": {"Destination": bus}})[1],
      "The destination ARN %s is invalid." % bus)
iam.put_role_policy(RoleName="reader", PolicyName="lost", PolicyDocument=policy("Allow", ["s3:PutObject"]))
lambda_.update_event_source_mapping(UUID=made["UUID"], DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::batches"}})
put("items", "6", "crash")
deadline = time.monotonic() + 20
while not (objects := s3.list_objects_v2(Bucket="batches").get("Contents")):
    assert time.monotonic() < deadline, "no object came"
    time.sleep(0.1)
assert objects[0]["Key"].startswith("aws/lambda/%s/%s/20" % (made["UUID"], shard)), objects
record = json.load(s3.get_object(Bucket="batches", Key=objects[0]["Key"])["Body"])
equal(json.loads(record["payload"])["Records"][0]["dynamodb"]["NewImage"]["id"], {"S": "6"})

# A stream that was disabled can still be read.
dynamodb.update_table(TableName="items", StreamSpecification={"StreamEnabled": False})
description = streams.describe_stream(StreamArn=stream)["StreamDescription"]
equal((description["StreamStatus"], "EndingSequenceNumber" in description["Shards"][0]["SequenceNumberRange"]), ("DISABLED", True))
described = dynamodb.describe_table(TableName="items")["Table"]
equal(("StreamSpecification" in described, described["LatestStreamArn"]), (False, stream))
equal(refused(lambda_.create_event_source_mapping, FunctionName="reader", EventSourceArn=stream + "x", StartingPosition="LATEST")[1], "Stream not found: %sx" % stream)
print("ok")
