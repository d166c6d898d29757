# Python 2.7, in the style of its time.
import logging
import re
import traceback

logger = logging.getLogger()
logger.setLevel(logging.INFO)

RELEASE = "one"


class EventValidationException(Exception):
    def __str__(self):
        return "400: %s" % self.message


def check(event, *keys):
    for key in keys:
        if not event.get(key):
            raise EventValidationException("`%s` is required." % key)
    if not re.match(r"\A[0-9A-Za-z]{8,64}\Z", event["id"]):
        raise EventValidationException("`id` must match [0-9A-Za-z]{8,64}.")


def table_name(event):
    return "example_user" if event["stage"] == "prod" else "s-example_user"


def get_user(event):
    check(event, "id", "stage")
    if event["id"] == "breakdown":
        raise KeyError(event["id"])
    return {"id": event["id"], "table": table_name(event), "release": RELEASE}


def post_user(event):
    check(event, "id", "name", "stage")
    return {"id": event["id"], "name": event["name"], "table": table_name(event), "release": RELEASE}


def lambda_handler(event, context):
    try:
        logger.info(event)
        if event["_method"] == "GET":
            return get_user(event)
        elif event["_method"] == "POST":
            return post_user(event)
        raise NotImplementedError()
    except Exception as e:
        logger.error("%s\n%s" % (e, traceback.format_exc()))
        m = re.match(r"\A\d{3}: ", e.__str__())
        if not m or m.group(0)[0:3] not in ["400", "500"]:
            e = Exception("500: %s" % e)
        raise e
