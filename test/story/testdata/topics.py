"""Topics: deliveries to queues, functions and HTTP endpoints, filters, policies, dead letters.

topics.py leave   publishes to an endpoint that is down
topics.py find    is that endpoint with the next server
topics.py         everything else
"""

import base64
import http.server
import queue
import threading

from system import *

sns, sqs = boto3.client("sns"), boto3.client("sqs")


def equal(got, want):
    if got != want:
        raise AssertionError("got %r, want %r" % (got, want))


def refused(code, message, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ClientError as e:
        equal((e.response["Error"]["Code"], e.response["Error"]["Message"]), (code, message or e.response["Error"]["Message"]))
        return
    raise AssertionError("nothing was refused, want " + code)


def new_queue(name, topic=None):
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = "arn:aws:sqs:%s:%s:%s" % (REGION, ACCOUNT, name)
    if topic:
        statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
                     "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})})
    return url, arn


def receive(url):
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MessageAttributeNames=["All"])["Messages"]
    for m in got:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    equal(len(got), 1)
    return got[0]


arrived = queue.Queue()


class Endpoint(http.server.BaseHTTPRequestHandler):
    failures = 1

    def do_POST(self):
        arrived.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        fail = self.headers["x-amz-sns-message-type"] == "Notification" and Endpoint.failures > 0
        if fail:
            Endpoint.failures -= 1
        self.send_response(500 if fail else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def serve(port=0):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if sys.argv[1:2] == ["leave"]:
    server = serve()
    topic = sns.create_topic(Name="left", Attributes={"DisplayName": str(server.server_port)})["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://127.0.0.1:%d/" % server.server_port, Attributes={"DeliveryPolicy": json.dumps(
        {"healthyRetryPolicy": {"numRetries": 100, "minDelayTarget": 1, "maxDelayTarget": 1}})})
    urllib.request.urlopen(json.loads(arrived.get(timeout=20)[1])["SubscribeURL"]).read()
    server.shutdown()
    server.server_close()
    for n in range(20):
        sns.publish(TopicArn=topic, Message=str(n))
    print("ok")
    sys.exit()

if sys.argv[1:2] == ["find"]:
    Endpoint.failures = 0
    serve(int(sns.get_topic_attributes(TopicArn="arn:aws:sns:%s:%s:left" % (REGION, ACCOUNT))["Attributes"]["DisplayName"]))
    missing = {str(n) for n in range(20)}
    while missing:
        missing.discard(json.loads(arrived.get(timeout=30)[1])["Message"])
    print("ok")
    sys.exit()

# Topics, as recorded from AWS.
topic = sns.create_topic(Name="orders", Attributes={"DisplayName": "Orders"}, Tags=[{"Key": "k1", "Value": "v1"}])["TopicArn"]
equal(topic, "arn:aws:sns:%s:%s:orders" % (REGION, ACCOUNT))
equal(sns.create_topic(Name="orders")["TopicArn"], topic)
refused("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags",
        sns.create_topic, Name="orders", Tags=[{"Key": "k1", "Value": "other"}])
refused("InvalidParameter", "Invalid parameter: Topic Name", sns.create_topic, Name="a b")
refused("InvalidParameter", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1", sns.get_topic_attributes, TopicArn="orders")
refused("NotFound", "Topic does not exist", sns.get_topic_attributes, TopicArn=topic + "-2")
refused("NotFound", "Topic does not exist", sns.publish, TopicArn=topic + "-2", Message="m")
refused("InvalidParameter", "Invalid parameter: Empty message", sns.publish, TopicArn=topic, Message="")
refused("InvalidParameter", "Invalid parameter: Message too long", sns.publish, TopicArn=topic, Message="x" * 262145)
refused("InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body",
        sns.publish, TopicArn=topic, MessageStructure="json", Message='{"sqs": "s"}')
refused("ParameterValueInvalid", "The message attribute 'a' must contain non-empty message attribute value for message attribute type 'String'.",
        sns.publish, TopicArn=topic, Message="m", MessageAttributes={"a": {"DataType": "String", "StringValue": ""}})
sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "k2", "Value": "v2"}])
sns.untag_resource(ResourceArn=topic, TagKeys=["k1"])
equal(sns.list_tags_for_resource(ResourceArn=topic)["Tags"], [{"Key": "k2", "Value": "v2"}])
refused("ResourceNotFound", "Resource does not exist", sns.list_tags_for_resource, ResourceArn=topic + "-2")

# A queue whose policy doesn't let the topic in: its messages are dead letters.
open_url, open_arn = new_queue("open", topic)
dead_url, dead_arn = new_queue("dead", topic)
shut_url, shut_arn = new_queue("shut")
refused("InvalidParameter", "Invalid parameter: SQS endpoint ARN", sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=open_url)
refused("InvalidParameter", "Invalid parameter: Amazon SNS does not support this protocol string: pigeon", sns.subscribe, TopicArn=topic, Protocol="pigeon", Endpoint="x")
refused("InvalidParameter", "Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value [x]. Must be true or false.",
        sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=open_arn, Attributes={"RawMessageDelivery": "x"})
refused("InvalidParameter", "Invalid parameter: Attributes Reason: FilterPolicy: Unrecognized match type wrong-operator",
        sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=open_arn, Attributes={"FilterPolicy": '{"key": [{"wrong-operator": true}]}'})
shut = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=shut_arn, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn})})["SubscriptionArn"]
published = sns.publish(TopicArn=topic, Message='ö "q"', Subject="Hello", MessageAttributes={
    "n": {"DataType": "Number", "StringValue": "1"}, "b": {"DataType": "Binary", "BinaryValue": b"\x02\x03"}})["MessageId"]
letter = receive(dead_url)["Body"]
body = json.loads(letter)
equal(letter, """{
  "Type" : "Notification",
  "MessageId" : "%s",
  "TopicArn" : "%s",
  "Subject" : "Hello",
  "Message" : "ö \\"q\\"",
  "Timestamp" : "%s",
  "SignatureVersion" : "1",
  "Signature" : "%s",
  "SigningCertURL" : "%s",
  "UnsubscribeURL" : "%s",
  "MessageAttributes" : {
    "b" : {"Type":"Binary","Value":"AgM="},
    "n" : {"Type":"Number","Value":"1"}
  }
}""" % (published, topic, body["Timestamp"], body["Signature"], body["SigningCertURL"], body["UnsubscribeURL"]))
pem = urllib.request.urlopen(body["SigningCertURL"]).read()
if not pem.startswith(b"-----BEGIN CERTIFICATE-----") or len(base64.b64decode(body["Signature"])) != 256:
    raise AssertionError("the message isn't signed")
equal(sns.get_subscription_attributes(SubscriptionArn=shut)["Attributes"], {
    "SubscriptionArn": shut, "TopicArn": topic, "Protocol": "sqs", "Endpoint": shut_arn, "Owner": ACCOUNT,
    "SubscriptionPrincipal": "arn:aws:iam::%s:root" % ACCOUNT, "PendingConfirmation": "false", "ConfirmationWasAuthenticated": "true",
    "RawMessageDelivery": "false", "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn})})
urllib.request.urlopen(body["UnsubscribeURL"]).read()
refused("NotFound", "Subscription does not exist", sns.get_subscription_attributes, SubscriptionArn=shut)
sns.unsubscribe(SubscriptionArn=shut)

# Raw messages, and filters over attributes and over bodies.
raw = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=open_arn, Attributes={
    "RawMessageDelivery": "true", "FilterPolicy": '{"kind": ["order", {"prefix": "x-"}], "size": [{"numeric": [">", 5]}]}'})["SubscriptionArn"]
equal(sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=open_arn, ReturnSubscriptionArn=True, Attributes={
    "RawMessageDelivery": "true", "FilterPolicy": '{"kind": ["order", {"prefix": "x-"}], "size": [{"numeric": [">", 5]}]}'})["SubscriptionArn"], raw)
refused("InvalidParameter", "Invalid parameter: Attributes Reason: Subscription already exists with different attributes",
        sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=open_arn)


def kind(value, size):
    return {"kind": {"DataType": "String", "StringValue": value}, "size": {"DataType": "Number", "StringValue": size}}


entries = [("other", "9"), ("order", "5"), ("x-1", "5.5")]
out = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[
    {"Id": str(i), "Message": '{"default": "everybody", "sqs": "queue %d"}' % i, "MessageStructure": "json", "MessageAttributes": kind(*e)} for i, e in enumerate(entries)])
equal((len(out["Successful"]), out["Failed"]), (3, []))
m = receive(open_url)
equal((m["Body"], m["MessageAttributes"]["size"]), ("queue 2", {"StringValue": "5.5", "DataType": "Number"}))
sns.set_subscription_attributes(SubscriptionArn=raw, AttributeName="FilterPolicyScope", AttributeValue="MessageBody")
sns.set_subscription_attributes(SubscriptionArn=raw, AttributeName="FilterPolicy", AttributeValue='{"a": {"b": [1, 2]}}')
equal(sns.get_subscription_attributes(SubscriptionArn=raw)["Attributes"]["FilterPolicyScope"], "MessageBody")
refused("InvalidParameter", "Invalid parameter: AttributeName", sns.set_subscription_attributes, SubscriptionArn=raw, AttributeName="Colour", AttributeValue="red")
for text in ("no JSON", '{"a": {"b": 3}}', '{"a": {"b": 2}}'):
    sns.publish(TopicArn=topic, Message=text)
equal(receive(open_url)["Body"], '{"a": {"b": 2}}')
sns.unsubscribe(SubscriptionArn=raw)

# A function: its policy must let the topic in, by the qualifier.
SOURCE = """
import boto3, json
def handler(event, context):
    if event.get("fail"):
        raise ValueError("on purpose")
    boto3.client("sqs").send_message(QueueUrl="%s", MessageBody=json.dumps(event))
    return "fine"
""" % open_url
unqualified = function("topics", SOURCE, role("topics"))
iam.put_role_policy(RoleName="topics", PolicyName="send", PolicyDocument=policy("Allow", "sqs:SendMessage", open_arn))
equal(lambda_.publish_version(FunctionName="topics")["Version"], "1")
lambda_.add_permission(FunctionName="topics", Qualifier="1", StatementId="sns", Action="lambda:InvokeFunction", Principal="sns.amazonaws.com", SourceArn=topic)
lost = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=unqualified, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn})})["SubscriptionArn"]
sub = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=unqualified + ":1")["SubscriptionArn"]
published = sns.publish(TopicArn=topic, Message="to functions", MessageAttributes={"x": {"DataType": "String", "StringValue": "y"}})["MessageId"]
equal(json.loads(receive(dead_url)["Body"])["Message"], "to functions")
event = json.loads(receive(open_url)["Body"])
record = event["Records"][0]
equal(list(record), ["EventSource", "EventVersion", "EventSubscriptionArn", "Sns"])
equal((record["EventSource"], record["EventVersion"], record["EventSubscriptionArn"]), ("aws:sns", "1.0", sub))
equal(list(record["Sns"]), ["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertUrl", "UnsubscribeUrl", "MessageAttributes"])
equal((record["Sns"]["MessageId"], record["Sns"]["Subject"], record["Sns"]["MessageAttributes"]), (published, None, {"x": {"Type": "String", "Value": "y"}}))
for arn in (lost, sub):
    sns.unsubscribe(SubscriptionArn=arn)
attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
equal((attributes["SubscriptionsConfirmed"], attributes["SubscriptionsDeleted"]), ("0", "4"))

# Topics as dead-letter queue and as destination, with the function's role.
letters = sns.create_topic(Name="letters")["TopicArn"]
letters_url, letters_arn = new_queue("letters", letters)
sns.subscribe(TopicArn=letters, Protocol="sqs", Endpoint=letters_arn)
refused("InvalidParameterValueException", "The provided execution role does not have permissions to call Publish on SNS",
        lambda_.update_function_configuration, FunctionName="topics", DeadLetterConfig={"TargetArn": letters})
iam.put_role_policy(RoleName="topics", PolicyName="publish", PolicyDocument=policy("Allow", "sns:Publish", letters))
lambda_.update_function_configuration(FunctionName="topics", DeadLetterConfig={"TargetArn": letters})
lambda_.put_function_event_invoke_config(FunctionName="topics", MaximumRetryAttempts=0, DestinationConfig={"OnSuccess": {"Destination": letters}})
lambda_.invoke(FunctionName="topics", InvocationType="Event", Payload=b'{"fail": 1}')
letter = json.loads(receive(letters_url)["Body"])
equal((json.loads(letter["Message"]), letter["MessageAttributes"]["ErrorMessage"]), ({"fail": 1}, {"Type": "String", "Value": "on purpose"}))
lambda_.invoke(FunctionName="topics", InvocationType="Event", Payload=b'{"fine": 1}')
equal(json.loads(json.loads(receive(letters_url)["Body"])["Message"])["responsePayload"], "fine")
receive(open_url)

# An HTTP endpoint confirms, and is asked again when it fails.
server = serve()
retries = {"healthyRetryPolicy": {"numRetries": 3, "numNoDelayRetries": 3, "minDelayTarget": 1, "maxDelayTarget": 1}, "requestPolicy": {"headerContentType": "application/json"}}
web = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://127.0.0.1:%d/in" % server.server_port, Attributes={"DeliveryPolicy": json.dumps(retries)})["SubscriptionArn"]
equal(web, "pending confirmation")
equal(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"], "PendingConfirmation")
header, text = arrived.get(timeout=20)
question = json.loads(text)
equal((header["x-amz-sns-message-type"], header["x-amz-sns-topic-arn"], question["Type"]), ("SubscriptionConfirmation", topic, "SubscriptionConfirmation"))
sns.publish(TopicArn=topic, Message="before")
refused("InvalidParameter", "Invalid token", sns.confirm_subscription, TopicArn=topic, Token="x")
refused("InvalidParameter", "Invalid parameter: Token", sns.confirm_subscription, TopicArn=topic, Token="0" * 256)
answer = urllib.request.urlopen(question["SubscribeURL"]).read().decode()
if "<ConfirmSubscriptionResult>" not in answer or topic not in answer:
    raise AssertionError(answer)
web = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"]
equal(sns.get_subscription_attributes(SubscriptionArn=web)["Attributes"]["ConfirmationWasAuthenticated"], "false")
published = sns.publish(TopicArn=topic, Message="after")["MessageId"]
for _ in range(2):  # it failed the first time
    header, text = arrived.get(timeout=20)
    equal((header["x-amz-sns-message-id"], header["x-amz-sns-subscription-arn"], header["Content-Type"]), (published, web, "application/json"))
    equal(json.loads(text)["Message"], "after")

# Who may: the caller's policies, and the topic's.
keys = {}
for name in ("nobody", "friend"):
    iam.create_user(UserName=name)
    keys[name] = iam.create_access_key(UserName=name)["AccessKey"]


def as_user(name):
    return boto3.client("sns", aws_access_key_id=keys[name]["AccessKeyId"], aws_secret_access_key=keys[name]["SecretAccessKey"])


refused("AuthorizationError", "User: arn:aws:iam::%s:user/nobody is not authorized to perform: SNS:Publish on resource: %s because no identity-based policy allows the SNS:Publish action" % (ACCOUNT, topic),
        as_user("nobody").publish, TopicArn=topic, Message="m")
statement = {"Sid": "friend", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::%s:user/friend" % ACCOUNT}, "Action": "sns:Publish", "Resource": topic}
sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
as_user("friend").publish(TopicArn=topic, Message="of a friend")
equal(json.loads(arrived.get(timeout=20)[1])["Message"], "of a friend")
abroad = boto3.client("sns", aws_access_key_id="111111111111", aws_secret_access_key="x")
refused("AuthorizationError", None, abroad.publish, TopicArn=topic, Message="m")
sns.add_permission(TopicArn=topic, Label="abroad", AWSAccountId=["111111111111"], ActionName=["Publish"])
refused("InvalidParameter", "Invalid parameter: Statement already exists", sns.add_permission, TopicArn=topic, Label="abroad", AWSAccountId=["111111111111"], ActionName=["Publish"])
abroad.publish(TopicArn=topic, Message="from abroad")
equal(json.loads(arrived.get(timeout=20)[1])["Message"], "from abroad")
sns.remove_permission(TopicArn=topic, Label="abroad")
refused("AuthorizationError", None, abroad.publish, TopicArn=topic, Message="m")

equal([t["TopicArn"] for t in sns.list_topics()["Topics"]], [letters, topic])
equal(len(sns.list_subscriptions()["Subscriptions"]), 2)
sns.delete_topic(TopicArn=topic)
sns.delete_topic(TopicArn=topic)
equal(len(sns.list_subscriptions()["Subscriptions"]), 1)
server.shutdown()
print("ok")
