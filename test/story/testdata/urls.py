"""Function URLs through boto3 and plain HTTP: events, answers, CORS, signatures, streams."""

import base64
import http.client
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session

from system import *

SOURCE = """
def handler(event, context):
    what = event["rawPath"]
    if what == "/fail":
        raise ValueError("no good")
    if what == "/text":
        return "plain"
    if what == "/whole":
        return {"statusCode": 201, "headers": {"X-Colour": "red", "Content-Type": "text/css"}, "cookies": ["a=1", "b=2"],
                "body": "aGVsbG8=", "isBase64Encoded": True}
    return event
"""

server = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])


def request(url, method="GET", body=None, **headers):
    """Calls a function URL as if its host name led here."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(server.hostname, server.port)
    connection.request(method, urllib.parse.urlunsplit(("", "", parts.path, parts.query, "")), body, {"Host": parts.netloc, **headers})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read().decode()


role_arn = role("web")
arn = function("web", SOURCE, role_arn)
lambda_.create_alias(FunctionName="web", Name="live", FunctionVersion="$LATEST")
made = lambda_.create_function_url_config(FunctionName="web", Qualifier="live", AuthType="NONE")
url = made["FunctionUrl"]
id = url.split("//")[1].split(".")[0]
equal((url, len(id), made["FunctionArn"], "InvokeMode" in made), ("http://%s.lambda-url.us-east-1.localhost:%d/" % (id, server.port), 32, arn + ":live", False))
equal(lambda_.get_function_url_config(FunctionName="web", Qualifier="live")["InvokeMode"], "BUFFERED")
equal(refused(lambda_.create_function_url_config, FunctionName="web", Qualifier="live", AuthType="NONE"),
      ("ResourceConflictException", "Failed to create function url config for [functionArn = %s:live]. Error message:  FunctionUrlConfig exists for this Lambda function" % arn))
equal(refused(lambda_.get_function_url_config, FunctionName="web"), ("ResourceNotFoundException", "The resource you requested does not exist."))

# Nobody is let in without a permission of exactly that alias.
FORBIDDEN = '{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}'
status, headers, body = request(url)
equal((status, headers["x-amzn-ErrorType"], body), (403, "AccessDeniedException", FORBIDDEN))
lambda_.add_permission(FunctionName="web", Qualifier="live", StatementId="all", Action="lambda:InvokeFunctionUrl", Principal="*", FunctionUrlAuthType="NONE")

status, headers, body = request(url + "a%20b?x=1&x=2&y=%2F", "POST", b"\x00\xff", **{"Content-Type": "image/png", "Cookie": "one=1; two=2", "X-Many": "m"})
event = json.loads(body)
context = event["requestContext"]
equal((status, headers["Content-Type"], event["version"], event["rawPath"], event["rawQueryString"], event["queryStringParameters"], event["cookies"]),
      (200, "application/json", "2.0", "/a%20b", "x=1&x=2&y=%2F", {"x": "1,2", "y": "/"}, ["one=1", "two=2"]))
equal((event["body"], event["isBase64Encoded"], event["headers"]["x-many"], event["routeKey"]), (base64.b64encode(b"\x00\xff").decode(), True, "m", "$default"))
equal((context["accountId"], context["apiId"], context["domainPrefix"], context["http"]["method"], context["stage"], "authorizer" in context),
      ("anonymous", id, id, "POST", "$default", False))
event = json.loads(request(url)[2])
equal([m for m in ("body", "cookies", "queryStringParameters", "pathParameters") if m in event], [])

equal(request(url + "text")[2], "plain")
status, headers, body = request(url + "whole")
equal((status, headers["X-Colour"], headers["Content-Type"], headers.get_all("Set-Cookie"), body), (201, "red", "text/css", ["a=1", "b=2"], "hello"))
status, _, body = request(url + "fail")
equal((status, body), (502, "Internal Server Error"))
equal(request("http://nobody.lambda-url.us-east-1.on.aws/")[0::2], (403, '{"Message":null}'))
equal(json.loads(request("http://%s.lambda-url.us-east-1.on.aws/aws" % id)[2])["rawPath"], "/aws")
equal(json.loads(request("http://%s/_aws/lambda-url/%s/by/path" % (server.netloc, id))[2])["rawPath"], "/by/path")

# CORS is answered by Lambda.
lambda_.update_function_url_config(FunctionName="web", Qualifier="live", Cors={
    "AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "AllowHeaders": ["x-a"], "MaxAge": 60, "ExposeHeaders": ["x-e"]})
status, headers, body = request(url, "OPTIONS", Origin="https://a.example", **{"Access-Control-Request-Method": "GET"})
equal((status, headers["Access-Control-Allow-Origin"], headers["Access-Control-Allow-Methods"], headers["Access-Control-Max-Age"], body),
      (200, "https://a.example", "GET", "60", ""))
equal(request(url, Origin="https://a.example")[1]["Access-Control-Expose-Headers"], "x-e")
equal(request(url, Origin="https://b.example")[1]["Access-Control-Allow-Origin"], None)

# Signed requests only.
signed_url = lambda_.create_function_url_config(FunctionName="web", AuthType="AWS_IAM")["FunctionUrl"]
iam.create_user(UserName="caller")
key = iam.create_access_key(UserName="caller")["AccessKey"]


def signed(url):
    session = Session()
    session.set_credentials(key["AccessKeyId"], key["SecretAccessKey"])
    made = AWSRequest("GET", url, headers={"Host": urllib.parse.urlsplit(url).netloc})
    SigV4Auth(session.get_credentials(), "lambda", REGION).add_auth(made)
    return request(url, **{name: value for name, value in made.headers.items() if name != "Host"})


equal((request(signed_url)[0], signed(signed_url)[0]), (403, 403))
iam.put_user_policy(UserName="caller", PolicyName="call", PolicyDocument=policy("Allow", ["lambda:InvokeFunctionUrl"], arn))
status, _, body = signed(signed_url)
equal(status, 200)
identity = json.loads(body)["requestContext"]["authorizer"]["iam"]
equal((identity["userArn"], identity["accessKey"], identity["accountId"]), ("arn:aws:iam::000000000000:user/caller", key["AccessKeyId"], ACCOUNT))

equal([c["FunctionArn"] for c in lambda_.list_function_url_configs(FunctionName="web")["FunctionUrlConfigs"]], [arn, arn + ":live"])
lambda_.delete_function_url_config(FunctionName="web")
equal(signed(signed_url)[0::2], (403, '{"Message":null}'))

# Streamed responses, where there is Node.js: through a URL, and through the API.
STREAM = """
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  if ((event.rawPath || event.path) === "/head") stream = awslambda.HttpResponseStream.from(stream, {statusCode: 202, headers: {"X-Colour": "red"}, cookies: ["a=1"]});
  else stream.setContentType("text/plain");
  for (let i = 0; i < 3; i++) { stream.write("piece " + i + "\\n"); await new Promise((r) => setTimeout(r, 150)); }
  if (event.fail || event.queryStringParameters?.fail) throw new Error("half way");
  stream.end();
});
"""
out = io.BytesIO()
with zipfile.ZipFile(out, "w") as z:
    info = zipfile.ZipInfo("main.js")
    info.external_attr = 0o644 << 16
    z.writestr(info, STREAM)
try:
    lambda_.create_function(FunctionName="flow", Role=role_arn, Handler="main.handler", Runtime="nodejs20.x", Code={"ZipFile": out.getvalue()}, Timeout=20)
except ClientError as error:
    assert "not installed" in str(error) or "Install" in str(error), error
    print("ok")
    sys.exit()
wait(lambda_, "function_active_v2", FunctionName="flow")
url = lambda_.create_function_url_config(FunctionName="flow", AuthType="NONE", InvokeMode="RESPONSE_STREAM")["FunctionUrl"]
lambda_.add_permission(FunctionName="flow", StatementId="all", Action="lambda:InvokeFunctionUrl", Principal="*", FunctionUrlAuthType="NONE")
WHOLE = "piece 0\npiece 1\npiece 2\n"
status, headers, body = request(url)
equal((status, headers["Content-Type"], headers["Transfer-Encoding"], body), (200, "text/plain", "chunked", WHOLE))
status, headers, body = request(url + "head")
equal((status, headers["X-Colour"], headers["Set-Cookie"], body), (202, "red", "a=1", WHOLE))
answer = lambda_.invoke_with_response_stream(FunctionName="flow", Payload=b"{}", LogType="Tail")
begun, chunks, complete = [], [], None
for event in answer["EventStream"]:
    if "PayloadChunk" in event:
        begun.append(time.monotonic())
        chunks.append(event["PayloadChunk"]["Payload"].decode())
    else:
        complete = event["InvokeComplete"]
equal(("".join(chunks), answer["ExecutedVersion"], answer["StatusCode"], "ErrorCode" in complete), (WHOLE, "$LATEST", 200, False))
assert len(chunks) == 3 and "REPORT RequestId" in base64.b64decode(complete["LogResult"]).decode()
answer = lambda_.invoke_with_response_stream(FunctionName="flow", Payload=b'{"fail": true}')
complete = [event for event in answer["EventStream"]][-1]["InvokeComplete"]
equal((complete["ErrorCode"], json.loads(complete["ErrorDetails"])["errorMessage"]), ("Unhandled", "half way"))
equal(lambda_.invoke(FunctionName="flow", Payload=b"{}")["Payload"].read().decode(), WHOLE)  # collected
answer = lambda_.invoke_with_response_stream(FunctionName="web", Payload=b'{"rawPath": "/text"}')
equal([event.get("PayloadChunk", {}).get("Payload") for event in answer["EventStream"]], [b'"plain"', None])
equal(refused(lambda_.invoke_with_response_stream, FunctionName="nobody")[0], "ResourceNotFoundException")

# The same through a REST API whose integration streams: the function must send metadata first.
arn = lambda_.get_function(FunctionName="flow")["Configuration"]["FunctionArn"]
lambda_.add_permission(FunctionName="flow", StatementId="rest", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com")
api = apigateway.create_rest_api(name="flow", endpointConfiguration={"types": ["REGIONAL"]})
resource = apigateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="{proxy+}")["id"]
at = {"restApiId": api["id"], "resourceId": resource, "httpMethod": "GET"}
apigateway.put_method(authorizationType="NONE", **at)
made = apigateway.put_integration(
    type="AWS_PROXY", integrationHttpMethod="POST", responseTransferMode="STREAM", timeoutInMillis=900000,
    uri="arn:aws:apigateway:%s:lambda:path/2021-11-15/functions/%s/response-streaming-invocations" % (REGION, arn), **at)
equal((made["responseTransferMode"], made["timeoutInMillis"]), ("STREAM", 900000))
apigateway.create_deployment(restApiId=api["id"], stageName="live")
host = "http://%s.execute-api.localhost:%d/live/" % (api["id"], server.port)
status, headers, body = request(host + "head")
equal((status, headers["X-Colour"], headers["Set-Cookie"], headers["Transfer-Encoding"], body), (202, "red", "a=1", "chunked", WHOLE))
equal(request(host + "plain")[::2], (500, '{"message": "Internal server error"}'))
try:
    request(host + "head?fail=yes")
    raise AssertionError("an answer that broke off was taken for a whole one")
except http.client.IncompleteRead as cut:
    equal(cut.partial.decode(), WHOLE)
test = apigateway.test_invoke_method(pathWithQueryString="/head", **at)
equal((test["status"], test["body"]), (202, WHOLE))
print("ok")
