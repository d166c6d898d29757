package dev.butai.lambda;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;

/** A loaded handler. */
abstract class Handler {
    /** Name of the method whose caller-side reflection frames are hidden; see Errors. */
    static final String DIRECT = "callInterface";

    private static final byte[] NULL = {'n', 'u', 'l', 'l'};

    /** Runs one invocation and writes the response, or throws what the handler threw. */
    abstract void handle(Invocation invocation, OutputStream out) throws Throwable;

    /** Stands for a handler that could not be found. */
    static final class Faulty extends Handler {
        private final Fault fault;

        Faulty(Fault fault) {
            this.fault = fault;
        }

        @Override
        void handle(Invocation invocation, OutputStream out) {
            throw fault;
        }
    }

    /** A method that is called with some of event, streams and context. */
    abstract static class ByMethod extends Handler {
        private final Method method;
        private final Object instance;
        private final boolean isInterface;
        final Class<?> context; // null if the method takes none

        ByMethod(Method method, Object instance, boolean isInterface) {
            this.method = method;
            this.instance = instance;
            this.isInterface = isInterface;
            Class<?>[] types = method.getParameterTypes();
            Class<?> last = types.length == 0 ? null : types[types.length - 1];
            context = last != null && HandlerLoader.isContext(last) ? last : null;
            method.setAccessible(true); // the class itself need not be public
        }

        final Object call(Object... arguments) throws Throwable {
            try {
                return isInterface ? callInterface(arguments) : method.invoke(instance, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
            }
        }

        private Object callInterface(Object[] arguments) throws Throwable {
            return method.invoke(instance, arguments);
        }
    }

    /** A handler of values: the event is read from JSON and what it returns is written as such. */
    static final class OfValues extends ByMethod {
        private final Type input; // null if the event is not asked for
        private final boolean returns;

        OfValues(Method method, Object instance, boolean isInterface, Type input, Type output) {
            super(method, instance, isInterface);
            this.input = input;
            this.returns = output != void.class && output != Void.class;
        }

        @Override
        void handle(Invocation invocation, OutputStream out) throws Throwable {
            Object result = input == null ? callWithout(invocation) : callWith(read(invocation), invocation);
            out.write(returns ? write(result) : NULL);
        }

        private Object callWithout(Invocation invocation) throws Throwable {
            return context == null ? call() : call(LambdaContext.of(invocation, context));
        }

        private Object callWith(Object event, Invocation invocation) throws Throwable {
            return context == null ? call(event) : call(event, LambdaContext.of(invocation, context));
        }

        private Object read(Invocation invocation) {
            try {
                return Mapper.convert(Json.parse(new String(invocation.payload, StandardCharsets.UTF_8)), input);
            } catch (JsonException e) {
                throw new RuntimeException("An error occurred during JSON parsing", e.unchecked());
            }
        }

        private static byte[] write(Object result) {
            try {
                return new JsonWriter().value(result).toString().getBytes(StandardCharsets.UTF_8);
            } catch (JsonException e) {
                throw new RuntimeException("An error occurred during JSON serialization of response", e.unchecked());
            }
        }
    }

    /** A handler of raw bytes. */
    static final class OfStreams extends ByMethod {
        private final boolean takesInput;
        private final boolean takesOutput;

        OfStreams(Method method, Object instance, boolean isInterface) {
            super(method, instance, isInterface);
            Class<?>[] types = method.getParameterTypes();
            takesInput = types[0] == InputStream.class;
            takesOutput = types[0] == OutputStream.class || types.length > 1 && types[1] == OutputStream.class;
        }

        @Override
        void handle(Invocation invocation, OutputStream out) throws Throwable {
            Object[] arguments = new Object[(takesInput ? 1 : 0) + (takesOutput ? 1 : 0) + (context == null ? 0 : 1)];
            int n = 0;
            if (takesInput) {
                arguments[n++] = new ByteArrayInputStream(invocation.payload);
            }
            if (takesOutput) {
                arguments[n++] = out;
            }
            if (context != null) {
                arguments[n] = LambdaContext.of(invocation, context);
            }
            call(arguments);
        }
    }
}
