package dev.butai.lambda;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.HashMap;
import java.util.Map;

/** Resolves "package.Class" and "package.Class::method" ("Define Lambda function handler in Java"). */
final class HandlerLoader {
    private HandlerLoader() {}

    static Handler load(String name, ClassLoader functions) {
        int colons = name.lastIndexOf("::");
        String className = colons < 0 ? name : name.substring(0, colons);
        String methodName = colons < 0 ? null : name.substring(colons + 2);
        if (className.isEmpty() || methodName != null && methodName.isEmpty()) {
            throw Fault.of("Invalid handler: `" + name + "'");
        }
        Class<?> type = loadClass(className, functions);
        return methodName == null ? ofInterface(type) : ofMethod(type, methodName);
    }

    private static Class<?> loadClass(String name, ClassLoader functions) {
        try {
            return Class.forName(name, true, functions);
        } catch (ClassNotFoundException e) {
            throw Fault.of("Class not found: " + name, e, false);
        } catch (NoClassDefFoundError e) {
            throw Fault.of("Error loading class " + name + because(e), e, false);
        } catch (Throwable t) {
            throw Fault.of("Error loading class " + name + because(t), t, true);
        }
    }

    private static String because(Throwable t) {
        return t.getMessage() == null ? "" : ": " + t.getMessage();
    }

    // --- handler interfaces ------------------------------------------------

    private static Handler ofInterface(Class<?> type) {
        if (RequestStreamHandler.class.isAssignableFrom(type)) {
            return new Handler.OfStreams((RequestStreamHandler) construct(type));
        }
        if (!RequestHandler.class.isAssignableFrom(type)) {
            throw Fault.of("Class does not implement an appropriate handler interface: " + type.getName());
        }
        Type[] arguments = typeArguments(type, new HashMap<>());
        if (arguments == null) {
            throw Fault.of("Class " + type.getName() + " does not implement RequestHandler with concrete type parameters");
        }
        for (Type argument : arguments) {
            if (argument instanceof TypeVariable && ((TypeVariable<?>) argument).getBounds()[0] == Object.class) {
                throw Fault.of("Class " + type.getName() + " does not implement RequestHandler with concrete type parameters: parameter "
                        + argument + " has no upper bound.");
            }
        }
        @SuppressWarnings("unchecked")
        RequestHandler<Object, Object> user = (RequestHandler<Object, Object>) construct(type);
        return new Handler.OfValues(user, arguments[0], arguments[1]);
    }

    /** What type gives for the parameters of RequestHandler; null if it uses it raw. */
    private static Type[] typeArguments(Type type, Map<TypeVariable<?>, Type> outer) {
        Class<?> raw = Types.raw(type);
        if (!RequestHandler.class.isAssignableFrom(raw)) {
            return null;
        }
        Map<TypeVariable<?>, Type> bound = Types.bindings(type, outer);
        if (raw == RequestHandler.class) {
            TypeVariable<?>[] names = raw.getTypeParameters();
            return bound.isEmpty() ? null : new Type[] {bound.get(names[0]), bound.get(names[1])};
        }
        for (Type i : raw.getGenericInterfaces()) {
            Type[] found = typeArguments(i, bound);
            if (found != null) {
                return found;
            }
        }
        Type parent = raw.getGenericSuperclass();
        return parent == null ? null : typeArguments(parent, bound);
    }

    // --- plain methods -----------------------------------------------------

    private static Handler ofMethod(Class<?> type, String name) {
        Method[] methods;
        try {
            methods = type.getMethods();
        } catch (NoClassDefFoundError e) {
            throw Fault.of("Error loading method " + name + " on class " + type.getName(), e, false);
        }
        Method best = null;
        for (Method m : methods) {
            if (m.getName().equals(name) && isHandler(m) && (best == null || rank(m) > rank(best))) {
                best = m;
            }
        }
        if (best == null) {
            throw Fault.of("No public method named " + name + " with appropriate method signature found on class " + type.getName());
        }
        Object instance = Modifier.isStatic(best.getModifiers()) ? null : construct(type);
        Handler.ByMethod user = new Handler.ByMethod(best, instance);
        Type[] parameters = best.getGenericParameterTypes();
        if (parameters.length > 0 && (parameters[0] == InputStream.class || parameters[0] == OutputStream.class)) {
            return new Handler.OfStreams(user);
        }
        Type input = parameters.length == 0 || parameters[0] == Context.class ? null : parameters[0];
        return new Handler.OfValues(user, input, best.getGenericReturnType());
    }

    private static boolean isHandler(Method m) {
        Class<?>[] p = m.getParameterTypes();
        switch (p.length) {
            case 0:
            case 1:
                return true;
            case 2:
                return p[1] == Context.class && p[0] != Context.class || p[0] == InputStream.class && p[1] == OutputStream.class;
            case 3:
                return p[0] == InputStream.class && p[1] == OutputStream.class && p[2] == Context.class;
            default:
                return false;
        }
    }

    /** Among overloads, AWS takes written ones before bridges, then longer ones, where Context counts double. */
    private static int rank(Method m) {
        Class<?>[] p = m.getParameterTypes();
        int length = p.length + (p.length > 0 && p[p.length - 1] == Context.class ? 1 : 0);
        return m.isBridge() ? length : length + 10;
    }

    // --- instances ---------------------------------------------------------

    private static Object construct(Class<?> type) {
        Constructor<?> constructor;
        try {
            constructor = type.getConstructor();
        } catch (NoSuchMethodException e) {
            if (type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers())) {
                throw withType("Class " + type.getName() + " cannot be instantiated because it is a non-static inner class");
            }
            throw withType("Class " + type.getName() + " has no public zero-argument constructor");
        }
        try {
            constructor.setAccessible(true);
            return constructor.newInstance();
        } catch (InvocationTargetException e) {
            throw Fault.of(e.getCause() == null ? e : e.getCause(), true);
        } catch (ReflectiveOperationException e) {
            throw Fault.of(e, false);
        }
    }

    /** AWS's runtime raises these as plain exceptions, whose name then shows. */
    private static Fault withType(String message) {
        return Fault.of(new Exception(message), false);
    }
}
