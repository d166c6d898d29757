"""Log events as metrics, by the Embedded Metric Format and by filters, and for subscribed functions."""

import datetime

from system import *

cloudwatch = boto3.client("cloudwatch")


def refused(code, text, call, **arguments):
    try:
        call(**arguments)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code and text in e.response["Error"]["Message"], e
    else:
        raise AssertionError("no %s from %s" % (code, arguments))


def total(namespace, name, want, stat="Sum", **dimensions):
    """Waits until a metric of the last hour adds up to what is wanted."""
    now = datetime.datetime.now(datetime.timezone.utc)
    for _ in range(100):
        points = cloudwatch.get_metric_statistics(
            Namespace=namespace, MetricName=name, Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()], Period=3600,
            Statistics=[stat], StartTime=now - datetime.timedelta(hours=2), EndTime=now + datetime.timedelta(hours=1))["Datapoints"]
        got = sum(p[stat] for p in points)
        if got == want:
            return points[0]
        time.sleep(0.2)
    raise AssertionError("%s %s is %s, not %s" % (namespace, name, got, want))


arn = function("embedded", '''
import json, time
def handler(event, context):
    print(json.dumps({
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
            "Namespace": "shop", "Dimensions": [["service"], ["service", "tier"], []],
            "Metrics": [{"Name": "orders", "Unit": "Count"}, {"Name": "latency", "Unit": "Milliseconds"}]}]},
        "service": "cart", "tier": "gold", "orders": event["orders"], "latency": [10, 20, 30], "requestId": context.aws_request_id}))
    print("ERROR something")
    print("ERROR something else")
''', role("embedded"))
invoke("embedded", {"orders": 2})
invoke("embedded", {"orders": 3})
point = total("shop", "orders", 5, service="cart")
equal(point["Unit"], "Count")
total("shop", "orders", 5, service="cart", tier="gold")
total("shop", "orders", 5)
total("shop", "latency", 6, "SampleCount", service="cart")

# Metric filters: a count, a value out of JSON, with dimensions, with a default; fields of lines.
group = "filtered"
logs.create_log_group(logGroupName=group)
logs.create_log_stream(logGroupName=group, logStreamName="s")
transformation = {"metricNamespace": "app", "metricName": "errors", "metricValue": "1", "defaultValue": 0}
logs.put_metric_filter(logGroupName=group, filterName="errors", filterPattern="ERROR", metricTransformations=[transformation])
logs.put_metric_filter(logGroupName=group, filterName="slow", filterPattern="{ $.latency > 100 }", metricTransformations=[
    {"metricNamespace": "app", "metricName": "slow", "metricValue": "$.latency", "unit": "Milliseconds", "dimensions": {"path": "$.path"}}])
logs.put_metric_filter(logGroupName=group, filterName="bytes", filterPattern="[ip, request, status=2*, size]", metricTransformations=[
    {"metricNamespace": "app", "metricName": "bytes", "metricValue": "$size"}])


def put(*messages):
    now = int(time.time() * 1000)
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[{"timestamp": now, "message": m} for m in messages])


put("ERROR a", "fine", "ERROR b", '{"latency": 250, "path": "/a"}', '{"latency": 50, "path": "/a"}', '{"latency": 300}',
    '1.2.3.4 "GET /" 200 100', '1.2.3.4 "GET /" 404 50', '1.2.3.4 "GET /x" 201 11')
total("app", "errors", 2)
total("app", "errors", 9, "SampleCount")
equal(total("app", "slow", 250, path="/a")["Unit"], "Milliseconds")
total("app", "bytes", 111)
filters = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
equal([f["filterName"] for f in filters], ["bytes", "errors", "slow"])
equal(logs.describe_metric_filters(metricName="slow", metricNamespace="app")["metricFilters"][0]["logGroupName"], group)
equal(logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["metricFilterCount"], 3)
matches = logs.test_metric_filter(filterPattern="[a, b]", logEventMessages=["x y", "x", "1 2"])["matches"]
equal([(m["eventNumber"], m["extractedValues"]) for m in matches], [(1, {"$a": "x", "$b": "y"}), (3, {"$a": "1", "$b": "2"})])
refused("InvalidParameterException", "dimensions and default value are mutually exclusive", logs.put_metric_filter, logGroupName=group,
        filterName="x", filterPattern="{ $.a = 1 }", metricTransformations=[transformation | {"dimensions": {"a": "$.a"}}])
refused("ResourceNotFoundException", "The specified metric filter does not exist.", logs.delete_metric_filter, logGroupName=group, filterName="x")
logs.delete_metric_filter(logGroupName=group, filterName="errors")
put("ERROR c")

# A function is called with what a group logs, if it lets CloudWatch Logs call it.
receiver = function("receiver", '''
import base64, gzip, json
def handler(event, context):
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    print("GOT", data["messageType"], data["logGroup"], data["logStream"], data["subscriptionFilters"], [e["message"] for e in data["logEvents"]])
''', role("receiver"))
subscription = {"logGroupName": group, "filterName": "all", "filterPattern": "order", "destinationArn": receiver}
refused("InvalidParameterException", "Could not execute the lambda function.", logs.put_subscription_filter, **subscription)
lambda_.add_permission(FunctionName="receiver", StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.amazonaws.com",
                       SourceArn="arn:aws:logs:%s:%s:log-group:%s:*" % (REGION, ACCOUNT, group))
logs.put_subscription_filter(**subscription)
equal(logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"][0]["distribution"], "ByLogStream")
put("order 1", "nothing", "order 2")
assert "GOT DATA_MESSAGE filtered s ['all'] ['order 1', 'order 2']" in logged("/aws/lambda/receiver", "GOT")
logs.delete_subscription_filter(logGroupName=group, filterName="all")
total("app", "errors", 2)  # nothing of what came after the filter was deleted

# JSON logs, their levels, and a group of one's own.
function("leveled", '''
import logging
def handler(event, context):
    logging.debug("a debug line")
    logging.warning("a warning")
    if event:
        raise ValueError("bad")
''', role("leveled"), LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN", "SystemLogLevel": "WARN", "LogGroup": "mine"})
invoke("leveled")
invoke("leveled", {"fail": True})
logged("mine", "ValueError")
lines = [json.loads(e["message"]) for e in logs.filter_log_events(logGroupName="mine")["events"]]
assert not any(line.get("type") in ("platform.start", "platform.report") or line.get("level") == "DEBUG" for line in lines), lines
equal(sum(line.get("message") == "a warning" for line in lines), 2)
lambda_.update_function_configuration(FunctionName="leveled", LoggingConfig={"ApplicationLogLevel": "DEBUG", "SystemLogLevel": "INFO"})
wait(lambda_, "function_updated_v2", FunctionName="leveled")
invoke("leveled")
logged("mine", "a debug line")
logged("mine", "platform.start")
print("ok")
