"""A function as people put it into an image, which looks around."""
import os
import pwd


def attempt(action):
    try:
        action()
    except OSError as e:
        return type(e).__name__ + " " + str(e.errno)
    return "done"


def write(path):
    with open(path, "w") as f:
        f.write("x")


def handler(event, context):
    print("handling", event)
    if event.get("fail"):
        raise ValueError("as asked")
    return {
        "event": event,
        "function": context.function_name,
        "version": context.function_version,
        "dir": os.getcwd(),
        "root": sorted(os.listdir("/")),
        "dev": sorted(os.listdir("/dev")),
        "task_root": os.environ.get("LAMBDA_TASK_ROOT"),
        "handler": os.environ.get("_HANDLER"),
        "user": pwd.getpwuid(os.getuid()).pw_name,
        "environment": os.environ.get("AWS_EXECUTION_ENV"),
        "mine": os.environ.get("MINE"),
        "secret": "BUTAI_TEST_SECRET" in os.environ,
        "privileged": os.getuid() == 0,
        "write_tmp": attempt(lambda: write("/tmp/x")),
        "write_root": attempt(lambda: write("/x")),
        "write_task": attempt(lambda: write("/var/task/x")),
        "write_dev": attempt(lambda: write("/dev/x")),
        "host": attempt(lambda: os.listdir(event["host"])),
        "hosts_file": os.path.getsize("/etc/hosts") > 0,
    }
