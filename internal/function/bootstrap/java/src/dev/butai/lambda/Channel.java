package dev.butai.lambda;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The framed protocol of PROTOCOL.md on file descriptor 3. Java's process API closes that
 * descriptor in all it starts, so it needs no close-on-exec mark.
 */
final class Channel {
    static final char SPARE = 'S';
    static final char READY = 'K';
    static final char INIT_FAILED = 'F';
    static final char RESPONSE = 'R';
    static final char FAILURE = 'E';
    static final char FATAL = 'X';

    private static final int DESCRIPTOR = 3;
    static final int HEAD = 5;
    private static final int INITIAL_BUFFER = 16 << 10;

    private final InputStream in;
    private final OutputStream out;
    private byte[] buffer = new byte[INITIAL_BUFFER];

    Channel(InputStream in, OutputStream out) {
        this.in = in;
        this.out = out;
    }

    /** The engine's. */
    static Channel open() throws ReflectiveOperationException {
        FileDescriptor fd = descriptor(DESCRIPTOR);
        return new Channel(new FileInputStream(fd), new FileOutputStream(fd));
    }

    /** There is no public way to a descriptor by number; the manifest exports the JDK's own one. */
    private static FileDescriptor descriptor(int number) throws ReflectiveOperationException {
        Object access = Class.forName("jdk.internal.access.SharedSecrets").getMethod("getJavaIOFileDescriptorAccess").invoke(null);
        Method set = Class.forName("jdk.internal.access.JavaIOFileDescriptorAccess").getMethod("set", FileDescriptor.class, int.class);
        FileDescriptor fd = new FileDescriptor();
        set.invoke(access, fd, number);
        return fd;
    }

    /** Blocks until the next invocation; null when the engine has closed its side. */
    Invocation next() throws IOException {
        int end = read();
        if (end == 0) {
            return null;
        }
        Invocation invocation = new Invocation(buffer, HEAD, end);
        if (buffer.length > 64 * INITIAL_BUFFER) {
            buffer = new byte[INITIAL_BUFFER];
        }
        return invocation;
    }

    /** Blocks until the order to load a function: its environment as JSON, or null as next. */
    String load() throws IOException {
        int end = read();
        return end == 0 ? null : new String(buffer, HEAD, end - HEAD, StandardCharsets.UTF_8);
    }

    /** Blocks until a snapshot is restored; false as next. */
    boolean restored() throws IOException {
        return read() != 0;
    }

    /** Reads one frame into the buffer; its end, or 0 when the engine has closed its side. */
    private int read() throws IOException {
        int have = 0;
        int want = HEAD;
        while (have < want) {
            int n = in.read(buffer, have, buffer.length - have);
            if (n <= 0) {
                return 0;
            }
            have += n;
            if (want == HEAD && have >= HEAD) {
                want = 4 + ByteBuffer.wrap(buffer).getInt();
                if (want > buffer.length) {
                    byte[] larger = new byte[want];
                    System.arraycopy(buffer, 0, larger, 0, have);
                    buffer = larger;
                }
            }
        }
        return want;
    }

    void send(char kind, byte[] body, int length) throws IOException {
        byte[] frame = new byte[HEAD + length];
        ByteBuffer.wrap(frame).putInt(length + 1).put((byte) kind).put(body, 0, length);
        out.write(frame);
    }

    void sendError(char kind, String type, String json) throws IOException {
        byte[] typeBytes = type.getBytes(StandardCharsets.UTF_8);
        byte[] jsonBytes = json.getBytes(StandardCharsets.UTF_8);
        ByteBuffer body = ByteBuffer.allocate(2 + typeBytes.length + jsonBytes.length);
        body.putShort((short) typeBytes.length).put(typeBytes).put(jsonBytes);
        send(kind, body.array(), body.capacity());
    }
}
