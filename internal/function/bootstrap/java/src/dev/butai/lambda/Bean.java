package dev.butai.lambda;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The properties of a class: public fields, getters, setters and record components. They come in
 * the order of the fields, then of further getters, which is the order AWS's mapper writes.
 */
final class Bean {
    private static final Map<Class<?>, Bean> KNOWN = new HashMap<>();
    private static final String EVENTS = "com.amazonaws.services.lambda.runtime.events.";

    private final Class<?> type;
    private final Map<String, Property> properties = new LinkedHashMap<>();
    /** Properties by name without case and punctuation; null if names must match exactly. */
    private final Map<String, Property> loose;
    private List<Property> readable;

    /** One property; each way to it is null if there is none. */
    static final class Property {
        final String name;
        private Field field;
        private Method getter;
        private Method setter;

        private Property(String name) {
            this.name = name;
        }

        Type type() {
            return setter != null ? setter.getGenericParameterTypes()[0] : field.getGenericType();
        }

        Object get(Object bean) throws JsonException {
            try {
                return getter != null ? getter.invoke(bean) : field.get(bean);
            } catch (InvocationTargetException e) {
                Throwable cause = e.getCause();
                throw new JsonException(JsonException.MAPPING, cause.getMessage() + " (through reference chain: " + bean.getClass().getName() + "[\"" + name + "\"])", cause);
            } catch (IllegalAccessException e) {
                throw new JsonException(JsonException.MAPPING, e.getMessage(), e);
            }
        }

        void set(Object bean, Object value) throws JsonException {
            try {
                if (setter != null) {
                    setter.invoke(bean, value);
                } else {
                    field.set(bean, value);
                }
            } catch (InvocationTargetException e) {
                Throwable cause = e.getCause();
                throw new JsonException(JsonException.MAPPING, cause.getMessage() + " (through reference chain: " + bean.getClass().getName() + "[\"" + name + "\"])", cause);
            } catch (IllegalAccessException e) {
                throw new JsonException(JsonException.MAPPING, e.getMessage(), e);
            }
        }
    }

    private Bean(Class<?> type) {
        this.type = type;
        addFields(type);
        if (type.isRecord()) {
            addComponents();
        }
        for (Method m : type.getMethods()) {
            addMethod(m);
        }
        loose = type.getName().startsWith(EVENTS) ? loosened(properties.values()) : null;
    }

    static synchronized Bean of(Class<?> type) {
        Bean bean = KNOWN.get(type);
        if (bean == null) {
            bean = new Bean(type);
            KNOWN.put(type, bean);
        }
        return bean;
    }

    /** Classes of the library that are written as their text. */
    static boolean isText(Class<?> type) {
        String name = type.getName();
        return name.equals("java.util.UUID") || name.equals("java.net.URI") || name.equals("java.net.URL") || name.equals("java.util.Locale")
                || name.equals("java.util.Currency") || name.equals("java.util.regex.Pattern") || name.equals("java.io.File")
                || java.nio.charset.Charset.class.isAssignableFrom(type) || java.util.TimeZone.class.isAssignableFrom(type)
                || java.nio.file.Path.class.isAssignableFrom(type) || name.startsWith("org.joda.time.");
    }

    List<Property> readable() {
        if (readable == null) {
            List<Property> out = new ArrayList<>();
            for (Property p : properties.values()) {
                if (p.getter != null || isPublic(p.field)) {
                    out.add(p);
                }
            }
            readable = out;
        }
        return readable;
    }

    /** The property to put a JSON member into; null if there is none, which is no error. */
    Property writable(String name) {
        Property p = properties.get(name);
        if (loose != null && (p == null || p.setter == null && !isPublic(p.field))) {
            p = loose.get(loosen(name));
        }
        return p == null || p.setter == null && (!isPublic(p.field) || Modifier.isFinal(p.field.getModifiers())) ? null : p;
    }

    /** The constructor without parameters; null if there is none. */
    Constructor<?> plainConstructor() {
        try {
            Constructor<?> c = type.getDeclaredConstructor();
            c.setAccessible(true);
            return c;
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    /**
     * The constructor that takes all fields in their order, as records and the immutable classes
     * of aws-lambda-java-events have it; null if there is none.
     */
    Constructor<?> fieldConstructor() {
        int fields = instanceFields().size();
        for (Constructor<?> c : type.getDeclaredConstructors()) {
            if (fields > 0 && c.getParameterCount() == fields && (type.isRecord() ? canonical(c) : Modifier.isPublic(c.getModifiers()))) {
                c.setAccessible(true);
                return c;
            }
        }
        return null;
    }

    private boolean canonical(Constructor<?> c) {
        RecordComponent[] components = type.getRecordComponents();
        for (int i = 0; i < components.length; i++) {
            if (c.getParameterTypes()[i] != components[i].getType()) {
                return false;
            }
        }
        return true;
    }

    List<Field> instanceFields() {
        List<Field> out = new ArrayList<>();
        for (Field f : type.getDeclaredFields()) {
            if (!Modifier.isStatic(f.getModifiers()) && !f.isSynthetic()) {
                out.add(f);
            }
        }
        return out;
    }

    /** Finds the member of a JSON object for a constructor's parameter. */
    Object member(Map<?, ?> json, String field) {
        if (loose == null || json.containsKey(field)) {
            return json.get(field);
        }
        String wanted = loosen(field);
        for (Map.Entry<?, ?> e : json.entrySet()) {
            if (loosen((String) e.getKey()).equals(wanted)) {
                return e.getValue();
            }
        }
        return null;
    }

    boolean isAwsEvent() {
        return loose != null;
    }

    // --- finding properties ------------------------------------------------

    private void addFields(Class<?> of) {
        if (of == null || of == Object.class) {
            return;
        }
        addFields(of.getSuperclass());
        for (Field f : of.getDeclaredFields()) {
            if (!Modifier.isStatic(f.getModifiers()) && !Modifier.isTransient(f.getModifiers()) && !f.isSynthetic()) {
                property(f.getName()).field = f;
                if (isPublic(f)) {
                    open(f);
                }
            }
        }
    }

    private void addComponents() {
        for (RecordComponent c : type.getRecordComponents()) {
            open(c.getAccessor());
            property(c.getName()).getter = c.getAccessor();
        }
    }

    private void addMethod(Method m) {
        if (Modifier.isStatic(m.getModifiers()) || m.isBridge() || m.getDeclaringClass() == Object.class) {
            return;
        }
        String name = m.getName();
        Class<?> returned = m.getReturnType();
        if (m.getParameterCount() == 0 && returned != void.class) {
            boolean is = name.startsWith("is") && (returned == boolean.class || returned == Boolean.class);
            String of = is ? suffix(name, 2) : name.startsWith("get") ? suffix(name, 3) : null;
            if (of != null && (property(of).getter == null || !is)) {
                open(m);
                property(of).getter = m;
            }
        } else if (m.getParameterCount() == 1 && name.startsWith("set")) {
            String of = suffix(name, 3);
            if (of != null && better(m, property(of))) {
                open(m);
                property(of).setter = m;
            }
        }
    }

    /** Among overloaded setters, the one for the getter's or field's type wins. */
    private static boolean better(Method setter, Property p) {
        Class<?> wanted = p.getter != null ? p.getter.getReturnType() : p.field != null ? p.field.getType() : null;
        return p.setter == null || setter.getParameterTypes()[0] == wanted;
    }

    private Property property(String name) {
        Property p = properties.get(name);
        if (p == null) {
            p = new Property(name);
            properties.put(name, p);
        }
        return p;
    }

    /** JavaBeans' rule: getURL is URL, getName is name. */
    private static String suffix(String method, int from) {
        if (method.length() == from) {
            return null;
        }
        String name = method.substring(from);
        if (name.length() > 1 && Character.isUpperCase(name.charAt(0)) && Character.isUpperCase(name.charAt(1))) {
            return name;
        }
        return Character.toLowerCase(name.charAt(0)) + name.substring(1);
    }

    private static Map<String, Property> loosened(Collection<Property> properties) {
        Map<String, Property> out = new HashMap<>();
        for (Property p : properties) {
            if (p.setter != null || !out.containsKey(loosen(p.name))) {
                out.put(loosen(p.name), p);
            }
        }
        return out;
    }

    private static String loosen(String name) {
        return name.replace("-", "").replace("_", "").toLowerCase(Locale.ROOT);
    }

    private static boolean isPublic(Field f) {
        return f != null && Modifier.isPublic(f.getModifiers());
    }

    /** Public members of classes that aren't public themselves need it. */
    private static void open(AccessibleObject member) {
        member.trySetAccessible();
    }
}
