# frozen_string_literal: true

# Runs a Ruby handler for butai's function engine. It speaks the framed protocol
# of PROTOCOL.md on file descriptor 3. What users may meet, and what they may
# override, has the names that it has in AWS's runtime (LambdaHandler,
# LambdaContext, AwsLambda::Marshaller, $_global_aws_request_id); all else is in
# a module of its own, because functions define methods of every object.
require 'json'
require 'logger'
require 'stringio'

# What a handler gets as context: ("AWS Lambda context object in Ruby").
class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
              :memory_limit_in_mb, :function_version, :identity, :client_context, :deadline_ms

  def initialize(request_id, arn, deadline, client)
    @aws_request_id = request_id
    @invoked_function_arn = arn
    @deadline_ms = deadline
    @client_context = JSON.parse(client) unless client.empty?
    @log_group_name = ENV['AWS_LAMBDA_LOG_GROUP_NAME']
    @log_stream_name = ENV['AWS_LAMBDA_LOG_STREAM_NAME']
    @function_name = ENV['AWS_LAMBDA_FUNCTION_NAME']
    @memory_limit_in_mb = ENV['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']
    @function_version = ENV['AWS_LAMBDA_FUNCTION_VERSION']
  end

  def get_remaining_time_in_millis
    [@deadline_ms - Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond), 0].max
  end
end

# The variable that holds an invocation's trace id. The C library never forgets
# a value that ENV has set, which at thousands of calls a second fills the
# memory, so this one lives in memory of ours that each call writes over.
module TraceVariable
  NAME = '_X_AMZN_TRACE_ID'
  HEAD = "#{NAME}="
  LIMIT = 65_535

  def self.set(value)
    return ENV[NAME] = value unless prepare

    @memory[HEAD.bytesize, value.bytesize + 1] = "#{value}\0"
    @put.call(@memory) unless ENV.key?(NAME) # the first time, or the handler has deleted it
  end

  def self.prepare
    return @memory unless @memory.nil?

    require 'fiddle'
    memory = Fiddle::Pointer.malloc(HEAD.bytesize + LIMIT + 1)
    memory[0, HEAD.bytesize] = HEAD
    @put = Fiddle::Function.new(Fiddle::Handle::DEFAULT['putenv'], [Fiddle::TYPE_VOIDP], Fiddle::TYPE_INT)
    @memory = memory
  rescue LoadError, Fiddle::DLError
    @memory = false # this interpreter was built without
  end
end

module AwsLambda
  # Turns events into what handlers get, and what they return into bytes and a
  # media type (nil for JSON).
  class Marshaller
    def self.marshall_request(raw_request)
      raw_request['Content-Type'] == 'application/json' ? JSON.parse(raw_request.body) : raw_request.body
    end

    def self.marshall_response(method_response)
      case method_response
      when StringIO, IO then [method_response, 'application/unknown']
      else method_response.to_json
      end
    end
  end
end

# The object that a handler without a class is a method of.
class LambdaHandler
  attr_reader :handler_file_name

  def initialize(env_handler:)
    parts = env_handler.split('.')
    unless [2, 3].include?(parts.size)
      raise ArgumentError, "Invalid handler #{parts}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where FILENAME corresponds with " \
                           'an existing Ruby source file FILENAME.rb, CLASS is an optional module/class namespace and METHOD is a callable ' \
                           'method. If using CLASS, METHOD must be a class-level method.'
    end
    @handler_file_name = parts.first
    @class_name = parts[1] if parts.size == 3
    @method_name = parts.last
  end

  def call_handler(request:, context:)
    target = @class_name ? Kernel.const_get(@class_name) : self
    AwsLambda::Marshaller.marshall_response(target.__send__(@method_name, event: request, context: context))
  end
end

module ButaiRuntime
  CHANNEL = 3
  PACKET = 65_536
  HEAD = 5 # length and kind
  EXIT_INIT = 252 # AWS's runtime exits with -4
  EXIT_CRITICAL = 255
  OWN = __FILE__
  TRACE_LIMIT = 100
  # Other types of errors are the function's own, which reports don't name.
  NAMED = %w[ArgumentError NoMethodError Exception StandardError NameError LoadError SystemExit SystemStackError].freeze

  RawRequest = Struct.new(:body) do
    def [](name)
      name.casecmp?('content-type') ? 'application/json' : nil
    end
  end

  # An error as the caller gets it.
  class Failure
    attr_reader :critical

    def initialize(error, phase)
      @phase = phase
      @name = error.class.to_s
      @message = text(error.message)
      @trace = trace(error)
      # AWS ends the process after errors that are the code's own fault.
      @critical = !error.is_a?(StandardError) || error.is_a?(NameError)
    end

    def response
      { errorMessage: @message, errorType: "#{@phase}<#{@name}>", stackTrace: @trace }
    end

    def reported_type
      NAMED.include?(@name) ? "#{@phase}<#{@name}>" : 'Function<UserException>'
    end

    private

    def text(message)
      message.to_s.encode('UTF-8', invalid: :replace, undef: :replace).scrub
    end

    # Only the function's own frames, as AWS's documentation shows them.
    def trace(error)
      lines = (error.backtrace || []).first(TRACE_LIMIT).map { |line| text(line) }
      lines.take_while { |line| !line.start_with?(OWN) }
    end
  end

  # Lines of the standard logger, with the request they belong to.
  class TextFormatter < Logger::Formatter
    def call(severity, time, progname, msg)
      format("%s, [%s #%d] %5s %s -- %s: %s\n", severity[0], format_datetime(time), Process.pid, severity, $_global_aws_request_id, progname, msg2str(msg))
    end
  end

  class JSONFormatter < Logger::Formatter
    FRAME = /\A(?<file>.+):(?<line>\d+):in [`'](?<method>.+)'\z/

    def call(severity, time, progname, msg)
      error = msg.is_a?(Exception)
      entry = { timestamp: time.utc.strftime('%Y-%m-%dT%H:%M:%S.%6NZ'), level: severity, message: text(error ? msg.message : msg2str(msg)), requestId: $_global_aws_request_id }
      entry[:logger] = text(progname) unless progname.to_s.empty?
      entry.update(errorType: msg.class.to_s, errorMessage: text(msg.message), stackTrace: Array(msg.backtrace).map { |line| text(line) }, location: location(msg)) if error
      "#{JSON.generate(entry.compact)}\n"
    end

    private

    def text(value)
      value.to_s.encode('UTF-8', invalid: :replace, undef: :replace).scrub
    end

    def location(error)
      first = error.backtrace&.first or return
      frame = FRAME.match(text(first))
      frame ? "#{frame[:file]}:#{frame[:method]}:#{frame[:line]}" : text(first)
    end
  end

  # The function's log for those who write whole messages: each is one event,
  # whatever lines it has (PROTOCOL.md).
  class Sink < Logger::LogDevice
    def initialize; end

    def write(message)
      text = message.to_s.b
      return if text.empty?

      ending = text.delete_suffix!("\n") ? "\n" : "\0\n"
      ButaiRuntime.log.write(text.gsub("\n", "\0\r") << ending)
    end

    def reopen(*)
      self
    end

    def close; end
  end

  SINK = Sink.new

  # What AWS's runtime makes of Kernel#puts: one message of all that is put, and
  # no line's end after it. IO#puts is as ever.
  module PutsPatch
    def puts(*list)
      SINK.write(list.flatten.map { |each| each.to_s.encode('UTF-8') }.join("\n"))
    end
  end

  # Has loggers that write to the function's log do so in one of these formats.
  module LoggerPatch
    def initialize(logdev, *args, **options)
      own = logdev.nil? || logdev.equal?($stdout) || logdev.equal?($stderr)
      super(own ? SINK : logdev, *args, **options)
      return unless own

      json = ENV['AWS_LAMBDA_LOG_FORMAT'] == 'JSON'
      @default_formatter = json ? JSONFormatter.new : TextFormatter.new
      self.level = ENV['AWS_LAMBDA_LOG_LEVEL'].sub('TRACE', 'DEBUG') if json && !options.key?(:level) && ENV['AWS_LAMBDA_LOG_LEVEL']
    end
  end

  class << self
    attr_accessor :input, :output, :log

    # --- frames -------------------------------------------------------------

    # Returns the kind and the body of one whole frame, nil at the end.
    def read_frame
      data = input.sysread(PACKET)
      length = data.unpack1('N') + 4
      data << input.sysread(PACKET) while data.bytesize < length
      [data[4], data.byteslice(HEAD, length - HEAD)]
    rescue EOFError, Errno::ECONNRESET
      nil
    end

    def write_frame(kind, body)
      data = [body.bytesize + 1, kind].pack('NA1') << body.b
      done = 0
      done += output.syswrite(data.byteslice(done..)) while done < data.bytesize
    end

    def write_failure(kind, failure)
      type = failure.reported_type
      write_frame(kind, [type.bytesize].pack('n') << type.b << JSON.generate(failure.response).b)
    end

    def log_failure(title, failure)
      SINK.write(title)
      SINK.write(JSON.pretty_generate(failure.response))
    end

    # --- the handler ----------------------------------------------------------

    def load_handler(name)
      handler = LambdaHandler.new(env_handler: name)
      require handler.handler_file_name
      handler
    end

    def init
      load_handler(ENV['_HANDLER'].to_s)
    rescue Exception => e
      failure = Failure.new(e, 'Init')
      log_failure('Init error when loading handler ', failure)
      write_failure('F', failure)
      exit(EXIT_INIT)
    end

    # Runs one invocation and writes its answer.
    def invoke(handler, body)
      deadline, *lengths = body.unpack('Q>nnnN')
      at = 18
      id, arn, trace, client = lengths.map { |n| body.byteslice((at += n) - n, n).force_encoding('UTF-8') }
      $_global_aws_request_id = id
      TraceVariable.set(trace) unless trace.empty?
      request = RawRequest.new(body.byteslice(at..).force_encoding('UTF-8'))
      begin
        answer, type = handler.call_handler(request: AwsLambda::Marshaller.marshall_request(request), context: LambdaContext.new(id, arn, deadline, client))
        answer = answer.read if type == 'application/unknown'
      rescue Exception => e
        fail_invocation(Failure.new(e, 'Function'))
      else
        flush
        write_frame('R', answer)
      end
    end

    def fail_invocation(failure)
      log_failure(failure.critical ? 'Critical exception from handler' : 'Error raised from handler method', failure)
      flush
      write_failure(failure.critical ? 'X' : 'E', failure)
      exit(EXIT_CRITICAL) if failure.critical
    end

    def flush
      $stdout.flush
      $stderr.flush
    rescue IOError
      nil # the handler has closed it
    end

    # --- booting without a function -------------------------------------------

    # Boots as far as one can without a function, and takes one on; false if
    # none comes.
    def await_function
      begin
        rehearse
      rescue StandardError, ScriptError
        nil # then it takes its time later
      end
      write_frame('S', '')
      kind, body = read_frame
      return false if kind.nil?

      take_on(body)
      true
    end

    def take_on(environment)
      ENV.replace(JSON.parse(environment.force_encoding('UTF-8')))
      drop_locale
      Gem.clear_paths # what they say has changed
    end

    # Takes away what was only there for the interpreter to read when it starts.
    def drop_locale
      ENV.delete('LC_CTYPE') if ENV.delete('BUTAI_CTYPE')
    end

    # Loads and calls a handler of its own, which loads and warms up what every
    # function needs, and leaves nothing behind.
    def rehearse
      file = '/tmp/butai_rehearsal.rb'
      File.write(file, "def butai_rehearsal(event:, context:)\n  puts event\n  { id: event['id'], left: context.get_remaining_time_in_millis }\nend\n")
      channel = output
      stdout = $stdout
      File.open(File::NULL, 'w') do |null|
        self.output = self.log = $stdout = null
        $LOAD_PATH.unshift('/tmp')
        take_on(JSON.generate(ENV.to_h))
        handler = load_handler('butai_rehearsal.butai_rehearsal')
        ids = ['00000000-0000-0000-0000-000000000000', 'arn', 'Root=1', '']
        3.times { invoke(handler, [0, *ids.map(&:bytesize)].pack('Q>nnnN') << ids.join << '{"id": "ada", "n": [1, 2.5, null, true]}') }
      end
    ensure
      self.output = channel
      self.log = $stdout = stdout
      $LOAD_PATH.delete('/tmp')
      $LOADED_FEATURES.delete(file)
      Object.send(:remove_method, :butai_rehearsal) if Object.private_method_defined?(:butai_rehearsal)
      File.delete(file)
      $_global_aws_request_id = nil
    end

    def main
      self.input = self.output = IO.for_fd(CHANNEL, 'r+b', autoclose: false)
      input.close_on_exec = true
      $stdout.sync = $stderr.sync = true
      self.log = $stdout
      drop_locale
      Logger.prepend(LoggerPatch)
      Kernel.module_eval { define_method(:puts, PutsPatch.instance_method(:puts)) }
      return if ENV['BUTAI_SPARE'] && !await_function

      root = ENV['LAMBDA_TASK_ROOT']
      Dir.chdir(root)
      $LOAD_PATH.unshift(root) unless $LOAD_PATH.include?(root)
      handler = init
      flush
      write_frame('K', '')
      while (frame = read_frame)
        invoke(handler, frame.last)
      end
      exit!(0) # AWS ends environments without running hooks
    end
  end
end

ButaiRuntime.main
