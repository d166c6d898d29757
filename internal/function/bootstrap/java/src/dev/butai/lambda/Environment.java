package dev.butai.lambda;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * The environment variables, which a spare takes on late. Java reads the process's once, and child
 * processes and native libraries read what C's environ points at, so both are replaced. The
 * manifest opens to us what that takes of the JDK.
 */
final class Environment {
    private static final int POINTER = 8;

    private Environment() {}

    static void replace(Map<String, Object> variables) throws ReflectiveOperationException {
        Field inside = Class.forName("java.util.Collections$UnmodifiableMap").getDeclaredField("m");
        inside.setAccessible(true);
        @SuppressWarnings("unchecked")
        Map<String, String> kept = (Map<String, String>) inside.get(System.getenv());
        Collection<String> names = kept.keySet();
        names.retainAll(variables.keySet());
        for (Map.Entry<String, Object> variable : variables.entrySet()) {
            kept.put(variable.getKey(), (String) variable.getValue());
        }
        replaceNative(kept);
    }

    private static void replaceNative(Map<String, String> variables) throws ReflectiveOperationException {
        List<byte[]> entries = new ArrayList<>();
        int size = POINTER;
        for (Map.Entry<String, String> variable : variables.entrySet()) {
            byte[] entry = (variable.getKey() + "=" + variable.getValue()).getBytes(StandardCharsets.UTF_8);
            entries.add(entry);
            size += POINTER + entry.length + 1;
        }
        Class<?> memory = Class.forName("jdk.internal.misc.Unsafe");
        Object unsafe = memory.getMethod("getUnsafe").invoke(null);
        long at = (long) memory.getMethod("allocateMemory", long.class).invoke(unsafe, (long) size);
        ByteBuffer block = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
        block.position(POINTER * (entries.size() + 1)); // the list ends in a null pointer
        for (int i = 0; i < entries.size(); i++) {
            block.putLong(POINTER * i, at + block.position());
            block.put(entries.get(i)).put((byte) 0);
        }
        Object base = memory.getField("ARRAY_BYTE_BASE_OFFSET").get(null);
        memory.getMethod("copyMemory", Object.class, long.class, Object.class, long.class, long.class)
                .invoke(unsafe, block.array(), ((Number) base).longValue(), null, at, (long) size);
        memory.getMethod("putAddress", long.class, long.class).invoke(unsafe, environ(), at);
    }

    /** The address of C's variable environ. */
    private static long environ() throws ReflectiveOperationException {
        long address;
        try {
            Method find = Class.forName("jdk.internal.loader.NativeLibrary").getDeclaredMethod("findEntry0", long.class, String.class);
            find.setAccessible(true);
            address = (long) find.invoke(null, 0L, "environ"); // 0 stands for all that is loaded
        } catch (NoSuchMethodException before18) {
            Class<?> library = Class.forName("jdk.internal.loader.NativeLibraries$NativeLibraryImpl");
            Constructor<?> constructor = library.getDeclaredConstructors()[0];
            constructor.setAccessible(true);
            Object all = constructor.newInstance(Environment.class, "", false, false); // its handle is 0
            Method find = Class.forName("jdk.internal.loader.NativeLibraries").getDeclaredMethod("findEntry0", library, String.class);
            find.setAccessible(true);
            address = (long) find.invoke(null, all, "environ");
        }
        if (address == 0) {
            throw new ReflectiveOperationException("the C library has no environ");
        }
        return address;
    }
}
