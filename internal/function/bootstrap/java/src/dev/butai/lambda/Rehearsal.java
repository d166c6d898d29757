package dev.butai.lambda;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Loads and calls handlers of its own, from a folder and from a jar as functions come, so that a
 * spare has loaded and run what every function needs. It leaves nothing behind but that.
 */
final class Rehearsal {
    private static final String PLACE = "dev/butai/rehearsal/";
    private static final String[] CLASSES = {"Values", "Values$Order", "Streams"};
    private static final String[] HANDLERS = {"Values", "Values::plain", "Streams"};
    private static final int CALLS = 20;
    private static final String EVENT = "{\"id\": \"ada\", \"size\": 3, \"tags\": [\"a\", \"b\"]}";

    private Rehearsal() {}

    static void run() throws Exception {
        PrintStream out = System.out;
        System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        Environment.replace(new HashMap<String, Object>(System.getenv()));
        File task = new File(System.getProperty("java.io.tmpdir"), "butai-rehearsal");
        try {
            copyAsFiles(task);
            play(task);
            remove(task);
            copyAsJar(task);
            play(task);
        } finally {
            remove(task);
            System.setOut(out);
            Log.requestId = null;
            System.clearProperty(Main.TRACE_PROPERTY);
            Thread.currentThread().setContextClassLoader(ClassLoader.getSystemClassLoader());
        }
    }

    private static void play(File task) throws Exception {
        for (String handler : HANDLERS) {
            new Main(new Channel(new Frames(), OutputStream.nullOutputStream()))
                    .serve(task.getPath(), "/nonexistent", (PLACE + handler).replace('/', '.'));
        }
    }

    private static void copyAsFiles(File task) throws IOException {
        File folder = new File(task, PLACE);
        if (!folder.mkdirs()) {
            throw new IOException("no folder " + folder);
        }
        for (String name : CLASSES) {
            try (OutputStream to = new FileOutputStream(new File(folder, name + ".class"))) {
                copy(name, to);
            }
        }
    }

    private static void copyAsJar(File task) throws IOException {
        File lib = new File(task, "lib");
        if (!lib.mkdirs()) {
            throw new IOException("no folder " + lib);
        }
        try (ZipOutputStream jar = new ZipOutputStream(new FileOutputStream(new File(lib, "rehearsal.jar")))) {
            for (String name : CLASSES) {
                jar.putNextEntry(new ZipEntry(PLACE + name + ".class"));
                copy(name, jar);
            }
        }
    }

    private static void copy(String name, OutputStream to) throws IOException {
        try (InputStream from = Rehearsal.class.getResourceAsStream("/rehearsal/" + PLACE + name + ".class")) {
            from.transferTo(to);
        }
    }

    private static void remove(File file) {
        File[] inside = file.listFiles();
        if (inside != null) {
            for (File each : inside) {
                remove(each);
            }
        }
        file.delete();
    }

    /** What the engine would send: a few invocations, each in a read of its own. */
    private static final class Frames extends InputStream {
        private final byte[] frame;
        private int left = CALLS;

        Frames() {
            byte[] id = "00000000-0000-0000-0000-000000000000".getBytes(StandardCharsets.UTF_8);
            byte[] event = EVENT.getBytes(StandardCharsets.UTF_8);
            frame = new byte[Channel.HEAD + Invocation.HEAD + id.length + event.length];
            ByteBuffer to = ByteBuffer.wrap(frame);
            to.putInt(frame.length - 4).put((byte) 'I').putLong(System.currentTimeMillis() + 1000);
            to.putShort((short) id.length).putShort((short) 0).putShort((short) 0).putInt(0).put(id).put(event);
        }

        @Override
        public int read() {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(byte[] to, int at, int length) {
            if (left-- <= 0) {
                return -1;
            }
            System.arraycopy(frame, 0, to, at, frame.length);
            return frame.length;
        }
    }
}
