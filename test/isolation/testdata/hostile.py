"""Tries one thing after the other and returns those that it could do."""

import glob
import os
import signal
import socket


def holds(pattern, secret):
    """Whether any readable file of the pattern holds the secret."""
    for name in glob.glob(pattern, recursive=True):
        try:
            with open(name, "rb") as f:
                if secret.encode() in f.read(1 << 20):
                    return True
        except OSError:
            pass
    return False


def reads(path):
    with open(path, "rb") as f:
        return len(f.read(1)) > 0


def writes(path):
    with open(path, "w") as f:
        return f.write("x") > 0


def attempts(event):
    yield "list the data directory", lambda: os.listdir(event["data"])
    yield "read the store", lambda: holds(event["data"] + "/**", event["secret"])
    yield "read another function's code in /var/task", lambda: holds("/var/task/**/*.py", event["secret"])
    yield "read another function's code anywhere in /tmp", lambda: holds("/tmp/**/*.py", event["secret"])
    yield "see the server's secret in its own environment", lambda: event["secret"] in os.environ.values()
    yield "see the server's secret in some process's environment", lambda: holds("/proc/*/environ", event["secret"])
    yield "read the environment of process 1", lambda: reads("/proc/1/environ")
    yield "read the environment of the server", lambda: reads("/proc/%d/environ" % event["pid"])
    yield "go through the root of process 1", lambda: os.listdir("/proc/1/root/")
    yield "signal the server", lambda: os.kill(event["pid"], 0) or True
    yield "read the host's /root", lambda: [n for n in os.listdir("/root") if n.startswith(".ssh") or n.startswith(".bash")]
    yield "read /etc/shadow", lambda: reads("/etc/shadow")
    yield "write /var/task", lambda: writes("/var/task/x")
    yield "write /etc/passwd", lambda: writes("/etc/passwd")
    yield "write the system", lambda: writes("/usr/x")
    yield "become root", lambda: os.setuid(0) or True
    yield "make a raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


def handler(event, context):
    tried, done = 0, []
    for name, attempt in attempts(event):
        tried += 1
        try:
            if attempt():
                done.append(name)
        except OSError:
            pass
    try:
        os.kill(1, signal.SIGKILL)  # may be allowed, but has no effect
    except OSError:
        pass
    writes("/tmp/mine")
    return {"Tried": tried, "Done": done, "UID": os.getuid()}
