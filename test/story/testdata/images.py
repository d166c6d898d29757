"""Images without docker: layers and a manifest through ECR's API, as scripts and boto3 users push and pull."""

import hashlib
import urllib.error
import urllib.request

from system import *

ecr = boto3.client("ecr")
NAME = "tools/app"
DOCKER = "application/vnd.docker."


def equal(got, want):
    if got != want:
        raise AssertionError("got %r, want %r" % (got, want))


def refused(code, call, **kwargs):
    try:
        call(repositoryName=NAME, **kwargs)
    except ClientError as e:
        equal(e.response["Error"]["Code"], code)
        return e.response
    raise AssertionError("nothing was refused, want " + code)


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def upload(data, digest=None):
    begun = ecr.initiate_layer_upload(repositoryName=NAME)
    size = begun["partSize"]
    for at in range(0, len(data), size):
        part = data[at:at + size]
        got = ecr.upload_layer_part(repositoryName=NAME, uploadId=begun["uploadId"], partFirstByte=at, partLastByte=at + len(part) - 1, layerPartBlob=part)
        equal(got["lastByteReceived"], at + len(part) - 1)
    done = ecr.complete_layer_upload(repositoryName=NAME, uploadId=begun["uploadId"], layerDigests=[digest or digest_of(data)])
    equal(done["layerDigest"], digest_of(data))
    return {"digest": digest_of(data), "size": len(data)}


def fetch(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


ecr.create_repository(repositoryName=NAME)
big = bytes(range(256)) * (12 << 12)  # 12 MiB: two parts
layer = dict(upload(big), mediaType=DOCKER + "image.rootfs.diff.tar.gzip")
config = dict(upload(b"{}"), mediaType=DOCKER + "container.image.v1+json")

# What isn't a layer.
begun = ecr.initiate_layer_upload(repositoryName=NAME)["uploadId"]
refused("EmptyUploadException", ecr.complete_layer_upload, uploadId=begun, layerDigests=[digest_of(b"")])
refused("UploadNotFoundException", ecr.complete_layer_upload, uploadId=begun, layerDigests=[digest_of(b"")])
begun = ecr.initiate_layer_upload(repositoryName=NAME)["uploadId"]
ecr.upload_layer_part(repositoryName=NAME, uploadId=begun, partFirstByte=0, partLastByte=2, layerPartBlob=b"abc")
late = refused("InvalidLayerPartException", ecr.upload_layer_part, uploadId=begun, partFirstByte=7, partLastByte=9, layerPartBlob=b"abc")
equal((late["lastValidByteReceived"], late["uploadId"], late["repositoryName"]), (2, begun, NAME))
refused("InvalidLayerException", ecr.complete_layer_upload, uploadId=begun, layerDigests=[digest_of(b"xyz")])
begun = ecr.initiate_layer_upload(repositoryName=NAME)["uploadId"]
for at in 0, 3:
    ecr.upload_layer_part(repositoryName=NAME, uploadId=begun, partFirstByte=at, partLastByte=at + 2, layerPartBlob=b"abc")
refused("LayerPartTooSmallException", ecr.complete_layer_upload, uploadId=begun, layerDigests=[digest_of(b"abcabc")])
begun = ecr.initiate_layer_upload(repositoryName=NAME)["uploadId"]
ecr.upload_layer_part(repositoryName=NAME, uploadId=begun, partFirstByte=0, partLastByte=1, layerPartBlob=b"{}")
refused("LayerAlreadyExistsException", ecr.complete_layer_upload, uploadId=begun, layerDigests=[config["digest"]])

# The image.
manifest = json.dumps({"schemaVersion": 2, "mediaType": DOCKER + "distribution.manifest.v2+json", "config": config, "layers": [layer]})
absent = digest_of(b"absent")
refused("LayersNotFoundException", ecr.put_image, imageManifest=manifest.replace(layer["digest"], absent), imageTag="v1")
put = ecr.put_image(repositoryName=NAME, imageManifest=manifest, imageTag="v1")["image"]
equal(put["imageId"], {"imageDigest": digest_of(manifest.encode()), "imageTag": "v1"})
refused("ImageAlreadyExistsException", ecr.put_image, imageManifest=manifest, imageTag="v1")
refused("ImageDigestDoesNotMatchException", ecr.put_image, imageManifest=manifest, imageTag="v2", imageDigest=absent)

# What is there, and the way back.
checked = ecr.batch_check_layer_availability(repositoryName=NAME, layerDigests=[layer["digest"], absent, "md5:00"])
equal(checked["layers"], [
    {"layerDigest": layer["digest"], "layerAvailability": "AVAILABLE", "layerSize": len(big), "mediaType": layer["mediaType"]},
    {"layerDigest": absent, "layerAvailability": "UNAVAILABLE"},
])
equal([(f["layerDigest"], f["failureCode"]) for f in checked["failures"]], [("md5:00", "InvalidLayerDigest")])
got = ecr.batch_get_image(repositoryName=NAME, imageIds=[{"imageTag": "v1"}])["images"][0]
equal(got["imageManifest"], manifest)
refused("LayersNotFoundException", ecr.get_download_url_for_layer, layerDigest=absent)
url = ecr.get_download_url_for_layer(repositoryName=NAME, layerDigest=layer["digest"])["downloadUrl"]
equal(fetch(url), big)
for wrong in url.replace(layer["digest"], config["digest"]), url.replace("Expires=", "Expires=1"), url.split("?")[0]:
    try:
        fetch(wrong)
        raise AssertionError("anybody gets " + wrong)
    except urllib.error.HTTPError as e:
        equal(e.code, 401)

print("ok")
