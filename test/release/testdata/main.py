# Answers with the generation of its code and what the gateway told it.
import time

CODE = "code-1"
SLOW = 0
FAILS = False


def handler(event, context):
    if FAILS:
        raise Exception("500: broken on purpose")
    time.sleep(SLOW)
    return {
        "code": CODE,
        "gateway": event["gateway"],
        "stage": event["stage"],
        "version": context.function_version,
    }
