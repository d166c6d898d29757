#!/usr/bin/env python3
"""Rebuild policies.zip, the AWS-managed policies as data.

Input: the table of AWS-managed policies that the moto package carries
(moto/iam/aws_managed_policies.py, itself downloaded from IAM with
ListPolicies and GetPolicyVersion). Only AWS's own facts are taken: names,
paths, versions, dates, documents. Descriptions and policy ids are not in it.

Usage: pip install moto && python3 extract.py [policies.zip]
The same input gives the same bytes.
"""
import json
import sys
import zipfile

from moto.iam.aws_managed_policies import aws_managed_policies_data

BLOCK = 32  # documents per compressed block: one lookup unpacks about 70 KB
ORDER = ["Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal",
         "Action", "NotAction", "Resource", "NotResource", "Condition"]


def ordered(value):
    """Members in the order in which IAM documents are usually written."""
    if isinstance(value, list):
        return [ordered(v) for v in value]
    if isinstance(value, dict):
        rank = {name: i for i, name in enumerate(ORDER)}
        return {k: ordered(value[k]) for k in sorted(value, key=lambda k: (rank.get(k, 99), k))}
    return value


def utc(stamp):
    if not stamp.endswith("+00:00"):
        raise ValueError("not UTC: " + stamp)
    return stamp.removesuffix("+00:00") + "Z"


def add(archive, name, value):
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, json.dumps(value, separators=(",", ":")), zipfile.ZIP_DEFLATED, 9)


def main():
    table = json.loads(aws_managed_policies_data)
    names = sorted(table)
    index = []
    with zipfile.ZipFile(sys.argv[1] if len(sys.argv) > 1 else "policies.zip", "w") as archive:
        for start in range(0, len(names), BLOCK):
            block = "%02d.json" % (start // BLOCK)
            add(archive, block, [ordered(table[n]["Document"]) for n in names[start:start + BLOCK]])
        for name in names:
            p = table[name]
            index.append([name, p["Path"], p["DefaultVersionId"], utc(p["CreateDate"]), utc(p["UpdateDate"])])
        add(archive, "index.json", index)


main()
