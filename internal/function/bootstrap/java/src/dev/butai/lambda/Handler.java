package dev.butai.lambda;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;

/** A loaded handler. */
interface Handler {
    /** Runs one invocation and writes the response, or throws what the handler threw. */
    void handle(Invocation invocation, OutputStream out) throws Throwable;

    /** Stands for a handler that could not be found. */
    final class Faulty implements Handler {
        private final Fault fault;

        Faulty(Fault fault) {
            this.fault = fault;
        }

        @Override
        public void handle(Invocation invocation, OutputStream out) {
            throw fault;
        }
    }

    /** A handler of raw bytes. */
    final class OfStreams implements Handler {
        private final RequestStreamHandler user;

        OfStreams(RequestStreamHandler user) {
            this.user = user;
        }

        @Override
        public void handle(Invocation invocation, OutputStream out) throws Throwable {
            user.handleRequest(new ByteArrayInputStream(invocation.payload), out, new LambdaContext(invocation));
        }
    }

    /** A handler of values: the event is read from JSON and what it returns is written as such. */
    final class OfValues implements Handler {
        private static final byte[] NULL = {'n', 'u', 'l', 'l'};

        private final RequestHandler<Object, Object> user;
        private final Type input; // null if the event is not asked for
        private final boolean returns;

        OfValues(RequestHandler<Object, Object> user, Type input, Type output) {
            this.user = user;
            this.input = input;
            this.returns = output != void.class && output != Void.class;
        }

        @Override
        public void handle(Invocation invocation, OutputStream out) throws Throwable {
            Object result = user.handleRequest(read(invocation), new LambdaContext(invocation));
            out.write(returns ? write(result) : NULL);
        }

        private Object read(Invocation invocation) {
            if (input == null) {
                return null;
            }
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

    /** A plain method in the place of the interfaces. */
    final class ByMethod implements RequestHandler<Object, Object>, RequestStreamHandler {
        private final Method method;
        private final Object instance;

        ByMethod(Method method, Object instance) {
            this.method = method;
            this.instance = instance;
            method.setAccessible(true); // the class itself need not be public
        }

        @Override
        public Object handleRequest(Object event, Context context) {
            return call(event, null, null, context);
        }

        @Override
        public void handleRequest(InputStream in, OutputStream out, Context context) {
            call(null, in, out, context);
        }

        private Object call(Object event, InputStream in, OutputStream out, Context context) {
            Class<?>[] types = method.getParameterTypes();
            Object[] arguments = new Object[types.length];
            for (int i = 0; i < types.length; i++) {
                arguments[i] = types[i] == Context.class ? context : types[i] == InputStream.class ? in : types[i] == OutputStream.class ? out : event;
            }
            try {
                return method.invoke(instance, arguments);
            } catch (InvocationTargetException e) {
                throw sneaky(e.getCause() == null ? e : e.getCause());
            } catch (IllegalAccessException e) {
                throw sneaky(e);
            }
        }

        /** Throws anything unchecked: handlers declare what they like. */
        @SuppressWarnings("unchecked")
        private static <T extends Throwable> RuntimeException sneaky(Throwable t) throws T {
            throw (T) t;
        }
    }
}
