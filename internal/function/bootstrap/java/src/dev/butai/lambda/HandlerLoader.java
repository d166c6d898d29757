package dev.butai.lambda;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.HashMap;
import java.util.Map;

/** Resolves "package.Class" and "package.Class::method" ("Define Lambda function handler in Java"). */
final class HandlerLoader {
    private static final String CORE = "com.amazonaws.services.lambda.runtime.";

    private HandlerLoader() {}

    static boolean isContext(Type type) {
        return type instanceof Class && ((Class<?>) type).getName().equals(CORE + "Context");
    }

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
        Class<?> streams = interfaceOf(type, CORE + "RequestStreamHandler");
        if (streams != null) {
            return new Handler.OfStreams(onlyMethod(streams), construct(type), true);
        }
        Class<?> values = interfaceOf(type, CORE + "RequestHandler");
        if (values == null) {
            throw Fault.of("Class does not implement an appropriate handler interface: " + type.getName());
        }
        Type[] arguments = typeArguments(type, values, new HashMap<>());
        if (arguments == null) {
            throw Fault.of("Class " + type.getName() + " does not implement RequestHandler with concrete type parameters");
        }
        for (Type argument : arguments) {
            if (argument instanceof TypeVariable && ((TypeVariable<?>) argument).getBounds()[0] == Object.class) {
                throw Fault.of("Class " + type.getName() + " does not implement RequestHandler with concrete type parameters: parameter "
                        + argument + " has no upper bound.");
            }
        }
        return new Handler.OfValues(onlyMethod(values), construct(type), true, arguments[0], arguments[1]);
    }

    /** Finds an interface by name, since each function brings its own copy of it. */
    private static Class<?> interfaceOf(Class<?> type, String name) {
        for (Class<?> c = type; c != null; c = c.getSuperclass()) {
            for (Class<?> i : c.getInterfaces()) {
                Class<?> found = i.getName().equals(name) ? i : interfaceOf(i, name);
                if (found != null) {
                    return found;
                }
            }
        }
        return null;
    }

    private static Method onlyMethod(Class<?> handlerInterface) {
        for (Method m : handlerInterface.getMethods()) {
            if (m.getName().equals("handleRequest") && Modifier.isAbstract(m.getModifiers())) {
                return m;
            }
        }
        throw Fault.of("Class does not implement an appropriate handler interface: " + handlerInterface.getName());
    }

    /** What type gives for the parameters of the interface wanted; null if it uses it raw. */
    private static Type[] typeArguments(Type type, Class<?> wanted, Map<TypeVariable<?>, Type> bound) {
        Class<?> raw = Types.raw(type);
        if (raw == null || !wanted.isAssignableFrom(raw)) {
            return null;
        }
        if (type instanceof ParameterizedType) {
            bound = Types.bindings((ParameterizedType) type, bound);
            if (raw == wanted) {
                Type[] arguments = ((ParameterizedType) type).getActualTypeArguments();
                for (int i = 0; i < arguments.length; i++) {
                    arguments[i] = Types.resolve(arguments[i], bound);
                }
                return arguments;
            }
        }
        for (Type i : raw.getGenericInterfaces()) {
            Type[] found = typeArguments(i, wanted, bound);
            if (found != null) {
                return found;
            }
        }
        Type parent = raw.getGenericSuperclass();
        return parent == null ? null : typeArguments(parent, wanted, bound);
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
        Type[] parameters = best.getGenericParameterTypes();
        if (parameters.length > 0 && (parameters[0] == InputStream.class || parameters[0] == OutputStream.class)) {
            return new Handler.OfStreams(best, instance, false);
        }
        Type input = parameters.length == 0 || isContext(parameters[0]) ? null : parameters[0];
        return new Handler.OfValues(best, instance, false, input, best.getGenericReturnType());
    }

    private static boolean isHandler(Method m) {
        Class<?>[] p = m.getParameterTypes();
        switch (p.length) {
            case 0:
            case 1:
                return true;
            case 2:
                return isContext(p[1]) && !isContext(p[0]) || p[0] == InputStream.class && p[1] == OutputStream.class;
            case 3:
                return p[0] == InputStream.class && p[1] == OutputStream.class && isContext(p[2]);
            default:
                return false;
        }
    }

    /** Among overloads, AWS takes written ones before bridges, then longer ones, where Context counts double. */
    private static int rank(Method m) {
        Class<?>[] p = m.getParameterTypes();
        int length = p.length + (p.length > 0 && isContext(p[p.length - 1]) ? 1 : 0);
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
