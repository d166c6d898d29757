"""Integrations with DynamoDB, SNS, SQS and S3, as AWS was recorded to answer through them."""

from system import *

sqs, sns, s3 = boto3.client("sqs"), boto3.client("sns"), boto3.client("s3")
FORM = {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}

role("caller", "apigateway.amazonaws.com")
caller = "arn:aws:iam::%s:role/caller" % ACCOUNT
iam.put_role_policy(RoleName="caller", PolicyName="p", PolicyDocument=policy("Allow", ["dynamodb:*", "sns:*", "sqs:*", "s3:*"]))
api = apigateway.create_rest_api(name="services")
ROOT = {"restApiId": api["id"], "parentId": api["rootResourceId"]}


def service(path, uri, template=None, verb="POST", parameters={}, answer=None, answered={}):
    """Puts a method that integrates the service at the URI."""
    on = {"restApiId": api["id"], "httpMethod": verb, "resourceId": apigateway.create_resource(pathPart=path, **ROOT)["id"]}
    declared = {source: False for source in parameters.values() if source.startswith("method.request.") and source != "method.request.body"}
    apigateway.put_method(authorizationType="NONE", requestParameters=declared, **on)
    apigateway.put_integration(
        type="AWS", integrationHttpMethod=verb, uri="arn:aws:apigateway:%s:%s" % (REGION, uri), credentials=caller,
        requestParameters=parameters, requestTemplates={"application/json": template} if template else {}, **on)
    apigateway.put_method_response(statusCode="200", responseParameters={name: True for name in answered}, **on)
    apigateway.put_integration_response(
        statusCode="200", responseParameters=answered, responseTemplates={"application/json": answer} if answer else {}, **on)


def call(path, body=None, verb="POST", **headers):
    url = "%s/_aws/execute-api/%s/live/%s" % (os.environ["AWS_ENDPOINT_URL"], api["id"], path)
    status, _, text = fetch(url, verb, body and body.encode(), {"Content-Type": "application/json"} | headers)
    equal(status, 200)
    return text


def members(text):
    """Returns the names in a document of JSON, as they are nested."""
    def names(value):
        return {k: names(v) for k, v in value.items()} if isinstance(value, dict) else None
    return names(json.loads(text))


user_table("names")
service("put", "dynamodb:action/PutItem", json.dumps({"TableName": "names", "Item": {"id": {"S": "$input.params('id')"}}}))
service("query", "dynamodb:action/Query", json.dumps({
    "TableName": "names", "KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": {"S": "$input.params('id')"}}}))
service("scan", "dynamodb:action/Scan", json.dumps({"TableName": "nobody"}))

topic = sns.create_topic(Name="news")["TopicArn"]
service("publish", "sns:action/Publish", parameters={
    "integration.request.querystring.TopicArn": "'%s'" % topic, "integration.request.querystring.Message": "method.request.body"})
service("form", "sns:path//", "Action=Publish&TopicArn=$util.urlEncode('%s')&Message=$util.urlEncode($input.body)" % topic, parameters=FORM)

queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
SEND = "Action=SendMessage&MessageBody=$input.body"
to_queue = "sqs:path/%s/jobs" % ACCOUNT
attribute = "&%s.1.Name=who&%s.1.Value.DataType=String&%s.1.Value.StringValue=$input.params('Who')"
service("send", to_queue, SEND, parameters=FORM)
service("send-xml", to_queue, SEND, parameters=FORM | {"integration.request.header.Accept": "'application/xml'"})
service("send-read", to_queue, SEND, parameters=FORM, answer="$input.path('$.SendMessageResponse').SendMessageResult.MD5OfMessageBody")
service("send-one", to_queue, SEND + attribute % (("MessageAttribute",) * 3), parameters=FORM)
service("send-many", to_queue, SEND + attribute % (("MessageAttributes",) * 3), parameters=FORM)
service("send-json", "sqs:action/SendMessage",
        """{"QueueUrl": "%s", "MessageBody": "$util.escapeJavaScript($input.body)"}""" % queue,
        parameters={"integration.request.header.X-Amz-Target": "'AmazonSQS.SendMessage'",
                    "integration.request.header.Content-Type": "'application/x-amz-json-1.0'"})

s3.create_bucket(Bucket="shelf")
service("{key+}", "s3:path/shelf/{key}", verb="ANY",
        parameters={"integration.request.path.key": "method.request.path.key",
                    "integration.request.header.Content-Type": "method.request.header.Content-Type"},
        answered={"method.response.header.ETag": "integration.response.header.ETag"})
apigateway.create_deployment(restApiId=api["id"], stageName="live")

# DynamoDB: JSON in, JSON out, errors too.
equal(call("put?id=test+3"), "{}")
equal(json.loads(call("query?id=test%203")), {"Items": [{"id": {"S": "test 3"}}], "Count": 1, "ScannedCount": 1})
equal(json.loads(call("query?id=none")), {"Items": [], "Count": 0, "ScannedCount": 0})
equal(json.loads(call("scan")), {
    "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "Requested resource not found"})

# The query protocol's services answer JSON, with all members, unless Accept says XML.
PUBLISHED = {"PublishResponse": {"PublishResult": {"MessageId": None, "SequenceNumber": None}, "ResponseMetadata": {"RequestId": None}}}
equal(members(call("publish", "hello")), PUBLISHED)
equal(members(call("form", "hello & goodbye")), PUBLISHED)
SENT = {"SendMessageResponse": {"SendMessageResult": dict.fromkeys([
    "MD5OfMessageBody", "MD5OfMessageAttributes", "MD5OfMessageSystemAttributes", "MessageId", "SequenceNumber"]),
    "ResponseMetadata": {"RequestId": None}}}
HELLO = "<xml>Hello World</xml>", "0c38abe3676e5cf7048b3e40018ea418"
sent = call("send", HELLO[0])
equal(members(sent), SENT)
equal(json.loads(sent)["SendMessageResponse"]["SendMessageResult"]["MD5OfMessageBody"], HELLO[1])
xml = call("send-xml", HELLO[0])
assert xml.startswith("<") and "<SendMessageResponse" in xml and "<MD5OfMessageBody>%s<" % HELLO[1] in xml, xml
equal(call("send-read", HELLO[0]), HELLO[1])

# SQS takes attributes by the member's name and by the list's, and its JSON protocol.
sqs.purge_queue(QueueUrl=queue)
for path in ("send-one", "send-many"):
    equal(members(call(path, '{"foo":"bar"}', Who="me")), SENT)
    got = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"], WaitTimeSeconds=5)["Messages"][0]
    equal((got["Body"], got["MessageAttributes"]), ('{"foo":"bar"}', {"who": {"StringValue": "me", "DataType": "String"}}))
equal(members(call("send-json", '{"foo":"bar"}')), dict.fromkeys(["MD5OfMessageBody", "MessageId"]))
equal(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"][0]["Body"], '{"foo":"bar"}')

# S3: one method for all verbs; its errors name the key.
for verb, body in (("GET", None), ("PUT", '{"put_id": 1}'), ("DELETE", None), ("GET", None)):
    text = call("a/test.json", body, verb)
    if verb == "GET":
        code, rest = text.partition("<Message>")[::2]
        assert code.endswith("<Error><Code>NoSuchKey</Code>"), text
        assert rest.startswith("The specified key does not exist.</Message><Key>a/test.json</Key><RequestId>"), text
        assert rest.endswith("</HostId></Error>"), text
    else:
        equal(text, "")
    if verb == "PUT":
        equal(call("a/test.json", verb="GET"), body)

print("ok")
