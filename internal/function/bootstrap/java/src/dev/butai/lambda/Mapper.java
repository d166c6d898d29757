package dev.butai.lambda;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Turns what Json read into values of the handler's types, with the rules that AWS configures its
 * mapper to: unknown members are ignored, and one value may stand for an array of one.
 */
final class Mapper {
    private Mapper() {}

    static Object convert(Object json, Type type) throws JsonException {
        Class<?> raw = Types.raw(type);
        if (raw == Optional.class) {
            return Optional.ofNullable(convert(json, Types.argument(type, Optional.class, 0)));
        }
        if (json == null) {
            return raw.isPrimitive() ? Scalars.zero(raw) : null;
        }
        if (raw == Object.class) {
            return untyped(json);
        }
        if (raw.isArray() && raw != byte[].class && raw != char[].class) {
            return array(json, type, raw);
        }
        if (Iterable.class.isAssignableFrom(raw) && (raw == Iterable.class || Collection.class.isAssignableFrom(raw))) {
            return collection(json, type, raw);
        }
        if (json instanceof List && ((List<?>) json).size() < 2 && raw != byte[].class) {
            List<?> list = (List<?>) json;
            return list.isEmpty() ? emptied(raw) : convert(list.get(0), type);
        }
        if (Map.class.isAssignableFrom(raw)) {
            return map(json, type, raw);
        }
        if (Scalars.isScalar(raw)) {
            return Scalars.convert(json, raw);
        }
        return bean(json, type, raw);
    }

    private static Object emptied(Class<?> raw) throws JsonException {
        if (Scalars.isScalar(raw)) {
            throw mismatch(List.of(), raw);
        }
        return null;
    }

    /** For Object, numbers with a fraction are doubles; maps and lists are changed in place. */
    private static Object untyped(Object json) {
        if (json instanceof java.math.BigDecimal) {
            return ((Number) json).doubleValue();
        }
        if (json instanceof Map) {
            for (Map.Entry<?, ?> e : ((Map<?, ?>) json).entrySet()) {
                @SuppressWarnings("unchecked")
                Map.Entry<?, Object> entry = (Map.Entry<?, Object>) e;
                entry.setValue(untyped(e.getValue()));
            }
        } else if (json instanceof List) {
            @SuppressWarnings("unchecked")
            List<Object> list = (List<Object>) json;
            for (int i = 0; i < list.size(); i++) {
                list.set(i, untyped(list.get(i)));
            }
        }
        return json;
    }

    static JsonException mismatch(Object json, Class<?> type) {
        String name = "`" + type.getTypeName() + "`";
        if (json instanceof Map) {
            return new JsonException(JsonException.MISMATCH, "Cannot deserialize value of type " + name + " from Object value (token `JsonToken.START_OBJECT`)");
        }
        if (json instanceof List) {
            return new JsonException(JsonException.MISMATCH, "Cannot deserialize value of type " + name + " from Array value (token `JsonToken.START_ARRAY`)");
        }
        if (json instanceof Boolean) {
            return new JsonException(JsonException.MISMATCH, "Cannot deserialize value of type " + name + " from Boolean value (token `JsonToken.VALUE_"
                    + json.toString().toUpperCase(java.util.Locale.ROOT) + "`)");
        }
        String kind = json instanceof String ? "String" : json instanceof Integer || json instanceof Long ? "Integer" : "Floating-point";
        String token = json instanceof String ? "STRING" : json instanceof Integer || json instanceof Long ? "NUMBER_INT" : "NUMBER_FLOAT";
        return new JsonException(JsonException.MISMATCH, "Cannot deserialize value of type " + name + " from " + kind + " value (token `JsonToken.VALUE_" + token + "`)");
    }

    // --- containers --------------------------------------------------------

    private static List<?> elements(Object json) {
        if (json instanceof List) {
            return (List<?>) json;
        }
        return json instanceof String && ((String) json).isEmpty() ? null : List.of(json);
    }

    private static Object array(Object json, Type type, Class<?> raw) throws JsonException {
        List<?> from = elements(json);
        if (from == null) {
            return null;
        }
        Type element = type instanceof java.lang.reflect.GenericArrayType
                ? ((java.lang.reflect.GenericArrayType) type).getGenericComponentType() : raw.getComponentType();
        Object out = Array.newInstance(raw.getComponentType(), from.size());
        for (int i = 0; i < from.size(); i++) {
            Array.set(out, i, convert(from.get(i), element));
        }
        return out;
    }

    private static Object collection(Object json, Type type, Class<?> raw) throws JsonException {
        List<?> from = elements(json);
        if (from == null) {
            return null;
        }
        Type element = Types.argument(type, Iterable.class, 0);
        Collection<Object> out = newCollection(raw, from.size());
        for (Object e : from) {
            out.add(convert(e, element));
        }
        return out;
    }

    @SuppressWarnings("unchecked")
    private static Collection<Object> newCollection(Class<?> raw, int size) throws JsonException {
        if (raw.isAssignableFrom(ArrayList.class)) {
            return new ArrayList<>(size);
        }
        if (raw == HashSet.class || raw.isAssignableFrom(LinkedHashSet.class) && !SortedSet.class.isAssignableFrom(raw)) {
            return raw == LinkedHashSet.class ? new LinkedHashSet<>() : new HashSet<>();
        }
        if (raw.isAssignableFrom(TreeSet.class)) {
            return new TreeSet<>();
        }
        if (raw.isAssignableFrom(ArrayDeque.class)) {
            return new ArrayDeque<>();
        }
        return (Collection<Object>) construct(raw);
    }

    private static Object map(Object json, Type type, Class<?> raw) throws JsonException {
        if (json instanceof String && ((String) json).isEmpty()) {
            return null;
        }
        if (!(json instanceof Map)) {
            throw mismatch(json, raw.isInterface() ? LinkedHashMap.class : raw);
        }
        Type key = Types.argument(type, Map.class, 0);
        Type value = Types.argument(type, Map.class, 1);
        Map<Object, Object> out = newMap(raw, Types.raw(key));
        for (Map.Entry<?, ?> e : ((Map<?, ?>) json).entrySet()) {
            out.put(convert(e.getKey(), key), convert(e.getValue(), value));
        }
        return out;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Map<Object, Object> newMap(Class<?> raw, Class<?> key) throws JsonException {
        if (raw.isAssignableFrom(LinkedHashMap.class)) {
            return new LinkedHashMap<>();
        }
        if (SortedMap.class.isAssignableFrom(raw) && raw.isAssignableFrom(TreeMap.class)) {
            return new TreeMap<>();
        }
        if (raw.isAssignableFrom(ConcurrentHashMap.class)) {
            return new ConcurrentHashMap<>();
        }
        return raw == EnumMap.class ? new EnumMap(key) : (Map<Object, Object>) construct(raw);
    }

    // --- beans -------------------------------------------------------------

    private static Object bean(Object json, Type type, Class<?> raw) throws JsonException {
        if (json instanceof String && ((String) json).isEmpty()) {
            return null;
        }
        if (!(json instanceof Map)) {
            return fromScalar(json, raw);
        }
        Map<?, ?> members = (Map<?, ?>) json;
        Map<TypeVariable<?>, Type> bound = Types.bindings(type, new HashMap<>());
        Bean bean = Bean.of(raw);
        if (raw.isRecord() || bean.isAwsEvent() && bean.plainConstructor() == null) {
            return byConstructor(members, raw, bean, bound);
        }
        Object out = construct(raw);
        for (Map.Entry<?, ?> e : members.entrySet()) {
            Bean.Property p = bean.writable((String) e.getKey());
            if (p != null) {
                p.set(out, convert(seconds(e.getValue(), p.type(), bean), Types.resolve(p.type(), bound)));
            }
        }
        return out;
    }

    /** Kinesis and DynamoDB events tell times in seconds, where a Date is otherwise read from milliseconds. */
    private static Object seconds(Object json, Type type, Bean bean) {
        if (type == java.util.Date.class && json instanceof Number && bean.isAwsEvent()) {
            return Math.round(((Number) json).doubleValue() * 1000);
        }
        return json;
    }

    private static Object byConstructor(Map<?, ?> members, Class<?> raw, Bean bean, Map<TypeVariable<?>, Type> bound) throws JsonException {
        Constructor<?> constructor = bean.fieldConstructor();
        if (constructor == null) {
            throw noCreators(raw);
        }
        List<Field> fields = bean.instanceFields();
        Type[] types = constructor.getGenericParameterTypes();
        Object[] arguments = new Object[fields.size()];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = convert(bean.member(members, fields.get(i).getName()), Types.resolve(types[i], bound));
        }
        return instantiate(constructor, arguments);
    }

    /** A class may be made from a single value by a public constructor or a static parse or valueOf. */
    private static Object fromScalar(Object json, Class<?> raw) throws JsonException {
        Class<?> given = json instanceof Integer ? int.class : json instanceof Long ? long.class : json instanceof Boolean ? boolean.class
                : json instanceof String ? String.class : double.class;
        try {
            return instantiate(raw.getConstructor(given), given == double.class ? ((Number) json).doubleValue() : json);
        } catch (NoSuchMethodException e) {
            // a factory, perhaps
        }
        for (String name : new String[] {"parse", "valueOf", "fromString"}) {
            try {
                java.lang.reflect.Method factory = raw.getMethod(name, String.class);
                if (Modifier.isStatic(factory.getModifiers()) && raw.isAssignableFrom(factory.getReturnType())) {
                    return factory.invoke(null, json.toString());
                }
            } catch (NoSuchMethodException e) {
                // the next one, perhaps
            } catch (ReflectiveOperationException e) {
                throw new JsonException(JsonException.FORMAT, "Cannot deserialize value of type `" + raw.getTypeName() + "` from String \"" + json + "\"", e);
            }
        }
        throw new JsonException(JsonException.MISMATCH, "Cannot construct instance of `" + raw.getTypeName()
                + "` (although at least one Creator exists): no " + given.getSimpleName() + "-argument constructor/factory method to deserialize from " + given.getSimpleName() + " value");
    }

    private static Object construct(Class<?> raw) throws JsonException {
        if (raw.isInterface() || Modifier.isAbstract(raw.getModifiers())) {
            throw new JsonException(JsonException.DEFINITION, "Cannot construct instance of `" + raw.getTypeName()
                    + "` (no Creators, like default constructor, exist): abstract types either need to be mapped to concrete types, "
                    + "have custom deserializer, or contain additional type information");
        }
        Constructor<?> constructor = Bean.of(raw).plainConstructor();
        if (constructor == null) {
            throw noCreators(raw);
        }
        return instantiate(constructor);
    }

    private static JsonException noCreators(Class<?> raw) {
        return new JsonException(JsonException.DEFINITION, "Cannot construct instance of `" + raw.getTypeName()
                + "` (no Creators, like default constructor, exist): cannot deserialize from Object value (no delegate- or property-based Creator)");
    }

    private static Object instantiate(Constructor<?> constructor, Object... arguments) throws JsonException {
        try {
            return constructor.newInstance(arguments);
        } catch (InvocationTargetException e) {
            throw new JsonException(JsonException.MAPPING, "Cannot construct instance of `" + constructor.getDeclaringClass().getTypeName()
                    + "`, problem: " + e.getCause().getMessage(), e.getCause());
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            throw new JsonException(JsonException.DEFINITION, "Cannot construct instance of `" + constructor.getDeclaringClass().getTypeName() + "`", e);
        }
    }
}
