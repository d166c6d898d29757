package dev.butai.lambda;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads JSON into maps, lists, strings, booleans and numbers: Integer, Long or BigInteger,
 * whichever is large enough, and BigDecimal for all with a fraction or exponent.
 */
final class Json {
    private static final int MAX_DEPTH = 1000;

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    static Object parse(String text) throws JsonException {
        Json json = new Json(text);
        json.skipSpace();
        if (json.at == text.length()) {
            throw new JsonException(JsonException.MISMATCH, "No content to map due to end-of-input");
        }
        return json.value();
    }

    private Object value() throws JsonException {
        skipSpace();
        char c = peek();
        switch (c) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                if (c == '-' || c >= '0' && c <= '9') {
                    return number();
                }
                throw unexpected(c, "expected a valid value (JSON String, Number (or 'NaN'/'INF'/'+INF'), Array, Object or token 'null', 'true' or 'false')");
        }
    }

    private Map<String, Object> object() throws JsonException {
        enter();
        Map<String, Object> out = new LinkedHashMap<>();
        if (next() == '}') {
            at++;
            depth--;
            return out;
        }
        while (true) {
            char c = next();
            if (c != '"') {
                throw unexpected(c, "was expecting double-quote to start field name");
            }
            String name = string();
            c = next();
            if (c != ':') {
                throw unexpected(c, "was expecting a colon to separate field name and value");
            }
            at++;
            out.put(name, value());
            if (!goesOn('}', "Object")) {
                return out;
            }
        }
    }

    private List<Object> array() throws JsonException {
        enter();
        List<Object> out = new ArrayList<>();
        if (next() == ']') {
            at++;
            depth--;
            return out;
        }
        while (true) {
            out.add(value());
            if (!goesOn(']', "Array")) {
                return out;
            }
        }
    }

    private void enter() throws JsonException {
        if (++depth > MAX_DEPTH) {
            throw new JsonException(JsonException.SYNTAX, "Document nesting depth (" + depth + ") exceeds the maximum allowed (" + MAX_DEPTH + ")");
        }
        at++;
    }

    /** Takes a comma, or the end of an object or array. */
    private boolean goesOn(char end, String what) throws JsonException {
        char c = next();
        if (c != ',' && c != end) {
            throw unexpected(c, "was expecting comma to separate " + what + " entries");
        }
        at++;
        if (c == end) {
            depth--;
            return false;
        }
        return true;
    }

    private String string() throws JsonException {
        int start = ++at;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '"') {
                return text.substring(start, at++);
            }
            if (c == '\\') {
                return escaped(start);
            }
            at++;
        }
        throw end();
    }

    private String escaped(int start) throws JsonException {
        StringBuilder out = new StringBuilder().append(text, start, at);
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return out.toString();
            }
            out.append(c == '\\' ? escape() : c);
        }
        throw end();
    }

    private char escape() throws JsonException {
        char c = peek();
        at++;
        switch (c) {
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                return hex();
            default:
                return c; // AWS's reader takes any escaped character for itself
        }
    }

    private char hex() throws JsonException {
        int value = 0;
        for (int i = 0; i < 4; i++) {
            int digit = Character.digit(peek(), 16);
            if (digit < 0) {
                throw unexpected(peek(), "expected a hex-digit for character escape sequence");
            }
            value = value << 4 | digit;
            at++;
        }
        return (char) value;
    }

    private Object word(String word, Object value) throws JsonException {
        int end = at;
        while (end < text.length() && Character.isJavaIdentifierPart(text.charAt(end))) {
            end++;
        }
        String token = text.substring(at, end);
        if (!token.equals(word)) {
            throw new JsonException(JsonException.SYNTAX, "Unrecognized token '" + token
                    + "': was expecting (JSON String, Number (or 'NaN'/'INF'/'+INF'), Array, Object or token 'null', 'true' or 'false')");
        }
        at = end;
        return value;
    }

    private Number number() throws JsonException {
        int start = at;
        boolean whole = true;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '.' || c == 'e' || c == 'E') {
                whole = false;
            } else if (c != '-' && c != '+' && (c < '0' || c > '9')) {
                break;
            }
            at++;
        }
        String digits = text.substring(start, at);
        try {
            if (!whole) {
                return new BigDecimal(digits);
            }
            if (digits.length() > 19) {
                return narrowest(new BigInteger(digits));
            }
            long value = Long.parseLong(digits);
            return value == (int) value ? (Number) (int) value : (Number) value;
        } catch (NumberFormatException e) {
            return large(digits, whole);
        }
    }

    private static Number large(String digits, boolean whole) throws JsonException {
        try {
            if (whole) {
                return new BigInteger(digits);
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw new JsonException(JsonException.SYNTAX, "Malformed numeric value (" + digits + ")");
    }

    private static Number narrowest(BigInteger value) {
        return value.bitLength() < Long.SIZE ? (Number) value.longValue() : (Number) value;
    }

    private char next() throws JsonException {
        skipSpace();
        return peek();
    }

    private void skipSpace() {
        while (at < text.length() && text.charAt(at) <= ' ') {
            at++;
        }
    }

    private char peek() throws JsonException {
        if (at >= text.length()) {
            throw end();
        }
        return text.charAt(at);
    }

    private static JsonException end() {
        return new JsonException(JsonException.SYNTAX, "Unexpected end-of-input");
    }

    private static JsonException unexpected(char c, String expected) {
        return new JsonException(JsonException.SYNTAX, "Unexpected character ('" + c + "' (code " + (int) c + ")): " + expected);
    }
}
