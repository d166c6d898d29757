"""Drives CloudWatch Logs with boto3; exits non-zero at the first surprise."""
import os
import boto3
from botocore.exceptions import ClientError

logs = boto3.client("logs", endpoint_url=os.environ["ENDPOINT"], region_name="eu-west-1",
                    aws_access_key_id="111122223333", aws_secret_access_key="x")
NOW = int(os.environ["NOW"])


def refused(code, message, call, **args):
    try:
        call(**args)
    except ClientError as e:
        got = e.response["Error"]
        assert got["Code"] == code and message in got["Message"], got
    else:
        raise AssertionError(f"{code} expected")


logs.create_log_group(logGroupName="/app", tags={"team": "blue"})
refused("ResourceAlreadyExistsException", "The specified log group already exists",
        logs.create_log_group, logGroupName="/app")
refused("ResourceNotFoundException", "The specified log group does not exist.",
        logs.describe_log_streams, logGroupName="/nope")
refused("InvalidParameterException", "KMS Key Id could not be found", logs.create_log_group, logGroupName="/k", kmsKeyId="alias/k")
refused("InvalidParameterException", "'retentionInDays'", logs.put_retention_policy, logGroupName="/app", retentionInDays=2)
refused("InvalidParameterException", "", logs.filter_log_events, logGroupName="/app", filterPattern="{ $.x }")

logs.put_retention_policy(logGroupName="/app", retentionInDays=7)
group = logs.describe_log_groups(logGroupNamePrefix="/a")["logGroups"][0]
assert group["arn"] == "arn:aws:logs:eu-west-1:111122223333:log-group:/app:*", group
assert group["logGroupArn"] == group["arn"][:-2]
assert (group["retentionInDays"], group["metricFilterCount"], group["logGroupClass"]) == (7, 0, "STANDARD"), group
logs.delete_retention_policy(logGroupName="/app")
assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePattern="pp")["logGroups"][0]
assert logs.describe_log_groups(logGroupNamePrefix="/b")["logGroups"] == []

arn = group["logGroupArn"]
logs.tag_resource(resourceArn=arn, tags={"env": "prod"})
logs.untag_resource(resourceArn=arn, tagKeys=["team"])
assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"env": "prod"}
refused("ResourceNotFoundException", "", logs.list_tags_for_resource, resourceArn=arn + "x")

logs.create_log_stream(logGroupName="/app", logStreamName="s")
refused("ResourceAlreadyExistsException", "The specified log stream already exists",
        logs.create_log_stream, logGroupName="/app", logStreamName="s")
stream = logs.describe_log_streams(logGroupName="/app")["logStreams"][0]
assert "firstEventTimestamp" not in stream and stream["arn"].endswith(":log-group:/app:log-stream:s"), stream
logs.put_log_events(logGroupName="/app", logStreamName="s", logEvents=[
    {"timestamp": NOW - 2, "message": '{"level": "ERROR", "code": 404}'},
    {"timestamp": NOW - 1, "message": "plain ERROR ünïcode"}])
stream = logs.describe_log_streams(logGroupName="/app")["logStreams"][0]
assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (NOW - 2, NOW - 1), stream

found = logs.filter_log_events(logGroupIdentifier=arn, filterPattern='{ $.level = "ERROR" && $.code > 400 }')["events"]
assert [e["timestamp"] for e in found] == [NOW - 2], found
assert len(found[0]["eventId"]) == 56 and found[0]["logStreamName"] == "s"
page = logs.get_log_events(logGroupName="/app", logStreamName="s", limit=1)
assert [e["message"] for e in page["events"]] == ["plain ERROR ünïcode"], page
back = logs.get_log_events(logGroupName="/app", logStreamName="s", nextToken=page["nextBackwardToken"])
assert [e["timestamp"] for e in back["events"]] == [NOW - 2], back
refused("InvalidParameterException", "nextToken", logs.get_log_events, logGroupName="/app", logStreamName="s", nextToken="x")

logs.delete_log_stream(logGroupName="/app", logStreamName="s")
assert logs.filter_log_events(logGroupName="/app")["events"] == []
logs.delete_log_group(logGroupName="/app")
assert logs.describe_log_groups()["logGroups"] == []
