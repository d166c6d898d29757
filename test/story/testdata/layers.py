"""Layers through boto3: published, shared with another account, merged at /opt."""

from system import *


def archive(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o755 if name.startswith("bin/") else 0o644) << 16
            z.writestr(info, text)
    return out.getvalue()


def publish(name, **files):
    return lambda_.publish_layer_version(LayerName=name, Content={"ZipFile": archive(**files)}, CompatibleRuntimes=[RUNTIME], Description=name + " things")


SOURCE = """
import os, subprocess
import shared, pinned
def handler(event, context):
    return {"shared": shared.NAME, "pinned": pinned.NAME, "tool": subprocess.check_output(["tool"], text=True).strip(),
            "opt": sorted(os.listdir("/opt"))}
"""

one = publish("base", **{"python/shared.py": "NAME = 'base'", "python/lib/python%d.%d/site-packages/pinned.py" % sys.version_info[:2]: "NAME = 'pinned'",
                         "bin/tool": "#!/bin/sh\necho tool of base\n"})
equal((one["Version"], one["LayerVersionArn"], one["Description"], one["CompatibleRuntimes"], one["ResponseMetadata"]["HTTPStatusCode"]),
      (1, "arn:aws:lambda:us-east-1:000000000000:layer:base:1", "base things", [RUNTIME], 201))
top = publish("top", **{"python/shared.py": "NAME = 'top'", "extra": "x"})
with urllib.request.urlopen(lambda_.get_layer_version(LayerName="top", VersionNumber=1)["Content"]["Location"]) as answer:
    equal(answer.read(), archive(**{"python/shared.py": "NAME = 'top'", "extra": "x"}))
equal(lambda_.get_layer_version_by_arn(Arn=top["LayerVersionArn"])["LayerArn"], top["LayerArn"])
equal([l["LayerName"] for l in lambda_.list_layers()["Layers"]], ["base", "top"])
equal(publish("top", **{"python/shared.py": "NAME = 'newer'"})["Version"], 2)
equal([v["Version"] for v in lambda_.list_layer_versions(LayerName="top")["LayerVersions"]], [2, 1])

# The later layer wins, and one that was deleted stays with its functions.
role_arn = role("layered")
function("layered", SOURCE, role_arn, Layers=[one["LayerVersionArn"], top["LayerVersionArn"]])
want = {"shared": "top", "pinned": "pinned", "tool": "tool of base", "opt": ["bin", "extra", "python"]}
equal(invoke("layered")[1], want)
equal(lambda_.get_function_configuration(FunctionName="layered")["Layers"],
      [{"Arn": l["LayerVersionArn"], "CodeSize": l["Content"]["CodeSize"]} for l in (one, top)])
lambda_.publish_version(FunctionName="layered")
lambda_.delete_layer_version(LayerName="top", VersionNumber=1)
lambda_.update_function_configuration(FunctionName="layered", Layers=[one["LayerVersionArn"], top["LayerArn"] + ":2"])
equal((invoke("layered")[1]["shared"], invoke("layered", Qualifier="1")[1]["shared"]), ("newer", "top"))
lambda_.update_function_configuration(FunctionName="layered", Layers=[])
equal(("Layers" in lambda_.get_function_configuration(FunctionName="layered"), invoke("layered")[1]["errorType"]), (False, "Runtime.ImportModuleError"))

# What Lambda refuses.
def update(*arns):
    return refused(lambda_.update_function_configuration, FunctionName="layered", Layers=list(arns))
equal(update(top["LayerVersionArn"]), ("InvalidParameterValueException", "Layer version %s does not exist." % top["LayerVersionArn"]))
equal(update(*["%s:%d" % (top["LayerArn"], n) for n in range(6)]), ("InvalidParameterValueException", "Cannot reference more than 5 layers."))
equal(update(one["LayerVersionArn"].replace("us-east-1", "eu-west-1"))[1],
      "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.")
equal(refused(lambda_.get_layer_version, LayerName="top", VersionNumber=1), ("ResourceNotFoundException", "The resource you requested does not exist."))

# Another account gets in by permission only.
guest = boto3.client("lambda", aws_access_key_id="111122223333", aws_secret_access_key="x")
equal(refused(guest.get_layer_version_by_arn, Arn=one["LayerVersionArn"])[0], "AccessDeniedException")
share = dict(LayerName="base", VersionNumber=1, StatementId="share", Action="lambda:GetLayerVersion", Principal="111122223333")
equal(json.loads(lambda_.add_layer_version_permission(**share)["Statement"]), {
    "Sid": "share", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "lambda:GetLayerVersion", "Resource": one["LayerVersionArn"]})
equal(refused(lambda_.add_layer_version_permission, **share)[0], "ResourceConflictException")
equal(guest.get_layer_version_by_arn(Arn=one["LayerVersionArn"])["Version"], 1)
lambda_.remove_layer_version_permission(LayerName="base", VersionNumber=1, StatementId="share")
equal(refused(guest.get_layer_version_by_arn, Arn=one["LayerVersionArn"])[0], "AccessDeniedException")
equal(refused(lambda_.get_layer_version_policy, LayerName="base", VersionNumber=1),
      ("ResourceNotFoundException", "No policy is associated with the given resource."))
print("ok")
