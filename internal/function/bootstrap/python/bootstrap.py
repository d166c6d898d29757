"""Runs a Python handler for butai's function engine.

Speaks the framed protocol of PROTOCOL.md on file descriptor 3. One source
serves Python 2.7 and every 3.x, because what differs is small: the shape of
the error JSON, and bytes against text.
"""
import json
import os
import re
import struct
import sys
import time
from fcntl import ioctl, fcntl, F_SETFD, FD_CLOEXEC

PY2 = sys.version_info[0] == 2
CHANNEL = 3
HEADER = struct.Struct(">IB")
INVOKE = struct.Struct(">QHHHI")
TYPE_LENGTH = struct.Struct(">H")
ANSWER = struct.Struct(">IBBI")
PACKET = 16384  # the most that either side puts into one packet
SERIAL = sys.platform.startswith("linux")  # elsewhere packets aren't kept apart
FIONREAD = 0x541B  # of Linux: how much there is to read
COUNT = struct.Struct("=I")
MARK = b"\0end of %s\0"
LONGEST = 0xffffffff

clock = getattr(time, "perf_counter", time.time)

# Since Python 3.12 Lambda writes responses as plain UTF-8; older runtimes
# escape everything beyond ASCII.
ASCII_ONLY = sys.version_info < (3, 12)
# Runtimes up to 3.8 put no requestId into their error JSON.
WITH_REQUEST_ID = sys.version_info >= (3, 9)


class Fault(Exception):
    """A failure that the runtime itself names (errorType Runtime.*)."""

    def __init__(self, kind, message, trace=None):
        Exception.__init__(self, message)
        self.kind, self.message, self.trace = kind, message, trace


# --- frames -----------------------------------------------------------------

def read_frame():
    """Returns one whole frame, or None at the end."""
    data = os.read(CHANNEL, PACKET)
    if len(data) < 5:
        return None
    missing = HEADER.unpack_from(data)[0] + 4 - len(data)
    if missing > 0:
        parts = [data]
        while missing > 0:
            part = os.read(CHANNEL, PACKET)
            if not part:
                return None
            parts.append(part)
            missing -= len(part)
        data = b"".join(parts)
    return data


def write_packets(data):
    if len(data) <= PACKET:
        os.write(CHANNEL, data)
        return
    done = 0
    while done < len(data):
        done += os.write(CHANNEL, data[done:done + PACKET])


def write_frame(kind, body):
    write_packets(HEADER.pack(len(body) + 1, ord(kind)) + body)


def write_answer(kind, body, begun):
    """Writes an invocation's answer. If there is anything to read in the log,
    it marks where the invocation's part of it ends, because the next one may
    write there before anybody has read this."""
    took = min(int((clock() - begun) * 1e6), LONGEST)
    flush_log()
    if not SERIAL:
        write_frame(kind, body)
        return
    marked = 0
    try:
        if COUNT.unpack(ioctl(1, FIONREAD, b"\0\0\0\0"))[0]:
            os.write(1, MARK % current_request[0].encode("ascii"))
            marked = 1
    except Exception:
        pass  # the handler has closed it
    write_packets(ANSWER.pack(len(body) + 6, ord(kind), marked, max(took, 1)) + body)


def error_body(error):
    name = encode_text(error.get("errorType", ""))
    return TYPE_LENGTH.pack(len(name)) + name + encode_text(to_json(error))


def encode_text(text):
    return text.encode("utf-8") if not isinstance(text, bytes) else text


# --- JSON -------------------------------------------------------------------

# Lambda writes a Decimal as the number it is. The standard encoder can't emit
# a raw token, so it emits a marked string whose quotes are taken off again.
DECIMAL_MARK = "\x00butai-decimal\x00"
DECIMAL_TOKEN = re.compile(r'"\\u0000butai-decimal\\u0000([^"]*)"')
decimals_seen = []


def encode_unknown(value):
    decimal = sys.modules.get("decimal")
    if decimal is not None and isinstance(value, decimal.Decimal):
        decimals_seen.append(1)
        return DECIMAL_MARK + str(value)
    if PY2:
        raise TypeError(repr(value) + " is not JSON serializable")
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


encode_json = json.JSONEncoder(ensure_ascii=ASCII_ONLY, default=encode_unknown).encode


def to_json(value):
    text = encode_json(value)
    if decimals_seen:
        del decimals_seen[:]
        text = DECIMAL_TOKEN.sub(r"\1", text)
    return text


def marshal(result):
    if not PY2 and isinstance(result, bytes):
        return result
    try:
        return encode_text(to_json(result))
    except Exception as e:
        del decimals_seen[:]
        if PY2:
            raise
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % e)


decode_json = json.JSONDecoder().raw_decode


def unmarshal(payload):
    try:
        text = payload.decode("utf-8")
        try:
            value, end = decode_json(text)  # json.loads, but for spaces around it
            if end == len(text):
                return value
        except ValueError:
            pass
        return json.loads(text)
    except Exception as e:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % e)


# --- errors -----------------------------------------------------------------

def make_error(message, kind, trace, request_id):
    # Key order is part of the wire shape, hence pairs and an ordered mapping.
    if PY2:
        pairs = [("errorMessage", message)]
        if trace:
            pairs.append(("stackTrace", trace))
        pairs.append(("errorType", kind))
        from collections import OrderedDict
        return OrderedDict(pairs)
    error = {"errorMessage": message, "errorType": kind}
    if WITH_REQUEST_ID:
        error["requestId"] = request_id
    error["stackTrace"] = trace or []
    return error


def describe(value):
    """str(value), which in Python 2 fails on unicode messages."""
    try:
        return str(value)
    except UnicodeError:
        return unicode(value)  # noqa: F821 (Python 2 only)


def current_error(request_id):
    import traceback
    kind, value, tb = sys.exc_info()
    frames = traceback.extract_tb(tb)
    own = __file__
    skip = 0
    while skip < len(frames) and frames[skip][0] == own:
        skip += 1
    frames = frames[skip:] if skip < len(frames) else frames
    # Plain tuples, as Lambda's runtimes pass them: no marks below the source line.
    trace = [list(f) for f in frames] if PY2 else traceback.format_list([tuple(f) for f in frames])
    return make_error(describe(value), kind.__name__, trace, request_id)


def log_error(error):
    """Writes an error as one log event, which ends without a line's end."""
    if LOG_JSON:
        record = {"timestamp": timestamp(), "log_level": "ERROR"}
        record.update(error)
        write_log(to_json(record) + "\n")
        return
    lines = ["[ERROR] %s: %s" % (error["errorType"], error["errorMessage"])]
    trace = error.get("stackTrace")
    if trace is not None:
        lines.append("Traceback (most recent call last):")
        for entry in trace:
            if PY2:
                entry = u'  File "%s", line %d, in %s\n    %s' % tuple(entry)
            for line in entry.splitlines():
                body = line.lstrip(" ")
                lines.append(u"\xa0" * (len(line) - len(body)) + body)
    write_message(u"\n".join(to_unicode(line) for line in lines))


def to_unicode(text):
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def write_message(text):
    """Writes a text as one log event, whatever lines it has (PROTOCOL.md)."""
    text = to_unicode(text)
    end = u"\n" if text.endswith(u"\n") else u"\0\n"
    write_log((text[:-1] if end == u"\n" else text).replace(u"\n", u"\0\r") + end)


def write_log(text):
    flush_log()
    data = encode_text(text)
    while data:
        data = data[os.write(1, data):]


def flush_log():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # the handler may have closed or replaced it


def timestamp():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


# --- logging ----------------------------------------------------------------

LOG_JSON = False  # set by read_environment
current_request = [None]


def set_up_logging():
    import logging

    class Handler(logging.Handler):
        def emit(self, record):
            write_message(self.format(record))

    class RequestFilter(logging.Filter):
        def filter(self, record):
            record.aws_request_id = current_request[0]
            return True

    # What every record has; the rest has come with a call's "extra".
    usual = set(vars(logging.LogRecord("", 0, "", 0, "", (), None))) - set(["taskName"])
    usual.add("aws_request_id")

    class JsonFormatter(logging.Formatter):
        def format(self, record):
            second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            entry = {
                "timestamp": "%s.%03dZ" % (second, record.msecs),
                "level": record.levelname,
                "message": record.getMessage(),
                "logger": record.name,
            }
            if record.exc_info:
                import traceback
                entry["stackTrace"] = traceback.format_tb(record.exc_info[2])
                entry["errorType"] = record.exc_info[0].__name__
                entry["errorMessage"] = str(record.exc_info[1])
            if record.aws_request_id:
                entry["requestId"] = record.aws_request_id
            if record.exc_info:
                entry["location"] = "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
            for name, value in vars(record).items():
                if name not in usual and name not in entry and value is not None:
                    entry[name] = value
            return to_json(entry) + "\n"

    logging.Formatter.converter = time.gmtime
    logging.raiseExceptions = False  # what a broken log call does on Lambda: nothing
    handler = Handler()
    if LOG_JSON:
        handler.setFormatter(JsonFormatter())
        logging.root.setLevel(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO").replace("TRACE", "NOTSET"))
    else:
        handler.setFormatter(logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s\n",
            "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(RequestFilter())
    logging.root.addHandler(handler)


def set_up_streams():
    """Makes each printed line one write, so that lines reach the log whole."""
    if PY2:
        sys.stdout = os.fdopen(1, "w", 1)
        sys.stderr = os.fdopen(2, "w", 1)
    else:
        sys.stdout.reconfigure(line_buffering=True)
        sys.stderr.reconfigure(line_buffering=True)


# --- the context object -----------------------------------------------------

class Record(object):
    """A bag of attributes; absent ones read as None."""

    def __init__(self, names, values):
        for name in names:
            setattr(self, name, values.get(name))

    def __repr__(self):
        inner = ",".join("%s=%s" % item for item in sorted(self.__dict__.items()))
        return "%s([%s])" % (type(self).__name__, inner)


class Client(Record):
    pass


class ClientContext(Record):
    pass


class CognitoIdentity(Record):
    pass


NO_IDENTITY = CognitoIdentity(("cognito_identity_id", "cognito_identity_pool_id"), {})

CLIENT_FIELDS = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


def client_context(text):
    if not text:
        return None
    raw = unmarshal(text)
    context = ClientContext(("custom", "env"), raw)
    context.client = Client(CLIENT_FIELDS, raw["client"]) if raw.get("client") else None
    return context


class LambdaContext(object):
    """What a handler gets as its second argument ("Lambda context object in Python")."""

    tenant_id = None  # read_environment sets the others that all calls share

    def __init__(self, request_id, arn, deadline, client):
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.client_context = client
        self.identity = NO_IDENTITY
        self._epoch_deadline_time_in_ms = deadline

    def get_remaining_time_in_millis(self):
        left = self._epoch_deadline_time_in_ms - int(time.time() * 1000)
        return left if left > 0 else 0

    def log(self, message):
        write_log(message if isinstance(message, bytes) or hasattr(message, "encode") else str(message))

    def __repr__(self):
        return "LambdaContext([aws_request_id=%s,log_group_name=%s,log_stream_name=%s,function_name=%s," \
               "memory_limit_in_mb=%s,function_version=%s,invoked_function_arn=%s,client_context=%s,identity=%s])" % (
                   self.aws_request_id, self.log_group_name, self.log_stream_name, self.function_name,
                   self.memory_limit_in_mb, self.function_version, self.invoked_function_arn,
                   self.client_context, self.identity)


# --- the handler ------------------------------------------------------------

def load_handler(name):
    """Imports "pkg/module.function" and returns the function."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as e:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, e))
    module_name = module_name.replace("/", ".")
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict",
                    "Cannot use built-in module %s as a handler module" % module_name)
    import importlib
    try:
        module = importlib.import_module(module_name)
    except ImportError as e:
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, e))
    except SyntaxError as e:
        raise Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, e),
                    [[e.filename, e.lineno, "<module>", e.text]] if PY2 else
                    ['  File "%s" Line %s\n    %s\n' % (e.filename, e.lineno, e.text)])
    if not hasattr(module, function_name):
        raise Fault("Runtime.HandlerNotFound",
                    "Handler '%s' missing on module '%s'" % (function_name, module_name))
    return getattr(module, function_name)


def set_up_path():
    """Orders sys.path as Lambda does: code, layers, runtime, library, SDK last."""
    version = "python%d.%d" % sys.version_info[:2]
    if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]
    opt = os.environ.get("BUTAI_OPT", "/opt")
    front = [os.environ["LAMBDA_TASK_ROOT"], opt + "/python/lib/" + version + "/site-packages", opt + "/python"]
    sys.path[:0] = front
    sdk = os.path.join(os.environ["LAMBDA_RUNTIME_DIR"], "sdk")
    if os.path.isdir(sdk):
        sys.path.append(sdk)


def restore_site():
    """Adds the builtins that the site module provides. The interpreter starts
    with -S, because the host's site-packages are not the function's business."""
    if PY2:
        import __builtin__  # importing site itself would search paths in Python 2
        __builtin__.exit = __builtin__.quit = sys.exit
        return
    import site
    site.setquit()
    site.setcopyright()


TRACE = "_X_AMZN_TRACE_ID"
TRACE_BYTES = TRACE.encode("ascii")
CHILDREN = frozenset(["os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"])
trace_due = []  # not empty if the C library doesn't know the current trace id


def set_trace(value):
    """Sets the variable that holds the invocation's trace id. The C library
    never forgets a value that a variable has had, which at thousands of calls
    a second fills the memory, so it learns this one when a child process may
    inherit it."""
    variables = getattr(os.environ, "_data", None)
    if not AUDITED or variables is None:
        os.environ[TRACE] = value.decode("ascii") if not PY2 else value
        return
    variables[TRACE_BYTES] = value
    if not trace_due:
        trace_due.append(1)


def pass_trace_on(event, _):
    """An audit hook: runs before a child process is made."""
    if trace_due and event in CHILDREN:
        del trace_due[:]
        value = os.environ.get(TRACE)
        if value is not None:
            os.putenv(TRACE, value)


# Older interpreters keep what they set themselves, and let go of what it was.
AUDITED = sys.version_info >= (3, 9)
if AUDITED:
    sys.addaudithook(pass_trace_on)


def invoke(handler, data):
    """Runs one invocation and writes its answer."""
    begun = clock()
    deadline, id_len, arn_len, trace_len, client_len = INVOKE.unpack_from(data, 5)
    start = 5 + INVOKE.size
    end = start + id_len
    request_id = data[start:end].decode("ascii")
    start, end = end, end + arn_len
    arn = data[start:end].decode("utf-8")
    start, end = end, end + trace_len
    if trace_len:
        set_trace(data[start:end])
    start, end = end, end + client_len
    current_request[0] = request_id
    try:
        context = LambdaContext(request_id, arn, deadline, client_context(data[start:end]) if client_len else None)
        answer = marshal(handler(unmarshal(data[end:]), context))
    except Fault as e:
        error = make_error(e.message, e.kind, e.trace, request_id)
    except Exception:
        error = current_error(request_id)
    else:
        write_answer("R", answer, begun)
        return
    log_error(error)
    write_answer("E", error_body(error), begun)


def init():
    """Loads the handler; on failure tells the engine and ends the process."""
    try:
        return load_handler(os.environ["_HANDLER"])
    except Fault as e:
        error = make_error(e.message, e.kind, e.trace, "")
    except Exception:
        error = current_error("")
    log_error(error)
    write_frame("F", error_body(error))
    sys.exit(1)


# --- SnapStart --------------------------------------------------------------

before_snapshot, after_restore = [], []


def offer_hooks():
    """Provides the module that Lambda's runtimes since 3.12 come with."""
    if sys.version_info < (3, 12):
        return
    module = type(sys)("snapshot_restore_py", "Registers what runs before a snapshot and after a restore.")

    def register_before_snapshot(func, *args, **kwargs):
        before_snapshot.append((func, args, kwargs))
        return func

    def register_after_restore(func, *args, **kwargs):
        after_restore.append((func, args, kwargs))
        return func

    module.register_before_snapshot = register_before_snapshot
    module.register_after_restore = register_after_restore
    module.get_before_snapshot = lambda: before_snapshot
    module.get_after_restore = lambda: after_restore
    sys.modules[module.__name__] = module


def run_hooks(hooks, kind, status):
    """Runs hooks; if one fails, tells the engine and ends the process."""
    try:
        for func, args, kwargs in hooks:
            func(*args, **kwargs)
    except Exception:
        error = current_error("")
    else:
        return
    log_error(error)
    name = kind.encode("ascii")
    write_frame("F", TYPE_LENGTH.pack(len(name)) + name + encode_text(to_json(error)))
    sys.exit(status)


def snapshot_hooks():
    """Runs the hooks before a snapshot, and tells whether there are any for after it."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return 0
    run_hooks(before_snapshot[::-1], "Runtime.BeforeSnapshotError", 64)
    return 2 if after_restore else 0


def read_environment():
    """Takes from the environment what concerns the bootstrap itself."""
    global LOG_JSON
    if os.environ.pop("BUTAI_CTYPE", None):
        os.environ.pop("LC_CTYPE", None)
    LOG_JSON = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
    LambdaContext.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
    LambdaContext.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
    LambdaContext.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    LambdaContext.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    LambdaContext.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")


# --- booting without a function ---------------------------------------------

def await_function():
    """Boots as far as one can without a function, and takes one on."""
    preload = os.environ.get("BUTAI_PRELOAD")
    before = list(sys.path)
    set_up_path()
    import importlib
    import logging  # noqa: F401
    import traceback  # noqa: F401
    try:
        rehearse(importlib)
        if preload:
            importlib.import_module(preload)
    except Exception:
        pass  # then it takes its time later
    sys.path[:] = before
    write_frame("S", b"")
    frame = read_frame()
    if frame is None:
        sys.exit(0)
    environment = json.loads(frame[5:].decode("utf-8"))
    os.environ.clear()
    for name, value in environment.items():
        if PY2:
            name, value = name.encode("utf-8"), value.encode("utf-8")
        os.environ[name] = value
    os.chdir(os.environ["LAMBDA_TASK_ROOT"])
    for path in list(sys.path_importer_cache):
        if path.startswith(("/var/task", "/opt", "/tmp")):
            del sys.path_importer_cache[path]  # what it knows is from before
    re_seed()


def rehearse(importlib):
    """Imports and calls a handler of its own, which loads and warms up what
    every function needs, and leaves nothing behind."""
    name = "butai_rehearsal"
    source = "/tmp/" + name + ".py"
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    with open(source, "w") as f:
        f.write("def handler(event, context):\n    return {'id': event['id'], 'list': [1, 2.5, None, True]}\n")
    sys.path.insert(0, "/tmp")
    try:
        handler = load_handler(name + ".handler")
        context = LambdaContext("", "", 0, None)
        for _ in range(3):
            marshal(handler(unmarshal(b'{"id": "ada", "n": 1}'), context))
    finally:
        sys.path.remove("/tmp")
        sys.modules.pop(name, None)
        os.remove(source)
        sys.dont_write_bytecode = writes


def re_seed():
    random = sys.modules.get("random")
    if random is not None:
        random.seed()


def main():
    fcntl(CHANNEL, F_SETFD, FD_CLOEXEC)
    restore_site()
    offer_hooks()
    if os.environ.get("BUTAI_SPARE"):
        await_function()
    read_environment()
    set_up_path()
    set_up_streams()
    set_up_logging()
    handler = init()
    flags = bytearray([SERIAL | snapshot_hooks()])
    flush_log()
    write_frame("K", bytes(flags))
    if flags[0] & 2:
        if read_frame() is None:
            return
        run_hooks(after_restore, "Runtime.AfterRestoreError", 65)
        flush_log()
        write_frame("K", bytes(flags))
    while True:
        frame = read_frame()
        if frame is None:
            return
        invoke(handler, frame)


if __name__ == "__main__":
    main()
