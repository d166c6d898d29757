package dev.butai.lambda;

import java.lang.reflect.InvocationTargetException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.Map;

/** Turns single JSON values into values of the library's single-valued types. */
final class Scalars {
    private static final Map<Class<?>, Object> ZEROS = Map.of(
            boolean.class, false, char.class, '\0', byte.class, (byte) 0, short.class, (short) 0,
            int.class, 0, long.class, 0L, float.class, 0f, double.class, 0d);

    private Scalars() {}

    static Object zero(Class<?> primitive) {
        return ZEROS.get(primitive);
    }

    static boolean isScalar(Class<?> type) {
        return type.isPrimitive() || type.isEnum() || type == String.class || type == CharSequence.class || type == Boolean.class || type == Character.class
                || Number.class.isAssignableFrom(type) && type.getName().startsWith("java.") || type == byte[].class || type == char[].class
                || type == ByteBuffer.class || type == Date.class || type.getName().startsWith("java.time.") || Bean.isText(type);
    }

    static Object convert(Object json, Class<?> type) throws JsonException {
        if (json instanceof Map || json instanceof java.util.List) {
            throw Mapper.mismatch(json, type);
        }
        if (type == String.class || type == CharSequence.class) {
            return json.toString();
        }
        if (json instanceof String && ((String) json).isEmpty() && type != byte[].class && type != char[].class) {
            return type.isPrimitive() ? zero(type) : null;
        }
        try {
            Object out = value(json, type);
            if (out == null && !type.isEnum()) {
                throw Mapper.mismatch(json, type);
            }
            return out;
        } catch (RuntimeException e) {
            throw new JsonException(JsonException.FORMAT, "Cannot deserialize value of type `" + type.getTypeName() + "` from "
                    + (json instanceof String ? "String \"" + json + "\"" : "number " + json) + ": not a valid `" + type.getTypeName() + "` value");
        }
    }

    /** Null if the kinds don't go together; a runtime exception if the value doesn't fit. */
    private static Object value(Object json, Class<?> type) throws JsonException {
        if (type == boolean.class || type == Boolean.class) {
            return bool(json);
        }
        if (type == char.class || type == Character.class) {
            return character(json);
        }
        if (type.isPrimitive() || Number.class.isAssignableFrom(type)) {
            if (type == Number.class && json instanceof Number) {
                return json instanceof BigDecimal ? (Number) ((Number) json).doubleValue() : (Number) json;
            }
            return json instanceof Boolean ? null : number(new BigDecimal(json.toString().trim()), type);
        }
        if (type.isEnum()) {
            return constant(json, type);
        }
        if (type == Date.class) {
            return json instanceof Number ? new Date(((Number) json).longValue()) : Date.from(Instant.parse((String) json));
        }
        if (!(json instanceof String)) {
            return type == Instant.class && json instanceof Number ? instant(new BigDecimal(json.toString())) : null;
        }
        return text((String) json, type);
    }

    private static Object text(String text, Class<?> type) throws JsonException {
        if (type == byte[].class) {
            return Base64.getDecoder().decode(text);
        }
        if (type == ByteBuffer.class) {
            return ByteBuffer.wrap(Base64.getDecoder().decode(text));
        }
        if (type == char[].class) {
            return text.toCharArray();
        }
        return byFactory(text, type);
    }

    /** UUID.fromString, LocalDate.parse, Locale.forLanguageTag, new File and their like. */
    private static Object byFactory(String text, Class<?> type) throws JsonException {
        for (String name : new String[] {"fromString", "parse", "of", "forLanguageTag", "getInstance", "forName", "compile", "getTimeZone"}) {
            for (Class<?> parameter : new Class<?>[] {String.class, CharSequence.class}) {
                try {
                    return type.getMethod(name, parameter).invoke(null, text);
                } catch (NoSuchMethodException | IllegalAccessException e) {
                    continue;
                } catch (InvocationTargetException e) {
                    throw new IllegalArgumentException(e.getCause());
                }
            }
        }
        try {
            return type.getConstructor(String.class).newInstance(text);
        } catch (ReflectiveOperationException e) {
            throw Mapper.mismatch(text, type);
        }
    }

    private static Boolean bool(Object json) {
        if (json instanceof Boolean) {
            return (Boolean) json;
        }
        if (json instanceof Number) {
            return ((Number) json).doubleValue() != 0;
        }
        String text = ((String) json).trim();
        if (text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false")) {
            return text.equalsIgnoreCase("true");
        }
        throw new IllegalArgumentException();
    }

    private static Character character(Object json) {
        if (json instanceof Integer) {
            return (char) (int) json;
        }
        if (json instanceof String && ((String) json).length() == 1) {
            return ((String) json).charAt(0);
        }
        throw new IllegalArgumentException();
    }

    private static Object constant(Object json, Class<?> type) {
        if (json instanceof Integer) {
            return type.getEnumConstants()[(int) json];
        }
        for (Object c : type.getEnumConstants()) {
            if (((Enum<?>) c).name().equals(json)) {
                return c;
            }
        }
        return null; // AWS reads unknown constants as null
    }

    private static Instant instant(BigDecimal seconds) {
        BigDecimal whole = seconds.setScale(0, java.math.RoundingMode.FLOOR);
        return Instant.ofEpochSecond(whole.longValueExact(), seconds.subtract(whole).movePointRight(9).longValue());
    }

    /** Fractions are cut off for integers, but their range is checked. */
    private static Number number(BigDecimal n, Class<?> type) {
        if (type == int.class || type == Integer.class) {
            return n.toBigInteger().intValueExact();
        }
        if (type == long.class || type == Long.class) {
            return n.toBigInteger().longValueExact();
        }
        if (type == double.class || type == Double.class) {
            return n.doubleValue();
        }
        if (type == float.class || type == Float.class) {
            return n.floatValue();
        }
        if (type == short.class || type == Short.class) {
            return n.toBigInteger().shortValueExact();
        }
        if (type == byte.class || type == Byte.class) {
            return n.toBigInteger().byteValueExact();
        }
        if (type == BigInteger.class) {
            return n.toBigInteger();
        }
        return type == BigDecimal.class ? n : null;
    }
}
