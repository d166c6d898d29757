package com.amazonaws.services.lambda.runtime;

import dev.butai.lambda.Log;

/** As in aws-lambda-java-core, whose place this takes. */
public final class LambdaRuntime {
    private LambdaRuntime() {}

    public static LambdaLogger getLogger() {
        return Log.LOGGER;
    }
}
