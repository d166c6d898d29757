"""CloudWatch by boto3: values in and out, math, alarms, dashboards, tags; what requests to an API and its function leave there."""

import datetime
import math

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from system import *

cloudwatch = boto3.client("cloudwatch")
NOW = datetime.datetime.now(datetime.timezone.utc)
MINUTE = NOW.replace(second=0, microsecond=0) - datetime.timedelta(minutes=5)
HOUR = {"StartTime": NOW - datetime.timedelta(hours=1), "EndTime": NOW + datetime.timedelta(minutes=2)}


def refused(code, message, call, **arguments):
    try:
        call(**arguments)
    except ClientError as e:
        equal((e.response["Error"]["Code"], e.response["Error"].get("Message", "")), (code, message))
    else:
        raise AssertionError("no %s from %s" % (code, arguments))


def query(id, name, stat="Sum", period=60, namespace="shop", **more):
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": k, "Value": v} for k, v in more.items()]}
    return {"Id": id, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def data(*queries, **more):
    answer = cloudwatch.get_metric_data(MetricDataQueries=list(queries), **(HOUR | more))
    return {r["Id"]: r["Values"] for r in answer["MetricDataResults"]}


def statistics(name, *stats, namespace="shop", period=60, **dimensions):
    simple = [s for s in stats if s[0] != "p"]
    wanted = {"Statistics": simple} if simple else {"ExtendedStatistics": list(stats)}
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName=name, Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()], Period=period, **wanted, **HOUR)
    return sorted(answer["Datapoints"], key=lambda p: p["Timestamp"])


# Values, lists of values, statistic sets, units, dimensions.
cloudwatch.put_metric_data(Namespace="shop", MetricData=[
    {"MetricName": "orders", "Value": 3, "Timestamp": MINUTE, "Unit": "Count", "Dimensions": [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]},
    {"MetricName": "orders", "Values": [1, 2, 10], "Counts": [1, 1, 2], "Timestamp": MINUTE, "Unit": "Count",
     "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]},
    {"MetricName": "orders", "StatisticValues": {"SampleCount": 2, "Sum": 30, "Minimum": 10, "Maximum": 20},
     "Timestamp": MINUTE + datetime.timedelta(minutes=1), "Unit": "Count", "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]},
    {"MetricName": "latency", "Values": list(range(1, 101)), "Timestamp": MINUTE, "Unit": "Milliseconds"},
    {"MetricName": "errors", "Value": 1, "Timestamp": MINUTE},
])
equal(statistics("orders", "SampleCount", "Sum", "Minimum", "Maximum", "Average", a="1", b="2"), [
    {"Timestamp": MINUTE, "SampleCount": 5.0, "Sum": 26.0, "Minimum": 1.0, "Maximum": 10.0, "Average": 5.2, "Unit": "Count"},
    {"Timestamp": MINUTE + datetime.timedelta(minutes=1), "SampleCount": 2.0, "Sum": 30.0, "Minimum": 10.0, "Maximum": 20.0, "Average": 15.0, "Unit": "Count"}])
equal(statistics("orders", "Sum", a="1"), [])
equal(statistics("latency", "p50", "p99", "p99.9")[0]["ExtendedStatistics"], {"p50": 50.0, "p99": 99.0, "p99.9": 100.0})
equal(statistics("orders", "p50", a="1", b="2")[0]["ExtendedStatistics"], {"p50": 3.0})
equal(len(statistics("orders", "p50", a="1", b="2")), 1)  # the other minute has statistics only

listed = cloudwatch.list_metrics(Namespace="shop")["Metrics"]
equal(sorted(m["MetricName"] for m in listed), ["errors", "latency", "orders"])
equal(cloudwatch.list_metrics(Dimensions=[{"Name": "a", "Value": "1"}])["Metrics"], [
    {"Namespace": "shop", "MetricName": "orders", "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]}])

# Several metrics at once, and math over them.
got = data(
    query("o", "orders", a="1", b="2"), query("l", "latency", "Average"), query("t", "latency", "tm90"), query("none", "nothing"),
    {"Id": "rate", "Expression": "100 * e / o", "Label": "share of ${LAST}"}, query("e", "errors") | {"ReturnData": False},
    {"Id": "filled", "Expression": "IF(FILL(e, 0) > 0, 1, -1)", "ReturnData": False},
    {"Id": "total", "Expression": "SUM(METRICS())"}, {"Id": "twice", "Expression": "RUNNING_SUM(o) * 2"}, ScanBy="TimestampAscending")
equal({k: v for k, v in got.items() if k != "total"},
      {"o": [26.0, 30.0], "l": [50.5], "t": [45.5], "none": [], "rate": [100 / 26], "twice": [52.0, 112.0]})
equal(data(query("o", "orders", a="1", b="2"))["o"], [30.0, 26.0])  # the newest first
equal(data(query("o", "orders", period=3600, a="1", b="2"), StartTime=MINUTE - datetime.timedelta(hours=1))["o"][-1] > 0, True)
page = cloudwatch.get_metric_data(MetricDataQueries=[query("o", "orders", a="1", b="2")], MaxDatapoints=1, **HOUR)
equal((page["MetricDataResults"][0]["Values"], page["MetricDataResults"][0]["StatusCode"]), ([30.0], "PartialData"))
page = cloudwatch.get_metric_data(MetricDataQueries=[query("o", "orders", a="1", b="2")], MaxDatapoints=1, NextToken=page["NextToken"], **HOUR)
equal((page["MetricDataResults"][0]["Values"], "NextToken" in page), ([26.0], False))

# What AWS refuses.
put = cloudwatch.put_metric_data
refused("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.",
        put, Namespace="AWS/Lambda", MetricData=[{"MetricName": "m", "Value": 1}])
refused("InvalidParameterCombination",
        "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both.",
        put, Namespace="shop", MetricData=[{"MetricName": "m", "Value": 1, "Values": [1]}])
refused("InvalidParameterValue", "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.",
        put, Namespace="shop", MetricData=[{"MetricName": "m", "Values": [1, 2], "Counts": [1]}])
refused("InvalidParameterValue", "The value NaN for parameter MetricData.member.1.Value is invalid.",
        put, Namespace="shop", MetricData=[{"MetricName": "m", "Value": math.nan}])
refused("InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics",
        cloudwatch.get_metric_statistics, Namespace="shop", MetricName="m", Period=60, **HOUR)
refused("InvalidParameterCombination", "You have requested up to 2,880 datapoints, which exceeds the limit of 1,440. "
        "You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
        cloudwatch.get_metric_statistics, Namespace="shop", MetricName="m", Period=60, Statistics=["Sum"],
        StartTime=NOW - datetime.timedelta(days=2), EndTime=NOW)
refused("ValidationError", "The values for parameter id in MetricDataQueries are not unique.",
        cloudwatch.get_metric_data, MetricDataQueries=[query("a", "m"), query("a", "m")], **HOUR)

# Alarms: on data that is there, on data that is missing, by hand.
alarm = {"Namespace": "shop", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 10, "DatapointsToAlarm": 1, "Threshold": 20,
         "ComparisonOperator": "GreaterThanThreshold"}
cloudwatch.put_metric_alarm(AlarmName="orders", MetricName="orders", AlarmActions=["arn:aws:sns:us-east-1:%s:t" % ACCOUNT],
                            Dimensions=[{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}], Tags=[{"Key": "team", "Value": "a"}], **alarm)
cloudwatch.put_metric_alarm(AlarmName="quiet", MetricName="nothing", TreatMissingData="notBreaching", **alarm)
cloudwatch.put_metric_alarm(AlarmName="unknown", MetricName="nothing", **alarm)
cloudwatch.put_metric_alarm(
    AlarmName="ratio", EvaluationPeriods=10, DatapointsToAlarm=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
    Metrics=[query("e", "errors") | {"ReturnData": False}, query("o", "orders", a="1", b="2") | {"ReturnData": False},
             {"Id": "r", "Expression": "100*e/o"}])
first = cloudwatch.describe_alarms(AlarmNames=["orders"])["MetricAlarms"][0]
equal((first["OKActions"], first["ActionsEnabled"], first["AlarmArn"]), ([], True, "arn:aws:cloudwatch:us-east-1:%s:alarm:orders" % ACCOUNT))


def state(name, wanted):
    for _ in range(200):
        found = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
        if found["StateValue"] == wanted:
            return found
        time.sleep(0.2)
    raise AssertionError("%s isn't in %s but %s" % (name, wanted, found))


reason = state("orders", "ALARM")["StateReason"]
times = [(MINUTE + datetime.timedelta(minutes=m)).strftime("(%d/%m/%y %H:%M:%S)") for m in (1, 0)]
equal(reason, "Threshold Crossed: 2 out of the last 10 datapoints [30.0 %s, 26.0 %s] were greater than the threshold (20.0) "
      "(minimum 1 datapoint for OK -> ALARM transition)." % tuple(times))
equal(state("quiet", "OK")["StateReason"],
      "Threshold Crossed: no datapoints were received for 10 periods and 10 missing datapoints were treated as [NonBreaching].")
state("ratio", "ALARM")
equal(state("unknown", "INSUFFICIENT_DATA")["StateReason"], "Unchecked: Initial alarm creation")
history = cloudwatch.describe_alarm_history(AlarmName="orders")["AlarmHistoryItems"]
equal([h["HistoryItemType"] for h in history].count("StateUpdate"), 1)
assert any(h["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM" for h in history), history
assert any(h["HistoryItemType"] == "Action" and "butai doesn't take alarm actions" in h["HistorySummary"] for h in history), history
cloudwatch.set_alarm_state(AlarmName="unknown", StateValue="ALARM", StateReason="testing alarm")
equal(cloudwatch.describe_alarms(AlarmNames=["unknown"])["MetricAlarms"][0]["StateReason"] in ("testing alarm",
      "Insufficient Data: 10 datapoints were unknown."), True)
refused("ResourceNotFound", "", cloudwatch.set_alarm_state, AlarmName="none", StateValue="OK", StateReason="x")
equal(len(cloudwatch.describe_alarms_for_metric(Namespace="shop", MetricName="nothing")["MetricAlarms"]), 2)
equal(cloudwatch.list_tags_for_resource(ResourceARN=first["AlarmArn"])["Tags"], [{"Key": "team", "Value": "a"}])
cloudwatch.tag_resource(ResourceARN=first["AlarmArn"], Tags=[{"Key": "team", "Value": "b"}, {"Key": "x", "Value": "y"}])
cloudwatch.untag_resource(ResourceARN=first["AlarmArn"], TagKeys=["x"])
equal(cloudwatch.list_tags_for_resource(ResourceARN=first["AlarmArn"])["Tags"], [{"Key": "team", "Value": "b"}])
cloudwatch.delete_alarms(AlarmNames=["orders", "quiet", "unknown", "ratio"])
equal(cloudwatch.describe_alarms()["MetricAlarms"], [])

body = json.dumps({"widgets": []})
equal(cloudwatch.put_dashboard(DashboardName="d", DashboardBody=body)["DashboardValidationMessages"], [])
equal(cloudwatch.get_dashboard(DashboardName="d")["DashboardBody"], body)
refused("InvalidParameterInput", "The field DashboardBody must be a valid JSON object", cloudwatch.put_dashboard, DashboardName="d", DashboardBody="{")
cloudwatch.delete_dashboards(DashboardNames=["d"])
equal(cloudwatch.list_dashboards()["DashboardEntries"], [])

# Older clients: JSON and the query protocol.
endpoint, keys = os.environ["AWS_ENDPOINT_URL"], Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])


def raw(body, **headers):
    request = AWSRequest("POST", endpoint + "/", {k.replace("_", "-"): v for k, v in headers.items()}, body)
    SigV4Auth(keys, "monitoring", REGION).add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(endpoint + "/", body.encode(), dict(request.headers))) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read().decode()


JSON = {"Content_Type": "application/x-amz-json-1.0"}
status, _, text = raw('{"Namespace": "shop"}', X_Amz_Target="GraniteServiceVersion20100801.ListMetrics", **JSON)
equal((status, len(json.loads(text)["Metrics"])), (200, 3))
status, headers, text = raw('{"AlarmNames": ["none"]}', X_Amz_Target="GraniteServiceVersion20100801.DeleteAlarms", **JSON)
equal((status, headers["x-amzn-query-error"], json.loads(text)["__type"]), (404, "ResourceNotFound;Sender", "com.amazonaws.cloudwatch#ResourceNotFound"))
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
status, _, text = raw("Action=ListMetrics&Version=2010-08-01&Namespace=shop&MetricName=errors", **FORM)
assert status == 200 and "<MetricName>errors</MetricName>" in text and "http://monitoring.amazonaws.com/doc/2010-08-01/" in text, text
status, _, text = raw("Action=PutMetricData&Version=2010-08-01&Namespace=AWS/X&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1", **FORM)
assert status == 400 and "<Code>InvalidParameterValue</Code>" in text, text

# API Gateway and Lambda are measured.
api = deploy()
apigateway.update_stage(restApiId=api, stageName="staging", patchOperations=[{"op": "replace", "path": "/*/*/metrics/enabled", "value": "true"}])
equal(request(api, "staging", "/ada", "Ada")[0], 200)
equal(request(api, "staging", "/bob")[0], 400)
equal(request(api, "staging", "/none/of/this")[0], 403)
equal(request(api, "production", "/ada", "Ada")[0], 200)


def gateway(name, stat="Sum", **dimensions):
    return sum(data(query("m", name, stat, namespace="AWS/ApiGateway", **dimensions))["m"])


detail = {"ApiName": "users", "Stage": "staging", "Resource": "/{id}", "Method": "GET"}
equal((gateway("Count", ApiName="users"), gateway("Count", ApiName="users", Stage="staging"), gateway("Count", **detail)), (4, 3, 1))
equal((gateway("4XXError", ApiName="users"), gateway("5XXError", ApiName="users"), gateway("4XXError", **detail)), (2, 0, 1))
equal((gateway("Latency", "SampleCount", ApiName="users"), gateway("IntegrationLatency", "SampleCount", ApiName="users")), (4, 3))
assert gateway("Latency", "p99", ApiName="users", Stage="production") > 0
equal(statistics("5XXError", "Average", namespace="AWS/ApiGateway", ApiName="users")[-1]["Average"], 0.0)
equal(cloudwatch.list_metrics(Namespace="AWS/ApiGateway", MetricName="Count", Dimensions=[{"Name": "Method"}])["Metrics"][0]["MetricName"], "Count")


def function_metric(name, stat="Sum", **dimensions):
    return sum(data(query("m", name, stat, namespace="AWS/Lambda", **dimensions))["m"])


users = {"FunctionName": "users"}
staging = users | {"Resource": "users:staging"}
equal((function_metric("Invocations", **users), function_metric("Invocations", **staging), function_metric("Errors", **staging)), (3, 2, 1))
equal(function_metric("Invocations", ExecutedVersion="$LATEST", **staging), 2)
equal((function_metric("Invocations"), function_metric("Throttles", **users)), (3, 0))
assert function_metric("Duration", "Average", **users) > 0
equal(function_metric("ConcurrentExecutions", "Maximum", **users) >= 1, True)
lambda_.put_function_concurrency(FunctionName="users", ReservedConcurrentExecutions=0)
equal(request(api, "staging", "/ada")[0], 500)
equal((function_metric("Throttles", **users), function_metric("Invocations", **users)), (1, 3))
print("ok")
