// Runs a Node.js handler for butai's function engine. It speaks the framed
// protocol of PROTOCOL.md on file descriptor 3, with blocking reads: between
// invocations AWS freezes the environment, and so does this, unless there are
// extensions.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const util = require('node:util');
const { Writable } = require('node:stream');
const { pathToFileURL } = require('node:url');

const CHANNEL = 3;
const FRAME_HEAD = 5;
const INVOKE_HEAD = 18;
const ATTENDED = 'V'.charCodeAt(0);
const WANTS_ATTENDED = 4;
const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

// --- frames -----------------------------------------------------------------

// Where frames come from and go to, and the log: elsewhere while it rehearses.
const fds = { in: CHANNEL, out: CHANNEL, log: 1 };

let input = Buffer.allocUnsafe(65536);

// readFrame blocks until a whole frame is in `input` and returns its end, or 0
// when the engine has closed its side.
function readFrame() {
  let have = 0;
  let want = FRAME_HEAD;
  while (have < want) {
    const n = fs.readSync(fds.in, input, have, input.length - have, null);
    if (n === 0) return 0;
    have += n;
    if (want === FRAME_HEAD && have >= FRAME_HEAD) {
      want = input.readUInt32BE(0) + 4;
      if (want > input.length) {
        const larger = Buffer.allocUnsafe(want);
        input.copy(larger, 0, 0, have);
        input = larger;
      }
    }
  }
  if (have > want) received = Buffer.from(input.subarray(want, have)); // only ever after ATTENDED
  return want;
}

// --- the event loop -----------------------------------------------------------

// attended is the channel as a stream, once the engine has said that there are
// extensions: then the loop goes on between calls, for handlers of signals and
// extensions that live in it. The stream keeps it alive only then, because the
// end of the loop ends calls.
let attended;
let received = Buffer.alloc(0);
let waiting = false;

function attend() {
  attended = new (require('node:net').Socket)({ fd: fds.in, readable: true, writable: false });
  attended.on('data', (data) => {
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    deliver();
  });
  for (const end of ['end', 'error']) attended.on(end, () => atEnd());
}

// deliver starts the next invocation if it is there and wanted.
function deliver() {
  if (!waiting || received.length < FRAME_HEAD) return;
  const end = received.readUInt32BE(0) + 4;
  if (received.length < end) return;
  waiting = false;
  attended.unref();
  input = Buffer.from(received.subarray(0, end));
  received = received.subarray(end);
  begin(end);
}

function writeAll(fd, data) {
  let done = 0;
  while (done < data.length) {
    try {
      done += fs.writeSync(fd, data, done);
    } catch (e) {
      // process.stdout makes the log pipe non-blocking; a full one drains soon.
      if (e.code !== 'EAGAIN') throw e;
    }
  }
}

function writeFrame(kind, body) {
  const length = Buffer.isBuffer(body) ? body.length : Buffer.byteLength(body);
  const frame = Buffer.allocUnsafe(FRAME_HEAD + length);
  frame.writeUInt32BE(length + 1, 0);
  frame[4] = kind.charCodeAt(0);
  if (Buffer.isBuffer(body)) body.copy(frame, FRAME_HEAD);
  else frame.write(body, FRAME_HEAD);
  writeAll(fds.out, frame);
}

function writeError(kind, error) {
  const type = Buffer.from(String(error.errorType ?? ''));
  const size = Buffer.alloc(2);
  size.writeUInt16BE(type.length);
  writeFrame(kind, Buffer.concat([size, type, Buffer.from(JSON.stringify(error))]));
}

// --- errors -----------------------------------------------------------------

// RuntimeError is a failure that the runtime itself names.
class RuntimeError extends Error {
  constructor(type, reason) {
    super(String(reason));
    this.name = `Runtime.${type}`;
    this.stack = this.stack.replace(/^Error/, this.name);
  }
}

function isError(value) {
  return util.types.isNativeError(value) ||
    (value && value.name && value.message && value.stack && typeof value === 'object');
}

// describe gives the payload of an error, in Lambda's key order for Node.js.
function describe(error) {
  try {
    if (isError(error)) {
      return { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
    };
  }
}

// logged is an error as the log shows it: own properties, and the stack last.
function logged(error) {
  if (!isError(error)) return JSON.stringify(error);
  const shown = { errorType: error.name ?? 'UnknownError', errorMessage: error.message, ...error };
  shown.stack = typeof error.stack === 'string' ? error.stack.split('\n') : error.stack;
  try {
    return JSON.stringify(shown, (_, v) => (v instanceof Promise ? {} : isError(v) ? logPart(v) : v));
  } catch {
    return JSON.stringify({ errorType: shown.errorType, errorMessage: shown.errorMessage, stack: shown.stack });
  }
}

function logPart(error) {
  return { errorType: error.name, errorMessage: error.message, ...error, stack: String(error.stack).split('\n') };
}

function logError(title, error) {
  if (LOG_JSON) writeLog('ERROR', title, logPartOrValue(error));
  else writeLog('ERROR', `${title} \t${logged(error)}`);
}

function logPartOrValue(error) {
  return isError(error) ? logPart(error) : error;
}

// --- the log ----------------------------------------------------------------

let LOG_JSON = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
let requestId;

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

function writeLog(level, ...args) {
  const time = new Date().toISOString();
  if (LOG_JSON) {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL)) return;
    const entry = { timestamp: time, level, requestId };
    if (args.length === 1 && typeof args[0] === 'object' && args[0] !== null && !isError(args[0])) entry.message = args[0];
    else entry.message = util.format(...args);
    const error = args.find(isError);
    if (error) Object.assign(entry, { errorType: error.name, errorMessage: error.message, stackTrace: String(error.stack).split('\n') });
    writeAll(fds.log, Buffer.from(JSON.stringify(entry) + '\n'));
    return;
  }
  // One message is one log event, whatever lines it has (PROTOCOL.md).
  const text = util.format(...args).replace(/\n/g, '\0\r');
  writeAll(fds.log, Buffer.from(`${time}\t${requestId}\t${level}\t${text}\n`));
}

function patchConsole() {
  const levels = { log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', debug: 'DEBUG', trace: 'TRACE', fatal: 'FATAL' };
  for (const [method, level] of Object.entries(levels)) {
    console[method] = (...args) => writeLog(level, ...args);
  }
}

// --- the handler ------------------------------------------------------------

function tryFile(base, extension) {
  const file = base + extension;
  return fs.existsSync(file) && fs.statSync(file).isFile() ? file : undefined;
}

// inModuleScope tells whether .js files at dir are ES modules.
function inModuleScope(dir) {
  for (;;) {
    const manifest = path.join(dir, 'package.json');
    if (fs.existsSync(manifest)) {
      try {
        return JSON.parse(fs.readFileSync(manifest, 'utf8')).type === 'module';
      } catch {
        return false;
      }
    }
    const parent = path.dirname(dir);
    if (parent === dir) return false;
    dir = parent;
  }
}

async function loadModule(root, name) {
  const base = path.resolve(root, name);
  const plain = tryFile(base, '');
  if (plain) return require(plain);
  const script = tryFile(base, '.js');
  if (script) return inModuleScope(path.dirname(script)) ? import(pathToFileURL(script).href) : require(script);
  const module = tryFile(base, '.mjs');
  if (module) return import(pathToFileURL(module).href);
  const common = tryFile(base, '.cjs');
  if (common) return require(common);
  return require(require.resolve(name, { paths: [root, path.dirname(base)] }));
}

// loadHandler resolves "[folder/]file.export[.member]".
async function loadHandler(root, name) {
  if (name.includes('..')) {
    throw new RuntimeError('MalformedHandlerName', `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const file = path.basename(name);
  const dot = file.indexOf('.');
  if (dot <= 0 || dot === file.length - 1) throw new RuntimeError('MalformedHandlerName', 'Bad handler');
  const module = path.join(path.dirname(name), file.slice(0, dot));
  let loaded;
  try {
    loaded = await loadModule(root, module);
  } catch (e) {
    if (e instanceof SyntaxError) throw new RuntimeError('UserCodeSyntaxError', e);
    if (e && (e.code === 'MODULE_NOT_FOUND' || e.code === 'ERR_MODULE_NOT_FOUND')) throw new RuntimeError('ImportModuleError', e);
    throw e;
  }
  const handler = file.slice(dot + 1).split('.').reduce((value, key) => value && value[key], loaded);
  if (!handler) throw new RuntimeError('HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw new RuntimeError('HandlerNotFound', `${name} is not a function`);
  // From Node.js 24 on, Lambda runs no callback handlers.
  if (Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV)?.[1]) >= 24 && handler.length >= 3 && !handler[STREAMING]) {
    throw new RuntimeError('CallbackHandlerDeprecated', 'AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. Change the handler to an async function.');
  }
  return handler;
}

// --- response streaming -----------------------------------------------------

const CHUNK = 8192; // what fits into one packet of the channel

class ResponseStream extends Writable {
  setContentType(type) {
    this.contentType = type;
  }

  _write(chunk, encoding, done) {
    const data = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk, encoding);
    this.begin();
    for (let at = 0; at < data.length; at += CHUNK) writeFrame('C', data.subarray(at, at + CHUNK));
    done();
  }

  // begin tells the media type, once.
  begin() {
    if (!this.begun) writeFrame('T', this.contentType ?? 'application/octet-stream');
    this.begun = true;
  }
}

globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMING] = 'response';
    if (options?.highWaterMark !== undefined) handler[Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')] = Number(options.highWaterMark);
    return handler;
  },
  HttpResponseStream: class {
    static from(stream, metadata) {
      stream.setContentType('application/vnd.awslambda.http-integration-response');
      stream.write(Buffer.concat([Buffer.from(JSON.stringify(metadata)), Buffer.alloc(8)]));
      return stream;
    }
  },
};

// --- invocations ------------------------------------------------------------

const readEnvironment = () => ({
  functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
  functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
  memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
  logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
});

let environment;

let handler;
let current; // the invocation under way
const isAsyncFunction = (f) => f.constructor.name === 'AsyncFunction';

// The C library never forgets a value that a variable has had, which at
// thousands of calls a second fills the memory. So the variable that changes
// with each call is kept beside the others, for whoever looks at process.env.
const TRACE = '_X_AMZN_TRACE_ID';
let traceId;
const isTrace = (name) => name === TRACE && traceId !== undefined;
const plainEnv = process.env;

process.env = new Proxy(plainEnv, {
  get: (env, name) => (isTrace(name) ? traceId : env[name]),
  has: (env, name) => isTrace(name) || name in env,
  ownKeys: (env) => {
    const names = Reflect.ownKeys(env);
    return traceId === undefined || names.includes(TRACE) ? names : [...names, TRACE];
  },
  getOwnPropertyDescriptor: (env, name) => (isTrace(name)
    ? { value: traceId, writable: true, enumerable: true, configurable: true }
    : Reflect.getOwnPropertyDescriptor(env, name)),
  set: (env, name, value) => {
    if (name === TRACE) traceId = String(value);
    else env[name] = value;
    return true;
  },
  deleteProperty: (env, name) => {
    if (name === TRACE) traceId = undefined;
    return delete env[name];
  },
});
require('node:module').syncBuiltinESMExports(); // for import { env } from 'process'

class Invocation {
  constructor(end) {
    const deadline = Number(input.readBigUInt64BE(5));
    let at = FRAME_HEAD + INVOKE_HEAD;
    const text = (length) => input.toString('utf8', at, (at += length));
    const id = text(input.readUInt16BE(13));
    const arn = text(input.readUInt16BE(15));
    const trace = text(input.readUInt16BE(17));
    const client = text(input.readUInt32BE(19));
    if (trace) traceId = trace;
    this.id = id;
    this.payload = input.toString('utf8', at, end);
    this.answered = false;
    this.waitForLoop = true;
    this.context = this.makeContext(id, arn, client, deadline);
  }

  makeContext(id, arn, client, deadline) {
    const self = this;
    return {
      get callbackWaitsForEmptyEventLoop() { return self.waitForLoop; },
      set callbackWaitsForEmptyEventLoop(value) { self.waitForLoop = value; },
      ...environment,
      clientContext: client ? JSON.parse(client) : undefined,
      identity: undefined,
      invokedFunctionArn: arn,
      awsRequestId: id,
      getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
      succeed: (value) => this.settle(null, value, false),
      fail: (error) => this.settle(error ?? 'handled', undefined, false),
      done: (error, value) => this.settle(error, value, false),
    };
  }

  run() {
    let result;
    try {
      const event = JSON.parse(this.payload);
      if (handler[STREAMING]) {
        this.stream(event);
        return;
      }
      result = handler(event, this.context, (error, value) => this.settle(error, value, this.waitForLoop));
    } catch (e) {
      if (!this.settled) this.fail(e);
      return;
    }
    if (result && typeof result.then === 'function') {
      // What the handler has said by a callback counts, not how its promise ends.
      result.then((value) => this.settled || this.succeed(value), (e) => this.settled || this.fail(e));
    }
  }

  stream(event) {
    const out = new ResponseStream();
    const finished = new Promise((resolve, reject) => out.on('finish', resolve).on('error', reject));
    Promise.resolve(handler(event, out, this.context))
      .then(() => finished)
      .then(() => out.begin())
      .then(() => this.answer('R', ''), (e) => this.fail(e));
  }

  // settle takes a callback's result, of which the first counts. A value is sent
  // once the event loop is empty, unless it is not to wait for that; an error
  // never waits.
  settle(error, value, wait) {
    if (this.answered || this.settled) return;
    const failed = error !== undefined && error !== null;
    this.settled = () => (failed ? this.fail(error) : this.succeed(value));
    if (!wait || failed) setImmediate(this.settled);
  }

  succeed(value) {
    let body;
    try {
      body = JSON.stringify(value === undefined ? null : value);
    } catch {
      this.fail(new Error('Unable to stringify response body'));
      return;
    }
    this.answer('R', body ?? 'null');
  }

  fail(error) {
    if (this.answered) return;
    logError('Invoke Error', error);
    this.answer('E', describe(error));
  }

  answer(kind, body) {
    if (this.answered) return;
    this.answered = true;
    if (kind === 'R') writeFrame(kind, body);
    else writeError(kind, body);
    current = undefined;
    setImmediate(next);
  }

  // loopEmpty is called when nothing is left that could call back.
  loopEmpty() {
    if (this.settled) this.settled();
    else if (isAsyncFunction(handler)) {
      this.fail(new RuntimeError('NodeJsExit', 'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes'));
    } else this.succeed(null);
  }
}

let atEnd = () => process.exit(0);

function next() {
  if (attended) {
    waiting = true;
    attended.ref();
    deliver();
    return;
  }
  const end = readFrame();
  if (end === 0) {
    atEnd();
  } else if (input[FRAME_HEAD - 1] === ATTENDED) {
    attend();
    next();
  } else {
    begin(end);
  }
}

function begin(end) {
  current = new Invocation(end);
  requestId = current.id;
  current.run();
}

function fatal(title, error, code) {
  logError(title, error);
  if (current && !current.answered) writeError('X', describe(error));
  else if (!handler) writeError('F', describe(error));
  process.exit(code);
}

const loopEmpty = () => current && current.loopEmpty();

// awaitFunction boots as far as one can without a function, and takes one on.
async function awaitFunction() {
  await rehearse();
  writeFrame('S', '');
  const end = readFrame();
  if (end === 0) process.exit(0);
  takeOn(input.toString('utf8', FRAME_HEAD, end));
}

// takeOn makes a function's environment the process's.
function takeOn(environment) {
  const variables = JSON.parse(environment);
  const home = plainEnv.HOME;
  // Only what differs: to touch TZ makes ICU search through all time zones.
  for (const name of Object.keys(plainEnv)) if (!(name in variables)) delete plainEnv[name];
  for (const [name, value] of Object.entries(variables)) if (plainEnv[name] !== value) plainEnv[name] = value;
  LOG_JSON = plainEnv.AWS_LAMBDA_LOG_FORMAT === 'JSON';
  // NODE_PATH is what it was: a function that sets it starts afresh.
  if (plainEnv.HOME !== home) require('node:module')._initPaths();
}

const REHEARSALS = [
  ['butai-rehearsal-1.js', 'exports.handler = async (event) => { console.log(event); return { id: event.id }; };'],
  ['butai-rehearsal-2.mjs', 'export const handler = async (event) => ({ id: event.id });'],
  ['butai-rehearsal-3.js', 'exports.handler = (event, context) => { setTimeout(() => context.succeed({ id: event.id, left: context.getRemainingTimeInMillis() }), 1); };'],
];

// rehearse takes on, loads and calls functions of its own, which loads and warms
// up what every function needs, and leaves nothing behind.
async function rehearse() {
  const real = { ...fds };
  const frame = '/tmp/butai-rehearsal-frame';
  fs.writeFileSync(frame, rehearsalFrame());
  const own = JSON.stringify(plainEnv);
  takeOn(JSON.stringify({ ...plainEnv, BUTAI_REHEARSAL: '1' }));
  takeOn(own);
  fds.out = fds.log = fs.openSync('/dev/null', 'w');
  process.on('beforeExit', loopEmpty);
  for (const [name, text] of REHEARSALS) {
    const file = path.join('/tmp', name);
    fs.writeFileSync(file, text);
    handler = await loadHandler('/tmp', path.parse(name).name + '.handler');
    environment = readEnvironment();
    writeFrame('K', '');
    for (let n = 0; n < 3; n++) {
      fds.in = fs.openSync(frame);
      await new Promise((resolve) => {
        atEnd = resolve;
        next();
      });
      fs.closeSync(fds.in);
    }
    fs.unlinkSync(file);
    delete require.cache[file];
  }
  process.off('beforeExit', loopEmpty);
  fs.unlinkSync(frame);
  fs.closeSync(fds.out);
  Object.assign(fds, real);
  atEnd = () => process.exit(0);
  handler = environment = requestId = undefined;
}

// rehearsalFrame is an invocation as the engine writes it.
function rehearsalFrame() {
  const texts = ['00000000-0000-0000-0000-000000000000', 'arn', 'Root=1'];
  const body = Buffer.from(texts.join('') + '{"id": "ada", "n": [1, 2.5, null, true]}');
  const head = Buffer.alloc(FRAME_HEAD + INVOKE_HEAD);
  head.writeUInt32BE(1 + INVOKE_HEAD + body.length, 0);
  head[4] = 'I'.charCodeAt(0);
  texts.forEach((text, n) => head.writeUInt16BE(text.length, 13 + 2 * n));
  return Buffer.concat([head, body]);
}

async function main() {
  patchConsole();
  if (process.env.BUTAI_SPARE) await awaitFunction();
  environment = readEnvironment();
  process.on('uncaughtException', (e) => fatal('Uncaught Exception', e, EXIT_UNCAUGHT_EXCEPTION));
  process.on('unhandledRejection', (reason, promise) => {
    const error = new RuntimeError('UnhandledPromiseRejection', reason);
    error.reason = reason;
    error.promise = promise;
    fatal('Unhandled Promise Rejection', error, EXIT_UNHANDLED_REJECTION);
  });
  process.on('beforeExit', loopEmpty);
  process.chdir(process.env.LAMBDA_TASK_ROOT);
  try {
    handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  } catch (e) {
    fatal('Uncaught Exception', e, 1);
  }
  writeFrame('K', Buffer.from([WANTS_ATTENDED]));
  next();
}

main();
