import os
import time


def handler(event, context):
    for made in range(3000):
        try:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        except OSError:
            return {"Made": made, "Refused": True}
    return {"Made": 3000, "Refused": False}
