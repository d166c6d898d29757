package dev.butai.lambda;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;

/**
 * The function's log as LambdaLogger writes it: one event per message, whatever lines it has.
 * "\r" keeps them together, because a line ends an event.
 */
final class Log {
    static String requestId;

    private static final boolean JSON = "JSON".equals(System.getenv("AWS_LAMBDA_LOG_FORMAT"));
    private static final String UNDEFINED = "UNDEFINED";
    private static final List<String> LEVELS = Arrays.asList(UNDEFINED, "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL");
    private static final int LEAST = LEVELS.indexOf(System.getenv("AWS_LAMBDA_LOG_LEVEL"));

    private Log() {}

    /** A message without a level is never filtered. */
    static void write(String message, String level) {
        String name = level == null ? UNDEFINED : level;
        if (!name.equals(UNDEFINED) && LEVELS.indexOf(name) < LEAST) {
            return;
        }
        if (JSON) {
            line(json(message, name));
        } else {
            line(name.equals(UNDEFINED) ? message : "[" + name + "] " + message);
        }
    }

    static void error(String text) {
        write(text, JSON ? "ERROR" : null);
    }

    private static void line(String text) {
        String one = text;
        while (one.endsWith("\n")) {
            one = one.substring(0, one.length() - 1);
        }
        byte[] bytes = (one.replace("\r\n", "\n").replace('\n', '\r') + "\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(bytes, 0, bytes.length);
    }

    private static String json(String message, String level) {
        JsonWriter out = new JsonWriter();
        String time = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC).format(Instant.now());
        out.raw("{\"timestamp\":").string(time).raw(",\"message\":").string(message).raw(",\"level\":").string(level);
        if (requestId != null) {
            out.raw(",\"AWSRequestId\":").string(requestId);
        }
        return out.raw("}").toString();
    }
}
