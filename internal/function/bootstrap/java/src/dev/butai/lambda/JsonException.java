package dev.butai.lambda;

import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * A failure to read or write JSON. It shows under the name of the exception that the library in
 * AWS's runtime throws, by which people and alarms know it.
 */
final class JsonException extends IOException {
    private static final long serialVersionUID = 1;
    private static final String LIBRARY = "com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.";

    static final String MISMATCH = LIBRARY + "databind.exc.MismatchedInputException";
    static final String FORMAT = LIBRARY + "databind.exc.InvalidFormatException";
    static final String DEFINITION = LIBRARY + "databind.exc.InvalidDefinitionException";
    static final String MAPPING = LIBRARY + "databind.JsonMappingException";
    static final String SYNTAX = LIBRARY + "core.JsonParseException";

    final String type;

    JsonException(String type, String message) {
        super(message);
        this.type = type;
    }

    JsonException(String type, String message, Throwable cause) {
        super(message, cause);
        this.type = type;
    }

    UncheckedIOException unchecked() {
        return new UncheckedIOException(this);
    }

    @Override
    public String toString() {
        return type + ": " + getMessage();
    }
}
