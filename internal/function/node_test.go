package function

import (
	"strings"
	"testing"
)

func (r rig) node(t *testing.T, file, code string) *Spec {
	t.Helper()
	spec := r.function(t, "nodejs20.x", "index.handler", map[string]string{file: code})
	spec.MemoryMB = 256
	return spec
}

func TestNodeHandlers(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	tests := []struct {
		name, file, code, payload string
		failed                    bool
	}{
		{"async", "index.js", `exports.handler = async (e) => ({ n: e.n + 1 });`, `{"n":3}`, false},
		{"callback", "index.js", `exports.handler = (e, c, cb) => setTimeout(() => cb(null, e.n), 5);`, `2`, false},
		{"callback not waiting", "index.js", `exports.handler = (e, c, cb) => { c.callbackWaitsForEmptyEventLoop = false; setTimeout(() => {}, 60000); cb(null, 'now'); };`, `"now"`, false},
		{"callback waits for the loop", "index.js", `exports.handler = (e, c, cb) => { const o = {}; setTimeout(() => { o.late = true }, 20); cb(null, o); };`, `{"late":true}`, false},
		{"callback forgotten", "index.js", `exports.handler = (e, c, cb) => {};`, `null`, false},
		{"nothing returned", "index.js", `exports.handler = async () => {};`, `null`, false},
		{"ES module", "index.mjs", `import fs from 'node:fs'; export const handler = async (e) => typeof fs.readFileSync;`, `"function"`, false},
		{"common module", "index.cjs", `exports.handler = async () => 'cjs';`, `"cjs"`, false},
		{"streaming", "index.mjs", `export const handler = awslambda.streamifyResponse(async (e, out) => { out.write('a'); out.write('b'); out.end(); });`, `ab`, false},
		{"succeed", "index.js", `exports.handler = (e, c) => c.succeed(e.n);`, `2`, false},
		{"thrown string", "index.js", `exports.handler = async () => { throw 'plain'; };`, `{"errorType":"string","errorMessage":"plain","trace":[]}`, true},
		{"callback error", "index.js", `exports.handler = (e, c, cb) => cb('bad');`, `{"errorType":"string","errorMessage":"bad","trace":[]}`, true},
		{"unprintable", "index.js", `exports.handler = async () => ({ a: 1n });`, `"errorMessage":"Unable to stringify response body"`, true},
		{"never settles", "index.js", `exports.handler = async () => { await new Promise(() => {}); };`, `"errorType":"Runtime.NodeJsExit"`, true},
		{"unhandled rejection", "index.js", `exports.handler = (e, c, cb) => { Promise.reject(new Error('lost')); };`, `{"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"Error: lost","trace":["Runtime.UnhandledPromiseRejection: Error: lost",`, true},
		{"uncaught", "index.js", `exports.handler = (e, c, cb) => { setTimeout(() => { throw new TypeError('late') }, 1); };`, `{"errorType":"TypeError","errorMessage":"late","trace":["TypeError: late",`, true},
		{"thrown", "index.js", `exports.handler = async () => { throw new RangeError('boom'); };`, `{"errorType":"RangeError","errorMessage":"boom","trace":["RangeError: boom","    at exports.handler (/var/task/index.js:1:`, true},
		{"no export", "index.js", `exports.other = 1;`, `{"errorType":"Runtime.HandlerNotFound","errorMessage":"index.handler is undefined or not exported",`, true},
		{"no module", "other.js", ``, `{"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module 'index'`, true},
		{"syntax", "index.js", `exports.handler = async ( => {};`, `{"errorType":"Runtime.UserCodeSyntaxError","errorMessage":"SyntaxError: Unexpected token '=>'"`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := r.call(t, r.node(t, tt.file, tt.code), `{"n":2}`)
			want(t, "failed", res.FunctionError == "Unhandled", tt.failed)
			if got := string(res.Payload); got != tt.payload && !(tt.failed && strings.Contains(got, tt.payload)) {
				t.Errorf("payload %s, want %s\nlog: %s", got, tt.payload, res.LogTail)
			}
		})
	}
}

func TestNodeConsoleAndContext(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.node(t, "index.js", `
exports.handler = async (event, context) => {
  console.log('one\ntwo', { a: 1 });
  console.error('bad');
  process.stdout.write('raw\n');
  return [context.functionName, context.memoryLimitInMB, context.invokedFunctionArn, context.awsRequestId.length,
    context.getRemainingTimeInMillis() > 2000, process.env.AWS_EXECUTION_ENV, process.env.NODE_PATH];
};`)
	res := r.call(t, spec, `{}`)
	want(t, "context", string(res.Payload), `["demo","256","`+spec.ARN+`",36,true,"AWS_Lambda_nodejs20.x","/opt/nodejs/node20/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"]`)
	for _, line := range []string{"\tINFO\tone\ntwo { a: 1 }\n", "\tERROR\tbad\n", "\nraw\n"} {
		if !strings.Contains(string(res.LogTail), line) {
			t.Errorf("log lacks %q: %q", line, res.LogTail)
		}
	}
}

// TestNodeSurvivesFailures checks that a sandbox goes on after a handled error
// and is replaced after a fatal one.
func TestNodeSurvivesFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.node(t, "index.js", `
let calls = 0;
exports.handler = (event, context, callback) => {
  calls++;
  if (event.throw) throw new Error('handled');
  if (event.die) setTimeout(() => { throw new Error('dead') }, 1);
  else callback(null, calls);
};`)
	want(t, "first", string(r.call(t, spec, `{}`).Payload), "1")
	want(t, "error", r.call(t, spec, `{"throw":true}`).FunctionError, "Unhandled")
	want(t, "after an error", string(r.call(t, spec, `{}`).Payload), "3")
	want(t, "death", r.call(t, spec, `{"die":true}`).FunctionError, "Unhandled")
	fresh := r.call(t, spec, `{}`)
	want(t, "after death", string(fresh.Payload), "1")
	want(t, "cold start after death", fresh.ColdStart, true)
}

// TestNodeFirstResultCounts checks handlers that speak twice: by a callback
// and then by their promise, or by an exception. Claudia's API builder returns
// a promise of nothing after context.done.
func TestNodeFirstResultCounts(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.node(t, "index.js", `
const handlers = {
  done: (context) => Promise.resolve().then(() => context.done(null, 'said')),
  failed: (context) => Promise.resolve().then(() => context.done(new Error('said'))),
  callback: async (context, callback) => { callback(null, 'said'); return 'unsaid'; },
  rejects: async (context, callback) => { callback(null, 'said'); throw new Error('unsaid'); },
  throws: (context, callback) => { callback(null, 'said'); throw new Error('unsaid'); },
  waiting: (context) => { setInterval(() => {}, 1000); context.done(null, 'said'); },
  failing: (context, callback) => { setInterval(() => {}, 1000); callback(new Error('said')); },
};
exports.handler = (event, context, callback) => handlers[event](context, callback);`)
	for _, name := range []string{"done", "callback", "rejects", "throws", "waiting"} {
		res := r.call(t, spec, `"`+name+`"`)
		want(t, name, string(res.Payload), `"said"`)
		want(t, name+" fails", res.FunctionError, "")
	}
	for _, name := range []string{"failed", "failing"} {
		res := r.call(t, spec, `"`+name+`"`)
		want(t, name+" fails", res.FunctionError, "Unhandled")
		want(t, name, strings.Contains(string(res.Payload), `"errorMessage":"said"`), true)
	}
}
