"""Lambda through boto3: ways to invoke, weighted aliases, logs."""

import base64

from system import *

SOURCE = """
import os
def handler(event, context):
    print("saw", event)
    if event == "fail":
        raise ValueError("no good")
    return {"edition": EDITION, "version": context.function_version, "arn": context.invoked_function_arn,
            "request": context.aws_request_id, "left": context.get_remaining_time_in_millis(),
            "memory": context.memory_limit_in_mb, "group": context.log_group_name, "env": os.environ.get("COLOUR")}
EDITION = 1
"""

arn = function("walk", SOURCE, role("walk"), Environment={"Variables": {"COLOUR": "red"}}, MemorySize=192)
GROUP = "/aws/lambda/walk"

# A call and its answer.
answer, got = invoke("walk", {"n": 1}, LogType="Tail")
equal((answer["StatusCode"], answer["ExecutedVersion"], "FunctionError" in answer), (200, "$LATEST", False))
request = answer["ResponseMetadata"]["RequestId"]
assert 0 < got.pop("left") <= 20000
equal(got, {"edition": 1, "version": "$LATEST", "arn": arn, "request": request, "memory": "192", "group": GROUP, "env": "red"})
tail = base64.b64decode(answer["LogResult"]).decode()
for line in ["START RequestId: %s Version: $LATEST\n" % request, "saw {'n': 1}\n", "END RequestId: %s\n" % request,
             "REPORT RequestId: %s\tDuration: " % request, "\tMemory Size: 192 MB\tMax Memory Used: "]:
    assert line in tail, (line, tail)

# An error of the handler.
answer, got = invoke("walk", "fail")
equal((answer["StatusCode"], answer["FunctionError"]), (200, "Unhandled"))
equal((got["errorMessage"], got["errorType"], got["requestId"]), ("no good", "ValueError", answer["ResponseMetadata"]["RequestId"]))

# The same is in CloudWatch Logs.
logged(GROUP, "REPORT RequestId: " + request)
logged(GROUP, "START RequestId: %s Version: $LATEST" % request)
logged(GROUP, "END RequestId: " + request)
logged(GROUP, "[ERROR] ValueError: no good")
found = logs.filter_log_events(logGroupName=GROUP, filterPattern='"saw {"')["events"]
equal([e["message"].rstrip("\n") for e in found], ["saw {'n': 1}"])

# Without an answer, and without a call.
answer, got = invoke("walk", {"quiet": True}, InvocationType="Event")
equal((answer["StatusCode"], got), (202, None))
logged(GROUP, "saw {'quiet': True}")
answer, got = invoke("walk", {"dry": True}, InvocationType="DryRun")
equal((answer["StatusCode"], got), (204, None))
equal(refused(lambda_.invoke, FunctionName="nobody")[0], "ResourceNotFoundException")
equal(refused(lambda_.invoke, FunctionName="walk", Payload=b"{")[0], "InvalidRequestContentException")

# Versions and aliases, named in every way.
equal(lambda_.publish_version(FunctionName="walk")["Version"], "1")
equal(lambda_.publish_version(FunctionName="walk")["Version"], "1")
lambda_.update_function_code(FunctionName="walk", ZipFile=zipped(SOURCE.replace("EDITION = 1", "EDITION = 2")))
wait(lambda_, "function_updated_v2", FunctionName="walk")
equal(lambda_.publish_version(FunctionName="walk")["Version"], "2")
lambda_.create_alias(FunctionName="walk", Name="live", FunctionVersion="1")
for name, more in [("walk", {"Qualifier": "live"}), ("walk:live", {}), (arn + ":live", {}), (ACCOUNT + ":function:walk", {"Qualifier": "live"})]:
    answer, got = invoke(name, **more)
    equal((answer["ExecutedVersion"], got["edition"], got["version"], got["arn"]), ("1", 1, "1", arn + ":live"))
answer, got = invoke(arn, Qualifier="2")
equal((got["edition"], got["arn"]), (2, arn + ":2"))
equal(refused(lambda_.invoke, FunctionName=arn + ":live", Qualifier="2")[0], "InvalidParameterValueException")
equal(refused(lambda_.delete_function, FunctionName="walk", Qualifier="1")[0], "ResourceConflictException")

# A weighted alias: 400 calls at one in four are 100 ± 6 standard deviations.
lambda_.update_alias(FunctionName="walk", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
counts = {"1": 0, "2": 0}
for _ in range(400):
    answer, got = invoke("walk:live")
    equal(answer["ExecutedVersion"], got["version"])
    counts[got["version"]] += 1
assert 48 <= counts["2"] <= 152, counts
lambda_.update_alias(FunctionName="walk", Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
equal({invoke("walk:live")[1]["version"] for _ in range(20)}, {"1"})

lambda_.delete_function(FunctionName="walk")
equal(refused(lambda_.get_function, FunctionName="walk")[0], "ResourceNotFoundException")
print("ok")
