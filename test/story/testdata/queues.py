"""SQS through boto3, by its JSON protocol, and by the query protocol of older clients."""

import urllib.parse
import xml.etree.ElementTree as xml

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from system import *

sqs = boto3.client("sqs")

url = sqs.create_queue(QueueName="walk", Attributes={"VisibilityTimeout": "1"}, tags={"a": "b"})["QueueUrl"]
equal(url, os.environ["AWS_ENDPOINT_URL"] + "/000000000000/walk")
equal(sqs.get_queue_url(QueueName="walk")["QueueUrl"], url)
equal(sqs.list_queue_tags(QueueUrl=url)["Tags"], {"a": "b"})

# boto3 checks the checksums of bodies and attributes by itself.
attributes = {"colour": {"DataType": "String", "StringValue": "red"}, "raw": {"DataType": "Binary", "BinaryValue": b"\0\1"}}
sqs.send_message(QueueUrl=url, MessageBody="one", MessageAttributes=attributes)
got = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], AttributeNames=["All"])["Messages"][0]
equal((got["Body"], got["MessageAttributes"]), ("one", attributes))
equal((got["Attributes"]["SenderId"], got["Attributes"]["ApproximateReceiveCount"]), ("000000000000", "1"))
equal(sqs.receive_message(QueueUrl=url).get("Messages"), None)
again = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, AttributeNames=["All"])["Messages"][0]  # when it is visible again
equal((again["MessageId"], again["Attributes"]["ApproximateReceiveCount"]), (got["MessageId"], "2"))
sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])

batch = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}, {"Id": "b", "MessageBody": "y", "DelaySeconds": 901}])
equal(([e["Id"] for e in batch["Successful"]], [(e["Id"], e["Code"], e["SenderFault"]) for e in batch["Failed"]]),
      (["a"], [("b", "InvalidParameterValue", True)]))
equal(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"], {"ApproximateNumberOfMessages": "1"})
sqs.purge_queue(QueueUrl=url)
equal(refused(sqs.purge_queue, QueueUrl=url)[0], "AWS.SimpleQueueService.PurgeQueueInProgress")

# Errors have the codes that SDKs have always shown.
equal(refused(sqs.get_queue_url, QueueName="nobody"), ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."))
equal(refused(sqs.create_queue, QueueName="walk", Attributes={"VisibilityTimeout": "2"})[0], "QueueAlreadyExists")
equal(refused(sqs.delete_message, QueueUrl=url, ReceiptHandle="x")[0], "ReceiptHandleIsInvalid")
equal(refused(sqs.send_message_batch, QueueUrl=url, Entries=[])[0], "AWS.SimpleQueueService.EmptyBatchRequest")

# A user gets in by the queue's policy.
iam.create_user(UserName="reader")
key = iam.create_access_key(UserName="reader")["AccessKey"]
reader = boto3.client("sqs", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
equal(refused(reader.receive_message, QueueUrl=url)[0], "AccessDenied")
sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:user/reader"}, "Action": "sqs:ReceiveMessage",
    "Resource": "arn:aws:sqs:us-east-1:000000000000:walk"}]})})
reader.receive_message(QueueUrl=url)
equal(refused(reader.send_message, QueueUrl=url, MessageBody="x")[0], "AccessDenied")


def query(path, **fields):
    """Calls as clients did before SQS spoke JSON; returns the answer's root."""
    request = AWSRequest("POST", os.environ["AWS_ENDPOINT_URL"] + path, data=urllib.parse.urlencode(fields),
                         headers={"Content-Type": "application/x-www-form-urlencoded"})
    SigV4Auth(Credentials("000000000000", "butai"), "sqs", REGION).add_auth(request)
    try:
        answer = urllib.request.urlopen(urllib.request.Request(request.url, request.data.encode(), dict(request.headers)))
    except urllib.error.HTTPError as error:
        answer = error
    text = answer.read().decode()
    assert 'xmlns="http://queue.amazonaws.com/doc/2012-11-05/"' in text, text
    return xml.fromstring(text.replace(' xmlns="http://queue.amazonaws.com/doc/2012-11-05/"', ""))


made = query("/", Action="CreateQueue", QueueName="old", **{"Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "0"})
equal(made.findtext("CreateQueueResult/QueueUrl").rsplit("/", 1)[1], "old")
query("/000000000000/old", Action="SendMessage", MessageBody="hello", **{
    "MessageAttribute.1.Name": "colour", "MessageAttribute.1.Value.DataType": "String", "MessageAttribute.1.Value.StringValue": "red"})
message = query("/000000000000/old", Action="ReceiveMessage", **{"AttributeName.1": "All", "MessageAttributeName.1": "All"}).find("ReceiveMessageResult/Message")
equal((message.findtext("Body"), message.findtext("MessageAttribute/Name"), message.findtext("MessageAttribute/Value/StringValue")), ("hello", "colour", "red"))
equal(query("/000000000000/nobody", Action="ReceiveMessage").findtext("Error/Code"), "AWS.SimpleQueueService.NonExistentQueue")
print("ok")
