"""What boto3's resource and client APIs do with a table, against a running endpoint."""

import decimal
import sys

import boto3
from boto3.dynamodb.conditions import Attr, Key

db = boto3.resource(
    "dynamodb", endpoint_url=sys.argv[1], region_name="eu-central-1",
    aws_access_key_id="123456789012", aws_secret_access_key="x",
)
client = db.meta.client

table = db.create_table(
    TableName="music",
    KeySchema=[{"AttributeName": "artist", "KeyType": "HASH"}, {"AttributeName": "year", "KeyType": "RANGE"}],
    AttributeDefinitions=[
        {"AttributeName": "artist", "AttributeType": "S"},
        {"AttributeName": "year", "AttributeType": "N"},
        {"AttributeName": "label", "AttributeType": "S"},
    ],
    GlobalSecondaryIndexes=[{
        "IndexName": "by-label",
        "KeySchema": [{"AttributeName": "label", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }],
    BillingMode="PAY_PER_REQUEST",
)
table.wait_until_exists()
table.reload()
assert table.table_status == "ACTIVE", table.table_status

with table.batch_writer() as batch:
    for year in range(1990, 2050):
        batch.put_item(Item={
            "artist": "Ünser", "year": year, "label": "l%d" % (year % 3), "raw": b"\x00\xff", "tags": {"a", "b"},
            "nested": {"list": [1, None, True, {"x": decimal.Decimal("1.50")}]},
        })

got = table.get_item(Key={"artist": "Ünser", "year": 1991}, ConsistentRead=True)["Item"]
assert got["nested"]["list"] == [1, None, True, {"x": decimal.Decimal("1.5")}], got
assert got["tags"] == {"a", "b"} and bytes(got["raw"]) == b"\x00\xff", got

page = table.query(KeyConditionExpression=Key("artist").eq("Ünser") & Key("year").between(1995, 1999), FilterExpression=Attr("label").ne("l0"))
assert [int(i["year"]) for i in page["Items"]] == [1996, 1997, 1999], page

years = []
for page in client.get_paginator("query").paginate(
        TableName="music", IndexName="by-label", KeyConditionExpression=Key("label").eq("l1"), PaginationConfig={"PageSize": 7}):
    years += [int(i["year"]) for i in page["Items"]]
assert sorted(years) == [y for y in range(1990, 2050) if y % 3 == 1], years

new = table.update_item(
    Key={"artist": "Ünser", "year": 1991}, UpdateExpression="SET #n.#l[0] = #n.#l[0] + :one, plays = if_not_exists(plays, :zero) + :one ADD tags :more",
    ConditionExpression=Attr("label").exists(), ReturnValues="ALL_NEW",
    ExpressionAttributeNames={"#n": "nested", "#l": "list"}, ExpressionAttributeValues={":one": 1, ":zero": 0, ":more": {"c"}},
)["Attributes"]
assert new["nested"]["list"][0] == 2 and new["plays"] == 1 and new["tags"] == {"a", "b", "c"}, new

try:
    table.put_item(Item={"artist": "Ünser", "year": 1991}, ConditionExpression=Attr("artist").not_exists())
    raise SystemExit("the condition should have failed")
except client.exceptions.ConditionalCheckFailedException as e:
    assert e.response["Error"]["Message"] == "The conditional request failed", e.response

try:
    client.transact_write_items(TransactItems=[
        {"Put": {"TableName": "music", "Item": {"artist": "new", "year": 1}}},
        {"ConditionCheck": {"TableName": "music", "Key": {"artist": "none", "year": 1}, "ConditionExpression": "attribute_exists(artist)"}},
    ])
    raise SystemExit("the transaction should have been cancelled")
except client.exceptions.TransactionCanceledException as e:
    assert [r["Code"] for r in e.response["CancellationReasons"]] == ["None", "ConditionalCheckFailed"], e.response

answer = db.batch_get_item(RequestItems={"music": {"Keys": [{"artist": "Ünser", "year": y} for y in (1990, 2000, 3000)]}})
assert len(answer["Responses"]["music"]) == 2 and answer["UnprocessedKeys"] == {}, answer

played = db.meta.client.execute_statement(
    Statement='UPDATE "music" SET plays = plays + ? WHERE artist = ? AND "year" = ? RETURNING MODIFIED NEW *', Parameters=[1, "Ünser", 1991])
assert played["Items"] == [{"plays": 2}], played
pages = client.get_paginator("query").paginate(TableName="music", KeyConditionExpression="artist = :a", ExpressionAttributeValues={":a": "Ünser"})
wanted = [i["year"] for page in pages for i in page["Items"]]
found, token = [], {}
while True:
    page = client.execute_statement(Statement="SELECT \"year\" FROM music WHERE artist = 'Ünser'", Limit=7, **token)
    found += [i["year"] for i in page["Items"]]
    if "NextToken" not in page:
        break
    token = {"NextToken": page["NextToken"]}
assert found == wanted and len(found) > 7, (found, wanted)

assert table.scan(Select="COUNT")["Count"] == 60
table.delete_item(Key={"artist": "Ünser", "year": 1990})
table.reload()
assert table.item_count == 59, table.item_count
table.delete()
table.wait_until_not_exists()
print("ok")
