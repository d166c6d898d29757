"""Event buses: rules, targets of every kind, permissions, dead letters, and Lambda's results on a bus.

buses.py leave   puts events whose deliveries are under way when it ends
buses.py find    finds all of them delivered by the next server
buses.py         everything else
"""

from system import *

events, sqs, sns = boto3.client("events"), boto3.client("sqs"), boto3.client("sns")
BUS = "arn:aws:events:%s:%s:event-bus/" % (REGION, ACCOUNT)
RULE = "arn:aws:events:%s:%s:rule/" % (REGION, ACCOUNT)


def queue(name, *rules):
    """Makes a queue that rules may send to."""
    url, arn = sqs.create_queue(QueueName=name)["QueueUrl"], "arn:aws:sqs:%s:%s:%s" % (REGION, ACCOUNT, name)
    if rules:
        statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
                     "Condition": {"ArnLike": {"aws:SourceArn": [RULE + rule for rule in rules]}}}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})})
    return url, arn


def receive(url):
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MessageAttributeNames=["All"], AttributeNames=["All"]).get("Messages", [])
    assert got, "no message came to " + url
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
    return got[0]


def rule(name, pattern, *targets, bus="default"):
    arn = events.put_rule(Name=name, EventPattern=json.dumps(pattern), EventBusName=bus)["RuleArn"]
    answer = events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": str(n)} | target for n, target in enumerate(targets)])
    equal((answer["FailedEntryCount"], answer["FailedEntries"]), (0, []))
    return arn


def put(source, detail, **more):
    answer = events.put_events(Entries=[{"Source": source, "DetailType": "order", "Detail": json.dumps(detail)} | more])
    equal(answer["FailedEntryCount"], 0)
    return answer["Entries"][0]["EventId"]


def denied(entry):
    answer = events.put_events(Entries=[entry])
    equal(answer["FailedEntryCount"], 1)
    return answer["Entries"][0]["ErrorCode"], answer["Entries"][0]["ErrorMessage"]


COUNT = 40
if sys.argv[1:2] == ["leave"]:
    _, arn = queue("left", "left")
    rule("left", {"source": ["left"]}, *[{"Arn": arn, "Input": json.dumps({"by": n})} for n in range(4)], {"Arn": arn, "InputPath": "$.detail"})
    for n in range(0, COUNT, 10):
        events.put_events(Entries=[{"Source": "left", "DetailType": "t", "Detail": json.dumps({"n": m})} for m in range(n, n + 10)])
    print("ok")
    sys.exit()
if sys.argv[1:2] == ["find"]:
    url, inputs, missing = queue("left")[0], 4 * COUNT, set(range(COUNT))
    while missing or inputs > 0:
        got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MaxNumberOfMessages=10).get("Messages", [])
        assert got, "%s and %d inputs didn't come" % (missing, inputs)
        for m in got:
            body = json.loads(m["Body"])
            missing.discard(body.get("n"))
            inputs -= "by" in body
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    print("ok")
    sys.exit()

# Buses, as recorded from AWS.
equal(refused(events.describe_event_bus, Name="own"), ("ResourceNotFoundException", "Event bus own does not exist."))
equal(refused(events.delete_event_bus, Name="default"), ("ValidationException", "Cannot delete event bus default."))
events.delete_event_bus(Name="own")
equal(events.create_event_bus(Name="own", Description="mine", Tags=[{"Key": "k", "Value": "v"}])["EventBusArn"], BUS + "own")
equal(refused(events.create_event_bus, Name="own"), ("ResourceAlreadyExistsException", "Event bus own already exists."))
equal(refused(events.create_event_bus, Name="default"), ("ResourceAlreadyExistsException", "Event bus default already exists."))
equal(refused(events.create_event_bus, Name="a", KmsKeyIdentifier="alias/x")[0], "NotImplemented")
equal([bus["Name"] for bus in events.list_event_buses()["EventBuses"]], ["default", "own"])
page = events.list_event_buses(Limit=1)
equal([bus["Name"] for bus in events.list_event_buses(NextToken=page["NextToken"])["EventBuses"]], ["own"])
described = events.describe_event_bus(Name="own")
equal((described["Arn"], described["Description"], "Policy" in described), (BUS + "own", "mine", False))
equal(events.update_event_bus(Name="own", Description="ours")["Description"], "ours")
equal(events.list_tags_for_resource(ResourceARN=BUS + "own")["Tags"], [{"Key": "k", "Value": "v"}])
events.tag_resource(ResourceARN=BUS + "default", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
events.untag_resource(ResourceARN=BUS + "default", TagKeys=["b", "none"])
equal(events.list_tags_for_resource(ResourceARN=BUS + "default")["Tags"], [{"Key": "a", "Value": "1"}])
equal(refused(events.list_tags_for_resource, ResourceARN=RULE + "none"), ("ResourceNotFoundException", "Rule none does not exist on EventBus default."))
events.put_permission(EventBusName="own", StatementId="theirs", Action="events:PutEvents", Principal="111122223333")
events.put_permission(EventBusName="own", StatementId="all", Action="events:PutEvents", Principal="*",
                      Condition={"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1"})
equal(events.describe_event_bus(Name="own")["Policy"], '{"Version":"2012-10-17","Statement":[{"Sid":"theirs","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},'
      '"Action":"events:PutEvents","Resource":"%sown"},{"Sid":"all","Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":"%sown",'
      '"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}]}' % (BUS, BUS))
equal(refused(events.remove_permission, EventBusName="own", StatementId="none"), ("ResourceNotFoundException", "Statement with the provided id does not exist."))
events.remove_permission(EventBusName="own", StatementId="all")

# Rules.
pattern = {"source": ["shop"], "detail": {"price": [{"numeric": [">", 10]}]}}
equal(refused(events.put_rule, Name="r"), ("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified."))
equal(refused(events.put_rule, Name="r", ScheduleExpression="rate(1 minutes)"), ("ValidationException", "Parameter ScheduleExpression is not valid."))
equal(refused(events.put_rule, Name="r", EventBusName="own", ScheduleExpression="rate(1 minute)"),
      ("ValidationException", "ScheduleExpression is supported only on the default event bus."))
equal(refused(events.put_rule, Name="r", EventBusName="none", EventPattern='{"source": ["s"]}'), ("ResourceNotFoundException", "Event bus none does not exist."))
code, message = refused(events.put_rule, Name="r", EventPattern='{"int": 42}')
equal((code, message.split("\n")[0]), ("InvalidEventPatternException", 'Event pattern is not valid. Reason: "int" must be an object or an array'))
equal(refused(events.put_rule, Name="r", EventPattern=json.dumps(pattern), RoleArn="arn:aws:iam::%s:role/none" % ACCOUNT),
      ("ValidationException", "Provided role 'arn:aws:iam::%s:role/none' cannot be assumed by principal 'events.amazonaws.com'." % ACCOUNT))
equal(events.put_rule(Name="r", EventBusName="own", EventPattern=json.dumps(pattern), Description="d")["RuleArn"], RULE + "own/r")
made = events.describe_rule(Name="r", EventBusName=BUS + "own")
del made["ResponseMetadata"]
equal(made, {"Name": "r", "Arn": RULE + "own/r", "EventPattern": json.dumps(pattern), "State": "ENABLED", "Description": "d", "EventBusName": "own", "CreatedBy": ACCOUNT})
equal(refused(events.delete_event_bus, Name="own")[0], "ValidationException")
equal(refused(events.describe_rule, Name="r"), ("ResourceNotFoundException", "Rule r does not exist on EventBus default."))
equal(events.list_rules(EventBusName="own", NamePrefix="x")["Rules"], [])
events.disable_rule(Name="r", EventBusName="own")
equal(events.list_rules(EventBusName="own")["Rules"][0]["State"], "DISABLED")
events.enable_rule(Name="r", EventBusName="own")
events.put_rule(Name="clock", ScheduleExpression="cron(0 10 ? * MON-FRI *)")
equal(events.describe_rule(Name="clock")["ScheduleExpression"], "cron(0 10 ? * MON-FRI *)")
events.delete_rule(Name="clock")
event = {"id": "1", "detail-type": "t", "source": "shop", "account": ACCOUNT, "time": "2026-11-28T12:00:00Z", "region": REGION, "resources": [], "detail": {"price": 11}}
equal(events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))["Result"], True)
equal(events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event | {"detail": {"price": 9}}))["Result"], False)
equal(refused(events.create_archive, ArchiveName="a", EventSourceArn=BUS + "own")[0], "NotImplemented")

# Targets that won't do.
def target_refused(**target):
    return refused(events.put_targets, Rule="r", EventBusName="own", Targets=[{"Id": "1"} | target])


shop_url, shop_arn = queue("shop", "own/*", "shop")
equal(refused(events.put_targets, Rule="r", Targets=[{"Id": "1", "Arn": shop_arn}]), ("ResourceNotFoundException", "Rule r does not exist on EventBus default."))
equal(target_refused(Arn="queue"), ("ValidationException", "Parameter queue is not valid. Reason: Provided Arn is not in correct format."))
equal(target_refused(Arn=shop_arn, Id="!"), ("ValidationException", "1 validation error detected: Value '!' at 'targets.1.member.id' failed to satisfy constraint: "
                                                                 "Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"))
equal(target_refused(Arn="arn:aws:kinesis:%s:%s:stream/s" % (REGION, ACCOUNT))[0], "NotImplemented")
equal(target_refused(Arn=shop_arn + ".fifo"), ("ValidationException", "Parameter(s) SqsParameters must be specified for target: 1."))
equal(target_refused(Arn=shop_arn, Input="{"), ("ValidationException", "JSON syntax error in input for target 1."))
equal(target_refused(Arn=shop_arn, Input="{}", InputPath="$"), ("ValidationException", "Only one of Input, InputPath, or InputTransformer must be provided for target 1."))
equal(target_refused(Arn=shop_arn, InputTransformer={"InputTemplate": '{"a": <b>}'}), ("ValidationException", "InputTemplate for target 1 contains invalid placeholder b."))
equal(refused(events.put_targets, Rule="r", EventBusName="own", Targets=[{"Id": str(n), "Arn": shop_arn} for n in range(6)]),
      ("LimitExceededException", "The requested resource exceeds the maximum number allowed."))

# An event, as it comes, in part and transformed.
rule("r", pattern, {"Arn": shop_arn}, bus="own")
equal(events.list_targets_by_rule(Rule="r", EventBusName="own")["Targets"], [{"Id": "0", "Arn": shop_arn}])
equal(events.list_rule_names_by_target(TargetArn=shop_arn, EventBusName="own")["RuleNames"], ["r"])
equal(refused(events.delete_rule, Name="r", EventBusName="own"), ("ValidationException", "Rule can't be deleted since it has targets."))
put("shop", {"price": 9}, EventBusName="own")
put("shop", {"price": 11})  # on the default bus
id = put("shop", {"price": 12, "b": "ö", "a": 1}, EventBusName=BUS + "own", Resources=["x"], Time=1764331200, TraceHeader="Root=1-5759e988-bd862e3fe1be46a994272793")
message = receive(shop_url)
equal(message["Body"], '{"version":"0","id":"%s","detail-type":"order","source":"shop","account":"%s","time":"2025-11-28T12:00:00Z","region":"%s",'
      '"resources":["x"],"detail":{"price":12,"b":"ö","a":1}}' % (id, ACCOUNT, REGION))
equal(message["Attributes"]["AWSTraceHeader"], "Root=1-5759e988-bd862e3fe1be46a994272793")
for given, want in [
    ({"Input": '{"own": true}'}, '{"own": true}'),
    ({"InputPath": "$.detail.deep"}, '{"k":"v"}'),
    ({"InputTransformer": {"InputPathsMap": {"k": "$.detail.deep.k", "none": "$.detail.none"}, "InputTemplate": '"It is <k>, <none> by <aws.events.rule-name>"'}}, '"It is v,  by r"'),
    ({"InputTransformer": {"InputPathsMap": {"k": "$.detail.deep"}, "InputTemplate": '{"k": <k>, "rule": <aws.events.rule-arn>}'}}, '{"k": {"k":"v"}, "rule": "%sown/r"}' % RULE),
]:
    rule("r", pattern, {"Arn": shop_arn} | given, bus="own")
    put("shop", {"price": 12, "deep": {"k": "v"}}, EventBusName="own")
    equal(receive(shop_url)["Body"], want)

# Entries that won't do; one for a bus that isn't there is lost, as in AWS.
equal(denied({"DetailType": "t", "Detail": "{}"}), ("InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."))
equal(denied({"Source": "s", "DetailType": "t"}), ("InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."))
equal(denied({"Source": "s", "Detail": "{}"}), ("InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument."))
for detail in ["text", "[]", '{"a"', '"{}"']:
    equal(denied({"Source": "s", "DetailType": "t", "Detail": detail}), ("MalformedDetail", "Detail is malformed."))
equal(denied({"Source": "aws.ec2", "DetailType": "t", "Detail": "{}"})[0], "NotAuthorizedForSourceException")
put("s", {}, EventBusName="none")
equal(refused(events.put_events, Entries=[{"Source": "s", "DetailType": "t", "Detail": json.dumps({"x": "x" * (1 << 20)})}]),
      ("ValidationException", "Total size of the entries in the request is over the limit."))
equal(refused(events.put_events, Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}] * 11)[0], "ValidationException")

# To a function, which must let the rule in; what it doesn't is a dead letter.
dead_url, dead_arn = queue("dead", "called")
SOURCE = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("no good")
    print("called with", event.get("detail"))
    return {"done": True}
"""
work = role("work")
iam.attach_role_policy(RoleName="work", PolicyArn="arn:aws:iam::aws:policy/AWSLambdaExecute")
called = function("called", SOURCE, work)
arn = rule("called", {"source": ["call"]}, {"Arn": called, "DeadLetterConfig": {"Arn": dead_arn}, "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60}})
id = put("call", {"n": 1})
letter = receive(dead_url)
equal(json.loads(letter["Body"])["id"], id)
attributes = {name: a["StringValue"] for name, a in letter["MessageAttributes"].items()}
assert attributes.pop("ERROR_MESSAGE")
equal(attributes, {"RULE_ARN": arn, "TARGET_ARN": called, "ERROR_CODE": "NO_PERMISSIONS", "RETRY_ATTEMPTS": "0"})
lambda_.add_permission(FunctionName="called", StatementId="rule", Action="lambda:InvokeFunction", Principal="events.amazonaws.com", SourceArn=arn)
put("call", {"n": 2})
assert "'n': 2" in logged("/aws/lambda/called", "called with")

# To a topic, a log group and another bus.
topic = sns.create_topic(Name="told")["TopicArn"]
told_url, told_arn = queue("told")
sqs.set_queue_attributes(QueueUrl=told_url, Attributes={"Policy": policy("Allow", "sqs:SendMessage").replace('"Effect"', '"Principal": "*", "Effect"')})
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=told_arn, Attributes={"RawMessageDelivery": "true"})
sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}]}))
logs.create_log_group(logGroupName="/aws/events/told")
logs.put_resource_policy(policyName="rules", policyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
     "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "arn:aws:logs:%s:%s:log-group:/aws/events/*:*" % (REGION, ACCOUNT)}]}))
equal([p["policyName"] for p in logs.describe_resource_policies()["resourcePolicies"]], ["rules"])
rule("told", {"source": ["tell"]}, {"Arn": topic}, {"Arn": "arn:aws:logs:%s:%s:log-group:/aws/events/told" % (REGION, ACCOUNT)}, {"Arn": BUS + "own"})
rule("r", {"source": ["tell"]}, {"Arn": shop_arn}, bus="own")
id = put("tell", {"to": "all"})
for url in [told_url, shop_url]:
    equal(json.loads(receive(url)["Body"])["id"], id)
equal(json.loads(logged("/aws/events/told", id))["detail"], {"to": "all"})
logs.delete_resource_policy(policyName="rules")
equal(refused(logs.delete_resource_policy, policyName="rules")[0], "ResourceNotFoundException")

# A role sends in place of the service.
shut_url, shut_arn = queue("shut")
sender = role("sender", "events.amazonaws.com")
iam.put_role_policy(RoleName="sender", PolicyName="send", PolicyDocument=policy("Allow", "sqs:SendMessage", shut_arn))
rule("sent", {"source": ["send"]}, {"Arn": shut_arn, "RoleArn": sender})
id = put("send", {})
equal(json.loads(receive(shut_url)["Body"])["id"], id)

# Users need permission, for the sources that their policies name.
iam.create_user(UserName="shopper")
iam.put_user_policy(UserName="shopper", PolicyName="put", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS + "own", "Condition": {"StringEquals": {"events:source": "tell"}}}]}))
key = iam.create_access_key(UserName="shopper")["AccessKey"]
shopper = boto3.client("events", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
entry = {"Source": "tell", "DetailType": "t", "Detail": "{}", "EventBusName": "own"}
equal(shopper.put_events(Entries=[entry])["FailedEntryCount"], 0)
receive(shop_url)
for other in [{"Source": "shop"}, {"EventBusName": "default"}]:
    equal(refused(shopper.put_events, Entries=[entry | other])[0], "AccessDeniedException")
equal(refused(shopper.list_rules)[0], "AccessDeniedException")

# Other accounts need the bus's policy.
other = boto3.client("events", aws_access_key_id="111122223333", aws_secret_access_key="any")
theirs = {"Source": "tell", "DetailType": "t", "Detail": "{}", "EventBusName": BUS + "own"}
equal(other.put_events(Entries=[theirs])["FailedEntryCount"], 0)
equal(json.loads(receive(shop_url)["Body"])["account"], "111122223333")
events.remove_permission(EventBusName="own", RemoveAllPermissions=True)
there = "arn:aws:events:%s:111122223333:event-bus/there" % REGION
other.create_event_bus(Name="there")
other.put_permission(EventBusName="there", StatementId="here", Action="events:PutEvents", Principal=ACCOUNT)
other.put_rule(Name="there", EventBusName="there", EventPattern='{"source": ["tell"]}')
equal(refused(events.put_targets, Rule="told", Targets=[{"Id": "9", "Arn": there}]), ("ValidationException", "RoleArn is required for target %s." % there))
iam.put_role_policy(RoleName="sender", PolicyName="put", PolicyDocument=policy("Allow", "events:PutEvents", there))
events.put_targets(Rule="told", Targets=[{"Id": "2", "Arn": there, "RoleArn": sender}])
sqs.set_queue_attributes(QueueUrl=shop_url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": shop_arn}]})})
other.put_targets(Rule="there", EventBusName="there", Targets=[{"Id": "1", "Arn": shop_arn}])
id = put("tell", {"far": True})
event = json.loads(receive(shop_url)["Body"])
equal((event["id"], event["account"]), (id, ACCOUNT))
equal(refused(other.put_events, Entries=[theirs])[0], "AccessDeniedException")
equal(refused(other.describe_event_bus, Name=BUS + "own")[0], "AccessDeniedException")

# Lambda tells a bus how calls ended.
equal(refused(lambda_.put_function_event_invoke_config, FunctionName="called", DestinationConfig={"OnSuccess": {"Destination": BUS + "own"}}),
      ("InvalidParameterValueException", "The function's execution role does not have permissions to call PutEvents on " + BUS + "own"))
iam.put_role_policy(RoleName="work", PolicyName="tell", PolicyDocument=policy("Allow", "events:PutEvents", BUS + "own"))
equal(refused(lambda_.put_function_event_invoke_config, FunctionName="called", DestinationConfig={"OnSuccess": {"Destination": BUS + "none"}}),
      ("InvalidParameterValueException", "The destination ARN %snone is invalid." % BUS))
lambda_.put_function_event_invoke_config(FunctionName="called", MaximumRetryAttempts=0, DestinationConfig={
    "OnSuccess": {"Destination": BUS + "own"}, "OnFailure": {"Destination": BUS + "own"}})
rule("r", {"source": ["lambda"]}, {"Arn": shop_arn}, bus="own")
for payload, outcome, condition in [({}, "Success", "Success"), ({"fail": True}, "Failure", "RetriesExhausted")]:
    request, _ = invoke("called", payload, InvocationType="Event")
    event = json.loads(receive(shop_url)["Body"])
    equal((event["source"], event["detail-type"], event["account"], event["region"], event["resources"]),
          ("lambda", "Lambda Function Invocation Result - " + outcome, ACCOUNT, REGION, [BUS + "own", called + ":$LATEST"]))
    detail = event["detail"]
    equal((detail["version"], detail["requestContext"]["requestId"], detail["requestContext"]["condition"], detail["requestPayload"]),
          ("1.0", request["ResponseMetadata"]["RequestId"], condition, payload))

# What rules do is counted.
cloudwatch, now = boto3.client("cloudwatch"), time.time()


def counted(name, **dimensions):
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/Events", MetricName=name, StartTime=now - 600, EndTime=now + 60, Period=3600, Statistics=["Sum"],
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()])["Datapoints"]
    return sum(point["Sum"] for point in points)


equal([counted(name, RuleName="called") for name in ["TriggeredRules", "Invocations", "InvocationsSentToDlq", "FailedInvocations"]], [2, 2, 1, 0])
assert counted("MatchedEvents", EventBusName="own", RuleName="r") > 5

events.remove_targets(Rule="r", EventBusName="own", Ids=["0", "none"])
events.delete_rule(Name="r", EventBusName="own")
events.delete_event_bus(Name="own")
print("ok")
