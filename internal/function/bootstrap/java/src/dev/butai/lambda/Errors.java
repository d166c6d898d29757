package dev.butai.lambda;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** Shows exceptions as AWS's Java runtime does ("AWS Lambda function errors in Java"). */
final class Errors {
    private static final String OWN_PACKAGE = Errors.class.getPackageName() + ".";

    private Errors() {}

    static String message(Throwable t) {
        String message = t.getLocalizedMessage();
        return message == null ? t.getClass().getName() : message;
    }

    /** Name of the exception's class, which for our JSON errors is that of AWS's library. */
    static String type(Throwable t) {
        return t instanceof JsonException ? ((JsonException) t).type : t.getClass().getName();
    }

    static String json(Throwable t) {
        JsonWriter out = new JsonWriter();
        write(out, t, seenSet());
        return out.toString();
    }

    private static void write(JsonWriter out, Throwable t, Set<Throwable> seen) {
        seen.add(t);
        out.raw("{\"errorMessage\":").string(message(t));
        out.raw(",\"errorType\":").string(type(t));
        out.raw(",\"stackTrace\":[");
        String comma = "";
        for (StackTraceElement frame : t.getStackTrace()) {
            out.raw(comma).string(frame.toString());
            comma = ",";
        }
        out.raw("]");
        Throwable cause = t.getCause();
        if (cause != null && !seen.contains(cause)) {
            out.raw(",\"cause\":");
            write(out, cause, seen);
        }
        out.raw("}");
    }

    static String logText(Throwable t) {
        return message(t) + ": " + type(t) + "\n" + trace(t) + "\n";
    }

    static String trace(Throwable t) {
        StringWriter text = new StringWriter();
        t.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    /** Takes the frames of this launcher, and those below, off a stack trace and its causes'. */
    static void strip(Throwable t) {
        strip(t, seenSet());
    }

    private static void strip(Throwable t, Set<Throwable> seen) {
        if (t == null || !seen.add(t)) {
            return;
        }
        StackTraceElement[] frames = t.getStackTrace();
        for (int i = 0; i < frames.length; i++) {
            if (frames[i].getClassName().startsWith(OWN_PACKAGE)) {
                t.setStackTrace(Arrays.copyOf(frames, i));
                break;
            }
        }
        strip(t.getCause(), seen);
        for (Throwable suppressed : t.getSuppressed()) {
            strip(suppressed, seen);
        }
    }

    private static Set<Throwable> seenSet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }
}
