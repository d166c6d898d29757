package com.amazonaws.services.lambda.runtime.logging;

/** As in aws-lambda-java-core, whose place this takes. */
public enum LogLevel {
    UNDEFINED,
    TRACE,
    DEBUG,
    INFO,
    WARN,
    ERROR,
    FATAL
}
