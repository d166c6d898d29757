"""The counterpart of the wire tests: botocore's own serializers and parsers.

peer.py serialize SERVICE...   one JSON line for each request that botocore
                               would send, with the parameters it was made of
peer.py parse                  reads answers as JSON lines, prints what
                               botocore understands of each

Values are spelled alike on both sides: structures as objects by member name,
blobs as base64, timestamps as milliseconds since 1970, numbers as numbers.
"""

import base64
import datetime
import email.utils
import io
import json
import random
import sys

import botocore.awsrequest
import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize

LOADER = botocore.loaders.Loader()
TEXTS = [
    "plain",
    "two words",
    "a/b+c=d&e%20",
    "<tag attr=\"x\">'&amp;",
    "Grüße, 世界 𝄞",
    "arn:aws:lambda:us-east-1:000000000000:function:f:1",
    "comma,separated, list",
    " blanks around ",
    "line\nbreak\ttab",
]
PLAIN = ["plain", "arn:aws:iam::000000000000:role/r", "x-1_2.3"]
MAX_DEPTH = 5


def model(service):
    return botocore.model.ServiceModel(LOADER.load_service_model(service, "service-2"), service)


class Maker:
    """Makes parameters by walking a shape."""

    def __init__(self, rng, density):
        self.rng, self.density = rng, density

    def structure(self, shape, depth):
        members = list(shape.members.items())
        if shape.name == "AttributeValue":
            return self.attribute(depth)
        if getattr(shape, "is_tagged_union", False):
            flat = [m for m in members if m[1].type_name not in ("structure", "list", "map")]
            name, member = self.rng.choice(depth >= MAX_DEPTH and flat or members)
            return {name: self.value(member, depth + 1)}
        out = {}
        for name, member in members:
            required = name in shape.required_members
            deep = depth >= MAX_DEPTH and member.type_name in ("structure", "list", "map")
            if not required and (deep or self.rng.random() >= self.density):
                continue
            if getattr(member, "is_eventstream", False) or member.serialization.get("eventstream"):
                continue
            if member.serialization.get("hostLabel"):
                out[name] = "host-label"
                continue
            out[name] = self.value(member, depth + 1, member.serialization.get("location"))
        scalars = [m for m in members if m[1].type_name not in ("structure", "list", "map")]
        if depth > 0 and not out and scalars:  # the query protocol can't spell an empty structure
            name, member = self.rng.choice(scalars)
            out[name] = self.value(member, depth + 1)
        return out

    def attribute(self, depth):
        """An AttributeValue of DynamoDB, whose kinds have rules of their own."""
        choices = [
            {"S": self.rng.choice(TEXTS)}, {"N": "-12.5"}, {"B": b"\x00\xff"}, {"BOOL": True}, {"NULL": True},
            {"SS": ["a", "b c"]}, {"NS": ["1", "2.5"]}, {"BS": [b"x", b"y"]},
        ]
        if depth < MAX_DEPTH:
            choices += [{"L": [self.attribute(depth + 1)]}, {"M": {"a b": self.attribute(depth + 1)}}]
        return self.rng.choice(choices)

    def value(self, shape, depth, location=None):
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            count = self.rng.choice([1, 2, 3]) if location or depth < MAX_DEPTH else 1
            return [self.value(shape.member, depth + 1, location) for _ in range(count)]
        if kind == "map":
            return {self.key(shape.key, i, location): self.value(shape.value, depth + 1, location) for i in range(2)}
        if kind == "string":
            return self.text(shape, location)
        if kind in ("integer", "long"):
            return self.rng.choice([0, 1, -7, 2147483647])
        if kind in ("float", "double"):
            return self.rng.choice([0.5, 12.25, 3.0])
        if kind == "boolean":
            return self.rng.random() < 0.5
        if kind == "timestamp":
            return datetime.datetime.fromtimestamp(self.rng.choice([0, 1700000000]), datetime.timezone.utc)
        if kind == "blob":
            return self.rng.choice([b"\x00\x01\xff\xfe", b"bytes"])
        raise ValueError(kind)

    def key(self, shape, i, location):
        if shape.enum:
            return shape.enum[i % len(shape.enum)]
        if location:
            return f"key-{i}"
        return self.rng.choice(["key", "a b", "Schlüssel/"]) + str(i)

    def text(self, shape, location):
        if shape.enum:
            return self.rng.choice(shape.enum)
        if location in ("header", "headers", "statusCode"):
            return self.rng.choice(PLAIN)
        return self.rng.choice(TEXTS)


def normal(value, shape):
    kind = shape.type_name
    if value is None:
        return None
    if kind == "structure":
        return {n: normal(v, shape.members[n]) for n, v in value.items() if n in shape.members and v is not None}
    if kind == "list":
        return [normal(v, shape.member) for v in value]
    if kind == "map":
        return {k: normal(v, shape.value) for k, v in value.items()}
    if kind == "blob":
        if hasattr(value, "read"):
            value = value.read()
        raw = value.encode() if isinstance(value, str) else value
        return base64.b64encode(raw).decode()
    if kind == "timestamp" and shape.name == "Expires":
        return email.utils.format_datetime(value.astimezone(datetime.timezone.utc), usegmt=True)  # S3 takes and gives any text here
    if kind == "timestamp":
        return round(value.timestamp() * 1000)
    return value


def serialize(services):
    for service in services:
        m = model(service)
        serializer = botocore.serialize.create_serializer(m.metadata["protocol"], include_validation=False)
        for name in m.operation_names:
            op = m.operation_model(name)
            for variant, density in enumerate([1.0, 0.0, 0.5, 0.3]):
                rng = random.Random(f"{service}.{name}.{variant}")
                params = Maker(rng, density).structure(op.input_shape, 0) if op.input_shape else {}
                request = serializer.serialize_to_request(params, op)
                botocore.awsrequest.prepare_request_dict(request, "http://127.0.0.1")
                prepared = botocore.awsrequest.create_request_object(request).prepare()
                body = prepared.body or b""
                print(json.dumps({
                    "service": service,
                    "operation": name,
                    "method": prepared.method,
                    "url": prepared.url,
                    "headers": {k: v if isinstance(v, str) else v.decode() for k, v in prepared.headers.items()},
                    "body": base64.b64encode(body.encode() if isinstance(body, str) else bytes(body)).decode(),
                    "params": normal(params, op.input_shape) if op.input_shape else {},
                }))


def parse():
    models = {}
    for line in sys.stdin:
        answer = json.loads(line)
        service = answer["service"]
        if service not in models:
            m = model(service)
            models[service] = m, botocore.parsers.ResponseParserFactory().create_parser(m.metadata["protocol"])
        m, parser = models[service]
        response = {
            "status_code": answer["status"],
            "headers": botocore.awsrequest.HeadersDict(answer["headers"] or {}),
            "body": base64.b64decode(answer["body"] or ""),
        }
        try:
            print(json.dumps(understand(m, parser, m.operation_model(answer["operation"]), response)))
        except Exception as e:  # whatever goes wrong, the test says for which answer
            print(json.dumps({"failure": repr(e)}))


def understand(m, parser, op, response):
    shape = op.output_shape
    if op.has_streaming_output and response["status_code"] < 300:
        response["body"] = io.BytesIO(response["body"])
    parsed = parser.parse(response, shape)
    result = {"code": "", "message": "", "value": {}}
    result["requestId"] = parsed.get("ResponseMetadata", {}).get("RequestId", "")
    if response["status_code"] >= 300:
        error = parsed.get("Error", {})
        result["code"], result["message"] = error.get("Code", ""), error.get("Message", "")
        shape = m.shape_for_error_code(result["code"])
        parsed = parser.parse(response, shape) if shape else {}
        parsed.pop("Error", None)
    if shape:
        result["value"] = normal({k: v for k, v in parsed.items() if k != "ResponseMetadata"}, shape)
    return result


if sys.argv[1] == "serialize":
    serialize(sys.argv[2:])
else:
    parse()
