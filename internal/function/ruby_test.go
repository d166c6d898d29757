package function

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/ident"
)

// rubyRig is a rig whose ruby3.3 is whatever Ruby the host has.
func rubyRig(t *testing.T, change func(*Config)) rig {
	t.Helper()
	path, err := exec.LookPath("ruby")
	if err != nil {
		t.Skip(err)
	}
	set, err := runtimes.Discover(t.Context(), map[string]string{"ruby3.3": path})
	if err != nil {
		t.Skip(err)
	}
	return newRig(t, func(c *Config) {
		c.Runtimes = set
		if change != nil {
			change(c)
		}
	})
}

func (r rig) ruby(t *testing.T, handler, code string) *Spec {
	t.Helper()
	spec := r.function(t, "ruby3.3", handler, map[string]string{"main.rb": code})
	spec.MemoryMB = 256
	return spec
}

const rubyHandlers = `
require 'stringio'
require 'logger'
def add(event:, context:) = { n: event['n'] + 1 }
def text(event:, context:) = "Ünï \u2713"
def nothing(event:, context:); end
def raw(event:, context:) = StringIO.new('not { json')
def broken(event:, context:)
  raise ArgumentError, 'bad'
end
def own_type(event:, context:)
  deeper { raise Class.new(RuntimeError) { def self.to_s = 'Mine' }, "x\u2713" }
end
def deeper
  yield
end
def missing_name(event:, context:) = undefined_thing
def overflow(event:, context:) = overflow(event: event, context: context)
def leave(event:, context:) = exit
def leave_hard(event:, context:) = exit!(3)
def endless(event:, context:) = { n: Float::NAN }
module Deep
  module Inner
    def self.call(event:, context:) = "inner #{event['n']}"
  end
end
class Handler
  def self.process(event:, context:) = name
end
def where(event:, context:)
  [context.function_name, context.memory_limit_in_mb, context.invoked_function_arn, context.aws_request_id.size, context.get_remaining_time_in_millis > 1000,
   context.deadline_ms.class, context.client_context, context.identity, ENV['AWS_EXECUTION_ENV'], ENV['GEM_PATH'], ENV['LC_CTYPE'], ENV['NAME'], ENV['NAME'].encoding,
   ENV.keys.grep(/BUTAI/), Dir.pwd, Encoding.default_external, $0, __FILE__]
end
`

func TestRubyHandlers(t *testing.T) {
	t.Parallel()
	r := rubyRig(t, nil)
	for _, tt := range []struct {
		handler, payload string
		failed           bool
	}{
		{"main.add", `{"n":3}`, false},
		{"main.text", `"Ünï ✓"`, false},
		{"main.nothing", `null`, false},
		{"main.raw", `not { json`, false},
		{"main.Handler.process", `"Handler"`, false},
		{"main.Deep::Inner.call", `"inner 2"`, false},
		{"main.broken", `{"errorMessage":"bad","errorType":"Function<ArgumentError>","stackTrace":["/var/task/main.rb:9:in ` + "`broken'" + `"]}`, true},
		{"main.own_type", `{"errorMessage":"x✓","errorType":"Function<Mine>","stackTrace":["/var/task/main.rb:12:in ` + "`block in own_type'\",\"/var/task/main.rb:15:in `deeper'\",\"/var/task/main.rb:12:in `own_type'" + `"]}`, true},
		{"main.endless", `"errorType":"Function<JSON::GeneratorError>"`, true},
		{"main.missing_name", `"errorType":"Function<NameError>"`, true},
		{"main.absent", `{"errorMessage":"undefined method ` + "`absent' for #<LambdaHandler:0x", true},
		{"main.No::Such.thing", `"errorType":"Function<NameError>"`, true},
		{"main.overflow", `{"errorMessage":"stack level too deep","errorType":"Function<SystemStackError>","stackTrace":["/var/task/main.rb:`, true},
		{"main.leave", `{"errorMessage":"exit","errorType":"Function<SystemExit>"`, true},
		{"main.leave_hard", `"errorType":"Runtime.ExitError"`, true},
		{"main", `{"errorMessage":"Invalid handler [\"main\"], must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where FILENAME`, true},
		{"absent.handler", `{"errorMessage":"cannot load such file -- absent","errorType":"Init<LoadError>","stackTrace":[`, true},
	} {
		t.Run(tt.handler, func(t *testing.T) {
			res := r.call(t, r.ruby(t, tt.handler, rubyHandlers), `{"n":2}`)
			want(t, "failed", res.FunctionError == "Unhandled", tt.failed)
			if got := string(res.Payload); got != tt.payload && !(tt.failed && strings.Contains(got, tt.payload)) {
				t.Errorf("payload %s, want %s\nlog: %s", got, tt.payload, res.LogTail)
			}
		})
	}
}

func TestRubyContext(t *testing.T) {
	t.Parallel()
	r := rubyRig(t, nil)
	spec := r.ruby(t, "main.where", rubyHandlers)
	spec.Environment = map[string]string{"NAME": "Zoë"}
	want(t, "context", string(r.call(t, spec, `{}`).Payload), `["demo","256","`+spec.ARN+`",36,true,"Integer",null,null,"AWS_Lambda_ruby3.3",`+
		`"/var/task/vendor/bundle/ruby/3.3.0:/opt/ruby/gems/3.3.0:/var/runtime:/var/runtime/ruby/3.3.0",null,"Zoë","UTF-8",[],"/var/task","UTF-8","/var/runtime/bootstrap.rb","/var/task/main.rb"]`)
}

// TestRubyEnds: what AWS's runtime takes for the code's own fault ends the
// process, other errors don't, and syntax errors fail the init phase.
func TestRubyEnds(t *testing.T) {
	t.Parallel()
	r := rubyRig(t, nil)
	spec := r.ruby(t, "main.handler", `
$calls = 0
def handler(event:, context:)
  $calls += 1
  raise 'handled' if event['raise']
  nil.no_such_method if event['die']
  $calls
end`)
	want(t, "first", string(r.call(t, spec, `{}`).Payload), "1")
	res := r.call(t, spec, `{"raise":true}`)
	want(t, "error", res.FunctionError, "Unhandled")
	if log := string(res.LogTail); !strings.Contains(log, "Error raised from handler method{\n  \"errorMessage\": \"handled\",\n  \"errorType\": \"Function<RuntimeError>\",\n  \"stackTrace\": [\n") {
		t.Errorf("log: %s", log)
	}
	want(t, "after an error", string(r.call(t, spec, `{}`).Payload), "3")
	want(t, "death", r.call(t, spec, `{"die":true}`).FunctionError, "Unhandled")
	want(t, "after death", string(r.call(t, spec, `{}`).Payload), "1")

	bad := r.call(t, r.ruby(t, "main.handler", "def handler(\n"), `{}`)
	if !strings.Contains(string(bad.Payload), `"errorType":"Init<SyntaxError>"`) || !strings.Contains(r.logs.text(), "Init error when loading handler {\n") {
		t.Errorf("%s\n%s", bad.Payload, r.logs.text())
	}
}

func TestRubyLog(t *testing.T) {
	t.Parallel()
	const code = `
require 'logger'
LOG = Logger.new($stdout)
def handler(event:, context:)
  puts 'printed', ['twice']
  $stderr.puts 'to stderr', 'again'
  LOG.info("said\non")
  LOG.debug { 'quiet' }
  LOG.error(ArgumentError.new('bad'))
  begin
    raise KeyError, 'gone'
  rescue => e
    LOG.fatal(e)
  end
  Logger.new('/tmp/log').info('elsewhere')
  File.read('/tmp/log').include?('elsewhere') && !File.read('/tmp/log').include?(context.aws_request_id)
end`
	r := rubyRig(t, nil)
	spec := r.ruby(t, "main.handler", code)
	id := ident.UUID()
	res, err := r.Invoke(t.Context(), spec, &Request{RequestID: id, Payload: []byte(`{}`), Tail: true})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "answer", string(res.Payload), "true")
	// What is put is one event without an end, an entry is one with it; what goes
	// to standard error is lines.
	events := r.logs.messages()
	for _, event := range []string{"printed\ntwice", "to stderr\n", "again\n"} {
		if !slices.Contains(events, event) {
			t.Errorf("no event %q among %q", event, events)
		}
	}
	if !slices.ContainsFunc(events, func(e string) bool {
		return strings.HasPrefix(e, "I, [") && strings.HasSuffix(e, "  INFO "+id+" -- : said\non\n")
	}) {
		t.Errorf("no entry of two lines among %q", events)
	}
	for _, line := range []string{" DEBUG " + id + " -- : quiet\n", " ERROR " + id + " -- : bad (ArgumentError)\n"} {
		if !strings.Contains(string(res.LogTail), line) {
			t.Errorf("log lacks %q: %q", line, res.LogTail)
		}
	}
	spec = r.ruby(t, "main.handler", code)
	spec.LogFormat, spec.LogLevel = logFormatJSON, "INFO"
	res = r.call(t, spec, `{}`)
	if log := string(res.LogTail); !strings.Contains(log, `"location":"/var/task/main.rb:handler:11"}`) {
		t.Errorf("no place of the error in %s", log)
	}
	if log := string(res.LogTail); !strings.Contains(log, `"level":"INFO","message":"said\non","requestId":"`) || !strings.Contains(log, `"errorType":"ArgumentError","errorMessage":"bad","stackTrace":[]}`) || strings.Contains(log, "quiet") {
		t.Errorf("log: %s", log)
	}
}

// TestRubyMarshaller: functions may say themselves how to read and write.
func TestRubyMarshaller(t *testing.T) {
	t.Parallel()
	r := rubyRig(t, nil)
	spec := r.ruby(t, "main.handler", `
class AwsLambda::Marshaller
  def self.marshall_request(raw) = raw.body.upcase + raw['content-type']
  def self.marshall_response(answer) = [StringIO.new("<#{answer}>"), 'application/unknown']
end
def handler(event:, context:) = event`)
	want(t, "answer", string(r.call(t, spec, `{"a":1}`).Payload), `<{"A":1}application/json>`)
}

const nosyRuby = `
def handler(event:, context:)
  "#{ENV['MARK']} #{context.function_name} #{Dir.children('/tmp').size} #{Dir.pwd} #{ENV.keys.grep(/BUTAI/).size} #{$LOADED_FEATURES.grep(/rehearsal/).size} " \
    "#{` + "`echo $MARK`" + `.chomp} #{require 'extra'} #{respond_to?(:butai_rehearsal, true)} #{$LOAD_PATH.first}"
end`

// TestRubySpares: a cold start from a spare looks to the function like any
// other.
func TestRubySpares(t *testing.T) {
	t.Parallel()
	r := rubyRig(t, withSpares)
	for _, mark := range []string{"one", "two"} {
		spec := r.function(t, "ruby3.3", "main.handler", map[string]string{
			"main.rb": nosyRuby, "vendor/bundle/ruby/3.3.0/gems/extra-1.0/lib/extra.rb": "",
			"vendor/bundle/ruby/3.3.0/specifications/extra-1.0.gemspec": "Gem::Specification.new { |s| s.name = 'extra'; s.version = '1.0'; s.summary = 's'; s.authors = ['a']; s.require_paths = ['lib'] }",
		})
		spec.Environment = map[string]string{"MARK": mark}
		r.fillShelf(t, spec)
		res, err := r.Invoke(t.Context(), spec, &Request{RequestID: ident.UUID()})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "answer", string(res.Payload), `"`+mark+" demo 0 /var/task 0 0 "+mark+` true false /var/task"`)
		if r.Engine.only(t, spec).spareless {
			t.Error("it started a fresh sandbox")
		}
	}
}
