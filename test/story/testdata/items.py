"""DynamoDB through boto3's client and resource: one walk over what programs do."""

from decimal import Decimal

from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary

from system import *

db = boto3.resource("dynamodb")
table = db.create_table(
    TableName="orders", BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
    AttributeDefinitions=[
        {"AttributeName": name, "AttributeType": kind} for name, kind in {"customer": "S", "at": "N", "state": "S", "total": "N"}.items()],
    LocalSecondaryIndexes=[{
        "IndexName": "by-total", "Projection": {"ProjectionType": "KEYS_ONLY"},
        "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "total", "KeyType": "RANGE"}]}],
    GlobalSecondaryIndexes=[{
        "IndexName": "by-state", "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]},
        "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}]}])
wait(dynamodb, "table_exists", TableName="orders")

# Put and get, every type.
first = {
    "customer": "ada", "at": 1, "total": Decimal("12.50"), "state": "open", "note": "", "paid": False, "by": None,
    "blob": Binary(b"\x00\xff"), "lines": [{"sku": "a", "n": 2}, {"sku": "b", "n": Decimal("-0.1")}],
    "tags": {"x", "y"}, "sizes": {1, 2}, "blobs": {Binary(b"1"), Binary(b"2")}, "address": {"city": "Kyoto", "zip": []},
}
table.put_item(Item=first)
equal(table.get_item(Key={"customer": "ada", "at": 1})["Item"], first)
assert "Item" not in table.get_item(Key={"customer": "ada", "at": 2})
equal(table.get_item(Key={"customer": "ada", "at": 1}, ProjectionExpression="#l[1].sku, address.city",
                     ExpressionAttributeNames={"#l": "lines"})["Item"], {"lines": [{"sku": "b"}], "address": {"city": "Kyoto"}})

# Conditions.
equal(refused(table.put_item, Item={"customer": "ada", "at": 1}, ConditionExpression=Attr("customer").not_exists()),
      ("ConditionalCheckFailedException", "The conditional request failed"))
try:
    table.delete_item(Key={"customer": "ada", "at": 1}, ConditionExpression=Attr("total").gt(100),
                      ReturnValuesOnConditionCheckFailure="ALL_OLD")
    raise AssertionError("it was deleted")
except dynamodb.exceptions.ConditionalCheckFailedException as error:
    equal(error.response["Item"]["state"], {"S": "open"})

# Update: each clause, each kind of answer.
at = {"customer": "ada", "at": 1}
new = table.update_item(
    Key=at, ReturnValues="ALL_NEW", ConditionExpression=Attr("state").eq("open") & Attr("lines").size().eq(2),
    UpdateExpression="SET #t = #t + :more, #l = list_append(#l, :line), address.street = if_not_exists(address.street, :s) "
                     "REMOVE note ADD sizes :sizes, visits :one DELETE tags :tags",
    ExpressionAttributeNames={"#t": "total", "#l": "lines"},
    ExpressionAttributeValues={":more": Decimal("0.50"), ":line": [{"sku": "c"}], ":s": "Teramachi", ":sizes": {3}, ":one": 1, ":tags": {"x"}})["Attributes"]
equal(new, {**{k: v for k, v in first.items() if k != "note"}, "total": 13, "lines": first["lines"] + [{"sku": "c"}],
            "sizes": {1, 2, 3}, "visits": 1, "tags": {"y"}, "address": {"city": "Kyoto", "zip": [], "street": "Teramachi"}})
equal(table.update_item(Key=at, UpdateExpression="ADD visits :n", ExpressionAttributeValues={":n": 4}, ReturnValues="UPDATED_OLD")["Attributes"], {"visits": 1})
equal(table.update_item(Key=at, UpdateExpression="SET visits = visits - :n", ExpressionAttributeValues={":n": 2}, ReturnValues="UPDATED_NEW")["Attributes"], {"visits": 3})
equal(table.update_item(Key=at, UpdateExpression="SET #l[9] = :v REMOVE #l[0]", ExpressionAttributeNames={"#l": "lines"},
                        ExpressionAttributeValues={":v": "end"}, ReturnValues="ALL_NEW")["Attributes"]["lines"],
      [{"sku": "b", "n": Decimal("-0.1")}, {"sku": "c"}, "end"])
code, text = refused(table.update_item, Key=at, UpdateExpression="SET visits = :n, state = :n", ExpressionAttributeValues={":n": 1})
equal((code, text), ("ValidationException", "1 validation error detected: Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: state"))

# Batches.
with table.batch_writer() as batch:
    for n in range(2, 62):
        batch.put_item(Item={"customer": "ada" if n % 2 else "bob", "at": n, "total": n % 7, "state": "open" if n < 32 else "done"})
equal(table.scan(Select="COUNT")["Count"], 61)
got = db.batch_get_item(RequestItems={"orders": {"Keys": [{"customer": "bob", "at": 2}, {"customer": "ada", "at": 3}, {"customer": "ada", "at": 4}]}})
equal(sorted(i["at"] for i in got["Responses"]["orders"]), [2, 3])
equal(got["UnprocessedKeys"], {})

# Queries: ranges, order, pages, filters, indexes.
def ats(answer):
    return [int(i["at"]) for i in answer["Items"]]


equal(ats(table.query(KeyConditionExpression=Key("customer").eq("ada") & Key("at").between(5, 9))), [5, 7, 9])
page = table.query(KeyConditionExpression=Key("customer").eq("bob"), Limit=3, ScanIndexForward=False)
equal((ats(page), page["LastEvaluatedKey"]), ([60, 58, 56], {"customer": "bob", "at": 56}))
page = table.query(KeyConditionExpression=Key("customer").eq("bob"), Limit=2, ScanIndexForward=False, ExclusiveStartKey=page["LastEvaluatedKey"])
equal(ats(page), [54, 52])
page = table.query(KeyConditionExpression=Key("customer").eq("bob") & Key("at").lt(12), FilterExpression=Attr("total").is_in([2, 4]))
equal((ats(page), page["Count"], page["ScannedCount"]), ([2, 4], 2, 5))
equal(ats(table.query(IndexName="by-total", KeyConditionExpression=Key("customer").eq("bob") & Key("total").gte(6))),
      [n for n in range(2, 62, 2) if n % 7 == 6])
page = table.query(IndexName="by-state", KeyConditionExpression=Key("state").eq("open") & Key("at").lte(3))
equal([sorted(i) for i in page["Items"]], [["at", "customer", "state"]] * 3)
equal(sorted(ats(table.scan(FilterExpression=Attr("at").gt(58) & ~Attr("customer").eq("ada")))), [60])
seen = []
for segment in range(3):
    for page in dynamodb.get_paginator("scan").paginate(TableName="orders", Segment=segment, TotalSegments=3, PaginationConfig={"PageSize": 7}):
        seen += [int(i["at"]["N"]) for i in page["Items"]]
equal(sorted(seen), list(range(1, 62)))

# Transactions: all or nothing.
def put(n, **more):
    return {"Put": {"TableName": "orders", "Item": {"customer": {"S": "eve"}, "at": {"N": str(n)}}, **more}}


def update(n, delta):
    return {"Update": {
        "TableName": "orders", "Key": {"customer": {"S": "eve"}, "at": {"N": str(n)}}, "UpdateExpression": "ADD balance :d",
        "ConditionExpression": "attribute_not_exists(balance) OR balance >= :min",
        "ExpressionAttributeValues": {":d": {"N": str(delta)}, ":min": {"N": str(-delta)}}}}


dynamodb.transact_write_items(TransactItems=[put(1), put(2)])
dynamodb.transact_write_items(TransactItems=[update(1, 10), update(2, 5)])
dynamodb.transact_write_items(TransactItems=[update(1, -4), update(2, 4)])
try:
    dynamodb.transact_write_items(TransactItems=[update(2, 100), update(1, -100)])
    raise AssertionError("the transaction went through")
except dynamodb.exceptions.TransactionCanceledException as error:
    equal([r["Code"] for r in error.response["CancellationReasons"]], ["None", "ConditionalCheckFailed"])
got = dynamodb.transact_get_items(TransactItems=[
    {"Get": {"TableName": "orders", "Key": {"customer": {"S": "eve"}, "at": {"N": n}}, "ProjectionExpression": "balance"}} for n in "12"])
equal([r["Item"] for r in got["Responses"]], [{"balance": {"N": "6"}}, {"balance": {"N": "9"}}])

# Delete.
equal(table.delete_item(Key={"customer": "bob", "at": 2}, ReturnValues="ALL_OLD")["Attributes"]["total"], 2)
assert "Item" not in table.get_item(Key={"customer": "bob", "at": 2})
equal(refused(table.get_item, Key={"customer": "bob"}), ("ValidationException", "The provided key element does not match the schema"))
table.delete()
wait(dynamodb, "table_not_exists", TableName="orders")
equal(refused(dynamodb.scan, TableName="orders"), ("ResourceNotFoundException", "Requested resource not found"))
print("ok")
