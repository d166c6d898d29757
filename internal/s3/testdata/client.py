"""Drives S3 with boto3; exits non-zero at the first surprise."""
import base64
import hashlib
import os
import zlib

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def client(**config):
    return boto3.client("s3", endpoint_url=os.environ["ENDPOINT"], region_name="eu-west-1", aws_access_key_id="111122223333",
                        aws_secret_access_key="x", config=Config(retries={"max_attempts": 1}, **config))


s3 = client()


def refused(status, code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        got = (e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"])
        assert got == (status, code), (got, e)
    else:
        raise AssertionError(f"{code} expected")


# Buckets
refused(400, "IllegalLocationConstraintException", s3.create_bucket, Bucket="state")
eu = {"LocationConstraint": "eu-west-1"}
s3.create_bucket(Bucket="state", CreateBucketConfiguration=eu)
refused(409, "BucketAlreadyOwnedByYou", s3.create_bucket, Bucket="state", CreateBucketConfiguration=eu)
refused(400, "InvalidBucketName", s3.create_bucket, Bucket="xn--state", CreateBucketConfiguration=eu)
other = boto3.client("s3", endpoint_url=os.environ["ENDPOINT"], region_name="us-east-1", aws_access_key_id="999999999999", aws_secret_access_key="x")
refused(409, "BucketAlreadyExists", other.create_bucket, Bucket="state")
refused(403, "AccessDenied", other.get_object, Bucket="state", Key="k")
other.create_bucket(Bucket="american")
other.create_bucket(Bucket="american")
assert other.get_bucket_location(Bucket="american")["LocationConstraint"] is None
assert s3.get_bucket_location(Bucket="state")["LocationConstraint"] == "eu-west-1"
assert s3.head_bucket(Bucket="state")["BucketRegion"] == "eu-west-1"
refused(404, "404", s3.head_bucket, Bucket="nope")
refused(404, "NoSuchBucket", s3.list_objects_v2, Bucket="nope")
assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["state"]

# Objects
body = b"hello, world"
put = s3.put_object(Bucket="state", Key="a/b c+ü.txt", Body=body, Metadata={"Who": "me"}, ContentType="text/plain", Tagging="x=1&y=2")
assert put["ETag"] == '"%s"' % hashlib.md5(body).hexdigest()
assert base64.b64decode(put["ChecksumCRC32"]) == zlib.crc32(body).to_bytes(4, "big"), put
got = s3.get_object(Bucket="state", Key="a/b c+ü.txt")
assert got["Body"].read() == body and got["Metadata"] == {"who": "me"} and got["ContentType"] == "text/plain", got
assert got["TagCount"] == 2 and got["ServerSideEncryption"] == "AES256" and "VersionId" not in got and "ContentEncoding" not in got
head = s3.head_object(Bucket="state", Key="a/b c+ü.txt", ChecksumMode="ENABLED")
assert head["ContentLength"] == len(body) and head["ChecksumCRC32"] == put["ChecksumCRC32"] and head["ChecksumType"] == "FULL_OBJECT", head
for spec, want, where in [("bytes=0-4", b"hello", "bytes 0-4/12"), ("bytes=7-", b"world", "bytes 7-11/12"), ("bytes=-5", b"world", "bytes 7-11/12"), ("bytes=10-99", b"ld", "bytes 10-11/12")]:
    part = s3.get_object(Bucket="state", Key="a/b c+ü.txt", Range=spec)
    assert (part["Body"].read(), part["ContentRange"], part["ResponseMetadata"]["HTTPStatusCode"]) == (want, where, 206), part
refused(416, "InvalidRange", s3.get_object, Bucket="state", Key="a/b c+ü.txt", Range="bytes=12-")
refused(404, "NoSuchKey", s3.get_object, Bucket="state", Key="nope")
refused(404, "404", s3.head_object, Bucket="state", Key="nope")
refused(304, "304", s3.get_object, Bucket="state", Key="a/b c+ü.txt", IfNoneMatch=put["ETag"])
refused(412, "PreconditionFailed", s3.get_object, Bucket="state", Key="a/b c+ü.txt", IfMatch='"x"')
refused(304, "304", s3.get_object, Bucket="state", Key="a/b c+ü.txt", IfModifiedSince=got["LastModified"])

# Checksums
for name in ["CRC32", "SHA1", "SHA256"]:
    out = s3.put_object(Bucket="state", Key="sum", Body=body, ChecksumAlgorithm=name)
    assert "Checksum" + name in out, out
refused(400, "BadDigest", s3.put_object, Bucket="state", Key="sum", Body=body, ChecksumSHA256=base64.b64encode(bytes(32)).decode())
refused(400, "InvalidRequest", s3.put_object, Bucket="state", Key="sum", Body=body, ChecksumSHA256="AAAA")
refused(400, "BadDigest", s3.put_object, Bucket="state", Key="sum", Body=body, ContentMD5=base64.b64encode(bytes(16)).decode())
refused(400, "InvalidDigest", s3.put_object, Bucket="state", Key="sum", Body=body, ContentMD5="AAAA")
bare = client(request_checksum_calculation="when_required")
assert "ChecksumCRC64NVME" in bare.put_object(Bucket="state", Key="sum", Body=b"123456789")
# The check value of CRC-64/NVME.
assert base64.b64decode(bare.put_object(Bucket="state", Key="sum", Body=b"123456789")["ChecksumCRC64NVME"]).hex() == "ae8b14860a799888"

# Conditional writes
lock = dict(Bucket="state", Key="env/lock", Body=b"1", IfNoneMatch="*")
first = s3.put_object(**lock)
refused(412, "PreconditionFailed", s3.put_object, **lock)
refused(412, "PreconditionFailed", s3.put_object, Bucket="state", Key="env/lock", Body=b"2", IfMatch='"0"')
refused(404, "NoSuchKey", s3.put_object, Bucket="state", Key="env/none", Body=b"2", IfMatch='"0"')
second = s3.put_object(Bucket="state", Key="env/lock", Body=b"2", IfMatch=first["ETag"])
refused(412, "PreconditionFailed", s3.delete_object, Bucket="state", Key="env/lock", IfMatch=first["ETag"])
s3.delete_object(Bucket="state", Key="env/lock", IfMatch=second["ETag"])
s3.delete_object(Bucket="state", Key="env/lock")
s3.put_object(**lock)

# Listing
keys = ["env/lock", "env/x/1", "env/x/2", "env/y", "env/z/1", "envy"]
for k in keys:
    s3.put_object(Bucket="state", Key=k, Body=k.encode())
everything = sorted(["a/b c+ü.txt", "sum"] + keys)
for size in (1, 2, 1000):
    for call in ("list_objects_v2", "list_objects", "list_object_versions"):
        pages = list(s3.get_paginator(call).paginate(Bucket="state", PaginationConfig={"PageSize": size}))
        field = "Versions" if call == "list_object_versions" else "Contents"
        assert [o["Key"] for p in pages for o in p.get(field, [])] == everything, (call, size)
        pages = list(s3.get_paginator(call).paginate(Bucket="state", Prefix="env/", Delimiter="/", PaginationConfig={"PageSize": size}))
        assert [o["Key"] for p in pages for o in p.get(field, [])] == ["env/lock", "env/y"], (call, size)
        assert [o["Prefix"] for p in pages for o in p.get("CommonPrefixes", [])] == ["env/x/", "env/z/"], (call, size)
assert s3.list_objects_v2(Bucket="state", Prefix="env/x", StartAfter="env/x/1")["Contents"][0]["Key"] == "env/x/2"
assert s3.list_objects_v2(Bucket="state", Prefix="envy", StartAfter="envy")["KeyCount"] == 0

# Copies
s3.copy_object(Bucket="state", Key="copy", CopySource={"Bucket": "state", "Key": "a/b c+ü.txt"})
assert s3.head_object(Bucket="state", Key="copy")["Metadata"] == {"who": "me"}
assert s3.get_object_tagging(Bucket="state", Key="copy")["TagSet"] == [{"Key": "x", "Value": "1"}, {"Key": "y", "Value": "2"}]
s3.delete_object(Bucket="state", Key="a/b c+ü.txt")
assert s3.get_object(Bucket="state", Key="copy")["Body"].read() == body
refused(400, "InvalidRequest", s3.copy_object, Bucket="state", Key="copy", CopySource="state/copy")
s3.copy_object(Bucket="state", Key="copy", CopySource="state/copy", MetadataDirective="REPLACE", Metadata={"who": "you"})
assert s3.head_object(Bucket="state", Key="copy")["Metadata"] == {"who": "you"}
s3.put_object_tagging(Bucket="state", Key="copy", Tagging={"TagSet": [{"Key": "z", "Value": ""}]})
assert s3.get_object_tagging(Bucket="state", Key="copy")["TagSet"] == [{"Key": "z", "Value": ""}]
s3.delete_object_tagging(Bucket="state", Key="copy")
assert s3.get_object_tagging(Bucket="state", Key="copy")["TagSet"] == []

# Versions
s3.put_bucket_versioning(Bucket="state", VersioningConfiguration={"Status": "Enabled"})
assert s3.get_bucket_versioning(Bucket="state")["Status"] == "Enabled"
v1 = s3.put_object(Bucket="state", Key="copy", Body=b"v1")["VersionId"]
v2 = s3.put_object(Bucket="state", Key="copy", Body=b"v2")["VersionId"]
read = lambda **a: s3.get_object(Bucket="state", Key="copy", **a)["Body"].read()
assert (read(), read(VersionId=v1), read(VersionId="null")) == (b"v2", b"v1", body)
refused(404, "NoSuchVersion", s3.get_object, Bucket="state", Key="copy", VersionId="nope")
marker = s3.delete_object(Bucket="state", Key="copy")
assert marker["DeleteMarker"] is True
refused(404, "NoSuchKey", s3.get_object, Bucket="state", Key="copy")
refused(405, "MethodNotAllowed", s3.get_object, Bucket="state", Key="copy", VersionId=marker["VersionId"])
for size in (1, 3, 1000):
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket="state", Prefix="copy", PaginationConfig={"PageSize": size}))
    assert [v["VersionId"] for p in pages for v in p.get("Versions", [])] == [v2, v1, "null"], (size, pages)
    assert [(m["VersionId"], m["IsLatest"]) for p in pages for m in p.get("DeleteMarkers", [])] == [(marker["VersionId"], True)], pages
    assert not any(v["IsLatest"] for p in pages for v in p.get("Versions", []))
s3.delete_object(Bucket="state", Key="copy", VersionId=marker["VersionId"])
assert read() == b"v2"
s3.delete_object(Bucket="state", Key="copy", VersionId=v2)
assert read() == b"v1"
s3.put_bucket_versioning(Bucket="state", VersioningConfiguration={"Status": "Suspended"})
assert s3.put_object(Bucket="state", Key="copy", Body=b"null")["VersionId"] == "null"
assert (read(), read(VersionId=v1)) == (b"null", b"v1")

# Uploads in parts
upload = s3.create_multipart_upload(Bucket="state", Key="big", ChecksumAlgorithm="SHA256")["UploadId"]
part = dict(Bucket="state", Key="big", UploadId=upload)
big, small = os.urandom(5 << 20), b"the end"
refused(400, "InvalidRequest", s3.upload_part, PartNumber=1, Body=small, ChecksumAlgorithm="SHA1", **part)
send = lambda n, data: s3.upload_part(PartNumber=n, Body=data, ChecksumAlgorithm="SHA256", **part)
send(1, b"overwritten")
e1, e2 = send(1, big), send(3, small)
assert [(p["PartNumber"], p["Size"]) for p in s3.list_parts(**part)["Parts"]] == [(1, 5 << 20), (3, 7)]
assert s3.list_parts(MaxParts=1, **part)["IsTruncated"] is True
finish = lambda *parts: dict(MultipartUpload={"Parts": [{"PartNumber": n, "ETag": e["ETag"], "ChecksumSHA256": e["ChecksumSHA256"]} for n, e in parts]}, **part)
refused(400, "InvalidPartOrder", s3.complete_multipart_upload, **finish((3, e2), (1, e1)))
refused(400, "InvalidPartOrder", s3.complete_multipart_upload, **finish((1, e1), (1, e1)))
refused(400, "InvalidPart", s3.complete_multipart_upload, **finish((1, e2)))
e4 = send(4, b"x")
refused(400, "EntityTooSmall", s3.complete_multipart_upload, **finish((3, e2), (4, e4)))
done = s3.complete_multipart_upload(**finish((1, e1), (3, e2)))
assert done["ETag"].endswith('-2"') and done["ChecksumSHA256"].endswith("-2") and done["ChecksumType"] == "COMPOSITE", done
assert s3.get_object(Bucket="state", Key="big")["Body"].read() == big + small
across = s3.get_object(Bucket="state", Key="big", Range="bytes=%d-%d" % (len(big) - 2, len(big) + 2))
assert across["Body"].read() == big[-2:] + b"the"
assert s3.get_object(Bucket="state", Key="big", PartNumber=2)["Body"].read() == small
refused(404, "NoSuchUpload", s3.list_parts, **part)
upload = s3.create_multipart_upload(Bucket="state", Key="big")["UploadId"]
s3.upload_part(Bucket="state", Key="big", UploadId=upload, PartNumber=1, Body=small)
s3.abort_multipart_upload(Bucket="state", Key="big", UploadId=upload)

# Settings that can't be made
for name, status, code in [("get_bucket_policy", 404, "NoSuchBucketPolicy"), ("get_bucket_cors", 404, "NoSuchCORSConfiguration"),
                           ("get_bucket_website", 404, "NoSuchWebsiteConfiguration"), ("get_bucket_tagging", 404, "NoSuchTagSet"),
                           ("get_bucket_lifecycle_configuration", 404, "NoSuchLifecycleConfiguration"),
                           ("get_bucket_replication", 404, "ReplicationConfigurationNotFoundError"),
                           ("get_object_lock_configuration", 404, "ObjectLockConfigurationNotFoundError")]:
    refused(status, code, getattr(s3, name), Bucket="state")
assert s3.get_bucket_encryption(Bucket="state")["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
assert s3.get_bucket_request_payment(Bucket="state")["Payer"] == "BucketOwner"
assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket="state")
assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket="state")
assert all(s3.get_public_access_block(Bucket="state")["PublicAccessBlockConfiguration"].values())
acl = s3.get_bucket_acl(Bucket="state")
assert acl["Grants"] == [{"Grantee": {"ID": acl["Owner"]["ID"], "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}], acl
refused(400, "InvalidArgument", s3.put_object, Bucket="state", Key="k", Body=b"", SSEKMSKeyId="k")
refused(400, "MalformedPolicy", s3.put_bucket_policy, Bucket="state", Policy="{}")
refused(400, "AccessControlListNotSupported", s3.put_object, Bucket="state", Key="k", Body=b"", ACL="public-read")

# Nothing is left behind
refused(409, "BucketNotEmpty", s3.delete_bucket, Bucket="state")
for page in s3.get_paginator("list_object_versions").paginate(Bucket="state"):
    s3.delete_objects(Bucket="state", Delete={"Objects": [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in page.get("Versions", []) + page.get("DeleteMarkers", [])]})
s3.delete_bucket(Bucket="state")
refused(404, "NoSuchBucket", s3.list_objects_v2, Bucket="state")
other.delete_bucket(Bucket="american")
