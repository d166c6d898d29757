"""Who may use a bucket: policies of buckets beside policies of users, other accounts, nobody in particular, web pages."""

import html
import re
import urllib.parse
import urllib.request

from botocore.config import Config
from system import *

s3, account = boto3.client("s3"), ACCOUNT
endpoint = os.environ["AWS_ENDPOINT_URL"]
B = "shared"
ARN = "arn:aws:s3:::" + B


def client(key, secret="x", **config):
    return boto3.client("s3", aws_access_key_id=key, aws_secret_access_key=secret, config=Config(retries={"max_attempts": 1}, **config))


def user(name, *statements):
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return client(key["AccessKeyId"], key["SecretAccessKey"])


def refuses(status, code, message, call, **args):
    try:
        call(**args)
    except ClientError as e:
        got = (e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"], e.response["Error"]["Message"])
        assert got == (status, code, message if message is not None else got[2]), got
        return e.response["Error"]
    raise AssertionError(f"{code} expected of {args}")


def share(*statements, bucket=B, by=s3):
    by.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def allow(principal, action, resource, effect="Allow", **condition):
    out = {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource}
    return out | ({"Condition": condition} if condition else {})


def http(path, method="GET", body=None, host=None, **headers):
    """Sends a request without a signature."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()} | ({"Host": host} if host else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(endpoint + path, method=method, data=body, headers=headers)) as r:
            return r.status, r.read().decode(), r.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(), e.headers


def error(answer):
    status, body, _ = answer
    return (status,) + tuple(html.unescape(re.search(f"<{tag}>(.*?)</{tag}>", body).group(1)) for tag in ("Code", "Message"))


s3.create_bucket(Bucket=B)
s3.put_object(Bucket=B, Key="pub/a.txt", Body=b"hello")
s3.put_object(Bucket=B, Key="own/b.txt", Body=b"mine")

# The operations, and what S3 says to documents that it can't have.
e = refuses(404, "NoSuchBucketPolicy", "The bucket policy does not exist", s3.get_bucket_policy, Bucket=B)
assert e["BucketName"] == B, e
refuses(404, "NoSuchBucketPolicy", "The bucket policy does not exist", s3.get_bucket_policy_status, Bucket=B)
assert s3.delete_bucket_policy(Bucket=B)["ResponseMetadata"]["HTTPStatusCode"] == 204
refuses(404, "NoSuchBucket", "The specified bucket does not exist", s3.get_bucket_policy, Bucket="no-such-bucket-here")
bob = "arn:aws:iam::%s:user/bob" % account
for wrong, message, detail in [
    ("", "Policies must be valid JSON and the first byte must be '{'", None),
    ("[]", "Policies must be valid JSON and the first byte must be '{'", None),
    ('{"Version"', "This policy contains invalid Json", None),
    ("{}", "Missing required field Statement", None),
    ('{"Statement": []}', "Could not parse the policy: Statement is empty!", None),
    ({"Principal": None}, "Missing required field Principal", None),
    ({"Action": None}, "Missing required field Action", None),
    ({"Resource": None}, "Missing required field Resource", None),
    ({"Effect": "allow"}, "Invalid effect: allow", None),
    ({"Principal": {"AWS": bob}}, "Invalid principal in policy", '"AWS" : "%s"' % bob),
    ({"Principal": {"AWS": "bob"}}, "Invalid principal in policy", '"AWS" : "bob"'),
    ({"Resource": "arn:aws:s3:::other/*"}, "Policy has invalid resource", "arn:aws:s3:::other/*"),
    ({"Action": "s3:GetObjet"}, "Policy has invalid action", "s3:GetObjet"),
    ({"Action": "sqs:SendMessage"}, "Policy has invalid action", "sqs:SendMessage"),
    ({"Resource": ARN}, "Action does not apply to any resource(s) in statement", None),
    ({"Action": "s3:ListBucket"}, "Action does not apply to any resource(s) in statement", None),
    ({"Condition": {"StringEquals": {"s3:nothing": "x"}}}, "Policy has an invalid condition key", "s3:nothing"),
    ({"Condition": {"StringIs": {"aws:userid": "x"}}}, "Invalid policy syntax.", None),
]:
    if isinstance(wrong, dict):
        statement = allow("*", "s3:GetObject", ARN + "/*") | wrong
        wrong = json.dumps({"Version": "2012-10-17", "Statement": [{k: v for k, v in statement.items() if v is not None}]})
    e = refuses(400, "MalformedPolicy", message, s3.put_bucket_policy, Bucket=B, Policy=wrong)
    assert e.get("Detail") == detail, (wrong, e)
refuses(501, "NotImplemented", None, s3.put_bucket_policy, Bucket=B, Policy=json.dumps({"Statement": [
    allow({"AWS": account}, "s3:GetObject", ARN + "/*", StringEquals={"s3:ExistingObjectTag/team": "x"})]}))

# One account: either policy is enough, and a deny ends it.
ann, ben = user("ann"), user("ben", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ARN + "/*"})
ann_arn = "arn:aws:iam::%s:user/ann" % account
refuses(403, "AccessDenied", 'User: %s is not authorized to perform: s3:GetObject on resource: "%s/own/b.txt" because no identity-based policy allows the s3:GetObject action' % (ann_arn, ARN),
        ann.get_object, Bucket=B, Key="own/b.txt")
share(allow({"AWS": ann_arn}, "s3:GetObject", ARN + "/own/*"),
       allow("*", "s3:*", [ARN, ARN + "/*"], "Deny", StringLike={"aws:UserAgent": "*forbidden*"}))
assert json.loads(s3.get_bucket_policy(Bucket=B)["Policy"])["Statement"][0]["Principal"] == {"AWS": ann_arn}
assert ann.get_object(Bucket=B, Key="own/b.txt")["Body"].read() == b"mine"
refuses(403, "AccessDenied", None, ann.get_object, Bucket=B, Key="pub/a.txt")
assert ben.get_object(Bucket=B, Key="pub/a.txt")["Body"].read() == b"hello"
refuses(404, "NoSuchBucket", "The specified bucket does not exist", ann.get_object, Bucket="no-such-bucket-here", Key="k")

# Who may not list isn't told what isn't there.
refuses(403, "AccessDenied", 'User: arn:aws:iam::%s:user/ben is not authorized to perform: s3:ListBucket on resource: "%s" because no identity-based policy allows the s3:ListBucket action' % (account, ARN),
        ben.get_object, Bucket=B, Key="nope")
refuses(403, "403", "Forbidden", ben.head_object, Bucket=B, Key="nope")
refuses(404, "NoSuchKey", "The specified key does not exist.", s3.get_object, Bucket=B, Key="nope")
denied = 'User: arn:aws:iam::%s:%s is not authorized to perform: s3:GetObject on resource: "%s/pub/a.txt" with an explicit deny in a resource-based policy'
refuses(403, "AccessDenied", denied % (account, "root", ARN), client(account, user_agent_extra="forbidden").get_object, Bucket=B, Key="pub/a.txt")

# Keys of one DeleteObjects are decided one by one.
share(allow({"AWS": ann_arn}, "s3:DeleteObject", ARN + "/tmp/*"))
for key in "tmp/1", "own/1":
    s3.put_object(Bucket=B, Key=key, Body=b"")
out = ann.delete_objects(Bucket=B, Delete={"Objects": [{"Key": "tmp/1"}, {"Key": "own/1"}]})
assert [d["Key"] for d in out["Deleted"]] == ["tmp/1"], out
assert [(d["Key"], d["Code"]) for d in out["Errors"]] == [("own/1", "AccessDenied")], out
s3.head_object(Bucket=B, Key="own/1")

# The root user always gets back to the policy.
share(allow("*", "s3:*", [ARN, ARN + "/*"], "Deny"))
refuses(403, "AccessDenied", denied % (account, "root", ARN), s3.get_object, Bucket=B, Key="pub/a.txt")
s3.get_bucket_policy(Bucket=B)
s3.delete_bucket_policy(Bucket=B)

# Another account: its own policies and the bucket's.
other = "222233334444"
theirs, their_iam = client(other), boto3.client("iam", aws_access_key_id=other, aws_secret_access_key="x")
refuses(409, "BucketAlreadyExists", None, theirs.create_bucket, Bucket=B)
for call, args in [(theirs.get_object, {"Key": "pub/a.txt"}), (theirs.put_object, {"Key": "k"}), (theirs.list_objects_v2, {}), (theirs.delete_bucket, {}), (theirs.get_bucket_policy, {})]:
    refuses(403, "AccessDenied", "Access Denied", call, Bucket=B, **args)
share(allow({"AWS": other}, ["s3:GetObject", "s3:ListBucket"], [ARN, ARN + "/pub/*"]))
assert json.loads(s3.get_bucket_policy(Bucket=B)["Policy"])["Statement"][0]["Effect"] == "Allow"
assert s3.get_bucket_policy_status(Bucket=B)["PolicyStatus"] == {"IsPublic": False}
assert theirs.get_object(Bucket=B, Key="pub/a.txt")["Body"].read() == b"hello"
assert theirs.list_objects_v2(Bucket=B)["KeyCount"] == 3
refuses(403, "AccessDenied", "Access Denied", theirs.get_object, Bucket=B, Key="own/b.txt")
their_iam.create_user(UserName="eve")
key = their_iam.create_access_key(UserName="eve")["AccessKey"]
eve = client(key["AccessKeyId"], key["SecretAccessKey"])
refuses(403, "AccessDenied", "Access Denied", eve.get_object, Bucket=B, Key="pub/a.txt")
their_iam.put_user_policy(UserName="eve", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}))
assert eve.get_object(Bucket=B, Key="pub/a.txt")["Body"].read() == b"hello"
share(allow({"AWS": other}, "s3:*", [ARN, ARN + "/*"]))
refuses(405, "MethodNotAllowed", "The specified method is not allowed against this resource.", theirs.get_bucket_policy, Bucket=B)

# Everybody, as far as public access isn't blocked.
public = allow("*", "s3:GetObject", ARN + "/pub/*")
s3.delete_bucket_policy(Bucket=B)
assert error(http("/%s/pub/a.txt" % B)) == (403, "AccessDenied", "Access Denied")
refuses(403, "AccessDenied", 'User: arn:aws:iam::%s:root is not authorized to perform: s3:PutBucketPolicy on resource: "%s" because public policies are blocked by the BlockPublicPolicy block public access setting.' % (account, ARN),
        s3.put_bucket_policy, Bucket=B, Policy=json.dumps({"Statement": [public]}))
s3.put_public_access_block(Bucket=B, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
share(public)
assert s3.get_bucket_policy_status(Bucket=B)["PolicyStatus"] == {"IsPublic": True}
assert error(http("/%s/pub/a.txt" % B)) == (403, "AccessDenied", "Access Denied")
s3.delete_public_access_block(Bucket=B)
assert http("/%s/pub/a.txt" % B)[:2] == (200, "hello")
assert http("/pub/a.txt", host=B + ".s3.us-east-1.amazonaws.com")[:2] == (200, "hello")
assert http("/pub/a.txt", host=B + ".localhost")[:2] == (200, "hello")
for path, method in [("/own/b.txt", "GET"), ("/pub/nope", "GET"), ("/pub/a.txt", "PUT"), ("/pub/a.txt", "DELETE"), ("", "GET"), ("?policy", "GET")]:
    assert error(http("/" + B + path, method)) == (403, "AccessDenied", "Access Denied"), path
assert error(http("/k", host="no-such-bucket-here.s3.amazonaws.com")) == (404, "NoSuchBucket", "The specified bucket does not exist")
assert http("/%s/pub/a.txt" % B, Authorization="AWS4-HMAC-SHA256 Credential=nonsense")[0] == 403  # who signs, signs rightly
share(allow("*", "s3:PutObject", ARN + "/in/*"))
assert http("/%s/in/x" % B, "PUT", b"from nobody")[0] == 200
assert s3.get_object(Bucket=B, Key="in/x")["Body"].read() == b"from nobody"

# Conditions.
for condition, status in [
    ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, 200), ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, 403),
    ({"Bool": {"aws:SecureTransport": "false"}}, 200), ({"Bool": {"aws:SecureTransport": "true"}}, 403),
    ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, 403), ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, 403),
    ({"StringEquals": {"s3:ResourceAccount": account}}, 200),
]:
    share(allow("*", "s3:GetObject", ARN + "/*", **condition))
    assert http("/%s/pub/a.txt" % B)[0] == status, condition
share(allow({"AWS": ann_arn}, "s3:ListBucket", ARN, StringLike={"s3:prefix": "own/*"}, NumericLessThanEquals={"s3:max-keys": "5"}))
assert ann.list_objects_v2(Bucket=B, Prefix="own/", MaxKeys=5)["KeyCount"] == 2
refuses(403, "AccessDenied", None, ann.list_objects_v2, Bucket=B, Prefix="pub/", MaxKeys=5)
refuses(403, "AccessDenied", None, ann.list_objects_v2, Bucket=B, Prefix="own/", MaxKeys=6)
share(allow({"AWS": ann_arn}, ["s3:PutObject", "s3:PutObjectTagging"], ARN + "/*", StringEquals={"s3:x-amz-server-side-encryption": "AES256", "s3:RequestObjectTag/team": "red"}))
refuses(403, "AccessDenied", None, ann.put_object, Bucket=B, Key="k")
ann.put_object(Bucket=B, Key="k", ServerSideEncryption="AES256", Tagging="team=red")
# What the console, CloudTrail and CloudFront write into policies is kept as it is.
share(allow({"Service": "cloudfront.amazonaws.com"}, "s3:GetObject", ARN + "/*", StringEquals={"AWS:SourceArn": "arn:aws:cloudfront::%s:distribution/E1" % account}))
assert s3.get_bucket_policy_status(Bucket=B)["PolicyStatus"] == {"IsPublic": False}
s3.delete_bucket_policy(Bucket=B)

# Web pages.
NOT_ALLOWED = ("CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
               "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
page = "https://example.com"
object_path = "/%s/pub/a.txt" % B
e = refuses(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist", s3.get_bucket_cors, Bucket=B)
assert e["BucketName"] == B, e
assert s3.delete_bucket_cors(Bucket=B)["ResponseMetadata"]["HTTPStatusCode"] == 204
assert error(http(object_path, "OPTIONS")) == (400, "BadRequest", "Insufficient information. Origin request header needed.")
assert error(http("/" + B, "OPTIONS", Origin=page)) == (403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")
answer = http("/k", "OPTIONS", host="no-such-bucket-here.s3.amazonaws.com", Origin=page)
assert error(answer) == (403, "AccessForbidden", "CORSResponse: Bucket not found"), answer[1]
refuses(400, "InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is PATCH", s3.put_bucket_cors, Bucket=B,
        CORSConfiguration={"CORSRules": [{"AllowedMethods": ["PATCH"], "AllowedOrigins": ["*"]}]})
refuses(400, "MalformedXML", None, s3.put_bucket_cors, Bucket=B, CORSConfiguration={"CORSRules": []})
rules = [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://*.example.org", page], "AllowedHeaders": ["x-amz-*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 3000},
         {"ID": "reads", "AllowedMethods": ["HEAD"], "AllowedOrigins": ["*"]}]
s3.put_bucket_cors(Bucket=B, CORSConfiguration={"CORSRules": rules})
assert s3.get_bucket_cors(Bucket=B)["CORSRules"] == rules
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


def cors(headers):
    return {k.lower(): v for k, v in headers.items() if k.lower().startswith("access-control-") or k.lower() == "vary"}


status, body, headers = http(object_path, "OPTIONS", Origin=page, Access_Control_Request_Method="PUT", Access_Control_Request_Headers="X-Amz-Date, x-amz-content-sha256")
assert (status, body) == (200, "") and cors(headers) == {
    "access-control-allow-origin": page, "access-control-allow-credentials": "true", "access-control-allow-methods": "GET, PUT",
    "access-control-allow-headers": "x-amz-date, x-amz-content-sha256", "access-control-expose-headers": "ETag", "access-control-max-age": "3000", "vary": VARY}, headers
assert cors(http(object_path, "OPTIONS", Origin="https://any.where", Access_Control_Request_Method="HEAD")[2]) == {
    "access-control-allow-origin": "*", "access-control-allow-methods": "HEAD", "vary": VARY}
for wrong in [{"Origin": "https://evil.example", "Access_Control_Request_Method": "GET"}, {"Origin": page, "Access_Control_Request_Method": "DELETE"},
              {"Origin": page, "Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "authorization"}]:
    answer = http(object_path, "OPTIONS", **wrong)
    assert error(answer) == (403, "AccessForbidden", NOT_ALLOWED) and "<Method>%s</Method><ResourceType>OBJECT</ResourceType>" % wrong["Access_Control_Request_Method"] in answer[1], answer[1]
    assert cors(answer[2]) == {}
link = urllib.parse.urlsplit(client(account, signature_version="s3v4").generate_presigned_url("get_object", Params={"Bucket": B, "Key": "pub/a.txt"}))
link = link.path + "?" + link.query
status, body, headers = http(link, Origin="https://a.example.org")
assert (status, body, headers["Access-Control-Allow-Origin"], headers["Vary"]) == (200, "hello", "https://a.example.org", VARY), headers
assert cors(http(link, Origin="https://evil.example")[2]) == {} and cors(http(link)[2]) == {}
status, _, headers = http(object_path, Origin=page)  # a page may read why it was refused
assert status == 403 and headers["Access-Control-Allow-Origin"] == page
s3.delete_bucket_cors(Bucket=B)
refuses(404, "NoSuchCORSConfiguration", None, s3.get_bucket_cors, Bucket=B)

for o in s3.list_objects_v2(Bucket=B)["Contents"]:
    s3.delete_object(Bucket=B, Key=o["Key"])
s3.delete_bucket(Bucket=B)
print("ok")
