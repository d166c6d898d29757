package dev.butai.lambda;

/** A failure to find, load or construct the handler, in the words of AWS's runtime. */
final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1;

    final String type; // null if no exception is behind it
    final boolean fatal;
    private final String trace; // null if no exception is behind it

    private Fault(String message, String type, String trace, boolean fatal) {
        super(message, null, false, false);
        this.type = type;
        this.trace = trace;
        this.fatal = fatal;
    }

    /** A fault that the handler's name or signature explains. */
    static Fault of(String message) {
        return new Fault(message, null, null, false);
    }

    static Fault of(String message, Throwable t, boolean fatal) {
        Errors.strip(t);
        return new Fault(message, t.getClass().getName(), Errors.trace(t), fatal);
    }

    static Fault of(Throwable t, boolean fatal) {
        return of(Errors.message(t), t, fatal);
    }

    /** AWS sends no stack trace with these. */
    String json() {
        JsonWriter out = new JsonWriter();
        out.raw("{\"errorMessage\":").string(getMessage());
        if (type != null) {
            out.raw(",\"errorType\":").string(type);
        }
        return out.raw("}").toString();
    }

    String logText() {
        return (type == null ? getMessage() : getMessage() + ": " + type + "\n" + trace) + "\n";
    }
}
