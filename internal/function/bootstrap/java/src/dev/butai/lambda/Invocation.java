package dev.butai.lambda;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** One invocation as the engine sent it. */
final class Invocation {
    static final int HEAD = 18; // the deadline and the lengths of four texts

    final long deadline; // milliseconds since 1970
    final String requestId;
    final String functionArn;
    final String traceId;
    final String clientContext; // JSON or ""
    final byte[] payload;

    /** Takes the frame's body, which is at buffer[from:to]. */
    Invocation(byte[] buffer, int from, int to) {
        ByteBuffer in = ByteBuffer.wrap(buffer, from, to - from);
        deadline = in.getLong();
        int id = in.getShort() & 0xffff;
        int arn = in.getShort() & 0xffff;
        int trace = in.getShort() & 0xffff;
        int client = in.getInt();
        requestId = text(in, id);
        functionArn = text(in, arn);
        traceId = text(in, trace);
        clientContext = text(in, client);
        payload = Arrays.copyOfRange(buffer, in.position(), to);
    }

    private static String text(ByteBuffer in, int length) {
        String s = new String(in.array(), in.position(), length, StandardCharsets.UTF_8);
        in.position(in.position() + length);
        return s;
    }
}
