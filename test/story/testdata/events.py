"""Asynchronous invocations: destinations, dead letters, and what a kill leaves.

events.py leave   sends events that are still under way when it ends
events.py find    finds all of them delivered by the next server
events.py         everything else
"""

from system import *

sqs = boto3.client("sqs")
s3 = boto3.client("s3")

SLOW = """
import boto3, time
table = boto3.resource("dynamodb").Table("seen")
def handler(event, context):
    time.sleep(0.2)
    table.put_item(Item={"id": str(event["n"])})
"""

SOURCE = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("no good")
    return {"seen": event}
"""


def queue(name):
    return sqs.create_queue(QueueName=name)["QueueUrl"], "arn:aws:sqs:%s:%s:%s" % (REGION, ACCOUNT, name)


def receive(url):
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MessageAttributeNames=["All"]).get("Messages", [])
    assert got, "no message came to " + url
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
    return got[0]


def allow(name, *actions):
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=policy("Allow", list(actions)))


COUNT = 60
if sys.argv[1:2] == ["leave"]:
    dynamodb.create_table(
        TableName="seen", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    arn = role("slow")
    allow("slow", "dynamodb:PutItem")
    function("slow", SLOW, arn)
    for n in range(COUNT):
        equal(invoke("slow", {"n": n}, InvocationType="Event")[0]["StatusCode"], 202)
    print("ok")
    sys.exit()
if sys.argv[1:2] == ["find"]:
    deadline = time.monotonic() + 60
    while True:
        found = dynamodb.scan(TableName="seen", ConsistentRead=True)["Count"]
        if found == COUNT:
            break
        assert time.monotonic() < deadline, "%d of %d events arrived" % (found, COUNT)
        time.sleep(0.2)
    print("ok")
    sys.exit()

won, won_arn = queue("won")
lost, lost_arn = queue("lost")
letters, letters_arn = queue("letters")
role_arn = role("async")
equal(refused(lambda_.create_function, FunctionName="async", Role=role_arn, Handler="main.handler", Runtime=RUNTIME,
              Code={"ZipFile": zipped(SOURCE)}, DeadLetterConfig={"TargetArn": letters_arn}),
      ("InvalidParameterValueException", "The provided execution role does not have permissions to call SendMessage on SQS"))
allow("async", "sqs:SendMessage", "s3:PutObject", "lambda:InvokeFunction")
arn = function("async", SOURCE, role_arn, DeadLetterConfig={"TargetArn": letters_arn})
equal(lambda_.get_function_configuration(FunctionName="async")["DeadLetterConfig"], {"TargetArn": letters_arn})
made = lambda_.put_function_event_invoke_config(
    FunctionName="async", MaximumRetryAttempts=0,
    DestinationConfig={"OnSuccess": {"Destination": won_arn}, "OnFailure": {"Destination": lost_arn}})
equal((made["FunctionArn"], made["MaximumRetryAttempts"], "MaximumEventAgeInSeconds" in made), (arn + ":$LATEST", 0, False))

answer, _ = invoke("async", {"n": 1}, InvocationType="Event")
record = json.loads(receive(won)["Body"])
request = answer["ResponseMetadata"]["RequestId"]
assert record.pop("timestamp").endswith("Z")
equal(record, {
    "version": "1.0", "requestContext": {"requestId": request, "functionArn": arn + ":$LATEST", "condition": "Success", "approximateInvokeCount": 1},
    "requestPayload": {"n": 1}, "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"}, "responsePayload": {"seen": {"n": 1}}})

answer, _ = invoke("async", {"fail": True}, InvocationType="Event")
record = json.loads(receive(lost)["Body"])
equal((record["requestContext"]["condition"], record["responseContext"]["functionError"], record["responsePayload"]["errorMessage"]),
      ("RetriesExhausted", "Unhandled", "no good"))
letter = receive(letters)
equal(json.loads(letter["Body"]), {"fail": True})
equal({name: a["StringValue"] for name, a in letter["MessageAttributes"].items()},
      {"RequestID": answer["ResponseMetadata"]["RequestId"], "ErrorCode": "200", "ErrorMessage": "no good"})

# To another function, and into a bucket.
function("next", SOURCE, role_arn)
lambda_.put_function_event_invoke_config(FunctionName="next", DestinationConfig={"OnSuccess": {"Destination": won_arn}})
s3.create_bucket(Bucket="records")
lambda_.update_function_event_invoke_config(
    FunctionName="async", DestinationConfig={"OnSuccess": {"Destination": arn.replace(":async", ":next")}, "OnFailure": {"Destination": "arn:aws:s3:::records"}})
invoke("async", {"n": 2}, InvocationType="Event")
equal(json.loads(receive(won)["Body"])["requestPayload"]["requestPayload"], {"n": 2})
invoke("async", {"fail": 1}, InvocationType="Event")
receive(letters)
deadline = time.monotonic() + 20
while not (objects := s3.list_objects_v2(Bucket="records").get("Contents")):
    assert time.monotonic() < deadline, "no object came"
    time.sleep(0.1)
assert objects[0]["Key"].startswith("aws/lambda/async/async/20"), objects
equal(json.load(s3.get_object(Bucket="records", Key=objects[0]["Key"])["Body"])["requestPayload"], {"fail": 1})

# What Lambda refuses.
lambda_.publish_version(FunctionName="async")
equal(refused(lambda_.put_function_event_invoke_config, FunctionName="async", Qualifier="9", MaximumRetryAttempts=1),
      ("ResourceNotFoundException", "The function doesn't exist."))
equal(refused(lambda_.put_function_event_invoke_config, FunctionName="async",
              DestinationConfig={"OnSuccess": {"Destination": arn}})[1], "You can't specify the function as a destination for itself.")
equal(refused(lambda_.put_function_event_invoke_config, FunctionName="async",
              DestinationConfig={"OnSuccess": {"Destination": won_arn + "x"}})[1], "The destination ARN %sx is invalid." % won_arn)
lambda_.delete_function_event_invoke_config(FunctionName="async")
equal(refused(lambda_.get_function_event_invoke_config, FunctionName="async")[1], "The function %s:$LATEST doesn't have an EventInvokeConfig" % arn)
print("ok")
