"""Signs many requests with botocore; prints one JSON object per line.

Run by TestBotocore: python3 sign.py SEED COUNT
"""
import datetime
import json
import random
import sys
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 3, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: NOW.replace(tzinfo=None) if remove_tzinfo else NOW
else:
    class Clock(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return NOW.replace(tzinfo=None)
    botocore.auth.datetime.datetime = Clock

pick = random.Random(int(sys.argv[1]))
KEYS = [Credentials("AKIAEXAMPLE", "secret/KEY+1"), Credentials("ASIAEXAMPLE", "other", "to/ken==")]
WORDS = ["a", "B c", "..", ".", "", "arn:aws:lambda:us-east-1:1:function:f", "é€", "x+y", "%41", "~-_.", "k=v&w", "'q'(1)*"]


def path():
    return "/" + "/".join(quote(pick.choice(WORDS), safe=pick.choice(["", "~", ":"])) for _ in range(pick.randint(0, 4)))


def query():
    pairs = [(pick.choice(WORDS) or "n", pick.choice(WORDS)) for _ in range(pick.randint(0, 3))]
    return "&".join(quote(k, safe="-_.~") + "=" + quote(v, safe="-_.~") for k, v in pairs)


for _ in range(int(sys.argv[2])):
    service = pick.choice(["dynamodb", "lambda", "execute-api", "iam", "s3", "s3"])
    creds = pick.choice(KEYS)
    body = pick.choice(["", "{}", "body é", "x" * 300]).encode()
    presign = pick.random() < 0.3
    url = "http://localhost:4566" + path()
    q = query()
    if q:
        url += "?" + q
    headers = {} if presign else {"Content-Type": "text/plain", "X-Amz-Meta-Spaces": "a   b  " + pick.choice(WORDS).strip("é€")}
    request = AWSRequest(pick.choice(["GET", "POST", "PUT"]), url, headers, b"" if presign else body)
    args = (creds, service, "eu-west-3")
    if presign:
        signer = (botocore.auth.S3SigV4QueryAuth if service == "s3" else botocore.auth.SigV4QueryAuth)(*args, expires=600)
    else:
        signer = (botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth)(*args)
    signer.add_auth(request)
    print(json.dumps({
        "method": request.method, "url": request.url, "service": service, "key": creds.access_key,
        "headers": dict(request.headers.items()), "body": "" if presign else body.decode(),
    }))
