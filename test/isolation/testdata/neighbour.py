SECRET = "must not reach functions"


def handler(event, context):
    return event
