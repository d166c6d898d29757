package com.amazonaws.services.lambda.runtime.logging;

/** For functions that were packed without aws-lambda-java-core. */
public enum LogLevel {
    UNDEFINED,
    TRACE,
    DEBUG,
    INFO,
    WARN,
    ERROR,
    FATAL
}
