package dev.butai.lambda;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/**
 * The function's log as LambdaLogger writes it: one event per message, whatever lines it has.
 * NUL and "\r" keep them together, because a line ends an event (PROTOCOL.md).
 */
public final class Log implements LambdaLogger {
    /** The only one; LambdaRuntime hands it out as well. */
    public static final LambdaLogger LOGGER = new Log();

    static String requestId;

    private static boolean json;
    private static int least;

    private Log() {}

    /** Takes format and level from the environment. */
    static void configure() {
        json = "JSON".equals(System.getenv("AWS_LAMBDA_LOG_FORMAT"));
        least = least();
    }

    @Override
    public void log(String message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(byte[] message) {
        log(message, LogLevel.UNDEFINED);
    }

    /** Bytes are logged as they are, whatever the format. */
    @Override
    public void log(byte[] message, LogLevel level) {
        if (passes(level)) {
            event(new String(message, StandardCharsets.UTF_8));
        }
    }

    @Override
    public void log(String message, LogLevel level) {
        if (!passes(level)) {
            return;
        }
        if (json) {
            event(json(message, level) + "\n");
        } else {
            event(level == LogLevel.UNDEFINED ? String.valueOf(message) : "[" + level + "] " + message);
        }
    }

    /** A message without a level is never filtered. */
    private static boolean passes(LogLevel level) {
        return level == LogLevel.UNDEFINED || level.ordinal() >= least;
    }

    /** Logs why an invocation or the init phase failed. */
    static void error(String text) {
        LOGGER.log(text, json ? LogLevel.ERROR : LogLevel.UNDEFINED);
    }

    private static int least() {
        try {
            return LogLevel.valueOf(System.getenv("AWS_LAMBDA_LOG_LEVEL")).ordinal();
        } catch (IllegalArgumentException | NullPointerException e) {
            return 0;
        }
    }

    private static void event(String text) {
        if (text.isEmpty()) {
            return;
        }
        String end = text.endsWith("\n") ? "\n" : "\0\n";
        String body = end.length() == 1 ? text.substring(0, text.length() - 1) : text;
        byte[] bytes = (body.replace("\r\n", "\n").replace("\n", "\0\r") + end).getBytes(StandardCharsets.UTF_8);
        System.out.write(bytes, 0, bytes.length);
    }

    private static String json(String message, LogLevel level) {
        JsonWriter out = new JsonWriter();
        String time = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC).format(Instant.now());
        out.raw("{\"timestamp\":").string(time).raw(",\"message\":").string(message).raw(",\"level\":").string(level.name());
        if (requestId != null) {
            out.raw(",\"AWSRequestId\":").string(requestId);
        }
        return out.raw("}").toString();
    }
}
