package dev.butai.lambda;

import com.amazonaws.services.lambda.crac.CheckpointException;
import com.amazonaws.services.lambda.crac.Core;
import com.amazonaws.services.lambda.crac.RestoreException;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOError;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Runs a Java handler for butai's function engine. */
public final class Main {
    /** Where X-Ray's SDK looks for the trace of the invocation under way. */
    static final String TRACE_PROPERTY = "com.amazonaws.xray.traceHeader";

    private static final String BAD_CODE = "Runtime.BadFunctionCode";
    private static final String USER_EXCEPTION = "Runtime.UserException";

    private static final String SNAP_START = "snap-start";
    private static final byte WANTS_RESTORE = 2;
    private static final int SNAPSHOT_FAILED = 64; // as AWS's runtime exits

    private final Channel channel;
    private final Output output = new Output();

    Main(Channel channel) {
        this.channel = channel;
    }

    public static void main(String[] args) throws Exception {
        // Without buffers of their own, the two streams keep their order and
        // nothing is left to flush before an answer.
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(new FileOutputStream(FileDescriptor.err), false, StandardCharsets.UTF_8));
        if (System.getenv("BUTAI_OPT") != null && System.getenv("TMPDIR") != null) {
            // No file system of its own, so /tmp is the host's.
            System.setProperty("java.io.tmpdir", System.getenv("TMPDIR"));
        }
        // By it, the library org.crac finds where to register resources.
        System.setProperty("org.crac.Core.Compat", Core.class.getPackageName());
        Channel channel = Channel.open();
        if (System.getenv("BUTAI_SPARE") == null || awaitFunction(channel)) {
            Log.configure();
            new Main(channel).serve(env("LAMBDA_TASK_ROOT", "/var/task"), env("BUTAI_OPT", "/opt"), env("_HANDLER", ""));
        }
        Runtime.getRuntime().halt(0); // Lambda ends environments without running hooks
    }

    /** Boots as far as one can without a function, and takes one on; false if none comes. */
    @SuppressWarnings("unchecked")
    private static boolean awaitFunction(Channel channel) throws Exception {
        Rehearsal.run();
        System.gc(); // so that the function finds room
        channel.send(Channel.SPARE, new byte[0], 0);
        String environment = channel.load();
        if (environment == null) {
            return false;
        }
        Environment.replace((Map<String, Object>) Json.parse(environment));
        return true;
    }

    /** Serves a function's invocations until there are no more. */
    void serve(String task, String opt, String name) throws IOException {
        try (URLClassLoader functions = FunctionClasses.open(task, opt)) {
            Handler handler = load(functions, name);
            if (!(SNAP_START.equals(env("AWS_LAMBDA_INITIALIZATION_TYPE", "")) && Core.isUsed())) {
                channel.send(Channel.READY, new byte[0], 0);
            } else if (!beSnapshot()) {
                return;
            }
            while (invoke(handler)) {
                Thread.interrupted(); // a flag that the handler may have left
            }
        }
    }

    /** Calls what is registered for snapshots, around the wait for a restore; false if none comes. */
    private boolean beSnapshot() throws IOException {
        try {
            Core.getGlobalContext().beforeCheckpoint(null);
        } catch (CheckpointException e) {
            endInit("Runtime.BeforeCheckpointError", e);
        }
        channel.send(Channel.READY, new byte[] {WANTS_RESTORE}, 1);
        if (!channel.restored()) {
            return false;
        }
        try {
            Core.getGlobalContext().afterRestore(null);
        } catch (RestoreException e) {
            endInit("Runtime.AfterRestoreError", e);
        }
        channel.send(Channel.READY, new byte[] {WANTS_RESTORE}, 1);
        return true;
    }

    private void endInit(String type, Exception e) throws IOException {
        Throwable cause = e.getSuppressed().length > 0 ? e.getSuppressed()[0] : e;
        Log.error(Errors.logText(cause));
        channel.sendError(Channel.INIT_FAILED, type, Errors.json(cause));
        Runtime.getRuntime().halt(SNAPSHOT_FAILED);
    }

    /**
     * Resolves the handler. What can be blamed on its name alone is reported by each invocation,
     * as AWS does; what user code throws ends the init phase.
     */
    private Handler load(ClassLoader functions, String name) throws IOException {
        Thread.currentThread().setContextClassLoader(functions);
        try {
            return HandlerLoader.load(name, functions);
        } catch (Fault fault) {
            if (!fault.fatal) {
                return new Handler.Faulty(fault);
            }
            Log.error(fault.logText());
            channel.sendError(Channel.INIT_FAILED, BAD_CODE, fault.json());
            Runtime.getRuntime().halt(1);
            return null;
        }
    }

    /** Serves one invocation; false when there are no more. */
    private boolean invoke(Handler handler) throws IOException {
        Invocation invocation = channel.next();
        if (invocation == null) {
            return false;
        }
        if (invocation.traceId.isEmpty()) {
            System.clearProperty(TRACE_PROPERTY);
        } else {
            System.setProperty(TRACE_PROPERTY, invocation.traceId);
        }
        Log.requestId = invocation.requestId;
        output.reset();
        try {
            handler.handle(invocation, output);
        } catch (Fault fault) {
            Log.error(fault.logText());
            channel.sendError(Channel.FAILURE, BAD_CODE, fault.json());
            return true;
        } catch (Throwable t) {
            fail(t);
            return true;
        }
        output.sendTo(channel);
        return true;
    }

    /** After an error of the virtual machine itself nothing can be relied on, so the process ends. */
    private void fail(Throwable t) throws IOException {
        boolean fatal = t instanceof VirtualMachineError || t instanceof IOError;
        Errors.strip(t);
        Log.error(Errors.logText(t));
        channel.sendError(fatal ? Channel.FATAL : Channel.FAILURE, USER_EXCEPTION, Errors.json(t));
        if (fatal) {
            Runtime.getRuntime().halt(1);
        }
    }

    private static String env(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null ? otherwise : value;
    }

    /** The response under construction, whose bytes go into the frame without another copy. */
    private static final class Output extends ByteArrayOutputStream {
        private static final int KEEP = 1 << 20;

        Output() {
            super(1024);
        }

        synchronized void sendTo(Channel channel) throws IOException {
            channel.send(Channel.RESPONSE, buf, count);
            if (buf.length > KEEP) {
                buf = new byte[1024];
            }
        }
    }
}
