package dev.butai.lambda;

import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.Base64;
import java.util.Calendar;
import java.util.Date;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writes values as the mapper in AWS's Java runtime does: what is null is left out. */
final class JsonWriter {
    private static final String HEX = "0123456789abcdef";
    private static final int MAX_DEPTH = 1000;

    private final StringBuilder out = new StringBuilder(256);
    private int depth;

    @Override
    public String toString() {
        return out.toString();
    }

    JsonWriter raw(String json) {
        out.append(json);
        return this;
    }

    JsonWriter string(String s) {
        out.append('"');
        int done = 0;
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c >= ' ' && c != '"' && c != '\\') {
                continue;
            }
            out.append(s, done, i);
            escape(c);
            done = i + 1;
        }
        out.append(s, done, s.length()).append('"');
        return this;
    }

    private void escape(char c) {
        int short_ = "\b\f\n\r\t\"\\".indexOf(c);
        if (short_ >= 0) {
            out.append('\\').append("bfnrt\"\\".charAt(short_));
        } else {
            out.append("\\u00").append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 15));
        }
    }

    JsonWriter value(Object v) throws JsonException {
        if (v == null) {
            out.append("null");
        } else if (v instanceof CharSequence || v instanceof Character) {
            string(v.toString());
        } else if (v instanceof Number) {
            number((Number) v);
        } else if (v instanceof Boolean) {
            out.append(v);
        } else {
            if (++depth > MAX_DEPTH) {
                throw new JsonException(JsonException.MAPPING, "Document nesting depth (" + depth + ") exceeds the maximum allowed (" + MAX_DEPTH + ")");
            }
            nested(v);
            depth--;
        }
        return this;
    }

    private void number(Number n) {
        boolean finite = !(n instanceof Double || n instanceof Float) || Double.isFinite(n.doubleValue());
        if (finite) {
            out.append(n);
        } else {
            string(n.toString());
        }
    }

    private void nested(Object v) throws JsonException {
        if (v instanceof Map) {
            map((Map<?, ?>) v);
        } else if (v instanceof Iterable && !(v instanceof java.nio.file.Path)) {
            elements(((Iterable<?>) v).iterator());
        } else if (v instanceof Iterator) {
            elements((Iterator<?>) v);
        } else if (v.getClass().isArray()) {
            array(v);
        } else if (v instanceof Enum) {
            string(((Enum<?>) v).name());
        } else if (v instanceof Optional) {
            value(((Optional<?>) v).orElse(null));
        } else if (!scalar(v)) {
            bean(v);
        }
    }

    /** Types of the library that have a form of their own; false for all others. */
    private boolean scalar(Object v) {
        if (v instanceof Date) {
            out.append(((Date) v).getTime());
        } else if (v instanceof Calendar) {
            out.append(((Calendar) v).getTimeInMillis());
        } else if (v instanceof ByteBuffer) {
            ByteBuffer copy = ((ByteBuffer) v).duplicate();
            byte[] bytes = new byte[copy.remaining()];
            copy.get(bytes);
            string(Base64.getEncoder().encodeToString(bytes));
        } else if (v instanceof Class) {
            string(((Class<?>) v).getName());
        } else if (v.getClass().getName().startsWith("java.time.")) {
            time(v);
        } else if (Bean.isText(v.getClass())) {
            string(v.toString());
        } else {
            return false;
        }
        return true;
    }

    /** AWS's mapper writes times as numbers: points as seconds, dates as arrays. */
    private void time(Object v) {
        if (v instanceof Instant) {
            seconds((Instant) v);
        } else if (v instanceof OffsetDateTime) {
            seconds(((OffsetDateTime) v).toInstant());
        } else if (v instanceof ZonedDateTime) {
            seconds(((ZonedDateTime) v).toInstant());
        } else if (v instanceof LocalDate) {
            LocalDate d = (LocalDate) v;
            out.append('[').append(d.getYear()).append(',').append(d.getMonthValue()).append(',').append(d.getDayOfMonth()).append(']');
        } else if (v instanceof LocalDateTime) {
            dateTime((LocalDateTime) v);
        } else {
            string(v.toString());
        }
    }

    private void seconds(Instant t) {
        String nanos = Integer.toString(1_000_000_000 + t.getNano()).substring(1);
        out.append(t.getEpochSecond()).append('.').append(nanos);
    }

    private void dateTime(LocalDateTime t) {
        out.append('[').append(t.getYear()).append(',').append(t.getMonthValue()).append(',').append(t.getDayOfMonth());
        out.append(',').append(t.getHour()).append(',').append(t.getMinute());
        if (t.getSecond() != 0 || t.getNano() != 0) {
            out.append(',').append(t.getSecond());
        }
        if (t.getNano() != 0) {
            out.append(',').append(t.getNano());
        }
        out.append(']');
    }

    private void map(Map<?, ?> map) throws JsonException {
        out.append('{');
        String comma = "";
        for (Map.Entry<?, ?> e : map.entrySet()) {
            if (e.getKey() == null) {
                throw new JsonException(JsonException.MAPPING, "Null key for a Map not allowed in JSON (use a converting NullKeySerializer?)");
            }
            if (e.getValue() != null) {
                out.append(comma);
                string(e.getKey() instanceof Enum ? ((Enum<?>) e.getKey()).name() : e.getKey().toString()).raw(":").value(e.getValue());
                comma = ",";
            }
        }
        out.append('}');
    }

    private void elements(Iterator<?> each) throws JsonException {
        out.append('[');
        String comma = "";
        while (each.hasNext()) {
            out.append(comma);
            value(each.next());
            comma = ",";
        }
        out.append(']');
    }

    private void array(Object v) throws JsonException {
        if (v instanceof byte[]) {
            string(Base64.getEncoder().encodeToString((byte[]) v));
            return;
        }
        if (v instanceof char[]) {
            string(new String((char[]) v));
            return;
        }
        out.append('[');
        for (int i = 0; i < Array.getLength(v); i++) {
            if (i > 0) {
                out.append(',');
            }
            value(Array.get(v, i));
        }
        out.append(']');
    }

    private void bean(Object v) throws JsonException {
        List<Bean.Property> properties = Bean.of(v.getClass()).readable();
        out.append('{');
        String comma = "";
        for (Bean.Property p : properties) {
            Object value = p.get(v);
            if (value != null) {
                out.append(comma);
                string(p.name).raw(":").value(value);
                comma = ",";
            }
        }
        out.append('}');
    }
}
