"""Reads and writes users in the table of the stage that called."""

import logging
import re

import boto3

logger = logging.getLogger()
logger.setLevel(logging.INFO)

tables = boto3.resource("dynamodb")


class Invalid(Exception):
    """A request that the caller can mend: becomes a 400."""

    def __str__(self):
        return "400: " + super().__str__()


def handler(event, context):
    logger.info(event)
    try:
        table = tables.Table("user-" + event["stage"])
        if event["method"] == "POST":
            return post_user(table, event)
        return get_user(table, event)
    except Invalid:
        raise
    except Exception as error:
        raise Exception("500: " + str(error)) from error


def get_user(table, event):
    user = table.get_item(Key={"id": event["id"]}).get("Item")
    if user is None:
        raise Invalid("there is no user " + event["id"])
    return {"id": user["id"], "name": user["name"]}


def post_user(table, event):
    if not re.fullmatch("[0-9A-Za-z]{3,64}", event["id"]):
        raise Invalid("an id is 3 to 64 letters and digits")
    if not event["name"]:
        raise Invalid("a name is missing")
    user = {"id": event["id"], "name": event["name"]}
    table.put_item(Item=user)
    return user
