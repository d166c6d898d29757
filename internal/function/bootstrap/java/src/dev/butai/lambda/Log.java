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

    @Override
    public void log(byte[] message, LogLevel level) {
        log(new String(message, StandardCharsets.UTF_8), level);
    }

    /** A message without a level is never filtered. */
    @Override
    public void log(String message, LogLevel level) {
        boolean plain = level == LogLevel.UNDEFINED;
        if (!plain && level.ordinal() < least) {
            return;
        }
        if (json) {
            line(json(message, level));
        } else {
            line(plain ? message : "[" + level + "] " + message);
        }
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

    private static void line(String text) {
        String one = String.valueOf(text);
        while (one.endsWith("\n")) {
            one = one.substring(0, one.length() - 1);
        }
        byte[] bytes = (one.replace("\r\n", "\n").replace("\n", "\0\r") + "\n").getBytes(StandardCharsets.UTF_8);
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
