package com.amazonaws.services.lambda.runtime;

/** As in aws-lambda-java-core, whose place this takes. */
public interface RequestHandler<I, O> {
    O handleRequest(I input, Context context);
}
